import re
import unicodedata

import numpy as np
import pytest

from speller import Corrector
from speller.alignment import Step
from speller.commands.explanation_text import edits_of, for_people, legend, named, said, shown
from speller.explanation import GROUPS, MEANINGS, explain

ESCAPE = re.compile(r"\x1b\[[\d;]*m")


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


def test_edits_stand_under_the_letters_that_they_change(english: Corrector) -> None:
    lines = for_people(explain(english, "recieve")).splitlines()
    assert lines[0].startswith("recieve: corrected to receive, 0.")
    written, instead, marks, told = lines[2:6]
    assert [line.split() for line in (written, instead)] == [["written", *"recieve"], ["instead", *"receive"]]
    assert [written[place] for place, mark in enumerate(marks) if mark == "x"] == ["i", "e"]
    assert told.strip() == "1 edit: ei swapped"


def test_edits_in_words() -> None:
    steps = [("replace", "a", "i"), ("drop", "l", ""), ("add", "", "é"), ("swap", "ie", "ei"), ("add", "", " ")]
    assert [said(Step(*step)) for step in steps] == [  # type: ignore[arg-type]
        "a for i",
        "l too many",
        "é missing",
        "ei swapped",
        "a space missing",
    ]
    assert edits_of([Step("keep", "a", "a"), Step("drop", "b", ""), Step("drop", "c", "")]) == (
        "2 edits: b too many, c too many"
    )
    assert edits_of([Step("keep", "a", "a")]) == "no edit"


def test_a_candidate_has_its_points_on_a_line(english: Corrector) -> None:
    explanation = explain(english, "recieve")
    lines = for_people(explanation).splitlines()
    head = next(place for place, line in enumerate(lines) if line.startswith("  candidates"))
    assert lines[head].split()[1:] == ["probable", "score", *GROUPS]
    for line, candidate, leads in zip(lines[head + 1 :], explanation.candidates, explanation.leads(), strict=False):
        figures = line.split()[-2 - len(GROUPS) :]
        assert float(figures[0]) == pytest.approx(candidate.probability, abs=6e-4)
        found = [0.0 if figure == "·" else float(figure) for figure in figures[1:]]
        assert found == pytest.approx(list(leads.values()), abs=0.06)
    assert any(line.startswith("  as written") for line in lines)


def test_colours_change_nothing_but_colours(english: Corrector) -> None:
    explanation = explain(english, "recieve", attribute=lambda written, _: np.linspace(-1, 1, len(written)))
    plain, coloured = (for_people(explanation, color=color) for color in (False, True))
    assert not ESCAPE.search(plain)
    assert [line.rstrip() for line in ESCAPE.sub("", coloured).splitlines()] == plain.splitlines()
    for style in ("\x1b[36m\x1b[1mi", "\x1b[32m", "\x1b[31m", "\x1b[34m"):
        assert style in coloured
    assert ESCAPE.sub("", legend([explanation], color=True)) == legend([explanation])
    assert set(MEANINGS) <= set(legend([explanation]).split())
    assert legend([explain(english, "")]) == ""


@pytest.mark.parametrize("word", ["recieve", "a" * 40, "中文字", "\x1b[31m\u202e", "\udcff", "a\tb", "cafe\u0301e"])
@pytest.mark.parametrize("width", [60, 80, 130])
def test_nothing_is_wider_than_the_screen_or_meddles_with_it(english: Corrector, word: str, width: int) -> None:
    explanation = explain(english, word, attribute=lambda written, _: np.ones(len(written)))
    text = for_people(explanation, width=width)
    assert all(line.isprintable() for line in text.splitlines())
    ours = ("written", "instead", "attention", "attribution", "reading", "reverse")
    lines = [line for line in text.splitlines() if line.strip().startswith(ours)]
    assert len(lines) >= 6
    assert max(map(columns, lines)) <= width
    shares = [float(share) for line in text.splitlines() for share in re.findall(r"(\d+)%", line)]
    assert len(shares) == len(explanation.decision.letters) + 1 if explanation.decision else False
    assert sum(shares) == pytest.approx(100, abs=0.5 * len(shares))


def test_the_highest_bar_is_that_of_the_largest_figure(english: Corrector) -> None:
    text = for_people(explain(english, "recieve", attribute=lambda written, _: np.array([0.0, 99, 0, 0, -50, 0, 0])))
    bars, figures = re.search(r"^  attribution  (.*)\n(.*)$", text, re.M).groups()  # type: ignore[union-attr]
    assert bars.split()[:2] == ["███", "▄▄▄"]
    assert [round(float(figures.split()[place]), -1) for place in (1, 4)] == [100, -50]


def test_without_attribution_the_reverse_reading_is_drawn(english: Corrector) -> None:
    text = for_people(explain(english, "recieve"))
    assert "attribution" not in text
    assert "reading " not in text.partition("letters that decide")[2]
    assert re.search("^  reverse .*█", text, re.M)


def test_nothing_and_no_word_are_told_in_a_line(english: Corrector) -> None:
    assert for_people(explain(english, "")) == "'': nothing was written\n"
    told = for_people(explain(english, "a" * 100_000))
    assert told.endswith("…: too long for a word, left as it is\n")
    assert len(told) < 100
    assert (shown("a b\x00"), named("a b\x00")) == ("a␣b�", "a b�")
