import base64
import io
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from rich.console import Console

from speller.eval.judge import Rows, judge
from speller.eval.page import page
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


class Structure(HTMLParser):
    """What tags a page opens, and that it closes them in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_data_hold_what_was_measured(report):
    data = json.loads(json.dumps(as_data(report), allow_nan=False))
    assert data["rows"]["misspelt"] == 6
    assert data["rows"]["valid"] == 2
    assert data["rows"]["parts"]["source"] == {"<notes>": 2, "essays": 4}
    assert data["rows"]["parts"]["seen"] == {"seen": 1, "unseen": 5}
    speller, plain, osa = data["systems"]
    assert [speller["name"], plain["name"], osa["name"]] == ["speller", "speller-no-model", "rf-osa"]
    # All but "ther", nearer to "the", and without what was learned not "fisix" either.
    assert speller["measures"]["top1"]["value"] > plain["measures"]["top1"]["value"]
    assert speller["measures"]["distance_before"]["value"] == pytest.approx((2 + 5 + 2 + 1 + 2 + 1) / 6)
    assert speller["splits"]["distance"]["3+"]["top1"] == {"value": 1, "low": 1, "high": 1}
    assert plain["splits"]["distance"]["3+"]["top1"]["value"] == 0
    assert speller["detection"]["precision"]["value"] == 1
    assert (speller["calibration"] is None, osa["calibration"] is None) == (False, True)
    assert speller["milliseconds"]["p50"] <= speller["milliseconds"]["p99"]
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
    for heading in ("source", "edit distance", "length", "kind of error", "training saw", "2 valid words"):
        assert heading in " ".join(text.split())
    assert text.startswith("6 misspellings of 6 words")
    assert len(re.findall(r"^ ?speller-no-model ", text, re.MULTILINE)) == 8


def test_tables_leave_out_what_there_is_none_of(corrector):
    rows = Rows.of({"essays": PAIRS["essays"]})
    text = text_of(Report.of(rows, [judge("speller", corrector, rows, load_seconds=1)], skipped={}))
    for heading in ("by source", "training saw", "valid words"):
        assert heading not in " ".join(text.split())
    assert "4 misspellings of 4 words" in text


def test_page_is_whole_and_needs_nothing_beside_it(report):
    text = page(report)
    structure = Structure()
    structure.feed(text)
    assert structure.open == []
    assert "<notes>" not in text
    assert "&lt;notes&gt;" in text
    assert "aspell is left out: the program aspell is not installed." in text
    assert not re.search(r"""(src|href)=["'](?!data:)|@import|url\((?!data:)""", text)
    pictures = [attributes for tag, attributes in structure.seen if tag == "img"]
    assert len(pictures) == 4
    for picture in pictures:
        svg = ElementTree.fromstring(base64.b64decode(picture["src"].partition("base64,")[2]))
        assert svg.tag.endswith("svg")
        assert picture["alt"]
    first = base64.b64decode(pictures[0]["src"].partition("base64,")[2]).decode()
    assert all(name in first for name in ("speller-no-model", "rf-osa", "3+"))


def test_page_shows_telling_examples(report):
    text = page(report)
    alone = text.partition("right where others are wrong")[2].partition("</table>")[0]
    assert '<td>fisix</td><td>physics</td><td><span class="right">physics</span></td><td>fix</td>' in alone
    farthest = text.partition("farthest off")[2].partition("</table>")[0]
    assert "<td>ther</td><td>there</td>" in farthest
    assert "rare" not in text.partition("Examples")[2]


def test_page_of_one_system(corrector):
    rows = Rows.of({"essays": PAIRS["essays"]})
    system = find_systems()["rf-osa"](corrector)
    text = page(Report.of(rows, [judge("rf-osa", system, rows, load_seconds=1)], skipped={}))
    assert "Reliability" not in text
    assert "Any two systems" not in text
    assert text.count("<img") == 3
