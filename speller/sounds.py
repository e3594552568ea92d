"""How words sound: which known words sound as a written one is read, however far apart their letters are."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

READINGS = 3
"""In so many ways, at most, a written word is read."""

PIECE = 4
"""So many letters, at most, are read as one."""

EDGE = " "
"""Where a word begins or ends, among the letters of a piece: "ps" is read otherwise there than in "lips"."""

SILENT = -6.0
"""What it costs to read a letter as nothing because no piece has it."""

SPOKEN = 12
"""So many sounds of a word tell how it sounds."""

REMEMBERED = 1 << 9
"""Of so many words the readings are kept: a batch of words is looked for, and soon each is compared with candidates."""

Ways = tuple[tuple[str, float], ...]
"""How letters may be read: the sounds, one character each, and what speaks for them, as a logarithm."""


@dataclass(frozen=True)
class Sounds:
    """How the words that a lexicon offers sound, and how any other word is read.

    What a word sounds like is a string with a character for each of its sounds. Sounds that people take for one another
    have the same character, a run of one counts once, and vowels count at a word's beginning alone. So "fisix" finds
    "physics", which is five edits away.

    Attributes:
        pieces: how letters, up to ``PIECE`` of them, are read.
        spoken: ``(spoken,)``, what words sound like, each once, in order; cut off after ``SPOKEN`` sounds.
        counts: ``(spoken,)``, how many words sound so.
        index: ``(offered,)``, their places in the lexicon: those that sound alike together, the most frequent first.
    """

    pieces: Mapping[str, Ways]
    spoken: NDArray[np.bytes_]
    counts: NDArray[np.uint32]
    index: NDArray[np.int32]

    @classmethod
    def build(cls, pieces: Mapping[str, Ways], heard: NDArray[np.bytes_], zipf: NDArray[np.float32]) -> "Sounds":
        """Sorts words by what they sound like.

        Args:
            pieces: how letters are read.
            heard: ``(words,)``, what each of the lexicon's words sounds like; nothing where that is not known.
            zipf: ``(words,)``, their frequencies; a word of frequency 0 is not offered.
        """
        offered = np.flatnonzero(zipf > 0)
        heard = heard[offered].astype(f"S{SPOKEN}")
        order = np.lexsort((-zipf[offered], heard))
        spoken, counts = np.unique(heard, return_counts=True)
        return cls(pieces, spoken, counts.astype(np.uint32), offered[order].astype(np.int32))

    @classmethod
    def unknown(cls) -> "Sounds":
        """Of a lexicon of which nobody knows how its words are pronounced."""
        return cls({}, np.zeros(0, f"S{SPOKEN}"), np.zeros(0, np.uint32), np.zeros(0, np.int32))

    @cached_property
    def read(self) -> Callable[[str], tuple[bytes, ...]]:
        """The likeliest ways to read a word, best first, ``READINGS`` at most; none where no pieces are known."""
        return lru_cache(maxsize=REMEMBERED)(self._read)

    def alike(self, readings: Iterable[bytes], count: int) -> NDArray[np.int64]:
        """The words that sound as a reading tells: the places in the lexicon of the ``count`` most frequent of each."""
        found = []
        for reading in filter(None, readings):
            place = int(np.searchsorted(self.spoken, np.bytes_(reading)))
            if place < len(self.spoken) and self.spoken[place] == reading:
                start = int(self._starts[place])
                found.append(self.index[start : start + min(count, int(self.counts[place]))])
        return np.concatenate([np.empty(0, np.int64), *found])

    def heard(self, words: int) -> NDArray[np.bytes_]:
        """``(words,)``: what each of the lexicon's words sounds like; nothing for one that is not offered."""
        heard = np.zeros(words, self.spoken.dtype)
        heard[self.index] = np.repeat(self.spoken, self.counts)
        return heard

    def of(self, indices: NDArray[np.int64]) -> list[bytes]:
        """What offered words at some places of the lexicon sound like."""
        heard: list[bytes] = self.spoken[self._place[indices]].tolist()
        return heard

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What ``of_arrays`` makes the same of."""
        ways = [(letters, *way) for letters, several in self.pieces.items() for way in several]
        return {
            "letters": _lines(letters for letters, *_ in ways),
            "heard": _lines(sounds for _, sounds, _ in ways),
            "likelihood": np.array([likelihood for *_, likelihood in ways]),
            "spoken": self.spoken,
            "counts": self.counts,
            "index": self.index,
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Sounds":
        """What ``arrays`` gave."""
        letters, heard = (arrays[name].tobytes().decode().split("\n")[:-1] for name in ("letters", "heard"))
        pieces: dict[str, Ways] = {}
        for piece, way in zip(letters, zip(heard, arrays["likelihood"].tolist(), strict=True), strict=True):
            pieces[piece] = (*pieces.get(piece, ()), way)
        return cls(pieces, arrays["spoken"], arrays["counts"], arrays["index"])

    def _read(self, word: str) -> tuple[bytes, ...]:
        if not self.pieces:
            return ()
        edged, after = f"{EDGE}{word}{EDGE}", len(word)
        ways: list[dict[str, float]] = [{"": 0.0}, *({} for _ in word)]
        for start in range(after):
            heard = list(ways[start].items())
            if len(heard) > READINGS:
                heard = sorted(heard, key=_likelihood)[-READINGS:]
            first = start + (start > 0)
            for end in range(start + 1, min(start + PIECE, after) + 1):
                read = self.pieces.get(edged[first : end + 1 + (end == after)])
                if read is None and end == start + 1:
                    read = self.pieces.get(edged[end], (("", SILENT),))
                for sounds, likelihood in read or ():
                    for before, so_far in heard:
                        now = before + (sounds[1:] if before and sounds[:1] == before[-1] else sounds)
                        if ways[end].get(now, -np.inf) < so_far + likelihood:
                            ways[end][now] = so_far + likelihood
        best = sorted(ways[-1].items(), key=_likelihood)[: -READINGS - 1 : -1]
        return tuple(dict.fromkeys(sounds.encode()[:SPOKEN] for sounds, _ in best))

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        starts: NDArray[np.int64] = np.cumsum(self.counts, dtype=np.int64) - self.counts
        return starts

    @cached_property
    def _place(self) -> NDArray[np.int32]:
        """Where in ``spoken`` an offered word is, by its place in the lexicon."""
        place = np.zeros(int(self.index.max(initial=-1)) + 1, np.int32)
        place[self.index] = np.repeat(np.arange(len(self.spoken), dtype=np.int32), self.counts)
        return place


def _lines(texts: Iterable[str]) -> NDArray[np.uint8]:
    return np.frombuffer("".join(f"{text}\n" for text in texts).encode(), np.uint8)


def _likelihood(way: tuple[str, float]) -> float:
    return way[1]
