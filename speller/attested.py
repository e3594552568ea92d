"""Words that are attested, not known: what speaks for an unknown word's being right as it was written."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 16
"""So many words are read through, one after the other, to find one of them."""

LONGEST = 255
"""A word has at most so many bytes of UTF-8."""

_LISTED = 128
"""The bit of a word's evidence that tells that it is listed; the others hold ten times its Zipf frequency."""


class Attestation(NamedTuple):
    """What is known of a word that the lexicon lacks."""

    listed: bool = False
    """Whether some list of rare words and names has it."""

    zipf: float = 0.0
    """The logarithm, to base 10, of its occurrences per billion words; 0 where none were counted."""


@dataclass(frozen=True)
class Attested:
    """Rare words and names, and whatever else was seen in print, each with its ``Attestation``.

    A list of rare words holds many a misspelling of a frequent one ("owt", "hed"), and so does whatever people print:
    such a word is not known, and never offered. But it counts as evidence that the word is right as it was written.

    The words lie sorted and front-coded (Witten, Moffat & Bell, "Managing Gigabytes", 1999, section 4.1), so that they
    are used as they are read from the file: each as the number of bytes that it shares with the one before, the number
    of those that follow, and these; the first of a block shares none.

    >>> attested = Attested.build({"hamesucken": Attestation(listed=True), "elon": Attestation(zipf=3.4)})
    >>> attested.look_up("elon"), attested.look_up("recieve")
    (Attestation(listed=False, zipf=3.4), Attestation(listed=False, zipf=0.0))
    """

    coded: bytes
    """The words, in the order of their UTF-8, which is that of their code points."""

    starts: NDArray[np.uint32]
    """``(blocks,)``: where in ``coded`` each block of ``BLOCK`` words starts."""

    evidence: NDArray[np.uint8]
    """``(words,)``: 0 for a word that counts no more; else whether it is listed, and how frequent it is."""

    def __post_init__(self) -> None:
        blocks = -(-len(self.evidence) // BLOCK)
        if len(self.starts) != blocks or (blocks and not self.starts[0] == 0 <= self.starts[-1] < len(self.coded)):
            raise ValueError(f"{len(self.evidence)} attested words lie in {blocks} blocks, not {len(self.starts)}")

    @classmethod
    def build(cls, attestations: Mapping[str, Attestation]) -> "Attested":
        """The attested words, folded.

        Raises:
            ValueError: a word is empty or longer than ``LONGEST``, its frequency is negative or above 12.7, or nothing
                attests it.
        """
        encoded = {word.encode(): attestation for word, attestation in attestations.items()}
        coded = bytearray()
        starts, evidence = [], []
        before = b""
        for place, word in enumerate(sorted(encoded)):
            if place % BLOCK == 0:
                starts.append(len(coded))
                before = b""
            evidence.append(_evidence(word, encoded[word]))
            longest = min(len(before), len(word))
            shared = next((at for at in range(longest) if before[at] != word[at]), longest)
            coded += bytes((shared, len(word) - shared)) + word[shared:]
            before = word
        return cls(bytes(coded), np.array(starts, np.uint32), np.array(evidence, np.uint8))

    def __len__(self) -> int:
        """How many words are attested."""
        return int(np.count_nonzero(self.evidence))

    def look_up(self, word: str) -> Attestation:
        """What attests a folded word; nothing does where it is not among them."""
        place = self._place(word)
        return Attestation() if place is None else _attestation(int(self.evidence[place]))

    def items(self) -> Iterator[tuple[str, Attestation]]:
        """The words, in order, each with what attests it."""
        for block in range(len(self.starts)):
            evidence = self.evidence[block * BLOCK : (block + 1) * BLOCK].tolist()
            for word, value in zip(self._words(block), evidence, strict=True):
                if value:
                    yield word.decode(), _attestation(value)

    def without(self, words: Iterable[str]) -> "Attested":
        """The same without some folded words; those that are not among them are passed over."""
        places = [place for place in map(self._place, words) if place is not None]
        if not places:
            return self
        evidence = self.evidence.copy()
        evidence[places] = 0
        return Attested(self.coded, self.starts, evidence)

    def _place(self, word: str) -> int | None:
        # A lone surrogate, which no attested word holds, has no strict UTF-8.
        sought = word.encode(errors="surrogatepass")
        block = bisect_right(range(len(self.starts)), sought, key=self._head) - 1
        if block >= 0:
            for offset, found in enumerate(self._words(block)):
                if found >= sought:
                    return block * BLOCK + offset if found == sought else None
        return None

    def _head(self, block: int) -> bytes:
        start = int(self.starts[block])
        return self.coded[start + 2 : start + 2 + self.coded[start + 1]]

    def _words(self, block: int) -> Iterator[bytes]:
        at = int(self.starts[block])
        word = b""
        for _ in range(min(BLOCK, len(self.evidence) - block * BLOCK)):
            end = at + 2 + self.coded[at + 1]
            word = word[: self.coded[at]] + self.coded[at + 2 : end]
            at = end
            yield word


def _evidence(word: bytes, attestation: Attestation) -> int:
    if not 0 < len(word) <= LONGEST:
        raise ValueError(f"an attested word has 1 to {LONGEST} bytes, not {len(word)} as {word.decode()!r} has")
    listed, zipf = attestation
    tenths = max(round(10 * zipf), 1) if zipf > 0 else 0
    if not 0 <= zipf <= 12.7:
        raise ValueError(f"the Zipf frequency of an attested word is from 0 to 12.7, not {zipf} as {word.decode()!r}'s")
    if not (listed or tenths):
        raise ValueError(f"neither a list nor a frequency attests {word.decode()!r}")
    return _LISTED * listed + tenths


def _attestation(evidence: int) -> Attestation:
    return Attestation(evidence >= _LISTED, evidence % _LISTED / 10)
