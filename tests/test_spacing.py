import math

import pytest

from speller import Corrector
from speller.attested import Attestation
from speller.lexicon import Lexicon
from speller.spacing import (
    JOIN_FEATURES,
    SPLIT_FEATURES,
    Spacing,
    beside,
    join_features,
    join_place,
    split_features,
    split_places,
)

WEIGHTS = dict.fromkeys((*SPLIT_FEATURES, *JOIN_FEATURES), 1.0)


@pytest.fixture
def lexicon() -> Lexicon:
    words = {"a": 7, "lot": 5, "alo": 2, "t": 0, "London": 4, "in": 7.2, "together": 5.5, "to": 7.3, "don't": 5}
    return Lexicon.build(words, attestations={"a lot": Attestation(zipf=5.7)})


def pairs(word, lexicon):
    return [(lexicon.words[first], lexicon.words[second]) for first, second in split_places(word, lexicon)]


def test_a_word_is_split_in_offered_words_of_letters(lexicon):
    assert pairs("alot", lexicon) == [("a", "lot")]  # "t" is not offered
    assert pairs("inlondon", lexicon) == [("in", "london")]
    for word in ("", "a", "lot", "indon't", "inxyz", "in lot"):
        assert pairs(word, lexicon) == []


def test_neighbours_that_were_counted_are_as_frequent_as_that(lexicon):
    a, lot, to = (lexicon.index(word) for word in ("a", "lot", "to"))
    assert split_features(a, lot, lexicon, 3.5) == (1, pytest.approx(5.7), 1)
    assert split_features(lot, a, lexicon, 3.5) == (1, pytest.approx(3), 0)  # 5 + 7 - 9
    assert split_features(a, to, lexicon, 3.5) == (1, 3.5, 0)  # 7 + 7.3 - 9: it would have been counted


def test_splits_are_scored_and_keep_their_usual_case(lexicon):
    spacing = Spacing(WEIGHTS | {"split": -2, "split-frequency": 3}, 9.0)
    assert spacing.splits("inlondon", lexicon) == [("in London", pytest.approx(-2 + 3 * (7.2 + 4 - 9)))]
    assert spacing.splits("together", lexicon) == []


def test_joins(lexicon):
    spacing = Spacing(WEIGHTS | {"join": -1, "join-frequency": 2, "join-neighbour": 0.5}, 9.0)
    together, lot = lexicon.index("together"), lexicon.index("lot")
    assert join_place("to", "gether", lexicon) == together
    assert join_features(together, "to", lexicon) == (1, 5.5, pytest.approx(7.3))
    assert spacing.join("to", "gether", "to", lexicon) == ("together", pytest.approx(-1 + 11 + 0.5 * 7.3))
    assert spacing.join("lo", "t", "t", lexicon) == ("lot", pytest.approx(-1 + 2 * lexicon.zipf[lot]))
    assert spacing.join("don'", "t", "t", lexicon) is None
    assert spacing.join("toge", "thar", "toge", lexicon) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("put to gether", [("to")]),
        ("to gether", ["to"]),
        ("gether", []),
        ("to  gether", []),
        ("to\ngether", []),
        ("to gether all", ["to", "all"]),
        ("(to gether all)", ["to", "all"]),
        ("x/to gether", []),
        ("#to gether", []),
        ("gether all/x", []),
        ("gether all.com", []),
        ("gether all.", ["all"]),
        ("gether don't", []),
        ("gether 2nd", []),
        ("a" * 40 + " gether", ["a" * 40]),
        ("a" * 41 + " gether " + "b" * 41, []),
    ],
)
def test_words_beside_another(text, found):
    start = text.index("gether")
    assert [text[slice(*place)] for place in beside(text, start, start + 6)] == found


def test_refuses_weights_of_other_features():
    with pytest.raises(ValueError, match=r"the spacing has the weights split, split-frequency, .*, not split$"):
        Spacing({"split": 1.0}, 9.0)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("alot", "a lot"), ("Alot", "A lot"), ("inthe", "in the"), ("ofthe", "of the"), ("INTHE", "IN THE"),
        ("atleast", "at least"), ("aswell", "as well"), ("eachother", "each other"), ("everytime", "every time"),
        ("alright", "alright"), ("recieve", "receive"), ("keyserver", "keyserver"), ("edgebox", "edgebox"),
    ],
)  # fmt: skip
def test_english_words_run_together(english: Corrector, written, meant):
    assert english.correct(written) == meant


def test_a_split_competes_with_single_words(english: Corrector):
    suggestions = english.suggest("alot", 5)
    assert suggestions[0].word == "a lot"
    assert suggestions[0].distance == 1
    assert {"lot", "allot"} & {suggestion.word for suggestion in suggestions}
    assert 0.9 < math.fsum(suggestion.probability for suggestion in suggestions) <= 1


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("We put it to gether.", "We put it together."),
        ("To gether we stand", "Together we stand"),
        ("It is im portant to me", "It is important to me"),
        ("We go with out it and may be to night.", "We go with out it and may be to night."),
        ("I like it alot, inthe end.", "I like it a lot, in the end."),
        ("see x/to gether", "see x/to gether"),
    ],
)
def test_spaces_in_running_text(english: Corrector, text, corrected):
    assert english.correct_text(text) == corrected


def test_a_join_is_one_edit_over_both_words(english: Corrector):
    (edit,) = english.edits("all to gether now")
    assert (edit.start, edit.end, edit.wrong, edit.replacement) == (4, 13, "to gether", "together")
    (edit,) = english.edits("a diffe rence")
    assert (edit.wrong, edit.replacement, len(edit.suggestions)) == ("diffe rence", "difference", 1)
