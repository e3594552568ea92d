"""Columns of words or of running text: in Spark, in Ray Data, or wherever columns come in batches."""

import math
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Literal

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
    if kind not in ("text", "words"):
        raise ValueError(f"kind is 'text' or 'words', not {kind!r}")
    corrector = _corrector(model, min_probability, frozenset(words))
    given = values.to_pylist() if hasattr(values, "to_pylist") else list(values)
    strings = [value for value in given if not _is_missing(value)]
    for value in strings:
        if not isinstance(value, str):
            raise ValueError(f"a column of strings is corrected, not one that holds {value!r}")
    corrected = iter(corrector.correct_many(strings) if kind == "words" else map(corrector.correct_text, strings))
    return [None if _is_missing(value) else next(corrected) for value in given]


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NAType"


def corrector_udf(
    *,
    kind: Kind = "text",
    model: str = "en",
    min_probability: float = MIN_PROBABILITY,
    words: Iterable[str] = (),
) -> Callable[..., Any]:
    """A pandas UDF for Spark that corrects a column of strings; nulls stay nulls. Needs the extra ``[spark]``.

    Every Python worker loads the model once. ``speller`` has to be installed where they run::

        frame.withColumn("corrected", corrector_udf()("comment"))

    Args:
        kind: see ``correct_values``, as for the rest.
        model: a model that ships, or a model's folder.
        min_probability: an unknown word is corrected where its best suggestion has at least this probability.
        words: known beside the model's.

    Raises:
        ValueError: there is no such kind, or Spark is not installed.
    """
    if kind not in ("text", "words"):
        raise ValueError(f"kind is 'text' or 'words', not {kind!r}")
    try:
        import pandas
        from pyspark.sql.functions import pandas_udf
    except ModuleNotFoundError as error:
        raise ValueError(f"corrector_udf needs {error.name}: pip install 'speller[spark]'") from None
    known = tuple(words)

    def corrected(column: pandas.Series) -> pandas.Series:
        return pandas.Series(
            correct_values(column, kind=kind, model=model, min_probability=min_probability, words=known), dtype=object
        )

    udf: Callable[..., Any] = pandas_udf(corrected, "string")
    return udf


@cache
def _corrector(model: str, min_probability: float, words: frozenset[str]) -> Corrector:
    corrector = Corrector.load(model, min_probability=min_probability)
    if words:
        corrector.add_words(words)
    return corrector
