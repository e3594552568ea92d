"""How a language's words write each sound."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from speller.train.errors.alignment import LONGEST
from speller.train.errors.graphones import Graphone, Sounds

DOUBT = 5.0
"""How many sightings of a sound in its surroundings count as much as all its sightings elsewhere."""

RARE = 3
"""A way to write a sound that fewer words use is a name's, or an error of alignment."""

JOINT = 20
"""Two sounds are written anew together if so many words have letters for both at once: "x" in "six"."""

Surroundings = tuple[Sounds, str, str]
"""Sounds, their place in the word (start, middle, end) and the sound that follows."""


class Spellings:
    """P(letters | sound, its place in the word, the sound that follows), from words with known pronunciation.

    Args:
        aligned: words and their units.
    """

    def __init__(self, aligned: Mapping[str, Sequence[Graphone]]) -> None:
        self._counts: defaultdict[Sounds | Surroundings, Counter[str]] = defaultdict(Counter)
        whole = Counter(graphone.sounds for graphones in aligned.values() for graphone in graphones)
        self._written_whole = {sounds for sounds, count in whole.items() if len(sounds) == 1 or count >= JOINT}
        for word, graphones in aligned.items():
            for graphone, surroundings in self.units(graphones):
                sounds, place, _ = surroundings
                letters = word[graphone.start : graphone.start + graphone.span]
                for key in (sounds, (sounds, place, ""), surroundings):
                    self._counts[key][letters] += 1

    def units(self, graphones: Sequence[Graphone]) -> Iterator[tuple[Graphone, Surroundings]]:
        """The units of a word that may be written anew, with their surroundings; also neighbours taken together."""
        for wide in (1, 2):
            for first in range(len(graphones) - wide + 1):
                together = graphones[first : first + wide]
                span = sum(graphone.span for graphone in together)
                sounds = tuple(sound for graphone in together for sound in graphone.sounds)
                if span > LONGEST or sounds not in self._written_whole:
                    continue
                after = graphones[first + wide].sounds[0] if first + wide < len(graphones) else ""
                place = "start" if not first else "middle" if after else "end"
                yield Graphone(together[0].start, span, sounds), (sounds, place, after)

    def shares(self, surroundings: Surroundings) -> dict[str, float]:
        """The ways to write a sound there, with their probabilities; what rare ways have is missing from 1."""
        sounds, place, _ = surroundings
        anywhere = self._counts[sounds]
        shares = {way: count / anywhere.total() for way, count in anywhere.items() if count >= RARE}
        for key in ((sounds, place, ""), surroundings):
            seen = self._counts.get(key, Counter())
            total = seen.total() + DOUBT
            shares = {way: (seen[way] + DOUBT * share) / total for way, share in shares.items()}
        return shares
