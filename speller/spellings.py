"""How words are spelt, as arrays of letters, so that many are compared without looking up each."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

_GAP = "\n"
"""What no word holds: it stands between the words, and for a written letter that no word can hold."""


class Spellings:
    """Some of a list's words in an order of their own, those of one length in one array.

    A word then takes one access to memory and no Python object that lasts: of a few thousand words from a hundred
    thousand, which no cache holds as objects, those accesses are what a comparison costs.
    """

    def __init__(self, words: Sequence[str], index: NDArray[np.integer]) -> None:
        """Takes words without white space and the places ``(spelt,)`` of those to spell, in order of rank."""
        text = _GAP.join([*words, ""])
        try:
            letters = np.frombuffer(text.encode("latin-1"), np.uint8)
        except UnicodeEncodeError:
            letters = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        self._narrow = letters.dtype == np.uint8
        end = np.flatnonzero(letters == ord(_GAP))
        start = np.concatenate(([0], end + 1))[index]
        self.length = (end[index] - start).astype(np.int32)
        """``(spelt,)``: how many letters they have."""
        self._row = np.zeros(len(index), np.int32)
        self._spelt: dict[int, NDArray[Any]] = {}
        for length in np.flatnonzero(np.bincount(self.length)).tolist():
            rank = np.flatnonzero(self.length == length)
            self._row[rank] = np.arange(len(rank))
            shape, kind = (len(letters) - length + 1,), f"{'S' if self._narrow else 'U'}{length}"
            # Each letter begins a run of so many.
            runs: NDArray[Any] = np.ndarray(shape, kind, letters, strides=(letters.itemsize,))
            self._spelt[length] = runs[start[rank]]

    def by_length(self) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.unsignedinteger]]]:
        """Each length, the ranks ``(words,)`` of the words that have it, and their letters ``(words, length)``."""
        for length, spelt in self._spelt.items():
            letters: NDArray[Any] = spelt.view(np.uint8 if self._narrow else np.uint32).reshape(len(spelt), length)
            yield length, np.flatnonzero(self.length == length), letters

    def distances(self, word: str, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """``(ranks,)``: the optimal string alignment distance of the word to each of some of those spelt."""
        lengths = self.length[ranks]
        order = np.argsort(lengths)
        row, ends = self._row[ranks[order]], np.cumsum(np.bincount(lengths)).tolist()
        spelt: list[bytes] | list[str] = []
        for length, (start, end) in enumerate(pairwise([0, *ends])):
            if end > start:
                spelt += self._spelt[length].take(row[start:end]).tolist()
        written: str | bytes = word
        if self._narrow:
            written = "".join(letter if letter <= "\xff" else _GAP for letter in word).encode("latin-1")
        distances = np.empty(len(ranks), np.int64)
        distances[order] = process.cdist([written], spelt, scorer=OSA.distance)[0]
        return distances
