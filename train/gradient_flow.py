"""How a gradient fares on its way back through time: does the recurrence keep it, make it vanish, or explode?

What a fused layer hands back at its outputs also holds what attention brings there on short cuts. So each recurrence is
unrolled here cell by cell, and all that is attended to is detached but the state after its last step.
"""

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from speller.alphabet import CORRECT, END
from speller.lexicon import Lexicon, fold
from speller.train.batch import Batch
from speller.train.model import Memory, SpellingModel, State

LENGTHS = (8, 10, 12, 14, 16, 20, 24, 28, 32, 36, 43, 50)
"""Of the words that the probe is made of, in letters."""

Step = Callable[[Tensor, State], State]
"""From an input ``(rows, width)`` and the state before to the state after it."""


def gradient_norms(
    step: Step, inputs: Tensor, state: State, loss: Callable[[State], Tensor], *, lengths: Tensor
) -> Tensor:
    """The norms of the gradient of a loss at the last step by the states before it.

    Args:
        step: one step of the recurrence; rows must not touch each other.
        inputs: ``(rows, time, width)``.
        state: what the recurrence starts from, each part ``(rows, …)``.
        loss: from the state after each row's last step to a number for each row, ``(rows,)``.
        lengths: ``(rows,)``, how many of the inputs are each row's own, at least 1.

    Returns:
        ``(rows, time)``: the norm of the gradient by the whole state (both h and c of an LSTM) so many steps before the
        last one, not a number where the row is shorter.
    """
    states = unroll(step, inputs, tuple(part.detach().requires_grad_() for part in state))
    found = torch.autograd.grad(loss(states_at(states, lengths - 1)).sum(), [part for at in states for part in at])
    parts = len(state)
    norms = torch.stack(
        [
            torch.cat([part.flatten(1) for part in found[start : start + parts]], dim=1).norm(dim=1)
            for start in range(0, len(found), parts)
        ],
        dim=1,
    )  # (rows, time), by place
    return back_to_front(norms, lengths, fill=torch.nan)


def slope(norms: Tensor) -> float:
    """The natural logarithm of the factor by which a gradient grows with each step back: below 0, it vanishes.

    A least squares line through the logarithms against the lag; each row has a height of its own, all have the slope in
    common. The last step itself is left out: of an LSTM's state the loss reads the half.

    Args:
        norms: ``(rows, time)`` by lag, as ``gradient_norms`` returns them.

    Raises:
        ValueError: no row has two steps before its last one.

    >>> round(slope(torch.tensor([[7.0, 8.0, 4.0, 2.0, 1.0]])), 4)  # each half of the one before
    -0.6931
    """
    norms = norms.double()[:, 1:]
    known = ~norms.isnan()
    logs = norms.clamp_min(torch.finfo(torch.float64).tiny).log().where(known, 0)
    lags = torch.arange(norms.shape[1], dtype=torch.float64, device=norms.device).expand_as(norms).where(known, 0)
    counts = known.sum(dim=1, keepdim=True).clamp_min(1)
    lags, logs = ((each - each.sum(dim=1, keepdim=True) / counts).where(known, 0) for each in (lags, logs))
    spread = float((lags**2).sum())
    if not spread:
        raise ValueError(f"a slope needs three steps of a row at least, and none has them in {tuple(norms.shape)}")
    return float((lags * logs).sum()) / spread


def unroll(step: Step, inputs: Tensor, state: State) -> list[State]:
    """The states after each step, from inputs ``(rows, time, width)``."""
    states = []
    for place in range(inputs.shape[1]):
        state = step(inputs[:, place], state)
        states.append(state)
    return states


def states_at(states: Sequence[State], places: Tensor) -> State:
    """Each row's state after the step at its own place ``(rows,)``."""
    rows = torch.arange(len(places), device=places.device)
    return tuple(torch.stack(part)[places, rows] for part in zip(*states, strict=True))


def back_to_front(padded: Tensor, lengths: Tensor, *, fill: float = 0.0) -> Tensor:
    """What each row ``(rows, time, …)`` holds within its length in reverse order; ``fill`` after it."""
    places = lengths[:, None] - 1 - torch.arange(padded.shape[1], device=padded.device)  # (rows, time)
    rows = torch.arange(len(padded), device=padded.device)[:, None]
    turned = padded[rows, places.clamp_min(0)]
    return turned.masked_fill((places < 0).view(*places.shape, *[1] * (padded.dim() - 2)), fill)


def cell_step(layer: nn.RNNBase, *, reverse: bool = False) -> Step:
    """One step of a recurrent layer, made of its weights: of its forward direction or of its reverse one."""
    suffix = "_l0_reverse" if reverse else "_l0"
    weights = [getattr(layer, name + suffix).detach() for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    if isinstance(layer, nn.LSTM):
        return lambda input_, state: torch.lstm_cell(input_, state, *weights)
    cell = torch.gru_cell if isinstance(layer, nn.GRU) else torch.rnn_tanh_cell
    return lambda input_, state: (cell(input_, state[0], *weights),)


def probe(lexicon: Lexicon) -> Batch:
    """Words of 8 to 50 letters to read and to write again, each made of the lexicon's own, always the same ones."""
    known = [fold(lexicon.words[place]) for place in lexicon.offered.tolist()] or list(lexicon.words)
    words = []
    for number, length in enumerate(LENGTHS):
        letters, place = "", number * len(known) // len(LENGTHS)
        while len(letters) < length:
            letters += known[place % len(known)]
            place += 1
        words.append(letters[:length])
    symbols, lengths = map(torch.from_numpy, lexicon.alphabet.encode(words))
    return Batch.of(symbols, lengths, symbols, lengths, direction=CORRECT)


def gradient_flow(model: SpellingModel, batch: Batch) -> dict[str, Tensor]:
    """How the gradient of the end's cross-entropy goes back through each of a model's recurrences.

    The encoder's two directions see the decoder's loss through the state after their own last step alone, which the
    decoder attends to; its recurrence sees it through the state before the end is written. Computed in float64 on the
    CPU, so that no norm becomes 0 on its way.

    Returns:
        norms ``(words, time)`` by lag, as ``gradient_norms`` returns them, of ``decoder``, ``encoder-forward`` and
        ``encoder-backward``.
    """
    model = copy.deepcopy(model).cpu().double().requires_grad_(False)
    lengths = batch.source_lengths.cpu()
    read, written = model.embedding(batch.source.cpu()), model.embedding(batch.previous.cpu())
    rows = torch.arange(len(lengths))
    width = model.config.encoder

    def at_rest(width: int) -> State:
        return tuple(read.new_zeros(len(rows), width) for _ in range(model.states_per_cell))

    forward, backward = (cell_step(model.encoder, reverse=reverse) for reverse in (False, True))
    turned = back_to_front(read, lengths)
    first = torch.stack([state[0] for state in unroll(forward, read, at_rest(width))], dim=1)
    second = torch.stack([state[0] for state in unroll(backward, turned, at_rest(width))], dim=1)
    states = torch.cat((first, back_to_front(second, lengths)), dim=2)  # (words, time, 2 * encoder)
    mask = torch.arange(read.shape[1]) < lengths[:, None]
    decode = cell_step(model.decoder)
    # What the decoder reads is the direction and the letters, as many as the encoder reads.
    final = states_at(unroll(decode, written, at_rest(model.config.decoder)), lengths - 1)

    def end_loss(final: State, states: Tensor) -> Tensor:
        hidden = final[0][:, None]
        context, _ = model.attend(hidden, Memory(model.memory(states), mask))
        return -model.expect(context, hidden)[:, 0, END]

    def through_encoder(last: State, places: Tensor, half: slice) -> Tensor:
        attended = states.clone()
        attended[rows, places, half] = last[0]
        return end_loss(final, attended)

    return {
        "decoder": gradient_norms(
            decode, written, at_rest(model.config.decoder), lambda last: end_loss(last, states), lengths=lengths
        ),
        "encoder-forward": gradient_norms(
            forward,
            read,
            at_rest(width),
            lambda last: through_encoder(last, lengths - 1, slice(0, width)),
            lengths=lengths,
        ),
        "encoder-backward": gradient_norms(
            backward,
            turned,
            at_rest(width),
            lambda last: through_encoder(last, torch.zeros_like(lengths), slice(width, 2 * width)),
            lengths=lengths,
        ),
    }
