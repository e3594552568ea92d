"""The recurrence on CUDA: one Triton kernel for each direction, one program for each pair, one step for each diagonal.

The diagonals stay in registers: row i of a vector holds the cell of step i, and a neighbour's value comes by a gather
within the vector. As on the CPU, the costs of paths are added in float64 and the weights have the input's type.

Diagonals that begin alike are made one by one: where a loop hands a variable on to another one that began as the very
same value, Triton takes the other for one that never changes (seen in 3.6 and 3.9; its interpreter does not).
"""

# What Triton compiles has pointers and registers for arguments, which have no type in Python.
# mypy: disable-error-code="no-untyped-def"

import torch
import triton  # type: ignore[import-untyped, unused-ignore]
import triton.language as tl  # type: ignore[import-untyped, unused-ignore]
from torch import Tensor

from .recurrence import FORBIDDEN

INFINITE = tl.constexpr(FORBIDDEN)

SIZES = ["steps", "targets"]
"""No batch's are like another's: what is compiled for one is to do for all."""


def sweep(
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
    column: Tensor,
    costs_gradient: Tensor,
    deletion_gradient: Tensor,
    insertion_gradient: Tensor,
) -> None:
    """Fills the last columns and, where they are asked for, the gradients, as ``cpu_kernel`` does."""
    batch, steps, targets = costs.shape
    if batch == 0:
        return
    kinds = (2 if swap is None else 3) if with_gradients else 0
    weights = costs.new_empty(batch, kinds, steps * targets)
    tilts = costs.new_empty(batch, kinds if expected else 0, steps * targets)
    factors = torch.stack([costs.new_full((), each or 0.0, dtype=torch.float64) for each in (gamma, swap)])
    block = max(16, triton.next_power_of_2(steps + 1))
    constants = {
        "with_gaps": deletion is not None,
        "with_swap": swap is not None,
        "with_means": expected,
        "block_rows": block,
        "num_warps": max(1, min(8, block // 32)),
    }
    gaps = [costs if each is None else each for each in (deletion, insertion)]  # soft-DTW reads no gaps
    sizes = (lengths, target_lengths, factors, steps, targets)
    _forward[(batch,)](costs, *gaps, *sizes, column, weights, tilts, with_weights=with_gradients, **constants)
    if with_gradients:
        gradients = (deletion_gradient, insertion_gradient)
        seeds = torch.where(column < FORBIDDEN, end_weights, 0)
        _backward[(batch,)](seeds, *sizes, weights, tilts, costs_gradient, *gradients, **constants)


@triton.jit(do_not_specialize=SIZES)  # type: ignore[untyped-decorator, unused-ignore]
def _forward(
    costs,
    deletion,
    insertion,
    lengths,
    target_lengths,
    factors,
    steps,
    targets,
    column,
    weights,
    tilts,
    with_weights: tl.constexpr,
    with_gaps: tl.constexpr,
    with_swap: tl.constexpr,
    with_means: tl.constexpr,
    block_rows: tl.constexpr,
):
    pair = tl.program_id(0).to(tl.int64)
    length, target_length = tl.load(lengths + pair), tl.load(target_lengths + pair)
    gamma, swap = tl.load(factors), tl.load(factors + 1)
    real = costs.dtype.element_ty
    per_gamma = (1 / gamma).to(real)
    size = steps * targets
    kinds: tl.constexpr = 3 if with_swap else 2
    row = tl.arange(0, block_rows)
    # The softmins of the diagonal before, of the one before that, …
    one = tl.where(row == 0, 0.0, tl.full((block_rows,), INFINITE, tl.float64))
    two = tl.full((block_rows,), INFINITE, tl.float64)
    three = tl.full((block_rows,), INFINITE, tl.float64)
    four = tl.full((block_rows,), INFINITE, tl.float64)
    mean_one, mean_two, mean_three, mean_four = _four_of_zeros(block_rows, tl.float64)
    cost_before = tl.zeros((block_rows,), real)
    if with_gaps:
        stepping = (row > 0) & (row <= length)
        delete = tl.minimum(tl.load(deletion + pair * steps + row - 1, mask=stepping, other=0), INFINITE).to(real)
    for diagonal in range(1, (length + target_length + 1).to(tl.int32)):
        target = diagonal - row
        valid = (row <= length) & (target >= 0) & (target <= target_length)
        inside = valid & (row > 0) & (target > 0)
        cost = tl.load(costs + pair * size + (row - 1) * targets + target - 1, mask=inside, other=0)
        cost = tl.minimum(cost, INFINITE).to(real)
        if with_gaps:
            insert = tl.load(insertion + pair * targets + target - 1, mask=valid & (target > 0), other=0)
            insert = tl.minimum(insert, INFINITE).to(real)
        else:
            delete, insert = cost, cost
            valid = inside
        deleting = _rows_above(one, 1, INFINITE, block_rows) + delete
        inserting = one + insert
        matching = _rows_above(two, 1, INFINITE, block_rows) + cost
        least = tl.minimum(tl.minimum(deleting, inserting), matching)
        if with_swap:
            crossing = swap + _rows_above(cost_before, 1, 0.0, block_rows) + cost_before
            swapping = _rows_above(four, 2, INFINITE, block_rows) + crossing
            least = tl.minimum(least, swapping)
        deleted = tl.exp((least - deleting).to(real) * per_gamma)
        inserted = tl.exp((least - inserting).to(real) * per_gamma)
        matched = tl.exp((least - matching).to(real) * per_gamma)
        total = deleted + inserted + matched
        if with_swap:
            swapped = tl.exp((least - swapping).to(real) * per_gamma)
            total += swapped
            cost_before = cost
        softmin = tl.where(valid, least - gamma * tl.log(total), INFINITE)
        scale = 1 / total
        deleted, matched = deleted * scale, matched * scale
        if with_swap:
            swapped *= scale
        value = softmin
        if with_means:
            deleting = _rows_above(mean_one, 1, 0.0, block_rows) + delete
            inserting = mean_one + insert
            matching = _rows_above(mean_two, 1, 0.0, block_rows) + cost
            # Relative to one of them: the weights sum to 1 but for rounding, which must not be multiplied by a path.
            mean = inserting + deleted * (deleting - inserting) + matched * (matching - inserting)
            if with_swap:
                swapping = _rows_above(mean_four, 2, 0.0, block_rows) + crossing
                mean += swapped * (swapping - inserting)
            mean = tl.where(valid, mean, 0.0)
            value = tl.where(softmin < INFINITE / 2, mean, INFINITE)
        if with_weights:
            place = _interior_start(diagonal, steps, targets) + row - 1
            kept = weights + pair * kinds * size + place
            tl.store(kept, matched, mask=inside)
            tl.store(kept + size, deleted, mask=inside)
            if with_swap:
                tl.store(kept + 2 * size, swapped, mask=inside)
            if with_means:
                kept = tilts + pair * kinds * size + place
                tl.store(kept, matched * (matching - mean).to(real) * per_gamma, mask=inside)
                tl.store(kept + size, deleted * (deleting - mean).to(real) * per_gamma, mask=inside)
                if with_swap:
                    tl.store(kept + 2 * size, swapped * (swapping - mean).to(real) * per_gamma, mask=inside)
        ended = (row <= length) & (target == target_length)
        value = tl.where(value < INFINITE / 2, value, INFINITE)
        tl.store(column + pair * (steps + 1) + row, value.to(real), mask=ended)
        four, three, two, one = three, two, one, softmin
        if with_means:
            mean_four, mean_three, mean_two, mean_one = mean_three, mean_two, mean_one, mean


@triton.jit(do_not_specialize=SIZES)  # type: ignore[untyped-decorator, unused-ignore]
def _backward(
    seeds,
    lengths,
    target_lengths,
    factors,
    steps,
    targets,
    weights,
    tilts,
    costs_gradient,
    deletion_gradient,
    insertion_gradient,
    with_gaps: tl.constexpr,
    with_swap: tl.constexpr,
    with_means: tl.constexpr,
    block_rows: tl.constexpr,
):
    pair = tl.program_id(0).to(tl.int64)
    length, target_length = tl.load(lengths + pair), tl.load(target_lengths + pair)
    real = costs_gradient.dtype.element_ty
    size = steps * targets
    kinds: tl.constexpr = 3 if with_swap else 2
    row = tl.arange(0, block_rows)
    # What flows back out of a cell by each move, for the diagonals after this one. "constant" is, for the expected cost
    # alone, the part of it that the weights would carry if they were constants.
    match_one, match_two, deletion_one, insertion_one = _four_of_zeros(block_rows, real)
    swap_one, swap_two, swap_three, swap_four = _four_of_zeros(block_rows, real)
    constant_match_one, constant_match_two, constant_deletion_one, constant_insertion_one = _four_of_zeros(
        block_rows, real
    )
    constant_swap_one, constant_swap_two, constant_swap_three, constant_swap_four = _four_of_zeros(block_rows, real)
    by_step = tl.zeros((block_rows,), real)
    by_target = tl.zeros((block_rows,), real)  # of the target which each row meets on the current diagonal
    last = (length + target_length).to(tl.int32)
    for back in range(0, last):
        diagonal = last - back
        target = diagonal - row
        valid = (row <= length) & (target >= 0) & (target <= target_length)
        inside = valid & (row > 0) & (target > 0)
        ended = (row <= length) & (target == target_length)
        seed = tl.load(seeds + pair * (steps + 1) + row, mask=ended, other=0)
        place = _interior_start(diagonal, steps, targets) + row - 1
        kept = weights + pair * kinds * size + place
        matched = tl.load(kept, mask=inside, other=0)
        deleted = tl.load(kept + size, mask=inside, other=0)
        if with_gaps:
            deleted = tl.where((target == 0) & (row > 0), 1.0, deleted).to(real)
        inserted = 1 - matched - deleted
        flow = seed + _rows_below(match_two, 1, block_rows) + _rows_below(deletion_one, 1, block_rows) + insertion_one
        if with_swap:
            flow += _rows_below(swap_four, 2, block_rows)
            swapped = tl.load(kept + 2 * size, mask=inside, other=0)
            inserted -= swapped
        flow = tl.where(valid, flow, 0)
        by_match, by_deletion, by_insertion = flow * matched, flow * deleted, flow * inserted
        if with_swap:
            by_swap = flow * swapped
        if with_means:
            constant = seed + _rows_below(constant_match_two, 1, block_rows) + constant_insertion_one
            constant += _rows_below(constant_deletion_one, 1, block_rows)
            kept = tilts + pair * kinds * size + place
            match_tilt = tl.load(kept, mask=inside, other=0)
            deletion_tilt = tl.load(kept + size, mask=inside, other=0)
            insertion_tilt = -match_tilt - deletion_tilt
            if with_swap:
                constant += _rows_below(constant_swap_four, 2, block_rows)
                swap_tilt = tl.load(kept + 2 * size, mask=inside, other=0)
                insertion_tilt -= swap_tilt
            constant = tl.where(valid, constant, 0)
            by_match -= constant * match_tilt
            by_deletion -= constant * deletion_tilt
            by_insertion -= constant * insertion_tilt
            constant_match_two, constant_match_one = constant_match_one, constant * matched
            constant_deletion_one, constant_insertion_one = constant * deleted, constant * inserted
            if with_swap:
                by_swap -= constant * swap_tilt
                constant_swap_four, constant_swap_three = constant_swap_three, constant_swap_two
                constant_swap_two, constant_swap_one = constant_swap_one, constant * swapped
        gradient = by_match if with_gaps else flow
        if with_swap:
            gradient += _rows_below(swap_one, 1, block_rows) + swap_one
            swap_four, swap_three, swap_two, swap_one = swap_three, swap_two, swap_one, by_swap
        place = pair * size + (row - 1) * targets + target - 1
        tl.store(costs_gradient + place, gradient, mask=inside)
        if with_gaps:
            by_step += by_deletion
            by_target = _rows_below(by_target, 1, block_rows) + by_insertion
            finished = (row == 0) & (target > 0) & (target <= target_length)  # no other row will meet it
            tl.store(insertion_gradient + pair * targets + target - 1, by_target, mask=finished)
        match_two, match_one, deletion_one, insertion_one = match_one, by_match, by_deletion, by_insertion
    if with_gaps:
        tl.store(deletion_gradient + pair * steps + row - 1, by_step, mask=(row > 0) & (row <= length))


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _four_of_zeros(block_rows: tl.constexpr, real: tl.constexpr):
    one, two = tl.zeros((block_rows,), real), tl.zeros((block_rows,), real)
    three, four = tl.zeros((block_rows,), real), tl.zeros((block_rows,), real)
    return one, two, three, four


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _rows_above(values, by: tl.constexpr, default, block_rows: tl.constexpr):
    row = tl.arange(0, block_rows)
    return tl.where(row >= by, tl.gather(values, tl.maximum(row - by, 0), 0), default)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _rows_below(values, by: tl.constexpr, block_rows: tl.constexpr):
    row = tl.arange(0, block_rows)
    return tl.where(row + by < block_rows, tl.gather(values, tl.minimum(row + by, block_rows - 1), 0), 0.0)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _interior_start(diagonal, steps, targets):
    # Cells (i, j), i and j from 1, are kept diagonal by diagonal: number _interior_start(i + j) + i - 1. With k = i + j
    # - 2, the diagonals before hold k (k + 1) / 2 cells, less the two triangles that reach out of the table.
    k = diagonal - 2
    over_steps = tl.maximum(k - steps, 0)
    over_targets = tl.maximum(k - targets, 0)
    before = (k * (k + 1) - over_steps * (over_steps + 1) - over_targets * (over_targets + 1)) // 2
    return before - tl.maximum(k - targets + 1, 0)
