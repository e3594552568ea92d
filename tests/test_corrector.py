import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

import speller
from speller import Corrector


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("recieve", "receive"),
        ("Recieve", "Receive"),
        ("RECIEVE", "RECEIVE"),
        ("Definately", "Definitely"),
        ("acknowlegementt", "acknowledgement"),
        ("accomodate", "accommodate"),
        ("londn", "London"),
    ],
)
def test_a_misspelling_is_corrected_in_its_own_letter_case(english: Corrector, written: str, right: str) -> None:
    assert english.correct(written) == right == speller.correct(written)


@pytest.mark.parametrize("word", ["receive", "RECEIVE", "London", "london", "NASA", "nasa", "don't", "Don’t"])
def test_a_known_word_is_returned_as_it_is(english: Corrector, word: str) -> None:
    assert word in english.lexicon
    assert english.correct(word) == word


@pytest.mark.parametrize(
    "word", ["", " ", "24/7", "x" * 10_000, "12345", "☺", "Москва", "東京", "\udcff", "\0", "a☺b", "-", "'", "é" * 50]
)
def test_what_is_no_word_is_left_alone(english: Corrector, word: str) -> None:
    assert english.correct(word) == word
    assert isinstance(english.suggest(word), list)


@given(word=st.text(max_size=70))
def test_anything_gets_an_answer(english: Corrector, word: str) -> None:
    assert isinstance(english.correct(word), str)
    probabilities = [suggestion.probability for suggestion in english.suggest(word, 20)]
    assert all(0 <= probability <= 1 for probability in probabilities)
    assert sum(probabilities) <= 1 + 1e-9


def test_suggestions_come_by_probability_with_their_distance(english: Corrector) -> None:
    suggestions = english.suggest("fisix", 5)
    assert len(suggestions) == 5
    assert [s.probability for s in suggestions] == sorted((s.probability for s in suggestions), reverse=True)
    assert all(s.distance == Levenshtein.distance("fisix", s.word.lower()) for s in suggestions)


def test_a_known_word_comes_first_among_its_suggestions(english: Corrector) -> None:
    first, second, *_ = english.suggest("Receive")
    assert (first.word, first.distance) == ("Receive", 0)
    assert second.distance > 0


def test_a_batch_gives_what_the_words_give_alone(english: Corrector) -> None:
    words = ["recieve", "", "Definately", "receive", "recieve", "a" * 45, "teh", "24/7", "acknowlegementt", "Teh"]
    assert english.correct_many(words) == [english.correct(word) for word in words]
    for together, alone in zip(english.suggest_many(words, 3), map(english.suggest, words), strict=True):
        for one, other in zip(together, alone[:3], strict=True):
            assert one.word == other.word
            assert math.isclose(one.probability, other.probability, abs_tol=1e-4)


def test_the_threshold_decides_what_is_corrected() -> None:
    assert Corrector.load("en", min_probability=1.0).correct("recieve") == "recieve"
    assert Corrector.load("en", min_probability=0.0).correct("xqzjv") != "xqzjv"


def test_the_network_decides_something(english: Corrector) -> None:
    words = ["fisix", "buisnuss", "relavent", "enuff", "acknowlegementt", "fonetik"]
    plain = [suggestions[0].word for suggestions in english.suggest_many(words, 1, depth="plain")]
    both = [suggestions[0].word for suggestions in english.suggest_many(words, 1)]
    assert plain != both


def test_bad_options_are_refused(english: Corrector) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Corrector.load("en", min_probability=2)
    with pytest.raises(ValueError, match="at least 1"):
        english.suggest("recieve", 0)
    with pytest.raises(ValueError, match="no-such-model"):
        Corrector.load("no-such-model")
