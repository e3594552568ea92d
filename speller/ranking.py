"""From candidates to a ranked list with probabilities: a log-linear model over a handful of features."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEATURES = (
    "frequency",  # Zipf
    "distance",  # OSA, from what was written
    "share",  # that distance as a share of the longer word's letters
    "first",  # 1 where the first letters differ
    "forward",  # log P(candidate | written), from the model
    "backward",  # log P(written | candidate), from the model
    "kept",  # 1 for the word as it was written, a candidate too: it may be right, or be none of the others
    "kept-length",  # its letters
    "kept-forward",  # log P(written | written), from the model that reads a misspelling
    "kept-backward",  # the same from the model that writes one
)
"""What a candidate is judged by, in the order of ``Stage.weights``."""

COLUMN = {name: place for place, name in enumerate(FEATURES)}


@dataclass(frozen=True)
class Stage:
    """One reading of the candidates.

    Attributes:
        weights: a weight for each of ``FEATURES``; those that the stage does not look at have weight 0.
        keep: how many candidates for each word go on to the next stage.
    """

    weights: Mapping[str, float]
    keep: int

    def __post_init__(self) -> None:
        if unknown := set(self.weights) - set(FEATURES):
            raise ValueError(f"the ranking has no feature {', '.join(sorted(unknown))}; it has {', '.join(FEATURES)}")
        if self.keep < 1:
            raise ValueError(f"a stage keeps at least 1 candidate, not {self.keep}")

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """The weighted sum of features ``(candidates, features)``: ``(candidates,)``."""
        vector = np.array([self.weights.get(name, 0.0) for name in FEATURES])
        scores: NDArray[np.float64] = features.astype(np.float64) @ vector
        return scores


@dataclass(frozen=True)
class Ranking:
    """Three stages, each dearer than the one before and shown fewer candidates.

    Attributes:
        plain: without the network: frequency and distance alone.
        forward: with the model's reading of the misspelling.
        both: with its reading in both directions; its softmax is the probability.
    """

    plain: Stage
    forward: Stage
    both: Stage


def probabilities(scores: NDArray[np.float64], rows: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """The softmax of scores ``(candidates,)`` among those of the same word: ``rows`` tells which of ``count``."""
    highest = np.full(count, -np.inf)
    np.maximum.at(highest, rows, scores)
    weights = np.exp(scores - highest[rows])
    total = np.zeros(count)
    np.add.at(total, rows, weights)
    shares: NDArray[np.float64] = weights / total[rows]
    return shares
