import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speller.alphabet import END, PADDING, SPECIALS, UNKNOWN, Alphabet


@given(st.lists(st.text("αβγñß'", max_size=12), max_size=8))
def test_decode_undoes_encode(words: list[str]) -> None:
    alphabet = Alphabet("αβγñß'")
    symbols, lengths = alphabet.encode(words)
    assert alphabet.decode(symbols) == words
    assert lengths.tolist() == [len(word) for word in words]
    assert symbols.shape == (len(words), max(map(len, words), default=0))


def test_padding_follows_the_word_and_strangers_are_unknown() -> None:
    symbols, _ = Alphabet("ab").encode(["ba", "a☺b", ""])
    assert symbols.tolist() == [
        [SPECIALS + 1, SPECIALS, PADDING],
        [SPECIALS, UNKNOWN, SPECIALS + 1],
        [PADDING] * 3,
    ]


def test_a_word_ends_at_its_end_symbol() -> None:
    assert Alphabet("ab").decode(np.array([[SPECIALS, END, SPECIALS + 1]])) == ["a"]


def test_the_alphabet_comes_from_the_words() -> None:
    assert Alphabet.of_words(["λόγος", "ἔργον"]).characters == "".join(sorted(set("λόγοςἔργον")))


def test_a_character_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="once"):
        Alphabet("aba")
