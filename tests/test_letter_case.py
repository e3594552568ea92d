import pytest
from hypothesis import given
from hypothesis import strategies as st

from speller.letter_case import match_apostrophe, match_case


@pytest.mark.parametrize(
    ("written", "answer", "matched"),
    [
        ("recieve", "receive", "receive"),
        ("Recieve", "receive", "Receive"),
        ("RECIEVE", "receive", "RECEIVE"),
        ("REcieve", "receive", "Receive"),
        ("recIeve", "receive", "receive"),
        ("londn", "London", "London"),
        ("Londn", "London", "London"),
        ("LONDN", "London", "LONDON"),
        ("iphon", "iPhone", "iPhone"),
        ("Iphon", "iPhone", "iPhone"),
        ("IPHON", "iPhone", "IPHONE"),
        ("nassa", "NASA", "NASA"),
        ("Nassa", "NASA", "NASA"),
        ("A", "an", "An"),
        ("ALOT", "a lot", "A LOT"),
        ("Alot", "a lot", "A lot"),
        ("'Tsi", "'tis", "'Tis"),
        ("DONT", "don't", "DON'T"),
        ("ΟΔΟΣΣ", "οδος", "ΟΔΟΣ"),
        ("Ǆep", "ǆip", "ǅip"),
        ("Übr", "über", "Über"),
        ("語学", "語学書", "語学書"),
        ("123", "abc", "abc"),
        ("", "a", "a"),
        ("A", "", ""),
    ],
)
def test_match_case(written, answer, matched):
    assert match_case(written, answer) == matched


@given(st.text(), st.text())
def test_changes_nothing_but_case(written, answer):
    assert match_case(written, answer).upper().casefold() == answer.upper().casefold()


@given(st.text(st.characters(categories=["Ll", "Lo", "Nd", "Po"])), st.text())
def test_a_word_without_capitals_leaves_the_answer_as_it_is(written, answer):
    assert match_case(written, answer) == answer


@pytest.mark.parametrize(
    ("written", "answer", "matched"),
    [("dosn’t", "doesn't", "doesn’t"), ("dosn't", "doesn't", "doesn't"), ("dont", "don't", "don't"), ("’", "a", "a")],
)
def test_match_apostrophe(written, answer, matched):
    assert match_apostrophe(written, answer) == matched
