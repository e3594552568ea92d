"""What is measured, how sure it is, and whether two systems differ.

Misspellings of one right word stand or fall together, so the unit that is drawn anew (for an interval) or exchanged
(for a test) is the right word with all its rows, never the row: by rows, intervals come out too narrow.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from speller.eval.folder import write_whole

Floats = NDArray[np.float64]

RESAMPLES = 1000
"""How often the data are drawn anew for an interval."""

EXCHANGES = 10_000
"""How often systems are exchanged for a test."""

AT_ONCE = 4_000_000
"""How many numbers of resamples or exchanges are held in memory at once: 32 MB."""

SEED = 0
"""Of all draws, where no other is named: the same answers give the same figures."""


@dataclass(frozen=True)
class Outcome:
    """How one system fared, row by row; every field is ``(rows,)``."""

    rank: NDArray[np.int64]
    """The place of the right word among the answers, from 1; 0 where it is not among them."""
    before: NDArray[np.int64]
    """The Levenshtein distance of what was written from the right word."""
    after: NDArray[np.int64]
    """That of the first answer; of what was written where there is none."""
    length: NDArray[np.int64]
    """The letters of the right word."""
    probability: Floats
    """What the system gives its first answer, from 0 to 1; NaN where it gives none."""
    misspelt: NDArray[np.bool_]
    """Whether what was written is wrong; the fields above say nothing where it is not."""
    changed: NDArray[np.bool_]
    """Whether the system, left to itself, writes something else."""

    @classmethod
    def of(
        cls,
        wrong: Sequence[str],
        right: Sequence[str],
        answers: Sequence[Sequence[str]],
        *,
        changed: Sequence[bool],
        probability: Sequence[float],
    ) -> "Outcome":
        """The outcome of ranked answers, none of which is what was written."""
        first = [ranked[0] if ranked else word for word, ranked in zip(wrong, answers, strict=True)]
        ranks = [ranked.index(word) + 1 if word in ranked else 0 for word, ranked in zip(right, answers, strict=True)]
        return cls(
            rank=np.array(ranks, np.int64),
            before=_distances(wrong, right),
            after=_distances(first, right),
            length=np.array([len(word) for word in right], np.int64),
            probability=np.array(probability, np.float64),
            misspelt=np.array([word != meant for word, meant in zip(wrong, right, strict=True)], bool),
            changed=np.array(changed, bool),
        )

    def part(self, rows: NDArray[np.bool_]) -> "Outcome":
        """The outcome of the rows that are chosen, ``(rows,)``."""
        return Outcome(**{name: values[rows] for name, values in vars(self).items()})

    def save(self, path: Path) -> None:
        """Write the outcome as JSON, in one move."""
        write_whole(path, json.dumps({name: values.tolist() for name, values in vars(self).items()}) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Outcome":
        """Read what ``save`` wrote."""
        stated = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{name: np.array(values) for name, values in stated.items()})


Terms = NDArray[np.generic] | float
Ratio = Callable[[Outcome], tuple[Terms, Terms]]
"""A measure as a numerator and a denominator for every row; its value is the ratio of their sums."""

CORRECTION: Mapping[str, Ratio] = {
    "top1": lambda outcome: (outcome.rank == 1, 1.0),
    "top5": lambda outcome: ((outcome.rank >= 1) & (outcome.rank <= 5), 1.0),
    "top10": lambda outcome: ((outcome.rank >= 1) & (outcome.rank <= 10), 1.0),
    "mean_reciprocal_rank": lambda outcome: (np.where(outcome.rank >= 1, 1 / np.maximum(outcome.rank, 1), 0), 1.0),
    "distance_before": lambda outcome: (outcome.before, 1.0),
    "distance_after": lambda outcome: (outcome.after, 1.0),
    "distance_removed": lambda outcome: (outcome.before - outcome.after, outcome.before),
    "character_error_rate": lambda outcome: (outcome.after, outcome.length),
}
"""How well misspellings are corrected; over misspelt rows."""

DETECTION: Mapping[str, Ratio] = {
    "precision": lambda outcome: (outcome.changed & outcome.misspelt, outcome.changed),
    "recall": lambda outcome: (outcome.changed & outcome.misspelt, outcome.misspelt),
    # (1 + 0.5²) P R / (0.5² P + R), written out in counts: a false alarm weighs more than a miss.
    "f0.5": lambda outcome: (
        1.25 * (outcome.changed & outcome.misspelt),
        1.0 * outcome.changed + 0.25 * outcome.misspelt,
    ),
}
"""How well misspellings are told from valid words; over rows of both kinds."""


@dataclass(frozen=True)
class Estimate:
    """A value and the interval that holds it with 95 % confidence (percentile bootstrap, Efron 1979)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """How a first system differs from a second on the same rows: their difference, and how likely chance gives it."""

    difference: Estimate
    p_value: float

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Comparison":
        """The comparison that ``asdict`` and JSON made plain data of."""
        return cls(Estimate(**data["difference"]), data["p_value"])


def read_measures(data: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Estimate]]:
    """The measures of each set of rows that ``asdict`` and JSON made plain data of."""
    return {name: {key: Estimate(**value) for key, value in found.items()} for name, found in data.items()}


class Sample:
    """The rows' right words, drawn anew and exchanged: the same draws for every system, so that differences pair.

    Args:
        right: the right word of every row.
        seed: of the draws.
    """

    def __init__(self, right: Sequence[str], *, seed: int = SEED) -> None:
        self._seed = seed
        place = {word: number for number, word in enumerate(dict.fromkeys(right))}
        self._group = np.array([place[word] for word in right], np.int64)
        self._groups = len(place)

    def measure(self, outcome: Outcome, rows: NDArray[np.bool_], measures: Mapping[str, Ratio]) -> dict[str, Estimate]:
        """Every one of the measures over the rows that are chosen, ``(rows,)``; NaN where they say nothing of it."""
        return {name: self._estimate(*ratio(outcome), rows) for name, ratio in measures.items()}

    def compare(self, first: Outcome, second: Outcome, name: str) -> Comparison:
        """The difference of a correction measure over the misspelt rows, first minus second, and a paired test of it.

        The two-sided test exchanges the two systems' results on a random half of the right words (approximate
        randomization, Noreen 1989); the probability counts the observed result in, so it is never 0 (Phipson & Smyth
        2010). It is for the measures that are means over rows. Unlike McNemar's or Wilcoxon's it takes yes and no and
        distances alike, and the rows of one word for what they are: not independent.
        """
        (one, weight), (other, _) = CORRECTION[name](first), CORRECTION[name](second)
        if not isinstance(weight, float):
            raise ValueError(f"a paired test is for a mean over rows, such as top1 or distance_after, not for {name}")
        difference = (np.asarray(one, np.float64) - np.asarray(other, np.float64)) * first.misspelt
        sums = np.bincount(self._group, difference, self._groups)
        # Sums of the same terms in another order differ in their last bits.
        least = abs(sums.sum()) - 1e-6
        generator = np.random.default_rng(self._seed)
        extreme = 0
        for block in _blocks(EXCHANGES, self._groups):
            signs = generator.integers(2, size=(len(block), self._groups), dtype=np.int8) * 2.0 - 1.0
            extreme += int((np.abs(signs @ sums) >= least).sum())
        return Comparison(self._estimate(difference, 1.0, first.misspelt), (1 + extreme) / (1 + EXCHANGES))

    def resample(self, terms: NDArray[np.generic]) -> tuple[Floats, Floats]:
        """Sums over all rows and over each resample's: ``(rows, terms)`` to ``(terms,)`` and ``(RESAMPLES, terms)``."""
        of_groups = np.stack([np.bincount(self._group, column, self._groups) for column in terms.T], axis=1)
        blocks = (self._draws[block.start : block.stop] for block in _blocks(RESAMPLES, self._groups))
        return of_groups.sum(axis=0), np.concatenate([block.astype(np.float64) @ of_groups for block in blocks])

    def _estimate(self, numerator: Terms, denominator: Terms, rows: NDArray[np.bool_]) -> Estimate:
        terms = [np.broadcast_to(side, rows.shape) * rows for side in (numerator, denominator)]
        total, drawn = self.resample(np.stack(terms, axis=1))
        return ratio_estimate(total, drawn)

    @cached_property
    def _draws(self) -> NDArray[np.uint8]:
        """How often each right word is in each resample: ``(RESAMPLES, words)``."""
        generator = np.random.default_rng(self._seed)
        draws = np.empty((RESAMPLES, self._groups), np.uint8)
        for resample in draws:
            resample[:] = np.bincount(generator.integers(self._groups, size=self._groups), minlength=self._groups)
        return draws


def _blocks(rows: int, width: int) -> Iterator[range]:
    """Rows of this many numbers in blocks of about ``AT_ONCE`` numbers."""
    size = max(1, AT_ONCE // max(width, 1))
    return (range(start, min(start + size, rows)) for start in range(0, rows, size))


def ratio_estimate(total: Floats, drawn: Floats) -> Estimate:
    """The ratio of two sums, ``(2,)``, with its interval by those of the resamples, ``(RESAMPLES, 2)``; NaN of none."""
    if not total[1]:
        return Estimate(np.nan, np.nan, np.nan)
    # A draw may miss all of a small choice of rows.
    drawn = drawn[drawn[:, 1] > 0]
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    return Estimate(float(total[0] / total[1]), float(low), float(high))


def _distances(words: Sequence[str], rights: Sequence[str]) -> NDArray[np.int64]:
    return np.array([Levenshtein.distance(*pair) for pair in zip(words, rights, strict=True)], np.int64)
