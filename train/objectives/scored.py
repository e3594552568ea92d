"""Words that a model wrote, and their probabilities under teacher forcing, through which gradients pass."""

from typing import NamedTuple

import torch
from torch import Tensor

from speller.alphabet import END, PADDING
from speller.train.batch import Batch, decoder_input, decoder_output
from speller.train.model import Memory, SpellingModel
from speller.train.writing import repeat_state

LONGER = 5
"""By how many letters a written word may outgrow the longest right word of its batch before it is cut off."""


class Scored(NamedTuple):
    """Words as a model would write them.

    Attributes:
        log_probs: ``(rows, steps + 1, symbols)``, the distribution before each symbol of a word, its end counted in.
        written: ``(rows, steps + 1)``, the symbols, ``END`` last, then ``PADDING``.
        real: ``(rows, steps + 1)``, true where there is a symbol that was written: not at padding, nor at the end of a
            word that was cut off.
        chosen: ``(rows, steps + 1)``, the written symbols' log-probabilities, 0 where there is none.
    """

    log_probs: Tensor
    written: Tensor
    real: Tensor
    chosen: Tensor


def score_words(
    model: SpellingModel, memory: Memory, words: Tensor, lengths: Tensor, *, direction: int, longest: int | None = None
) -> Scored:
    """Read words back in one fused call.

    Args:
        model: the model, whose distributions are asked for.
        memory: what it read, a batch of words; shared among the several words of each, not copied.
        words: ``(rows, steps)``, as many for each word that was read, next to each other.
        lengths: ``(rows,)``.
        direction: the direction symbol that starts each word.
        longest: at which length words were cut off; ``None`` where none was.
    """
    state = repeat_state(memory.initial, len(words) // len(memory.mask))
    log_probs, _ = model.decode(decoder_input(words, direction), state, memory)
    written = decoder_output(words, lengths)
    real = written != PADDING
    if longest is not None:
        real = real & ~((written == END) & (lengths == longest)[:, None])
    chosen = log_probs.gather(-1, written[..., None])[..., 0].masked_fill(~real, 0)
    return Scored(log_probs, written, real, chosen)


def mean_entropy(scored: Scored) -> Tensor:
    """The distributions' mean entropy over the written symbols, in nats."""
    terms = scored.log_probs.exp() * scored.log_probs.masked_fill(scored.log_probs.isneginf(), 0)
    return -terms.sum(dim=-1).masked_fill(~scored.real, 0).sum() / scored.real.sum()


def repeat_targets(batch: Batch, times: int) -> tuple[Tensor, Tensor]:
    """The right words ``(batch * times, longest)`` and their lengths, each as often as words were written for it."""
    return batch.target.repeat_interleave(times, dim=0), batch.target_lengths.repeat_interleave(times, dim=0)


def longest_written(batch: Batch) -> int:
    """At which length the words that are written for a batch are cut off."""
    return batch.target.shape[1] + LONGER


def pad_words(words: Tensor, steps: int) -> Tensor:
    """The same words ``(rows, steps)``, padded to more steps."""
    return torch.nn.functional.pad(words, (0, steps - words.shape[1]), value=PADDING)
