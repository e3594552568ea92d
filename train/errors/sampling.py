"""Misspellings sampled as tensors, whole batches at once, on any device."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from speller.alphabet import PADDING
from speller.train.errors.alignment import LONGEST
from speller.train.errors.rewrites import COPIED, Rewrites
from speller.train.errors.sites import Sites

DRAWS = 9
"""Sites drawn for a word: more than it gets edits, as some fall on each other."""

GROWTH = 8
"""A misspelling has at most so many letters more than the longest of the words; else it is not used."""


class Channel(NamedTuple):
    """One source of errors for a list of words: where and how they are miswritten, and how often in one word."""

    sites: Sites
    numbers: NDArray[np.float64]  # (words, most edits): P(1, 2, … edits)
    share: float  # of the words; what has no site here goes to the other channels


class Misspellings(NamedTuple):
    """A batch of sampled misspellings.

    Attributes:
        symbols: ``(batch, longest + GROWTH)``, padded.
        lengths: ``(batch,)``.
        wrong: ``(batch,)`` bool, false where no misspelling came out, but the word itself or another known word.
            There the symbols are the word's own.
    """

    symbols: Tensor
    lengths: Tensor
    wrong: Tensor


class Misspeller(Protocol):
    """Misspells words of a fixed list, drawn by number."""

    def sample(self, indices: Tensor, *, generator: torch.Generator) -> Misspellings:
        """Misspell the words of these numbers ``(batch,)``, each on its own; equal seeds give equal misspellings."""


class Words:
    """The words that are misspelled, and known: none of them is a misspelling of another.

    Args:
        symbols, lengths: the words, ``(words, longest)`` and ``(words,)``, as ``Alphabet.encode`` gives them.
        device: where they are kept.
    """

    def __init__(
        self, symbols: NDArray[np.int64], lengths: NDArray[np.int64], *, device: torch.device | str = "cpu"
    ) -> None:
        narrow = torch.int16 if symbols.max(initial=0) < 2**15 else torch.int32
        self._symbols = torch.from_numpy(symbols).to(device, narrow)
        self._lengths = torch.from_numpy(lengths).to(device)
        self._known = _hashes(torch.from_numpy(symbols).to(device)).sort().values

    def __len__(self) -> int:
        """How many words there are."""
        return len(self._symbols)

    def drawn(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """The words of these numbers, symbols ``(batch, longest)`` and lengths ``(batch,)``."""
        return self._symbols[indices].long(), self._lengths[indices]

    def misspelled(self, indices: Tensor, symbols: Tensor, lengths: Tensor) -> Misspellings:
        """What was written for the words of these numbers, where it is a misspelling; else the words themselves.

        Args:
            indices: ``(batch,)``.
            symbols: ``(batch, longest + GROWTH)``, padded.
            lengths: ``(batch,)``; what is longer than the symbols is not used.
        """
        own, own_lengths = self.drawn(indices)
        hashes = _hashes(symbols)
        known = self._known[torch.searchsorted(self._known, hashes).clamp(max=len(self._known) - 1)] == hashes
        wrong = (lengths > 0) & (lengths <= symbols.shape[1]) & ~known
        own = torch.nn.functional.pad(own, (0, GROWTH), value=PADDING)
        return Misspellings(torch.where(wrong[:, None], symbols, own), torch.where(wrong, lengths, own_lengths), wrong)


class Sampler:
    """Misspells by rewriting pieces of words.

    Args:
        symbols, lengths: the words, ``(words, longest)`` and ``(words,)``, as ``Alphabet.encode`` gives them.
        rewrites: all ways of writing.
        channels: where, and by which of these rows, words are miswritten.
        device: where everything is kept and drawn.

    Raises:
        ValueError: none of the words can be misspelled.
    """

    def __init__(
        self,
        symbols: NDArray[np.int64],
        lengths: NDArray[np.int64],
        rewrites: Rewrites,
        channels: Sequence[Channel],
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        def kept(array: NDArray[np.generic], dtype: torch.dtype) -> Tensor:
            return torch.from_numpy(array).to(device, dtype)

        sites = [channel.sites for channel in channels]
        if not sum(len(part.rows) for part in sites):
            raise ValueError(f"none of the {len(symbols)} words can be misspelled: no error learned fits their letters")
        first_sites = np.cumsum([0, *(len(part.rows) for part in sites)])
        has_sites = np.stack([np.diff(part.offsets) > 0 for part in sites], 1)
        shares = np.array([channel.share for channel in channels]) * has_sites
        self.device = torch.device(device)
        self._words = Words(symbols, lengths, device=device)
        self._shares = kept(shares.cumsum(1) / np.maximum(shares.cumsum(1)[:, -1:], 1e-30), torch.float32)
        # One flat list of sites: those of channel 0 word by word, then those of channel 1, …
        self._starts = kept(np.concatenate([part.starts for part in sites]), torch.int16)
        self._rows = kept(np.concatenate([part.rows for part in sites]), torch.int32)
        offsets = [part.offsets[:-1] + first for part, first in zip(sites, first_sites, strict=False)]
        self._offsets = kept(np.concatenate([*offsets, first_sites[-1:]]), torch.int64)
        self._masses = kept(_cumulated([part.weights for part in sites]), torch.float64)
        self._numbers = kept(np.concatenate([channel.numbers.cumsum(1) for channel in channels]), torch.float32)
        self._spans = kept(rewrites.spans, torch.int64)
        self._way_offsets = kept(rewrites.offsets, torch.int64)
        self._way_masses = kept(_cumulated([rewrites.weights]), torch.float64)
        self._written = kept(rewrites.written, torch.int64)

    def __len__(self) -> int:
        """How many words there are."""
        return len(self._words)

    def sample(self, indices: Tensor, *, generator: torch.Generator) -> Misspellings:
        """Misspell the words of these numbers ``(batch,)``, each on its own; equal seeds give equal misspellings."""
        words, lengths = self._words.drawn(indices)
        starts, rows, wanted = self._draw_sites(indices, generator)  # (batch, DRAWS) twice, (batch,)
        spans = self._spans[rows]
        applied = _without_overlap(starts, spans, wanted)
        ways = _drawn(self._way_masses, self._way_offsets[rows], self._way_offsets[rows + 1], generator)
        symbols, new_lengths = _rewritten(words, lengths, starts, spans, self._written[ways], applied)
        return self._words.misspelled(indices, symbols, new_lengths)

    def _draw_sites(self, indices: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Sites of one channel for each word, by their weights, and how many of them are to be used."""
        draws = torch.rand(2, len(indices), 1, generator=generator, device=self.device)
        shares = self._shares[indices]  # (batch, channels)
        channel = (draws[0] >= shares).sum(1).clamp(max=shares.shape[1] - 1)
        places = channel * len(self) + indices
        wanted = 1 + (draws[1] >= self._numbers[places]).sum(1)
        begin, end = self._offsets[places], self._offsets[places + 1]
        sites = _drawn(
            self._masses, begin[:, None].expand(-1, DRAWS), end[:, None].expand(-1, DRAWS), generator
        )  # (batch, DRAWS)
        # A word without a site in any channel gets no edit.
        wanted = wanted * (shares[:, -1] > 0)
        return self._starts[sites].long(), self._rows[sites].long(), wanted


def _cumulated(weights: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Running sums, 0 first."""
    return np.concatenate([[0.0], np.cumsum(np.concatenate(weights))])


def _drawn(masses: Tensor, begins: Tensor, ends: Tensor, generator: torch.Generator) -> Tensor:
    """A place of each interval ``[begin, end)``, by the weights whose running sums ``masses`` are."""
    low, high = masses[begins], masses[ends]
    uniform = torch.rand(begins.shape, generator=generator, device=masses.device, dtype=torch.float64)
    places = torch.searchsorted(masses, low + uniform * (high - low), right=True) - 1
    # Rounding may reach the interval's end.
    return places.clamp(begins, torch.maximum(ends - 1, begins)).clamp(max=len(masses) - 2)


def _without_overlap(starts: Tensor, spans: Tensor, wanted: Tensor) -> Tensor:
    """Which edits ``(batch, draws)`` are applied: the first ``wanted`` that leave each other alone."""
    ends = starts + spans.clamp(min=1)
    applied = torch.zeros_like(starts, dtype=torch.bool)
    for draw in range(starts.shape[1]):
        before = slice(0, draw)
        touches = (starts[:, before] < ends[:, draw, None]) & (starts[:, draw, None] < ends[:, before])
        free = ~(touches & applied[:, before]).any(1)
        applied[:, draw] = free & (applied[:, before].sum(1) < wanted)
    return applied


def _rewritten(
    words: Tensor, lengths: Tensor, starts: Tensor, spans: Tensor, written: Tensor, applied: Tensor
) -> tuple[Tensor, Tensor]:
    """The words with edits applied, ``(batch, longest + GROWTH)``, and their lengths, which may exceed that width.

    Args:
        words: ``(batch, longest)``.
        lengths: ``(batch,)``.
        starts, spans, applied: ``(batch, draws)``.
        written: ``(batch, draws, LONGEST)``.
    """
    batch, longest = words.shape
    # Where a letter of the piece is copied into what is written.
    places = (starts[:, :, None] + written - COPIED).clamp(0, longest - 1)
    copies = words.gather(1, places.view(batch, -1)).view_as(written)
    written = torch.where(written < 0, copies, written)
    # Each place of the word writes its edit, if one begins there, and its own letter, unless an edit covers it. Edits
    # that are not applied go to a place behind all.
    behind = longest + 1
    begins = torch.where(applied, starts, behind)
    output = words.new_full((batch, behind + 1, LONGEST + 1), PADDING)
    output[:, :, :LONGEST].scatter_(1, begins[:, :, None].expand(-1, -1, LONGEST), written)
    edges = words.new_zeros(batch, behind + 1 + LONGEST)
    edges.scatter_add_(1, begins, torch.ones_like(begins))
    edges.scatter_add_(1, begins + spans, torch.full_like(begins, -1))
    covered = edges.cumsum(1)[:, :longest] > 0
    output[:, :longest, LONGEST] = torch.where(covered, PADDING, words)
    output = output[:, :behind].flatten(1)  # (batch, (longest + 1) * (LONGEST + 1))
    filled = output != PADDING
    targets = torch.where(filled, filled.cumsum(1) - 1, longest + GROWTH).clamp(max=longest + GROWTH)
    symbols = words.new_full((batch, longest + GROWTH + 1), PADDING).scatter_(1, targets, output)
    return symbols[:, :-1], filled.sum(1)


def _hashes(symbols: Tensor) -> Tensor:
    """One number for each row, whatever padding follows it."""
    hashes = torch.zeros(len(symbols), dtype=torch.int64, device=symbols.device)
    for column in symbols.flip(1).unbind(1):
        # Padding is 0, and comes first here: it leaves 0.
        hashes = hashes * 0x5851F42D4C957F2D + column * 0x14057B7EF767814F
    return hashes
