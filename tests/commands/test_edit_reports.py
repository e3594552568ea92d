import difflib
import re

from hypothesis import given
from hypothesis import strategies as st

from speller.commands.difference import CONTEXT, Difference
from speller.commands.edit_reports import Corrected, Listed, Place, applied
from speller.corrector import Edit, Suggestion

PIECES = st.lists(st.text("ab\n\r", min_size=1, max_size=12), max_size=12)


def edits_of(text: str) -> list[Edit]:
    """Every "b" is wrong, and "XY" is right."""
    return [Edit(found.start(), found.end(), "b", [Suggestion("XY", 1.0, 2)]) for found in re.finditer("b", text)]


@given(PIECES)
def test_the_corrected_text_is_the_text_with_its_edits(texts: list[str]) -> None:
    written: list[str] = []
    report = Corrected(written.append)
    for text in texts:
        report.take(text, edits_of(text))
    report.finish()
    assert "".join(written) == "".join(texts).replace("b", "XY")


@given(PIECES)
def test_a_place_is_where_an_editor_shows_it(texts: list[str]) -> None:
    place = Place()
    passed = ""
    for text in texts:
        if passed.endswith("\r") and text.startswith("\n"):
            continue
        place.pass_over(text)
        passed += text
        lines = passed.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert (place.line, place.column, place.offset) == (len(lines), len(lines[-1]) + 1, len(passed))


def test_a_byte_order_mark_has_no_place() -> None:
    place = Place()
    place.pass_over("\ufeff")
    assert (place.line, place.column, place.offset) == (1, 1, 0)


def test_edits_are_listed_with_their_places() -> None:
    written: list[str] = []
    report = Listed("file", written.append, as_json=False)
    for text in ("a\nab", "b\n"):
        report.take(text, edits_of(text))
    assert "".join(written) == "file:2:2: b -> XY\nfile:2:3: b -> XY\n"


def difference(texts: list[str]) -> str:
    written: list[str] = []
    report = Difference("file", written.append, coloured=False)
    for text in texts:
        report.take(text, edits_of(text))
    report.finish()
    return "".join(written)


LINES = st.lists(st.sampled_from(["a\n", "a\n", "a\n", "a\n", "b\n", "a\r\n", "", "c"]), max_size=60)


@given(LINES)
def test_a_difference_is_difflibs(texts: list[str]) -> None:
    text = "".join(texts)
    before, after = (re.findall(".*\n|.+$", side) for side in (text, applied(text, edits_of(text))))
    told = difflib.unified_diff(before, after, "a/file", "b/file", n=CONTEXT)
    expected = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in told)
    assert difference(texts) == expected


def test_a_long_text_with_few_edits_is_shown_in_little_memory() -> None:
    report = Difference("file", lambda _: None, coloured=False)
    for _ in range(200):
        report.take("a\n" * 50 + "b\n", edits_of("a\n" * 50 + "b\n"))
    assert len(report._hunk) <= 2 * CONTEXT + 1


def test_a_difference_is_coloured_for_a_terminal() -> None:
    written: list[str] = []
    report = Difference("file", written.append, coloured=True)
    report.take("b\n", edits_of("b\n"))
    report.finish()
    assert "\x1b[31m-b\x1b[0m\n\x1b[32m+XY\x1b[0m\n" in "".join(written)
