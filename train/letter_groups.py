"""Which letters people take for one another, learned from their misspellings."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from rapidfuzz.distance import Levenshtein

CLOSE = 1 / 3
"""Letters are alike that are written for each other this often, relative to how often a letter is written for any."""


def letter_groups(pairs: Sequence[tuple[str, str]], *, close: float = CLOSE) -> tuple[str, ...]:
    """Groups of two letters and more, by average linkage (Sokal & Michener 1958).

    The likeness of two letters is the number of times that one was written for the other, over the geometric mean of
    how often each was meant.

    Args:
        pairs: what was written and what was meant, folded.
        close: how like the letters of a group are.
    """
    meant: Counter[str] = Counter()
    mistaken: Counter[tuple[str, str]] = Counter()
    for wrong, right in pairs:
        meant.update(right)
        for edit in Levenshtein.editops(right, wrong):
            if edit.tag == "replace":
                mistaken[right[edit.src_pos], wrong[edit.dest_pos]] += 1
    if not mistaken:
        return ()

    def likeness(one: str, other: str) -> float:
        both = [(a, b) for a in one for b in other]
        return sum((mistaken[a, b] + mistaken[b, a]) / math.sqrt(meant[a] * meant[b]) for a, b in both) / len(both)

    enough = close * mistaken.total() / meant.total()
    groups = sorted(letter for letter in meant if letter.isalpha())
    while len(groups) > 1:
        closest, one, other = max((likeness(one, other), one, other) for one, other in combinations(groups, 2))
        if closest < enough:
            break
        groups = [group for group in groups if group not in (one, other)] + ["".join(sorted(one + other))]
    return tuple(sorted(group for group in groups if len(group) > 1))
