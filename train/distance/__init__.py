"""Exact and differentiable edit distances, as pure functions of tensors."""

from .alignment import Marginals, alignment_marginals, soft_alignment
from .costs import Costs, LearnedCosts
from .exact import edit_distance
from .warping import soft_dtw, soft_dtw_divergence
from .written import soft_dtw_distance, soft_edit_distance

__all__ = [
    "Costs",
    "LearnedCosts",
    "Marginals",
    "alignment_marginals",
    "edit_distance",
    "soft_alignment",
    "soft_dtw",
    "soft_dtw_distance",
    "soft_dtw_divergence",
    "soft_edit_distance",
]
