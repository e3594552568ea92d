"""The differentiable edit distance as a loss."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from speller.alphabet import END
from speller.train.batch import Batch
from speller.train.distance import soft_edit_distance
from speller.train.objectives.options import check_choice, check_switch
from speller.train.objectives.soft_distance import SoftDistance


@dataclass(frozen=True, kw_only=True)
class SoftEdit(SoftDistance):
    """The soft edit distance between what the decoder writes and the right word.

    With p the decoder's distributions, c_ij = 1 - p_i(y_j) the cost of letter y_j at step i, and q_l the probability of
    the length l, the loss is sum_l q_l R_lm for

        R_ij = softmin(R_{i-1,j} + 1, R_{i,j-1} + 1, R_{i-1,j-1} + c_ij),    softmin(a) = -gamma log sum e^(-a / gamma)

    which is the softmin of Cuturi & Blondel (2017; Mensch & Blondel 2018) in the edit distance's recurrence (Ofitserov,
    Tsvetkov & Nazarov 2019); see ``soft_edit_distance``. By default gamma falls from 0.5 to 0.1 under teacher forcing.

    Attributes:
        value: the softmin of the alignments' costs, or the expectation of the cost under their Gibbs distribution.
        transposition: whether a swap of neighbouring letters is one edit.
    """

    value: Literal["softmin", "expected"] = "softmin"
    transposition: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("value", self.value, ("softmin", "expected"))
        check_switch("transposition", self.transposition)

    def distance(self, log_probs: Tensor, lengths: Tensor, batch: Batch, gamma: float) -> Tensor:
        """The mean soft edit distance of distributions ``(batch, steps, symbols)`` from the batch's right words."""
        return soft_edit_distance(
            log_probs,
            batch.target,
            eos=END,
            target_lengths=batch.target_lengths,
            lengths=lengths,
            gamma=gamma,
            transposition=self.transposition,
            value=self.value,
        )
