import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speller.vocabulary import BLOCK, Vocabulary

WORDS = st.sets(st.text("abéœ☺", min_size=1, max_size=6), min_size=1, max_size=3 * BLOCK).map(sorted)


@given(WORDS, st.text("abéœ☺\n\ud800", max_size=6))
def test_finds_its_words_and_no_others(words, other):
    vocabulary = Vocabulary.of(words)
    assert [vocabulary.find(word) for word in words] == list(range(len(words)))
    assert vocabulary.find(other) == (words.index(other) if other in words else None)
    assert (other in vocabulary) == (other in words)


@given(WORDS, st.randoms())
def test_is_the_sequence_of_its_words(words, random):
    vocabulary = Vocabulary.of(words)
    places = random.choices(range(len(words)), k=9)
    assert list(vocabulary) == [vocabulary[place] for place in range(len(words))] == words
    assert (len(vocabulary), vocabulary[-1], vocabulary[1::2]) == (len(words), words[-1], words[1::2])
    assert vocabulary.some(np.array(places)) == [words[place] for place in places]
    assert vocabulary.lengths(np.array(places)).tolist() == [len(words[place]) for place in places]


def test_two_words_and_what_is_between_them_are_no_word():
    words = Vocabulary.of(["a", "b", "c"])
    assert "a\nb" not in words
    with pytest.raises(IndexError):
        words[3]
