"""Fits how probable missing and needless spaces are, on words run together and words torn apart."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from speller.attested import Attestation
from speller.breadth import SEVERAL
from speller.candidates import AS_WRITTEN, CandidateSearch
from speller.lexicon import Lexicon, fold
from speller.spacing import (
    JOIN_FEATURES,
    SPLIT_FEATURES,
    Spacing,
    join_features,
    join_place,
    split_features,
    split_places,
)
from speller.train.fitting import MISSPELLED, PENALTY, HeldOut, attest
from speller.train.pairs import Pair

SAMPLES = 600
"""So many words of each kind the weights are fitted on, beside the pairs' own."""

RUN_TOGETHER = 0.01
"""The share of words run together among the unknown words for which the probabilities are true."""

TORN = 0.01
"""The share of parts of words torn apart among them."""

NEIGHBOURS = 20
"""One coined compound in so many is of words that are counted neighbours ("file system").

With one in twelve "noone" was no longer split, with none "filesystem" always was.
"""

NAMING = 6.0
"""Words below this Zipf frequency name things and are what compounds are coined of; those above join sentences."""

MOST_FREQUENT = 9.0
"""The Zipf frequency of a word that is all there is."""

COINED = 0.25
"""The share of compounds that their writer meant ("filehandle") among the words that are right as they are written."""


_NAMES = (*SPLIT_FEATURES, *JOIN_FEATURES)
_NO_SPLIT = (0.0,) * len(SPLIT_FEATURES)
_NO_JOIN = (0.0,) * len(JOIN_FEATURES)


@dataclass(frozen=True)
class Case:
    """An unknown word with what else may have been meant: by two words, or with its neighbour by one.

    Attributes:
        written: the word, folded.
        alternatives: the features of each, those of ``SPLIT_FEATURES`` and then those of ``JOIN_FEATURES``.
        right: which of them was meant; None where none was.
    """

    written: str
    alternatives: Sequence[tuple[float, ...]]
    right: int | None = None


def fit_spacing(search: CandidateSearch, held_out: HeldOut, pairs: Iterable[Pair], *, seed: int) -> Spacing:
    """The weights of highest likelihood, beside the scores that the ranking gives to all other candidates.

    Words run together are those of the pairs, counted neighbours by their frequency, and words drawn as often as they
    are written; words torn apart are drawn likewise. What is no such thing: misspellings and valid words that were held
    out, and compounds made up of words that name things.

    Args:
        search: with the fitted ranking.
        held_out: what the ranking was fitted on.
        pairs: misspellings in which a space is missing are taken from among them.
        seed: of what is drawn.
    """
    made = _Made(search.lexicon, np.random.default_rng(seed))
    valid = held_out.meant == AS_WRITTEN
    wrong, right = (
        [word for word, chosen in zip(held_out.written, kind.tolist(), strict=True) if chosen]
        for kind in (~valid, valid)
    )
    kinds = (
        (RUN_TOGETHER, made.run_together([*_missing_spaces(pairs), *made.neighbours(), *made.pairs()])),
        (TORN, made.torn(made.words(SAMPLES))),
        (MISSPELLED, made.others(made.some(wrong, 4 * SAMPLES))),
        ((1 - MISSPELLED) * (1 - COINED), made.others(made.some(right, SAMPLES))),
        ((1 - MISSPELLED) * COINED, made.others(made.compounds())),
    )
    shares, cases = [], []
    for share, some in kinds:
        found = list(some)
        shares += [share / len(found)] * len(found)
        cases += found
    totals = _totals(search, [case.written for case in cases], held_out.attested)
    weights = zip(_NAMES, _most_likely(cases, np.array(shares), totals), strict=True)
    return Spacing({name: round(weight, 5) for name, weight in weights}, made.least_counted)


def _missing_spaces(pairs: Iterable[Pair]) -> Iterator[tuple[str, str]]:
    """The pairs of words of misspellings that lack a space and nothing else, and that mean nothing else."""
    meant = defaultdict(set)
    for wrong, right in pairs:
        meant[fold(wrong)].add(fold(right))
    for wrong, rights in meant.items():
        words = next(iter(rights)).split()
        if len(rights) == 1 and len(words) == 2 and "".join(words) == wrong:
            yield words[0], words[1]


class _Made:
    """Makes up words that lack a space, have one too many, or neither."""

    def __init__(self, lexicon: Lexicon, generator: np.random.Generator) -> None:
        self.lexicon = lexicon
        self.generator = generator
        counted = [(word.split(), each.zipf) for word, each in lexicon.attested.items() if " " in word]
        self._counted = [(first, second) for (first, second), _ in counted]
        self._counts = np.array([zipf for _, zipf in counted])
        self.least_counted = float(self._counts.min(initial=MOST_FREQUENT))

    def words(self, count: int, *, power: float = 1.0, shortest: int = 1) -> list[str]:
        """Words of letters alone, drawn by a power of their frequency."""
        words = self.lexicon.words
        offered = [i for i in self.lexicon.offered.tolist() if words[i].isalpha() and len(words[i]) >= shortest]
        share = 10.0 ** (power * self.lexicon.zipf[offered].astype(np.float64))
        drawn = self.generator.choice(len(offered), count, p=share / share.sum())
        return [words[offered[place]] for place in drawn.tolist()]

    def some(self, words: Sequence[str], count: int) -> list[str]:
        """So many of some words, drawn at random, or all."""
        return [words[place] for place in self.generator.permutation(len(words))[:count].tolist()]

    def neighbours(self) -> list[tuple[str, str]]:
        """Words that were counted side by side, by how often they were."""
        if not self._counted:
            return []
        share = 10.0**self._counts
        drawn = self.generator.choice(len(share), SAMPLES, p=share / share.sum())
        return [self._counted[place] for place in drawn.tolist()]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Words as they come, but for those that would have been counted if they really stood side by side."""
        words = self.words(2 * SAMPLES)
        for pair in zip(words[::2], words[1::2], strict=True):
            _, frequency, *_ = split_features(*self._places(pair), self.lexicon, MOST_FREQUENT)
            if frequency < self.least_counted:
                yield pair

    def compounds(self) -> list[str]:
        """Words that someone coined of two, some of them neighbours anyway ("file system")."""
        words = self.words(2 * SAMPLES, power=0.6, shortest=3)
        named = [pair for pair in self._counted if all(self._names(word) for word in pair)]
        drawn = self.generator.permutation(len(named))[: SAMPLES // NEIGHBOURS].tolist()
        pairs = [*(named[place] for place in drawn), *zip(words[::2], words[1::2], strict=True)]
        return ["".join(pair) for pair in pairs if all(self._names(word) for word in pair)][:SAMPLES]

    def run_together(self, pairs: Iterable[tuple[str, str]]) -> Iterator[Case]:
        """Pairs of words without the space between them, where that makes no word."""
        for pair in pairs:
            written = "".join(pair)
            places = list(split_places(written, self.lexicon))
            if written not in self.lexicon and all(word in self.lexicon for word in pair):
                meant = self._places(pair)
                if meant in places:
                    yield Case(written, self._splits(written), places.index(meant))

    def torn(self, words: Iterable[str]) -> Iterator[Case]:
        """Words with a space inside: each of the parts that is no word."""
        for word in words:
            if len(word) < 4:
                continue
            cut = int(self.generator.integers(2, len(word) - 1))
            parts = (word[:cut], word[cut:])
            for written, neighbour in (parts, parts[::-1]):
                if written not in self.lexicon:
                    splits = self._splits(written)
                    yield Case(written, [*splits, *self._joins(*parts, neighbour)], len(splits))

    def others(self, words: Iterable[str]) -> Iterator[Case]:
        """Words with their spaces in place, each between two others as they come."""
        words = list(words)
        between = self.words(2 * len(words))
        for word, before, after in zip(words, between[::2], between[1::2], strict=True):
            joins = [*self._joins(before, word, before), *self._joins(word, after, after)]
            yield Case(word, [*self._splits(word), *joins])

    def _names(self, word: str) -> bool:
        index = self.lexicon.index(word)
        return len(word) > 2 and index is not None and float(self.lexicon.zipf[index]) < NAMING

    def _places(self, pair: tuple[str, str]) -> tuple[int, int]:
        first, second = (bisect_left(self.lexicon.words, word) for word in pair)
        return first, second

    def _splits(self, word: str) -> list[tuple[float, ...]]:
        places = split_places(word, self.lexicon)
        return [(*split_features(*pair, self.lexicon, self.least_counted), *_NO_JOIN) for pair in places]

    def _joins(self, before: str, after: str, neighbour: str) -> Iterator[tuple[float, ...]]:
        joined = join_place(before, after, self.lexicon)
        if joined is not None:
            yield (*_NO_SPLIT, *join_features(joined, neighbour, self.lexicon))


def _totals(search: CandidateSearch, words: Sequence[str], attested: Mapping[str, Attestation]) -> NDArray[np.float64]:
    """``(words,)``: the logarithm of what all candidates of each folded word weigh together, itself left out."""
    totals = np.empty(len(words))
    order = np.argsort([len(word) for word in words], kind="stable")
    for start in range(0, len(words), SEVERAL.together):
        some = order[start : start + SEVERAL.together]
        found = search.find([words[place] for place in some])
        attest(found, attested)
        itself = np.array([-2 if (place := search.lexicon.index(word)) is None else place for word in found.words])
        others = found.indices != itself[found.rows]
        totals[some] = found.some(others).weighed(search.ranking.full)[1]
    return totals


def _most_likely(cases: Sequence[Case], shares: NDArray[np.float64], others: NDArray[np.float64]) -> list[float]:
    """The weights under which what was meant is most likely.

    Args:
        cases: the words.
        shares: ``(cases,)``: of all words that the probabilities are to be true for.
        others: ``(cases,)``: the logarithm of what all other candidates of each weigh together.
    """
    starts = np.cumsum([0, *(len(case.alternatives) for case in cases)])
    right = torch.tensor(
        [-1 if case.right is None else start + case.right for case, start in zip(cases, starts, strict=False)]
    )
    rows = torch.from_numpy(np.repeat(np.arange(len(cases)), np.diff(starts)))
    values = torch.tensor([features for case in cases for features in case.alternatives], dtype=torch.float64)
    other = torch.from_numpy(others)
    share = torch.from_numpy(shares)
    weights = torch.zeros(len(_NAMES), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe", tolerance_change=1e-10)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        scores = values @ weights
        highest = other.scatter_reduce(0, rows, scores.detach(), "amax")
        total = (other - highest).exp().index_add(0, rows, (scores - highest[rows]).exp())
        meant = torch.where(right >= 0, scores[right], other)
        value = -(share * (meant - highest - total.log())).sum() + PENALTY * weights.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    found: list[float] = weights.detach().tolist()
    return found
