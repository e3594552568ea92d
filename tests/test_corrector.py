import math
import random
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

import speller
from speller import Corrector, Suggestion
from speller.bundle import Bundle
from speller.corrector import AT_ONCE


def assert_alike(found: list[list[Suggestion]], expected: list[list[Suggestion]]) -> None:
    for suggestions, others in zip(found, expected, strict=True):
        assert [(each.word, each.distance) for each in suggestions] == [(each.word, each.distance) for each in others]
        for one, other in zip(suggestions, others, strict=True):
            assert math.isclose(one.probability, other.probability, abs_tol=1e-4)


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
    assert_alike(english.suggest_many(words, 3), [english.suggest(word)[:3] for word in words])


@pytest.fixture
def written() -> list[str]:
    """Words in more than three batches."""
    draw = random.Random(2)
    return list({"".join(draw.choices("abcdé☺", k=draw.randint(1, 8))) for _ in range(4 * AT_ONCE)})[: 3 * AT_ONCE + 2]


@pytest.fixture
def switching() -> Iterator[None]:
    """Lets threads take turns as often as can be."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_many_words_are_looked_at_on_threads_and_get_what_each_gets_alone(
    table_bundle: Bundle, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    corrector = Corrector(table_bundle)
    alone = [corrector.suggest(word, 3) for word in written]
    on, rank = [], corrector._rank

    def watched(words: list[str], **options: object) -> object:
        on.append((threading.current_thread(), len(words)))
        return rank(words, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(corrector, "_rank", watched)
    assert_alike(corrector.suggest_many(written, 3), alone)
    assert sorted(count for _, count in on) == [2, AT_ONCE, AT_ONCE, AT_ONCE]
    assert threading.main_thread() not in {thread for thread, _ in on}
    on.clear()
    assert_alike(corrector.suggest_many(written[:AT_ONCE], 3), alone[:AT_ONCE])
    assert on == [(threading.main_thread(), AT_ONCE)]  # a single batch needs no other


@pytest.mark.usefixtures("switching")
def test_threads_that_each_look_at_many_words_get_the_answers_of_one(
    table_bundle: Bundle, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # It remembers so little that one thread would forget what another one still needs.
    monkeypatch.setattr("speller.beginnings.CAPACITY", 20)
    monkeypatch.setattr("speller.candidates.READERS", 3)
    monkeypatch.setattr("speller.corrector.READERS", 3)
    corrector = Corrector(table_bundle)
    lists = [written[start :: 2 + start % 2] for start in range(8)]
    expected = [corrector.suggest_many(some, 3) for some in lists]
    with ThreadPoolExecutor(8) as threads:
        found = threads.map(lambda some: corrector.suggest_many(some, 3), lists)
        for together, alone in zip(found, expected, strict=True):
            assert_alike(together, alone)


def test_several_threads_get_the_answers_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    # It remembers so little that one thread would forget what another one still needs.
    monkeypatch.setattr("speller.beginnings.CAPACITY", 50)
    corrector = Corrector.load("en")
    words = ["recieve", "fisix", "wierd", "enuff", "buisnuss", "relavent", "definately", "teh", "acknowlegementt"]
    lists = [[words[(start + 2 * step) % len(words)] for step in range(4)] for start in range(8)]
    expected = [corrector.suggest_many(some, 3) for some in lists]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            found = pool.map(lambda some: corrector.suggest_many(some, 3), lists)
            for together, alone in zip(found, expected, strict=True):
                assert_alike(together, alone)


def test_the_threshold_decides_what_is_corrected() -> None:
    assert Corrector.load("en", min_probability=1.0).correct("recieve") == "recieve"
    assert Corrector.load("en", min_probability=0.0).correct("xqzjv") != "xqzjv"


def test_the_network_decides_something(english: Corrector) -> None:
    words = ["fisix", "buisnuss", "relavent", "enuff", "acknowlegementt", "fonetik"]
    plain = [suggestions[0].word for suggestions in english.suggest_many(words, 1, depth="plain")]
    full = [suggestions[0].word for suggestions in english.suggest_many(words, 1)]
    assert plain != full


def test_bad_options_are_refused(english: Corrector) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Corrector.load("en", min_probability=2)
    with pytest.raises(ValueError, match="at least 1"):
        english.suggest("recieve", 0)
    with pytest.raises(ValueError, match="no-such-model"):
        Corrector.load("no-such-model")
