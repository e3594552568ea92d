"""Runs an exported model in torch, on a GPU, for big batches."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from speller.runtime import Memory, State
from speller.train import model as torch_model
from speller.train.export import read_exported


class TorchRuntime:
    """The same answers as ``OnnxRuntime``, from the same two files.

    Args:
        encoder: the file of the graph that reads.
        decoder: the file of the graph that writes.
        device: as torch names it.

    Raises:
        ValueError: for a file that is no such graph, or a device that is not there.
    """

    def __init__(self, encoder: Path, decoder: Path, *, device: str) -> None:
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise ValueError(f"device {device!r} is asked for, but torch sees no CUDA device; 'cpu' needs none")
        self._device = torch.device(device)
        self._model = read_exported(encoder, decoder).to(self._device).eval()

    @torch.inference_mode()
    def encode(self, symbols: NDArray[np.int64], lengths: NDArray[np.int64]) -> Memory:
        """See ``Runtime.encode``."""
        memory = self._model.encode(torch.from_numpy(symbols).to(self._device), torch.from_numpy(lengths))
        return Memory(memory.states.cpu().numpy(), lengths, tuple(part.cpu().numpy() for part in memory.initial))

    @torch.inference_mode()
    def decode(
        self, previous: NDArray[np.int64], state: State, memory: Memory, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], State]:
        """See ``Runtime.decode``."""
        row = torch.from_numpy(rows).to(self._device)
        states = torch.from_numpy(memory.states).to(self._device)
        lengths = torch.from_numpy(memory.lengths).to(self._device)
        mask = torch.arange(states.shape[1], device=self._device) < lengths[:, None]
        before = tuple(torch.from_numpy(part).to(self._device) for part in state)
        log_probs, after = self._model.decode(
            torch.from_numpy(previous).to(self._device), before, torch_model.Memory(states[row], mask[row], ())
        )
        return log_probs.cpu().numpy(), tuple(part.cpu().numpy() for part in after)
