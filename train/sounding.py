"""How a lexicon's words sound, and how letters are read, learned from pronunciations and from misspellings."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from speller.lexicon import Lexicon
from speller.sounds import EDGE, PIECE, SPOKEN, Sounds, Ways
from speller.train.errors.graphones import Graphone
from speller.train.errors.sounds import SoundEdits
from speller.train.letter_groups import letter_groups

CLOSE = 1 / 2
"""Sounds are alike that are written for each other this often (see ``letter_groups``)."""

RARE = 30
"""A way to read letters that fewer words have is left out …"""

SLIGHT = 0.1
"""… and so is one that fewer of the words with these letters have."""

PIECES = 1.0
"""What each piece costs, as a logarithm: longer pieces know better."""

_VOWEL = "A"
_STRESS = "0123456789"
_FIRST = 0x4E00
"""The first of many letters in a row: sounds are written with them, to be grouped as letters are."""


def learn_sounds(lexicon: Lexicon, edits: SoundEdits, pairs: Sequence[tuple[str, str]]) -> Sounds:
    """What a lexicon's words sound like, by a pronouncing dictionary or by analogy, and how other words are read.

    Sounds are taken for one another as misspellings show it: both of a pair are read, and what stands in one for what
    stands in the other is counted. All vowels, the sounds that may be stressed, count as one, but for those that are
    taken for consonants ("er" for "r").

    Args:
        lexicon: the words.
        edits: how words are pronounced.
        pairs: misspellings, ``(wrong, right)``, folded.
    """
    characters = _characters(edits, pairs)

    def spell(graphones: Sequence[Graphone]) -> str:
        return "".join(characters[sound] for graphone in graphones for sound in graphone.sounds)

    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for word, graphones in edits.aligned.items():
        for letters, sounds in _runs(word, graphones):
            begins = letters.startswith(EDGE)
            counts[letters][_heard(spell(sounds), begins=begins)] += 1
    pieces = {letters: ways for letters, read in counts.items() if (ways := _ways(read))}
    reading = replace(Sounds.unknown(), pieces=pieces)
    heard = np.zeros(len(lexicon), f"S{SPOKEN}")
    for index in lexicon.offered.tolist():
        word = lexicon.words[index]
        if graphones := edits.read(word):
            heard[index] = _heard(spell(graphones), begins=True).encode()
        else:  # a letter that no pronounced word has
            heard[index] = next(iter(reading.read(word)), b"")
    return Sounds.build(pieces, heard, lexicon.zipf)


def _characters(edits: SoundEdits, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """A character for each sound, with its stress: ``_VOWEL`` for vowels."""
    sounds = sorted({sound for word in edits.aligned.values() for graphone in word for sound in graphone.sounds})
    letter = {bare: chr(_FIRST + place) for place, bare in enumerate(dict.fromkeys(s.rstrip(_STRESS) for s in sounds))}
    vowels = {letter[sound.rstrip(_STRESS)] for sound in sounds if sound[-1] in _STRESS}

    def heard(word: str) -> str:
        return "".join(letter[s.rstrip(_STRESS)] for graphone in edits.read(word) for s in graphone.sounds)

    read = [(heard(wrong), heard(right)) for wrong, right in pairs if wrong != right]
    groups = letter_groups([(wrong, right) for wrong, right in read if wrong and right], close=CLOSE)
    consonants = [group for group in groups if not vowels.issuperset(group)]
    consonants += [each for each in letter.values() if each not in vowels and each not in "".join(groups)]
    character = dict.fromkeys(vowels, _VOWEL)
    character |= {each: chr(ord(_VOWEL) + place) for place, group in enumerate(consonants, 1) for each in group}
    return {sound: character[letter[sound.rstrip(_STRESS)]] for sound in sounds}


def _runs(word: str, graphones: Sequence[Graphone]) -> Iterator[tuple[str, Sequence[Graphone]]]:
    """The word's runs of up to ``PIECE`` letters that are read together, with and without the edges that they touch."""
    for first, (start, _, _) in enumerate(graphones):
        for last in range(first, len(graphones)):
            end = graphones[last].start + graphones[last].span
            if end - start > PIECE:
                break
            for before in ("", EDGE) if first == 0 else ("",):
                for after in ("", EDGE) if last + 1 == len(graphones) else ("",):
                    yield before + word[start:end] + after, graphones[first : last + 1]


def _heard(sounds: str, *, begins: bool) -> str:
    """Sounds without the vowels, but for one that begins a word, and each run of one sound as one."""
    heard = ""
    for place, sound in enumerate(sounds):
        if heard[-1:] != sound and (sound != _VOWEL or (begins and place == 0)):
            heard += sound
    return heard


def _ways(read: Mapping[str, int]) -> Ways:
    total = sum(read.values())
    usual = [(sounds, count) for sounds, count in read.items() if count >= max(RARE, SLIGHT * total)]
    return tuple((sounds, round(math.log(count / total) - PIECES, 2)) for sounds, count in usual)
