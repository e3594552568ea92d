"""Ways of writing a piece of a word, each with its weight: what every kind of error is drawn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speller.alphabet import PADDING
from speller.train.errors.alignment import LONGEST

COPIED = -LONGEST
"""``COPIED + place`` in what is written stands for the letter at that place of the piece, so that "letter doubled" and
"letters swapped" are one way of writing for all letters."""


@dataclass(frozen=True)
class Rewrites:
    """Rows of ways to write a piece of a word.

    Attributes:
        spans: ``(rows,)`` how many letters the piece has.
        offsets: ``(rows + 1,)`` where each row's ways begin among all.
        written: ``(ways, LONGEST)`` symbols, padded; below 0 they count from ``COPIED``.
        weights: ``(ways,)`` above 0, on a scale of the row's own.
    """

    spans: NDArray[np.int64]
    offsets: NDArray[np.int64]
    written: NDArray[np.int64]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.spans)

    @classmethod
    def of_rows(cls, rows: Sequence[tuple[int, Mapping[tuple[int, ...], float]]]) -> "Rewrites":
        """From the span of each row and its ways of writing, tuples of at most ``LONGEST`` symbols, with weights."""
        ways = [(symbols, weight) for _, row in rows for symbols, weight in row.items()]
        written = np.full((len(ways), LONGEST), PADDING, np.int64)
        for place, (symbols, _) in enumerate(ways):
            written[place, : len(symbols)] = symbols
        return cls(
            spans=np.array([span for span, _ in rows], np.int64),
            offsets=np.cumsum([0, *(len(row) for _, row in rows)], dtype=np.int64),
            written=written,
            weights=np.array([weight for _, weight in ways], np.float64),
        )

    @classmethod
    def joined(cls, parts: Sequence["Rewrites"]) -> "Rewrites":
        """One after the other: the rows of each part follow those of the parts before it."""
        starts = np.cumsum([0, *(len(part.weights) for part in parts)])
        return cls(
            spans=np.concatenate([part.spans for part in parts]),
            offsets=np.concatenate(
                [*(part.offsets[:-1] + start for part, start in zip(parts, starts, strict=False)), starts[-1:]]
            ),
            written=np.concatenate([part.written for part in parts]),
            weights=np.concatenate([part.weights for part in parts]),
        )

    def taken(self, rows: NDArray[np.int64]) -> "Rewrites":
        """The rows named, in that order."""
        sizes = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        ways = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], sizes)
        return Rewrites(self.spans[rows], offsets, self.written[ways], self.weights[ways])
