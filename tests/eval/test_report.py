import io
import json
import re

import pytest
from rich.console import Console

from speller.eval.judge import Rows, judge
from speller.eval.report import Report, as_data, tables
from speller.eval.systems import find_systems
from speller.train.pairs import Pair

PAIRS = {
    "essays": [Pair("recieve", "receive"), Pair("fisix", "physics"), Pair("thier", "their"), Pair("ther", "there")],
    "<notes>": [Pair("teh", "the"), Pair("recipie", "recipe"), Pair("london", "London"), Pair("rare", "rare")],
}


@pytest.fixture
def report(corrector):
    rows = Rows.of(PAIRS, seen=[Pair("teh", "the")])
    names = ("speller", "speller-no-model", "rf-osa")
    judgements = [judge(name, find_systems()[name](corrector), rows, load_seconds=1) for name in names]
    return Report.of(rows, judgements, skipped={"aspell": "the program aspell is not installed"})


def text_of(report):
    console = Console(width=240, file=io.StringIO())
    for table in tables(report):
        console.print(table)
    return console.file.getvalue()


def test_data_hold_what_was_measured(report):
    data = json.loads(json.dumps(as_data(report), allow_nan=False))
    assert data["rows"]["misspelt"] == 6
    assert data["rows"]["valid"] == 2
    assert data["rows"]["parts"]["source"] == {"<notes>": 2, "essays": 4}
    assert data["rows"]["parts"]["seen_pair"] == {"seen": 1, "unseen": 5}
    assert data["rows"]["parts"]["seen_word"] == {"seen": 1, "unseen": 5}
    speller, plain, osa = data["systems"]
    assert [speller["name"], plain["name"], osa["name"]] == ["speller", "speller-no-model", "rf-osa"]
    # All but "ther", nearer to "the", and without what was learned not "fisix" either.
    assert speller["measures"]["top1"]["value"] > plain["measures"]["top1"]["value"]
    assert speller["measures"]["distance_before"]["value"] == pytest.approx((2 + 5 + 2 + 1 + 2 + 1) / 6)
    assert speller["splits"]["distance"]["3+"]["top1"] == {"value": 1, "low": 1, "high": 1}
    assert plain["splits"]["distance"]["3+"]["top1"]["value"] == 0
    assert speller["detection"]["precision"]["value"] == 1
    assert (speller["calibration"] is None, osa["calibration"] is None) == (False, True)
    assert speller["milliseconds"]["p50"]["value"] <= speller["milliseconds"]["p99"]["value"]
    assert [(one["first"], one["second"]) for one in data["comparisons"]] == [
        ("speller", "speller-no-model"),
        ("speller", "rf-osa"),
        ("speller-no-model", "rf-osa"),
    ]
    difference = data["comparisons"][0]["measures"]["top1"]["difference"]["value"]
    assert difference == pytest.approx(speller["measures"]["top1"]["value"] - plain["measures"]["top1"]["value"])
    assert data["skipped"] == {"aspell": "the program aspell is not installed"}


def test_tables_show_every_system_and_split(report):
    text = text_of(report)
    top1 = report.measures["speller"]["top1"].value
    assert re.search(rf"^ ?speller +{top1:.3f} ±", text, re.MULTILINE)
    for heading in (
        "source",
        "edit distance",
        "length",
        "kind of error",
        "saw the pair",
        "saw its right word",
        "2 valid words",
    ):
        assert heading in " ".join(text.split())
    assert text.startswith("6 misspellings of 6 words")
    assert len(re.findall(r"^ ?speller-no-model ", text, re.MULTILINE)) == 9


def test_tables_leave_out_what_there_is_none_of(corrector):
    rows = Rows.of({"essays": PAIRS["essays"]})
    text = text_of(Report.of(rows, [judge("speller", corrector, rows, load_seconds=1)], skipped={}))
    for heading in ("by source", "training saw", "valid words"):
        assert heading not in " ".join(text.split())
    assert "4 misspellings of 4 words" in text


def test_data_are_json_where_a_measure_says_nothing(corrector):
    class Silent:
        def suggest(self, word, n):
            return []

    rows = Rows.of(PAIRS)
    report = Report.of(rows, [judge("silent", Silent(), rows, load_seconds=0)], skipped={})
    detection = json.loads(json.dumps(as_data(report), allow_nan=False))["systems"][0]["detection"]
    assert detection["precision"] is None
    assert detection["recall"]["value"] == 0
    assert re.search(r"silent +– +0\.000 ±0\.000 +0\.000", text_of(report))


def test_every_figure_has_an_interval(report):
    speller = as_data(report)["systems"][0]
    estimates = [*speller["measures"].values(), *speller["detection"].values(), speller["calibration"]["error"]]
    estimates += [*speller["calibration"]["accuracy"], speller["words_per_second"], *speller["milliseconds"].values()]
    for estimate in estimates:
        assert estimate["low"] <= estimate["value"] <= estimate["high"]


def test_the_seed_draws_other_intervals(corrector):
    rows = Rows.of(PAIRS)
    judgement = judge("rf-osa", find_systems()["rf-osa"](corrector), rows, load_seconds=1)
    first, again, other = (
        Report.of(rows, [judgement], skipped={}, seed=seed).measures["rf-osa"]["distance_after"] for seed in (0, 0, 3)
    )
    assert first == again
    assert first.value == other.value
    assert first != other
