"""What the distances demand of their arguments, and the sentences that say so.

Values are read only outside ``torch.compile``, where shapes alone are checked.
"""

import math

import torch
from torch import Tensor

from .recurrence import FORBIDDEN


def check_gamma(gamma: float) -> float:
    """Gamma as a finite number above 0."""
    if not 0 < gamma < math.inf:
        raise ValueError(f"gamma smooths a minimum and must be a finite number above 0, not {gamma!r}")
    return float(gamma)


def check_transposition(cost: float | None) -> float | None:
    """What a swap costs beyond its two matches, or None."""
    if cost is not None and not cost > -math.inf:
        raise ValueError(f"transposition must be a number above minus infinity, not {cost!r}")
    return None if cost is None else min(float(cost), FORBIDDEN)


def check_value(value: str) -> bool:
    """Whether the expected cost is asked for rather than the softmin."""
    if value not in ("softmin", "expected"):
        raise ValueError(f"value must be 'softmin' or 'expected', not {value!r}")
    return value == "expected"


def check_shape(name: str, tensor: Tensor, *shape: int | None, like: Tensor | None = None) -> None:
    """Raises where a tensor has another number of dimensions, another size, or another device than it must."""
    if tensor.dim() != len(shape) or any(
        size not in (None, given) for given, size in zip(tensor.shape, shape, strict=True)
    ):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} must have the shape ({wanted}), not {tuple(tensor.shape)}")
    if like is not None and tensor.device != like.device:
        raise ValueError(
            f"{name} lies on {tensor.device} and the other arguments on {like.device}: one device must hold all"
        )


def check_floating(name: str, tensor: Tensor) -> Tensor:
    """The tensor in float64 if it is that already, else in float32, in which the distances are computed at least."""
    if not tensor.is_floating_point():
        raise ValueError(f"{name} must hold floating point numbers, not {tensor.dtype}")
    return tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.float()


def check_costs(name: str, costs: Tensor, *inside: Tensor) -> None:
    """Raises where a cost within the lengths is NaN or minus infinity; plus infinity forbids a step.

    Args:
        name: the argument's name.
        costs: ``(batch, …)``.
        inside: for each further dimension, the lengths ``(batch,)`` of its sequences.
    """
    if torch.compiler.is_compiling() or costs.numel() == 0:
        return
    costs = costs.detach()
    if bool(costs.amin() > -math.inf):  # false for NaN too
        return
    wrong = ~(costs > -math.inf)
    for dimension, lengths in enumerate(inside, start=1):
        places = torch.arange(costs.shape[dimension], device=costs.device)
        valid = places < lengths[:, None]
        wrong &= valid.view(valid.shape[0], *(-1 if other == dimension else 1 for other in range(1, costs.dim())))
    if bool(wrong.any()):
        place = tuple(wrong.nonzero()[0].tolist())
        raise ValueError(
            f"{name} must be numbers above minus infinity, but {name}{list(place)} is {costs[place].item()}"
        )


def check_lengths(name: str, lengths: Tensor | None, batch: int, longest: int, like: Tensor, least: int = 0) -> Tensor:
    """The lengths as int64 on the device of the rest; all of them the longest where none are given."""
    if lengths is None:
        lengths = torch.full((batch,), longest, dtype=torch.int64, device=like.device)
        if batch and longest < least:
            raise ValueError(f"{name} must be at least {least}: a sequence of {longest} has no alignment")
        return lengths
    check_shape(name, lengths, batch, like=like)
    if lengths.is_floating_point() or lengths.is_complex() or lengths.dtype == torch.bool:
        raise ValueError(f"{name} must hold whole numbers, not {lengths.dtype}")
    if not torch.compiler.is_compiling() and batch:
        low, high = (int(bound) for bound in lengths.aminmax())
        if low < least or high > longest:
            found = low if low < least else high
            raise ValueError(f"{name} must lie between {least} and {longest}, the size of its tensor, not {found}")
    return lengths.long()


def check_symbols(name: str, symbols: Tensor, lengths: Tensor, count: int, *, eos: int) -> None:
    """Raises where a symbol within the lengths is outside ``0..count - 1``, or ends a sequence inside it."""
    if torch.compiler.is_compiling() or symbols.numel() == 0:
        return
    inside = torch.arange(symbols.shape[1], device=symbols.device) < lengths[:, None]
    wrong = inside & ((symbols < 0) | (symbols >= count) | (symbols == eos))
    if bool(wrong.any()):
        symbol = int(symbols[wrong][0])
        if symbol == eos:
            raise ValueError(f"{name} must not contain the end symbol {eos}: give target_lengths, or leave it out")
        raise ValueError(f"{name} must hold symbols from 0 to {count - 1}, not {symbol}")
