"""The letters of words' halves: 64 bits a word, which tell more closely how far apart two words are at least."""

from dataclasses import dataclass
from itertools import accumulate
from operator import or_

import numpy as np
from numpy.typing import NDArray

from speller.spellings import Spellings

BITS = 32
"""How many letters are looked for in a half."""


@dataclass(frozen=True)
class WrittenHalves:
    """What the halves of a written word can be held against, for each length of the other word."""

    lacking: NDArray[np.uint64]
    """``(lengths,)``: the letters, bit by bit, that the word lacks in halves as the other's."""

    held: NDArray[np.uint64]
    """``(lengths,)``: the letters that it has in halves that are no longer than the other's."""


class Halves:
    """Which letters some words have in their first and their last halves, the letter in the middle left out.

    The letters of a word's first half that are not among as many first letters of another, and those of its last half
    that are not among as many last ones, are together never more than their distance. For a best alignment can be cut
    in two between the halves, on that side of the letter in the middle where no swap crosses the cut. In each part, the
    letters counted from the end that it shares with the whole word cost an edit each where the other word lacks them:
    of however many letters the other word's part is, those it has beyond or lacks cost an edit too.
    """

    def __init__(self, spellings: Spellings, letters: NDArray[np.uint32]) -> None:
        """Takes the words and the code points of letters, of which the first ``BITS`` are looked for."""
        self._bit = {chr(letter): 1 << bit for bit, letter in enumerate(letters[:BITS].tolist())}
        self._length = spellings.length
        first, last = _halves(np.arange(int(self._length.max(initial=0)) + 1))
        self._first, self._last = first, last
        self._bits = np.zeros(len(self._length), np.uint64)
        table = np.zeros(0x110000, np.uint32)
        for letter, bit in self._bit.items():
            table[ord(letter)] = bit
        for places, spelt in spellings.by_length():
            length = spelt.shape[1]
            halves = np.zeros((2, len(spelt)), np.uint32)
            for place in range(first[length]):
                halves[0] |= table[spelt[:, place]]
            for place in range(length - last[length], length):
                halves[1] |= table[spelt[:, place]]
            self._bits[places] = halves[0] | halves[1].astype(np.uint64) << np.uint64(BITS)

    def of(self, word: str) -> WrittenHalves:
        """The halves of any word."""
        bits = [self._bit.get(letter, 0) for letter in word]
        beginning = np.array(list(accumulate(bits, or_, initial=0)), np.uint64)
        end = np.array(list(accumulate(reversed(bits), or_, initial=0)), np.uint64) << np.uint64(BITS)
        first, last = _halves(np.array(len(word)))
        return WrittenHalves(
            ~(beginning[np.minimum(self._first, len(word))] | end[np.minimum(self._last, len(word))]),
            beginning[np.minimum(self._first, first)] | end[np.minimum(self._last, last)],
        )

    def bound(self, word: WrittenHalves, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        """``(places,)``: a number that the distance of the word to each of some of the words is never below."""
        length, bits = self._length.take(places), self._bits.take(places)
        bound: NDArray[np.uint8] = np.maximum(
            np.bitwise_count(bits & word.lacking.take(length)), np.bitwise_count(~bits & word.held.take(length))
        )
        return bound


def _halves(length: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many letters the first and the last half of words have: "sp(e)ll", but "spe(l)er"."""
    first = length // 2
    return first, np.maximum(length - 1 - first, 0)
