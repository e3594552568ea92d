"""Runs an exported model: what it reads, what it has written so far, and what it may write next.

The decoder's recurrence sees only what was written, never what was read: where a word begins like another one, both
share it, whatever they correct. What was read comes in afterwards, by attention.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

State = tuple[NDArray[Any], ...]
"""What the decoder makes of what was written, each part ``(rows, width)``: first the cell's output, which attention
asks with, then what else the cell carries on where it does, and last what the output layer takes from the cell."""

ZERO = 128
"""What stands for 0 in a part of whole numbers of eight bits, which has 127 steps up to 1."""


class Memory(NamedTuple):
    """What the encoder made of a batch of words, to attend to.

    Attributes:
        keys: ``(batch, time, width)``, what the decoder's output is compared with.
        values: ``(batch, time, width)``, what it takes from there.
        lengths: ``(batch,)``, how many of them are real.
    """

    keys: NDArray[np.float32]
    values: NDArray[np.float32]
    lengths: NDArray[np.int64]


class Runtime(Protocol):
    """A model, wherever it runs."""

    nowhere: State
    """One row, before a word's first symbol."""

    symbols: int
    """How many symbols its alphabet has, the special ones counted in."""

    call_size: int
    """How many times as much it is given in one call as suits one thread of a CPU."""

    def encode(self, symbols: NDArray[np.int64], lengths: NDArray[np.int64]) -> Memory:
        """Read one word or more.

        Args:
            symbols: ``(batch, time)``, a direction symbol first, padded with anything.
            lengths: ``(batch,)``, that symbol counted in.
        """
        ...

    def advance(self, symbols: NDArray[np.int64], state: State) -> State:
        """The state after one more symbol.

        Args:
            symbols: ``(rows,)``, one or more; a word's first is a direction.
            state: before it, each part ``(rows, width)``; the last one is not needed.
        """
        ...

    def expect(self, state: State, memory: Memory) -> NDArray[np.float32]:
        """What may be written next.

        Args:
            state: of several beginnings for each word that was read, each part ``(batch, several, width)``; the first
                and the last are enough.
            memory: what was read.

        Returns:
            log-probabilities ``(batch, several, symbols)``.
        """
        ...


class OnnxRuntime:
    """A model's three graphs in ONNX Runtime, on one thread of the CPU.

    Args:
        encoder: the file of the graph that reads.
        decoder: the file of the graph that writes a symbol.
        output: the file of the graph that says what may come next.

    Raises:
        ValueError: for a file that is no such graph; the message names it.
    """

    call_size = 1

    def __init__(self, encoder: Path, decoder: Path, output: Path) -> None:
        self._encoder, self._decoder, self._output = map(_open, (encoder, decoder, output))
        states = [value.name for value in self._decoder.get_inputs() if value.name.startswith("state_")]
        self._symbols_and_states = ["symbols", *states]
        outputs = self._decoder.get_outputs()
        self._after = [value.name for value in outputs]
        self.nowhere = tuple(
            np.full((1, width), ZERO, np.uint8) if kind == "tensor(uint8)" else np.zeros((1, width), np.float16)
            for width, kind in ((value.shape[1], value.type) for value in outputs)
        )
        self.symbols = self._output.get_outputs()[0].shape[2]

    def encode(self, symbols: NDArray[np.int64], lengths: NDArray[np.int64]) -> Memory:
        """See ``Runtime.encode``."""
        keys, values = self._encoder.run(["keys", "values"], {"source": symbols, "lengths": lengths})
        return Memory(keys, values, lengths)

    def advance(self, symbols: NDArray[np.int64], state: State) -> State:
        """See ``Runtime.advance``."""
        feeds = dict(zip(self._symbols_and_states, (symbols, *state), strict=False))
        return tuple(self._decoder.run(self._after, feeds))

    def expect(self, state: State, memory: Memory) -> NDArray[np.float32]:
        """See ``Runtime.expect``."""
        feeds = {"query": state[0], "written": state[-1]} | memory._asdict()
        log_probs: NDArray[np.float32] = self._output.run(["log_probs"], feeds)[0]
        return log_probs


def open_runtime(encoder: Path, decoder: Path, output: Path, *, device: str = "cpu") -> Runtime:
    """A model's graphs, run in ONNX Runtime on the CPU, or in torch on a GPU (which needs the extra ``[train]``).

    Raises:
        ValueError: for a file that is no such graph, or a device that is not there.
    """
    if device == "cpu":
        return OnnxRuntime(encoder, decoder, output)
    if not re.fullmatch(r"cuda(:\d+)?", device):
        raise ValueError(f"a device is 'cpu' or 'cuda', or one of several GPUs, as 'cuda:1', not {device!r}")
    try:
        from speller.train.torch_runtime import TorchRuntime
    except ModuleNotFoundError as error:
        raise ValueError(f"device {device!r} needs {error.name}: pip install 'speller[train]'") from None
    return TorchRuntime(encoder, decoder, output, device=device)


def _open(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # It would keep a plan of its memory for each shape that it meets, and hardly two batches are alike.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = False
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no common class below Exception
        raise ValueError(f"{path}: not a graph that ONNX Runtime can run: {error}") from None
