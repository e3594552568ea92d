"""Which sounds of a word people miswrite, and how."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from speller.alphabet import Alphabet
from speller.train.errors.alignment import LONGEST, Edit, edits
from speller.train.errors.graphones import Graphone, Sounds, align
from speller.train.errors.reading import Reader
from speller.train.errors.rewrites import Rewrites
from speller.train.errors.sites import Sites
from speller.train.errors.spellings import Spellings, Surroundings

BY_EAR = 0.17
"""What other words' ways to write a sound weigh, against how misspellings in the pairs write it."""

DOUBT = 10.0
"""How often a unit must have been miswritten to count as much as its sounds wherever they occur."""

RARE = 2
"""What was written for a sound less often is left out."""

SLIGHT = 0.002
"""What is less likely to be written for a sound, when it is miswritten, is left out."""

Unit = tuple[Sounds, str]
"""Sounds and the letters that are right for them."""


@dataclass(frozen=True)
class SoundEdits:
    """P(letters written | sound, letters meant, surroundings): as other words write the sound, and as misspellings do.

    So "fisix" comes from "physics": "f" as "fish" begins, "i" as in "six", "x" for the two sounds at the end of both.

    Attributes:
        aligned: words and their units, one pronunciation each.
        met: how often right words of the pairs have a unit.
        miswritten: what their misspellings have for it instead, and how often.
    """

    aligned: Mapping[str, Sequence[Graphone]]
    met: Mapping[Unit, int]
    miswritten: Mapping[Unit, Mapping[str, int]]

    @classmethod
    def learn(cls, pairs: Sequence[tuple[str, str]], pronunciations: Mapping[str, Sequence[str]]) -> "SoundEdits":
        """Align the pronounced words, then count what pairs ``(wrong, right)`` write for their units."""
        met: Counter[Unit] = Counter()
        miswritten: defaultdict[Unit, Counter[str]] = defaultdict(Counter)
        model = cls(align(pronunciations), met, miswritten)
        for wrong, right in pairs:
            found = edits(wrong, right)
            for graphone, (sounds, _, _) in model._units(right):
                unit = (sounds, right[graphone.start : graphone.start + graphone.span])
                met[unit] += 1
                written = _written(graphone, found, right)
                if written not in (None, unit[1]):
                    miswritten[unit][written] += 1
        return model

    def sites(self, words: Sequence[str], alphabet: Alphabet) -> tuple[Rewrites, Sites]:
        """Where the words may be miswritten by their sounds. A word whose sounds nothing tells has no sites."""
        rows: list[tuple[int, dict[tuple[int, ...], float]]] = []
        numbers: dict[tuple[str, Surroundings], int] = {}
        sites = []
        for owner, word in enumerate(words):
            for graphone, surroundings in self._units(word):
                letters = word[graphone.start : graphone.start + graphone.span]
                key = (letters, surroundings)
                if key not in numbers:
                    numbers[key] = len(rows)
                    ways = self._ways(letters, surroundings)
                    rows.append((graphone.span, {_symbols(way, alphabet): weight for way, weight in ways.items()}))
                sites.append((owner, graphone.start, numbers[key]))
        owners, starts, places = np.array(sites, np.int64).reshape(-1, 3).T
        masses = np.array([sum(row.values()) for _, row in rows])
        used = masses[places] > 0
        return Rewrites.of_rows(rows), Sites.of_columns(
            len(words), owners[used], starts[used], places[used], masses[places[used]]
        )

    def read(self, word: str) -> Sequence[Graphone]:
        """The units of a word: as aligned, or, as most words have no known pronunciation, by analogy."""
        return self.aligned.get(word) or self._reader.read(word)

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings(self.aligned)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.aligned)

    @cached_property
    def _by_sounds(self) -> tuple[Counter[Sounds], dict[Sounds, Counter[str]]]:
        """``met`` and ``miswritten`` whatever letters are right."""
        met: Counter[Sounds] = Counter()
        miswritten: defaultdict[Sounds, Counter[str]] = defaultdict(Counter)
        for (sounds, _), count in self.met.items():
            met[sounds] += count
        for (sounds, _), ways in self.miswritten.items():
            miswritten[sounds].update(ways)
        return met, miswritten

    def _units(self, word: str) -> Iterator[tuple[Graphone, Surroundings]]:
        return self._spellings.units(self.read(word))

    def _ways(self, letters: str, surroundings: Surroundings) -> dict[str, float]:
        """What is written there instead, weighed by how often."""
        sounds = surroundings[0]
        all_met, all_miswritten = self._by_sounds
        own, shared = self.miswritten.get((sounds, letters), {}), all_miswritten.get(sounds, Counter())
        own_total = sum(own.values())
        trust = own_total / (own_total + DOUBT)
        ways: defaultdict[str, float] = defaultdict(float)
        for counts, part in ((own, trust), (shared, 1 - trust)):
            usual = {way: count for way, count in counts.items() if count >= RARE and way != letters}
            for way, count in usual.items():
                ways[way] += part * count / sum(usual.values())
        shared_rate = shared.total() / max(all_met[sounds], 1)
        rate = (own_total + DOUBT * shared_rate) / (self.met.get((sounds, letters), 0) + DOUBT)
        weights = defaultdict(float, {way: rate * share for way, share in ways.items()})
        for way, share in self._spellings.shares(surroundings).items():
            if way != letters:
                weights[way] += BY_EAR * share
        least = SLIGHT * sum(weights.values())
        return {way: weight for way, weight in weights.items() if weight >= least}


def _written(graphone: Graphone, found: Sequence[Edit], right: str) -> str | None:
    """What was written for a unit, or nothing where an edit reaches over its edges."""
    place, end = graphone.start, graphone.start + graphone.span
    pieces = []
    for edit in found:
        edited = edit.start + edit.span
        # What was added between two units goes with the second, what was added behind all with the last.
        if edit.start > end or (edit.start == end < len(right)) or edited < place or (edited == place and edit.span):
            continue
        if edit.start < place or edited > end:
            return None
        pieces += [right[place : edit.start], edit.written]
        place = edited
    written = "".join([*pieces, right[place:end]])
    return written if len(written) <= LONGEST else None


def _symbols(letters: str, alphabet: Alphabet) -> tuple[int, ...]:
    return tuple(alphabet.encode([letters])[0][0].tolist())
