"""Optimal completion distillation: what is best to write after any beginning, right or wrong."""

from dataclasses import dataclass

import torch
from torch import Tensor

from speller.alphabet import END
from speller.train.batch import Batch
from speller.train.model import SpellingModel
from speller.train.objectives.objective import Loss, mean_count
from speller.train.objectives.options import check_not_negative, check_whole
from speller.train.objectives.prefixes import prefix_distances
from speller.train.objectives.scored import longest_written, repeat_targets
from speller.train.writing import write_words


@dataclass(frozen=True, kw_only=True)
class OptimalCompletion:
    """The divergence of the model from the best continuations of what it wrote itself (Sabour, Chan & Norouzi 2019).

    Words are sampled from the model. For each beginning a_1 ... a_t of one, each symbol c has the value
    Q(c) = -(the least edit distance from the right word that can still be reached after it), and the loss is

        KL(pi_t || p_t),    pi_t(c) = exp(Q(c) / tau) / sum_b exp(Q(b) / tau)

    the mean over all steps and words. The values come from the edit distance's table: the best distance of what is
    written to any beginning of the right word stays in reach by going on where that one stops, or by the end where it
    is all of the word.

    Attributes:
        samples: how many words are sampled for each misspelling.
        temperature: tau; 0, the default and the paper's, is the limit in which pi_t is uniform over the best symbols.
    """

    samples: int = 1
    temperature: float = 0.0

    def __post_init__(self) -> None:
        check_whole("samples", self.samples, least=1)
        check_not_negative("temperature", self.temperature)

    def __call__(self, model: SpellingModel, batch: Batch, *, progress: float = 1.0) -> Loss:
        """The mean divergence per step, in nats; 0 is perfect.

        Of the scalars, ``distance`` is the mean edit distance of the sampled words, ``optimal`` the share of the steps
        whose likeliest symbol is among the best.
        """
        memory = model.encode(batch.source, batch.source_lengths)
        written = write_words(
            model, memory, direction=batch.direction, longest=longest_written(batch), samples=self.samples
        )
        words, lengths = written.words, written.lengths
        log_probs = written.log_probs[written.beginning]  # (rows, steps + 1, symbols)
        targets, target_lengths = repeat_targets(batch, self.samples)
        reachable = reachable_distances(words, targets, target_lengths, symbols=log_probs.shape[-1])
        reachable = reachable.masked_fill(model.never_written.isneginf(), torch.inf)
        best = reachable == reachable.amin(dim=-1, keepdim=True)  # (rows, steps + 1, symbols)
        if self.temperature:
            taught = (-reachable / self.temperature).softmax(dim=-1)
        else:
            taught = best / best.sum(dim=-1, keepdim=True)
        divergence = torch.xlogy(taught, taught) - taught * log_probs.masked_fill(log_probs.isneginf(), 0)
        count = mean_count(written.real.sum())
        loss = divergence.sum(dim=-1).masked_fill(~written.real, 0).sum() / count
        optimal = best.gather(-1, log_probs.argmax(dim=-1, keepdim=True))[..., 0]
        distance = reachable[..., END].gather(1, lengths[:, None]).mean()
        return Loss(loss, {"distance": distance, "optimal": (optimal & written.real).sum() / count})


def reachable_distances(words: Tensor, targets: Tensor, target_lengths: Tensor, *, symbols: int) -> Tensor:
    """The least edit distance from the right words that can be reached after each symbol that may come next.

    After a_1 ... a_t at the best distance m = min_j D(a_1 ... a_t, y_1 ... y_j), a letter y_{j+1} for a j that attains
    it keeps m in reach, any other letter costs one edit more, and the end fixes D(a_1 ... a_t, y).

    Args:
        words: ``(rows, steps)`` symbols.
        targets: ``(rows, longest)`` symbols.
        target_lengths: ``(rows,)``.
        symbols: how many symbols there are.

    Returns:
        ``(rows, steps + 1, symbols)``, float32, for each beginning of the words, the empty one first.
    """
    table, best = prefix_distances(words, targets, target_lengths)
    table, best = table.float(), best.float()[..., None]
    steps = table.shape[1]
    places = torch.arange(targets.shape[1], device=words.device)
    keeps = (table[..., :-1] == best) & (places < target_lengths[:, None])[:, None]  # (rows, steps + 1, longest)
    after = (best + 1).expand(-1, -1, symbols)
    after = after.scatter_reduce(2, targets[:, None].expand(-1, steps, -1), best + (~keeps).float(), "amin")
    ended = table.gather(2, target_lengths[:, None, None].expand(-1, steps, -1))
    return after.scatter(2, torch.full_like(ended, END, dtype=torch.int64), ended)
