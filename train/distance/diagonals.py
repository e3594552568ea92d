"""The recurrence as torch operations over anti-diagonals: for any device, and differentiable any number of times."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from .recurrence import FORBIDDEN, Recurrence


def last_column(
    costs: Tensor,
    deletion: Tensor | None,
    insertion: Tensor | None,
    lengths: Tensor,
    target_lengths: Tensor,
    recurrence: Recurrence,
) -> Tensor:
    """R_{l,m}, or A_{l,m} where the expected cost is asked for, for l = 0..n: ``(batch, n + 1)``, 0 past a length."""
    batch, steps, targets = costs.shape
    wide = torch.float32 if costs.device.type == "mps" else torch.float64  # Apple's GPUs have no float64
    step = torch.arange(steps + 1, device=costs.device)
    target = torch.arange(targets + 1, device=costs.device)
    inside = (step[1:, None] <= lengths[:, None, None]) & (target[1:] <= target_lengths[:, None, None])
    skewed = _skew(torch.where(inside, costs, 0).to(wide).clamp(max=FORBIDDEN))  # (batch, n, n + m - 1)
    if deletion is not None and insertion is not None:
        deletion = torch.where(step[1:] <= lengths[:, None], deletion, 0).to(wide).clamp(max=FORBIDDEN)
        insertion = torch.where(target[1:] <= target_lengths[:, None], insertion, 0).to(wide).clamp(max=FORBIDDEN)
        reversed_insertion = pad(insertion.flip(-1), (steps + 1, steps))
    forbidden = costs.new_full((batch, steps + 1), FORBIDDEN, dtype=wide)
    first = torch.where(step == 0, 0, forbidden)
    softmins, means = [first], [torch.where(step == 0, 0, torch.zeros_like(forbidden))]
    for diagonal in range(1, steps + targets + 1):
        column = diagonal - step
        valid = (column >= 0) & (column <= targets)
        matching = _cost(skewed, diagonal)
        if deletion is None or insertion is None:
            matching = torch.where((step > 0) & (column > 0), matching, forbidden)
            moves = [(1, 1, matching), (1, 0, matching), (2, 1, matching)]
        else:
            # insertion of target j = diagonal - i, for i = 0..n: a window of the reversed costs
            window = targets + steps + 1 - diagonal
            inserting = reversed_insertion[:, window : window + steps + 1]
            moves = [(1, 1, pad(deletion, (1, 0))), (1, 0, inserting), (2, 1, matching)]
            if recurrence.swap is not None and diagonal > 3:
                before = _cost(skewed, diagonal - 1)
                moves.append((4, 2, recurrence.swap + _shift(before, 1, 0.0) + before))
        ways = torch.stack([_earlier(softmins, *move[:2], FORBIDDEN) + move[2] for move in moves])
        softmin = -recurrence.gamma * torch.logsumexp(-ways / recurrence.gamma, dim=0)
        softmins.append(torch.where(valid, softmin, forbidden))
        if recurrence.expected:
            weights = torch.softmax(-ways / recurrence.gamma, dim=0)
            mean = sum(
                weight * (_earlier(means, *move[:2], 0.0) + move[2])
                for weight, move in zip(weights, moves, strict=True)
            )
            means.append(torch.where(valid, mean, 0))
    table = torch.stack(means if recurrence.expected else softmins, dim=-1)  # (batch, n + 1, n + m + 1)
    ends = (step + target_lengths[:, None]).unsqueeze(-1)
    found = table.gather(-1, ends).squeeze(-1)
    found = torch.where(found < FORBIDDEN / 2, found, FORBIDDEN)
    return torch.where(step <= lengths[:, None], found, 0).to(costs.dtype)


def _skew(costs: Tensor) -> Tensor:
    """Moves row r to the right by r, so that an anti-diagonal becomes a column."""
    batch, steps, targets = costs.shape
    if steps == 0 or targets == 0:
        return costs.new_zeros(batch, steps, max(steps + targets - 1, 0))
    width = steps + targets
    flat = pad(costs, (0, steps)).flatten(1)[:, : steps * (width - 1)]
    return flat.reshape(batch, steps, width - 1)


def _cost(skewed: Tensor, diagonal: int) -> Tensor:
    """The costs c_ij with i + j = diagonal, for i = 0..n; 0 where there is none."""
    if 2 <= diagonal < skewed.shape[2] + 2:
        return pad(skewed[:, :, diagonal - 2], (1, 0))
    return skewed.new_zeros(skewed.shape[0], skewed.shape[1] + 1)


def _earlier(rows: list[Tensor], diagonals: int, steps: int, default: float) -> Tensor:
    """What an earlier diagonal holds for the cell ``steps`` rows up."""
    if diagonals > len(rows):
        return torch.full_like(rows[0], default)
    return _shift(rows[-diagonals], steps, default)


def _shift(row: Tensor, steps: int, default: float) -> Tensor:
    return pad(row, (steps, 0), value=default)[:, : row.shape[1]]
