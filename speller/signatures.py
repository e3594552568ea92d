"""Signatures of words: 64 bits each, which tell at once how far apart two words are at least."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speller.vocabulary import Vocabulary

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
    def build(cls, words: Vocabulary, zipf: NDArray[np.float32]) -> "Signatures":
        """The signatures of the words of a frequency above 0; equally frequent ones rank as they stand."""
        offered = np.flatnonzero(zipf > 0)
        index = offered[np.argsort(-zipf[offered], kind="stable")]
        ranked = words.some(index)
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


class Bags:
    """The signatures of words in an order of their own, and what a word's own tells of its distance to each."""

    def __init__(self, signatures: Signatures, order: NDArray[np.integer]) -> None:
        """Takes signatures and the rank ``(words,)`` of each of the words in the order wanted."""
        features = zip(map(chr, signatures.character.tolist()), signatures.times.tolist(), strict=True)
        self._bit = {feature: 1 << bit for bit, feature in enumerate(features)}
        self.bits = signatures.bits[order]
        """``(words,)``: their features."""
        self.held = np.bitwise_count(self.bits)
        """``(words,)``: how many features they have."""
        # Longer words are taken for words of 127 letters, which are as near or nearer to any other's length.
        self._length = np.minimum(signatures.length, 127).astype(np.int8)[order]

    def bound(self, word: str) -> NDArray[np.uint8]:
        """``(words,)``: a number that the distance of the word to each of the words is never below."""
        own = self._of(word)
        shared = np.bitwise_count(self.bits & np.uint64(own))
        beyond = np.maximum(self.held, np.uint8(own.bit_count())) - shared
        longer = np.abs(self._length - np.int8(min(len(word), 127))).view(np.uint8)
        bound: NDArray[np.uint8] = np.maximum(beyond, longer)
        return bound

    def _of(self, word: str) -> int:
        """The features of any word: of "eel" those of (e, 1), (e, 2) and (l, 1)."""
        signature, held = 0, dict.fromkeys(word, 0)
        for letter in word:
            held[letter] += 1
            signature |= self._bit.get((letter, held[letter]), 0)
        return signature
