import hypothesis.strategies as st
from hypothesis import given
from rapidfuzz.distance import OSA

from speller.alignment import Step, align

WORDS = st.text("abcé", max_size=8)


@given(WORDS, WORDS)
def test_the_edits_are_the_fewest_and_make_one_word_of_the_other(written: str, meant: str) -> None:
    steps = align(written, meant)
    assert sum(step.kind != "keep" for step in steps) == OSA.distance(written, meant)
    assert "".join(step.written for step in steps) == written
    assert "".join(step.meant for step in steps) == meant


@given(WORDS, WORDS)
def test_a_step_is_what_it_is_called(written: str, meant: str) -> None:
    for step in align(written, meant):
        lengths = len(step.written), len(step.meant)
        assert lengths == {"drop": (1, 0), "add": (0, 1), "swap": (2, 2)}.get(step.kind, (1, 1))
        assert (step.written == step.meant) == (step.kind == "keep")
        if step.kind == "swap":
            assert step.written == step.meant[::-1]


def test_letter_case_is_no_edit() -> None:
    assert align("LONDN", "London") == [
        Step("keep", "L", "L"),
        Step("keep", "O", "o"),
        Step("keep", "N", "n"),
        Step("keep", "D", "d"),
        Step("add", "", "o"),
        Step("keep", "N", "n"),
    ]
    assert [step.kind for step in align("’s", "'S")] == ["keep", "keep"]


def test_swapped_neighbours_and_a_missing_space() -> None:
    edits = [
        [step for step in align(*pair) if step.kind != "keep"] for pair in (("recieve", "receive"), ("alot", "a lot"))
    ]
    assert edits == [[Step("swap", "ie", "ei")], [Step("add", "", " ")]]
