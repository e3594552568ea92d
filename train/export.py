"""A trained model as three ONNX graphs, written out operator by operator.

The backward half of the encoder starts at a word's own last letter, however far the batch is padded; exporters that
trace a model lose that, or freeze the number of steps.

What a cell puts out and the weights that it meets have eight bits, and what else it carries from one symbol to the next
has half precision.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper, parser
from torch import Tensor, nn

from speller.runtime import ZERO
from speller.train.model import Cell, SpellingModel

GATES: dict[Cell, tuple[int, ...]] = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}
"""Where ONNX wants PyTorch's gates: LSTM's input, forget, cell, output as input, output, forget, cell, and so on."""

STEP = 1 / 127
"""From one whole number of a cell's output to the next: it lies between -1 and 1."""

LARGEST = 63
"""Weights of eight bits use seven: processors without VNNI sum two products in 16 bits."""

ROUNDING: dict[str, NDArray[Any]] = {
    "step": np.array(STEP, np.float32),
    "zero": np.array(ZERO, np.uint8),
    "no_shift": np.array(0, np.int8),
}
"""What the graphs need to compute in whole numbers."""

PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
"""What PyTorch calls a cell's parameters."""

HALVES = ("", "_reverse")
"""What PyTorch adds to the names of the weights of the encoder's two halves."""

SATURATED = 30.0
"""Beyond this, a sigmoid is 0 or 1, and a tanh -1 or 1, to the last bit."""

MULTIPLE = 8
"""Of this many cells ONNX Runtime's recurrence is fast, whatever the batch."""

ENCODER = """
<ir_version: 9, opset_import: ["" : 18, "com.microsoft" : 1]>
encoder (int64[batch, time] source, int64[batch] lengths)
    => (float[batch, time, {decoder}] keys, float[batch, time, {decoder}] values)
{{
    by_time = Transpose <perm = [1, 0]> (source)
    letters = Gather (embedding, by_time)
    lengths_32 = Cast <to = 6> (lengths)
    {recurrence}
    by_word = Transpose <perm = [2, 0, 1, 3]> (by_half)
    states = Reshape <allowzero = 0> (by_word, flat)
    rounded = QuantizeLinear (states, step, zero)
    keys = com.microsoft.MatMulIntegerToFloat
        (rounded, memory_weight, step, memory_weight_step, zero, no_shift, memory_bias)
    values = com.microsoft.MatMulIntegerToFloat
        (rounded, value_weight, step, value_weight_step, zero, no_shift, value_bias)
}}
"""

RECURRENCES: dict[Cell, str] = {
    "lstm": """
    words = Shape (lengths)
    shape = Concat <axis = 0> (two, words, width)
    hidden = Expand (start_hidden, shape)
    cells = Expand (start_cells, shape)
    by_half = com.microsoft.DynamicQuantizeLSTM <direction = "bidirectional", hidden_size = {width}>
        (letters, input, recurrent, bias, lengths_32, hidden, cells, , input_step, no_shifts, recurrent_step, no_shifts)
    """,
    "gru": """
    by_half = GRU <direction = "bidirectional", hidden_size = {width}, linear_before_reset = 1>
        (letters, input, recurrent, bias, lengths_32)
    """,
    "rnn": """
    by_half = RNN <direction = "bidirectional", hidden_size = {width}> (letters, input, recurrent, bias, lengths_32)
    """,
}
"""The encoder's cells, to ``by_half`` ``(time, 2, batch, width)``; an LSTM's in whole numbers."""

DECODER = """
<ir_version: 9, opset_import: ["" : 18, "com.microsoft" : 1]>
decoder (int64[rows] symbols, uint8[rows, {width}] state_0{carried})
    => (uint8[rows, {width}] after_0{carried_on}, float16[rows, {width}] written)
{{
    projected = MatMul (embedding, input)
    by_symbol = Add (projected, bias)
    from_symbols = Gather (by_symbol, symbols)
    from_before = com.microsoft.MatMulIntegerToFloat
        (state_0, recurrent, step, recurrent_step, zero, no_shift)
    {cell}
    after_0 = QuantizeLinear (hidden, step, zero)
    combined = com.microsoft.MatMulIntegerToFloat
        (after_0, hidden_weight, step, hidden_weight_step, zero, no_shift, combine_bias)
    written = Cast <to = 10> (combined)
}}
"""

STEPS: dict[Cell, str] = {
    "lstm": """
    sum = Add (from_symbols, from_before)
    linear_gates, linear_new = Split <axis = 1> (sum, gates_and_new)
    gates = Sigmoid (linear_gates)
    take, give, keep = Split <axis = 1, num_outputs = 3> (gates)
    new = Tanh (linear_new)
    carried = Cast <to = 1> (state_1)
    kept = Mul (keep, carried)
    added = Mul (take, new)
    cell = Add (kept, added)
    bounded = Tanh (cell)
    hidden = Mul (give, bounded)
    after_1 = Cast <to = 10> (cell)
    """,
    "gru": """
    gates_from_symbols, new_from_symbols = Split <axis = 1> (from_symbols, gates_and_new)
    gates_from_before, new_from_before = Split <axis = 1> (from_before, gates_and_new)
    linear_gates = Add (gates_from_symbols, gates_from_before)
    gates = Sigmoid (linear_gates)
    update, reset = Split <axis = 1, num_outputs = 2> (gates)
    biased = Add (new_from_before, new_bias)
    let_through = Mul (reset, biased)
    linear_new = Add (new_from_symbols, let_through)
    new = Tanh (linear_new)
    carried = DequantizeLinear (state_0, step, zero)
    change = Sub (carried, new)
    kept = Mul (update, change)
    hidden = Add (new, kept)
    """,
    "rnn": """
    sum = Add (from_symbols, from_before)
    hidden = Tanh (sum)
    """,
}
"""What each cell makes of its gates, in ONNX's order."""

OUTPUT = """
<ir_version: 9, opset_import: ["" : 18]>
output (uint8[batch, several, {decoder}] query, float16[batch, several, {decoder}] written,
        float[batch, time, {decoder}] keys, float[batch, time, {decoder}] values, int64[batch] lengths)
    => (float[batch, several, {symbols}] log_probs)
{{
    by_width = Transpose <perm = [0, 2, 1]> (keys)
    scaled = DequantizeLinear (query, scale, zero)
    scores = MatMul (scaled, by_width)
    shape = Shape (keys)
    time = Gather (shape, axis_1_scalar)
    places = Range (first, time, one)
    column = Unsqueeze (lengths, axis_1)
    real = Less (places, column)
    real_for_all = Unsqueeze (real, axis_1)
    masked = Where (real_for_all, scores, minus_infinity)
    weights = Softmax <axis = -1> (masked)
    from_context = MatMul (weights, values)
    from_written = Cast <to = 1> (written)
    sum = Add (from_context, from_written)
    combined = Tanh (sum)
    logits = MatMul (combined, output_weight)
    possible = Add (logits, output_bias)
    log_probs = LogSoftmax <axis = -1> (possible)
}}
"""


def export(model: SpellingModel, *, encoder: Path, decoder: Path, output: Path) -> None:
    """Write a model's graphs; they equal it up to rounding.

    The layer that joins context and decoder is linear before its tanh: each side's part of it is computed where that
    side is, once for all that it meets.

    Args:
        encoder: the file for the graph that reads: ``source`` and ``lengths`` to ``keys`` and ``values``.
        decoder: the file for the graph that writes a symbol: ``symbols`` and ``state_0`` (and an LSTM's ``state_1``) to
            ``after_0`` (and ``after_1``) and ``written``.
        output: the file for the graph that says what comes next: ``query`` (which is ``after_0``), ``written``,
            ``keys``, ``values`` and ``lengths`` to ``log_probs``.
    """
    config = model.config
    cell = config.cell
    embedding = {"embedding": _array(model.embedding.weight)}
    from_context, from_hidden = np.split(_array(model.combine.weight.T), 2)
    memory_weight, memory_bias = _linear("memory", model.memory).values()
    reading = _reading(model)
    width = reading["recurrent"].shape[1 if cell == "lstm" else 2]
    # The states of both halves, side by side, and nothing for the cells that only fill up.
    memory_weight = np.concatenate([_widened(half, width, 0) for half in np.split(memory_weight, 2)])
    _write(
        encoder,
        ENCODER.format(decoder=config.decoder, recurrence=RECURRENCES[cell].format(width=width)),
        reading
        | _rounded("memory_weight", memory_weight)
        | _rounded("value_weight", memory_weight @ from_context)
        | {"memory_bias": memory_bias, "value_bias": memory_bias @ from_context, "flat": np.array([0, 0, 2 * width])}
        | ROUNDING,
    )
    _write(
        decoder,
        DECODER.format(
            width=config.decoder,
            carried=f", float16[rows, {config.decoder}] state_1" if cell == "lstm" else "",
            carried_on=f", float16[rows, {config.decoder}] after_1" if cell == "lstm" else "",
            cell=STEPS[cell],
        ),
        embedding
        | _recurrent(model.decoder, cell)
        | _rounded("hidden_weight", from_hidden)
        | {"combine_bias": _array(model.combine.bias)}
        | ROUNDING,
    )
    weights = _linear("output", model.output)
    weights["output_bias"] = weights["output_bias"] + _array(model.never_written)
    _write(
        output,
        OUTPUT.format(decoder=config.decoder, symbols=config.symbols),
        weights
        | {
            "zero": ROUNDING["zero"],
            "scale": np.array(STEP * config.decoder**-0.5, np.float32),
            "minus_infinity": np.array(-np.inf, np.float32),
            "axis_1": np.array([1]),
            "axis_1_scalar": np.array(1),
            "first": np.array(0),
            "one": np.array(1),
        },
    )


def _write(path: Path, text: str, arrays: dict[str, NDArray[Any]]) -> None:
    graph = parser.parse_model(text)
    graph.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in arrays.items())
    onnx.checker.check_model(graph, full_check=True)
    path.write_bytes(graph.SerializeToString())


def _rounded(name: str, weights: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """Weights ``(…, in, out)`` as whole numbers, with the step ``(…, out)`` from one to the next."""
    step = np.maximum(np.abs(weights).max(axis=-2) / np.float32(LARGEST), np.finfo(np.float32).tiny)
    return {name: np.round(weights / step[..., None, :]).astype(np.int8), f"{name}_step": step}


def _linear(name: str, layer: nn.Linear) -> dict[str, NDArray[Any]]:
    return {f"{name}_weight": _array(layer.weight.T), f"{name}_bias": _array(layer.bias)}


def _reading(model: SpellingModel) -> dict[str, NDArray[Any]]:
    """The encoder's weights, both halves of each together."""
    layer, cell = model.encoder, model.config.cell
    halves = [[_array(getattr(layer, f"{part}_l0{half}")) for part in PARTS] for half in HALVES]
    by_gate = [[ordered(part, GATES[cell]) for part in half] for half in halves]
    of_symbols, of_state, bias, recurrent_bias = (np.stack(part) for part in zip(*by_gate, strict=True))
    weights = {"embedding": _array(model.embedding.weight), "input": of_symbols, "recurrent": of_state}
    weights["bias"] = np.concatenate((bias, recurrent_bias), axis=1)
    return _steadied(weights) if cell == "lstm" else weights


def _steadied(weights: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """An LSTM's weights in whole numbers, so that what a word comes to hangs on no other word of its batch.

    The operator rounds its input and its state in steps of their largest value in the batch. Two more dimensions of the
    embedding, never heard, are always its largest value and minus that; two more cells, never heard, always put out 1
    and -1: their gates let nothing in and forget nothing, and their cells start far out.
    """
    embedding, hidden = weights["embedding"], weights["recurrent"].shape[2]
    width = -(-(hidden + 2) // MULTIPLE) * MULTIPLE
    largest = np.full((len(embedding), 1), np.abs(embedding).max(), np.float32)
    of_symbols = _widened(weights["input"], embedding.shape[1] + 2, 2)
    bias, recurrent_bias = (_gates_widened(half, hidden, width) for half in np.split(weights["bias"], 2, axis=1))
    for gate, value in ((0, -SATURATED), (1, SATURATED), (2, SATURATED)):  # input, output, forget
        bias[:, gate * width + hidden : gate * width + hidden + 2] = value
    start = np.zeros((2, 1, width), np.float32)
    start[..., hidden], start[..., hidden + 1] = 1, -1
    return {
        "embedding": np.concatenate((embedding, largest, -largest), axis=1),
        **_rounded("input", _gates_widened(of_symbols, hidden, width).transpose(0, 2, 1)),
        **_rounded(
            "recurrent", _gates_widened(_widened(weights["recurrent"], width, 2), hidden, width).transpose(0, 2, 1)
        ),
        "bias": np.concatenate((bias, recurrent_bias), axis=1),
        "no_shifts": np.zeros((2, 4 * width), np.int8),
        "start_hidden": start,
        "start_cells": start * np.float32(SATURATED),
        "two": np.array([2]),
        "width": np.array([width]),
    }


def _widened(weights: NDArray[Any], size: int, axis: int) -> NDArray[Any]:
    """With zeros at the end of an axis, up to its new size."""
    return np.pad(weights, [(0, size - weights.shape[axis] if each == axis else 0) for each in range(weights.ndim)])


def _gates_widened(weights: NDArray[Any], old: int, new: int) -> NDArray[Any]:
    """Of weights ``(2, gates * old, …)``, each gate with zeros at its end, up to its new size."""
    by_gate = weights.reshape(2, -1, old, *weights.shape[2:])
    return _widened(by_gate, new, 2).reshape(2, -1, *weights.shape[2:])


def _recurrent(layer: nn.RNNBase, cell: Cell) -> dict[str, NDArray[Any]]:
    """The decoder's weights."""
    of_symbols, of_state, bias, recurrent_bias = (
        ordered(_array(getattr(layer, f"{part}_l0")), GATES[cell]) for part in PARTS
    )
    width = layer.hidden_size
    constants = {}
    if cell == "gru":  # what it forgets of the state, it forgets of the bias too
        constants["new_bias"] = recurrent_bias[2 * width :].copy()
        recurrent_bias[2 * width :] = 0
    if cell != "rnn":
        constants["gates_and_new"] = np.array([len(bias) - width, width])
    return {
        "input": np.ascontiguousarray(of_symbols.T),
        "bias": bias + recurrent_bias,
        **_rounded("recurrent", of_state.T),
        **constants,
    }


def ordered(weights: NDArray[Any], gates: Sequence[int] | NDArray[np.int64]) -> NDArray[Any]:
    """The weights of a cell's gates ``(gates * width, …)`` in another order."""
    parts = np.split(weights, len(gates))
    return np.concatenate([parts[gate] for gate in gates])


def _array(tensor: Tensor) -> NDArray[Any]:
    return np.ascontiguousarray(tensor.detach().float().cpu().numpy())
