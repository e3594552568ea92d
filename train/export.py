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
import torch
from numpy.typing import NDArray
from onnx import numpy_helper, parser
from torch import Tensor, nn

from speller.runtime import ZERO
from speller.train.model import Cell, ModelConfig, SpellingModel

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

HALVES = {"forward": "", "backward": "_reverse"}
"""The encoder's, and what PyTorch adds to their weights' names."""

ENCODER = """
<ir_version: 9, opset_import: ["" : 18, "com.microsoft" : 1]>
encoder (int64[batch, time] source, int64[batch] lengths)
    => (float[batch, time, {decoder}] keys, float[batch, time, {decoder}] values)
{{
    shape = Shape (source)
    time = Gather (shape, one)
    nowhere = Sub (lengths, lengths)
    forward_source = Transpose <perm = [1, 0]> (source)
    {forward}
    backward_source = ReverseSequence <batch_axis = 1, time_axis = 0> (forward_source, lengths)
    {backward}
    from_the_end = ReverseSequence <batch_axis = 1, time_axis = 0> (backward_states, lengths)
    by_time = Concat <axis = 2> (forward_states, from_the_end)
    states = Transpose <perm = [1, 0, 2]> (by_time)
    keys = com.microsoft.MatMulIntegerToFloat
        (states, memory_weight, step, memory_weight_step, zero, no_shift, memory_bias)
    values = com.microsoft.MatMulIntegerToFloat
        (states, value_weight, step, value_weight_step, zero, no_shift, value_bias)
}}
"""

HALF = """
    {name}_projected = MatMul (embedding, {name}_input)
    {name}_by_symbol = Add ({name}_projected, {name}_bias)
    {name}_place, {name}_last_0{last}, {name}_states = Loop <body = {name}_step
        (int64 number, bool going, int64[batch] place, uint8[known, {width}] all_0{carried})
        => (bool going_on, int64[batch] next_place, uint8[new, {width}] after_0{carried_on}, uint8[batch, {width}] read)
    {{
        letters = Gather ({name}_source, number)
        spread = Mul (place, symbol_count)
        longer = Add (spread, letters)
        real = Less (number, lengths)
        asked = Where (real, longer, nothing)
        distinct, first, next_place = Unique (asked)
        parents = Div (distinct, symbol_count)
        symbols = Mod (distinct, symbol_count)
        state_0 = Gather (all_0, parents)
        {gathered}
        {cell}
        read = Gather (after_0, next_place)
        going_on = Identity (going)
    }}> (time, true, nowhere, start_0{start})
"""
"""A half of the encoder: words that begin alike, or backward end alike, are read together for so long.

A place is where a word's state is among those of its step; all that are past their end share one.
"""

DECODER = """
<ir_version: 9, opset_import: ["" : 18, "com.microsoft" : 1]>
decoder (int64[rows] symbols, uint8[rows, {width}] state_0{carried})
    => (uint8[rows, {width}] after_0{carried_on}, float16[rows, {width}] written)
{{
    decoder_projected = MatMul (embedding, decoder_input)
    decoder_by_symbol = Add (decoder_projected, decoder_bias)
    {cell}
    combined = com.microsoft.MatMulIntegerToFloat
        (after_0, hidden_weight, step, hidden_weight_step, zero, no_shift, combine_bias)
    written = Cast <to = 10> (combined)
}}
"""

CELL = """
    from_symbols = Gather ({name}_by_symbol, symbols)
    from_before = com.microsoft.MatMulIntegerToFloat
        (state_0, {name}_recurrent, step, {name}_recurrent_step, zero, no_shift)
    {step}
    after_0 = QuantizeLinear (hidden, step, zero)
"""

STEPS: dict[Cell, str] = {
    "lstm": """
    sum = Add (from_symbols, from_before)
    linear_gates, linear_new = Split <axis = 1> (sum, gates_and_new)
    gates = Sigmoid (linear_gates)
    input, output, forget = Split <axis = 1, num_outputs = 3> (gates)
    new = Tanh (linear_new)
    carried = Cast <to = 1> (state_1)
    kept = Mul (forget, carried)
    added = Mul (input, new)
    cell = Add (kept, added)
    bounded = Tanh (cell)
    hidden = Mul (output, bounded)
    after_1 = Cast <to = 10> (cell)
    """,
    "gru": """
    gates_from_symbols, new_from_symbols = Split <axis = 1> (from_symbols, gates_and_new)
    gates_from_before, new_from_before = Split <axis = 1> (from_before, gates_and_new)
    linear_gates = Add (gates_from_symbols, gates_from_before)
    gates = Sigmoid (linear_gates)
    update, reset = Split <axis = 1, num_outputs = 2> (gates)
    biased = Add (new_from_before, {name}_new_bias)
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
    reading: dict[str, NDArray[Any]] = {}
    for half, suffix in HALVES.items():
        reading |= _recurrent(half, model.encoder, cell, suffix)
    _write(
        encoder,
        ENCODER.format(decoder=config.decoder, **{half: _half(half, config) for half in HALVES}),
        embedding
        | reading
        | _rounded("memory_weight", memory_weight)
        | _rounded("value_weight", memory_weight @ from_context)
        | {"memory_bias": memory_bias, "value_bias": memory_bias @ from_context}
        | {"start_0": np.full((1, config.encoder), ZERO, np.uint8)}
        | ({"start_1": np.zeros((1, config.encoder), np.float16)} if cell == "lstm" else {})
        | {"nothing": np.array(0), "one": np.array(1), "true": np.array(True), "symbol_count": np.array(config.symbols)}
        | ROUNDING,
    )
    _write(
        decoder,
        DECODER.format(
            width=config.decoder,
            carried=f", float16[rows, {config.decoder}] state_1" if cell == "lstm" else "",
            carried_on=f", float16[rows, {config.decoder}] after_1" if cell == "lstm" else "",
            cell=_cell("decoder", cell),
        ),
        embedding
        | _recurrent("decoder", model.decoder, cell)
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


def read_exported(encoder: Path, decoder: Path, output: Path) -> SpellingModel:
    """The model that ``export`` wrote into three graphs, to run it in torch.

    Raises:
        ValueError: for a file that is no such graph; the message names it.
    """
    reader, writer, chooser = (_read(path) for path in (encoder, decoder, output))
    width, gates = writer["decoder_recurrent"].shape
    cell = next(cell for cell, order in GATES.items() if len(order) * width == gates)
    symbols, embedding = reader["embedding"].shape
    model = SpellingModel(
        ModelConfig(
            symbols=symbols,
            embedding=embedding,
            encoder=len(reader["forward_recurrent"]),
            decoder=width,
            cell=cell,
        )
    )
    output_bias = chooser["output_bias"]
    memory_weight, value_weight = (_unrounded(name, reader) for name in ("memory_weight", "value_weight"))
    # What makes values of keys: of all states' keys, and where the states are zeros.
    from_context = np.linalg.lstsq(
        np.vstack((memory_weight, reader["memory_bias"])), np.vstack((value_weight, reader["value_bias"])), rcond=None
    )[0]
    state = {
        "embedding.weight": reader["embedding"],
        "memory.weight": memory_weight.T,
        "memory.bias": reader["memory_bias"],
        "combine.weight": np.concatenate((from_context, _unrounded("hidden_weight", writer))).T,
        "combine.bias": writer["combine_bias"],
        "output.weight": chooser["output_weight"].T,
        "output.bias": np.where(np.isfinite(output_bias), output_bias, 0),
        **_read_recurrent("decoder", writer, cell, "decoder", ""),
    }
    for half, suffix in HALVES.items():
        state |= _read_recurrent(half, reader, cell, "encoder", suffix)
    model.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    return model


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        graph = onnx.load(path)
    except Exception as error:  # protobuf's errors have no common class below Exception
        raise ValueError(f"{path}: not an ONNX graph: {error}") from None
    return {array.name: numpy_helper.to_array(array) for array in graph.graph.initializer}


def _write(path: Path, text: str, arrays: dict[str, NDArray[Any]]) -> None:
    graph = parser.parse_model(text)
    graph.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in arrays.items())
    onnx.checker.check_model(graph, full_check=True)
    path.write_bytes(graph.SerializeToString())


def _rounded(name: str, weights: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """Weights ``(in, out)`` as whole numbers, with the step ``(out,)`` from one to the next."""
    step = np.maximum(np.abs(weights).max(axis=0) / np.float32(LARGEST), np.finfo(np.float32).tiny)
    return {name: np.round(weights / step).astype(np.int8), f"{name}_step": step}


def _unrounded(name: str, arrays: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    weights: NDArray[np.float32] = arrays[name] * arrays[f"{name}_step"]
    return weights


def _linear(name: str, layer: nn.Linear) -> dict[str, NDArray[Any]]:
    return {f"{name}_weight": _array(layer.weight.T), f"{name}_bias": _array(layer.bias)}


def _recurrent(name: str, layer: nn.RNNBase, cell: Cell, suffix: str = "") -> dict[str, NDArray[Any]]:
    of_symbols, of_state, bias, recurrent_bias = (
        _ordered(_array(getattr(layer, f"{part}_l0{suffix}")), GATES[cell]) for part in PARTS
    )
    width = layer.hidden_size
    constants = {}
    if cell == "gru":  # what it forgets of the state, it forgets of the bias too
        constants[f"{name}_new_bias"] = recurrent_bias[2 * width :].copy()
        recurrent_bias[2 * width :] = 0
    if cell != "rnn":
        constants["gates_and_new"] = np.array([len(bias) - width, width])
    return {
        f"{name}_input": np.ascontiguousarray(of_symbols.T),
        f"{name}_bias": bias + recurrent_bias,
        **_rounded(f"{name}_recurrent", of_state.T),
        **constants,
    }


def _read_recurrent(
    name: str, arrays: dict[str, NDArray[Any]], cell: Cell, layer: str, suffix: str
) -> dict[str, NDArray[Any]]:
    of_state = _unrounded(f"{name}_recurrent", arrays)
    recurrent_bias = np.zeros_like(arrays[f"{name}_bias"])
    if cell == "gru":
        recurrent_bias[-len(of_state) :] = arrays[f"{name}_new_bias"]
    weights = (arrays[f"{name}_input"].T, of_state.T, arrays[f"{name}_bias"], recurrent_bias)
    order = np.argsort(GATES[cell])
    return {f"{layer}.{part}_l0{suffix}": _ordered(each, order) for part, each in zip(PARTS, weights, strict=True)}


def _half(name: str, config: ModelConfig) -> str:
    lstm, width = config.cell == "lstm", config.encoder
    return HALF.format(
        name=name,
        width=width,
        last=f", {name}_last_1" if lstm else "",
        carried=f", float16[known, {width}] all_1" if lstm else "",
        carried_on=f", float16[new, {width}] after_1" if lstm else "",
        gathered="state_1 = Gather (all_1, parents)" if lstm else "",
        start=", start_1" if lstm else "",
        cell=_cell(name, config.cell),
    )


def _cell(name: str, cell: Cell) -> str:
    return CELL.format(name=name, step=STEPS[cell].format(name=name))


def _ordered(weights: NDArray[Any], gates: Sequence[int] | NDArray[np.int64]) -> NDArray[Any]:
    parts = np.split(weights, len(gates))
    return np.concatenate([parts[gate] for gate in gates])


def _array(tensor: Tensor) -> NDArray[Any]:
    return np.ascontiguousarray(tensor.detach().float().cpu().numpy())
