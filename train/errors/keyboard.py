"""Slips of the fingers: a neighbouring key, a key missed or struck twice, two keys in the wrong order."""

import numpy as np
from numpy.typing import NDArray

from speller.alphabet import SPECIALS, Alphabet
from speller.train.errors.rewrites import COPIED, Rewrites
from speller.train.errors.sites import Sites

QWERTY = """\
q w e r t y u i o p
 a s d f g h j k l
  z x c v b n m
"""
"""A layout: a key's line and column say where it is, two columns to a key's width."""

SLIPS = {"missed": 0.3, "neighbour": 0.25, "swapped": 0.2, "repeated": 0.15, "neighbour too": 0.1}
"""The share of each slip at a letter that can have them all."""


def neighbours(layout: str) -> dict[str, str]:
    """The keys that touch each key of a layout, those of the same row and of the rows above and below it.

    >>> neighbours("q w\\n a s")["a"]
    'qws'
    """
    keys = {
        key: (row, column)
        for row, line in enumerate(layout.splitlines())
        for column, key in enumerate(line)
        if key != " "
    }
    return {
        key: "".join(
            other
            for other, (line, place) in keys.items()
            if other != key and abs(line - row) <= 1 and abs(place - column) <= (2 if line == row else 1)
        )
        for key, (row, column) in keys.items()
    }


def slips(
    symbols: NDArray[np.int64], lengths: NDArray[np.int64], alphabet: Alphabet, *, layout: str
) -> tuple[Rewrites, Sites]:
    """Where typing words ``(words, longest)`` may slip: a row of rewrites for each character, and the swap after them.

    Keys that the alphabet lacks are not struck; a character that the layout lacks has no neighbours.
    """
    near = neighbours(layout)
    once, again = COPIED, COPIED + 1
    rows: list[tuple[int, dict[tuple[int, ...], float]]] = []
    for character in alphabet.characters:
        row: dict[tuple[int, ...], float] = {(): SLIPS["missed"], (once, once): SLIPS["repeated"]}
        keys = [
            SPECIALS + alphabet.characters.index(key) for key in near.get(character, "") if key in alphabet.characters
        ]
        for key in keys:
            row[(key,)] = SLIPS["neighbour"] / len(keys)
            row[(once, key)] = row[(key, once)] = SLIPS["neighbour too"] / len(keys) / 2
        rows.append((1, row))
    masses = np.array([sum(row.values()) for _, row in rows])
    rows.append((2, {(again, once): SLIPS["swapped"]}))
    places = np.arange(symbols.shape[1])
    owners, starts = np.nonzero((places < lengths[:, None]) & (symbols >= SPECIALS))
    letters = symbols[owners, starts] - SPECIALS
    # Swapped twins are the same word.
    differ = np.pad(symbols[:, 1:] != symbols[:, :-1], ((0, 0), (0, 1)))
    swap_owners, swap_starts = np.nonzero((places + 1 < lengths[:, None]) & differ)
    return Rewrites.of_rows(rows), Sites.of_columns(
        len(symbols),
        np.concatenate([owners, swap_owners]),
        np.concatenate([starts, swap_starts]),
        np.concatenate([letters, np.full(len(swap_owners), len(alphabet.characters))]),
        np.concatenate([masses[letters], np.full(len(swap_owners), SLIPS["swapped"])]),
    )
