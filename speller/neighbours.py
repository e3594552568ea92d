"""The known words nearest to a written one by edit distance, exactly and without comparing every word."""

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speller.lexicon import Lexicon
from speller.signatures import Bags
from speller.spellings import Spellings

try:
    from speller import _nearest as compiled
except ImportError:  # there was no compiler where this was installed: numpy does the same in several times as long
    compiled = None  # type: ignore[assignment]

FIRST = 8
"""How many words, for each that is wanted, numpy compares first."""

LETTERS = 64
"""Words of more letters are not compared by compiled code, which has a bit for each."""

ANY = 1 << 32
"""No word is farther than the nearest by so many edits."""


class Neighbours:
    """Finds a lexicon's nearest words by the optimal string alignment distance (insert, delete, replace, swap).

    Words are compared letter by letter in the order of the bounds that their signatures tell, until no other can be
    among the nearest.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        """Searches the words that the lexicon offers as corrections."""
        self._words = lexicon.words
        self._signatures = lexicon.signatures
        self._longest = 2 * int(self._signatures.length.max(initial=0))

    def nearest(
        self, words: Sequence[str], count: int = 40, *, beyond: int = ANY
    ) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """The offered words nearest to each of the words written.

        Args:
            words: what was written, folded.
            count: how many nearest words are wanted.
            beyond: none that is farther than the nearest by more edits than these.

        Returns:
            for each word, places in the lexicon and distances, both ``(count,)`` or as many as are offered, by
            distance, then the most frequent first, then by place. A word more than twice as long as the longest that is
            offered, of which more than half would have to go, has no neighbours.

        Raises:
            ValueError: ``count`` is below 1.
        """
        if count < 1:
            raise ValueError(f"count must be 1 or more, not {count}")
        offered = len(self._signatures)
        answers = [(np.zeros(0, np.int64), np.zeros(0, np.int64))] * len(words)
        rows = [row for row, word in enumerate(words) if offered and len(word) <= self._longest]
        asked = [words[row] for row in rows]
        short = compiled and all(len(word) <= LETTERS for word in asked)
        # A word that is found is one number, which sorts them: its distance, times the words offered, plus its rank.
        numbers, sizes = np.zeros((len(asked), min(count, offered)), np.int64), np.zeros(len(asked), np.int64)
        (self._compiled if short else self._by_numpy)(asked, beyond, numbers, sizes)
        distance, rank = np.divmod(numbers, max(offered, 1))
        place = self._signatures.index[rank].astype(np.int64)
        for at, row, size in zip(range(len(rows)), rows, sizes.tolist(), strict=True):
            answers[row] = place[at, :size], distance[at, :size]
        return answers

    def _compiled(
        self, words: Sequence[str], beyond: int, numbers: NDArray[np.int64], sizes: NDArray[np.int64]
    ) -> None:
        """Fills in what is found, ``(words, count)``, ascending, and how many each word has, ``(words,)``."""
        written = np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), np.uint32)
        ends = np.fromiter(accumulate(map(len, words)), np.int64, len(words))
        compiled.search(self._arrays, written, ends, beyond, numbers, sizes)

    def _by_numpy(
        self, words: Sequence[str], beyond: int, numbers: NDArray[np.int64], sizes: NDArray[np.int64]
    ) -> None:
        """The same as ``_compiled``, for words of any length."""
        for row, word in enumerate(words):
            nearest = self._nearest(word, numbers.shape[1], beyond)
            numbers[row, : len(nearest)], sizes[row] = nearest, len(nearest)

    def _nearest(self, word: str, count: int, beyond: int) -> NDArray[np.int64]:
        bound, rank, offered = self._bags.bound(word), self._spellings.rank, len(self._signatures)
        reached = int(np.searchsorted(np.bincount(bound).cumsum(), min(FIRST * count, offered)))
        places = np.flatnonzero(bound <= reached)
        nearest = np.zeros(0, np.int64)
        while True:
            found = self._spellings.distances(word, places) * offered + rank.take(places)
            nearest = np.sort(np.concatenate((nearest, found)))[:count]
            last, (farthest, rank_of_farthest) = int(nearest[0]) // offered + beyond, divmod(int(nearest[-1]), offered)
            if reached >= last or (len(nearest) == count and reached >= farthest):
                return nearest[nearest < (last + 1) * offered]
            reached += 1
            places = np.flatnonzero(bound == reached)
            # A word as far by its bound as the farthest kept can only displace it by a better rank.
            if len(nearest) == count and reached == farthest:
                places = places[rank.take(places) < rank_of_farthest]

    @cached_property
    def _arrays(self) -> tuple[NDArray[Any], ...]:
        """What compiled code searches; it trusts these kinds, and a lexicon's file might hold others."""
        spelt, bags, told = self._spellings, self._bags, self._signatures
        arrays = (
            (bags.bits, np.uint64),
            (bags.held, np.uint8),
            (spelt.rank, np.int32),
            (spelt.start, np.int64),
            (spelt.text, np.int64),
            (spelt.letters, spelt.letters.dtype),
            (told.character, np.uint32),
            (told.times, np.int32),
        )
        return tuple(np.ascontiguousarray(array, kind) for array, kind in arrays)

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings(self._words, self._signatures.index)

    @cached_property
    def _bags(self) -> Bags:
        return Bags(self._signatures, self._spellings.rank)
