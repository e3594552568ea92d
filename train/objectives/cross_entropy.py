"""Cross-entropy under teacher forcing: the control, and the warm start of the others."""

from dataclasses import dataclass

from torch.nn.functional import nll_loss

from speller.alphabet import PADDING
from speller.train.batch import Batch
from speller.train.model import SpellingModel
from speller.train.objectives.objective import Loss, mean_count
from speller.train.objectives.options import check_not_negative


@dataclass(frozen=True, kw_only=True)
class CrossEntropy:
    """Minus the mean log-probability of each symbol of the right word, its end counted in.

    Attributes:
        label_smoothing: the share of the target's probability that is spread evenly over all symbols that can be
            written (Szegedy et al. 2016).
    """

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        check_not_negative("label_smoothing", self.label_smoothing)
        if self.label_smoothing >= 1:
            raise ValueError(f"label_smoothing is below 1, not {self.label_smoothing}")

    def __call__(self, model: SpellingModel, batch: Batch, *, progress: float = 1.0) -> Loss:
        """The mean over the symbols of the batch, in nats; ``accuracy`` is the share of symbols ranked first."""
        log_probs = model(batch.source, batch.source_lengths, batch.previous)  # (batch, steps, symbols)
        written = batch.written
        real = written != PADDING
        count = mean_count(real.sum())
        loss = nll_loss(log_probs.flatten(0, 1), written.flatten(), ignore_index=PADDING, reduction="sum") / count
        if self.label_smoothing:
            never = model.never_written.isneginf()
            even = -log_probs.masked_fill(never, 0).sum(dim=-1) / (~never).sum()
            even = even.masked_fill(~real, 0).sum() / count
            loss = (1 - self.label_smoothing) * loss + self.label_smoothing * even
        accuracy = ((log_probs.argmax(dim=-1) == written) & real).sum() / count
        return Loss(loss, {"accuracy": accuracy.detach()})
