"""The words that may have been meant, and what speaks for each: neighbours and beam, read by the model both ways."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import cpdist

from speller.alphabet import CORRECT, END, MISSPELL
from speller.beam import beam_search
from speller.lexicon import Lexicon
from speller.neighbours import Neighbours
from speller.ranking import COLUMN, FEATURES, Ranking, Stage, probabilities
from speller.runtime import Runtime

NEIGHBOURS = 40
"""How many nearest words of the lexicon are candidates."""

BEAM_WIDTH = 12
"""How many words the model may propose, along the lexicon."""

LONGEST = 40
"""Words of more letters are neither trained on nor corrected."""

ROWS_AT_ONCE = 64
"""How many words are read or written in one call: few enough to stay in a processor's cache."""

AS_WRITTEN = -1
"""The index of the candidate that is the word as it was written."""

Depth = Literal["plain", "forward", "both"]
"""How far the ranking looks: without the network, with its reading of the misspelling, with both its readings."""


@dataclass(frozen=True)
class Candidates:
    """What may have been meant by each of some words, the word as it was written among them.

    Attributes:
        words: what was written, folded.
        rows: ``(candidates,)``, the place in ``words`` that each is a candidate for, ascending.
        indices: ``(candidates,)``, places in the lexicon, or ``AS_WRITTEN``.
        features: ``(candidates, features)``, in the order of ``FEATURES``.
    """

    words: Sequence[str]
    rows: NDArray[np.int64]
    indices: NDArray[np.int64]
    features: NDArray[np.float32]

    @classmethod
    def joined(cls, parts: Sequence["Candidates"]) -> "Candidates":
        """The candidates for the words of all parts, one part after the other."""
        starts = np.cumsum([0, *(len(part.words) for part in parts)])
        return cls(
            [word for part in parts for word in part.words],
            np.concatenate([part.rows + start for part, start in zip(parts, starts, strict=False)]),
            np.concatenate([part.indices for part in parts]),
            np.concatenate([part.features for part in parts]),
        )

    def best(self, stage: Stage) -> "Candidates":
        """The ``stage.keep`` candidates of each word that the stage scores highest, and always the one as written."""
        scores = np.where(self.indices == AS_WRITTEN, np.inf, stage.scores(self.features))
        order = np.lexsort((-scores, self.rows))
        first = np.searchsorted(self.rows[order], np.arange(len(self.words)))
        rank = np.arange(len(order)) - first[self.rows[order]]
        kept = order[rank <= stage.keep]
        return Candidates(self.words, self.rows[kept], self.indices[kept], self.features[kept])

    def probabilities(self, stage: Stage) -> NDArray[np.float64]:
        """The probability ``(candidates,)`` of each to have been meant, by a stage's scores."""
        return probabilities(stage.scores(self.features), self.rows, len(self.words))


class CandidateSearch:
    """Finds candidates and reads them with the model.

    Args:
        lexicon: the words to choose from.
        runtime: the model.
        ranking: what decides which candidates the dearer readings are for.
    """

    def __init__(self, lexicon: Lexicon, runtime: Runtime, ranking: Ranking) -> None:
        self.lexicon = lexicon
        self.runtime = runtime
        self.ranking = ranking
        self._neighbours = Neighbours(lexicon)

    def find(self, words: Sequence[str], *, depth: Depth = "both") -> Candidates:
        """The candidates for folded words of at least one letter each, a known word itself among its own.

        Args:
            words: what was written.
            depth: how far to look. Without the network, the candidates are the nearest words alone.
        """
        candidates = self.gather(words, with_beam=depth != "plain").best(self.ranking.plain)
        if depth != "plain":
            self.read(candidates)
            candidates = candidates.best(self.ranking.forward)
        if depth == "both":
            self.read_back(candidates)
        return candidates

    def write(self, words: Sequence[str]) -> list[list[tuple[int, float]]]:
        """What the model alone proposes along the lexicon: for each word, indices and log-probabilities, best first."""
        return beam_search(self.runtime, self.lexicon, words, width=BEAM_WIDTH)

    def gather(
        self, words: Sequence[str], *, with_beam: bool = True, leave_out: NDArray[np.int64] | None = None
    ) -> Candidates:
        """The nearest words, joined with the model's proposals, without what the model makes of them.

        Args:
            leave_out: ``(words,)``, a place in the lexicon that is no candidate for the word, as if it were not known.
        """
        found = [indices for indices, _ in self._neighbours.nearest(words, NEIGHBOURS)]
        if with_beam:
            for place, proposals in enumerate(self.write(words)):
                proposed = np.array([index for index, _ in proposals], np.int64)
                found[place] = np.union1d(found[place], proposed)
        if leave_out is not None:
            found = [indices[indices != left] for indices, left in zip(found, leave_out, strict=True)]
        rows = np.repeat(np.arange(len(words)), [len(indices) for indices in found])
        indices = np.concatenate([*found, np.empty(0, np.int64)])
        features = np.zeros((len(rows) + len(words), len(FEATURES)), np.float32)
        self._describe(words, rows, indices, features[: len(rows)])
        features[len(rows) :, COLUMN["kept"]] = 1
        features[len(rows) :, COLUMN["kept-length"]] = [len(word) for word in words]
        rows = np.concatenate((rows, np.arange(len(words))))
        indices = np.concatenate((indices, np.full(len(words), AS_WRITTEN)))
        order = np.argsort(rows, kind="stable")
        return Candidates(words, rows[order], indices[order], features[order])

    def read(self, candidates: Candidates) -> None:
        """Enter log P(candidate | written)."""
        log_probs = self._log_probs(candidates.words, candidates.rows, self._texts(candidates), CORRECT)
        self._note(candidates, "forward", log_probs)

    def read_back(self, candidates: Candidates) -> None:
        """Enter log P(written | candidate)."""
        written = [candidates.words[row] for row in candidates.rows.tolist()]
        log_probs = self._log_probs(self._texts(candidates), np.arange(len(written)), written, MISSPELL)
        self._note(candidates, "backward", log_probs)

    def _describe(
        self, words: Sequence[str], rows: NDArray[np.int64], indices: NDArray[np.int64], features: NDArray[np.float32]
    ) -> None:
        written = [words[row] for row in rows.tolist()]
        meant = [self.lexicon.words[index] for index in indices.tolist()]
        distance = cpdist(written, meant, scorer=OSA.distance, dtype=np.float32)
        features[:, COLUMN["frequency"]] = self.lexicon.zipf[indices]
        features[:, COLUMN["distance"]] = distance
        features[:, COLUMN["share"]] = distance / [max(map(len, pair)) for pair in zip(written, meant, strict=True)]
        features[:, COLUMN["first"]] = [a[0] != b[0] for a, b in zip(written, meant, strict=True)]

    def _texts(self, candidates: Candidates) -> list[str]:
        return [
            candidates.words[row] if index == AS_WRITTEN else self.lexicon.words[index]
            for row, index in zip(candidates.rows.tolist(), candidates.indices.tolist(), strict=True)
        ]

    def _note(self, candidates: Candidates, name: str, log_probs: NDArray[np.float32]) -> None:
        kept = candidates.indices == AS_WRITTEN
        candidates.features[~kept, COLUMN[name]] = log_probs[~kept]
        candidates.features[kept, COLUMN[f"kept-{name}"]] = log_probs[kept]

    def _log_probs(
        self, read: Sequence[str], rows: NDArray[np.int64], written: Sequence[str], direction: int
    ) -> NDArray[np.float32]:
        """The log-probability ``(written,)`` of each word, its end counted in, where ``read[rows]`` was read.

        ``rows`` ascends.
        """
        parts = [np.empty(0, np.float32)]
        for start in range(0, len(written), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            parts.append(
                self._log_probs_at_once(
                    read[some[0] : some[-1] + 1], some - some[0], written[start : start + ROWS_AT_ONCE], direction
                )
            )
        return np.concatenate(parts)

    def _log_probs_at_once(
        self, read: Sequence[str], rows: NDArray[np.int64], written: Sequence[str], direction: int
    ) -> NDArray[np.float32]:
        alphabet = self.lexicon.alphabet
        symbols, lengths = alphabet.encode(read)
        memory = self.runtime.encode(np.insert(symbols, 0, direction, axis=1), lengths + 1)
        letters, target_lengths = alphabet.encode(written)
        previous = np.insert(letters, 0, direction, axis=1)  # (written, longest + 1)
        targets = np.pad(letters, ((0, 0), (0, 1)))
        targets[np.arange(len(targets)), target_lengths] = END
        log_probs, _ = self.runtime.decode(previous, tuple(part[rows] for part in memory.initial), memory, rows)
        chosen = np.take_along_axis(log_probs, targets[..., None], axis=-1)[..., 0]
        real = np.arange(targets.shape[1]) <= target_lengths[:, None]
        total: NDArray[np.float32] = np.where(real, chosen, 0).sum(axis=1)
        return total
