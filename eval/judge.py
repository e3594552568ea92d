"""Judging: the rows, how they split, and one system's answers to them."""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA, Levenshtein

from speller.eval.metrics import SEED, Outcome
from speller.eval.speed import Timing
from speller.eval.systems import BatchSystem, Suggested, System
from speller.lexicon import fold
from speller.train.pairs import Pair

ANSWERS = 10
"""How many answers count."""

ALONE = 200
"""About how many words, and at most half of them, a system of batches is timed on one by one."""

BATCH = 100
"""How many words such a system is then given at once: so few that a thousand rows tell how much batches differ."""


@dataclass(frozen=True)
class Rows:
    """What is judged, folded as a lexicon folds its words: no letter case counts. Every field is as long."""

    wrong: list[str]
    """What was written; where it equals ``right``, a valid word that is to be left alone."""
    right: list[str]
    source: list[str]
    """Where the row is from."""
    seen_pair: list[bool] | None = None
    """Whether the pair is among those that were trained on; None where these are not known."""
    seen_word: list[bool] | None = None
    """Whether its right word is, in whatever misspelling."""

    @classmethod
    def of(
        cls,
        sources: Mapping[str, Sequence[Pair]],
        *,
        limit: int | None = None,
        seen: Iterable[Pair] | None = None,
        seed: int = SEED,
    ) -> "Rows":
        """The rows of all sources.

        Args:
            sources: the pairs of each source, by its name.
            limit: the most rows of a source, drawn at random, of one seed always the same ones.
            seen: pairs that were trained on.
            seed: of the draw.
        """
        rows = []
        for source, pairs in sources.items():
            chosen = list(pairs)
            random.Random(seed).shuffle(chosen)
            rows += [(fold(pair.wrong), fold(pair.right), source) for pair in chosen[:limit]]
        known = None if seen is None else {(fold(pair.wrong), fold(pair.right)) for pair in seen}
        words = None if known is None else {right for _, right in known}
        return cls(
            wrong=[wrong for wrong, _, _ in rows],
            right=[right for _, right, _ in rows],
            source=[source for _, _, source in rows],
            seen_pair=None if known is None else [(wrong, right) in known for wrong, right, _ in rows],
            seen_word=None if words is None else [right in words for _, right, _ in rows],
        )

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.wrong)

    @property
    def misspelt(self) -> NDArray[np.bool_]:
        """``(rows,)``: where what was written is wrong."""
        return np.array([wrong != right for wrong, right in zip(self.wrong, self.right, strict=True)], bool)

    def splits(self) -> dict[str, dict[str, NDArray[np.bool_]]]:
        """The misspelt rows, ``(rows,)``, by source, edit distance, the right word's length, and kind of error."""
        pairs = list(zip(self.wrong, self.right, strict=True))
        labels: dict[str, list[str]] = {
            "source": self.source,
            "distance": [_distance_class(*pair) for pair in pairs],
            "length": [_length_class(right) for right in self.right],
            "kind": [_kind(*pair) for pair in pairs],
        }
        for split, those in (("seen_pair", self.seen_pair), ("seen_word", self.seen_word)):
            if those is not None:
                labels[split] = ["seen" if seen else "unseen" for seen in those]
        misspelt = self.misspelt
        splits: dict[str, dict[str, NDArray[np.bool_]]] = {}
        for split, of_rows in labels.items():
            here = sorted({label for label, counts in zip(of_rows, misspelt, strict=True) if counts}, key=_order)
            splits[split] = {label: misspelt & np.array([other == label for other in of_rows]) for label in here}
        return splits


@runtime_checkable
class _Deciding(Protocol):
    """A system that decides itself what it leaves alone; another leaves what it suggests first for itself."""

    def correct_many(self, words: Sequence[str]) -> Sequence[str]: ...


@dataclass(frozen=True)
class Judgement:
    """How one system fared, and how fast it was."""

    name: str
    answers: list[list[str]]
    """Its suggestions for every row, folded, without what was written."""
    outcome: Outcome
    timing: Timing


def judge(
    name: str, system: System, rows: Rows, *, load_seconds: float, advance: Callable[[int], None] = lambda _: None
) -> Judgement:
    """Asks a system for suggestions to every row.

    Args:
        load_seconds: how long it took to make the system.
        advance: told after some rows how many they were.
    """
    # The first word may pay for what a system loads late.
    system.suggest(rows.wrong[0], ANSWERS + 1)
    raw: dict[int, Sequence[str | Suggested]] = {}
    milliseconds: list[float] = []
    # Over all sources; and no word is given twice, since a system may remember its answers.
    step = max(2, len(rows) // ALONE) if isinstance(system, BatchSystem) else 1
    for row in range(0, len(rows), step):
        started = time.perf_counter()
        raw[row] = system.suggest(rows.wrong[row], ANSWERS + 1)
        milliseconds.append(1000 * (time.perf_counter() - started))
        advance(1)
    batches: list[tuple[int, float]] = []
    left = [row for row in range(len(rows)) if row not in raw]
    for batch in (left[start : start + BATCH] for start in range(0, len(left), BATCH)):
        assert isinstance(system, BatchSystem)
        started = time.perf_counter()
        suggestions = system.suggest_many([rows.wrong[row] for row in batch], ANSWERS + 1)
        batches.append((len(batch), time.perf_counter() - started))
        raw.update(zip(batch, suggestions, strict=True))
        advance(len(batch))
    in_order = [raw[row] for row in range(len(rows))]
    answers = [_answers(word, suggestions) for word, suggestions in zip(rows.wrong, in_order, strict=True)]
    return Judgement(
        name=name,
        answers=[list(ranked) for ranked in answers],
        outcome=Outcome.of(
            rows.wrong,
            rows.right,
            [list(ranked) for ranked in answers],
            changed=_changed(system, rows.wrong, in_order),
            probability=[next(iter(ranked.values()), float("nan")) for ranked in answers],
        ),
        timing=Timing(load_seconds, np.array(milliseconds), batches),
    )


def _answers(word: str, suggestions: Sequence[str | Suggested]) -> dict[str, float]:
    """The suggestions with their probabilities (NaN where the system gives none), less the word itself."""
    answers: dict[str, float] = {}
    for suggestion in suggestions:
        if isinstance(suggestion, str):
            answers.setdefault(fold(suggestion), float("nan"))
        else:
            answers.setdefault(fold(suggestion.word), suggestion.probability)
    answers.pop(word, None)
    return dict(list(answers.items())[:ANSWERS])


def _changed(system: System, words: Sequence[str], raw: Sequence[Sequence[str | Suggested]]) -> list[bool]:
    if isinstance(system, _Deciding):
        return [fold(answer) != word for word, answer in zip(words, system.correct_many(words), strict=True)]
    firsts = [next(iter(suggestions), word) for word, suggestions in zip(words, raw, strict=True)]
    return [
        fold(first if isinstance(first, str) else first.word) != word for word, first in zip(words, firsts, strict=True)
    ]


def _distance_class(wrong: str, right: str) -> str:
    distance = Levenshtein.distance(wrong, right)
    return str(distance) if distance < 3 else "3+"


def _length_class(right: str) -> str:
    return next((f"{low}-{high}" for low, high in ((1, 4), (5, 7), (8, 10)) if len(right) <= high), "11+")


def _kind(wrong: str, right: str) -> str:
    if OSA.distance(wrong, right) > 1:
        return "several"
    if len(wrong) != len(right):
        return "missing letter" if len(wrong) < len(right) else "extra letter"
    return "wrong letter" if Levenshtein.distance(wrong, right) == 1 else "swapped letters"


def _order(label: str) -> tuple[int, str]:
    """Numbers by their size, all else by the alphabet: "5-7" comes before "11+"."""
    digits = label.rstrip("+").partition("-")[0]
    return (int(digits) if digits.isdigit() else 0, label)
