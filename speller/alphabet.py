"""Characters and their numbers, and the special symbols before them."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

PADDING = 0
"""Fills the end of the shorter words of a batch; never read, never written."""

END = 1
"""Ends a word that the decoder writes."""

UNKNOWN = 2
"""Stands for a character that the alphabet lacks, in what is read and in a misspelling that is written."""

CORRECT = 3
"""Starts the source and the target where the model reads a misspelling and writes the word that was meant."""

MISSPELL = 4
"""Starts them where it reads the word that was meant and writes a misspelling of it."""

SPECIALS = 5
"""How many symbols come before the first character."""


class Alphabet:
    """The characters that words are made of, numbered from ``SPECIALS``, after the special symbols.

    >>> alphabet = Alphabet("abc")
    >>> symbols, lengths = alphabet.encode(["cab", "a?"])
    >>> symbols.tolist(), lengths.tolist()
    ([[7, 5, 6], [5, 2, 0]], [3, 2])
    >>> alphabet.decode(symbols)
    ['cab', 'a�']
    """

    def __init__(self, characters: Iterable[str]) -> None:
        self.characters = "".join(characters)
        if len(set(self.characters)) != len(self.characters):
            raise ValueError(f"an alphabet names each character once, not as in {self.characters!r}")
        # By code point; the last stands for all beyond.
        self._numbers = np.full(max(map(ord, self.characters), default=0) + 2, UNKNOWN)
        self._numbers[list(map(ord, self.characters))] = SPECIALS + np.arange(len(self.characters))

    @classmethod
    def of_words(cls, words: Iterable[str]) -> "Alphabet":
        """The alphabet of all characters in the words, in code point order."""
        return cls(sorted(set().union(*words)))

    def __len__(self) -> int:
        """How many symbols there are, the special ones counted in."""
        return SPECIALS + len(self.characters)

    def encode(self, words: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The words as one padded batch of symbols.

        Returns:
            symbols ``(words, longest)``, padded with ``PADDING``, and lengths ``(words,)``. A character that the
            alphabet lacks becomes ``UNKNOWN``.
        """
        symbols, lengths = self.directed(words, PADDING)
        return symbols[:, 1:], lengths - 1

    def directed(
        self, words: Sequence[str], direction: int | Sequence[int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The same with a direction symbol before each word's letters, counted in its length.

        Args:
            words: what to spell.
            direction: ``CORRECT`` or ``MISSPELL``, or one of these for each word.
        """
        lengths = np.fromiter(map(len, words), np.int64, len(words))
        symbols = np.full((len(words), 1 + max(map(len, words), default=0)), PADDING)
        symbols[:, 0] = direction
        text = np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), np.uint32)
        real = np.arange(symbols.shape[1] - 1) < lengths[:, None]
        symbols[:, 1:][real] = self._numbers.take(text, mode="clip")
        return symbols, lengths + 1

    def decode(self, symbols: NDArray[np.integer]) -> list[str]:
        """The words that a batch of symbols ``(words, longest)`` spells, each up to its first end or padding.

        An unknown character reads as U+FFFD.
        """
        words = []
        for row in symbols.tolist():
            letters = []
            for symbol in row:
                if symbol in (PADDING, END):
                    break
                letters.append(
                    self.characters[symbol - SPECIALS] if symbol >= SPECIALS else "\N{REPLACEMENT CHARACTER}"
                )
            words.append("".join(letters))
        return words
