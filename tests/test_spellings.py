import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from speller.spellings import Spellings

WORDS = st.lists(st.text("abcé", min_size=1, max_size=9) | st.text("abœ☺", min_size=1, max_size=9), min_size=1)


@given(WORDS, st.lists(st.text("abé\nœ☺\ud800", max_size=9), min_size=1, max_size=4), st.randoms())
def test_distances_are_those_of_the_words(words, written, random):
    index = np.array(random.choices(range(len(words)), k=2 * len(words)))
    spellings = Spellings(words, index)
    ranks = np.array(random.sample(range(len(index)), k=len(words)))
    for word in written:
        expected = [OSA.distance(word.replace("\n", "x"), words[index[rank]]) for rank in ranks]
        assert spellings.distances(word.replace("\n", "x"), ranks).tolist() == expected


def test_a_letter_of_no_word_is_none_of_theirs():
    assert Spellings(["a?", "\xff"], np.arange(2)).distances("œŸ", np.arange(2)).tolist() == [2, 2]


@given(WORDS)
def test_words_of_a_length_are_together(words):
    spellings = Spellings(words, np.arange(len(words)))
    found = {}
    for length, ranks, letters in spellings.by_length():
        assert letters.shape == (len(ranks), length)
        found |= {int(rank): "".join(map(chr, row)) for rank, row in zip(ranks, letters, strict=True)}
    assert [found[rank] for rank in range(len(words))] == words
    assert spellings.length.tolist() == [len(word) for word in words]
