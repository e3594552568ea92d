"""Which pieces of a word people miswrite, where and how: substring edits in context."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speller.alphabet import Alphabet
from speller.train.errors.alignment import LONGEST, edits
from speller.train.errors.rewrites import Rewrites
from speller.train.errors.sites import Sites

CONTEXTS = ((0, 0), (1, 1), (2, 2))
"""Letters to the left and to the right of the piece, from least to most. The least knows the place in the word."""

DOUBT = (0.0, 8.0, 16.0)
"""How often a context must have been met to count as much as all that know less together."""

RARE = 8
"""Contexts met less often than this are forgotten, unless something was miswritten there."""

SLIGHT = 0.005
"""Sites of less than this share of a word's heaviest are left out: a third of the sites, with 0.3 % of
all weight in English."""

MOST_EDITS = 6
"""The most edits that one word gets."""


@dataclass(frozen=True)
class SubstringEdits:
    """P(written substring | intended substring, its surroundings, its place in the word), after Brill & Moore (2000).

    What surroundings say is mixed, from more of them to fewer, by how often each was met.

    Attributes:
        keys: ``(contexts,)`` piece and surroundings as a hash, ascending.
        met: ``(contexts,)`` how often the right words of the pairs hold it.
        rewrites: a row for each context, weighed by counts; empty where it was always written right.
        numbers: ``(lengths, MOST_EDITS)`` P(1, 2, … edits | the word's letters), the last row for all longer words.
    """

    keys: NDArray[np.uint64]
    met: NDArray[np.int64]
    rewrites: Rewrites
    numbers: NDArray[np.float64]

    @classmethod
    def learn(cls, pairs: Sequence[tuple[str, str]], alphabet: Alphabet) -> "SubstringEdits":
        """Count the edits of pairs ``(wrong, right)``, all within the alphabet."""
        symbols, lengths = alphabet.encode([right for _, right in pairs])
        found = [(row, edit) for row, pair in enumerate(pairs) for edit in edits(*pair)]
        owners = np.array([row for row, _ in found], np.int64)
        starts = np.array([edit.start for _, edit in found], np.int64)
        spans = np.array([edit.span for _, edit in found], np.int64)
        written = alphabet.encode([edit.written for _, edit in found])[0]
        written = np.pad(written, ((0, 0), (0, LONGEST - written.shape[1])))
        all_keys, all_met, all_rows = [], [], []
        for span in range(LONGEST + 1):
            edited = spans == span
            for level in range(len(CONTEXTS)):
                keys = _keys(symbols, lengths, span=span, level=level)
                present, met = np.unique(keys[_fits(symbols, lengths, span=span)], return_counts=True)
                edit_keys = keys[owners[edited], starts[edited]]
                keep = (met >= RARE) | np.isin(present, edit_keys)
                present, met = present[keep], met[keep]
                all_keys.append(present)
                all_met.append(met)
                all_rows.append((span, np.searchsorted(present, edit_keys), written[edited]))
        rewrites = Rewrites.joined(
            [_count(span, rows, ways, len(keys)) for keys, (span, rows, ways) in zip(all_keys, all_rows, strict=True)]
        )
        keys, met = np.concatenate(all_keys), np.concatenate(all_met)
        order = np.argsort(keys)
        return cls(keys[order], met[order], rewrites.taken(order), _numbers(np.bincount(owners), lengths))

    def sites(self, symbols: NDArray[np.int64], lengths: NDArray[np.int64]) -> Sites:
        """Where words ``(words, longest)`` may be miswritten."""
        masses = np.add.reduceat(np.append(self.rewrites.weights, 0.0), self.rewrites.offsets[:-1])
        masses[np.diff(self.rewrites.offsets) == 0] = 0.0
        columns: list[tuple[NDArray[np.int64], ...]] = []
        weights = []
        for span in range(LONGEST + 1):
            fits = _fits(symbols, lengths, span=span)
            owners, starts = np.nonzero(fits)
            left = np.ones(len(owners))
            for level in reversed(range(len(CONTEXTS))):
                keys = _keys(symbols, lengths, span=span, level=level)[fits]
                rows = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
                met = np.where(self.keys[rows] == keys, self.met[rows], 0)
                trust = np.divide(met, met + DOUBT[level], out=np.zeros(len(met)), where=met > 0)
                weight = left * trust * masses[rows] / np.maximum(met, 1)
                left = left * (1 - trust)
                here = weight > 0
                columns.append((owners[here], starts[here], rows[here]))
                weights.append(weight[here])
        owners, starts, rows = (np.concatenate(column) for column in zip(*columns, strict=True))
        return Sites.of_columns(len(symbols), owners, starts, rows, np.concatenate(weights)).noticeable(SLIGHT)


def _fits(symbols: NDArray[np.int64], lengths: NDArray[np.int64], *, span: int) -> NDArray[np.bool_]:
    """Whether a piece of ``span`` letters begins there ``(words, longest + 1)``."""
    fits: NDArray[np.bool_] = np.arange(symbols.shape[1] + 1) + span <= lengths[:, None]
    return fits


def _keys(symbols: NDArray[np.int64], lengths: NDArray[np.int64], *, span: int, level: int) -> NDArray[np.uint64]:
    """The hash of the piece that begins there, with its surroundings ``(words, longest + 1)``."""
    left, right = CONTEXTS[level]
    width = symbols.shape[1] + 1
    padded = np.pad(symbols, ((0, 0), (left, span + right + 1))).astype(np.uint64)
    # Which surroundings these are, and the place in the word, are the first letters of what is hashed.
    columns = [np.full((len(symbols), width), span * len(CONTEXTS) + level, np.uint64)]
    if not level:
        ends = np.arange(width) + span == lengths[:, None]
        columns.append(np.where(np.arange(width) == 0, 0, np.where(ends, 2, 1)).astype(np.uint64))
    columns += [padded[:, place : place + width] for place in range(left + span + right)]
    keys = np.zeros((len(symbols), width), np.uint64)
    for column in columns:
        # An odd constant of 64 bits multiplies without loss; the shift lets high bits reach low ones.
        keys = (keys + column + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys


def _count(span: int, rows: NDArray[np.int64], ways: NDArray[np.int64], length: int) -> Rewrites:
    """Equal ways in equal rows are one, weighed by their number."""
    table, counts = np.unique(np.column_stack([rows, ways]), axis=0, return_counts=True)
    return Rewrites(
        spans=np.full(length, span),
        offsets=np.searchsorted(table[:, 0], np.arange(length + 1)),
        written=table[:, 1:],
        weights=counts.astype(np.float64),
    )


def _numbers(edit_counts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """P(number of edits | length), smoothed by that over all lengths."""
    edited = edit_counts > 0
    numbers = np.minimum(edit_counts[edited], MOST_EDITS)
    counts = np.zeros((int(lengths.max()) + 1, MOST_EDITS))
    np.add.at(counts, (lengths[: len(edit_counts)][edited], numbers - 1), 1.0)
    overall = counts.sum(0) / counts.sum()
    smoothed: NDArray[np.float64] = (counts + 20 * overall) / (counts.sum(1, keepdims=True) + 20)
    return smoothed
