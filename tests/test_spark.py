"""Columns, and a real local Spark where there is one."""

import importlib.util
import shutil
import sys
from pathlib import Path

import numpy
import pandas
import pyarrow
import pytest

from speller.spark import correct_values, corrector_udf

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
    ],
    ids=["list", "series", "string series", "series with NaN", "numpy", "arrow", "arrow in chunks"],
)
def test_a_column_of_any_kind_is_corrected(column: object) -> None:
    assert correct_values(column) == CORRECTED  # type: ignore[arg-type]


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
    with pytest.raises(ValueError, match="kind is 'text' or 'words', not 'prose'"):
        corrector_udf(kind="prose")  # type: ignore[arg-type]


def test_without_spark_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql.functions", None)
    with pytest.raises(ValueError, match=r"pip install 'speller\[spark\]'"):
        corrector_udf()


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="pyspark is not installed (extra [spark])")
@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, which is not installed")
def test_a_parquet_file_is_corrected_by_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyspark.sql import SparkSession

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    rows = 100
    table = pandas.DataFrame({"id": range(len(COMMENTS) * rows), "comment": COMMENTS * rows})
    table.to_parquet(tmp_path / "comments.parquet")
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.driver.host", "127.0.0.1").config("spark.sql.shuffle.partitions", "2").getOrCreate()
    try:
        frame = spark.read.parquet(str(tmp_path / "comments.parquet")).repartition(2)
        frame.withColumn("comment", corrector_udf()("comment")).write.parquet(str(tmp_path / "corrected.parquet"))
    finally:
        spark.stop()
    corrected = pandas.read_parquet(tmp_path / "corrected.parquet").sort_values("id")
    assert [None if pandas.isna(value) else value for value in corrected["comment"]] == CORRECTED * rows
