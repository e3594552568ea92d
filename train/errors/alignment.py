"""What was done to a word to misspell it: the edits between a pair, neighbouring ones taken together."""

from typing import NamedTuple

LONGEST = 4
"""The most letters that one edit takes away or writes."""


class Edit(NamedTuple):
    """The ``span`` letters of the right word from ``start`` on were written as ``written``."""

    start: int
    span: int
    written: str


def edits(wrong: str, right: str) -> list[Edit]:
    """The fewest edits that make the wrong word of the right one, in the order of the word.

    Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment) that touch each other are
    one edit, cut where it would exceed ``LONGEST`` letters on a side: the units of Brill & Moore (2000), before
    context is added to them.

    >>> edits("recieve", "receive")
    [Edit(start=3, span=2, written='ie')]
    >>> edits("fisix", "physics")
    [Edit(start=0, span=3, written='fi'), Edit(start=5, span=2, written='x')]
    """
    prefix = 0
    while prefix < min(len(wrong), len(right)) and wrong[prefix] == right[prefix]:
        prefix += 1
    suffix = 0
    while suffix < min(len(wrong), len(right)) - prefix and wrong[-1 - suffix] == right[-1 - suffix]:
        suffix += 1
    found: list[Edit] = []
    touching = False
    for span, written in _steps(wrong[prefix : len(wrong) - suffix], right[prefix : len(right) - suffix]):
        if span == 1 and written == right[prefix]:
            touching = False
        else:
            last = found[-1] if touching else Edit(prefix, 0, "")
            if touching and last.span + span <= LONGEST and len(last.written) + len(written) <= LONGEST:
                found[-1] = Edit(last.start, last.span + span, last.written + written)
            else:
                found.append(Edit(prefix, span, written))
            touching = True
        prefix += span
    return found


def _steps(wrong: str, right: str) -> list[tuple[int, str]]:
    """The steps of an optimal alignment: how many letters are read, and what is written for them."""
    if not wrong or not right:
        return [(1, "")] * len(right) + [(0, letter) for letter in wrong]
    table = [list(range(len(wrong) + 1))]
    for i, letter in enumerate(right, 1):
        above, row = table[-1], [i]
        for j, written in enumerate(wrong, 1):
            cost = min(above[j - 1] + (letter != written), above[j] + 1, row[-1] + 1)
            if i > 1 and j > 1 and letter == wrong[j - 2] and written == right[i - 2]:
                cost = min(cost, table[i - 2][j - 2] + 1)
            row.append(cost)
        table.append(row)
    steps = []
    i, j = len(right), len(wrong)
    while i or j:
        cost = table[i][j]
        if i and j and cost == table[i - 1][j - 1] + (right[i - 1] != wrong[j - 1]):
            i, j = i - 1, j - 1
            steps.append((1, wrong[j]))
        elif i > 1 and j > 1 and right[i - 2 : i] == wrong[j - 2 : j][::-1] and cost == table[i - 2][j - 2] + 1:
            i, j = i - 2, j - 2
            steps.append((2, wrong[j : j + 2]))
        elif i and cost == table[i - 1][j] + 1:
            i -= 1
            steps.append((1, ""))
        else:
            j -= 1
            steps.append((0, wrong[j]))
    return steps[::-1]
