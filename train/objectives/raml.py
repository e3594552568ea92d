"""Reward-augmented maximum likelihood: words near the right one are right too, the nearer the more often."""

from dataclasses import dataclass

from speller.train.batch import Batch
from speller.train.distance import edit_distance
from speller.train.model import SpellingModel
from speller.train.objectives.objective import Loss, mean_count
from speller.train.objectives.options import check_positive, check_whole
from speller.train.objectives.payoff import sample_near
from speller.train.objectives.scored import repeat_targets, score_words


@dataclass(frozen=True, kw_only=True)
class RewardAugmented:
    """Cross-entropy on words sampled around the right word y from the exponentiated payoff (Norouzi et al. 2016).

        -E_{w ~ q} log P(w),    q(w) = exp(-D(w, y) / tau) / sum_v exp(-D(v, y) / tau)

    There the number of edits is drawn first, by how many words are how far, and then a word that far; here the words of
    all distances are drawn at once and exactly, from those of at most five letters more than y: see ``sample_near``.

    About 2mv words are one edit away from one of m letters, with v in the alphabet, and each has the weight
    exp(-1 / tau): so tau = 0.13, the default, leaves 4 of 5 words of 8 letters as they are where v is 27. Nothing above
    1 / ln(10 v) is taken.

    Attributes:
        samples: how many words are sampled for each right one.
        temperature: tau, above 0; towards 0 this becomes cross-entropy.
    """

    samples: int = 1
    temperature: float = 0.13

    def __post_init__(self) -> None:
        check_whole("samples", self.samples, least=1)
        check_positive("temperature", self.temperature)

    def __call__(self, model: SpellingModel, batch: Batch, *, progress: float = 1.0) -> Loss:
        """The mean over the sampled words' symbols, in nats; ``edits`` is their mean distance from the right ones.

        Raises:
            ValueError: for a temperature that is too high for the model's alphabet.
        """
        targets, target_lengths = repeat_targets(batch, self.samples)
        words, lengths = sample_near(
            targets, target_lengths, temperature=self.temperature, symbols=model.config.symbols
        )
        memory = model.encode(batch.source, batch.source_lengths)
        scored = score_words(model, memory, words, lengths, direction=batch.direction)
        edits = edit_distance(words, targets, a_lengths=lengths, b_lengths=target_lengths)
        loss = -scored.chosen().sum() / mean_count(scored.real.sum())
        return Loss(loss, {"edits": edits.to(loss.dtype).mean()})
