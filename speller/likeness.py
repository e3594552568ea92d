"""Letters that people take for one another, and what is left of a word where these count as the same."""

import re
from collections.abc import Iterable
from functools import lru_cache

REMEMBERED = 1 << 12
"""Of so many words the outlines are kept: the same ones are candidates again and again."""

_REPEATED = re.compile(r"(.)\1+", re.DOTALL)


class Likeness:
    """Groups of letters that are alike, such as the vowels, or c, k and q.

    Args:
        groups: letters; none is in two of them.

    Raises:
        ValueError: for a letter in two groups.

    >>> alike = Likeness(["aeiou", "ckq", "sz"])
    >>> alike.outline("acquaintance"), alike.outline("akwaintanse")
    ('acantanca', 'acwantansa')
    """

    def __init__(self, groups: Iterable[str]) -> None:
        self.groups = tuple(groups)
        letters = "".join(self.groups)
        if twice := {letter for letter in letters if letters.count(letter) > 1}:
            raise ValueError(f"a letter is in one group of like ones, but {', '.join(sorted(twice))} in several")
        self._first = str.maketrans({letter: group[0] for group in self.groups for letter in group})
        self.outline = lru_cache(maxsize=REMEMBERED)(self._outline)
        """The word with the first letter of its group for each letter, and one letter for a run of the same."""

    def _outline(self, word: str) -> str:
        return _REPEATED.sub(r"\1", word.translate(self._first))
