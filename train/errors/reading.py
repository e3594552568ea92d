"""The sounds of words that no pronouncing dictionary has, read by analogy with those that it has."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from speller.train.errors.graphones import Graphone, Sounds

WINDOWS = ((3, 4), (2, 3), (1, 3), (1, 2), (0, 2), (0, 1))
"""Letters before a unit, and letters from its beginning on, from the most telling window to the least."""


class Reader:
    """Cuts a word into units as words with the same letters in the same surroundings are cut, from left to right.

    Args:
        aligned: words and their units.
    """

    def __init__(self, aligned: Mapping[str, Sequence[Graphone]]) -> None:
        seen: defaultdict[tuple[int, str], Counter[tuple[str, Sounds]]] = defaultdict(Counter)
        for word, graphones in aligned.items():
            for start, span, sounds in graphones:
                for key in _windows(word, start):
                    seen[key][word[start : start + span], sounds] += 1
        self._usual = {key: units.most_common(1)[0][0] for key, units in seen.items()}

    def read(self, word: str) -> list[Graphone]:
        """The units of a word; none if it has letters that no known word has."""
        graphones: list[Graphone] = []
        place = 0
        while place < len(word):
            for key in _windows(word, place):
                letters, sounds = self._usual.get(key, ("", ()))
                # A small window may hold less than its usual unit: "a" of "eat" for "ai".
                if letters and word.startswith(letters, place):
                    graphones.append(Graphone(place, len(letters), sounds))
                    place += len(letters)
                    break
            else:
                return []
        return graphones


def _windows(word: str, place: int) -> list[tuple[int, str]]:
    # A character that no word has marks both ends.
    padded = f"\0\0\0{word}\0\0\0\0"
    return [(number, padded[place + 3 - left : place + 3 + right]) for number, (left, right) in enumerate(WINDOWS)]
