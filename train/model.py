"""The encoder-decoder: reads a word letter by letter, writes another one, in either direction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from speller.alphabet import CORRECT, MISSPELL, PADDING
from speller.train.packing import MULTIPLE, Packing
from speller.train.recurrence import run_lstm

Cell = Literal["lstm", "gru", "rnn"]
State = tuple[Tensor, ...]
"""What the decoder's cell carries from one symbol to the next, each part ``(rows, decoder)``: (h, c) or (h,)."""

CELLS: dict[Cell, Callable[..., nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
RECURRENCES: dict[Cell, Callable[..., Any]] = {"lstm": torch.lstm, "gru": torch.gru, "rnn": torch.rnn_tanh}
"""What runs a cell's layers with weights that it is given."""

NEVER_WRITTEN = (PADDING, CORRECT, MISSPELL)


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The shape of a model.

    Attributes:
        symbols: how many symbols the alphabet has, the special ones counted in.
        embedding: width of a symbol's vector.
        encoder: width of the encoder's cell in each of its two directions.
        decoder: width of the decoder's cell, and of what it attends to.
        cell: the recurrent cell; ``rnn`` and ``gru`` are there to compare.
    """

    symbols: int
    embedding: int = 64
    encoder: int = 192
    decoder: int = 256
    cell: Cell = "lstm"

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise ValueError(f"the cell is one of {', '.join(CELLS)}, not {self.cell!r}")
        for name in ("symbols", "embedding", "encoder", "decoder"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is a positive width, not {getattr(self, name)}")


class Memory(NamedTuple):
    """What the encoder made of a batch of words, for the decoder to attend to.

    Attributes:
        states: ``(batch, time, decoder)``.
        mask: ``(batch, time)``, true where there is a symbol and not padding.
    """

    states: Tensor
    mask: Tensor

    def of(self, words: Tensor) -> "Memory":
        """The memory of some of the words, by their numbers ``(rows,)``, as often and in the order that they come."""
        return Memory(self.states.index_select(0, words), self.mask.index_select(0, words))


class SpellingModel(nn.Module):
    """A bidirectional encoder, and a decoder with attention after its recurrence.

    The attention is that of Luong et al. (2015) without input feeding, and the decoder starts from zeros: nothing that
    was read enters its recurrence. So a whole word under teacher forcing is one fused call, and what the recurrence
    makes of a beginning is the same whatever is corrected: it can be computed once and kept.
    A direction symbol (``CORRECT`` or ``MISSPELL``) starts the source and the target alike, so that one network gives
    the probability of a word given a misspelling and of a misspelling given a word.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.symbols, config.embedding)
        cell = CELLS[config.cell]
        self.encoder = cell(config.embedding, config.encoder, batch_first=True, bidirectional=True)
        self.states_per_cell = 2 if config.cell == "lstm" else 1
        self.memory = nn.Linear(2 * config.encoder, config.decoder)
        self.decoder = cell(config.embedding, config.decoder, batch_first=True)
        self.combine = nn.Linear(2 * config.decoder, config.decoder)
        self.output = nn.Linear(config.decoder, config.symbols)
        never_written = torch.zeros(config.symbols)
        never_written[list(NEVER_WRITTEN)] = -torch.inf
        self.register_buffer("never_written", never_written, persistent=False)
        self.never_written: Tensor
        self._shared: dict[tuple[Any, ...], tuple[tuple[Tensor, ...], Any]] | None = None

    @contextmanager
    def sharing(self) -> Iterator[None]:
        """Within it, the same tensors are read once: several objectives share a batch's encoding and its teacher."""
        self._shared = {}
        try:
            yield
        finally:
            self._shared = None

    def _once(self, function: Callable[..., Any], *tensors: Tensor) -> Any:
        if self._shared is None:
            return function(*tensors)
        key = (function, *map(id, tensors))
        if key not in self._shared:
            # The tensors are kept too: no other may get their places, by which they are known.
            self._shared[key] = tensors, function(*tensors)
        return self._shared[key][1]

    def encode(self, source: Tensor, lengths: Tensor) -> Memory:
        """Read words.

        Args:
            source: ``(batch, time)`` symbols, a direction symbol first, padded with anything.
            lengths: ``(batch,)``, the direction symbol counted in, at least 1. From the CPU they spare the padding's
                work; on another device, they are not waited for: what is done hangs on the shape alone.
        """
        memory: Memory = self._once(self._encode if lengths.is_cpu else self._encode_padded, source, lengths)
        return memory

    def _encode_padded(self, source: Tensor, lengths: Tensor) -> Memory:
        time = torch.arange(source.shape[1], device=source.device)
        mask = time < lengths[:, None]
        # Each word's letters from its last to its first, the padding where it is.
        backwards = torch.where(mask, lengths[:, None] - 1 - time, time)
        ahead = self._read(source, "")
        back = self._read(source.gather(1, backwards), "_reverse")
        back = back.gather(1, backwards[..., None].expand_as(back))
        return Memory(self.memory(torch.cat((ahead, back), dim=-1)), mask)

    def _read(self, source: Tensor, direction: str) -> Tensor:
        """What one of the encoder's directions makes of symbols, in the order in which they stand."""
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        weights = [getattr(self.encoder, name + direction) for name in names]
        embedded = self.embedding(source)
        zeros = embedded.new_zeros(1, len(source), self.config.encoder)
        start = (zeros, zeros) if self.config.cell == "lstm" else zeros
        run = RECURRENCES[self.config.cell]
        states: Tensor = run(embedded, start, weights, True, 1, 0.0, self.training, False, True)[0]
        return states

    def _encode(self, source: Tensor, lengths: Tensor) -> Memory:
        compiled = self._compiled(source)
        multiple = MULTIPLE if compiled else 1
        packing = Packing.of(lengths, source.shape[1], multiple=multiple, device=source.device)
        symbols = packing.pack(source)
        if compiled:
            states, _ = run_lstm(self.encoder, self.embedding.weight, symbols, packing)
        else:
            states = self.encoder(PackedSequence(self.embedding(symbols), torch.tensor(packing.sizes)))[0].data
        return Memory(packing.unpack(self.memory(states)), packing.mask)

    def _compiled(self, tensor: Tensor) -> bool:
        """Whether there is a faster recurrence for it than torch's."""
        return self.config.cell == "lstm" and tensor.device.type == "cpu"

    def decode(self, previous: Tensor, state: State | None, memory: Memory) -> tuple[Tensor, State]:
        """Write on, from what was written so far.

        Args:
            previous: ``(rows, steps)``, the symbol before each one that is asked for; what comes after ``PADDING``
                means nothing. There may be several rows for each word of the memory, next to each other: ``rows`` is a
                multiple of the memory's batch. The memory is shared among them, not copied.
            state: the decoder's state before the first step; ``None`` where nothing is written yet.
            memory: what to attend to.

        Returns:
            log-probabilities ``(rows, steps, symbols)``, float32 or wider, and the state after the last step.
        """
        if state is None and self._compiled(previous):
            return self._decode_packed(previous, memory)
        return self.decode_embedded(self.embedding(previous), state, memory)

    def _decode_packed(self, previous: Tensor, memory: Memory) -> tuple[Tensor, State]:
        packing = Packing.of((previous != PADDING).sum(dim=1), previous.shape[1], multiple=MULTIPLE)
        hidden, cells = run_lstm(self.decoder, self.embedding.weight, packing.pack(previous), packing)
        context, _ = self.attend(packing.unpack(hidden), memory)
        log_probs = packing.unpack(self.expect(packing.pack(context), hidden))
        return log_probs, (hidden[packing.last], cells)

    def decode_embedded(self, previous: Tensor, state: State | None, memory: Memory) -> tuple[Tensor, State]:
        """The same from vectors ``(rows, steps, embedding)``, for what was written only in expectation."""
        before = () if state is None else tuple(part[None].contiguous() for part in state)
        hidden, after = self.decoder(previous, before if len(before) > 1 else before[0] if before else None)
        after = after if isinstance(after, tuple) else (after,)
        context, _ = self.attend(hidden, memory)
        return self.expect(context, hidden), tuple(part[0] for part in after)

    def expect(self, context: Tensor, hidden: Tensor) -> Tensor:
        """What may come next, ``(..., symbols)``, from ``(..., decoder)`` both."""
        logits = self.output(torch.tanh(self.combine(torch.cat((context, hidden), dim=-1))))
        logits = logits if logits.dtype == torch.float64 else logits.float()
        return torch.log_softmax(logits + self.never_written, dim=-1)

    def attend(self, hidden: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Look from the decoder's states ``(rows, steps, decoder)`` back at the memory.

        Returns:
            the contexts, of the same shape, and the weights ``(rows, steps, time)``.
        """
        batch, time, width = memory.states.shape
        queries = hidden.reshape(batch, -1, width)  # (batch, rows / batch * steps, decoder)
        scores = queries @ memory.states.transpose(1, 2) * width**-0.5
        weights = scores.masked_fill(~memory.mask[:, None], -torch.inf).softmax(dim=-1)
        context = weights.to(memory.states.dtype) @ memory.states
        return context.reshape(hidden.shape), weights.reshape(*hidden.shape[:2], time)

    def forward(self, source: Tensor, source_lengths: Tensor, previous: Tensor) -> Tensor:
        """Log-probabilities ``(batch, steps, symbols)`` under teacher forcing."""
        log_probs: Tensor = self._once(self._forward, source, source_lengths, previous)
        return log_probs

    def _forward(self, source: Tensor, source_lengths: Tensor, previous: Tensor) -> Tensor:
        memory = self.encode(source, source_lengths)
        return self.decode(previous, None, memory)[0]
