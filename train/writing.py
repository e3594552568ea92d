"""Free-running decoding: the model writes words, each letter read back before the next one."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from speller.alphabet import END, PADDING
from speller.train.model import Memory, SpellingModel, State

Feedback = Literal["soft", "gumbel"]

STEPS_BETWEEN_LOOKS = 8
"""How often a GPU is asked whether all words have ended: asking makes the host wait for it."""


@torch.no_grad()
def write_words(
    model: SpellingModel,
    memory: Memory,
    *,
    direction: int,
    longest: int,
    samples: int | None = None,
    greedy_first: bool = False,
) -> tuple[Tensor, Tensor]:
    """Write words, the likeliest letter at each step or sampled ones.

    Args:
        model: the model, whose distributions are followed.
        memory: what it read, a batch of words.
        direction: the direction symbol that starts each word.
        longest: after how many letters a word is cut off, at least 1.
        samples: how many words to sample for each one that was read; ``None`` writes one, greedily.
        greedy_first: whether the first of these samples is written greedily instead.

    Returns:
        symbols ``(batch * samples, steps)``, the words of one source next to each other, without the end symbol and
        padded with ``PADDING``, and lengths ``(batch * samples,)``.
    """
    batch = memory.states.shape[0]
    several = samples or 1
    previous = torch.full((batch, 1), direction, device=memory.states.device)
    state = memory.initial
    finished = torch.zeros(batch * several, dtype=torch.bool, device=memory.states.device)
    written: list[Tensor] = []
    for step in range(longest):
        log_probs, state = model.decode(previous, state, memory)
        last = log_probs[
            :, -1
        ]  # (batch, symbols) at the first step, which all words of a source share, then (rows, symbols)
        if step == 0:
            last, state = last.repeat_interleave(several, dim=0), repeat_state(state, several)
        chosen = last.argmax(dim=-1) if samples is None else sample(last)
        if greedy_first:
            chosen.view(batch, several)[:, 0] = last.view(batch, several, -1)[:, 0].argmax(dim=-1)
        finished = finished | (chosen == END)
        chosen = chosen.masked_fill(finished, PADDING)
        written.append(chosen)
        if _all_ended(finished, step):
            break
        previous = chosen[:, None]
    symbols = torch.stack(written, dim=1)  # (rows, steps)
    return symbols, (symbols != PADDING).sum(dim=1)


class Beam(NamedTuple):
    """The likeliest words that a beam search found, the likeliest of each source first.

    Attributes:
        words: ``(batch * width, steps)``, as ``write_words`` returns them.
        lengths: ``(batch * width,)``.
        log_probs: ``(batch * width,)``, of the whole word with its end, or of the letters where it was cut off; minus
            infinity where fewer than ``width`` words can be written.
    """

    words: Tensor
    lengths: Tensor
    log_probs: Tensor


@torch.no_grad()
def write_beam(model: SpellingModel, memory: Memory, *, direction: int, longest: int, width: int) -> Beam:
    """Write the ``width`` likeliest words of a plain beam search, in which ended words keep their places.

    Args:
        model: the model, whose distributions are followed.
        memory: what it read, a batch of words.
        direction: the direction symbol that starts each word.
        longest: after how many letters a word is cut off, at least 1.
        width: how many beginnings of words are followed for each word that was read.
    """
    batch, device = memory.states.shape[0], memory.states.device
    state = repeat_state(memory.initial, width)
    previous = torch.full((batch * width, 1), direction, device=device)
    words = previous[:, :0]
    finished = torch.zeros(batch, width, dtype=torch.bool, device=device)
    # All beginnings are one at first: only its first copy counts.
    totals = torch.full((batch, width), -torch.inf, device=device).index_fill(1, previous.new_zeros(1), 0.0)
    first_rows = torch.arange(0, batch * width, width, device=device)[:, None]
    for step in range(longest):
        log_probs, state = model.decode(previous, state, memory)
        following = log_probs.view(batch, width, -1)
        symbols = following.shape[-1]
        stays = torch.full_like(following, -torch.inf)
        stays[..., PADDING] = 0.0
        following = torch.where(finished[..., None], stays, following)
        totals, places = (totals[..., None] + following).flatten(1).topk(width)  # (batch, width)
        parents = places // symbols
        chosen = places % symbols
        finished = finished.gather(1, parents) | (chosen == END)
        chosen = chosen.masked_fill(finished, PADDING)
        rows = (first_rows + parents).flatten()
        words = torch.cat((words[rows], chosen.view(-1, 1)), dim=1)
        state = tuple(part[rows] for part in state)
        if _all_ended(finished, step):
            break
        previous = chosen.view(-1, 1)
    return Beam(words, (words != PADDING).sum(dim=1), totals.flatten())


def write_distributions(
    model: SpellingModel, memory: Memory, *, direction: int, steps: int, feedback: Feedback, temperature: float = 1.0
) -> Tensor:
    """Write words in expectation: the decoder reads what it wrote as a mixture of letters, so that gradients pass.

    Each letter is read as if the word had not ended before it, as ``soft_edit_distance`` counts it: no decoder ever
    reads an end.

    Args:
        model: the model, whose distributions are followed.
        memory: what it read, a batch of words.
        direction: the direction symbol that starts each word.
        steps: how many distributions to write.
        feedback: ``soft`` reads the mean vector of the letters under the distribution; ``gumbel`` reads one sampled
            letter, whose gradient is that of the relaxed sample (straight-through Gumbel-softmax; Jang, Gu & Poole
            2017, section 2.2).
        temperature: of the Gumbel-softmax; lower ones are less biased and more noisy.

    Returns:
        log-probabilities ``(batch, steps, symbols)``.
    """
    previous = model.embedding(torch.full((memory.states.shape[0], 1), direction, device=memory.states.device))
    letters_only = torch.zeros_like(model.never_written)
    letters_only[END] = -torch.inf
    state = memory.initial
    distributions: list[Tensor] = []
    for _ in range(steps):
        log_probs, state = model.decode_embedded(previous, state, memory)
        distributions.append(log_probs)
        letters = log_probs + letters_only
        if feedback == "gumbel":
            read = functional.gumbel_softmax(letters, tau=temperature, hard=True)
        else:
            read = letters.softmax(dim=-1)
        previous = read @ model.embedding.weight  # (batch, 1, embedding)
    return torch.cat(distributions, dim=1)


def sample(log_probs: Tensor) -> Tensor:
    """One symbol from each distribution ``(…, symbols)``, by an exponential race; the host need not wait for it."""
    return (log_probs - torch.empty_like(log_probs).exponential_().log()).argmax(dim=-1)


def repeat_state(state: State, times: int) -> State:
    """The state of several words for each source, next to each other: ``(batch * times, decoder)``."""
    return tuple(part.repeat_interleave(times, dim=0) for part in state)


def _all_ended(finished: Tensor, step: int) -> bool:
    return (finished.is_cpu or step % STEPS_BETWEEN_LOOKS == STEPS_BETWEEN_LOOKS - 1) and bool(finished.all())
