"""The known words nearest to a written one by edit distance, exactly and without comparing every word."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from speller.halves import Halves
from speller.lexicon import Lexicon
from speller.spellings import Spellings

FIRST = 8
"""How many words, for each that is wanted, are looked at closely first."""


class Neighbours:
    """Finds a lexicon's nearest words by the optimal string alignment distance (insert, delete, replace, swap).

    What the words' signatures leave is looked at by halves, and what that leaves is compared.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        """Searches the words that the lexicon offers as corrections."""
        self._words = lexicon.words
        self._signatures = lexicon.signatures
        self._longest = 2 * int(self._signatures.length.max(initial=0))

    def nearest(self, words: Sequence[str], count: int = 40) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """The offered words nearest to each of the words written.

        Args:
            words: what was written, folded.
            count: how many nearest words are wanted.

        Returns:
            for each word, places in the lexicon and distances, both ``(count,)`` or as many as are offered, by
            distance, then the most frequent first, then by place. A word more than twice as long as the longest that is
            offered, of which more than half would have to go, has no neighbours.

        Raises:
            ValueError: ``count`` is below 1.
        """
        if count < 1:
            raise ValueError(f"count must be 1 or more, not {count}")
        return [self._nearest(word, min(count, len(self._signatures))) for word in words]

    def _nearest(self, word: str, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Compares words letter by letter in the order of their bounds, until no other can be among the nearest."""
        nearest = np.zeros(0, np.int64)
        offered = len(self._signatures)
        if len(word) > self._longest or not offered:
            return nearest, nearest
        bound, halves = self._signatures.bound(word), self._halves.of(word)
        reached, limit = 0, offered
        while np.count_nonzero(bound <= reached) < min(FIRST * count, offered):
            reached += 1
        rank = np.flatnonzero(bound <= reached)
        closer = np.maximum(bound[rank], self._halves.bound(halves, rank))
        bound[rank] = closer
        reached = min(reached, int(np.partition(closer, count - 1)[count - 1]))
        rank = rank[closer <= reached]
        while True:
            if len(rank):
                # Distance and rank as one number, so that one partition finds the nearest.
                nearest = np.concatenate([nearest, self._spellings.distances(word, rank) * offered + rank])
                if len(nearest) > count:
                    nearest = np.partition(nearest, count - 1)[:count]
            reached += 1
            if len(nearest) == count:
                farthest, rank_of_farthest = divmod(int(nearest.max()), offered)
                if farthest < reached:
                    break
                # A word as far by its bound as the farthest kept can only displace it by a better rank.
                limit = rank_of_farthest if farthest == reached else offered
            rank = np.flatnonzero(bound[:limit] == reached)
            closer = np.maximum(bound[rank], self._halves.bound(halves, rank))
            # Words that the closer look puts farther off have their turn later.
            bound[rank] = closer
            rank = rank[closer <= reached]
        nearest.sort()
        return self._signatures.index[nearest % offered].astype(np.int64), nearest // offered

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings(self._words, self._signatures.index)

    @cached_property
    def _halves(self) -> Halves:
        return Halves(self._spellings, self._signatures.letters)
