"""The error model: how people misspell, learned from pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from speller.alphabet import Alphabet
from speller.train.errors.keyboard import QWERTY, slips
from speller.train.errors.rewrites import Rewrites
from speller.train.errors.sampling import Channel, Sampler
from speller.train.errors.sites import Sites
from speller.train.errors.sounds import SoundEdits
from speller.train.errors.storage import load, save
from speller.train.errors.substrings import MOST_EDITS, SubstringEdits


@dataclass(frozen=True)
class Mixture:
    """What sampled misspellings are mixed from.

    Args:
        substrings: share of words misspelled by learned substring edits, as many as the pairs have.
        sounds: share of words misspelled by their sounds, in as many places.
        poor: share of words misspelled in several places, by their sounds and by substring edits as in those learned
            pairs that are more than one letter apart: as poor spellers do, whom dictionaries of common misspellings
            hardly show.
        poor_edits: the edits of a poor speller beyond the first, for each letter of the word (mean).
        slips: share of words with slips of the fingers.
        layout: the keyboard's layout, as ``QWERTY`` is written.
    """

    substrings: float = 0.25
    sounds: float = 0.2
    poor: float = 0.4
    poor_edits: float = 0.13
    slips: float = 0.15
    layout: str = QWERTY

    def __post_init__(self) -> None:
        """Check the shares."""
        shares = (self.substrings, self.sounds, self.poor, self.slips)
        if min(*shares, self.poor_edits) < 0 or not sum(shares):
            raise ValueError(f"shares are 0 or more, and not all 0, poor_edits is 0 or more; received {self}")


class ErrorModel:
    """How people misspell: learned substring edits, sounds written otherwise, slips on a keyboard.

    >>> model = ErrorModel.learn([("recieve", "receive")], Alphabet("ceirv"))
    >>> sampler = model.sampler(["receive", "vice"], mixture=Mixture(substrings=1.0, sounds=0.0, poor=0.0, slips=0.0))
    >>> symbols, lengths, wrong = sampler.sample(torch.tensor([0]), generator=torch.Generator().manual_seed(1))
    >>> model.alphabet.decode(symbols.numpy())
    ['recieve']
    """

    def __init__(
        self, alphabet: Alphabet, substrings: SubstringEdits, far_substrings: SubstringEdits, sounds: SoundEdits
    ) -> None:
        self.alphabet = alphabet
        self.substrings = substrings
        self.far_substrings = far_substrings
        self.sounds = sounds

    @classmethod
    def learn(
        cls,
        pairs: Sequence[tuple[str, str]],
        alphabet: Alphabet,
        *,
        pronunciations: Mapping[str, Sequence[str]] | None = None,
    ) -> "ErrorModel":
        """Learn from misspelling pairs and from pronunciations.

        Args:
            pairs: ``(wrong, right)``. Pairs of equal words, and with characters that the alphabet lacks, are left out.
            pronunciations: words and their sounds (see ``read_pronunciations``); without them nothing is misspelled
                by sound.

        Raises:
            ValueError: no pair is left to learn from.
        """
        characters = set(alphabet.characters)
        usable = [
            (wrong, right)
            for wrong, right in pairs
            if wrong != right and wrong and right and characters.issuperset(wrong + right)
        ]
        if not usable:
            raise ValueError(
                f"an error model needs misspelling pairs in the alphabet {alphabet.characters!r}, "
                f"but none of the {len(pairs)} received is one"
            )
        spoken = {
            word: sounds for word, sounds in (pronunciations or {}).items() if word and characters.issuperset(word)
        }
        far = [pair for pair in usable if OSA.distance(*pair) > 1]
        return cls(
            alphabet,
            SubstringEdits.learn(usable, alphabet),
            SubstringEdits.learn(far or usable, alphabet),
            SoundEdits.learn(usable, spoken),
        )

    def save(self, path: str | Path) -> None:
        """Write the model to a file of plain arrays (safetensors)."""
        save(path, self.alphabet, self.substrings, self.far_substrings, self.sounds)

    @classmethod
    def load(cls, path: str | Path) -> "ErrorModel":
        """Read what ``save`` wrote.

        Raises:
            ValueError: the file is missing, or is not an error model.
        """
        return cls(*load(path))

    def sampler(
        self, words: Sequence[str], *, mixture: Mixture = Mixture(), device: torch.device | str = "cpu"
    ) -> Sampler:
        """What misspells these words.

        Raises:
            ValueError: no words, an empty word, or words none of which can be misspelled.
        """
        if not words or not all(words):
            raise ValueError(
                f"words to misspell have letters, but {'none were given' if not words else 'one is empty'}"
            )
        symbols, lengths = self.alphabet.encode(words)
        usual = self.substrings.numbers[np.minimum(lengths, len(self.substrings.numbers) - 1)]
        poor = _poisson(mixture.poor_edits * lengths.astype(np.float64))
        sound_rewrites, sound_sites = self.sounds.sites(words, self.alphabet)
        slip_rewrites, slip_sites = slips(symbols, lengths, self.alphabet, layout=mixture.layout)
        parts = (self.substrings.rewrites, self.far_substrings.rewrites, sound_rewrites, slip_rewrites)
        before = np.cumsum([0, *(len(part) for part in parts)]).tolist()
        near = self.substrings.sites(symbols, lengths)
        far = self.far_substrings.sites(symbols, lengths).shifted(before[1])
        heard = sound_sites.shifted(before[2])
        channels = [
            Channel(near, usual, mixture.substrings),
            Channel(heard, usual, mixture.sounds),
            Channel(Sites.merged([far, heard]), poor, mixture.poor),
            Channel(slip_sites.shifted(before[3]), usual, mixture.slips),
        ]
        rewrites = Rewrites.joined(parts)
        return Sampler(symbols, lengths, rewrites, channels, device=device)


def _poisson(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(1 + n edits) for n of a Poisson distribution with each mean, cut at ``MOST_EDITS``: ``(words, MOST_EDITS)``."""
    numbers = np.arange(MOST_EDITS)
    factorials = np.cumprod(np.maximum(numbers, 1))
    weights = means[:, None] ** numbers / factorials
    shares: NDArray[np.float64] = weights / weights.sum(1, keepdims=True)
    return shares
