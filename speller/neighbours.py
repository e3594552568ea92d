"""The known words nearest to a written one by edit distance, exactly and without comparing every word."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from speller.halves import Halves
from speller.lexicon import Lexicon
from speller.signatures import Bags
from speller.spellings import Spellings

FIRST = 8
"""How many words, for each that is wanted, are looked at closely first."""

ABOUT = 4
"""By how many letters words may be longer or shorter than the written one and be looked at from the start."""


class Neighbours:
    """Finds a lexicon's nearest words by the optimal string alignment distance (insert, delete, replace, swap).

    What the words' signatures leave is looked at by halves, and what that leaves is compared.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        """Searches the words that the lexicon offers as corrections."""
        self._words = lexicon.words
        self._signatures = lexicon.signatures
        self._longest = 2 * int(self._signatures.length.max(initial=0))

    def nearest(
        self, words: Sequence[str], count: int = 40, *, beyond: int | None = None
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
        return [self._nearest(word, min(count, len(self._signatures)), beyond) for word in words]

    def _nearest(self, word: str, count: int, beyond: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Compares words letter by letter in the order of their bounds, until no other can be among the nearest."""
        nearest = np.zeros(0, np.int64)
        offered = len(self._signatures)
        if len(word) > self._longest or not offered:
            return nearest, nearest
        rank, bounds = self._spellings.rank, _Bounds(word, self._spellings, self._bags, self._halves)
        reached, limit = 1, offered
        while np.count_nonzero(near := bounds.within(reached)) < min(FIRST * count, offered):
            reached += 1
        while True:
            places = bounds.look_closely(near, reached, limit)
            if len(places):
                # Distance and rank as one number, so that one sort finds the nearest.
                found = self._spellings.distances(word, places) * offered + rank.take(places)
                nearest = np.concatenate((nearest, found))
                nearest.sort()
                nearest = nearest[:count]
            reached += 1
            if beyond is not None and len(nearest) and reached > (last := int(nearest[0]) // offered + beyond):
                nearest = nearest[nearest < (last + 1) * offered]
                break
            if len(nearest) == count:
                farthest, rank_of_farthest = divmod(int(nearest[-1]), offered)
                if farthest < reached:
                    break
                # A word as far by its bound as the farthest kept can only displace it by a better rank.
                limit = rank_of_farthest if farthest == reached else offered
            near = bounds.at(reached)
        distance, rank_of_each = np.divmod(nearest, offered)
        return self._signatures.index[rank_of_each].astype(np.int64), distance

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings(self._words, self._signatures.index)

    @cached_property
    def _bags(self) -> Bags:
        return Bags(self._signatures, self._spellings.rank)

    @cached_property
    def _halves(self) -> Halves:
        return Halves(self._spellings, self._signatures.letters)


class _Bounds:
    """How far a written word is at least from words about as long; from others once the search reaches so far."""

    def __init__(self, word: str, spellings: Spellings, bags: Bags, halves: Halves) -> None:
        self._word = word
        self._spellings, self._bags, self._halves = spellings, bags, halves
        self._written = halves.of(word)
        self._about = ABOUT
        self._span = spellings.span(len(word) - ABOUT, len(word) + ABOUT)
        self._bound = bags.bound(word, self._span)

    def within(self, reached: int) -> NDArray[np.bool_]:
        """Whose bounds are so far or less."""
        self._reach(reached)
        near: NDArray[np.bool_] = self._bound <= reached
        return near

    def at(self, reached: int) -> NDArray[np.bool_]:
        """Whose bounds are just so far."""
        self._reach(reached)
        near: NDArray[np.bool_] = self._bound == reached
        return near

    def look_closely(self, near: NDArray[np.bool_], reached: int, limit: int) -> NDArray[np.int64]:
        """The places of the near ones that are no farther by a closer look either; others have their turn later.

        Those of a rank from the limit on are passed over.
        """
        found = _places(near)
        places: NDArray[np.int64] = found + self._span.start
        if limit < len(self._spellings.rank):
            better = self._spellings.rank.take(places) < limit
            found, places = found.compress(better), places.compress(better)
        closer = np.maximum(self._bound.take(found), self._halves.bound(self._written, places))
        self._bound[found] = closer
        places = places.compress(closer <= reached)
        return places

    def _reach(self, reached: int) -> None:
        """Takes in the words that are longer or shorter by so much; all others are farther."""
        if reached <= self._about:
            return
        self._about = reached
        inner, outer = self._span, self._spellings.span(len(self._word) - reached, len(self._word) + reached)
        shorter, longer = slice(outer.start, inner.start), slice(inner.stop, outer.stop)
        bound = self._bags.bound
        self._bound = np.concatenate((bound(self._word, shorter), self._bound, bound(self._word, longer)))
        self._span = outer


def _places(few: NDArray[np.bool_]) -> NDArray[np.int64]:
    """As ``np.flatnonzero`` where few are true, in half the time: eight are passed over at once."""
    eights = np.concatenate((few, np.zeros(-len(few) % 8, np.bool_))).view(np.uint64)
    some = np.flatnonzero(eights != 0)
    place = np.flatnonzero(eights[some].view(np.bool_))
    places: NDArray[np.int64] = (some[place >> 3] << 3) + (place & 7)
    return places
