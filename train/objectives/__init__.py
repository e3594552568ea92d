"""What a model can be trained on, each objective under its name, and sums of them."""

import inspect
import re
from collections.abc import Callable, Mapping

from speller.train.objectives.cross_entropy import CrossEntropy
from speller.train.objectives.mrt import MinimumRisk
from speller.train.objectives.objective import Loss, Objective, WeightedSum
from speller.train.objectives.ocd import OptimalCompletion
from speller.train.objectives.raml import RewardAugmented
from speller.train.objectives.reinforce import Reinforce
from speller.train.objectives.soft_dtw import SoftDTW
from speller.train.objectives.soft_edit import SoftEdit

__all__ = [
    "OBJECTIVES",
    "CrossEntropy",
    "Loss",
    "MinimumRisk",
    "Objective",
    "OptimalCompletion",
    "Reinforce",
    "RewardAugmented",
    "SoftDTW",
    "SoftEdit",
    "WeightedSum",
    "read_objective",
]

OBJECTIVES: dict[str, Callable[..., Objective]] = {
    "cross-entropy": CrossEntropy,
    "soft-edit": SoftEdit,
    "soft-dtw": SoftDTW,
    "reinforce": Reinforce,
    "mrt": MinimumRisk,
    "ocd": OptimalCompletion,
    "raml": RewardAugmented,
}
"""The objectives by name; each takes its options by keyword."""

TERM = re.compile(r"\s*(?:(?P<weight>\d+\.?\d*|\.\d+)\s*\*)?\s*(?P<name>[a-z][a-z-]*)\s*")


def read_objective(text: str, options: Mapping[str, Mapping[str, object]] | None = None) -> WeightedSum:
    """The objective that a sum such as ``soft-edit+0.1*cross-entropy`` describes.

    Args:
        text: names of ``OBJECTIVES`` with optional weights, joined by ``+``.
        options: keyword options of the objectives, by name.

    Raises:
        ValueError: for an unknown name or option (the known ones are listed), a weight of 0, or what is no sum.
    """
    options = options or {}
    parts: dict[str, tuple[float, Objective]] = {}
    for term in text.split("+"):
        match = TERM.fullmatch(term)
        if not match:
            raise ValueError(f"an objective is a sum such as 'soft-edit+0.1*cross-entropy', not {text!r}")
        name = match["name"]
        if name not in OBJECTIVES:
            raise ValueError(f"unknown objective {name!r}; the known ones are {', '.join(OBJECTIVES)}")
        if name in parts:
            raise ValueError(f"{name} stands twice in {text!r}")
        weight, chosen = float(match["weight"] or 1), options.get(name, {})
        if not weight:
            raise ValueError(f"a weight of 0 leaves {name} out: do so, or name another weight in {text!r}")
        if not isinstance(chosen, Mapping):
            raise ValueError(f"options of {name} are a table, not {chosen!r}")
        known = list(inspect.signature(OBJECTIVES[name]).parameters)
        if unknown := set(chosen) - set(known):
            raise ValueError(f"{name} has no option {', '.join(sorted(unknown))}; it has {', '.join(known) or 'none'}")
        parts[name] = (weight, OBJECTIVES[name](**chosen))
    if unused := set(options) - set(parts):
        raise ValueError(f"options for {', '.join(sorted(unused))}, which {text!r} does not hold")
    return WeightedSum(parts)
