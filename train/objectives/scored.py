"""What objectives ask of the words that a model wrote, or might have written."""

import torch
from torch import Tensor

from speller.alphabet import PADDING
from speller.train.batch import Batch, decoder_input, decoder_output
from speller.train.model import Memory, SpellingModel
from speller.train.objectives.objective import mean_count
from speller.train.writing import Written

LONGER = 5
"""By how many letters a written word may outgrow the longest right word of its batch before it is cut off."""


def score_words(model: SpellingModel, memory: Memory, words: Tensor, lengths: Tensor, *, direction: int) -> Written:
    """Read given words in one fused call, as if the model had written them.

    Args:
        model: the model, whose distributions are asked for.
        memory: what it read, a batch of words; shared among the several words of each, not copied.
        words: ``(rows, steps)``, as many for each word that was read, next to each other.
        lengths: ``(rows,)``.
        direction: the direction symbol that starts each word.
    """
    log_probs, _ = model.decode(decoder_input(words, direction), None, memory)
    symbols = decoder_output(words, lengths)
    beginning = torch.arange(symbols.numel(), device=words.device).view_as(symbols)
    return Written(words, lengths, log_probs.flatten(0, 1), beginning, symbols != PADDING)


def mean_entropy(written: Written) -> Tensor:
    """The distributions' mean entropy over the written symbols, in nats."""
    terms = written.log_probs.exp() * written.log_probs.masked_fill(written.log_probs.isneginf(), 0)
    entropies = -terms.sum(dim=-1)[written.beginning]  # (rows, steps + 1)
    return entropies.masked_fill(~written.real, 0).sum() / mean_count(written.real.sum())


def repeat_targets(batch: Batch, times: int) -> tuple[Tensor, Tensor]:
    """The right words ``(batch * times, longest)`` and their lengths, each as often as words were written for it."""
    return batch.target.repeat_interleave(times, dim=0), batch.target_lengths.repeat_interleave(times, dim=0)


def longest_written(batch: Batch) -> int:
    """At which length the words that are written for a batch are cut off."""
    return batch.target.shape[1] + LONGER


def pad_words(words: Tensor, steps: int) -> Tensor:
    """The same words ``(rows, steps)``, padded to more steps."""
    return torch.nn.functional.pad(words, (0, steps - words.shape[1]), value=PADDING)
