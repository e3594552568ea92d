import math
import random
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

import speller
from speller import Corrector, Suggestion
from speller.breadth import SEVERAL
from speller.bundle import Bundle
from speller.corrector import _with_stem
from speller.knowledge import Answer

AT_ONCE = SEVERAL.together
"""How many words make a batch, where several suggestions are wanted."""


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
    words = {"".join(draw.choices("abcdé☺", k=draw.randint(1, 8))) for _ in range(6 * AT_ONCE)}
    return sorted(words)[: 3 * AT_ONCE + 2]


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
    alone = [Corrector(table_bundle).suggest(word, 3) for word in written]
    corrector = Corrector(table_bundle)
    on, rank, meeting = [], corrector._knowledge._rank, threading.Barrier(2, timeout=30)

    def watched(words: list[str], *options: object) -> object:
        on.append((threading.current_thread(), len(words)))
        if sum(thread is threading.current_thread() for thread, _ in on) == 1:
            meeting.wait()
        return rank(words, *options)  # type: ignore[arg-type]

    monkeypatch.setattr("speller.knowledge.READERS", 2)
    monkeypatch.setattr(corrector._knowledge, "_rank", watched)
    assert_alike(corrector.suggest_many(written, 3), alone)
    # Of 26, two threads take 8 at most: in two turns each, all about as long.
    assert sorted(count for _, count in on) == [5, 7, 7, 7]
    assert len({thread for thread, _ in on}) == 2
    assert threading.main_thread() in {thread for thread, _ in on}
    meeting = threading.Barrier(1)
    on.clear()
    assert_alike(corrector.suggest_many(written, 3), alone)
    assert not on  # remembered
    assert_alike(
        corrector.suggest_many(written[:AT_ONCE], 6),
        [Corrector(table_bundle).suggest(word, 6) for word in written[:AT_ONCE]],
    )
    assert on == [(threading.main_thread(), AT_ONCE)]  # so few need no other thread


@pytest.mark.parametrize("meant", [(), (("a lot", 0.1 + 0.2),), (("naïve", 0.5), ("Kubernetes", 5e-324))])
def test_an_answer_holds_what_it_was_given(meant: tuple[tuple[str, float], ...]) -> None:
    assert Answer(meant).meant == meant


def test_after_an_error_no_thread_goes_on(
    table_bundle: Bundle, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    corrector = Corrector(table_bundle)
    meeting, ranked, failed = threading.Barrier(2, timeout=30), [], threading.Event()

    def interrupted(words: list[str], *_: object) -> object:
        if not ranked and not failed.is_set():
            meeting.wait()
        if threading.current_thread() is threading.main_thread():
            failed.set()
            raise KeyboardInterrupt
        assert failed.wait(30)
        time.sleep(0.2)
        ranked.append(words)
        return [Answer()] * len(words)

    monkeypatch.setattr("speller.knowledge.READERS", 2)
    monkeypatch.setattr(corrector._knowledge, "_rank", interrupted)
    with pytest.raises(KeyboardInterrupt):
        corrector.suggest_many(written, 3)
    assert len(ranked) == 1  # what was under way, of four


@pytest.mark.usefixtures("switching")
def test_threads_that_each_look_at_many_words_get_the_answers_of_one(
    table_bundle: Bundle, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # It remembers so little that one thread would forget what another one still needs.
    monkeypatch.setattr("speller.beginnings.CAPACITY", 20)
    monkeypatch.setattr("speller.candidates.READERS", 3)
    monkeypatch.setattr("speller.knowledge.READERS", 3)
    corrector = Corrector(table_bundle)
    lists = [written[start :: 2 + start % 2] for start in range(8)]
    expected = [Corrector(table_bundle).suggest_many(some, 3) for some in lists]
    with ThreadPoolExecutor(8) as threads:
        found = threads.map(lambda some: corrector.suggest_many(some, 3), lists)
        for together, alone in zip(found, expected, strict=True):
            assert_alike(together, alone)


def test_several_threads_get_the_answers_of_one(monkeypatch: pytest.MonkeyPatch, english: Corrector) -> None:
    # It remembers so little that one thread would forget what another one still needs.
    monkeypatch.setattr("speller.beginnings.CAPACITY", 50)
    monkeypatch.setattr("speller.knowledge.ANSWERS", 3)
    monkeypatch.setattr("speller.knowledge.CHUNKS", 3)
    corrector = Corrector(english.bundle)
    words = ["recieve", "fisix", "wierd", "enuff", "buisnuss", "relavent", "definately", "teh", "acknowlegementt"]
    lists = [[words[(start + 2 * step) % len(words)] for step in range(4)] for start in range(8)]
    texts = [f"Some {' and '.join(some)}\nof them" for some in lists]
    expected = [english.suggest_many(some, 3) for some in lists]
    corrected = [english.correct_text(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            found = pool.map(lambda some: corrector.suggest_many(some, 3), lists)
            for together, alone in zip(found, expected, strict=True):
                assert_alike(together, alone)
            assert list(pool.map(corrector.correct_text, texts)) == corrected


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
    with pytest.raises(ValueError, match="at least 1"):
        english.edits("recieve", 0)


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("Teh qick brown fox, see https://recieve.com", "The quick brown fox, see https://recieve.com"),
        ("24/7, awesome!", "24/7, awesome!"),
        ("NASA and the iPhone of Srinivasan", "NASA and the iPhone of Srinivasan"),
        ("Hello, Wrold! TEH end.", "Hello, World! THE end."),
        ("I dosn’t recieve's", "I doesn’t receive's"),
        ("A well-knwon, 10-yaer-old tihng.", "A well-known, 10-year-old thing."),
        ("“Teh *wierd* (recieved)…”", "“The *weird* (received)…”"),
        ("<p>Teh wrold</p>&nbsp;`teh wrold`", "<p>The world</p>&nbsp;`teh wrold`"),
        ("mail recieve@recieve.com\tat /usr/recieve\r\n", "mail recieve@recieve.com\tat /usr/recieve\r\n"),
        ("#recieve @recieve snake_recieve recieveFoo $RECIEVE", "#recieve @recieve snake_recieve recieveFoo $RECIEVE"),
        ("Die Kühlschränke sind höher als der Wirkungsgrad", "Die Kühlschränke sind höher als der Wirkungsgrad"),
        ("He has Weltschmertz on a Wenesday.", "He has Weltschmertz on a Wednesday."),
        ("With the soup we had a cafè au lait", "With the soup we had a café au lait"),
        (
            "Lorem ipsum dolor sit amet, consectetur elit, incididunt",
            "Lorem ipsum dolor sit amet, consectetur elit, incididunt",
        ),
        ("Churchills and Raphaël", "Churchills and Raphaël"),
        ("Привет, мир! 你好，世界 שלום", "Привет, мир! 你好，世界 שלום"),
        ("", ""),
    ],
)
def test_a_text_is_corrected_and_all_else_is_left_alone(english: Corrector, written: str, right: str) -> None:
    assert english.correct_text(written) == right


def test_edits_say_where_and_what(english: Corrector) -> None:
    text = "Is teh\r\n☺ “Wierd” thing's colour"
    edits = english.edits(text, 2)
    assert [(edit.start, edit.end, edit.wrong, edit.replacement) for edit in edits] == [
        (3, 6, "teh", "the"),
        (11, 16, "Wierd", "Weird"),
    ]
    assert all(text[edit.start : edit.end] == edit.wrong for edit in edits)
    assert [len(edit.suggestions) for edit in edits] == [2, 2]
    for edit in edits:
        assert 1 > edit.suggestions[0].probability > edit.suggestions[1].probability > 0
    assert [edit.suggestions[:1] for edit in edits] == [edit.suggestions for edit in english.edits(text, 1)]
    assert edits[0].suggestions[0].distance == 2


def test_an_apostrophe_stays() -> None:
    whole = [Suggestion("receives", 0.5, 3), Suggestion("receiver's", 0.1, 3)]
    found = _with_stem("recieve’s", slice(0, 7), whole, [Suggestion("receive", 0.4, 2)])
    assert [(each.word, each.probability) for each in found] == [("receive’s", 0.4), ("receiver's", 0.1)]


def test_a_text_leaves_more_alone_than_a_list_and_a_name_more_than_a_word(english: Corrector) -> None:
    (alone,) = english.suggest("wenesday", 1)
    (word,) = english.edits("a wenesday", 1)
    (name,) = english.edits("a Wenesday", 1)
    assert alone.probability > word.suggestions[0].probability > name.suggestions[0].probability


@pytest.mark.parametrize(
    "text",
    [
        "he mis-judged it",
        "see umount(8) for more",
        "rather “concious” than this",
        "a    concious    b",
        "x = concious + 1",
    ],
)
def test_a_term_is_left_alone_where_the_same_word_is_corrected_elsewhere(english: Corrector, text: str) -> None:
    assert english.correct_text(text) == text
    assert english.correct_text("rather a concious than this") == "rather a conscious than this"


def test_in_a_text_a_frequent_word_is_rather_meant_than_a_rare_one(english: Corrector) -> None:
    knowledge = english._knowledge
    alone = Answer((("obelisk", 0.3), ("people", 0.3), ("a lot", 0.2)), 0.1, 2.0)
    meant = dict(knowledge.in_text(alone, doubt=1.0).meant)
    assert meant["people"] > 0.3 > meant["obelisk"]
    assert meant["a lot"] > 0.2
    doubted = knowledge.in_text(alone, doubt=10.0)
    assert dict(doubted.meant)["people"] < meant["people"]
    assert doubted.as_written > 0.1
    assert sum(probability for _, probability in doubted.meant) + doubted.as_written <= 1
    assert knowledge.in_text(Answer(), doubt=10.0).as_written == 1


def test_what_is_corrected_does_not_hang_on_how_many_suggestions_are_asked_for(english: Corrector) -> None:
    text = "a fisix enuff wierd thign, tge buisnuss of obelsk"
    few, many = english.edits(text, 1), english.edits(text, 20)
    assert [(edit.start, edit.replacement) for edit in few] == [(edit.start, edit.replacement) for edit in many]
    for one, other in zip(few, many, strict=True):
        assert math.isclose(one.suggestions[0].probability, other.suggestions[0].probability, abs_tol=1e-4)


NAMES = """Xiaomi Huawei Figma Grafana Duolingo Zendaya Guterres Zelenskyy Mbappé Haaland Buttigieg Okonkwo Nwosu
Adeyemi Chukwuemeka Thiruvananthapuram Bengaluru Wojciechowski Szczepan Hrvoje Eyjafjallajökull Reykjanes
Saoirse Caoimhe Aoife Takahashi Yamaguchi Rashtrapati Venmo Zillow Shopify Fitbit Nespresso Vercel Supabase
Postgres Pydantic FastAPI Numba Plotly Ansible Nginx Lyft Airbnb Feuerbach Ampelkoalition Zugspitze Ozempic
Paxlovid Atorvastatin"""


def test_names_that_no_list_holds_are_left_alone(english: Corrector) -> None:
    names = NAMES.split()
    assert len(names) == 50
    assert not any(name in english.lexicon for name in names)
    places = {"{} was named again.": 47, "Again they named {} here.": 50, "Ask Mr. {} about it.": 50}
    for place, left_alone in places.items():
        assert sum(not english.edits(place.format(name)) for name in names) >= left_alone


def test_what_is_corrected_stays_so(english: Corrector) -> None:
    text = """Yesturday I recieved an intresting leter from my freind Jhon, wich I beleive was writen becuase of teh
goverment’s descision to acomodate thier neigbours. It dosn't realy mater: the committe’s adress is on teh envelope."""
    corrected = english.correct_text(text)
    assert sum(edit.wrong not in corrected.split() for edit in english.edits(text)) >= 15
    assert english.correct_text(corrected) == corrected


def test_added_words_are_known_and_offered(english: Corrector) -> None:
    corrector = Corrector(english.bundle)
    text = "Kubernets and kubectl run C++11 on well-knwon, said Srinivasn"
    assert corrector.correct_text(text) == text.replace("knwon", "known")
    assert corrector.correct("kubectl") == "kubectl"
    corrector.add_words({"Kubernetes": 4.2, "kubectl": 3})
    corrector.add_words(["Srinivasan", "C++11", "well-knwon", "日本"])
    assert corrector.correct_text(text) == "Kubernetes and kubectl run C++11 on well-knwon, said Srinivasan"
    assert "kubernetes" in corrector.lexicon
    assert corrector.suggest("kubectl", 1)[0].word == "kubectl"
    assert "Kubernetes" not in english.lexicon
    assert_alike(corrector.suggest_many(["recieve"], 3), english.suggest_many(["recieve"], 3))


def test_removed_words_are_neither_known_nor_offered(english: Corrector) -> None:
    corrector = Corrector(english.bundle)
    assert corrector.correct_text("to receive it recieve") == "to receive it receive"
    corrector.remove_words(["RECEIVE", "neverknown"])
    assert "receive" not in corrector.lexicon
    assert all(suggestion.word != "receive" for suggestion in corrector.suggest("recieve", 20))
    corrector.add_words({"receive": float(english.lexicon.zipf[english.lexicon.index("receive")])})
    assert corrector.correct_text("to receive it recieve") == "to receive it receive"
    assert_alike(corrector.suggest_many(["recieve", "fisix"], 3), english.suggest_many(["recieve", "fisix"], 3))


def test_bad_words_are_refused_and_change_nothing(english: Corrector) -> None:
    corrector = Corrector(english.bundle)
    for words in ([""], ["two words"], {"word": -1.0}):
        with pytest.raises(ValueError, match=r"lexicon's word|frequency"):
            corrector.add_words(words)
    assert corrector.lexicon is english.bundle.lexicon
    corrector.add_words([])
    assert corrector.lexicon is english.bundle.lexicon
