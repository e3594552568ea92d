"""The LSTM on the CPU, over whole sequences: a product and one compiled pass over the gates for each step.

There are few symbols: the input's part of the gates is computed once for each of them, and looked up. The gradient of
the recurrent weights is one product for all steps. In bf16 the products read and write bf16, while a cell's state stays
float32. Not meant to be differentiated twice.
"""

from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numba  # type: ignore[import-untyped, unused-ignore]
import numpy as np
import torch
from numba.extending import overload  # type: ignore[import-untyped, unused-ignore]
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from speller.train.distance.compiled import LANES, compiled, exponential, run_blocks
from speller.train.packing import Packing

Array = NDArray[Any]


class Step(NamedTuple):
    """The rows of one step, and those of the step before of the same words.

    Attributes:
        start: the first row.
        rows: how many there are.
        real: how many of them are symbols.
        before: the first row of the step before.
        carried: how many of the rows go on from there; the others start from zeros.
    """

    start: int
    rows: int
    real: int
    before: int
    carried: int


def steps_of(packing: Packing, *, reverse: bool) -> list[Step]:
    """The steps in the order in which they are taken; from the last symbol to the first one where ``reverse``."""
    sizes, starts = packing.sizes, [0, *accumulate(packing.sizes)]
    order = range(len(sizes))[:: -1 if reverse else 1]
    steps = [Step(starts[order[0]], sizes[order[0]], packing.counts[order[0]], 0, 0)]
    for before, here in pairwise(order):
        carried = min(sizes[before], sizes[here])
        steps.append(Step(starts[here], sizes[here], packing.counts[here], starts[before], carried))
    return steps


def run_lstm(layer: nn.RNNBase, embedding: Tensor, symbols: Tensor, packing: Packing) -> tuple[Tensor, Tensor]:
    """What a layer of one direction or two makes of packed words, starting from zeros.

    Args:
        layer: an ``nn.LSTM``, for its weights.
        embedding: the symbols' vectors ``(symbols, input)``.
        symbols: ``(rows,)``.
        packing: where the rows are from.

    Returns:
        the hidden states after each row, ``(rows, directions * width)``, and the cells' after each word's last symbol,
        ``(words, directions * width)``, of the vectors' type, or of autocast's.
    """
    autocast = torch.is_autocast_enabled("cpu")
    kind = torch.get_autocast_dtype("cpu") if autocast else embedding.dtype
    halves = []
    for direction in ("", "_reverse")[: 2 if layer.bidirectional else 1]:
        input_, hidden, *biases = (
            getattr(layer, f"{name}_l0{direction}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        table = functional.linear(embedding, input_, sum(biases)).to(kind)  # (symbols, 4 * width)
        steps = steps_of(packing, reverse=bool(direction))
        halves.append(_Recurrence.apply(table, symbols, hidden.to(kind), packing.last, steps))  # type: ignore[no-untyped-call]
    states, cells = (torch.cat(each, dim=1) if len(halves) > 1 else each[0] for each in zip(*halves, strict=True))
    return states, cells


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, table: Tensor, symbols: Tensor, weight: Tensor, last: Tensor, steps: list[Step]
    ) -> tuple[Tensor, Tensor]:
        width = weight.shape[1]
        gates = table.index_select(0, symbols)  # (rows, 4 * width)
        hidden = table.new_empty(len(symbols), width)
        # One row more than there are: that of zeros, from which words start.
        cells = torch.empty(len(symbols) + 1, width, dtype=torch.promote_types(table.dtype, torch.float32))
        cells[-1] = 0
        arrays = _array(gates), cells.numpy(), _array(hidden)
        for step in steps:
            if step.carried:
                before = hidden[step.before : step.before + step.carried]
                gates[step.start : step.start + step.carried].addmm_(before, weight.t())
            run_blocks(_activate, (*step, *arrays), step.rows, width)
        ctx.save_for_backward(symbols, weight, last, gates, hidden, cells)
        ctx.steps, ctx.table = steps, table.shape
        ctx.set_materialize_grads(False)
        return hidden, cells[last].to(table.dtype)

    @staticmethod
    def backward(ctx: Any, *flows: Tensor | None) -> tuple[Tensor | None, ...]:
        symbols, weight, last, gates, hidden, cells = ctx.saved_tensors
        layout = torch.contiguous_format
        to_hidden = torch.zeros_like(hidden) if flows[0] is None else flows[0].clone(memory_format=layout)
        to_gates, before = torch.empty_like(gates), torch.zeros_like(hidden)
        to_cells = cells.new_zeros(max(step.rows for step in ctx.steps), cells.shape[1])
        arrays = _array(gates), cells.numpy(), _array(to_hidden), to_cells.numpy(), _array(to_gates)
        to_last = None if flows[1] is None else torch.zeros_like(cells).index_copy_(0, last, flows[1].to(cells.dtype))
        for step in reversed(ctx.steps):
            if to_last is not None:
                to_cells[: step.rows] += to_last[step.start : step.start + step.rows]
            run_blocks(_differentiate, (*step, *arrays), step.rows, cells.shape[1])
            if step.carried:
                here, there = (slice(start, start + step.carried) for start in (step.start, step.before))
                to_hidden[there].addmm_(to_gates[here], weight)
                before[here] = hidden[there]
        to_table = cells.new_zeros(ctx.table)
        run_blocks(_collect, (symbols.numpy(), arrays[-1], to_table.numpy()), ctx.table[1], len(symbols))
        return to_table.to(weight.dtype), None, to_gates.t() @ before, None, None


def _array(tensor: Tensor) -> Array:
    """The tensor's memory; bf16, of which numpy knows nothing, as the whole numbers of its bits."""
    return (tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor).numpy()


@compiled
def _activate(
    first: int, last: int, start: int, rows: int, real: int, before: int, carried: int,
    gates: Array, cells: Array, hidden: Array,
) -> None:  # fmt: skip
    """Turns the sums in some blocks' input, forget, cell and output gates into their values, and takes the step.

    Each loop writes one array, and from its first place on: so all vectorise.
    """
    width = hidden.shape[1]
    for row in range(first * LANES, min(last * LANES, rows)):
        gate, new, out = gates[start + row], cells[start + row], hidden[start + row]
        if row >= real:
            # From here the reverse direction starts.
            new[:] = 0
            out[:] = 0
            continue
        old = cells[before + row if row < carried else len(cells) - 1]
        kept, candidate, shown = gate[width : 2 * width], gate[2 * width : 3 * width], gate[3 * width :]
        for k in range(2 * width):
            gate[k] = _narrow(_sigmoid(_widen(gate[k])), gate[k])
        for k in range(width):
            candidate[k] = _narrow(_tanh(_widen(candidate[k])), gate[k])
        for k in range(width):
            shown[k] = _narrow(_sigmoid(_widen(shown[k])), gate[k])
        for k in range(width):
            new[k] = _widen(kept[k]) * old[k] + _widen(gate[k]) * _widen(candidate[k])
        for k in range(width):
            out[k] = _narrow(_widen(shown[k]) * _tanh(new[k]), gate[k])


@compiled
def _differentiate(
    first: int, last: int, start: int, rows: int, real: int, before: int, carried: int,
    gates: Array, cells: Array, to_hidden: Array, to_cells: Array, to_gates: Array,
) -> None:  # fmt: skip
    """The gradients of some blocks' sums in the gates; those of their cells pass from step to step in ``to_cells``."""
    width = cells.shape[1]
    bounded = np.empty(width, cells.dtype)
    for row in range(first * LANES, min(last * LANES, rows)):
        gate, out, flow, to_gate = gates[start + row], to_hidden[start + row], to_cells[row], to_gates[start + row]
        if row >= real:
            to_gate[:] = 0
            continue
        old, new = cells[before + row if row < carried else len(cells) - 1], cells[start + row]
        kept, candidate, shown = gate[width : 2 * width], gate[2 * width : 3 * width], gate[3 * width :]
        to_kept, to_candidate = to_gate[width : 2 * width], to_gate[2 * width : 3 * width]
        to_shown = to_gate[3 * width :]
        for k in range(width):
            bounded[k] = _tanh(new[k])
        for k in range(width):
            share = _widen(shown[k])
            to_shown[k] = _narrow(_widen(out[k]) * bounded[k] * (share - share * share), gate[k])
        for k in range(width):
            arrived = _widen(out[k]) * _widen(shown[k])
            flow[k] += arrived - arrived * bounded[k] * bounded[k]
        for k in range(width):
            share = _widen(gate[k])
            to_gate[k] = _narrow(flow[k] * _widen(candidate[k]) * (share - share * share), gate[k])
        for k in range(width):
            arrived, value = flow[k] * _widen(gate[k]), _widen(candidate[k])
            to_candidate[k] = _narrow(arrived - arrived * value * value, gate[k])
        for k in range(width):
            share = _widen(kept[k])
            to_kept[k] = _narrow(flow[k] * old[k] * (share - share * share), gate[k])
        for k in range(width):
            flow[k] *= _widen(kept[k])


@compiled
def _collect(first: int, last: int, symbols: Array, to_gates: Array, to_table: Array) -> None:
    """The gradients of each symbol's place in the table: some blocks of its columns."""
    for row in range(len(symbols)):
        sums, flows = to_table[symbols[row], first * LANES : last * LANES], to_gates[row, first * LANES : last * LANES]
        for k in range(len(sums)):
            sums[k] += _widen(flows[k])


def _widen(x: Any) -> Any:
    """A number as it is, or the float32 that bf16's bits stand for; known to compiled code alone, as the next ones."""


def _narrow(x: Any, like: Any) -> Any:
    """A number as it is, or bf16's bits of the nearest one, ties to even, where ``like`` is such bits."""


def _sigmoid(x: Any) -> Any: ...


def _tanh(x: Any) -> Any: ...


@overload(_widen)
def _compile_widen(x: Any) -> Callable[[Any], Any]:
    def same(x: Any) -> Any:
        return x

    def shifted(x: Any) -> Any:
        return np.int32(np.int32(x) << 16).view(np.float32)

    return shifted if isinstance(x, numba.types.Integer) else same


@overload(_narrow)
def _compile_narrow(x: Any, like: Any) -> Callable[[Any, Any], Any]:
    def same(x: Any, like: Any) -> Any:
        return x

    def nearest(x: Any, like: Any) -> Any:
        bits = np.float32(x).view(np.int32)
        return np.uint16((bits + np.int32(0x7FFF) + ((bits >> 16) & np.int32(1))) >> 16)

    return nearest if isinstance(like, numba.types.Integer) else same


@overload(_sigmoid)
def _compile_sigmoid(x: Any) -> Callable[[Any], Any]:
    one = np.float32(1) if x.bitwidth == 32 else np.float64(1)

    def implementation(x: Any) -> Any:
        small = exponential(-abs(x))
        return (small if x < 0 else one) / (one + small)

    return implementation


@overload(_tanh)
def _compile_tanh(x: Any) -> Callable[[Any], Any]:
    one = np.float32(1) if x.bitwidth == 32 else np.float64(1)

    def implementation(x: Any) -> Any:
        small = exponential(-abs(x + x))
        size = (one - small) / (one + small)
        return -size if x < 0 else size

    return implementation
