"""Fits the ranking's weights on held-out words, so that its softmax is a probability."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from speller.alphabet import MISSPELL
from speller.attested import Attestation
from speller.breadth import SEVERAL
from speller.candidates import AS_WRITTEN, Candidates, CandidateSearch
from speller.lexicon import Lexicon
from speller.ranking import COLUMN, Ranking, Stage
from speller.runtime import Runtime

OF_WRITTEN = ("kept", "kept-length", "kept-listed", "kept-frequency")
PLAIN = ("frequency", "distance", "relative", "share", "first", "length", *OF_WRITTEN)
READ = (*PLAIN, "sound", "outline", "read", "unread", "kept-read", "kept-unread")
FULL = (*READ, "reverse", "kept-reverse")
KEPT = tuple(name for name in FULL if name.startswith("kept"))

PENALTY = 1e-4
"""On the squares of the weights of features of unit variance: enough to settle what the data leave open."""

MISSPELLED = 0.9
"""The share of misspellings among the unknown words for which the probabilities are true."""

FARTHEST = 4
"""Misspellings that are farther than this count among those that are as far."""


@dataclass(frozen=True)
class HeldOut:
    """Words to fit on: misspellings, and valid words as if the lexicon lacked them.

    Attributes:
        written: folded words.
        meant: the right word's place in the lexicon for each, or ``AS_WRITTEN`` for a valid word.
        shown: whether the right word was trained on, in other misspellings.
        attested: what would attest some of the valid words, if the lexicon lacked them.
    """

    written: Sequence[str]
    meant: NDArray[np.int64]
    shown: NDArray[np.bool_]
    attested: Mapping[str, Attestation] = field(default_factory=dict)


def fit_ranking(
    lexicon: Lexicon,
    runtime: Runtime,
    priors: NDArray[np.floating],
    held_out: HeldOut,
    *,
    alike: tuple[str, ...] = (),
) -> Ranking:
    """The stages' weights of highest likelihood (a conditional logit; McFadden 1974).

    Misspellings at distance 1, 2, 3 and farther, of words that were shown in training and of words that were not, count
    by the cube root of how many there are of each kind: people's dictionaries of misspellings are mostly of one edit,
    where any weights do, and who spells badly needs help with the others; and a model is surer of words that it was
    shown than it is of others that are as right.
    Then the last stage's scores are scaled, and what speaks for the word as it was written is weighed anew, until they
    are probabilities for words as they come, of which ``MISSPELLED`` are misspelled.
    ``alike`` are the groups of letters that people take for one another.
    Where a right word is not among the candidates, the word as it was written stands for all that they lack.
    """
    nothing = Stage({})
    unfitted = Ranking(nothing, nothing, nothing, alike=alike)
    search = CandidateSearch(lexicon, runtime, priors, unfitted)
    reader = search.reader
    order = np.argsort([len(word) for word in held_out.written], kind="stable")
    written = [held_out.written[place] for place in order]
    itself = np.array([-1 if index is None else index for index in map(lexicon.index, written)])
    parts = []
    for start in range(0, len(written), SEVERAL.together):
        some = written[start : start + SEVERAL.together]
        gathered, memory = search.collect(reader, some, SEVERAL, leave_out=itself[start : start + SEVERAL.together])
        search.judge(reader, gathered, memory)
        parts.append(gathered)
    candidates = Candidates.joined(parts)
    attest(candidates, held_out.attested)
    meant = held_out.meant[order]
    distances = _distances(written, meant, lexicon)
    weights = _balanced(2 * distances - (held_out.shown[order] & (distances > 0)), misspelled=0.5)

    plain = _fit(candidates, meant, weights, PLAIN)
    candidates = candidates.best(plain, SEVERAL.plain, always=candidates.heard)
    read = _fit(candidates, meant, weights, READ)
    candidates = candidates.best(read, SEVERAL.read)
    for part in _parts(candidates):
        reader.beginnings.make_room()
        search.judge_reversed(reader, part, reader.spell(part.words, MISSPELL))
    full = _fit(candidates, meant, weights, FULL)
    full = _calibrated(full, candidates, meant, _balanced(distances > 0, misspelled=MISSPELLED))
    return Ranking(plain=plain, read=read, full=full, alike=alike)


def _parts(candidates: Candidates) -> Iterator[Candidates]:
    """The candidates for some of the words after the others; what is entered into a part is entered into the whole."""
    for start in range(0, len(candidates.words), SEVERAL.together):
        words = candidates.words[start : start + SEVERAL.together]
        rows = slice(*np.searchsorted(candidates.rows, (start, start + len(words))))
        yield Candidates(
            words,
            candidates.rows[rows] - start,
            candidates.indices[rows],
            candidates.features[rows],
            candidates.heard[rows],
            candidates.share[start : start + len(words)],
        )


def attest(candidates: Candidates, attested: Mapping[str, Attestation]) -> None:
    """Enter what attests words as they were written, where that is not what was looked up."""
    for place in np.flatnonzero(candidates.indices == AS_WRITTEN):
        word = candidates.words[candidates.rows[place]]
        if word in attested:
            candidates.features[place, COLUMN["kept-listed"]] = attested[word].listed
            candidates.features[place, COLUMN["kept-frequency"]] = attested[word].zipf


def _distances(written: Sequence[str], meant: NDArray[np.int64], lexicon: Lexicon) -> NDArray[np.int64]:
    """``(words,)``: the edit distance from the right word, up to ``FARTHEST``; 0 for valid words."""
    return np.array(
        [
            0 if index == AS_WRITTEN else min(OSA.distance(word, lexicon.words[index]), FARTHEST)
            for word, index in zip(written, meant.tolist(), strict=True)
        ]
    )


def _balanced(kinds: NDArray[np.integer | np.bool_], *, misspelled: float) -> NDArray[np.float64]:
    """Weights ``(words,)``, of sum 1: kind 0 is of valid words, the other kinds share the rest by their cube roots."""
    found, kind, count = np.unique(kinds.astype(np.int64), return_inverse=True, return_counts=True)
    shares = np.where(found > 0, np.cbrt(count), 0)
    shares = np.where(found > 0, misspelled * shares / max(shares.sum(), 1), 1 - misspelled)
    weights: NDArray[np.float64] = (shares / count)[kind]
    return weights


def _fit(
    candidates: Candidates, meant: NDArray[np.int64], weights: NDArray[np.float64], features: Sequence[str]
) -> Stage:
    found = _most_likely(candidates, meant, weights, candidates.features[:, [COLUMN[name] for name in features]])
    return _stage(dict(zip(features, found, strict=True)))


def _calibrated(stage: Stage, candidates: Candidates, meant: NDArray[np.int64], weights: NDArray[np.float64]) -> Stage:
    others = {name: weight for name, weight in stage.weights.items() if name not in KEPT}
    kept = candidates.features[:, [COLUMN[name] for name in KEPT]]
    columns = np.concatenate((Stage(others).scores(candidates.features)[:, None], kept), axis=1)
    scale, *found = _most_likely(candidates, meant, weights, columns)
    return _stage({name: scale * weight for name, weight in others.items()} | dict(zip(KEPT, found, strict=True)))


def _stage(weights: Mapping[str, float]) -> Stage:
    return Stage({name: round(weight, 5) for name, weight in weights.items()})


def _most_likely(
    candidates: Candidates, meant: NDArray[np.int64], weights: NDArray[np.float64], features: NDArray[Any]
) -> list[float]:
    """The features' coefficients under whose softmax the right words are most likely."""
    words = len(candidates.words)
    rows = torch.from_numpy(candidates.rows)
    right = torch.from_numpy(_right(candidates, meant))
    weight = torch.from_numpy(weights)
    values = torch.from_numpy(features).double()
    scale = values.std(dim=0).clamp_min(1e-6)
    values = values / scale
    coefficients = torch.zeros(values.shape[1], dtype=torch.float64, requires_grad=True)
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
    found: list[float] = (coefficients.detach() / scale).tolist()
    return found


def _right(candidates: Candidates, meant: NDArray[np.int64]) -> NDArray[np.int64]:
    """``(words,)``: where among the candidates each word's right one is, else the one as written."""
    place = np.empty(len(meant), np.int64)
    for answer in (candidates.indices == AS_WRITTEN, candidates.indices == meant[candidates.rows]):
        place[candidates.rows[answer]] = np.flatnonzero(answer)
    return place
