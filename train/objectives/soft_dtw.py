"""Soft dynamic time warping as a loss."""

from dataclasses import dataclass

from torch import Tensor

from speller.alphabet import END
from speller.train.batch import Batch
from speller.train.distance import soft_dtw_distance
from speller.train.objectives.soft_distance import SoftDistance


@dataclass(frozen=True, kw_only=True)
class SoftDTW(SoftDistance):
    """Soft-DTW between what the decoder writes and the right word: an edit distance without gaps.

    As ``SoftEdit``, with the recurrence R_ij = c_ij + softmin(R_{i-1,j}, R_{i,j-1}, R_{i-1,j-1}), R_00 = 0, of
    Cuturi & Blondel (2017). Each step is matched with a letter, one letter with as many steps as one likes:
    it cannot tell "helllo" from "hello", so add some cross-entropy to it. By default gamma falls from 0.5 to 0.1 under
    teacher forcing.
    """

    def distance(self, log_probs: Tensor, lengths: Tensor, batch: Batch, gamma: float) -> Tensor:
        """The mean soft-DTW of distributions ``(batch, steps, symbols)`` from the batch's right words."""
        return soft_dtw_distance(
            log_probs, batch.target, eos=END, target_lengths=batch.target_lengths, lengths=lengths, gamma=gamma
        )
