"""Soft dynamic time warping, and the divergence that is 0 for equal sequences."""

from torch import Tensor

from .alignment import solve_at_ends
from .checks import Faults, check_cost_matrices, check_costs, check_floating, check_gamma, check_shape
from .recurrence import Recurrence


def soft_dtw(
    costs: Tensor, *, lengths: Tensor | None = None, target_lengths: Tensor | None = None, gamma: float = 0.1
) -> Tensor:
    """Soft-DTW: the smoothed cost of the cheapest warping path, differentiable any number of times.

    R_ij = c_ij + softmin(R_{i-1,j}, R_{i,j-1}, R_{i-1,j-1}), and the value is R_nm. For float32 costs its
    gradient errs by less than 2e-5 up to length 1,000 for gamma from 1e-4 up.

    Args:
        costs: ``(batch, steps, targets)``, what it costs that a step and a target meet; infinity forbids it, outside a
            band for example. bfloat16 and float16 are taken as float32.
        lengths: ``(batch,)``, how many steps each pair has, at least 1; all by default. What lies past them is never
            read.
        target_lengths: ``(batch,)``, likewise.
        gamma: above 0; towards 0 the value becomes the dynamic time warping cost.

    Returns:
        ``(batch,)`` in float64 if the costs are, else in float32; infinity where everything is forbidden, with gradient
        0.

    Raises:
        ValueError: for arguments that do not fit together, NaN, a gamma that is not above 0, and an empty sequence,
            which has no path.

    Cuturi & Blondel, Soft-DTW: a Differentiable Loss Function for Time-Series, 2017.

    >>> import torch
    >>> soft_dtw(torch.tensor([[[0.0, 2.0], [1.0, 0.0]]]), gamma=0.01)
    tensor([0.])
    """
    faults = Faults()
    costs, lengths, target_lengths = check_cost_matrices(costs, lengths, target_lengths, least=1, faults=faults)
    faults.raise_first()
    return solve_at_ends(costs, None, None, lengths, target_lengths, Recurrence(check_gamma(gamma)))


def soft_dtw_divergence(
    costs: Tensor,
    step_costs: Tensor,
    target_costs: Tensor,
    *,
    lengths: Tensor | None = None,
    target_lengths: Tensor | None = None,
    gamma: float = 0.1,
) -> Tensor:
    """The soft-DTW divergence R(x, y) - R(x, x) / 2 - R(y, y) / 2, which is 0 for x = y where soft-DTW is below 0.

    Args:
        costs: ``(batch, steps, targets)``, between the two sequences.
        step_costs: ``(batch, steps, steps)``, of the first with itself.
        target_costs: ``(batch, targets, targets)``, of the second with itself.
        lengths: ``(batch,)``, as for ``soft_dtw``.
        target_lengths: ``(batch,)``, likewise.
        gamma: as for ``soft_dtw``.

    Returns:
        ``(batch,)``. At least 0 for costs such as squared Euclidean distances (Proposition 2 of the paper).

    Raises:
        ValueError: as ``soft_dtw`` does.

    Blondel, Mensch & Vert, Differentiable Divergences between Time Series, 2021, equation 12.
    """
    recurrence = Recurrence(check_gamma(gamma))
    faults = Faults()
    costs, lengths, target_lengths = check_cost_matrices(costs, lengths, target_lengths, least=1, faults=faults)
    batch, steps, targets = costs.shape
    check_shape("step_costs", step_costs, batch, steps, steps, like=costs)
    check_shape("target_costs", target_costs, batch, targets, targets, like=costs)
    step_costs = check_floating("step_costs", step_costs)
    target_costs = check_floating("target_costs", target_costs)
    check_costs("step_costs", step_costs, lengths, lengths, faults=faults)
    check_costs("target_costs", target_costs, target_lengths, target_lengths, faults=faults)
    faults.raise_first()
    across = solve_at_ends(costs, None, None, lengths, target_lengths, recurrence)
    within_steps = solve_at_ends(step_costs, None, None, lengths, lengths, recurrence)
    within_targets = solve_at_ends(target_costs, None, None, target_lengths, target_lengths, recurrence)
    return across - 0.5 * (within_steps + within_targets)
