"""Random edits: the usual way to make misspellings where nobody says how people misspell."""

from collections.abc import Sequence

import numpy as np
import torch

from speller.alphabet import SPECIALS, Alphabet
from speller.train.errors.rewrites import COPIED, Rewrites
from speller.train.errors.sampling import Channel, Sampler
from speller.train.errors.sites import Sites

TWO = 0.2
"""The share of words that get two edits; the others get one, as four misspellings in five have (Damerau 1964)."""

RARE = 5e-4
"""Letters of less than this share of the words' letters are not written: an accent that few words have."""


def uniform_sampler(words: Sequence[str], alphabet: Alphabet, *, device: torch.device | str = "cpu") -> Sampler:
    """What misspells words by insertions, deletions, substitutions and swaps of neighbours.

    Each of the four is as likely, and so is each place in the word, and each letter that is written.

    Raises:
        ValueError: the words have fewer than two different letters.
    """
    symbols, lengths = alphabet.encode(words)
    counts = np.bincount(symbols.ravel(), minlength=len(alphabet))[SPECIALS:]
    letters = (SPECIALS + np.flatnonzero(counts > RARE * counts.sum())).tolist()
    if len(letters) < 2:
        raise ValueError(f"random edits need words of at least two different letters, got {list(words[:5])}")
    rows: list[tuple[int, dict[tuple[int, ...], float]]] = [
        (0, {(letter,): 1.0 for letter in letters}),
        (1, {(): 1.0}),
        (2, {(COPIED + 1, COPIED): 1.0}),
    ]
    for replaced in range(len(alphabet)):
        rows.append((1, {(other,): 1.0 for other in letters if other != replaced}))
    after = np.pad(symbols, ((0, 0), (0, 1)))  # (words, longest + 1): there is a place behind the last letter
    places = np.arange(after.shape[1])
    has_letter = places < lengths[:, None]
    # Swapped twins are the same word.
    swappable = has_letter & np.roll(has_letter, -1, axis=1) & (after != np.roll(after, -1, axis=1))
    columns = []
    for row, fits in ((0, places <= lengths[:, None]), (1, has_letter), (2, swappable), (3 + after, has_letter)):
        owners, starts = np.nonzero(fits)
        weights = 1 / np.bincount(owners, minlength=len(words))[owners]
        columns.append((owners, starts, np.broadcast_to(row, after.shape)[fits], weights))
    sites = Sites.of_columns(len(words), *(np.concatenate(column) for column in zip(*columns, strict=True)))
    numbers = np.tile([1 - TWO, TWO], (len(words), 1))
    return Sampler(symbols, lengths, Rewrites.of_rows(rows), [Channel(sites, numbers, 1.0)], device=device)
