"""What the distances demand of their arguments, and the sentences that say so.

Values are read only outside ``torch.compile``, where shapes alone are checked.
"""

import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor

from .recurrence import FORBIDDEN


class Faults:
    """What may be wrong with the values of a call's arguments, brought to the host all at once.

    On CUDA the host waits whenever it looks at a value: in a call without faults it does so once.
    """

    def __init__(self) -> None:
        self._suspected: list[Tensor] = []
        self._sentences: list[Callable[[], str | None]] = []

    def add(self, suspected: Tensor, sentence: Callable[[], str | None]) -> None:
        """Notes a fault.

        Args:
            suspected: ``()``, whether there may be one.
            sentence: says what is wrong, or None where a closer look finds nothing.
        """
        self._suspected.append(suspected)
        self._sentences.append(sentence)

    def raise_first(self) -> None:
        """Raises the first fault there is."""
        if not self._suspected or not bool(functools.reduce(torch.logical_or, self._suspected)):
            return
        for suspected, sentence in zip(self._suspected, self._sentences, strict=True):
            message = sentence() if bool(suspected) else None
            if message is not None:
                raise ValueError(message)


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


def check_cost_matrices(
    costs: Tensor, lengths: Tensor | None, target_lengths: Tensor | None, *, least: int = 0, faults: Faults
) -> tuple[Tensor, Tensor, Tensor]:
    """Costs of matching ``(batch, steps, targets)`` in float32 or float64, and the lengths of both sides."""
    check_shape("costs", costs, None, None, None)
    batch, steps, targets = costs.shape
    costs = check_floating("costs", costs)
    lengths = check_lengths("lengths", lengths, batch, steps, costs, least=least, faults=faults)
    target_lengths = check_lengths("target_lengths", target_lengths, batch, targets, costs, least=least, faults=faults)
    check_costs("costs", costs, lengths, target_lengths, faults=faults)
    return costs, lengths, target_lengths


def check_costs(name: str, costs: Tensor, *inside: Tensor, faults: Faults) -> None:
    """Notes a cost within the lengths that is NaN or minus infinity; plus infinity forbids a step.

    Args:
        name: the argument's name.
        costs: ``(batch, …)``.
        inside: for each further dimension, the lengths ``(batch,)`` of its sequences.
        faults: where to note it.
    """
    if torch.compiler.is_compiling() or costs.numel() == 0:
        return
    costs = costs.detach()

    def sentence() -> str | None:
        wrong = ~(costs > -math.inf)  # NaN too
        for dimension, lengths in enumerate(inside, start=1):
            places = torch.arange(costs.shape[dimension], device=costs.device)
            valid = places < lengths[:, None]
            wrong &= valid.view(valid.shape[0], *(-1 if other == dimension else 1 for other in range(1, costs.dim())))
        if not bool(wrong.any()):
            return None
        place = tuple(wrong.nonzero()[0].tolist())
        return f"{name} must be numbers above minus infinity, but {name}{list(place)} is {costs[place].item()}"

    # On the CPU not torch's: its threads spin for milliseconds after their work, where the kernel's want to run.
    least = costs.numpy().min() if costs.is_cpu else costs.amin()
    faults.add(torch.as_tensor(~(least > -math.inf)), sentence)


def check_finite(name: str, tensor: Tensor, *, faults: Faults) -> None:
    """Notes a value that is NaN or infinite."""
    if torch.compiler.is_compiling():
        return
    wrong = ~tensor.detach().isfinite()

    def sentence() -> str:
        place = tuple(wrong.nonzero()[0].tolist())
        return f"{name} must be finite numbers, but {name}{list(place)} is {tensor[place].item()}"

    faults.add(wrong.any(), sentence)


def check_lengths(
    name: str, lengths: Tensor | None, batch: int, longest: int, like: Tensor, *, least: int = 0, faults: Faults
) -> Tensor:
    """The lengths as int64 on the device of the rest; all of them the longest where none are given."""
    if lengths is None:
        if batch and longest < least:
            raise ValueError(f"{name} must be at least {least}: a sequence of {longest} has no alignment")
        return torch.full((batch,), longest, dtype=torch.int64, device=like.device)
    check_shape(name, lengths, batch, like=like)
    if lengths.is_floating_point() or lengths.is_complex() or lengths.dtype == torch.bool:
        raise ValueError(f"{name} must hold whole numbers, not {lengths.dtype}")
    lengths = lengths.long()
    if not torch.compiler.is_compiling():
        wrong = (lengths < least) | (lengths > longest)
        faults.add(
            wrong.any(),
            lambda: (
                f"{name} must lie between {least} and {longest}, the size of its tensor, not {int(lengths[wrong][0])}"
            ),
        )
    return lengths


def check_symbols(name: str, symbols: Tensor, lengths: Tensor, count: int, *, eos: int, faults: Faults) -> None:
    """Notes a symbol within the lengths that is outside ``0..count - 1``, or ends a sequence inside it."""
    if torch.compiler.is_compiling():
        return
    inside = torch.arange(symbols.shape[1], device=symbols.device) < lengths[:, None]
    wrong = inside & ((symbols < 0) | (symbols >= count) | (symbols == eos))

    def sentence() -> str:
        symbol = int(symbols[wrong][0])
        if symbol == eos:
            return f"{name} must not contain the end symbol {eos}: give target_lengths, or leave it out"
        return f"{name} must hold symbols from 0 to {count - 1}, not {symbol}"

    faults.add(wrong.any(), sentence)
