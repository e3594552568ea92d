import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from speller.halves import BITS, Halves
from speller.spellings import Spellings
from speller.vocabulary import Vocabulary

WORD = st.text("abcdé", min_size=1, max_size=9)
LETTERS = np.array([ord(letter) for letter in "abcdé"], np.uint32)


def bounds(words: list[str], word: str, letters: np.ndarray = LETTERS) -> list[int]:
    spellings = Spellings(Vocabulary.of(words), np.arange(len(words)))
    halves = Halves(spellings, letters)
    by_place = halves.bound(halves.of(word), np.arange(len(words)))
    return by_place[np.argsort(spellings.rank)].tolist()


@given(st.lists(WORD | st.text("abœ", min_size=1, max_size=9), min_size=1, max_size=40), st.text("abcdéx", max_size=12))
def test_no_bound_is_above_the_distance(words, word):
    for other, bound in zip(words, bounds(words, word), strict=True):
        assert bound <= OSA.distance(word, other)


@given(st.text("abcd", min_size=1, max_size=12), st.integers(0, 10))
def test_no_bound_is_above_the_distance_of_a_swap(word, place):
    swapped = word[:place] + word[place : place + 2][::-1] + word[place + 2 :]
    assert bounds([word], swapped)[0] <= 1


def test_letters_in_the_wrong_half_are_told_apart():
    # The halves of "abcd" are "ab" and "d"; of as many letters, "dcba" begins with "dc" and ends with "a".
    assert bounds(["abcd", "abbd", "dcba"], "abcd") == [0, 0, 3]
    # Where the other word is the longer, its own halves are held against the written word's ends.
    assert bounds(["bbbbabbbb"], "aaa") == [2]


def test_letters_beyond_the_bits_are_passed_over():
    letters = np.arange(ord("α"), ord("α") + BITS + 1, dtype=np.uint32)
    first, beyond = chr(letters[0]), chr(letters[BITS])
    assert bounds([beyond * 3, first * 3], "xxx", letters) == [0, 2]
