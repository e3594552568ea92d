"""What single edits cost: by symbol, given or learned."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Costs:
    """What it costs to insert, delete and substitute each symbol of a vocabulary.

    Attributes:
        insertion: ``(symbols,)``, of a symbol of the target that was not written.
        deletion: ``(symbols,)``, of a written symbol that the target lacks.
        substitution: ``(symbols, symbols)``, of writing the row's symbol for the column's; usually 0 on its diagonal.

    Raises:
        ValueError: where the three do not speak of the same symbols.

    >>> costs = Costs.unit(4)
    >>> costs.substitution[0]
    tensor([0., 1., 1., 1.])
    """

    insertion: Tensor
    deletion: Tensor
    substitution: Tensor

    def __post_init__(self) -> None:
        symbols = self.insertion.numel()
        shapes = [tuple(each.shape) for each in (self.insertion, self.deletion, self.substitution)]
        if shapes != [(symbols,), (symbols,), (symbols, symbols)]:
            raise ValueError(f"costs must have the shapes (symbols,), (symbols,) and (symbols, symbols), not {shapes}")

    @classmethod
    def unit(cls, symbols: int) -> "Costs":
        """Every edit costs 1."""
        return cls(torch.ones(symbols), torch.ones(symbols), 1 - torch.eye(symbols))


class LearnedCosts(nn.Module):
    """Costs that learn: positive, and with a mean of 1 over the symbols as often as they are used.

    Without the fixed mean all would run to 0; without the frequencies the mean would hide in symbols that nobody uses.

    Args:
        frequencies: ``(symbols,)``, how often each symbol is used, in any unit; 0 for one whose costs do not count,
            such as a special symbol.

    Raises:
        ValueError: for a negative or infinite frequency, and where fewer than two symbols are used.

    >>> costs = LearnedCosts(torch.tensor([0.0, 2.0, 1.0]))()
    >>> costs.insertion.detach()
    tensor([1., 1., 1.])
    """

    frequencies: Tensor
    pair_frequencies: Tensor

    def __init__(self, frequencies: Tensor) -> None:
        super().__init__()
        if frequencies.dim() != 1 or not bool((frequencies >= 0).all() & frequencies.isfinite().all()):
            raise ValueError(f"frequencies must be finite numbers from 0 up, (symbols,), not {frequencies}")
        if int((frequencies > 0).sum()) < 2:
            raise ValueError("frequencies must be above 0 for two symbols at least, for one to stand in for another")
        shares = frequencies.float() / frequencies.sum()
        pairs = shares[:, None] * shares * (1 - torch.eye(len(shares)))
        self.register_buffer("frequencies", shares)
        self.register_buffer("pair_frequencies", pairs / pairs.sum())
        self.insertion = nn.Parameter(torch.zeros_like(shares))
        self.deletion = nn.Parameter(torch.zeros_like(shares))
        self.substitution = nn.Parameter(torch.zeros_like(pairs))

    def forward(self) -> Costs:
        """The costs as they are now, differentiable."""
        different = 1 - torch.eye(len(self.frequencies), device=self.frequencies.device)
        return Costs(
            _with_unit_mean(self.insertion, self.frequencies),
            _with_unit_mean(self.deletion, self.frequencies),
            _with_unit_mean(self.substitution, self.pair_frequencies) * different,
        )


def _with_unit_mean(logarithms: Tensor, weights: Tensor) -> Tensor:
    used = weights > 0
    logarithms = torch.where(used, logarithms, 0)
    positive = (logarithms - logarithms.amax().detach()).exp()
    mean = (weights * positive).sum()
    return torch.where(used, positive / mean, 1)
