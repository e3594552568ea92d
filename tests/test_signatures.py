import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from speller.lexicon import Lexicon
from speller.signatures import Bags

WORD = st.text("abcdé", min_size=1, max_size=9)
ENTRIES = st.dictionaries(WORD, st.sampled_from([0, 1, 2, 3.5]), min_size=1, max_size=60)


def bounds(lexicon: Lexicon, word: str) -> np.ndarray:
    ranks = np.arange(len(lexicon.signatures))
    return Bags(lexicon.signatures, ranks).bound(word)


@given(ENTRIES, st.text("abcdéx", max_size=12))
def test_no_bound_is_above_the_distance(entries, word):
    lexicon = Lexicon.build(entries)
    bound = bounds(lexicon, word)
    for place, index in enumerate(lexicon.signatures.index.tolist()):
        assert bound[place] <= OSA.distance(word, lexicon.words[index])


def test_a_bound_counts_the_letters_beyond_the_other_word():
    lexicon = Lexicon.build({"aabb": 4, "abcd": 3, "a": 2})
    assert bounds(lexicon, "aaab").tolist() == [1, 2, 3]
    assert bounds(lexicon, "x" * 9).tolist() == [5, 5, 8]


@given(ENTRIES, st.text("abcdéx", max_size=12), st.randoms())
def test_the_order_is_the_one_asked_for(entries, word, random):
    signatures = Lexicon.build(entries).signatures
    ranks = np.array(random.sample(range(len(signatures)), len(signatures)), np.int64)
    expected = bounds(Lexicon.build(entries), word)[ranks]
    assert Bags(signatures, ranks).bound(word).tolist() == expected.tolist()


def test_no_bound_is_above_the_distance_of_words_longer_than_a_byte_counts():
    lexicon = Lexicon.build({"a" * length: 1 for length in (100, 127, 128, 255, 256, 300)})
    for length in (99, 127, 130, 256, 301):
        bound = bounds(lexicon, "a" * length)
        assert (bound <= [abs(length - len(lexicon.words[i])) for i in lexicon.signatures.index]).all()
