"""The words of a lexicon, in order, as one text: an object for each would take ten times as much memory."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

GAP = "\n"
"""What no word holds: it stands between the words."""

BLOCK = 32
"""One word in so many is an object of its own, by which others are found."""


class Vocabulary(Sequence[str]):
    """Distinct words without line feeds, in code point order.

    >>> vocabulary = Vocabulary("alpha\\nbeta\\ngamma")
    >>> vocabulary[1], len(vocabulary), vocabulary.find("gamma"), vocabulary.find("delta"), "alpha" in vocabulary
    ('beta', 3, 2, None, True)
    """

    def __init__(self, text: str) -> None:
        """Takes one word or more, a line feed between them."""
        self.text = f"{GAP}{text}{GAP}"
        """The words, a line feed before, between and after them."""
        self._gap = np.flatnonzero(self.letters() == ord(GAP)).astype(np.uint32)
        self._gaps = self._gap.data  # from which a single number is taken much sooner
        self._heads = self.some(np.arange(0, len(self), BLOCK))

    @classmethod
    def of(cls, words: Iterable[str]) -> "Vocabulary":
        """Some sorted words."""
        return cls(GAP.join(words))

    def __len__(self) -> int:
        """How many words there are."""
        return len(self._gap) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        """The word at a place, or the words of a slice."""
        if isinstance(place, slice):
            return self.some(np.arange(*place.indices(len(self))))
        place = range(len(self))[place]
        return self.text[self._gaps[place] + 1 : self._gaps[place + 1]]

    def __iter__(self) -> Iterator[str]:
        """The words, in order."""
        return iter(self.text.split(GAP)[1:-1])

    def __contains__(self, word: object) -> bool:
        """Whether the word is among them."""
        return isinstance(word, str) and self.find(word) is not None

    def some(self, places: NDArray[np.integer]) -> list[str]:
        """The words at some places."""
        text, gaps = self.text, self._gaps
        return [text[gaps[place] + 1 : gaps[place + 1]] for place in places.tolist()]

    def letters(self) -> NDArray[np.unsignedinteger]:
        """The code points of the whole text, in one byte each where they fit, else in four."""
        try:
            return np.frombuffer(self.text.encode("latin-1"), np.uint8)
        except UnicodeEncodeError:
            return np.frombuffer(self.text.encode("utf-32-le"), np.uint32)

    def starts(self, places: NDArray[np.integer]) -> NDArray[np.uint32]:
        """``(places,)``: where in the text the words begin."""
        return self._gap.take(places) + np.uint32(1)

    def lengths(self, places: NDArray[np.integer]) -> NDArray[np.uint32]:
        """``(places,)``: how many letters the words have."""
        return self._gap.take(places + 1) - self.starts(places)

    def find(self, word: str) -> int | None:
        """The place of a word; None where it is not among them."""
        block = bisect_right(self._heads, word) - 1
        if block < 0 or GAP in word:
            return None
        first, after = block * BLOCK, min((block + 1) * BLOCK, len(self))
        start = self._gaps[first]
        found = self.text.find(f"{GAP}{word}{GAP}", start, self._gaps[after] + 1)
        return None if found < 0 else first + self.text.count(GAP, start, found)
