from collections.abc import Callable, Iterable

import numpy
import pandas
import pyarrow
import pytest

from speller.columns import correct_values
from speller.corrector import Corrector

COMMENTS = ["Teh qick fox", None, "see https://recieve.com, recieve", ""]
CORRECTED = ["The quick fox", None, "see https://recieve.com, receive", ""]


@pytest.mark.parametrize(
    "column",
    [
        COMMENTS,
        pandas.Series(COMMENTS, index=[7, 7, 3, 1]),
        pandas.Series(COMMENTS, dtype="string"),
        pandas.Series(["Teh qick fox", float("nan"), *COMMENTS[2:]], dtype=object),
        numpy.array(COMMENTS, dtype=object),
        pyarrow.array(COMMENTS),
        pyarrow.chunked_array([COMMENTS[:1], COMMENTS[1:]]),
        pyarrow.array(COMMENTS).dictionary_encode(),
    ],
    ids=["list", "series", "string series", "series with NaN", "numpy", "arrow", "arrow in chunks", "arrow dictionary"],
)
def test_a_column_of_any_kind_is_corrected(column: Iterable[object]) -> None:
    assert correct_values(column) == CORRECTED


@pytest.mark.parametrize("kind", ["text", "words"])
@pytest.mark.parametrize(
    ("column", "corrected"),
    [
        (numpy.array(["recieve", "wierd"]), ["receive", "weird"]),
        (numpy.full(2, numpy.nan, numpy.float32), [None, None]),  # a batch of Ray Data's without any value
        (pyarrow.nulls(2), [None, None]),
        (numpy.array([], dtype=object), []),
    ],
    ids=["strings of NumPy's", "nothing but NaN", "nothing but null", "no row"],
)
def test_a_batch_all_of_one_kind(kind: str, column: Iterable[object], corrected: list[str | None]) -> None:
    assert correct_values(column, kind=kind) == corrected  # type: ignore[arg-type]


def test_batches_after_the_first_find_their_corrector_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    correct_values(["recieve"], words=["qick"])

    def load(*_: object, **__: object) -> Callable[..., Corrector]:
        raise AssertionError("loaded once more")

    monkeypatch.setattr(Corrector, "load", load)
    assert correct_values(["recieve"], words=iter(["qick"])) == ["receive"]


def test_words_are_corrected_one_a_value() -> None:
    assert correct_values(["recieve", None, "qick"], kind="words", words=["qick"]) == ["receive", None, "qick"]


def test_options_make_correctors_of_their_own() -> None:
    assert correct_values(["recieve"], min_probability=1) == ["recieve"]
    assert correct_values(["recieve"]) == ["receive"]


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="a column of strings is corrected, not one that holds 3"):
        correct_values(["a", 3])
    with pytest.raises(ValueError, match="kind is 'text' or 'words', not 'prose'"):
        correct_values(["a"], kind="prose")  # type: ignore[arg-type]
