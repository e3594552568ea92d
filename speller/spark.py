"""Columns of words or of running text in Spark."""

from collections.abc import Callable, Iterable
from typing import Any

from speller.columns import Kind, check_kind, correct_values
from speller.corrector import MIN_PROBABILITY


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
    check_kind(kind)
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
