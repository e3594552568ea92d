import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from speller.spellings import Spellings
from speller.vocabulary import Vocabulary

WORDS = st.lists(st.text("abcé", min_size=1, max_size=9) | st.text("abœ☺", min_size=1, max_size=9), min_size=1)


@given(WORDS, st.lists(st.text("abé\nœ☺\ud800", max_size=9), min_size=1, max_size=4), st.randoms())
def test_distances_are_those_of_the_words(words, written, random):
    index = np.array(random.choices(range(len(words)), k=2 * len(words)))
    spellings = Spellings(Vocabulary.of(words), index)
    places = np.array(sorted(random.sample(range(len(index)), k=len(words))))
    for word in written:
        expected = [OSA.distance(word.replace("\n", "x"), words[index[spellings.rank[place]]]) for place in places]
        assert spellings.distances(word.replace("\n", "x"), places).tolist() == expected


def test_a_letter_of_no_word_is_none_of_theirs():
    assert Spellings(Vocabulary.of(["a?", "\xff"]), np.arange(2)).distances("œŸ", np.arange(2)).tolist() == [2, 2]


@given(WORDS)
def test_words_are_by_length_and_then_by_rank(words):
    spellings = Spellings(Vocabulary.of(words), np.arange(len(words)))
    order = sorted(range(len(words)), key=lambda rank: len(words[rank]))
    assert spellings.rank.tolist() == order
    letters = "".join(map(chr, spellings.letters))
    assert letters == "".join(words[rank] for rank in order)
    for place, rank in enumerate(order):
        length = len(words[rank])
        first = spellings.text[length] + (place - spellings.start[length]) * length
        assert letters[first : first + length] == words[rank]
