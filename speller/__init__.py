"""A spelling corrector that is trained on what it is judged by: the edit distance."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from speller.corrector import Corrector, Edit, Suggestion
else:

    def __getattr__(name: str) -> object:
        """What is imported when it is first asked for, so that the command answers a shell or a Ctrl-C at once."""
        if name not in ("Corrector", "Edit", "Suggestion"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from speller import corrector

        return getattr(corrector, name)


__all__ = ["Corrector", "Edit", "Suggestion", "correct", "suggest"]


@cache
def _english() -> Corrector:
    from speller.corrector import Corrector

    return Corrector.load("en")


def correct(word: str) -> str:
    """The word, corrected by the English model that ships: as it is where it is known or nothing is likely enough.

    >>> correct("recieve"), correct("Recieve"), correct("receive")
    ('receive', 'Receive', 'receive')
    """
    return _english().correct(word)


def suggest(word: str, n: int = 5) -> list[Suggestion]:
    """The ``n`` words most likely meant, best first, by the English model that ships.

    >>> [suggestion.word for suggestion in suggest("acknowlegement", 2)]
    ['acknowledgement', 'acknowledgment']
    """
    return _english().suggest(word, n)
