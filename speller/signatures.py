"""Signatures of words: 64 bits each, which tell at once how far apart two words are at least."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

BITS = 64
"""How many features of a word its signature holds."""


@dataclass(frozen=True)
class Signatures:
    """The signatures of the words that are offered, in order of rank: the most frequent first.

    A feature of a word is that it holds some letter, or holds it twice, and so on. One edit, a swap of neighbours among
    them, takes at most one feature from a word and brings at most one in. So the number of features that one word has
    beyond the other is never above their distance (the bag distance of Bartolini, Ciaccia & Patella, "String matching
    with metric trees using an approximate distance", 2002), and neither is its count over some of the features: here
    the 64 that divide the words most evenly.
    """

    index: NDArray[np.int32]
    """``(offered,)``: the words' places in the lexicon."""

    length: NDArray[np.uint8]
    """``(offered,)``: how many letters they have, at most 255."""

    bits: NDArray[np.uint64]
    """``(offered,)``: bit ``b`` tells whether a word has feature ``b``."""

    character: NDArray[np.uint32]
    """``(features,)``: the letter, by its code point, that a word with the feature holds."""

    times: NDArray[np.int32]
    """``(features,)``: how often it does, at least."""

    @classmethod
    def build(cls, words: Sequence[str], zipf: NDArray[np.float32]) -> "Signatures":
        """The signatures of the words of a frequency above 0; equally frequent ones rank as they stand."""
        offered = np.flatnonzero(zipf > 0)
        index = offered[np.argsort(-zipf[offered], kind="stable")]
        ranked = [words[place] for place in index.tolist()]
        length = np.fromiter(map(len, ranked), np.int64, len(ranked))
        text = np.frombuffer("".join(ranked).encode("utf-32-le"), np.uint32)
        holder = np.repeat(np.arange(len(ranked)), length)

        features = []
        occurrences = np.bincount(text)
        for character in np.argsort(-occurrences, kind="stable")[: min(BITS, np.count_nonzero(occurrences))].tolist():
            held = np.bincount(holder[text == character], minlength=len(ranked))
            for times in range(1, int(held.max()) + 1):
                has = held >= times
                features.append((abs(float(has.mean()) - 0.5), character, times, has))
        features.sort(key=lambda feature: feature[:3])
        del features[BITS:]
        bits = np.zeros(len(ranked), np.uint64)
        for bit, (_, _, _, has) in enumerate(features):
            bits |= has.astype(np.uint64) << np.uint64(bit)
        return cls(
            index.astype(np.int32),
            np.minimum(length, 255).astype(np.uint8),
            bits,
            np.array([character for _, character, _, _ in features], np.uint32),
            np.array([times for _, _, times, _ in features], np.int32),
        )

    def __len__(self) -> int:
        """How many words there are."""
        return len(self.index)

    @property
    def letters(self) -> NDArray[np.uint32]:
        """``(letters,)``: the features' letters, as code points, those that divide the words most evenly first."""
        letters: NDArray[np.uint32] = self.character[self.times == 1]
        return letters

    def bound(self, word: str) -> NDArray[np.uint8]:
        """``(offered,)``: a number that the distance of the word to each is never below."""
        own = 0
        for feature in _features(word):
            own |= self._bit.get(feature, 0)
        shared = np.bitwise_count(self.bits & np.uint64(own))
        beyond = np.maximum(self._held - shared, np.uint8(own.bit_count()) - shared)
        longer = np.abs(self._length - np.int8(min(len(word), 127))).view(np.uint8)
        bound: NDArray[np.uint8] = np.maximum(beyond, longer)
        return bound

    @cached_property
    def _bit(self) -> dict[tuple[str, int], int]:
        features = zip(map(chr, self.character.tolist()), self.times.tolist(), strict=True)
        return {feature: 1 << bit for bit, feature in enumerate(features)}

    @cached_property
    def _held(self) -> NDArray[np.uint8]:
        return np.bitwise_count(self.bits)

    @cached_property
    def _length(self) -> NDArray[np.int8]:
        """Longer words are taken for words of 127 letters, which are as near or nearer to any other's length."""
        return np.minimum(self.length, 127).astype(np.int8)


def _features(word: str) -> Iterator[tuple[str, int]]:
    """Each letter with how often the word has held it so far: "eel" as (e, 1), (e, 2), (l, 1)."""
    held: Counter[str] = Counter()
    for character in word:
        held[character] += 1
        yield character, held[character]
