import pytest

from speller.likeness import Likeness

ENGLISH = Likeness(["aeiou", "ckq", "sz"])


@pytest.mark.parametrize(
    ("one", "other"),
    [("separate", "seperete"), ("cake", "kake"), ("coffee", "kofe"), ("zoo", "so"), ("received", "recieved")],
)
def test_like_words_have_the_same_outline(one, other):
    assert ENGLISH.outline(one) == ENGLISH.outline(other)


@pytest.mark.parametrize(("one", "other"), [("bat", "pat"), ("cat", "cats"), ("on", "no")])
def test_unlike_words_do_not(one, other):
    assert ENGLISH.outline(one) != ENGLISH.outline(other)


def test_without_groups_only_repetitions_go():
    assert Likeness([]).outline("bookkeeper") == "bokeper"
    assert Likeness([]).outline("") == ""
    assert Likeness([]).outline("a\n\nb") == "a\nb"


def test_a_letter_in_two_groups_is_named():
    with pytest.raises(ValueError, match="but c in several"):
        Likeness(["ck", "sc"])


def test_many_outlines_are_those_of_each():
    words = ["acquaintance", "a", "bookkeeper", "ñandúü", "aa"]
    assert ENGLISH.outlines(words) == [ENGLISH.outline(word) for word in words]
    assert ENGLISH.outlines([]) == []
