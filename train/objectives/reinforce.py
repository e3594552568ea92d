"""REINFORCE: the reward of a sampled word is minus its edit distance from the right one."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from speller.train.batch import Batch
from speller.train.distance import edit_distance
from speller.train.model import SpellingModel
from speller.train.objectives.objective import Loss
from speller.train.objectives.options import check_choice, check_not_negative, check_switch, check_whole
from speller.train.objectives.prefixes import prefix_distances
from speller.train.objectives.scored import longest_written, mean_entropy, repeat_targets
from speller.train.writing import Written, write_words

Baseline = Literal["leave-one-out", "self-critical", "mean", "none"]


@dataclass(frozen=True, kw_only=True)
class Reinforce:
    """The policy gradient of the expected edit distance (Williams 1992).

    Of K words sampled for each misspelling, each symbol a_t of word k, its end counted in, adds

        -(G_kt - b_kt) grad log p(a_t | a_1 ... a_{t-1}),    G_kt the reward from step t on, b_kt the baseline.

    With ``reward="word"``, G_kt is minus the edit distance of the whole word. With ``"to-go"``, each letter is rewarded
    with the change of -min_j D(a_1 ... a_t, y_1 ... y_j), the best distance of what is written to any beginning of the
    right word, and the last symbol with what remains; these telescope to the same sum, and G_kt, the part from t on,
    leaves out what was lost before a_t.

    A baseline lowers the variance and, as it does not depend on a_t, leaves the expected gradient as it is:

    - ``leave-one-out``: the mean of G_t over the K - 1 other samples (Kool, van Hoof & Welling 2019);
    - ``self-critical``: G_t of the word that is written greedily (Rennie et al. 2017);
    - ``mean``: the mean of G_t over the samples of all other misspellings of the batch. What a running mean of the
      rewards estimates with a lag, this takes from the batch itself: it is no state that a resumed run would have to
      restore, and unlike a batch's plain mean it does not depend on the samples that it is subtracted from. In a batch
      of one it is 0;
    - ``none``: 0.

    With reward to go, a baseline's mean at step t is over the words that are still being written there, and 0 where
    none is.

    Rewards are not divided by their standard deviation, which would change the expected gradient.

    Attributes:
        samples: K, at least 1, or 2 with ``leave-one-out``.
        baseline: what is subtracted from the rewards.
        reward: whether a symbol answers for the whole word or for what comes after it.
        entropy: the weight of the bonus for the mean entropy per written symbol, in edits per nat.
        transposition: whether a swap of neighbouring letters is one edit.
    """

    samples: int = 8
    baseline: Baseline = "leave-one-out"
    reward: Literal["word", "to-go"] = "to-go"
    entropy: float = 0.0
    transposition: bool = False

    def __post_init__(self) -> None:
        check_choice("baseline", self.baseline, ("leave-one-out", "self-critical", "mean", "none"))
        check_choice("reward", self.reward, ("word", "to-go"))
        check_whole("samples", self.samples, least=1)
        if self.baseline == "leave-one-out" and self.samples < 2:
            raise ValueError(f"samples is at least 2 for baseline leave-one-out, not {self.samples}")
        check_not_negative("entropy", self.entropy)
        check_switch("transposition", self.transposition)

    def __call__(self, model: SpellingModel, batch: Batch, *, progress: float = 1.0) -> Loss:
        """A loss whose gradient is that of the expected edit distance per word; its value means nothing by itself.

        Of the scalars, ``reward`` is the mean and ``reward-spread`` the mean standard deviation within a misspelling's
        samples. ``gradient-variance`` estimates that of one sample's gradient by the output layer's bias, which needs
        no backward pass: sum_t (G_t - b_t)(p_t - onehot(a_t)), the sum of its components' variances within a
        misspelling's samples, averaged over the batch. One sample alone has neither of the two.
        """
        memory = model.encode(batch.source, batch.source_lengths)
        longest = longest_written(batch)
        greedy = self.baseline == "self-critical"
        several = self.samples + greedy
        written = write_words(
            model, memory, direction=batch.direction, longest=longest, samples=several, greedy_first=greedy
        )
        returns = self.returns(written, batch)  # (batch, several, steps + 1), or 1 for the steps
        rewarded = written.real.view(len(batch), several, -1) if self.reward == "to-go" else torch.ones_like(returns)
        if greedy:
            baseline = (returns * rewarded)[:, :1]
            returns = returns[:, 1:]
            written = written.of(torch.arange(len(batch) * several, device=returns.device).view(-1, several)[:, 1:])
        else:
            baseline = self.mean_of_others(returns, rewarded)
        advantages = (returns - baseline).to(written.log_probs.dtype)

        weights = advantages.expand(-1, -1, written.real.shape[1]).flatten(0, 1) * written.real  # (rows, steps + 1)
        loss = -(weights * written.chosen()).sum(dim=1).mean()
        with torch.set_grad_enabled(self.entropy > 0):
            entropy = mean_entropy(written)
        if self.entropy:
            loss = loss - self.entropy * entropy
        rewards = returns[..., 0]  # (batch, samples): at the first step, all of the reward is still to come
        scalars = {"reward": rewards.mean(), "entropy": entropy.detach()}
        if self.samples > 1:
            scalars["reward-spread"] = rewards.std(dim=1).mean()
            scalars["gradient-variance"] = gradient_variance(written, weights, self.samples)
        return Loss(loss, scalars)

    def returns(self, written: Written, batch: Batch) -> Tensor:
        """The reward from each step on: ``(batch, several, steps + 1)``, or ``(batch, several, 1)`` for whole words."""
        words, lengths = written.words, written.lengths
        several = len(words) // len(batch)
        targets, target_lengths = repeat_targets(batch, several)
        if self.reward == "word":
            distances = edit_distance(
                words, targets, a_lengths=lengths, b_lengths=target_lengths, transposition=self.transposition
            )
            return -distances.view(len(batch), several, 1).float()
        table, best = prefix_distances(words, targets, target_lengths, transposition=self.transposition)
        columns = target_lengths[:, None, None].expand(-1, table.shape[1], -1)
        distances = table.gather(2, columns)[..., 0].gather(1, lengths[:, None])  # (rows, 1)
        return (best - distances).view(len(batch), several, -1).float()

    def mean_of_others(self, returns: Tensor, rewarded: Tensor) -> Tensor:
        """The baseline from other samples, of the same shape as the returns or one that broadcasts to it."""
        if self.baseline == "none":
            return torch.zeros_like(returns)
        sums, counts = returns * rewarded, rewarded.to(returns.dtype)
        if self.baseline == "mean":
            sums, counts = sums.sum(dim=1, keepdim=True), counts.sum(dim=1, keepdim=True)
        others = 0 if self.baseline == "mean" else 1
        sums = sums.sum(dim=others, keepdim=True) - sums
        counts = counts.sum(dim=others, keepdim=True) - counts
        return sums / counts.clamp_min(1)


@torch.no_grad()
def gradient_variance(written: Written, weights: Tensor, samples: int) -> Tensor:
    """The variance of one sample's gradient by the output layer's bias, summed over its components.

    Args:
        written: the sampled words.
        weights: ``(rows, steps + 1)``, the advantage of each symbol, 0 where there is none.
        samples: how many of the rows are samples for one source.
    """
    probs = written.log_probs.exp()
    expected = functional.embedding_bag(written.beginning, probs, per_sample_weights=weights, mode="sum")
    gradients = expected.scatter_add(1, written.symbols(), -weights)  # (rows, symbols)
    return gradients.view(-1, samples, gradients.shape[1]).var(dim=1).sum(dim=1).mean()
