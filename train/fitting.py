"""Fits the ranking's weights on held-out words, so that its softmax is a probability."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from speller.candidates import AS_WRITTEN, Candidates, CandidateSearch
from speller.lexicon import Lexicon
from speller.ranking import FEATURES, Ranking, Stage
from speller.runtime import Runtime

PLAIN = ("frequency", "distance", "share", "first", "kept", "kept-length")
FORWARD = (*PLAIN, "forward", "kept-forward")
BOTH = (*FORWARD, "backward", "kept-backward")

KEEP = {"plain": 24, "forward": 10, "both": 10}
"""How many candidates a stage hands on."""

PENALTY = 1e-4
"""On the squares of the weights of features of unit variance: enough to settle what the data leave open."""

WORDS_AT_ONCE = 256


@dataclass(frozen=True)
class HeldOut:
    """Words to fit on: misspellings, and valid words as if the lexicon lacked them, half of the weight each.

    Attributes:
        written: folded words.
        meant: the right word's place in the lexicon for each, or ``AS_WRITTEN`` for a valid word.
        weights: how much each counts among its kind.
    """

    written: Sequence[str]
    meant: NDArray[np.int64]
    weights: NDArray[np.float64]


def fit_ranking(lexicon: Lexicon, runtime: Runtime, held_out: HeldOut) -> Ranking:
    """The stages' weights of highest likelihood (a conditional logit; McFadden 1974).

    Where a right word is not among the candidates, the word as it was written stands for all that they lack.
    """
    undecided = Ranking(**{name: Stage({}, keep) for name, keep in KEEP.items()})
    search = CandidateSearch(lexicon, runtime, undecided)
    order = np.argsort([len(word) for word in held_out.written], kind="stable")
    written = [held_out.written[place] for place in order]
    itself = np.array([-1 if index is None else index for index in map(lexicon.index, written)])
    starts = range(0, len(written), WORDS_AT_ONCE)
    candidates = Candidates.joined(
        [
            search.gather(written[start : start + WORDS_AT_ONCE], leave_out=itself[start : start + WORDS_AT_ONCE])
            for start in starts
        ]
    )
    meant = held_out.meant[order]
    valid = meant == AS_WRITTEN
    weights = held_out.weights[order]
    weights = weights / np.where(valid, weights[valid].sum(), weights[~valid].sum())

    plain = _fit(candidates, meant, weights, PLAIN, KEEP["plain"])
    candidates = candidates.best(plain)
    search.read(candidates)
    forward = _fit(candidates, meant, weights, FORWARD, KEEP["forward"])
    candidates = candidates.best(forward)
    search.read_back(candidates)
    both = _fit(candidates, meant, weights, BOTH, KEEP["both"])
    return Ranking(plain=plain, forward=forward, both=both)


def _fit(
    candidates: Candidates, meant: NDArray[np.int64], weights: NDArray[np.float64], features: Sequence[str], keep: int
) -> Stage:
    words = len(candidates.words)
    rows = torch.from_numpy(candidates.rows)
    right = torch.from_numpy(_right(candidates, meant))
    weight = torch.from_numpy(weights)
    values = torch.from_numpy(candidates.features[:, [FEATURES.index(name) for name in features]]).double()
    scale = values.std(dim=0).clamp_min(1e-6)
    values = values / scale
    coefficients = torch.zeros(len(features), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([coefficients], max_iter=200, line_search_fn="strong_wolfe", tolerance_change=1e-10)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        scores = values @ coefficients
        highest = torch.full((words,), -torch.inf, dtype=torch.float64).scatter_reduce(0, rows, scores.detach(), "amax")
        total = torch.zeros(words, dtype=torch.float64).index_add(0, rows, (scores - highest[rows]).exp())
        log_likelihood = scores[right] - highest - total.log()
        value = -(weight * log_likelihood).sum() + PENALTY * coefficients.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    found = (coefficients.detach() / scale).tolist()
    return Stage({name: round(value, 5) for name, value in zip(features, found, strict=True)}, keep)


def _right(candidates: Candidates, meant: NDArray[np.int64]) -> NDArray[np.int64]:
    """``(words,)``: where among the candidates each word's right one is, else the one as written."""
    place = np.empty(len(meant), np.int64)
    for answer in (candidates.indices == AS_WRITTEN, candidates.indices == meant[candidates.rows]):
        place[candidates.rows[answer]] = np.flatnonzero(answer)
    return place
