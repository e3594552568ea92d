"""Free-running decoding: the model writes words, each letter read back before the next one."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from speller.alphabet import END, PADDING
from speller.train.batch import decoder_output
from speller.train.model import Memory, SpellingModel, State

Feedback = Literal["soft", "gumbel"]


class Written(NamedTuple):
    """Words, and the distributions that gave them their symbols, through which gradients pass.

    Words that begin alike share what came after each beginning.

    Attributes:
        words: ``(rows, steps)``, without the end symbol and padded with ``PADDING``.
        lengths: ``(rows,)``.
        log_probs: ``(beginnings, symbols)``, of what may come next.
        beginning: ``(rows, steps + 1)``, which beginning stands before each of a word's symbols, its end counted in.
        real: ``(rows, steps + 1)``, true where there is a symbol that was written: not at padding, nor at the end of a
            word that was cut off.
    """

    words: Tensor
    lengths: Tensor
    log_probs: Tensor
    beginning: Tensor
    real: Tensor

    def symbols(self) -> Tensor:
        """What was written, ``(rows, steps + 1)``: each word, ``END``, then ``PADDING``."""
        return decoder_output(self.words, self.lengths)

    def chosen(self) -> Tensor:
        """The written symbols' log-probabilities ``(rows, steps + 1)``, 0 where there is none."""
        return self.log_probs[self.beginning, self.symbols()].masked_fill(~self.real, 0)

    def of(self, rows: Tensor) -> "Written":
        """Some of the words, by their numbers."""
        rows = rows.flatten()
        return Written(self.words[rows], self.lengths[rows], self.log_probs, self.beginning[rows], self.real[rows])


def write_words(
    model: SpellingModel,
    memory: Memory,
    *,
    direction: int,
    longest: int,
    samples: int | None = None,
    greedy_first: bool = False,
    generator: torch.Generator | None = None,
) -> Written:
    """Write words, the likeliest letter at each step or sampled ones.

    Args:
        model: the model, whose distributions are followed.
        memory: what it read, a batch of words.
        direction: the direction symbol that starts each word.
        longest: after how many letters a word is cut off, at least 1.
        samples: how many words to sample for each one that was read; ``None`` writes one, greedily.
        greedy_first: whether the first of these samples is written greedily instead.
        generator: what sampling draws from; ``None`` draws from torch's own.

    Returns:
        ``batch * samples`` words, those of one source next to each other.
    """
    several = samples or 1

    def choose(following: Tensor, row_of: Tensor, writing: Tensor, step: int) -> Tensor:
        likeliest = following.argmax(dim=-1)[row_of]
        chosen = likeliest if samples is None else sample(following[row_of], generator=generator)
        return torch.where(writing % several == 0, likeliest, chosen) if greedy_first else chosen

    return _spell(model, memory, choose, direction=direction, longest=longest, several=several)


def rewrite_words(
    model: SpellingModel, memory: Memory, words: Tensor, lengths: Tensor, *, direction: int, longest: int
) -> Written:
    """Write given words, several for each one that was read.

    Args:
        model: the model, whose distributions are followed.
        memory: what it read, a batch of words.
        words: ``(rows, steps)`` symbols, those of one source next to each other.
        lengths: ``(rows,)``, at most ``longest``; a word of just that length is one that was cut off.
        direction: the direction symbol that starts each word.
        longest: after how many letters a word is cut off.
    """
    symbols = decoder_output(words, lengths)

    def choose(following: Tensor, row_of: Tensor, writing: Tensor, step: int) -> Tensor:
        return symbols[writing, step]

    return _spell(model, memory, choose, direction=direction, longest=longest, several=len(words) // len(memory.mask))


Choose = Callable[[Tensor, Tensor, Tensor, int], Tensor]
"""The next symbols ``(writing,)`` from the log-probabilities after each beginning ``(rows, symbols)``, which of these
each word has ``(writing,)``, the words' numbers ``(writing,)``, and the step."""


def _spell(
    model: SpellingModel, memory: Memory, choose: Choose, *, direction: int, longest: int, several: int
) -> Written:
    """Write words letter by letter: a row of the decoder for each different beginning, none for what has ended."""
    batch, device = len(memory.mask), memory.mask.device
    writing = torch.arange(batch * several, device=device)
    row_of = writing // several
    sources = torch.arange(batch, device=device)
    previous = sources.new_full((batch, 1), direction)
    state: State | None = None
    words = sources.new_full((batch * several, longest), PADDING)
    beginning = sources.new_zeros(batch * several, longest + 1)
    real = torch.zeros_like(beginning, dtype=torch.bool)
    distributions: list[Tensor] = []
    count = 0
    for step in range(longest):
        log_probs, state = model.decode(previous, state, memory.of(sources))
        following = log_probs[:, 0]  # (rows, symbols)
        distributions.append(following)
        beginning[writing, step] = count + row_of
        real[writing, step] = True
        count += len(following)
        chosen = choose(following.detach(), row_of, writing, step)
        going_on = chosen != END
        writing, chosen = writing[going_on], chosen[going_on]
        if not len(writing):
            break
        words[writing, step] = chosen
        symbols = following.shape[-1]
        rows, row_of = torch.unique(row_of[going_on] * symbols + chosen, return_inverse=True)
        parents, previous = rows // symbols, (rows % symbols)[:, None]
        sources, state = sources[parents], tuple(part.index_select(0, parents) for part in state)
    steps = len(distributions)
    lengths = (words != PADDING).sum(dim=1)
    return Written(words[:, :steps], lengths, torch.cat(distributions), beginning[:, : steps + 1], real[:, : steps + 1])


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
    batch, device = len(memory.mask), memory.mask.device
    finished = torch.zeros(batch, width, dtype=torch.bool, device=device)
    # All beginnings are one at first: only its first copy counts.
    totals = torch.full((batch, width), -torch.inf, device=device)
    totals[:, 0] = 0
    words = torch.empty(batch * width, 0, dtype=torch.int64, device=device)
    places = torch.arange(batch * width, device=device)
    # What has ended and what cannot be has no row in the decoder.
    live = places[::width]
    previous = live.new_full((batch, 1), direction)
    state: State | None = None
    for _ in range(longest):
        log_probs, state = model.decode(previous, state, memory.of(live // width))
        symbols = log_probs.shape[-1]
        following = log_probs.new_full((batch * width, symbols), -torch.inf)
        following[:, PADDING] = 0.0
        following[live] = log_probs[:, 0]
        totals, choices = (totals[..., None] + following.view(batch, width, symbols)).flatten(1).topk(width)
        chosen = choices % symbols  # (batch, width)
        parents = choices // symbols + places[::width, None]
        finished = finished.flatten()[parents] | (chosen == END)
        words = torch.cat((words[parents.flatten()], chosen.masked_fill(finished, PADDING).view(-1, 1)), dim=1)
        row_of = torch.zeros_like(places).index_copy(0, live, places[: len(live)])
        live = places[(~finished & ~totals.isneginf()).flatten()]
        if not len(live):
            break
        rows = row_of[parents.flatten()[live]]
        previous, state = words[live, -1:], tuple(part[rows] for part in state)
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
    state: State | None = None
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


def sample(log_probs: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    """One symbol from each distribution ``(…, symbols)``, by an exponential race; the host need not wait for it."""
    return (log_probs - torch.empty_like(log_probs).exponential_(generator=generator).log()).argmax(dim=-1)
