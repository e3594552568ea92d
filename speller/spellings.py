"""How words are spelt, as arrays of letters, so that many are compared without looking up each."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from speller.vocabulary import GAP, Vocabulary


class Spellings:
    """Some of a list's words by length and then by rank, all their letters in one array.

    A word then takes one access to memory and no Python object that lasts: of a few thousand words from a hundred
    thousand, which no cache holds as objects, those accesses are what a comparison costs.
    """

    def __init__(self, words: Vocabulary, index: NDArray[np.integer]) -> None:
        """Takes words and the places ``(spelt,)`` of those to spell, in order of rank."""
        letters, begins = words.letters(), words.starts(index)
        # Numbers of one or two bytes are sorted at once.
        length = words.lengths(index)
        length = length.astype(np.min_scalar_type(length.max(initial=0)))
        order = np.argsort(length, kind="stable")
        of_length = np.bincount(length, minlength=1)
        ends = np.cumsum(of_length * np.arange(len(of_length)))
        self.rank = order.astype(np.int32)
        """``(spelt,)``: the words' ranks, those of the shortest words first."""
        self.start: NDArray[np.int64] = np.concatenate(([0], np.cumsum(of_length)))
        """``(lengths + 1,)``: the place of the first word of so many letters; the last is that after all words."""
        self.letters = np.empty(ends[-1], letters.dtype)
        """``(letters,)``: those of all words, by code point: of one byte each where that holds them, else of four."""
        self.text: NDArray[np.int64] = ends - of_length * np.arange(len(of_length))
        """``(lengths,)``: where in ``letters`` the words of so many letters begin."""
        self._narrow = letters.dtype == np.uint8
        self._spelt: dict[int, NDArray[Any]] = {}
        for so_long in (np.flatnonzero(of_length[1:]) + 1).tolist():
            kind = f"{'S' if self._narrow else 'U'}{so_long}"
            # Each letter begins a run of so many.
            shape = (len(letters) - so_long + 1,)
            runs: NDArray[Any] = np.ndarray(shape, kind, letters, strides=(letters.itemsize,))
            spelt = self.letters[self.text[so_long] : ends[so_long]].view(kind)
            spelt[:] = runs[begins[order[self.start[so_long] : self.start[so_long + 1]]]]
            self._spelt[so_long] = spelt

    def distances(self, word: str, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """``(places,)``: the optimal string alignment distance of the word to each of some, their places ascending."""
        found = np.searchsorted(places, self.start).tolist()
        spelt: list[bytes] | list[str] = []
        for length, of_length in self._spelt.items():
            start, end = found[length : length + 2]
            if end > start:
                spelt += of_length.take(places[start:end] - self.start[length]).tolist()
        written: str | bytes = word
        if self._narrow:
            written = "".join(letter if letter <= "\xff" else GAP for letter in word).encode("latin-1")
        distances: NDArray[np.int64] = process.cdist([written], spelt, scorer=OSA.distance, dtype=np.int64)[0]
        return distances
