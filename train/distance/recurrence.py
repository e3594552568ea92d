"""The recurrence of all differentiable distances here, its gradient, and the choice of who computes it.

With deletion and insertion costs it is the soft edit distance's,

    R_ij = softmin(R_{i-1,j} + del_i, R_{i,j-1} + ins_j, R_{i-1,j-1} + c_ij, R_{i-2,j-2} + swap + c_{i-1,j} + c_{i,j-1})

with R_i0 and R_0j the running sums of deletions and insertions; without them it is soft-DTW's (Cuturi & Blondel 2017),

    R_ij = c_ij + softmin(R_{i-1,j}, R_{i,j-1}, R_{i-1,j-1})        R_00 = 0, the other borders infinite

where softmin(a) = -gamma log sum exp(-a / gamma). The last column R_{l,m}, l = 0..n, says what each prefix of the first
sequence costs; what callers ask for is a weighted sum of it.
"""

import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

FORBIDDEN = 1e30
"""Stands for an infinite cost: it may be added to itself thousands of times, and divided by gamma, in float32."""

DEVICES_WITH_KERNELS = frozenset(
    device for device, package in (("cpu", "numba"), ("cuda", "triton")) if importlib.util.find_spec(package)
)
"""Elsewhere torch operations do the work."""


@dataclass(frozen=True)
class Recurrence:
    """What distinguishes one recurrence from another, besides its costs.

    Attributes:
        gamma: the softmin's smoothing, above 0.
        swap: what swapping two neighbours costs beyond their two crossed substitutions, or None where it is no option.
        expected: take the expected cost under the Gibbs distribution of alignments instead of the softmin.
    """

    gamma: float
    swap: float | None = None
    expected: bool = False


def solve(
    costs: Tensor,
    deletion: Tensor | None,
    insertion: Tensor | None,
    end_weights: Tensor,
    lengths: Tensor,
    target_lengths: Tensor,
    recurrence: Recurrence,
) -> Tensor:
    """The weighted sum of the last column of each pair's table, differentiable any number of times.

    The gradient is computed along with the value, while the table is at hand; ``backward`` only scales it. Where a
    second derivative is asked for, ``backward`` differentiates the torch operations of ``diagonals`` instead.

    Args:
        costs: ``(batch, n, m)``, float32 or float64, free of NaN within the lengths; anything from ``FORBIDDEN`` up is
            infinite.
        deletion: ``(batch, n)``, or None for soft-DTW.
        insertion: ``(batch, m)``, or None for soft-DTW.
        end_weights: ``(batch, n + 1)``, how much R_{l,m} counts; 0 past a pair's length.
        lengths: ``(batch,)`` int64, at most n.
        target_lengths: ``(batch,)`` int64, at most m.
        recurrence: the rest.

    Returns:
        ``(batch,)``, of the type of ``costs``.
    """
    inputs = (costs, deletion, insertion, end_weights)
    if costs.device.type not in DEVICES_WITH_KERNELS:
        return _by_torch_operations(*inputs, lengths, target_lengths, recurrence)
    wanted = torch.is_grad_enabled() and any(given is not None and given.requires_grad for given in inputs)
    options = (recurrence.gamma, recurrence.swap, recurrence.expected, wanted)
    value: Tensor = _Solution.apply(*inputs, lengths, target_lengths, *options)  # type: ignore[no-untyped-call]
    return value


def _by_torch_operations(
    costs: Tensor,
    deletion: Tensor | None,
    insertion: Tensor | None,
    end_weights: Tensor,
    lengths: Tensor,
    target_lengths: Tensor,
    recurrence: Recurrence,
) -> Tensor:
    from .diagonals import last_column

    return (end_weights * last_column(costs, deletion, insertion, lengths, target_lengths, recurrence)).sum(-1)


class _Solution(torch.autograd.Function):
    """The value with its gradient, as one node of the graph."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        # With a setup_context of its own, torch would inspect this signature at every call, for a tenth of the time.
        *inputs, gamma, swap, expected, _ = given
        ctx.recurrence = Recurrence(gamma, swap, expected)
        # One operator to torch.compile, which cannot look into the kernels; calling it as one costs time too.
        column, *gradients = (_sweep_operator if torch.compiler.is_compiling() else _sweep)(*given)
        ctx.save_for_backward(*inputs, column, *gradients)
        value: Tensor = (inputs[3] * column).sum(-1)
        return value

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        unused = (None,) * 6
        *inputs, column, costs_gradient, deletion_gradient, insertion_gradient = ctx.saved_tensors
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            return *_differentiable_gradients(inputs, gradient, ctx), *unused
        units = (costs_gradient, deletion_gradient, insertion_gradient, column)
        needed = zip(units, ctx.needs_input_grad, strict=False)
        return *(_scale(gradient, unit) if wanted else None for unit, wanted in needed), *unused


def _scale(factors: Tensor, units: Tensor) -> Tensor:
    """Each pair's unit gradient ``(batch, …)`` times its factor ``(batch,)``."""
    if units.is_cpu and not torch.compiler.is_compiling():
        from .compiled import run_blocks
        from .cpu_kernel import scale_blocks

        scaled = torch.empty_like(units)
        arguments = (factors.contiguous().numpy(), units.flatten(1).numpy(), scaled.flatten(1).numpy())
        # A product costs a small part of what a cell does.
        run_blocks(scale_blocks, arguments, len(units), units.shape[1:].numel() // 16)
        return scaled
    return factors.view(-1, *[1] * (units.dim() - 1)) * units


def _differentiable_gradients(inputs: list[Tensor], gradient: Tensor, ctx: Any) -> list[Tensor | None]:
    costs, deletion, insertion, end_weights, lengths, target_lengths = inputs
    value = _by_torch_operations(costs, deletion, insertion, end_weights, lengths, target_lengths, ctx.recurrence)
    needed = [given for given, wanted in zip(inputs, ctx.needs_input_grad, strict=False) if wanted]
    found = iter(torch.autograd.grad(value, needed, gradient, create_graph=True, allow_unused=True))
    return [next(found) if wanted else None for wanted in ctx.needs_input_grad[:4]]


def _sweep(
    costs: Tensor,
    deletion: Tensor | None,
    insertion: Tensor | None,
    end_weights: Tensor,
    lengths: Tensor,
    target_lengths: Tensor,
    gamma: float,
    swap: float | None,
    expected: bool,
    with_gradients: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    costs, end_weights = costs.contiguous(), end_weights.contiguous()
    deletion, insertion = (None if each is None else each.contiguous() for each in (deletion, insertion))
    lengths, target_lengths = lengths.contiguous(), target_lengths.contiguous()
    # On the CPU the kernel fills them whole: torch's threads would, and then spin where the kernel's want to run.
    new = costs.new_zeros if costs.is_cuda else costs.new_empty
    column = new(end_weights.shape)
    by_costs, by_deletion, by_insertion = map(new, _gradient_shapes(costs, with_gradients, deletion is not None))
    problem = (costs, deletion, insertion, end_weights, lengths, target_lengths)
    results = (column, by_costs, by_deletion, by_insertion)
    if costs.is_cuda:
        from . import cuda_kernel

        cuda_kernel.sweep(*problem, gamma, swap, expected, with_gradients, *results)
    else:
        from .compiled import run_blocks
        from .cpu_kernel import sweep_blocks

        real = np.float64 if costs.dtype == torch.float64 else np.float32
        # None rather than False: the kernel is compiled without what it need not do.
        options = (real(gamma), swap, expected or None, with_gradients)
        given = (None if each is None else each.numpy() for each in problem)
        filled = (each.numpy() for each in results)
        run_blocks(sweep_blocks, (*given, *options, *filled), costs.shape[0], costs.shape[1] * costs.shape[2])
    return results


_sweep_operator = torch.library.custom_op("speller::sweep", _sweep, mutates_args=())


@_sweep_operator.register_fake
def _sweep_shapes(
    costs: Tensor,
    deletion: Tensor | None,
    insertion: Tensor | None,
    end_weights: Tensor,
    lengths: Tensor,
    target_lengths: Tensor,
    gamma: float,
    swap: float | None,
    expected: bool,
    with_gradients: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    by_costs, by_deletion, by_insertion = (
        costs.new_empty(shape) for shape in _gradient_shapes(costs, with_gradients, deletion is not None)
    )
    return torch.empty_like(end_weights, memory_format=torch.contiguous_format), by_costs, by_deletion, by_insertion


def _gradient_shapes(costs: Tensor, with_gradients: bool, gaps: bool) -> tuple[tuple[int, ...], ...]:
    """The shapes of the gradients by costs, deletion and insertion; without elements where they are not computed."""
    batch, steps, targets = costs.shape
    if not with_gradients:
        return (batch, 0, 0), (batch, 0), (batch, 0)
    return (batch, steps, targets), (batch, steps if gaps else 0), (batch, targets if gaps else 0)
