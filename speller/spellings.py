"""How words are spelt, as arrays of letters, so that many are compared without looking up each."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from speller.vocabulary import GAP, Vocabulary


class Spellings:
    """Some of a list's words by length and then by rank, those of one length in one array.

    A word then takes one access to memory and no Python object that lasts: of a few thousand words from a hundred
    thousand, which no cache holds as objects, those accesses are what a comparison costs.
    """

    def __init__(self, words: Vocabulary, index: NDArray[np.integer]) -> None:
        """Takes words and the places ``(spelt,)`` of those to spell, in order of rank."""
        letters, start = words.letters(), words.starts(index)
        self._narrow = letters.dtype == np.uint8
        # Numbers of one or two bytes are sorted at once.
        length = words.lengths(index)
        length = length.astype(np.min_scalar_type(length.max(initial=0)))
        order = np.argsort(length, kind="stable")
        self.rank = order.astype(np.int32)
        """``(spelt,)``: the words' ranks, those of the shortest words first."""
        self.length: NDArray[np.unsignedinteger] = length[order]
        """``(spelt,)``: how many letters they have."""
        self._start = np.concatenate(([0], np.cumsum(np.bincount(length))))
        self._spelt: dict[int, NDArray[Any]] = {}
        for length_of_some in np.flatnonzero(np.diff(self._start)).tolist():
            shape = (len(letters) - length_of_some + 1,)
            kind = f"{'S' if self._narrow else 'U'}{length_of_some}"
            # Each letter begins a run of so many.
            runs: NDArray[Any] = np.ndarray(shape, kind, letters, strides=(letters.itemsize,))
            self._spelt[length_of_some] = runs[start[order[self.span(length_of_some, length_of_some)]]]

    def span(self, shortest: int, longest: int) -> slice:
        """The places of the words of so many letters."""
        past = len(self._start) - 1
        return slice(int(self._start[min(max(shortest, 0), past)]), int(self._start[min(longest + 1, past)]))

    def by_length(self) -> Iterator[tuple[slice, NDArray[np.unsignedinteger]]]:
        """The places of the words of each length, and their letters ``(words, length)``."""
        for length, spelt in self._spelt.items():
            letters: NDArray[Any] = spelt.view(np.uint8 if self._narrow else np.uint32).reshape(len(spelt), length)
            yield self.span(length, length), letters

    def distances(self, word: str, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """``(places,)``: the optimal string alignment distance of the word to each of some, their places ascending."""
        found = np.searchsorted(places, self._start).tolist()
        spelt: list[bytes] | list[str] = []
        for length, of_length in self._spelt.items():
            start, end = found[length : length + 2]
            if end > start:
                spelt += of_length.take(places[start:end] - self._start[length]).tolist()
        written: str | bytes = word
        if self._narrow:
            written = "".join(letter if letter <= "\xff" else GAP for letter in word).encode("latin-1")
        distances: NDArray[np.int64] = process.cdist([written], spelt, scorer=OSA.distance, dtype=np.int64)[0]
        return distances
