"""Differentiable distances between what a decoder writes, as distributions, and the word it should have written."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from .checks import (
    Faults,
    check_finite,
    check_floating,
    check_gamma,
    check_lengths,
    check_shape,
    check_symbols,
    check_value,
)
from .costs import Costs
from .recurrence import Recurrence, solve


def soft_edit_distance(
    log_probs: Tensor,
    targets: Tensor,
    *,
    eos: int,
    target_lengths: Tensor | None = None,
    lengths: Tensor | None = None,
    gamma: float = 0.1,
    transposition: bool = False,
    costs: Costs | None = None,
    value: Literal["softmin", "expected"] = "softmin",
    reduction: Literal["mean", "sum", "none"] = "mean",
) -> Tensor:
    """The soft edit distance between a decoder's distributions and its targets, over all lengths it may write.

    With e_t the probability of the end symbol at step t, a word of length l is written with probability
    q_l = e_{l+1} prod_{k<=l} (1 - e_k), or with what is left, for the last. The distance is sum_l q_l R_lm, where R is
    the table of ``soft_alignment`` for the substitution costs c_ij = 1 - p_i(y_j) / (1 - e_i) and gap costs of 1. For
    one-hot distributions and gamma towards 0 it is the Levenshtein distance, or with ``transposition`` the optimal
    string alignment distance.

    Args:
        log_probs: ``(batch, steps, symbols)``, normalised over the symbols; minus infinity for symbols that cannot be
            written. bfloat16 and float16 are taken as float32.
        targets: ``(batch, longest)``, the right words without their end symbol, padded with anything.
        eos: the end symbol.
        target_lengths: ``(batch,)``; the whole row by default.
        lengths: ``(batch,)``, how many of the steps count; all by default. A word that has not ended by then is taken
            to end there.
        gamma: the softmin's smoothing, above 0.
        transposition: whether swapping two neighbours is one edit, beside the costs of the two crossed matches.
        costs: per symbol; all 1 by default.
        value: ``"softmin"``, or ``"expected"``: the expected cost of an alignment, which is nearer the edit distance.
        reduction: ``"mean"`` over the batch (0 for an empty one), ``"sum"``, or ``"none"``.

    Returns:
        a scalar, or ``(batch,)`` with ``reduction="none"``.

    Raises:
        ValueError: for arguments that do not fit together, targets outside the symbols, log_probs that are not
            normalised, and a gamma that is not above 0.

    After Ofitserov, Tsvetkov & Nazarov, Soft edit distance for differentiable comparison of symbolic sequences, 2019,
    with the length as a random variable.

    >>> certain = torch.eye(4)[torch.tensor([[1, 2, 3, 3, 0]])].log()
    >>> soft_edit_distance(certain, torch.tensor([[1, 3, 2]]), eos=0, gamma=0.01)
    tensor(2.)
    """
    recurrence = Recurrence(check_gamma(gamma), 1.0 if transposition else None, check_value(value))
    word = _read(log_probs, targets, eos, lengths, target_lengths, reduction, costs=costs)
    if costs is None:
        matching = 1 - word.probabilities_of_targets()
        batch, steps, longest = matching.shape
        deletion, insertion = matching.new_ones(batch, steps), matching.new_ones(batch, longest)
    else:
        matching, deletion, insertion = _expected_costs(word, costs)
    distances = solve(
        matching, deletion, insertion, word.length_probabilities(), word.lengths, word.target_lengths, recurrence
    )
    return _reduce(distances, reduction)


def soft_dtw_distance(
    log_probs: Tensor,
    targets: Tensor,
    *,
    eos: int,
    target_lengths: Tensor | None = None,
    lengths: Tensor | None = None,
    gamma: float = 0.1,
    reduction: Literal["mean", "sum", "none"] = "mean",
) -> Tensor:
    """Soft-DTW between a decoder's distributions and its targets, over all lengths it may write.

    As ``soft_edit_distance``, with the table of ``soft_dtw``: sum_l q_l R_lm. Doubled letters cost nothing: "helllo" is
    as near to "hello" as that itself. A word of no letters has no warping path; it costs what one letter would that is
    never right, 1 for each letter of the target.

    Arguments and results as for ``soft_edit_distance``, but no target may be empty.
    """
    recurrence = Recurrence(check_gamma(gamma))
    word = _read(log_probs, targets, eos, lengths, target_lengths, reduction, least=1)
    chances = word.length_probabilities()
    written = torch.cat([torch.zeros_like(chances[:, :1]), chances[:, 1:]], dim=1)
    matching = 1 - word.probabilities_of_targets()
    distances = solve(matching, None, None, written, word.lengths, word.target_lengths, recurrence)
    return _reduce(distances + chances[:, 0] * word.target_lengths, reduction)


def _reduce(values: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return values
    return values.sum() / max(len(values), 1) if reduction == "mean" else values.sum()


class _Word(NamedTuple):
    """A written word as distributions.

    Attributes:
        characters: ``(batch, steps, symbols)``, log-probabilities given that the word does not end here; minus infinity
            for the end symbol, and throughout where the word is sure to end.
        ends: ``(batch, steps)``, log-probability that it ends here.
        goes_on: ``(batch, steps)``, log-probability that it does not.
        targets: ``(batch, longest)``, 0 past the lengths.
        lengths, target_lengths: ``(batch,)``.
    """

    characters: Tensor
    ends: Tensor
    goes_on: Tensor
    targets: Tensor
    lengths: Tensor
    target_lengths: Tensor

    def probabilities_of_targets(self) -> Tensor:
        """How likely each step is to write each target: ``(batch, steps, longest)``."""
        index = self.targets[:, None, :].expand(-1, self.characters.shape[1], -1)
        return self.characters.gather(2, index).exp()

    def length_probabilities(self) -> Tensor:
        """How likely each length is: ``(batch, steps + 1)``, 0 past the steps that count."""
        steps = torch.arange(self.ends.shape[1], device=self.ends.device)
        counts = steps < self.lengths[:, None]
        survives = torch.where(counts, self.goes_on, 0).cumsum(1)
        start = survives.new_zeros(len(survives), 1)
        reached = torch.cat([start, survives], dim=1)
        ending = torch.cat(
            [torch.where(counts, self.ends, 0), start], dim=1
        )  # whoever gets past the last step ends there
        lengths = torch.arange(self.ends.shape[1] + 1, device=self.ends.device)
        return torch.where(lengths <= self.lengths[:, None], (reached + ending).exp(), 0)


def _read(
    log_probs: Tensor,
    targets: Tensor,
    eos: int,
    lengths: Tensor | None,
    target_lengths: Tensor | None,
    reduction: str,
    *,
    least: int = 0,
    costs: Costs | None = None,
) -> _Word:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', not {reduction!r}")
    check_shape("log_probs", log_probs, None, None, None)
    log_probs = check_floating("log_probs", log_probs)
    batch, steps, symbols = log_probs.shape
    check_shape("targets", targets, batch, None, like=log_probs)
    if targets.dtype != torch.int64:
        raise ValueError(f"targets must be int64, not {targets.dtype}")
    if not 0 <= eos < symbols:
        raise ValueError(f"eos must be one of the {symbols} symbols, not {eos}")
    longest = targets.shape[1]
    faults = Faults()
    lengths = check_lengths("lengths", lengths, batch, steps, log_probs, faults=faults)
    target_lengths = check_lengths(
        "target_lengths", target_lengths, batch, longest, log_probs, least=least, faults=faults
    )
    check_symbols("targets", targets, target_lengths, symbols, eos=eos, faults=faults)
    targets = torch.where(torch.arange(longest, device=targets.device) < target_lengths[:, None], targets, 0)
    counts = torch.arange(steps, device=targets.device) < lengths[:, None]
    log_probs = torch.where(counts[:, :, None], log_probs, 0)
    characters = log_probs.masked_fill(torch.arange(symbols, device=targets.device) == eos, -torch.inf)
    # Where the word is sure to end, log-sum-exp has no gradient to give: it gets zeros to work on, and its result is
    # not used.
    alive = (characters > -torch.inf).any(2)
    total = torch.where(alive[:, :, None], characters, 0).logsumexp(2)
    goes_on = torch.where(alive, total, -torch.inf)
    ends = log_probs[:, :, eos]
    _check_normalised(ends, goes_on, counts, faults)
    if costs is not None:
        _check_costs(costs, log_probs, faults)
    faults.raise_first()
    characters = torch.where(alive[:, :, None], characters - total[:, :, None], -torch.inf)
    return _Word(characters, ends, goes_on, targets, lengths, target_lengths)


def _check_normalised(ends: Tensor, goes_on: Tensor, counts: Tensor, faults: Faults) -> None:
    if torch.compiler.is_compiling():
        return
    totals = torch.logaddexp(ends.detach(), goes_on.detach())
    wrong = counts & ~(totals.abs() < 0.05)  # bfloat16 rounds that far
    faults.add(
        wrong.any(),
        lambda: (
            "log_probs must be normalised over the symbols, but the probabilities of a step sum to "
            f"{float(totals[wrong][0].exp()):.4g}"
        ),
    )


def _check_costs(costs: Costs, log_probs: Tensor, faults: Faults) -> None:
    symbols = log_probs.shape[2]
    for kind, shape in (("insertion", (symbols,)), ("deletion", (symbols,)), ("substitution", (symbols, symbols))):
        name, given = f"costs.{kind}", getattr(costs, kind)
        check_shape(name, given, *shape, like=log_probs)
        check_finite(name, given, faults=faults)


def _expected_costs(word: _Word, costs: Costs) -> tuple[Tensor, Tensor, Tensor]:
    insertion, deletion, substitution = (
        each.to(word.characters.dtype) for each in (costs.insertion, costs.deletion, costs.substitution)
    )
    probabilities = word.characters.exp()
    index = word.targets[:, None, :].expand(-1, probabilities.shape[1], -1)
    with torch.autocast(probabilities.device.type, enabled=False):  # which would multiply in bfloat16
        return (probabilities @ substitution).gather(2, index), probabilities @ deletion, insertion[word.targets]
