from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speller.alphabet import SPECIALS, Alphabet
from speller.automaton import Automaton

WORDS = st.sets(st.text("abß語", max_size=5), max_size=30).map(sorted)


def spelt(automaton: Automaton, alphabet: Alphabet) -> list[str]:
    return ["".join(alphabet.characters[symbol - SPECIALS] for symbol in path) for _, path in automaton.paths()]


@given(WORDS)
def test_spells_its_words_alone_and_numbers_them_in_order(words):
    alphabet = Alphabet("abß語")
    automaton = Automaton.build(words, alphabet)
    assert spelt(automaton, alphabet) == words
    assert [number for number, _ in automaton.paths()] == list(range(len(words)))


@given(WORDS)
def test_has_as_many_states_as_there_are_different_ways_to_go_on(words):
    # Myhill and Nerode: a state for each set of endings that some prefix has.
    prefixes = {""} | {word[:end] for word in words for end in range(len(word) + 1)}
    endings = {frozenset(word[len(prefix) :] for word in words if word.startswith(prefix)) for prefix in prefixes}
    assert len(Automaton.build(words, Alphabet("abß語")).final) == len(endings)


def test_merges_equal_endings():
    words = sorted("".join(letters) for letters in product("ab", repeat=10))
    automaton = Automaton.build(words, Alphabet("ab"))
    assert (len(automaton.final), len(automaton.symbol)) == (11, 20)


def test_edges_of_a_state_go_by_symbol():
    automaton = Automaton.build(["a", "ab", "b", "ba", "bb"], Alphabet("ab"))
    for first, end in zip(automaton.first_edge, automaton.first_edge[1:], strict=False):
        assert (np.diff(automaton.symbol[first:end]) > 0).all()


@pytest.mark.parametrize("words", [["b", "a"], ["a", "a"]])
def test_refuses_words_out_of_order(words):
    with pytest.raises(ValueError, match="code point order"):
        Automaton.build(words, Alphabet("ab"))


@pytest.mark.parametrize(("words", "alphabet"), [(["ac"], "ab"), (["a"], "ba")])
def test_refuses_a_word_or_an_alphabet_that_does_not_fit(words, alphabet):
    with pytest.raises(ValueError, match="alphabet"):
        Automaton.build(words, Alphabet(alphabet))
