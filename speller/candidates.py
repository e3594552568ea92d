"""The words that may have been meant, and what speaks for each: neighbours and beam, judged by the model."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from queue import LifoQueue
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import cpdist

from speller.alphabet import CORRECT, MISSPELL
from speller.beam import beam_search
from speller.breadth import SEVERAL, Breadth, breadth_for
from speller.lexicon import Lexicon
from speller.likeness import Likeness
from speller.neighbours import Neighbours
from speller.ranking import COLUMN, FEATURES, Ranking, Stage, weighed
from speller.reader import Reader, Spelt
from speller.runtime import Memory, Runtime
from speller.sounds import READINGS

LONGEST = 40
"""Words of more letters are neither trained on nor corrected."""

READERS = min(4, os.cpu_count() or 1)
"""So many threads read at once; each one's reader remembers beginnings of its own."""

AS_WRITTEN = -1
"""The index of the candidate that is the word as it was written."""

Depth = Literal["plain", "full"]
"""How far the ranking looks: without the network, or with it."""

Proposals = list[list[tuple[int, float]]]
"""What the model writes for each of some words: places in the lexicon and log-probabilities, best first."""


@dataclass(frozen=True)
class Candidates:
    """What may have been meant by each of some words, the word as it was written among them.

    Attributes:
        words: what was written, folded.
        rows: ``(candidates,)``, the place in ``words`` that each is a candidate for, ascending.
        indices: ``(candidates,)``, places in the lexicon, or ``AS_WRITTEN``.
        features: ``(candidates, features)``, in the order of ``FEATURES``.
        heard: ``(candidates,)``, those that were found because they sound as what was written is read.
        share: ``(words,)``, how probable it is that one of these was meant, by the stages that left others out.
    """

    words: Sequence[str]
    rows: NDArray[np.int64]
    indices: NDArray[np.int64]
    features: NDArray[np.float32]
    heard: NDArray[np.bool_]
    share: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence["Candidates"]) -> "Candidates":
        """The candidates for the words of all parts, one part after the other."""
        starts = np.cumsum([0, *(len(part.words) for part in parts)])
        return cls(
            [word for part in parts for word in part.words],
            np.concatenate([part.rows + start for part, start in zip(parts, starts, strict=False)]),
            np.concatenate([part.indices for part in parts]),
            np.concatenate([part.features for part in parts]),
            np.concatenate([part.heard for part in parts]),
            np.concatenate([part.share for part in parts]),
        )

    def best(
        self,
        stage: Stage,
        keep: int,
        *,
        wanted: int = 1,
        margin: float = np.inf,
        always: NDArray[np.bool_] | None = None,
    ) -> "Candidates":
        """The candidates that a stage scores highest, and always the one as written.

        Args:
            stage: what scores them.
            keep: so many for each word at most.
            wanted: how many for each are of interest.
            margin: none whose score is farther than this below that of the last one wanted.
            always: ``(candidates,)``, which others are kept whatever their score.
        """
        scores = stage.scores(self.features)
        share, _ = weighed(scores, self.rows, len(self.words))
        scores[self.kept] = np.inf
        # The rows ascend, so they stay in their order.
        order = np.lexsort((-scores, self.rows))
        scores = scores.take(order)
        bounds = self.rows.searchsorted(np.arange(len(self.words) + 1))
        first, last = bounds[:-1], np.minimum(bounds[:-1] + wanted, bounds[1:] - 1)
        # The word as it was written has place 0.
        place = np.arange(len(order)) - first.take(self.rows)
        chosen = (place <= keep) & (scores >= (scores.take(last) - margin).take(self.rows))
        if always is not None:
            chosen |= always.take(order)
        kept = order.compress(chosen)
        left = self.share * np.bincount(self.rows.take(kept), share.take(kept), len(self.words))
        return self.some(kept, share=left)

    @cached_property
    def offered(self) -> NDArray[np.int64]:
        """Which are in the lexicon."""
        places: NDArray[np.int64] = (self.indices != AS_WRITTEN).nonzero()[0]
        return places

    @cached_property
    def kept(self) -> NDArray[np.int64]:
        """Which are the word as it was written."""
        places: NDArray[np.int64] = (self.indices == AS_WRITTEN).nonzero()[0]
        return places

    def enter(self, of_offered: Mapping[str, ArrayLike], of_kept: Mapping[str, ArrayLike]) -> None:
        """Enter features, by their names, of those in the lexicon and of the words as they were written."""
        for which, named in ((self.offered, of_offered), (self.kept, of_kept)):
            for name, values in named.items():
                self.features[which, COLUMN[name]] = values

    def some(self, chosen: NDArray[np.integer | np.bool_], *, share: NDArray[np.float64] | None = None) -> "Candidates":
        """Some of the candidates for the same words, with another share where there is one."""
        return Candidates(
            self.words,
            self.rows[chosen],
            self.indices[chosen],
            self.features[chosen],
            self.heard[chosen],
            self.share if share is None else share,
        )

    def weighed(self, stage: Stage) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What a stage's scores come to.

        Returns:
            the probability ``(candidates,)`` of each to have been meant; and ``(words,)``, the logarithm of what all
            candidates of each weigh together.
        """
        probabilities, log_totals = weighed(stage.scores(self.features), self.rows, len(self.words))
        return probabilities * self.share.take(self.rows), log_totals - np.log(self.share)


class CandidateSearch:
    """Finds candidates and judges them with the model.

    Several threads may call ``find`` and ``write`` at once: ``READERS`` of them read, others wait for their turn.

    Args:
        lexicon: the words to choose from.
        runtime: the model.
        priors: ``(words of the lexicon,)``, the log-probability of each where the model read nothing.
        ranking: what decides which candidates the model judges.

    Raises:
        ValueError: for a model over another alphabet, or priors of other words.
    """

    def __init__(self, lexicon: Lexicon, runtime: Runtime, priors: NDArray[np.floating], ranking: Ranking) -> None:
        if priors.shape != (len(lexicon),):
            raise ValueError(f"priors for each of the lexicon's {len(lexicon)} words are needed, not {priors.shape}")
        self.lexicon = lexicon
        self.priors = priors
        self.ranking = ranking
        self.reader = Reader(lexicon, runtime)
        self._neighbours = Neighbours(lexicon)
        self._likeness = Likeness(ranking.alike)
        # The reader on top is used first, the others are made when they are needed.
        self._readers: LifoQueue[Reader | None] = LifoQueue()
        for reader in (*[None] * (READERS - 1), self.reader):
            self._readers.put(reader)

    def find(self, words: Sequence[str], *, wanted: int = 5, depth: Depth = "full") -> Candidates:
        """The candidates for folded words of at least one letter each, a known word itself among its own.

        Args:
            words: what was written.
            wanted: how many for each are of interest: others are looked at while they may yet be among these.
            depth: how far to look. Without the network, the candidates are the nearest words alone.
        """
        ranking, breadth = self.ranking, breadth_for(wanted)
        if depth == "plain":
            return self.gather(words, breadth).best(ranking.plain, breadth.plain)
        with self._reading() as reader:
            candidates, memory = self.collect(reader, words, breadth)
            candidates = candidates.best(
                ranking.plain, breadth.plain, wanted=wanted, margin=breadth.plain_margin, always=candidates.heard
            )
            misspelled = self.judge(reader, candidates, memory)
            del memory  # it is as large as what is read next
            candidates = candidates.best(ranking.read, breadth.read, wanted=wanted, margin=breadth.read_margin)
            self.judge_reversed(reader, candidates, misspelled)
        return candidates

    def collect(
        self, reader: Reader, words: Sequence[str], breadth: Breadth, *, leave_out: NDArray[np.int64] | None = None
    ) -> tuple[Candidates, Memory]:
        """What may have been meant, and what the model made of the words.

        That is, the nearest words, those that sound as what was written is read, and where none is near, what the model
        proposes.

        Args:
            reader: the model.
            words: what was written.
            breadth: how many candidates to look at.
            leave_out: ``(words,)``, a place in the lexicon that is no candidate for the word, as if it were not known.
        """
        memory = reader.read(words)
        left_out = [AS_WRITTEN] * len(words) if leave_out is None else leave_out.tolist()
        found, far = [], []
        for place, (indices, distances) in enumerate(self._nearest(words, breadth)):
            offered = indices != left_out[place]
            found.append(indices[offered])
            if not any(distances[offered][:1] <= breadth.near * len(words[place])):
                far.append(place)
        if far:
            unread = Memory(memory.keys[far], memory.values[far], memory.lengths[far])
            proposals = beam_search(reader, self.lexicon, unread, width=breadth.proposed)
            for place, proposed in zip(far, proposals, strict=True):
                written = [index for index, _ in proposed if index != left_out[place]]
                found[place] = np.concatenate((found[place], np.array(written, np.int64)))
        sounds = self.lexicon.sounds
        alike = [sounds.alike(sounds.read(word), breadth.sounding) for word in words]
        heard = [indices[indices != left_out[place]] for place, indices in enumerate(alike)]
        return self._gather(words, found, heard), memory

    def write(self, words: Sequence[str]) -> Proposals:
        """What the model alone proposes along the lexicon: for each word, indices and log-probabilities, best first."""
        with self._reading() as reader:
            return beam_search(reader, self.lexicon, reader.read(words), width=SEVERAL.proposed)

    def gather(self, words: Sequence[str], breadth: Breadth) -> Candidates:
        """The nearest words alone."""
        nothing = [np.empty(0, np.int64)] * len(words)
        return self._gather(words, [indices for indices, _ in self._nearest(words, breadth)], nothing)

    def judge(self, reader: Reader, candidates: Candidates, memory: Memory) -> Spelt:
        """Enter what the second stage looks at: sounds, outlines, and what the model makes of the candidates.

        That last is, having read what was written, and having read nothing.

        Returns:
            what was written, spelt as misspellings: what ``judge_reversed`` asks about.
        """
        offered, kept = candidates.offered, candidates.kept
        texts = self._texts(candidates)
        reader.beginnings.make_room()
        directions = [CORRECT] * len(texts) + [MISSPELL] * len(candidates.words)
        spelt = reader.spell([*texts, *candidates.words], directions)
        meant, misspelled = spelt[: len(texts)], spelt[len(texts) :]
        read = reader.log_probs(memory, candidates.rows, meant)
        candidates.enter(
            {
                "outline": self._outline(candidates, texts),
                "sound": self._sound(candidates),
                "read": read.take(offered),
                "unread": self.priors.take(candidates.indices.take(offered)),
            },
            {"kept-read": read.take(kept), "kept-unread": reader.unread_log_probs(meant[kept])},
        )
        return misspelled

    def judge_reversed(self, reader: Reader, candidates: Candidates, misspelled: Spelt) -> None:
        """Enter what the model makes of what was written, having read the candidates."""
        reverse = reader.reverse_log_probs(self._texts(candidates), misspelled[candidates.rows])
        candidates.enter({"reverse": reverse.take(candidates.offered)}, {"kept-reverse": reverse.take(candidates.kept)})

    @contextmanager
    def _reading(self) -> Iterator[Reader]:
        reader = self._readers.get() or Reader(self.lexicon, self.reader.runtime)
        whole = False
        try:
            yield reader
            whole = True
        finally:
            # What an error cut off has left half made serves no more.
            self._readers.put(reader if whole else None)

    def _nearest(self, words: Sequence[str], breadth: Breadth) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        return self._neighbours.nearest(words, breadth.neighbours, beyond=breadth.beyond)

    def _gather(
        self, words: Sequence[str], found: Sequence[NDArray[np.int64]], heard: Sequence[NDArray[np.int64]]
    ) -> Candidates:
        """The candidates for words: those that were found for each, by letters or by sound, and the word itself."""
        # One number for each: the word that was written comes after the lexicon's, and sorts behind them.
        as_written, stride = len(self.lexicon), len(self.lexicon) + 1
        listed = [row * stride + indices for several in (found, heard) for row, indices in enumerate(several)]
        by_sound = np.concatenate([np.empty(0, np.int64), *listed[len(words) :]])
        numbers = np.sort(np.concatenate((*listed, np.arange(len(words)) * stride + as_written)))
        numbers = numbers.compress(numbers > np.concatenate(([-1], numbers[:-1])))
        rows, indices = np.divmod(numbers, stride)
        features = np.zeros((len(rows), len(FEATURES)), np.float32)
        indices[indices == as_written] = AS_WRITTEN
        sounding = np.zeros(len(rows), np.bool_)
        sounding[numbers.searchsorted(by_sound)] = True
        candidates = Candidates(words, rows, indices, features, sounding, np.ones(len(words)))
        attestations = [self.lexicon.attested.look_up(word) for word in words]
        candidates.enter(
            self._described(candidates),
            {
                "kept": np.ones(len(words)),
                "kept-length": [len(word) for word in words],
                "kept-listed": [attestation.listed for attestation in attestations],
                "kept-frequency": [attestation.zipf for attestation in attestations],
            },
        )
        return candidates

    def _outline(self, candidates: Candidates, texts: Sequence[str]) -> NDArray[np.float32]:
        """How far apart the outlines of what was written and of the candidates in the lexicon are."""
        written = [self._likeness.outline(word) for word in candidates.words]
        meant = self._likeness.outlines(texts[place] for place in candidates.offered.tolist())
        outlines = [written[row] for row in candidates.rows.take(candidates.offered).tolist()]
        apart: NDArray[np.float32] = cpdist(outlines, meant, scorer=OSA.distance, dtype=np.float32)
        return apart

    def _sound(self, candidates: Candidates) -> NDArray[np.float32]:
        """How far apart what was written and the candidates in the lexicon sound, by the nearest reading."""
        readings = [self.lexicon.sounds.read(word) for word in candidates.words]
        rows, indices = candidates.rows.take(candidates.offered), candidates.indices.take(candidates.offered)
        if not any(readings):
            return np.zeros(len(rows), np.float32)
        read = [readings[row] for row in rows.tolist()]
        ways = [each[way % len(each)] for way in range(READINGS) for each in read]
        apart = cpdist(ways, self.lexicon.sounds.of(indices) * READINGS, scorer=OSA.distance, dtype=np.float32)
        nearest: NDArray[np.float32] = apart.reshape(READINGS, -1).min(axis=0)
        return nearest

    def _described(self, candidates: Candidates) -> dict[str, NDArray[np.floating]]:
        """What the first stage looks at, of candidates in the lexicon."""
        rows, indices = candidates.rows.take(candidates.offered), candidates.indices.take(candidates.offered)
        written = [candidates.words[row] for row in rows.tolist()]
        meant = self.lexicon.words.some(indices)
        distance = cpdist(written, meant, scorer=OSA.distance, dtype=np.float32)
        nearest = np.full(len(candidates.words), np.inf, np.float32)
        np.minimum.at(nearest, rows, distance)
        length = np.fromiter(map(len, meant), np.float64, len(meant))
        longer = np.maximum(length, np.fromiter(map(len, written), np.float64, len(written)))
        return {
            "frequency": self.lexicon.zipf.take(indices),
            "distance": distance,
            # A known word is no distance from itself.
            "relative": distance / np.maximum(nearest.take(rows), 1),
            "share": distance / longer,
            "length": length,
            "first": np.array([a[0] != b[0] for a, b in zip(written, meant, strict=True)], np.float32),
        }

    def _texts(self, candidates: Candidates) -> list[str]:
        texts = self.lexicon.words.some(np.maximum(candidates.indices, 0))
        for place, word in zip(candidates.kept.tolist(), candidates.words, strict=True):
            texts[place] = word
        return texts
