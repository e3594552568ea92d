"""How one word becomes another, edit by edit."""

from dataclasses import dataclass
from typing import Literal

from speller.lexicon import fold

Kind = Literal["keep", "replace", "drop", "add", "swap"]


@dataclass(frozen=True)
class Step:
    """A step of an alignment.

    Attributes:
        kind: what becomes of the letters.
        written: the letters as they were written; none where some are added.
        meant: those that stand there instead; none where some are dropped.
    """

    kind: Kind
    written: str
    meant: str


def align(written: str, meant: str) -> list[Step]:
    """The fewest edits that make one word of another, letter case aside, and what they leave as it is, in order.

    A letter may be replaced, dropped or added, and two neighbours swapped: the edits of optimal string alignment.

    >>> [(step.written, step.meant) for step in align("freind", "friends") if step.kind != "keep"]
    [('ei', 'ie'), ('', 's')]
    """
    first, second = [fold(letter) for letter in written], [fold(letter) for letter in meant]
    # By how many letters are behind: the edits that they take.
    behind = [[max(i, j) if 0 in (i, j) else 0 for j in range(len(second) + 1)] for i in range(len(first) + 1)]

    def ways(i: int, j: int) -> list[tuple[int, int, int, Kind]]:
        """What a step to a place may be: the edits up to there, the letters that it takes of either word, its kind."""
        found: list[tuple[int, int, int, Kind]] = []
        if i and j:
            same = first[i - 1] == second[j - 1]
            found.append((behind[i - 1][j - 1] + (not same), 1, 1, "keep" if same else "replace"))
        if i > 1 and j > 1 and first[i - 2 : i] == [second[j - 1], second[j - 2]]:
            found.append((behind[i - 2][j - 2] + 1, 2, 2, "swap"))
        if i:
            found.append((behind[i - 1][j] + 1, 1, 0, "drop"))
        if j:
            found.append((behind[i][j - 1] + 1, 0, 1, "add"))
        return found

    for i in range(1, len(first) + 1):
        for j in range(1, len(second) + 1):
            behind[i][j] = min(ways(i, j))[0]
    steps = []
    i, j = len(first), len(second)
    while i or j:
        _, of_written, of_meant, kind = min(ways(i, j), key=lambda way: way[0])
        steps.append(Step(kind, written[i - of_written : i], meant[j - of_meant : j]))
        i, j = i - of_written, j - of_meant
    return steps[::-1]
