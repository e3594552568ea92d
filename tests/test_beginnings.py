import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speller.alphabet import CORRECT, MISSPELL, SPECIALS, Alphabet
from speller.beginnings import CAPACITY, NOTHING, SHORT, Beginnings

ALPHABET = Alphabet("abcé")
WORDS = st.lists(st.text("abcé☺", max_size=7), max_size=12)


def spelled(beginnings, words, direction=CORRECT):
    """The places of the beginnings of words, the direction alone first, padded with ``NOTHING``."""
    return beginnings.spelled(*ALPHABET.directed(words, direction))


def made(beginnings, words):
    """What ``spelled`` gives, whose states are asked for."""
    places = spelled(beginnings, words)
    beginnings.at(places)
    return places


def stepped(runtime, beginning, direction=CORRECT):
    """The state after a beginning, from the start and one symbol at a time."""
    state = runtime.nowhere
    for symbol in [direction, *ALPHABET.encode([beginning])[0][0].tolist()]:
        state = runtime.advance(np.array([symbol]), state)
    return [part[0].tolist() for part in state]


def at(beginnings, place):
    return [part.tolist() for part in beginnings.at(np.array(place))]


@pytest.fixture
def make(monkeypatch, table_runtime):
    """A runtime and its beginnings, of which few are remembered."""

    def make(capacity=CAPACITY):
        monkeypatch.setattr("speller.beginnings.CAPACITY", capacity)
        runtime = table_runtime(len(ALPHABET), 3)
        return runtime, Beginnings(runtime)

    return make


@given(st.lists(WORDS, max_size=4), st.sampled_from([CORRECT, MISSPELL]))
def test_a_state_is_that_of_stepping_from_the_start(table_runtime, calls, direction):
    runtime = table_runtime(len(ALPHABET), 3)
    beginnings = Beginnings(runtime)
    found = [(words, spelled(beginnings, words, direction)) for words in calls]
    for words, places in found:  # those of earlier calls are still there
        assert len(places) == len(words)
        for word, row in zip(words, places.tolist(), strict=True):
            for end in range(len(word) + 1):
                assert at(beginnings, row[end]) == stepped(runtime, word[:end], direction)
            assert set(row[len(word) + 1 :]) <= {NOTHING}


@given(st.lists(WORDS, max_size=4))
def test_nothing_is_computed_twice(table_runtime, calls):
    runtime = table_runtime(len(ALPHABET), 3)
    beginnings = Beginnings(runtime)
    for words in calls:
        made(beginnings, words)
    unknown_alike = {word.replace("☺", "�")[:end] for words in calls for word in words for end in range(len(word) + 1)}
    assert len(beginnings) - 1 == len(runtime.advanced) == len(unknown_alike)
    assert len(set(runtime.advanced)) == len(runtime.advanced)


def test_what_is_not_asked_for_is_not_made(make):
    runtime, beginnings = make()
    spelled(beginnings, ["abc", "ab"])
    places = spelled(beginnings, ["ca", "abca"])
    assert runtime.advanced == []
    assert at(beginnings, places[1, 4]) == stepped(runtime, "abca")


def test_beginnings_alike_have_one_place(make):
    _, beginnings = make()
    places = spelled(beginnings, ["abc", "aba", "cab", "abc"])
    assert (places[0] == places[3]).all()
    assert (places[0, :3] == places[1, :3]).all()
    assert len(set(places[:3].flatten().tolist())) == len(beginnings) - 1 == 8
    longer = beginnings.extended(places[[0, 1], [2, 2]], np.array([SPECIALS + 2, SPECIALS]))
    assert longer.tolist() == [places[0, 3], places[1, 3]]


def test_places_of_any_shape(make):
    _, beginnings = make()
    places = spelled(beginnings, ["abc", "ca"])
    grid = beginnings.at(places)
    assert [part.shape for part in grid] == [(2, 4, 1)] * 2
    for row, column in np.ndindex(2, 4):
        assert [part[row, column].tolist() for part in grid] == at(beginnings, places[row, column])


def test_what_the_cell_carries_on_asks_for_nothing(table_runtime):
    class Carrying(table_runtime):
        nowhere = (np.zeros((1, 1)), np.zeros((1, 3)), np.zeros((1, 1)))

        def advance(self, symbols, state):
            key, last = super().advance(symbols, state[:1])
            return key, state[1] + 5, 2 * last

    beginnings = Beginnings(Carrying(len(ALPHABET), 3))
    places = spelled(beginnings, ["abc", "ca"])
    asking, (key, carried, last) = beginnings.asking(places), beginnings.at(places)
    assert [part.tolist() for part in asking] == [key.tolist(), last.tolist()]
    assert carried.shape == (2, 4, 3)
    assert carried[0, :, 0].tolist() == [5, 10, 15, 20]


@pytest.mark.parametrize("word", ["abcabcabcab", "aaa"])
def test_a_call_may_go_beyond_the_capacity(make, word):
    runtime, beginnings = make(capacity=2)
    places = spelled(beginnings, [word, "c" * 40])
    assert len(beginnings) == len(word) + 42
    for row, written in zip(places.tolist(), (word, "c" * 40), strict=True):
        for end in range(len(written) + 1):
            assert at(beginnings, row[end]) == stepped(runtime, written[:end])


def test_many_at_once_outgrow_the_room_more_than_once(make, monkeypatch):
    monkeypatch.setattr("speller.beginnings.ROOM", 2)
    runtime, beginnings = make(capacity=1)
    places = np.zeros(9, np.int32)
    symbols = np.arange(9)
    longer = beginnings.extended(places, symbols)
    assert [len(part) for part in beginnings.asking(longer)] == [9, 9]
    assert len(beginnings) == 10
    assert sorted(longer.tolist()) == list(range(1, 10))
    assert len(runtime.advanced) == 9


def test_too_many_are_forgotten_and_made_anew(make):
    runtime, beginnings = make(capacity=6)
    first = made(beginnings, ["abca"])
    beginnings.make_room()
    assert len(beginnings) == 6  # not too many
    assert (made(beginnings, ["abca"]) == first).all()
    assert len(runtime.advanced) == 5

    spelled(beginnings, ["abcabc", "cc"])
    beginnings.make_room()
    # Half the room is for short ones: "a" is, with its direction and the empty one.
    assert len(beginnings) == 3
    assert at(beginnings, NOTHING) == [part[0].tolist() for part in runtime.nowhere]
    runtime.advanced.clear()
    places = made(beginnings, ["cb", "abcabc"])
    assert len(runtime.advanced) == 7
    for row, word in zip(places.tolist(), ("cb", "abcabc"), strict=True):
        for end in range(len(word) + 1):
            assert at(beginnings, row[end]) == stepped(runtime, word[:end])


@given(st.lists(WORDS, max_size=6))
def test_short_beginnings_stay(table_runtime, calls):
    runtime = table_runtime(len(ALPHABET), 3)
    beginnings = Beginnings(runtime)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("speller.beginnings.CAPACITY", 64)  # of five letters, an unknown one among them, 32 are short
        for words in calls:
            places = spelled(beginnings, words)
            for word, row in zip(words, places.tolist(), strict=True):
                for end in range(len(word) + 1):
                    assert at(beginnings, row[end]) == stepped(runtime, word[:end])
            remembered = len(beginnings)
            beginnings.make_room()
            assert len(beginnings) == remembered if remembered <= 64 else len(beginnings) <= 32
            runtime.advanced.clear()
            made(beginnings, [word[: SHORT - 1] for word in words])
            assert not runtime.advanced


def test_no_words(make):
    _, beginnings = make()
    assert spelled(beginnings, []).shape == (0, 1)
    assert beginnings.extended(np.zeros(0, np.int64), np.zeros(0, np.int64)).shape == (0,)
    assert len(beginnings) == 1
