"""Runs an exported model in torch, on a GPU, for big batches."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from speller.runtime import ZERO, Memory, State
from speller.train.export import STEP
from speller.train.exported import read_exported


class TorchRuntime:
    """The same answers as ``OnnxRuntime``, but for rounding, from the same three files.

    Args:
        encoder: the file of the graph that reads.
        decoder: the file of the graph that writes a symbol.
        output: the file of the graph that says what may come next.
        device: as torch names it.

    Raises:
        ValueError: for a file that is no such graph, or a device that is not there.
    """

    def __init__(self, encoder: Path, decoder: Path, output: Path, *, device: str) -> None:
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise ValueError(f"device {device!r} is asked for, but torch sees no CUDA device; 'cpu' needs none")
        self._device = torch.device(device)
        self._model = read_exported(encoder, decoder, output).to(self._device).eval()
        width = self._model.config.decoder
        combine = self._model.combine.weight
        self._from_context, self._from_hidden = combine[:, :width], combine[:, width:]
        halves = (np.zeros((1, width), np.float16),) * self._model.states_per_cell
        self.nowhere: State = (np.full((1, width), ZERO, np.uint8), *halves)
        self.symbols = self._model.config.symbols

    @torch.inference_mode()
    def encode(self, symbols: NDArray[np.int64], lengths: NDArray[np.int64]) -> Memory:
        """See ``Runtime.encode``."""
        keys = self._model.encode(self._tensor(symbols), torch.from_numpy(lengths)).states
        return Memory(keys.cpu().numpy(), (keys @ self._from_context.T).cpu().numpy(), lengths)

    @torch.inference_mode()
    def advance(self, symbols: NDArray[np.int64], state: State) -> State:
        """See ``Runtime.advance``."""
        hidden, *cell = (self._tensor(part)[None].float() for part in state[:-1])
        hidden = (hidden - ZERO) * STEP
        embedded = self._model.embedding(self._tensor(symbols))[:, None]
        output, after = self._model.decoder(embedded, (hidden, *cell) if cell else hidden)
        rounded = (output[:, 0] / STEP).round()
        written = functional.linear(rounded * STEP, self._from_hidden, self._model.combine.bias)
        carried = ((rounded + ZERO).byte(), *(part[0].half() for part in after[1:] if cell), written.half())
        return tuple(part.cpu().numpy() for part in carried)

    @torch.inference_mode()
    def expect(self, state: State, memory: Memory) -> NDArray[np.float32]:
        """See ``Runtime.expect``."""
        query, written, keys, values = map(self._tensor, (state[0], state[-1], memory.keys, memory.values))
        query = (query.float() - ZERO) * STEP
        real = torch.arange(keys.shape[1], device=self._device) < self._tensor(memory.lengths)[:, None]
        scores = query @ keys.transpose(1, 2) * keys.shape[2] ** -0.5
        weights = scores.masked_fill(~real[:, None], -torch.inf).softmax(dim=-1)
        logits = self._model.output(torch.tanh(weights @ values + written)) + self._model.never_written
        log_probs: NDArray[np.float32] = logits.log_softmax(dim=-1).cpu().numpy()
        return log_probs

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(array).to(self._device)
