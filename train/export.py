"""A trained model as two ONNX graphs, written out operator by operator.

The recurrent operators of ONNX take each row's length, so the backward half of the encoder starts at a word's own last
letter, however far the batch is padded; exporters that trace a model lose that, or freeze the number of steps.
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

from speller.train.model import Cell, ModelConfig, SpellingModel

GATES: dict[Cell, tuple[int, ...]] = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}
"""Where ONNX wants PyTorch's gates: LSTM's input, forget, cell, output as input, output, forget, cell, and so on."""

ATTRIBUTES = {"lstm": "", "gru": ", linear_before_reset = 1", "rnn": ""}

ENCODER = """
<ir_version: 9, opset_import: ["" : 18]>
encoder (int64[batch, time] source, int64[batch] lengths) => (float[batch, time, {decoder}] memory, {initial})
{{
    by_batch = Gather (embedding, source)
    by_time = Transpose <perm = [1, 0, 2]> (by_batch)
    real = Cast <to = 6> (lengths)
    halves, {last} = {cell} <direction = "bidirectional", hidden_size = {encoder} {attributes}>
        (by_time, encoder_input, encoder_recurrent, encoder_bias, real)
    halves_by_batch = Transpose <perm = [2, 0, 1, 3]> (halves)
    states = Reshape (halves_by_batch, joined)
    projected = MatMul (states, memory_weight)
    memory = Add (projected, memory_bias)
    last_by_batch = Transpose <perm = [1, 0, 2]> (last_hidden)
    last_joined = Flatten (last_by_batch)
    bridged = Gemm (last_joined, bridge_weight, bridge_bias)
    first = Tanh (bridged)
    {states} = Split <axis = 1, num_outputs = {count}> (first)
}}
"""

DECODER = """
<ir_version: 9, opset_import: ["" : 18]>
decoder (int64[rows, steps] previous, {state_inputs}, float[batch, time, {decoder}] memory, int64[batch] lengths,
         int64[rows] rows) => (float[rows, steps, {symbols}] log_probs, {state_outputs})
{{
    by_row = Gather (embedding, previous)
    by_step = Transpose <perm = [1, 0, 2]> (by_row)
    {unsqueezed}
    hidden_by_step, {after} = {cell} <hidden_size = {decoder} {attributes}>
        (by_step, decoder_input, decoder_recurrent, decoder_bias, , {before})
    one_direction = Squeeze (hidden_by_step, axis_1)
    hidden = Transpose <perm = [1, 0, 2]> (one_direction)
    {squeezed}
    read = Gather (memory, rows)
    keys = Transpose <perm = [0, 2, 1]> (read)
    products = MatMul (hidden, keys)
    scores = Mul (products, scale)
    shape = Shape (memory)
    time = Gather (shape, axis_1_scalar)
    places = Range (zero, time, one)
    row_lengths = Gather (lengths, rows)
    row_lengths_column = Unsqueeze (row_lengths, axis_1)
    real = Less (places, row_lengths_column)
    real_per_step = Unsqueeze (real, axis_1)
    masked = Where (real_per_step, scores, minus_infinity)
    weights = Softmax <axis = -1> (masked)
    context = MatMul (weights, read)
    both = Concat <axis = -1> (context, hidden)
    combined_linear = MatMul (both, combine_weight)
    combined_biased = Add (combined_linear, combine_bias)
    combined = Tanh (combined_biased)
    logits = MatMul (combined, output_weight)
    possible = Add (logits, output_bias)
    log_probs = LogSoftmax <axis = -1> (possible)
}}
"""


def export(model: SpellingModel, *, encoder: Path, decoder: Path) -> None:
    """Write a model's graphs; they equal it up to float32's rounding.

    Args:
        encoder: the file for the graph that reads: ``source`` and ``lengths`` to ``memory`` and ``initial_0``
            (and ``initial_1``).
        decoder: the file for the graph that writes: ``previous``, ``state_0`` (and ``state_1``), ``memory``,
            ``lengths`` and ``rows`` to ``log_probs`` and ``after_0`` (and ``after_1``).
    """
    config = model.config
    count = model.states_per_cell
    names = ("hidden", "cell")[:count]
    width = f"float[batch, {config.decoder}]"
    cell = {"cell": config.cell.upper(), "attributes": ATTRIBUTES[config.cell]}
    embedding = {"embedding": _array(model.embedding.weight)}
    _write(
        encoder,
        ENCODER.format(
            **cell,
            encoder=config.encoder,
            decoder=config.decoder,
            count=count,
            initial=", ".join(f"{width} initial_{place}" for place in range(count)),
            states=", ".join(f"initial_{place}" for place in range(count)),
            last=", ".join(f"last_{name}" for name in names),
        ),
        embedding
        | _recurrent("encoder", model.encoder, config.cell)
        | _linear("memory", model.memory)
        | _linear("bridge", model.bridge)
        | {"joined": np.array([0, 0, 2 * config.encoder])},
    )
    rows = f"float[rows, {config.decoder}]"
    output = _linear("output", model.output)
    output["output_bias"] = output["output_bias"] + _array(model.never_written)
    _write(
        decoder,
        DECODER.format(
            **cell,
            decoder=config.decoder,
            symbols=config.symbols,
            state_inputs=", ".join(f"{rows} state_{place}" for place in range(count)),
            state_outputs=", ".join(f"{rows} after_{place}" for place in range(count)),
            unsqueezed="\n    ".join(f"before_{name} = Unsqueeze (state_{i}, axis_0)" for i, name in enumerate(names)),
            squeezed="\n    ".join(f"after_{i} = Squeeze (last_{name}, axis_0)" for i, name in enumerate(names)),
            before=", ".join(f"before_{name}" for name in names),
            after=", ".join(f"last_{name}" for name in names),
        ),
        embedding
        | _recurrent("decoder", model.decoder, config.cell)
        | _linear("combine", model.combine)
        | output
        | {
            "scale": np.array(config.decoder**-0.5, np.float32),
            "minus_infinity": np.array(-np.inf, np.float32),
            "axis_0": np.array([0]),
            "axis_1": np.array([1]),
            "axis_1_scalar": np.array(1),
            "zero": np.array(0),
            "one": np.array(1),
        },
    )


def read_exported(encoder: Path, decoder: Path) -> SpellingModel:
    """The model that ``export`` wrote into two graphs, to run it in torch.

    Raises:
        ValueError: for a file that is no such graph; the message names it.
    """
    reader, writer = (_read(path) for path in (encoder, decoder))
    gates = reader["encoder_input"].shape[1] // reader["encoder_recurrent"].shape[2]
    cell = next(cell for cell, order in GATES.items() if len(order) == gates)
    symbols, embedding = reader["embedding"].shape
    model = SpellingModel(
        ModelConfig(
            symbols=symbols,
            embedding=embedding,
            encoder=reader["encoder_recurrent"].shape[2],
            decoder=writer["decoder_recurrent"].shape[2],
            cell=cell,
        )
    )
    output_bias = writer["output_bias"]
    state = {"embedding.weight": reader["embedding"], "output.bias": np.where(np.isfinite(output_bias), output_bias, 0)}
    for name, arrays in (("memory", reader), ("bridge", reader), ("combine", writer), ("output", writer)):
        state[f"{name}.weight"] = arrays[f"{name}_weight"].T
        if name != "output":
            state[f"{name}.bias"] = arrays[f"{name}_bias"]
    for name, arrays in (("encoder", reader), ("decoder", writer)):
        parts = [arrays[f"{name}_input"], arrays[f"{name}_recurrent"], *np.split(arrays[f"{name}_bias"], 2, axis=1)]
        for part, by_direction in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), parts, strict=True):
            for direction, weights in zip(("", "_reverse"), by_direction, strict=False):
                state[f"{name}.{part}_l0{direction}"] = _ordered(weights, np.argsort(GATES[cell]))
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


def _linear(name: str, layer: nn.Linear) -> dict[str, NDArray[Any]]:
    return {f"{name}_weight": _array(layer.weight.T), f"{name}_bias": _array(layer.bias)}


def _recurrent(name: str, layer: nn.RNNBase, cell: Cell) -> dict[str, NDArray[Any]]:
    directions = ("", "_reverse")[: 2 if layer.bidirectional else 1]

    def gates(part: str) -> NDArray[Any]:
        weights = [_array(getattr(layer, f"{part}_l0{direction}")) for direction in directions]
        return np.stack([_ordered(of_direction, GATES[cell]) for of_direction in weights])

    return {
        f"{name}_input": gates("weight_ih"),
        f"{name}_recurrent": gates("weight_hh"),
        f"{name}_bias": np.concatenate((gates("bias_ih"), gates("bias_hh")), axis=1),
    }


def _ordered(weights: NDArray[Any], gates: Sequence[int] | NDArray[np.int64]) -> NDArray[Any]:
    parts = np.split(weights, len(gates))
    return np.concatenate([parts[gate] for gate in gates])


def _array(tensor: Tensor) -> NDArray[Any]:
    return np.ascontiguousarray(tensor.detach().float().cpu().numpy())
