"""A spelling corrector that is trained on what it is judged by: the edit distance."""

from functools import cache

from speller.corrector import Corrector, Suggestion

__all__ = ["Corrector", "Suggestion", "correct", "suggest"]


@cache
def _english() -> Corrector:
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
