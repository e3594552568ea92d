"""What the two differentiable distances have in common as objectives: distributions to judge, and gamma annealed."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from speller.train.batch import Batch
from speller.train.model import SpellingModel
from speller.train.objectives.objective import Loss
from speller.train.objectives.options import check_choice, check_positive, check_whole
from speller.train.writing import write_distributions


@dataclass(frozen=True, kw_only=True)
class SoftDistance(ABC):
    """A differentiable distance between what the decoder writes, as distributions, and the right word.

    Attributes:
        gamma: the softmin's smoothing when training ends.
        gamma_start: the smoothing when it begins; in between it falls geometrically.
        feedback: what the decoder reads after each step. ``soft``, the default: the mean vector of its own
            distribution. ``gumbel``: a letter sampled from it, with the gradient of the straight-through Gumbel-softmax
            (Jang, Gu & Poole 2017). Both run freely, which is a loop over the steps. ``teacher``: the right word, as
            under cross-entropy; one fused call, but the model never meets its own mistakes.
        slack: how many steps beyond the right word's length and its end are written, without a teacher (with one there
            is nothing to read there). What has not ended by then is taken to end.
        temperature: of the Gumbel-softmax.
    """

    gamma: float = 0.1
    gamma_start: float = 0.5
    feedback: Literal["teacher", "soft", "gumbel"] = "soft"
    slack: int = 3
    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_positive("gamma", self.gamma)
        check_positive("gamma_start", self.gamma_start)
        check_choice("feedback", self.feedback, ("teacher", "soft", "gumbel"))
        check_whole("slack", self.slack, least=0)
        check_positive("temperature", self.temperature)

    def __call__(self, model: SpellingModel, batch: Batch, *, progress: float = 1.0) -> Loss:
        """The mean distance of the batch, in edits."""
        gamma = self.annealed_gamma(progress)
        lengths = batch.target_lengths + 1
        if self.feedback == "teacher":
            log_probs = model(batch.source, batch.source_lengths, batch.previous)
        else:
            lengths = lengths + self.slack
            log_probs = write_distributions(
                model,
                model.encode(batch.source, batch.source_lengths),
                direction=batch.direction,
                steps=batch.target.shape[1] + 1 + self.slack,
                feedback=self.feedback,
                temperature=self.temperature,
            )
        loss = self.distance(log_probs, lengths, batch, gamma)
        return Loss(loss, {"gamma": loss.new_full((), gamma)})

    def annealed_gamma(self, progress: float) -> float:
        """The smoothing when this share (0 to 1) of the training is done."""
        return float(self.gamma_start * (self.gamma / self.gamma_start) ** min(progress, 1.0))

    @abstractmethod
    def distance(self, log_probs: Tensor, lengths: Tensor, batch: Batch, gamma: float) -> Tensor:
        """The mean distance of distributions ``(batch, steps, symbols)``, ``lengths`` of them, from the right words."""
