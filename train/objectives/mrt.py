"""Minimum risk training: the expected edit distance over the words that were considered."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from speller.train.batch import Batch
from speller.train.distance import edit_distance
from speller.train.model import Memory, SpellingModel
from speller.train.objectives.objective import Loss
from speller.train.objectives.options import check_choice, check_positive, check_switch, check_whole
from speller.train.objectives.scored import longest_written, pad_words, repeat_targets, score_words
from speller.train.writing import rewrite_words, write_beam, write_words

LEAST = 1e-6
"""The least probability of all words outside of S: float32 knows no much smaller one beside 1."""


@dataclass(frozen=True, kw_only=True)
class MinimumRisk:
    """The expected edit distance over a few words S, among which the model's probabilities are renormalised.

        sum_{w in S} Q(w) D(w, y),    Q(w) = P(w)^alpha / sum_{v in S} P(v)^alpha

    (Shen et al. 2016, section 3). ``candidates="sample"``: S is the right word and samples beside it, as in their
    algorithm 1; S is a set, so a word that was sampled again counts once. ``"beam"``: S is what a beam search finds,
    all of it different, with the right word or without (Prabhavalkar et al. 2018, the N-best list). Since Q sums to 1,
    subtracting the mean distance as the latter do would change no gradient. A word that was cut off has the probability
    of its letters.

    To the words of S alone it is all the same how probable others are: what one of them loses may go to any letter that
    the beam never meets, until the likeliest letters lead to no word at all. So what S leaves of P counts too
    (``outside``), as one more word, an edit farther than the farthest of S. With alpha 1, Q is P then.

    Attributes:
        samples: how many words S has, at least 2, the repeated ones counted in.
        candidates: where they come from.
        alpha: the sharpness of Q. With 1, the default, it is the model's own distribution given S (that of Prabhavalkar
            et al.); Shen et al. took 0.005 for whole sentences, whose probabilities lie further apart.
        outside: whether the words that are not in S count, too; in the papers they do not.
        transposition: whether a swap of neighbouring letters is one edit.
    """

    samples: int = 8
    candidates: Literal["sample", "beam"] = "beam"
    alpha: float = 1.0
    outside: bool = True
    transposition: bool = False

    def __post_init__(self) -> None:
        check_whole("samples", self.samples, least=2)
        check_choice("candidates", self.candidates, ("sample", "beam"))
        check_positive("alpha", self.alpha)
        check_switch("outside", self.outside)
        check_switch("transposition", self.transposition)

    def __call__(self, model: SpellingModel, batch: Batch, *, progress: float = 1.0) -> Loss:
        """The mean risk of the batch, in edits.

        Of the scalars, ``different`` is how many different words a misspelling has, ``right`` the mean Q of the right
        word, 0 where it is not in S, and ``inside`` the mean of P(S).
        """
        memory = model.encode(batch.source, batch.source_lengths)
        words, lengths, log_probs, counted = self.words(model, memory, batch)
        targets, target_lengths = repeat_targets(batch, self.samples)
        distances = edit_distance(
            words, targets, a_lengths=lengths, b_lengths=target_lengths, transposition=self.transposition
        ).view(len(batch), self.samples)
        log_probs = log_probs.masked_fill(~counted, -torch.inf)
        inside = log_probs.exp().sum(dim=1, keepdim=True)
        if self.outside:
            farthest = distances.masked_fill(~counted, 0).amax(dim=1, keepdim=True)
            distances = torch.cat((distances, farthest + 1), dim=1)
            log_probs = torch.cat((log_probs, torch.log1p(-inside.clamp_max(1 - LEAST))), dim=1)
        chances = (self.alpha * log_probs).softmax(dim=1)
        risk = (chances * distances).sum(dim=1).mean()
        right = (chances.detach() * (distances == 0)).sum(dim=1).mean()
        scalars = {
            "different": counted.sum(dim=1).to(risk.dtype).mean(),
            "right": right,
            "inside": inside.detach().mean(),
        }
        return Loss(risk, scalars)

    def words(self, model: SpellingModel, memory: Memory, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The words S.

        Returns:
            the words ``(batch * samples, steps)`` and their lengths; their log-probabilities and which of them count,
            ``(batch, samples)``.
        """
        direction, longest = batch.direction, longest_written(batch)
        if self.candidates == "beam":
            beam = write_beam(model, memory, direction=direction, longest=longest, width=self.samples)
            written = rewrite_words(model, memory, beam.words, beam.lengths, direction=direction, longest=longest)
            log_probs = written.chosen().sum(dim=1).view(len(batch), -1)
            return written.words, written.lengths, log_probs, ~beam.log_probs.isneginf().view(len(batch), -1)
        right = score_words(model, memory, batch.target, batch.target_lengths, direction=direction)
        written = write_words(model, memory, direction=direction, longest=longest, samples=self.samples - 1)
        steps = max(written.words.shape[1], batch.target.shape[1])
        words, lengths, log_probs = (
            torch.cat((first[:, None], others.view(len(batch), self.samples - 1, *others.shape[1:])), dim=1)
            for first, others in (
                (pad_words(right.words, steps), pad_words(written.words, steps)),
                (right.lengths, written.lengths),
                (right.chosen().sum(dim=1), written.chosen().sum(dim=1)),
            )
        )
        return words.flatten(0, 1), lengths.flatten(), log_probs, ~repeated(words)


def repeated(words: Tensor) -> Tensor:
    """Which words ``(batch, several, steps)``, padded alike, stand before in their row: ``(batch, several)``."""
    equal = (words[:, :, None] == words[:, None]).all(dim=-1)  # (batch, several, several)
    return equal.tril(diagonal=-1).any(dim=-1)
