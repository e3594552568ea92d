"""Runs an exported model: reads words into a memory, and gives the log-probabilities of what may be written next."""

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

State = tuple[NDArray[np.float32], ...]
"""What the decoder's cell carries from one symbol to the next, each part ``(rows, width)``."""


class Memory(NamedTuple):
    """What the encoder made of a batch of words.

    Attributes:
        states: ``(batch, time, width)``, to attend to.
        lengths: ``(batch,)``, how many of them are real.
        initial: the decoder's first state, each part ``(batch, width)``.
    """

    states: NDArray[np.float32]
    lengths: NDArray[np.int64]
    initial: State


class Runtime(Protocol):
    """A model, wherever it runs."""

    def encode(self, symbols: NDArray[np.int64], lengths: NDArray[np.int64]) -> Memory:
        """Read words: padded symbols ``(batch, time)``, a direction symbol first, and lengths that count it in."""
        ...

    def decode(
        self, previous: NDArray[np.int64], state: State, memory: Memory, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], State]:
        """Write on.

        Args:
            previous: ``(rows, steps)``, the symbol before each one asked for; before a word's first, the direction.
            state: the decoder's state before the first step, each part ``(rows, width)``.
            memory: what was read.
            rows: ``(rows,)``, which word of the memory each row attends to.

        Returns:
            log-probabilities ``(rows, steps, symbols)`` and the state after the last step.
        """
        ...


class OnnxRuntime:
    """A model's two graphs in ONNX Runtime, on one thread of the CPU.

    Args:
        encoder: the file of the graph that reads.
        decoder: the file of the graph that writes.

    Raises:
        ValueError: for a file that is no such graph; the message names it.
    """

    def __init__(self, encoder: Path, decoder: Path) -> None:
        self._encoder = _open(encoder)
        self._decoder = _open(decoder)
        self._states = [value.name for value in self._decoder.get_inputs() if value.name.startswith("state_")]

    def encode(self, symbols: NDArray[np.int64], lengths: NDArray[np.int64]) -> Memory:
        """See ``Runtime.encode``."""
        states, *initial = self._encoder.run(None, {"source": symbols, "lengths": lengths})
        return Memory(states, lengths, tuple(initial))

    def decode(
        self, previous: NDArray[np.int64], state: State, memory: Memory, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], State]:
        """See ``Runtime.decode``."""
        feeds = {"previous": previous, "memory": memory.states, "lengths": memory.lengths, "rows": rows}
        log_probs, *after = self._decoder.run(None, feeds | dict(zip(self._states, state, strict=True)))
        return log_probs, tuple(after)


def open_runtime(encoder: Path, decoder: Path, *, device: str = "cpu") -> Runtime:
    """A model's graphs, run in ONNX Runtime on the CPU, or in torch on a GPU (which needs the extra ``[train]``).

    Raises:
        ValueError: for a file that is no such graph, or a device that is not there.
    """
    if device == "cpu":
        return OnnxRuntime(encoder, decoder)
    try:
        from speller.train.torch_runtime import TorchRuntime
    except ModuleNotFoundError as error:
        raise ValueError(f"device {device!r} needs {error.name}: pip install 'speller[train]'") from None
    return TorchRuntime(encoder, decoder, device=device)


def _open(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no common class below Exception
        raise ValueError(f"{path}: not a graph that ONNX Runtime can run: {error}") from None
