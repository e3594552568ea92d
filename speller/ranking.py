"""From candidates to a ranked list with probabilities: a log-linear model over a handful of features."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from speller.spacing import Spacing

FEATURES = (
    "frequency",  # Zipf
    "distance",  # OSA, from what was written
    "relative",  # that distance over the nearest candidate's: what is two edits away is far where another is one away
    "share",  # the distance as a share of the longer word's letters
    "first",  # 1 where the first letters differ
    "length",  # the candidate's letters
    "sound",  # OSA distance of what both sound like, by the nearest of the ways to read what was written
    "outline",  # OSA distance of the outlines, in which letters that people take for one another are the same
    "read",  # log P(candidate | written), from the model
    "unread",  # log P(candidate), from the model where it read nothing
    "kept",  # 1 for the word as it was written, a candidate too: it may be right, or be none of the others
    "kept-length",  # its letters
    "kept-listed",  # 1 where a list of rare words and names has it
    "kept-frequency",  # its Zipf frequency, though the lexicon lacks it; 0 where none was counted
    "kept-read",  # log P(written | written), from the model
    "kept-unread",  # log P(written)
    "reverse",  # log P(written | candidate): the model read the candidate, and how probably does it write what was?
    "kept-reverse",  # log P(written | written), that way round
)
"""What a candidate is judged by, in the order of ``Stage.weights``."""

COLUMN = {name: place for place, name in enumerate(FEATURES)}


@dataclass(frozen=True)
class Stage:
    """One look at the candidates.

    Attributes:
        weights: a weight for each of ``FEATURES``; those that the stage does not look at have weight 0.
    """

    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        if unknown := set(self.weights) - set(FEATURES):
            raise ValueError(f"the ranking has no feature {', '.join(sorted(unknown))}; it has {', '.join(FEATURES)}")

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """The weighted sum of features ``(candidates, features)``: ``(candidates,)``."""
        scores: NDArray[np.float64] = features.astype(np.float64) @ self._vector
        return scores

    @cached_property
    def _vector(self) -> NDArray[np.float64]:
        return np.array([self.weights.get(name, 0.0) for name in FEATURES])


@dataclass(frozen=True)
class Ranking:
    """Three stages, each dearer than the one before.

    Attributes:
        plain: without the network: frequency, distance and length alone.
        read: with what the model makes of the candidates, having read what was written.
        full: with what it makes of what was written, having read the candidates, too; its softmax is the probability.
        alike: groups of letters that people take for one another.
        spacing: what two words for one, and one for two, score beside the third's; None where they are not candidates.
    """

    plain: Stage
    read: Stage
    full: Stage
    alike: tuple[str, ...] = ()
    spacing: Spacing | None = None


def weighed(
    scores: NDArray[np.float64], rows: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What scores ``(candidates,)`` come to among those of the same word: ``rows`` tells which of ``count``.

    Returns:
        probabilities ``(candidates,)``, their softmax; and ``(count,)``, the log-sum-exp of each word's, which has at
        least one.
    """
    highest = np.full(count, -np.inf)
    np.maximum.at(highest, rows, scores)
    weights = np.exp(scores - highest.take(rows))
    totals = np.bincount(rows, weights, count)
    return weights / totals.take(rows), highest + np.log(totals)
