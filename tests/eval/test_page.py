import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from speller.eval import plots
from speller.eval.examples import EXAMPLES, Example, examples
from speller.eval.judge import Rows, judge
from speller.eval.metrics import Comparison, Estimate
from speller.eval.page import page
from speller.eval.report import Report
from speller.eval.systems import find_systems
from speller.train.pairs import Pair

PAIRS = {
    "essays": [Pair("recieve", "receive"), Pair("fisix", "physics"), Pair("thier", "their"), Pair("ther", "there")],
    "<notes>": [Pair("teh", "the"), Pair("recipie", "recipe"), Pair("london", "London"), Pair("rare", "rare")],
}
VOID = {"meta", "br"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def judged(corrector, *names, pairs=PAIRS, skipped=None):
    rows = Rows.of(pairs, seen=[Pair("teh", "the")])
    judgements = [judge(name, find_systems()[name](corrector), rows, load_seconds=1) for name in names]
    return Report.of(rows, judgements, skipped=skipped or {})


@pytest.fixture
def report(corrector):
    skipped = {"aspell": "the program aspell is not installed"}
    return judged(corrector, "speller", "speller-no-model", "rf-osa", skipped=skipped)


class Structure(HTMLParser):
    """What tags a page opens, that it closes them in order, and what it says."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(text):
    structure = Structure()
    structure.feed(text)
    assert structure.open == []
    return structure


def charts(text):
    return [ElementTree.fromstring(svg) for svg in re.findall(r'<svg viewBox="0 0 440 300".*?</svg>', text)]


def marks(chart, system):
    """A system's marks in a chart, as the tips that they show."""
    return [group.find("title").text for group in chart.iter("g") if group.get("class") == f"c{system}"]


def test_page_is_whole_and_needs_nothing_beside_it(report):
    text = page(report)
    structure = read(text)
    assert "<notes>" not in text
    assert "from essays, <notes>" in structure.text
    assert "aspell is left out: the program aspell is not installed." in structure.text
    assert not re.search(r"""(src|href)=|@import|url\(|<script""", text)
    policy = [attributes["content"] for _, attributes in structure.seen if "http-equiv" in attributes]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert page(report) == text


def test_page_says_what_was_measured(report):
    text = read(page(report)).text
    top1 = report.measures["speller"]["top1"].value
    assert f"speller puts {top1:.1%} of the misspellings right at the first try" in text
    assert "No different from" in text
    for heading in ("source", "edit distance", "length", "kind of error", "saw the pair", "2 valid words", "F0.5"):
        assert heading in text
    difference = report.comparisons["speller", "rf-osa"]["top1"].difference.value
    for shown in (difference, -difference):
        assert f"{shown:+.3f}".replace("-", "−") in text


def test_a_clear_difference_is_named_and_coloured(report):
    apart = Comparison(Estimate(0.2, 0.1, 0.3), 0.0001)
    clear = replace(
        report, comparisons={pair: dict.fromkeys(found, apart) for pair, found in report.comparisons.items()}
    )
    text = page(clear)
    assert re.search(
        r"20\.0 points ahead of [\w-]+, the best of the others \(95 %: 10\.0 to 30\.0; p &lt; 0\.001\)", text
    )
    top1, distance = (
        re.findall(r'<td class="(\w+)" title="(.*?) less', part) for part in text.split("Difference in")[1:]
    )
    # The first of two is better by 0.2 of top-1, and worse by 0.2 of edit distance.
    assert [kind for kind, name in top1 if name == "speller"] == ["better", "better"]
    assert [kind for kind, name in distance if name == "speller"] == ["worse", "worse"]
    assert [kind for kind, name in top1 if name == "rf-osa"] == ["worse", "worse"]
    behind = replace(apart, difference=Estimate(-0.2, -0.3, -0.1))
    worse = replace(
        report, comparisons={pair: dict.fromkeys(found, behind) for pair, found in report.comparisons.items()}
    )
    assert "20.0 points behind" in page(worse)


def test_charts_show_every_system(report):
    by_distance, histogram, reliability, threshold, speed = charts(page(report))
    for place, name in enumerate(report.measures):
        found = report.splits[name]["distance"]
        assert marks(by_distance, place) == [
            f"{name}, {part}: {each['top1'].value:.3f} ({each['top1'].low:.3f} to {each['top1'].high:.3f})"
            for part, each in found.items()
        ]
        assert len(marks(speed, place)) == 1
        assert len(marks(histogram, place)) == (7 if place else 0)
    assert [marks(reliability, place) != [] for place in range(3)] == [True, True, False]
    assert [marks(threshold, place) != [] for place in range(3)] == [True, True, False]
    bars = [bar.find("title").text for bar in histogram.iter("rect")]
    assert sum(int(tip.rpartition(" ")[2]) for tip in bars if tip.startswith("as written")) == 6
    assert bars[1] == f"speller, 0: {round(6 * report.measures['speller']['top1'].value)}"


def test_what_is_right_by_the_threshold(report):
    one = report.judgements[0]
    found = marks(charts(page(report))[3], 0)
    assert len(found) == 21
    misspelt = report.rows.misspelt
    for at, tip in zip(np.linspace(0, 1, 21), found, strict=True):
        changed = one.outcome.probability >= round(float(at), 2)
        corrected, left = np.mean((changed & (one.outcome.rank == 1))[misspelt]), np.mean(~changed[~misspelt])
        assert tip.startswith(f"speller, from {at:.2f} on: {(corrected + left) / 2:.1%} right, {corrected:.0%} of")
    only = replace(report, rows=replace(report.rows, right=[f"{word}s" for word in report.rows.wrong]))
    assert plots.right_by_threshold(only) is None


def test_marks_stand_where_their_values_are(report):
    chart = charts(page(report))[0]
    grid = {line.get("y1"): share for line, share in zip(
        (line for line in chart.iter("line") if line.get("class") == "grid"), (0, 0.25, 0.5, 0.75, 1), strict=True
    )}  # fmt: skip
    circles = [float(circle.get("cy")) for circle in chart.iter("circle")]
    found = [each["top1"] for each in report.splits["speller"]["distance"].values()]
    ends = [float(height) for height, share in grid.items() if share in (0, 1)]

    def heights(values):
        return pytest.approx([ends[0] + value * (ends[1] - ends[0]) for value in values], abs=0.1)

    assert circles == heights([each.value for each in found])
    lines = [line for line in chart.iter("line") if line.get("class") == "interval"][: len(found)]
    assert [float(line.get("y1")) for line in lines] == heights([each.low for each in found])
    assert [float(line.get("y2")) for line in lines] == heights([each.high for each in found])


def test_all_that_is_far_off_shares_a_bar(corrector):
    pairs = {"list": [Pair("z" * count, "scene") for count in (4, 5, 6, 9)]}
    bars = charts(page(judged(corrector, "speller", pairs=pairs)))[1].iter("rect")
    tips = [tip for bar in bars if (tip := bar.find("title").text).startswith("as written")]
    assert tips[4:] == ["as written, 4: 0", "as written, 5: 2", "as written, 6+: 2"]


def test_speed_is_on_a_logarithmic_axis(corrector):
    report = judged(corrector, "rf-osa", "rf-ratio", "rf-damerau")
    for name, speed in zip(report.speeds, (10, 100, 1000), strict=True):
        report.speeds[name] = replace(report.speeds[name], words_per_second=Estimate(speed, speed, speed))
    drawn = [group[1] for group in charts(page(report))[2].iter("g")]
    places = [np.mean([float(point.split(",")[0]) for point in one.get("points").split()]) for one in drawn[1:]]
    places.insert(0, float(drawn[0].get("cx")))
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=3)
    assert places[1] - places[0] > 50


def test_names_in_a_chart_cover_no_other(corrector):
    names = ["speller", "speller-no-model", "speller-beam", "rf-osa", "rf-levenshtein", "rf-damerau", "rf-ratio"]
    chart = charts(page(judged(corrector, *names)))[-1]
    boxes = []
    for text in chart.iter("text"):
        if text.get("class") == "name":
            x, width = float(text.get("x")), 6.3 * len(text.text)
            boxes.append((x - width if text.get("text-anchor") == "end" else x, width, float(text.get("y"))))
    assert len(boxes) == len(names)
    for place, (x, width, y) in enumerate(boxes):
        for other_x, other_width, other_y in boxes[:place]:
            assert abs(y - other_y) > 10 or x + width < other_x or other_x + other_width < x


def test_page_shows_telling_examples(report):
    text = page(report)
    alone, others = (
        re.sub(r"\s+", " ", part) for part in re.findall(r"<h3>(Right where.*?|Farthest.*?)</tbody>", text, re.S)
    )
    assert "<mark>cs</mark></td>" in alone
    assert '<td>0.80</td><td class="right">physics</td><td class="wrong">fix</td><td class="wrong">fix</td>' in alone
    assert "<mark>cs</mark>" not in others
    assert '<td class="wrong">' in others


def test_examples_are_the_most_telling(report):
    found = {title: rows for title, _, rows in examples(report)}
    (alone,) = found["Right where all others are wrong"]
    assert (alone.written, alone.right, alone.answers) == ("fisix", "physics", ["physics", "fix", "fix"])
    farthest = found["Farthest off"]
    off = [Levenshtein.distance(one.answers[0], one.right) for one in farthest]
    assert off == sorted(off, reverse=True)
    assert "ther" in [one.written for one in farthest]
    assert "fisix" not in [one.written for one in farthest]
    assert "Valid words that are changed" not in found


def test_examples_are_of_different_words(corrector):
    pairs = {"list": [Pair(f"zz{chr(97 + n)}", word) for n in range(8) for word in ("london", "scene")]}
    pairs["list"] += [Pair("z" * 9, corrector.lexicon.words[n]) for n in range(len(corrector.lexicon.words))]
    rows = next(
        rows for title, _, rows in examples(judged(corrector, "speller", pairs=pairs)) if title == "Farthest off"
    )
    assert len({one.right for one in rows}) == len(rows) == EXAMPLES
    off = [Levenshtein.distance(one.answers[0], one.right) for one in rows]
    assert off == sorted(off, reverse=True)
    assert off[0] > off[-1]


def test_differing_letters():
    written, right = Example("recieve", "receive", [], 0.5).differing
    marked = ["".join(letter for letter, here in zip(word, marks, strict=True) if here)
              for word, marks in (("recieve", written), ("receive", right))]  # fmt: skip
    assert sum(map(len, marked)) in (2, 4)
    assert Example("the", "the", [], 0.5).differing == ([False] * 3, [False] * 3)
    assert Example("lik", "like", [], 0.5).differing == ([False] * 3, [False, False, False, True])


def test_page_of_one_system(corrector):
    text = page(judged(corrector, "rf-osa", pairs={"essays": PAIRS["essays"]}))
    assert len(charts(text)) == 3
    for absent in ("Reliability", "Any two systems", "Sure, and wrong", "By source", "Right where all others"):
        assert absent not in text
    assert "rf-osa puts" in text


@pytest.fixture
def look(tmp_path):
    """Opens a page in Chromium and returns what it drew, ``(height, width, channels)``, and what it complained of."""
    if not CHROMIUM:
        pytest.skip("no Chromium here to look at the page with (Debian: apt-get install chromium)")

    def look(text, *options):
        (tmp_path / "page.html").write_text(text, encoding="utf-8")
        picture = tmp_path / "page.png"
        command = [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--enable-logging=stderr",
        ]
        command += [f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}", *options]
        done = subprocess.run([*command, (tmp_path / "page.html").as_uri()], capture_output=True, text=True, timeout=60)
        assert picture.exists(), done.stderr
        return matplotlib.image.imread(picture)[..., :3], [
            line for line in done.stderr.splitlines() if "CONSOLE" in line
        ]

    return look


def test_a_browser_shows_the_page(report, look):
    for options, night in (
        (("--window-size=1280,3200",), False),
        (("--window-size=500,3200", "--force-dark-mode"), True),
    ):
        drawn, complaints = look(page(report), *options)
        assert complaints == []
        assert (drawn[0, 0].mean() < 0.3) == night
        # Nothing sticks out at the right: the margin is as empty as that at the left.
        assert (drawn[:, -8:] == drawn[0, 0]).all()
        assert (drawn[:, :8] == drawn[0, 0]).all()
        # The first system's bars and marks.
        blue = np.array([0x6C, 0xB2, 0xFF] if night else [0x15, 0x65, 0xC0]) / 255
        assert (np.abs(drawn - blue).max(axis=-1) < 0.12).sum() > 500


def test_the_browser_would_complain(report, look):
    text = page(report).replace("</body>", '<img src="https://example.org/picture.png" alt="">\n</body>')
    _, complaints = look(text, "--window-size=500,500")
    assert complaints
