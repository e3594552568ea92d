"""The pieces of words that may be miswritten."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sites:
    """The pieces of words that may be miswritten, word by word.

    Attributes:
        offsets: ``(words + 1,)`` where each word's sites begin.
        starts: ``(sites,)`` the letter where the piece begins.
        rows: ``(sites,)`` the row of ``Rewrites`` that says how.
        weights: ``(sites,)`` how often, to compare within a word.
    """

    offsets: NDArray[np.int64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    weights: NDArray[np.float64]

    @classmethod
    def of_columns(
        cls, words: int, owners: NDArray[np.int64], starts: NDArray[np.int64], rows: NDArray[np.int64],
        weights: NDArray[np.float64],
    ) -> "Sites":  # fmt: skip
        """From the word each site belongs to, in any order."""
        order = np.argsort(owners, kind="stable")
        return cls(
            offsets=np.searchsorted(owners[order], np.arange(words + 1)),
            starts=starts[order],
            rows=rows[order],
            weights=weights[order],
        )

    def noticeable(self, least: float) -> "Sites":
        """Only those that weigh at least this share of the heaviest of their word."""
        sizes = np.diff(self.offsets)
        owners = np.repeat(np.arange(len(sizes)), sizes)
        heaviest = np.zeros(len(sizes))
        np.maximum.at(heaviest, owners, self.weights)
        kept = self.weights >= least * heaviest[owners]
        return Sites.of_columns(len(sizes), owners[kept], self.starts[kept], self.rows[kept], self.weights[kept])

    def shifted(self, rows: int) -> "Sites":
        """The same, where ``rows`` other rows come before theirs."""
        return replace(self, rows=self.rows + rows)

    @classmethod
    def merged(cls, parts: Sequence["Sites"]) -> "Sites":
        """The sites of all parts, each word's with the same weight from each part."""
        words = len(parts[0].offsets) - 1
        owners, weights = [], []
        for part in parts:
            sizes = np.diff(part.offsets)
            owner = np.repeat(np.arange(words), sizes)
            totals = np.bincount(owner, part.weights, words)
            owners.append(owner)
            weights.append(part.weights / totals[owner])
        return cls.of_columns(
            words,
            np.concatenate(owners),
            np.concatenate([part.starts for part in parts]),
            np.concatenate([part.rows for part in parts]),
            np.concatenate(weights),
        )
