"""The rows of a report that tell most: where the first system is right against all others, and where it fails."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from speller.eval.report import Report

EXAMPLES = 12
"""How many examples of each sort are shown, each of another right word."""


@dataclass(frozen=True)
class Example:
    """One row, as the systems answered it."""

    written: str
    right: str
    answers: Sequence[str]
    """Every system's first answer; "–" where it has none."""
    probability: float
    """What the first system gave its answer; NaN where it gives none."""

    @property
    def differing(self) -> tuple[list[bool], list[bool]]:
        """Which letters of what was written, and of the right word, a shortest edit replaces, drops or adds."""
        written, right = [False] * len(self.written), [False] * len(self.right)
        for edit in Levenshtein.editops(self.written, self.right):
            if edit.tag != "insert":
                written[edit.src_pos] = True
            if edit.tag != "delete":
                right[edit.dest_pos] = True
        return written, right


def examples(report: Report) -> Iterable[tuple[str, str, list[Example]]]:
    """Each sort's title, what it holds, and its examples, the most telling first; sorts without any are left out."""
    first, *others = (one.outcome for one in report.judgements)
    misspelt, right = report.rows.misspelt, first.rank == 1
    others_right = np.sum([other.rank == 1 for other in others], axis=0) if others else np.zeros_like(first.rank)
    nearest_other = np.min([other.after for other in others], axis=0) if others else np.zeros_like(first.rank)
    probability = np.nan_to_num(first.probability)
    name = report.judgements[0].name
    sorts: list[tuple[str, str, NDArray[np.bool_], NDArray[np.generic]]] = [
        (
            "Right where all others are wrong",
            "The misspellings that the others' first answers are farthest off.",
            misspelt & right & (others_right == 0) & bool(others),
            nearest_other,
        ),
        (
            "Wrong where others are right",
            "Those that most of the others get right.",
            misspelt & ~right & (others_right > 0),
            others_right,
        ),
        ("Sure, and wrong", "The wrong answers with the highest probabilities.", misspelt & ~right, probability),
        (
            "Farthest off",
            f"Where {name}'s first answer is farthest from the right word.",
            misspelt & ~right,
            first.after,
        ),
        (
            "Valid words that are changed",
            f"What {name}, left to itself, would have done better to leave alone.",
            ~misspelt & first.changed,
            probability,
        ),
    ]
    for title, note, chosen, weight in sorts:
        if title.startswith("Sure") and not probability.any():
            continue
        found = _most_telling(report, chosen, weight)
        if found:
            yield title, note, found


def _most_telling(report: Report, chosen: NDArray[np.bool_], weight: NDArray[np.generic]) -> list[Example]:
    places = np.flatnonzero(chosen)
    ordered = places[np.argsort(-weight[places].astype(np.float64), kind="stable")].tolist()
    of_words = {report.rows.right[row]: row for row in reversed(ordered)}
    rows = [row for row in ordered if of_words[report.rows.right[row]] == row][:EXAMPLES]
    return [
        Example(
            written=report.rows.wrong[row],
            right=report.rows.right[row],
            answers=[one.answers[row][0] if one.answers[row] else "–" for one in report.judgements],
            probability=float(report.judgements[0].outcome.probability[row]),
        )
        for row in rows
    ]
