"""How far a system's probabilities can be trusted."""

from dataclasses import dataclass

import numpy as np

from speller.eval.metrics import Estimate, Outcome, Sample, ratio_estimate


@dataclass(frozen=True)
class Calibration:
    """How far probabilities can be trusted: of the answers given 0.8, four in five should be right."""

    error: Estimate
    """The expected calibration error: the bins' mean |accuracy - probability|, by their share of the answers."""
    probability: list[float]
    """The mean probability in each bin that has answers."""
    accuracy: list[Estimate]
    """The share of right answers in it."""
    count: list[int]
    """The answers in it."""


def calibration(outcome: Outcome, sample: Sample, *, bins: int = 10) -> Calibration | None:
    """The reliability of a system's first answers to misspellings, in bins of equal width.

    Naeini et al. 2015; Guo et al. 2017. The error's interval is 1.96 standard errors of the bootstrap to either side
    and no percentiles: what is drawn anew has noise of its own in every bin, so its error is larger than that of the
    data (Kumar et al. 2019), which might lie below all percentiles.

    Args:
        sample: the rows' right words.

    Returns:
        None where the system gives no probabilities.
    """
    given = outcome.misspelt & ~np.isnan(outcome.probability)
    if not given.any():
        return None
    probability, right = np.where(given, outcome.probability, 0), given & (outcome.rank == 1)
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    in_bin = given[:, None] & (place[:, None] == np.arange(bins))  # (rows, bins)
    terms = np.concatenate([in_bin * right[:, None], in_bin, in_bin * probability[:, None]], axis=1)
    total, drawn = sample.resample(terms)
    hits, count, mass = total.reshape(3, bins)
    drawn = drawn.reshape(-1, 3, bins)
    error = float(np.abs(hits - mass).sum() / count.sum())
    some = drawn[drawn[:, 1].sum(axis=1) > 0]
    spread = 1.96 * float(np.std(np.abs(some[:, 0] - some[:, 2]).sum(axis=1) / some[:, 1].sum(axis=1)))
    filled = np.flatnonzero(count)
    return Calibration(
        error=Estimate(error, max(error - spread, 0.0), min(error + spread, 1.0)),
        probability=(mass[filled] / count[filled]).tolist(),
        accuracy=[ratio_estimate(total.reshape(3, bins)[:2, each], drawn[:, :2, each]) for each in filled],
        count=count[filled].astype(int).tolist(),
    )
