"""On a real local Spark, where there is a Java for it to run on."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas
import pytest

from speller.spark import corrector_udf

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OLDEST_JAVA = 17
COMMENTS = ["Teh qick fox", None, "see https://recieve.com, recieve", ""]
CORRECTED = ["The quick fox", None, "see https://recieve.com, receive", ""]
ROWS = 100


def java_version() -> int:
    """Of the Java that a command would start; 0 for none, also where there is but the command."""
    if not shutil.which("java"):
        return 0
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


@pytest.fixture(scope="session")
def spark() -> Iterator["SparkSession"]:
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed (extra [spark])")
    if java_version() < OLDEST_JAVA:
        pytest.skip(f"Spark needs Java {OLDEST_JAVA} or later, which is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        session = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
        session = session.getOrCreate()
        yield session
        session.stop()


@pytest.mark.slow
def test_a_parquet_file_is_corrected(spark: "SparkSession", tmp_path: Path) -> None:
    table = pandas.DataFrame({"id": range(len(COMMENTS) * ROWS), "comment": COMMENTS * ROWS})
    table.to_parquet(tmp_path / "comments.parquet")
    frame = spark.read.parquet(str(tmp_path / "comments.parquet")).repartition(2)
    frame.withColumn("comment", corrector_udf()("comment")).write.parquet(str(tmp_path / "corrected.parquet"))
    corrected = pandas.read_parquet(tmp_path / "corrected.parquet").sort_values("id")
    assert [None if pandas.isna(value) else value for value in corrected["comment"]] == CORRECTED * ROWS


@pytest.mark.slow
def test_options_reach_the_workers(spark: "SparkSession") -> None:
    frame = spark.createDataFrame([("recieve", "qick"), ("alot", None)], "first string, second string")
    udf = corrector_udf(kind="words", words=iter(["qick"]))
    rows = frame.select(udf("first"), udf("second"), corrector_udf(min_probability=1)("first")).collect()
    assert [tuple(row) for row in rows] == [("receive", "qick", "recieve"), ("a lot", None, "alot")]


def test_bad_input_is_named_where_the_function_is_made() -> None:
    with pytest.raises(ValueError, match="kind is 'text' or 'words', not 'prose'"):
        corrector_udf(kind="prose")  # type: ignore[arg-type]


def test_without_spark_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql.functions", None)
    with pytest.raises(ValueError, match=r"pip install 'speller\[spark\]'"):
        corrector_udf()
