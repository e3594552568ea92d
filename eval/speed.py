"""How fast a system is: one word after another, and many at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speller.eval.metrics import RESAMPLES, SEED, Estimate


@dataclass(frozen=True)
class Timing:
    """What was timed."""

    load_seconds: float
    """How long it took to make the system."""
    milliseconds: NDArray[np.float64]
    """``(words,)``: how long words took that were given one by one."""
    batches: Sequence[tuple[int, float]]
    """The words of each batch and its seconds; empty for a system that takes one word at a time."""


@dataclass(frozen=True)
class Speed:
    """A system's speed, with intervals over the words, and the batches, that were timed."""

    load_seconds: float
    words_per_second: Estimate
    """In batches where the system takes batches, else one by one."""
    p50: Estimate
    """Milliseconds for a word alone: half of the words take no longer."""
    p99: Estimate
    """And 99 of 100 words."""

    @classmethod
    def of(cls, timing: Timing) -> "Speed":
        """The speed that timings show (percentile bootstrap over words and over batches)."""
        generator = np.random.default_rng(SEED)
        alone = timing.milliseconds
        drawn = alone[generator.integers(len(alone), size=(RESAMPLES, len(alone)))]
        of_words = np.percentile(drawn, [50, 99], axis=1)
        p50, p99 = (
            _estimate(float(np.percentile(alone, percent)), values)
            for percent, values in zip((50, 99), of_words, strict=True)
        )
        many = np.array(timing.batches or [(1, each / 1000) for each in alone], np.float64)  # (batches, 2)
        sums = many[generator.integers(len(many), size=(RESAMPLES, len(many)))].sum(axis=1)
        words, seconds = many.sum(axis=0)
        return cls(timing.load_seconds, _estimate(float(words / seconds), sums[:, 0] / sums[:, 1]), p50, p99)


def _estimate(value: float, drawn: NDArray[np.float64]) -> Estimate:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(value, float(low), float(high))
