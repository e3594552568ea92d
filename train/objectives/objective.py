"""What an objective is: from a model and a batch to a loss and the scalars to watch."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from torch import Tensor, distributed

from speller.train.batch import Batch
from speller.train.model import SpellingModel


class Loss(NamedTuple):
    """What an objective returns.

    Attributes:
        value: the scalar to minimise.
        scalars: detached scalars for TensorBoard, by name.
    """

    value: Tensor
    scalars: dict[str, Tensor]


class Objective(Protocol):
    """What a model is trained on."""

    def __call__(self, model: SpellingModel, batch: Batch, *, progress: float = 1.0) -> Loss:
        """The loss of a batch; ``progress`` (0 to 1), how much of the training is done, is for what is annealed."""
        ...


def mean_count(count: Tensor) -> Tensor:
    """The mean of a count over the processes that share a batch.

    A sum over a process's rows, divided by it, is the batch's mean once it is averaged over the processes, also where
    they have different numbers of symbols. Of words each has as many.
    """
    if not distributed.is_available() or not distributed.is_initialized():
        return count
    mean = count.float()
    distributed.all_reduce(mean)
    return mean / distributed.get_world_size()


class WeightedSum:
    """A sum of objectives, each with its weight.

    Args:
        parts: the objectives by name, each with its weight.
    """

    def __init__(self, parts: Mapping[str, tuple[float, Objective]]) -> None:
        self.parts = dict(parts)

    def __call__(self, model: SpellingModel, batch: Batch, *, progress: float = 1.0) -> Loss:
        """The weighted sum of the parts' losses; each part's own loss is among the scalars, under its name."""
        total = batch.target.new_zeros((), dtype=next(model.parameters()).dtype)
        scalars: dict[str, Tensor] = {}
        with model.sharing():
            for name, (weight, objective) in self.parts.items():
                loss = objective(model, batch, progress=progress)
                total = total + weight * loss.value
                scalars |= {f"{name}/{scalar}": value for scalar, value in loss.scalars.items()}
                scalars[f"{name}/loss"] = loss.value.detach()
        return Loss(total, scalars)
