"""Whatever a text is made of: no exception, no hang, no character changed outside an edit."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speller import Corrector, Edit

ANYTHING = st.text(st.characters(), max_size=12)  # lone surrogates and control characters among them
WRITTEN = r"""recieve Wierd TEH teh’s dosn't well-knwon Srinivasan iPhnoe the a I end. https://recieve.com me@wierd.com
`teh` `` ``` <b> </b> < > [teh]( ) ( wierd( ${teh} $( #teh @teh /usr/teh ./teh teh/wrod teh_wrod tehWrod --teh &teh;
teh=wrod 10 kmh 3rd 1990s XIV viii URLs -- - — … ' ’ “ ” é مرحبا 東京 Москва ☺ 👩‍👩‍👧 İ ß ŉ ﬁ ǆ"""
PIECES = st.sampled_from(
    [*WRITTEN.split(), "e\u0301", "\u0301", "\xad", "\u200d", "\u202e", "\udcff", "\0", "\x1b[31m"]
)
SPACE = st.sampled_from([" ", "", "\n", "\r\n", "\r", "\t", "\xa0", "\x85", "\u2028", "  ", "\x1c"])
TEXTS = st.lists(st.one_of(PIECES, PIECES, SPACE, SPACE, ANYTHING), max_size=30).map("".join)


def applied(text: str, edits: list[Edit]) -> str:
    """The text with the edits made, from the last to the first."""
    for edit in reversed(edits):
        text = text[: edit.start] + edit.replacement + text[edit.end :]
    return text


@settings(max_examples=300)
@given(text=TEXTS)
def test_edits_are_in_order_apart_and_all_that_changes(english: Corrector, text: str) -> None:
    edits = english.edits(text)
    places = [place for edit in edits for place in (edit.start, edit.end)]
    assert places == sorted(places)
    for edit in edits:
        assert edit.wrong == text[edit.start : edit.end] != edit.replacement
        assert len(edit.wrong.splitlines()) == 1
        probabilities = [suggestion.probability for suggestion in edit.suggestions]
        assert probabilities == sorted(probabilities, reverse=True)
        assert probabilities[0] >= english.min_probability
    assert english.correct_text(text) == applied(text, edits)


@settings(max_examples=300)
@given(text=TEXTS)
def test_a_text_may_be_cut_at_its_line_ends(english: Corrector, text: str) -> None:
    corrected = english.correct_text(text)
    assert corrected == "\n".join(map(english.correct_text, text.split("\n")))
    assert corrected == "".join(map(english.correct_text, text.splitlines(keepends=True)))


@settings(max_examples=300)
@given(text=TEXTS, before=TEXTS)
def test_what_was_read_before_changes_nothing(english: Corrector, text: str, before: str) -> None:
    fresh = Corrector(english.bundle)
    fresh._knowledge._answers = english._knowledge._answers  # the search is not what is tested here
    expected = fresh.edits(text)
    for chunk in (before + text).split():
        fresh.edits(chunk)
    fresh.edits(before)
    assert fresh.edits(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "x" * 100_000,
        "recieve" * 20_000,
        "a\u0323\u0301" * 50_000,
        "\u0323\u0301" * 50_000,
        "東" * 100_000,
        "\udcff" * 100_000,
        "\u202eمرحبا " * 20_000,
        "teh " * 30_000,
        "the" + " " * 100_000 + "teh",
        "`" * 100_000,
        "<b " * 30_000,
        "'" * 100_000,
        "a-" * 50_000,
        "Teh " * 30_000,
        "TEH'S " * 20_000,
        "http://" * 15_000,
        "(" * 100_000 + "teh" + ")" * 100_000,
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_long_texts_take_no_longer_than_their_length_tells(english: Corrector, text: str) -> None:
    start = time.process_time()
    english.correct_text(text)
    english.correct_many([text])
    english.suggest(text)
    assert time.process_time() - start < 3  # 10 microseconds a character, and what a busy machine adds


def test_what_is_remembered_is_bounded(english: Corrector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speller.knowledge.ANSWERS", 50)
    monkeypatch.setattr("speller.knowledge.CHUNKS", 100)
    corrector = Corrector(english.bundle)
    for number in range(300):
        corrector.edits(f"the{number} {number} {'x' * 33}{number} (see,{number})")
    assert len(corrector._knowledge._passed) <= 100
    assert all(len(chunk) <= 32 for chunk in corrector._knowledge._passed)
    corrector.correct_many([first + second + "qz" for first in "abcdefghijkl" for second in "abcdefghijkl"])
    assert len(corrector._knowledge._answers) == 50
