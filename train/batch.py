"""A batch of words to read and of words to write, as tensors."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from speller.alphabet import CORRECT, END, PADDING


def decoder_input(words: Tensor, direction: int) -> Tensor:
    """What a decoder reads to write these words ``(rows, longest)``: ``(rows, longest + 1)``, the direction first."""
    return torch.cat((words.new_full((len(words), 1), direction), words), dim=1)


def decoder_output(words: Tensor, lengths: Tensor) -> Tensor:
    """What it is to write: ``(rows, longest + 1)``, ``END`` after each word's last letter, then ``PADDING``."""
    places = torch.arange(words.shape[1] + 1, device=words.device)
    padded = torch.nn.functional.pad(words, (0, 1), value=PADDING)
    ends = lengths[:, None]
    return torch.where(places < ends, padded, torch.where(places == ends, END, PADDING))


@dataclass(frozen=True)
class Batch:
    """Words to read (``source``) and words to write (``target``), all in one direction.

    Attributes:
        source: ``(batch, time)`` symbols, the direction symbol first, padded with ``PADDING``.
        source_lengths: ``(batch,)``, the direction symbol counted in; on the CPU, where packing wants them;
            what is to be done with fixed shapes has them on its device.
        target: ``(batch, longest)`` symbols without the end symbol, padded with ``PADDING``.
        target_lengths: ``(batch,)``.
        direction: ``CORRECT`` (misspellings are read, words written) or ``MISSPELL`` (the other way round).
    """

    source: Tensor
    source_lengths: Tensor
    target: Tensor
    target_lengths: Tensor
    direction: int

    @classmethod
    def of(
        cls, read: Tensor, read_lengths: Tensor, written: Tensor, written_lengths: Tensor, *, direction: int = CORRECT
    ) -> "Batch":
        """A batch from each side's padded symbols ``(batch, longest)``, no directions yet, and lengths ``(batch,)``.

        Lengths that are on the CPU already are not waited for.
        """
        read_lengths, written_lengths = read_lengths.cpu(), written_lengths.cpu()
        read = read[:, : int(read_lengths.max())]
        written = written[:, : int(written_lengths.max())]
        start = read.new_full((len(read), 1), direction)
        source = torch.cat((start, read), dim=1)
        return cls(source, read_lengths + 1, written, written_lengths.to(written.device), direction)

    def __len__(self) -> int:
        return len(self.source)

    @property
    def unread(self) -> bool:
        """Whether the words are to be written without anything's being read."""
        return self.source.shape[1] == 1

    @cached_property
    def previous(self) -> Tensor:
        """``(batch, longest + 1)``: what the decoder reads under teacher forcing."""
        return decoder_input(self.target, self.direction)

    @cached_property
    def written(self) -> Tensor:
        """``(batch, longest + 1)``: what it is to write."""
        return decoder_output(self.target, self.target_lengths)

    def share(self, process: int, processes: int) -> "Batch":
        """What one of several processes takes of it: every so many rows one, of all lengths alike."""
        rows = slice(process, None, processes)
        return Batch(
            self.source[rows],
            self.source_lengths[rows],
            self.target[rows],
            self.target_lengths[rows],
            self.direction,
        )

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device (the source's lengths stay on the CPU)."""
        return Batch(
            self.source.to(device, non_blocking=True),
            self.source_lengths,
            self.target.to(device, non_blocking=True),
            self.target_lengths.to(device, non_blocking=True),
            self.direction,
        )
