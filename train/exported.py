"""The model that three graphs were exported from, to run it in torch: what ``export`` wrote, read back."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from speller.train.export import GATES, HALVES, PARTS, ordered
from speller.train.model import Cell, ModelConfig, SpellingModel


def read_exported(encoder: Path, decoder: Path, output: Path) -> SpellingModel:
    """The model that ``export`` wrote into three graphs, to run it in torch.

    Raises:
        ValueError: for a file that is no such graph, or one of another version; the message names it.
    """
    (reader, writer, chooser), cell = read_graphs(encoder, decoder, output)
    width = len(writer["recurrent"])
    halves = _read_reading(reader, cell)
    symbols, embedding = writer["embedding"].shape
    encoder_width = halves["encoder.weight_hh_l0"].shape[1]
    model = SpellingModel(
        ModelConfig(
            symbols=symbols,
            embedding=embedding,
            encoder=encoder_width,
            decoder=width,
            cell=cell,
        )
    )
    output_bias = chooser["output_bias"]
    memory_weight, value_weight = (
        np.concatenate([half[:encoder_width] for half in np.split(_unrounded(name, reader), 2)])
        for name in ("memory_weight", "value_weight")
    )
    # What makes values of keys: of all states' keys, and where the states are zeros.
    from_context = np.linalg.lstsq(
        np.vstack((memory_weight, reader["memory_bias"])), np.vstack((value_weight, reader["value_bias"])), rcond=None
    )[0]
    state = {
        "embedding.weight": writer["embedding"],
        "memory.weight": memory_weight.T,
        "memory.bias": reader["memory_bias"],
        "combine.weight": np.concatenate((from_context, _unrounded("hidden_weight", writer))).T,
        "combine.bias": writer["combine_bias"],
        "output.weight": chooser["output_weight"].T,
        "output.bias": np.where(np.isfinite(output_bias), output_bias, 0),
        **_read_recurrent(writer, cell),
        **halves,
    }
    model.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    return model


def read_graphs(encoder: Path, decoder: Path, output: Path) -> tuple[list[dict[str, NDArray[Any]]], Cell]:
    """The arrays of three exported graphs by their names, and the model's cell.

    Raises:
        ValueError: for a file that is no such graph, or one of another version; the message names it.
    """
    paths = (encoder, decoder, output)
    graphs = [_read(path) for path in paths]
    for path, arrays in zip(paths[:2], graphs, strict=False):
        if "recurrent" not in arrays:
            raise ValueError(f"{path}: not a graph that this version exports")
    width, gates = graphs[1]["recurrent"].shape
    return graphs, next(cell for cell, order in GATES.items() if len(order) * width == gates)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        graph = onnx.load(path)
    except Exception as error:  # protobuf's errors have no common class below Exception
        raise ValueError(f"{path}: not an ONNX graph: {error}") from None
    return {array.name: numpy_helper.to_array(array) for array in graph.graph.initializer}


def _unrounded(name: str, arrays: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    weights: NDArray[np.float32] = arrays[name] * arrays[f"{name}_step"][..., None, :]
    return weights


def _read_reading(arrays: dict[str, NDArray[Any]], cell: Cell) -> dict[str, NDArray[np.float32]]:
    """The encoder's weights, as PyTorch names and orders them."""
    order = np.argsort(GATES[cell])
    if cell == "lstm":
        hidden = int(np.flatnonzero(arrays["start_hidden"][0, 0])[0])
        of_symbols, of_state = (_unrounded(name, arrays).transpose(0, 2, 1) for name in ("input", "recurrent"))
        width = of_state.shape[2]
        of_symbols, of_state = of_symbols[..., :-2], of_state[..., :hidden]
    else:
        of_symbols, of_state = arrays["input"], arrays["recurrent"]
        hidden = width = of_state.shape[2]
    parts = (of_symbols, of_state, *np.split(arrays["bias"], 2, axis=1))
    return {
        f"encoder.{name}_l0{suffix}": ordered(_gates_narrowed(part, width, hidden)[half], order)
        for name, part in zip(PARTS, parts, strict=True)
        for half, suffix in enumerate(HALVES)
    }


def _gates_narrowed(weights: NDArray[Any], old: int, new: int) -> NDArray[Any]:
    by_gate = weights.reshape(2, -1, old, *weights.shape[2:])
    return by_gate[:, :, :new].reshape(2, -1, *weights.shape[2:])


def _read_recurrent(arrays: dict[str, NDArray[Any]], cell: Cell) -> dict[str, NDArray[np.float32]]:
    of_state = _unrounded("recurrent", arrays)
    recurrent_bias = np.zeros_like(arrays["bias"])
    if cell == "gru":
        recurrent_bias[-len(of_state) :] = arrays["new_bias"]
    weights = (arrays["input"].T, of_state.T, arrays["bias"], recurrent_bias)
    order = np.argsort(GATES[cell])
    return {f"decoder.{part}_l0": ordered(each, order) for part, each in zip(PARTS, weights, strict=True)}
