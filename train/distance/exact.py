"""Exact edit distances of batches of symbol sequences, on the sequences' own device."""

import torch
from torch import Tensor

from .checks import Faults, check_lengths, check_shape
from .recurrence import DEVICES_WITH_KERNELS


def edit_distance(
    a: Tensor,
    b: Tensor,
    *,
    a_lengths: Tensor | None = None,
    b_lengths: Tensor | None = None,
    transposition: bool = False,
) -> Tensor:
    """The Levenshtein distance of each pair, or the optimal string alignment distance.

    Args:
        a: ``(batch, longest)``, whole numbers; what lies past the lengths is never read.
        b: ``(batch, longest of its own)``, likewise.
        a_lengths: ``(batch,)``; the whole row by default.
        b_lengths: ``(batch,)``, likewise.
        transposition: whether swapping two neighbours is one edit too, of symbols that are not edited again (optimal
            string alignment).

    Returns:
        ``(batch,)``, int64.

    Raises:
        ValueError: for arguments that do not fit together.

    >>> edit_distance(torch.tensor([[1, 2, 3]]), torch.tensor([[2, 1, 3, 4]]))
    tensor([3])
    >>> edit_distance(torch.tensor([[1, 2, 3]]), torch.tensor([[2, 1, 3, 4]]), transposition=True)
    tensor([2])
    """
    check_shape("a", a, None, None)
    batch = a.shape[0]
    check_shape("b", b, batch, None, like=a)
    for name, symbols in (("a", a), ("b", b)):
        if symbols.is_floating_point() or symbols.is_complex():
            raise ValueError(f"{name} must hold whole numbers, not {symbols.dtype}")
    faults = Faults()
    a_lengths = check_lengths("a_lengths", a_lengths, batch, a.shape[1], a, faults=faults)
    b_lengths = check_lengths("b_lengths", b_lengths, batch, b.shape[1], a, faults=faults)
    faults.raise_first()
    if a.is_cpu and a.device.type in DEVICES_WITH_KERNELS:
        distances: Tensor = _by_kernel(a.long(), b.long(), a_lengths, b_lengths, transposition)
        return distances
    return edit_distance_by_rows(a.long(), b.long(), a_lengths, b_lengths, transposition)


@torch.library.custom_op("speller::edit_distance", mutates_args=())
def _by_kernel(a: Tensor, b: Tensor, a_lengths: Tensor, b_lengths: Tensor, transposition: bool) -> Tensor:
    # One operator to torch.compile, which cannot look into the kernel.
    from .compiled import run_blocks
    from .exact_kernel import STRIP, distance_blocks

    result = torch.zeros_like(a_lengths)
    arguments = (
        *(each.contiguous().numpy() for each in (a, b, a_lengths, b_lengths)),
        transposition or None,
        result.numpy(),
    )
    words = -(-a.shape[1] // STRIP) * b.shape[1]  # each takes about as long as a cell of the other kernels
    run_blocks(distance_blocks, arguments, a.shape[0], words)
    return result


@_by_kernel.register_fake
def _shape(a: Tensor, b: Tensor, a_lengths: Tensor, b_lengths: Tensor, transposition: bool) -> Tensor:
    return torch.empty_like(a_lengths)


def edit_distance_by_rows(a: Tensor, b: Tensor, a_lengths: Tensor, b_lengths: Tensor, transposition: bool) -> Tensor:
    """The distances by torch operations, row by row.

    Within a row, D_j = min_k<=j (D'_k + j - k) for the best D' that does not end with an insertion: a running minimum.
    """
    columns = torch.arange(b.shape[1] + 1, device=a.device)
    row = columns.expand(a.shape[0], -1)
    result = torch.where(a_lengths == 0, b_lengths, 0)
    before = row
    for step in range(a.shape[1]):
        differs = (b != a[:, step, None]).long()
        best = torch.minimum(row[:, 1:] + 1, row[:, :-1] + differs)
        if transposition and step > 0 and b.shape[1] > 1:
            crosses = (b[:, 1:] == a[:, step - 1, None]) & (b[:, :-1] == a[:, step, None])
            swapped = torch.where(crosses, before[:, :-2] + 1, best[:, 1:])
            best = torch.cat([best[:, :1], torch.minimum(best[:, 1:], swapped)], dim=1)
        best = torch.cat([row[:, :1] + 1, best], dim=1)
        before, row = row, (best - columns).cummin(1).values + columns
        result = torch.where(a_lengths == step + 1, row.gather(1, b_lengths[:, None]).squeeze(1), result)
    return result
