"""Words of different lengths without their padding.

Rows are packed as in torch's ``PackedSequence``: sorted from the longest to the shortest word, all words' first
symbols, then all second ones of the words that have them, and so on; some rows may hold no symbol.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

MULTIPLE = 64
"""Steps have a multiple of so many rows: for each size of a product that is new to it, oneDNN writes new code."""


class Packing(NamedTuple):
    """Where the symbols of words of different lengths go, so that little is computed for padding.

    Attributes:
        sizes: how many rows the first symbols take, the second ones, and so on.
        counts: how many of them are symbols: the first ones.
        order: ``(rows,)``, which place of the flattened ``(batch, time)`` goes into each row.
        places: ``(batch, time)``, which row each place is in; at padding any row.
        mask: ``(batch, time)``, true where there is a symbol.
        last: ``(batch,)``, the row of each word's last symbol.
    """

    sizes: list[int]
    counts: list[int]
    order: Tensor
    places: Tensor
    mask: Tensor
    last: Tensor

    @classmethod
    def of(cls, lengths: Tensor, time: int, *, multiple: int = 1, device: torch.device | None = None) -> "Packing":
        """That of words of these lengths ``(batch,)``, at least 1, on the CPU; the tensors are for ``device``.

        The sizes are multiples of ``multiple`` or all of the batch.
        """
        lengths, words = lengths.sort(descending=True, stable=True)
        steps, rows = torch.arange(time)[:, None], torch.arange(len(words))
        counts = (steps < lengths).sum(dim=1)
        sizes = ((counts + multiple - 1) // multiple * multiple).clamp_max(len(words))
        order = (words * time + steps)[rows < sizes[:, None]]
        sorted_places = ((sizes.cumsum(dim=0) - sizes)[:, None] + rows) * (steps < lengths)  # (time, batch)
        places = torch.empty(len(words), time, dtype=torch.int64).index_copy_(0, words, sorted_places.t())
        lengths = torch.empty_like(lengths).index_copy_(0, words, lengths)
        last = places.gather(1, lengths[:, None] - 1)[:, 0]
        longest = int(lengths.max())
        tensors: tuple[Tensor, ...] = order, places, torch.arange(time) < lengths[:, None], last
        if device is not None and device.type == "cuda":
            # From pinned memory: else the copy would wait for all that the GPU has to do.
            tensors = tuple(each.pin_memory().to(device, non_blocking=True) for each in tensors)
        return cls(sizes[:longest].tolist(), counts[:longest].tolist(), *tensors)

    def pack(self, padded: Tensor) -> Tensor:
        """From ``(batch, time)`` or ``(batch, time, width)`` to ``(rows)`` or ``(rows, width)``."""
        padded = padded.flatten(0, 1)
        rows: Tensor = _Moved.apply(padded, self.order, self.places.flatten(), self.mask.flatten())  # type: ignore[no-untyped-call]
        return rows

    def unpack(self, rows: Tensor) -> Tensor:
        """From ``(rows, width)`` to ``(batch, time, width)``, at padding any row, where no gradient may come from."""
        padded: Tensor = _Moved.apply(rows, self.places.flatten(), self.order, None)  # type: ignore[no-untyped-call]
        return padded.view(*self.places.shape, -1)


class _Moved(torch.autograd.Function):
    """Rows in another order; their gradients are moved back instead of summed, which takes longer."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, order: Tensor, back: Tensor, mask: Tensor | None) -> Tensor:
        ctx.back, ctx.mask = back, mask
        return rows.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor | None, ...]:
        moved = flow.index_select(0, ctx.back)
        return moved if ctx.mask is None else moved.masked_fill_(~ctx.mask[:, None], 0), None, None, None
