"""The recurrence on the CPU: compiled loops over anti-diagonals, whose innermost loop runs over the pairs of a block.

A vector register so holds one cell of several pairs, and neighbours on a diagonal do not wait for each other. The costs
of paths are added in float64 whatever the input's type; exponentials, logarithms and weights have the input's type. A
float32 weight then errs by about 1e-7 however long the path and however small gamma is.

A block's weights live only until its gradient is done, in a space that the next block takes over.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import LANES, compiled, exponential, logarithm
from .recurrence import FORBIDDEN

Array = NDArray[Any]


@compiled
def sweep_blocks(
    first: int,
    last: int,
    costs: Array,
    deletion: Array | None,
    insertion: Array | None,
    end_weights: Array,
    lengths: Array,
    target_lengths: Array,
    gamma: float,
    swap: float | None,
    expected: bool | None,
    with_gradients: bool,
    column: Array,
    costs_gradient: Array,
    deletion_gradient: Array,
    insertion_gradient: Array,
) -> None:
    """Fills the last columns of the pairs of some blocks, and their gradients where they are asked for.

    Args:
        first: the first block of ``LANES`` pairs to do.
        last: the block to stop before.
        costs, deletion, insertion, end_weights, lengths, target_lengths: as for ``recurrence.solve``.
        gamma: of the costs' type.
        swap: or None.
        expected: True, or None for the softmin.
        with_gradients: whether to fill the gradients too.
        column: ``(batch, n + 1)``, 0 past the lengths.
        costs_gradient, deletion_gradient, insertion_gradient: in the shapes of the costs, or without elements.
    """
    batch, steps, targets = costs.shape
    real = costs.dtype
    cells = (steps + 1) * (targets + 1)
    rows = steps + 4  # row i + 1 holds step i, so that steps -1 and n + 2 have a place
    bases = _diagonal_bases(steps, targets)
    # Of each cell: the weights of matching, deleting and swapping. The cost lies where the weight of matching will, and
    # the gradient where it was.
    weights = np.empty((2 if swap is None else 3, cells, LANES), real)
    tilts = np.empty((0 if expected is None else len(weights), cells, LANES), real)
    softmins = np.empty((5, rows, LANES), np.float64)
    means = np.zeros((5, rows, LANES), np.float64)
    crossed = np.zeros((2, rows, LANES), real)
    seeds = np.zeros((rows, LANES), real)
    flows = np.zeros((1 if expected is None else 2, len(weights) + 1, 5, rows, LANES), real)
    step_costs = np.zeros((steps + 1, LANES), real)
    target_costs = np.zeros((targets + 1, LANES), real)
    ends = np.zeros((2, LANES), np.int64)
    for start in range(first * LANES, min(last * LANES, batch), LANES):
        pairs = min(LANES, batch - start)
        for lane in range(LANES):
            ends[0, lane] = lengths[start + lane] if lane < pairs else 0
            ends[1, lane] = target_lengths[start + lane] if lane < pairs else 0
        _load_costs(costs, start, ends, bases, weights[0])
        if deletion is not None and insertion is not None:
            _load_gaps(deletion, start, ends[0], step_costs)
            _load_gaps(insertion, start, ends[1], target_costs)
        column[start : start + pairs] = 0
        softmins.fill(FORBIDDEN)
        softmins[0, 1] = 0
        means.fill(0)
        for diagonal in range(steps + targets + 1):
            if diagonal > 0:
                _forward_borders(deletion, diagonal, bases, step_costs, target_costs, weights, tilts, softmins, means)
                _forward(
                    deletion, swap, expected, gamma, diagonal, bases, step_costs, target_costs,
                    weights, tilts, softmins, means, crossed,
                )  # fmt: skip
            values = softmins[diagonal % 5] if expected is None else means[diagonal % 5]
            for lane in range(pairs):
                step = diagonal - ends[1, lane]
                if 0 <= step <= ends[0, lane]:
                    # A mean of forbidden costs need not be as large as these are.
                    forbidden = softmins[diagonal % 5, step + 1, lane] >= FORBIDDEN / 2
                    column[start + lane, step] = FORBIDDEN if forbidden else values[step + 1, lane]
        if with_gradients:
            flows.fill(0)
            step_costs.fill(0)
            target_costs.fill(0)
            for diagonal in range(steps + targets, 0, -1):
                for lane in range(pairs):
                    step = diagonal - ends[1, lane]
                    if 0 <= step <= ends[0, lane] and column[start + lane, step] < FORBIDDEN:
                        seeds[step + 1, lane] = end_weights[start + lane, step]
                _backward(
                    deletion, swap, expected, diagonal, bases, seeds, weights, tilts, flows, step_costs, target_costs
                )
            _store_costs(costs_gradient, start, pairs, ends, bases, weights[0])
            if deletion is not None and insertion is not None:
                _store_gaps(deletion_gradient, start, pairs, ends[0], step_costs)
                _store_gaps(insertion_gradient, start, pairs, ends[1], target_costs)


@compiled
def scale_blocks(first: int, last: int, factors: Array, units: Array, scaled: Array) -> None:
    """Multiplies the rows ``(batch, …)`` of some blocks by a factor each ``(batch,)``."""
    for pair in range(first * LANES, min(last * LANES, len(units))):
        for place in range(units.shape[1]):
            scaled[pair, place] = factors[pair] * units[pair, place]


@compiled
def _diagonal_bases(steps: int, targets: int) -> Array:
    # Cell (i, j) of the table is number bases[i + j] + i, so that a diagonal's cells lie side by side.
    bases = np.empty(steps + targets + 1, np.int64)
    count = 0
    for diagonal in range(steps + targets + 1):
        lowest = max(0, diagonal - targets)
        bases[diagonal] = count - lowest
        count += min(diagonal, steps) - lowest + 1
    return bases


@compiled
def _load_costs(costs: Array, start: int, ends: Array, bases: Array, cells: Array) -> None:
    # What lies past the lengths becomes 0: whatever it was, NaN too, it must not reach the others.
    limit = costs.dtype.type(FORBIDDEN)
    for step in range(costs.shape[1]):
        for lane in range(LANES):
            inside = ends[1, lane] if step < ends[0, lane] else 0
            for target in range(inside):
                cells[bases[step + target + 2] + step + 1, lane] = min(costs[start + lane, step, target], limit)
            for target in range(inside, costs.shape[2]):
                cells[bases[step + target + 2] + step + 1, lane] = 0


@compiled
def _load_gaps(gaps: Array, start: int, lengths: Array, lanes: Array) -> None:
    lanes.fill(0)
    for lane in range(LANES):
        for place in range(lengths[lane]):
            lanes[place + 1, lane] = min(gaps[start + lane, place], gaps.dtype.type(FORBIDDEN))


@compiled
def _store_costs(gradient: Array, start: int, pairs: int, ends: Array, bases: Array, cells: Array) -> None:
    for step in range(gradient.shape[1]):
        for lane in range(pairs):
            inside = ends[1, lane] if step < ends[0, lane] else 0
            for target in range(inside):
                gradient[start + lane, step, target] = cells[bases[step + target + 2] + step + 1, lane]
            for target in range(inside, gradient.shape[2]):
                gradient[start + lane, step, target] = 0


@compiled
def _store_gaps(gradient: Array, start: int, pairs: int, lengths: Array, lanes: Array) -> None:
    for lane in range(pairs):
        for place in range(gradient.shape[1]):
            gradient[start + lane, place] = lanes[place + 1, lane] if place < lengths[lane] else 0


@compiled
def _forward_borders(
    gaps: Array | None,
    diagonal: int,
    bases: Array,
    step_costs: Array,
    target_costs: Array,
    weights: Array,
    tilts: Array,
    softmins: Array,
    means: Array,
) -> None:
    # Cells (diagonal, 0) and (0, diagonal): deleted or inserted throughout, or in soft-DTW out of reach.
    now, one = diagonal % 5, (diagonal + 4) % 5
    for row, costs in ((diagonal, step_costs), (0, target_costs)):
        if diagonal < len(costs):
            for lane in range(LANES):
                if gaps is None:
                    softmins[now, row + 1, lane] = FORBIDDEN
                else:
                    softmins[now, row + 1, lane] = softmins[one, max(row, 1), lane] + costs[diagonal, lane]
                means[now, row + 1, lane] = softmins[now, row + 1, lane]
            cell = bases[diagonal] + row
            for kind in range(len(weights)):
                weights[kind, cell].fill(1 if kind == 1 and row > 0 else 0)
            for kind in range(len(tilts)):
                tilts[kind, cell].fill(0)


@compiled
def _forward(
    gaps: Array | None,
    swap: float | None,
    expected: bool | None,
    gamma: float,
    diagonal: int,
    bases: Array,
    step_costs: Array,
    target_costs: Array,
    weights: Array,
    tilts: Array,
    softmins: Array,
    means: Array,
    crossed: Array,
) -> None:
    real = weights.dtype.type
    steps, targets = len(step_costs) - 1, len(target_costs) - 1
    now, one, two, four = diagonal % 5, (diagonal + 4) % 5, (diagonal + 3) % 5, (diagonal + 1) % 5
    here, before = diagonal % 2, (diagonal + 1) % 2
    per_gamma = real(1) / gamma
    # Several short loops, with what they hand on in arrays of their own: a long one would not be vectorised, for want
    # of a proof that the arrays it writes are not those it reads.
    paths = np.empty((4, LANES), np.float64)
    shares = np.empty((4, LANES), weights.dtype)
    values = np.empty(LANES, np.float64)
    for step in range(max(1, diagonal - targets), min(diagonal - 1, steps) + 1):
        row = step + 1
        cell = bases[diagonal] + step
        deletion = weights[0, cell] if gaps is None else step_costs[step]
        insertion = weights[0, cell] if gaps is None else target_costs[diagonal - step]
        for lane in range(LANES):
            paths[0, lane] = softmins[two, row - 1, lane] + weights[0, cell, lane]
            paths[1, lane] = softmins[one, row - 1, lane] + deletion[lane]
            paths[2, lane] = softmins[one, row, lane] + insertion[lane]
        if swap is not None:
            for lane in range(LANES):
                crossing = swap + crossed[before, row - 1, lane] + crossed[before, row, lane]
                paths[3, lane] = softmins[four, row - 2, lane] + crossing
            for lane in range(LANES):
                crossed[here, row, lane] = weights[0, cell, lane]
        for lane in range(LANES):
            least = min(min(paths[0, lane], paths[1, lane]), paths[2, lane])
            if swap is not None:
                least = min(least, paths[3, lane])
            matched = exponential(real(least - paths[0, lane]) * per_gamma)
            deleted = exponential(real(least - paths[1, lane]) * per_gamma)
            total = matched + deleted + exponential(real(least - paths[2, lane]) * per_gamma)
            if swap is not None:
                swapped = exponential(real(least - paths[3, lane]) * per_gamma)
                total += swapped
            scale = real(1) / total
            shares[0, lane], shares[1, lane] = matched * scale, deleted * scale
            if swap is not None:
                shares[2, lane] = swapped * scale
            values[lane] = least - gamma * logarithm(total)
        for lane in range(LANES):
            softmins[now, row, lane] = values[lane]
        if expected is not None:
            for lane in range(LANES):
                paths[0, lane] = means[two, row - 1, lane] + weights[0, cell, lane]
                paths[1, lane] = means[one, row - 1, lane] + deletion[lane]
                paths[2, lane] = means[one, row, lane] + insertion[lane]
            if swap is not None:
                for lane in range(LANES):
                    crossing = swap + crossed[before, row - 1, lane] + crossed[before, row, lane]
                    paths[3, lane] = means[four, row - 2, lane] + crossing
            for lane in range(LANES):
                # Relative to one path: the weights sum to 1 but for rounding, which must not be multiplied by a path.
                mean = paths[2, lane]
                mean += shares[0, lane] * (paths[0, lane] - paths[2, lane])
                mean += shares[1, lane] * (paths[1, lane] - paths[2, lane])
                if swap is not None:
                    mean += shares[2, lane] * (paths[3, lane] - paths[2, lane])
                values[lane] = mean
            for lane in range(LANES):
                means[now, row, lane] = values[lane]
            for kind in range(len(weights)):
                path = kind if kind < 2 else 3
                for lane in range(LANES):
                    tilts[kind, cell, lane] = shares[kind, lane] * real(paths[path, lane] - values[lane]) * per_gamma
        for kind in range(len(weights)):
            for lane in range(LANES):
                weights[kind, cell, lane] = shares[kind, lane]


@compiled
def _backward(
    gaps: Array | None,
    swap: float | None,
    expected: bool | None,
    diagonal: int,
    bases: Array,
    seeds: Array,
    weights: Array,
    tilts: Array,
    flows: Array,
    step_gradient: Array,
    target_gradient: Array,
) -> None:
    # flows[0] is what flows back out of a cell by each move; flows[1], for the expected cost alone, is the part of it
    # that the weights would carry if they were constants. Moves: matching, deleting, inserting, swapping.
    real = weights.dtype.type
    kinds = flows.shape[1]
    lanes = weights.shape[2]  # not LANES: a short loop of known length is unrolled rather than vectorised
    steps, targets = len(step_gradient) - 1, len(target_gradient) - 1
    now, one, two, four = diagonal % 5, (diagonal + 1) % 5, (diagonal + 2) % 5, (diagonal + 4) % 5
    # Of one cell: by each move, and in the last row in all.
    moves, constants = np.empty((5, LANES), weights.dtype), np.empty((5, LANES), weights.dtype)
    for step in range(max(0, diagonal - targets), min(diagonal, steps) + 1):
        row = step + 1
        cell = bases[diagonal] + step
        for lane in range(LANES):
            flow = seeds[row, lane] + flows[0, 0, two, row + 1, lane] + flows[0, 1, one, row + 1, lane]
            flow += flows[0, 2, one, row, lane]
            matched, deleted = weights[0, cell, lane], weights[1, cell, lane]
            inserted = real(1) - matched - deleted
            if swap is not None:
                flow += flows[0, 3, four, row + 2, lane]
                inserted -= weights[2, cell, lane]
                moves[3, lane] = flow * weights[2, cell, lane]
            moves[0, lane], moves[1, lane], moves[2, lane] = flow * matched, flow * deleted, flow * inserted
            moves[4, lane] = flow
        if expected is not None:
            for lane in range(LANES):
                constant = seeds[row, lane] + flows[1, 0, two, row + 1, lane] + flows[1, 1, one, row + 1, lane]
                constant += flows[1, 2, one, row, lane]
                matched, deleted = weights[0, cell, lane], weights[1, cell, lane]
                inserted = real(1) - matched - deleted
                if swap is not None:
                    constant += flows[1, 3, four, row + 2, lane]
                    inserted -= weights[2, cell, lane]
                    constants[3, lane] = constant * weights[2, cell, lane]
                constants[0, lane], constants[1, lane] = constant * matched, constant * deleted
                constants[2, lane] = constant * inserted
                constants[4, lane] = constant
            for lane in range(LANES):
                constant = constants[4, lane]
                match_tilt, deletion_tilt = tilts[0, cell, lane], tilts[1, cell, lane]
                insertion_tilt = -match_tilt - deletion_tilt
                if swap is not None:
                    insertion_tilt -= tilts[2, cell, lane]
                    moves[3, lane] -= constant * tilts[2, cell, lane]
                moves[0, lane] -= constant * match_tilt
                moves[1, lane] -= constant * deletion_tilt
                moves[2, lane] -= constant * insertion_tilt
            for move in range(kinds):
                for lane in range(lanes):
                    flows[1, move, now, row, lane] = constants[move, lane]
        for lane in range(lanes):
            seeds[row, lane] = 0
        for move in range(kinds):
            for lane in range(lanes):
                flows[0, move, now, row, lane] = moves[move, lane]
        if gaps is None:
            for lane in range(lanes):
                weights[0, cell, lane] = moves[4, lane]
        else:
            for lane in range(lanes):
                weights[0, cell, lane] = moves[0, lane]
            for lane in range(lanes):
                step_gradient[step, lane] += moves[1, lane]
            for lane in range(lanes):
                target_gradient[diagonal - step, lane] += moves[2, lane]
        if swap is not None:
            for lane in range(lanes):
                weights[0, cell, lane] += flows[0, 3, one, row + 1, lane] + flows[0, 3, one, row, lane]
