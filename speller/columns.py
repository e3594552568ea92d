"""Columns of words or of running text, as they come in batches: from Ray Data, pandas, Arrow, or Spark (``spark``)."""

import math
from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

import numpy

from speller.corrector import MIN_PROBABILITY, Corrector

Kind = Literal["text", "words"]
"""What the values of a column are: running text, or a word each."""


def correct_values(
    values: Iterable[Any],
    *,
    kind: Kind = "text",
    model: str = "en",
    min_probability: float = MIN_PROBABILITY,
    words: Iterable[str] = (),
) -> list[str | None]:
    """The values of a column, corrected; where one is missing (None, NaN) there is None.

    The first call in a process loads the model, all further ones with the same options use it again. With Ray Data::

        def corrected(batch):
            return batch | {"text": correct_values(batch["text"])}

        dataset.map_batches(corrected)

    Args:
        values: a pandas Series, a NumPy or an Arrow array, or a list.
        kind: ``text``, of which only the misspelled words change, or ``words``, one a value.
        model: a model that ships, or a model's folder, on the machine where this runs.
        min_probability: an unknown word is corrected where its best suggestion has at least this probability.
        words: known beside the model's.

    Raises:
        ValueError: there is no such kind or model, one of the words is none, or a value is no string.
    """
    check_kind(kind)
    corrector = _corrector(model, min_probability, frozenset(words))
    given = values.to_pylist() if hasattr(values, "to_pylist") else list(values)
    strings = [value for value in given if not _is_missing(value)]
    for value in strings:
        if not isinstance(value, str):
            raise ValueError(f"a column of strings is corrected, not one that holds {value!r}")
    corrected = iter(corrector.correct_many(strings) if kind == "words" else map(corrector.correct_text, strings))
    return [None if _is_missing(value) else next(corrected) for value in given]


def check_kind(kind: str) -> None:
    """Raise a ValueError for what is no kind of column."""
    if kind not in ("text", "words"):
        raise ValueError(f"kind is 'text' or 'words', not {kind!r}")


def _is_missing(value: object) -> bool:
    # Ray Data gives a batch without any value as NumPy's float32.
    is_nan = isinstance(value, float | numpy.floating) and math.isnan(value)
    return value is None or is_nan or type(value).__name__ == "NAType"


@cache
def _corrector(model: str, min_probability: float, words: frozenset[str]) -> Corrector:
    corrector = Corrector.load(model, min_probability=min_probability)
    if words:
        corrector.add_words(words)
    return corrector
