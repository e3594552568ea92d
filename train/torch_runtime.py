"""Runs an exported model in torch, on a GPU, for big batches: the graphs of ``export``, operator by operator."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from speller.runtime import ZERO, Memory, State
from speller.train.export import STEP
from speller.train.exported import read_graphs
from speller.train.model import Cell

Arrays = dict[str, Tensor]

DYNAMIC_STEPS = 255
"""So many steps ONNX Runtime's LSTM takes from the smallest number that it reads to the largest."""


class TorchRuntime:
    """The same answers as ``OnnxRuntime``, from the same three files.

    What is rounded there is rounded here: in float32, sums of so few products of whole numbers of eight bits are exact.

    Args:
        encoder: the file of the graph that reads.
        decoder: the file of the graph that writes a symbol.
        output: the file of the graph that says what may come next.
        device: as torch names it.

    Raises:
        ValueError: for a file that is no such graph, or a device that is not there.
    """

    call_size = 32  # else a GPU would wait for its calls, whatever they ask for

    def __init__(self, encoder: Path, decoder: Path, output: Path, *, device: str) -> None:
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise ValueError(f"device {device!r} is asked for, but torch sees no CUDA device; 'cpu' needs none")
        self._device = torch.device(device)
        arrays, self._cell = read_graphs(encoder, decoder, output)
        self._reader, self._writer, self._chooser = (
            {name: self._tensor(array).float() for name, array in graph.items()} for graph in arrays
        )
        self._from_symbols = _input_of_encoder(self._reader, self._cell), _input_of_decoder(self._writer)
        width = len(self._writer["recurrent"])
        halves = (np.zeros((1, width), np.float16),) * (2 if self._cell == "lstm" else 1)
        self.nowhere: State = (np.full((1, width), ZERO, np.uint8), *halves)
        self.symbols = len(self._from_symbols[1])

    @torch.inference_mode()
    def encode(self, symbols: NDArray[np.int64], lengths: NDArray[np.int64]) -> Memory:
        """See ``Runtime.encode``."""
        states = self._read(self._tensor(symbols), self._tensor(lengths))
        rounded = (states / STEP).round()
        keys, values = (
            _product(rounded, self._reader, f"{name}_weight", f"{name}_bias") for name in ("memory", "value")
        )
        return Memory(keys.cpu().numpy(), values.cpu().numpy(), lengths)

    def _read(self, symbols: Tensor, lengths: Tensor) -> Tensor:
        """The states of both halves, side by side: ``(batch, time, 2 * width)``."""
        time = torch.arange(symbols.shape[1], device=self._device)
        real = time < lengths[:, None]
        # The backward half reads a word from its own last letter on.
        turned = torch.where(real, lengths[:, None] - 1 - time, time)
        both = torch.stack((symbols, symbols.gather(1, turned)))
        halves = torch.arange(2, device=self._device)[:, None]
        recurrent = self._reader["recurrent"]
        if self._cell == "lstm":
            hidden, carried = (
                self._reader[f"start_{name}"].expand(-1, len(symbols), -1) for name in ("hidden", "cells")
            )
            step = 2 / DYNAMIC_STEPS * self._reader["recurrent_step"][:, None]
        else:
            hidden = carried = recurrent.new_zeros(2, len(symbols), recurrent.shape[2])
            recurrent = recurrent.transpose(1, 2)
            bias = self._reader["bias"].chunk(2, dim=1)[1][:, None]
        states = []
        for letters in both.unbind(2):
            if self._cell == "lstm":
                from_before = _rounded_dynamically(hidden, 1.0) @ recurrent * step
            else:
                from_before = hidden @ recurrent + bias
            from_symbols = self._from_symbols[0][halves, letters]
            hidden, carried = CELLS[self._cell](from_symbols, from_before, carried)
            states.append(hidden)
        forward, backward = torch.stack(states, dim=2)
        backward = backward.gather(1, turned[..., None].expand_as(backward))
        return torch.cat((forward, backward), dim=2) * real[..., None]

    @torch.inference_mode()
    def advance(self, symbols: NDArray[np.int64], state: State) -> State:
        """See ``Runtime.advance``."""
        before = self._tensor(state[0]).float() - ZERO
        carried = self._tensor(state[1]).float() if self._cell == "lstm" else before * STEP
        from_before = _product(before, self._writer, "recurrent")
        if self._cell == "gru":
            bias = self._writer["new_bias"]
            from_before = from_before + functional.pad(bias, (2 * len(bias), 0))
        from_symbols = self._from_symbols[1][self._tensor(symbols)]
        hidden, carried = CELLS[self._cell](from_symbols, from_before, carried)
        rounded = (hidden / STEP).round()
        written = _product(rounded, self._writer, "hidden_weight", "combine_bias")
        halves = (carried, written) if self._cell == "lstm" else (written,)
        return tuple(part.cpu().numpy() for part in ((rounded + ZERO).byte(), *(half.half() for half in halves)))

    @torch.inference_mode()
    def expect(self, state: State, memory: Memory) -> NDArray[np.float32]:
        """See ``Runtime.expect``."""
        query, written, keys, values = map(self._tensor, (state[0], state[-1], memory.keys, memory.values))
        real = torch.arange(keys.shape[1], device=self._device) < self._tensor(memory.lengths)[:, None]
        scores = (query.float() - ZERO) * self._chooser["scale"] @ keys.transpose(1, 2)
        weights = scores.masked_fill(~real[:, None], -torch.inf).softmax(dim=-1)
        combined = torch.tanh(weights @ values + written)
        logits = combined @ self._chooser["output_weight"] + self._chooser["output_bias"]
        log_probs: NDArray[np.float32] = logits.log_softmax(dim=-1).cpu().numpy()
        return log_probs

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.tensor(array, device=self._device)


def _product(rounded: Tensor, arrays: Arrays, name: str, bias: str | None = None) -> Tensor:
    """A layer of whole numbers, of ``rounded`` outputs of a cell."""
    product = rounded @ arrays[name] * (STEP * arrays[f"{name}_step"])
    return product if bias is None else product + arrays[bias]


def _rounded_dynamically(numbers: Tensor, largest: float) -> Tensor:
    """Numbers from minus ``largest`` to it as whole ones, as ONNX Runtime's LSTM reads them."""
    return (numbers * (DYNAMIC_STEPS / 2 / largest)).round().clamp(-ZERO, ZERO - 1)


def _input_of_encoder(arrays: Arrays, cell: Cell) -> Tensor:
    """What each symbol adds to the gates of both halves: ``(2, symbols, gates * width)``."""
    embedding = arrays["embedding"]
    if cell != "lstm":
        return embedding @ arrays["input"].transpose(1, 2) + arrays["bias"].chunk(2, dim=1)[0][:, None]
    largest = float(embedding.max())
    product = _rounded_dynamically(embedding, largest) @ arrays["input"]
    step = 2 * largest / DYNAMIC_STEPS * arrays["input_step"]
    bias, recurrent_bias = arrays["bias"].chunk(2, dim=1)
    return product * step[:, None] + (bias + recurrent_bias)[:, None]


def _input_of_decoder(arrays: Arrays) -> Tensor:
    """What each symbol adds to the gates: ``(symbols, gates * width)``."""
    return arrays["embedding"] @ arrays["input"] + arrays["bias"]


def _lstm(from_symbols: Tensor, from_before: Tensor, carried: Tensor) -> tuple[Tensor, Tensor]:
    take, give, keep, new = (from_symbols + from_before).chunk(4, dim=-1)
    cell = keep.sigmoid() * carried + take.sigmoid() * new.tanh()
    return give.sigmoid() * cell.tanh(), cell


def _gru(from_symbols: Tensor, from_before: Tensor, carried: Tensor) -> tuple[Tensor, Tensor]:
    (update, reset, new), (old_update, old_reset, old_new) = from_symbols.chunk(3, dim=-1), from_before.chunk(3, dim=-1)
    changed = (new + (reset + old_reset).sigmoid() * old_new).tanh()
    hidden = changed + (update + old_update).sigmoid() * (carried - changed)
    return hidden, hidden


def _rnn(from_symbols: Tensor, from_before: Tensor, carried: Tensor) -> tuple[Tensor, Tensor]:
    hidden = (from_symbols + from_before).tanh()
    return hidden, hidden


CELLS: dict[Cell, Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]] = {"lstm": _lstm, "gru": _gru, "rnn": _rnn}
"""From the gates' parts and what was carried on to what a cell puts out and carries on; the gates in ONNX's order."""
