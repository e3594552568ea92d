"""The recipe of a comparison of ways to misspell: what all arms share, and what each is shown."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from speller.eval.checksum import checksum
from speller.train.recipe import Recipe, read_toml
from speller.train.run import WEIGHTS

SHOWN = ("real", "uniform", "reverse")
"""All that arms may differ in."""

BACKWARDS = {"identity": 0.0, "prior": 0.0, "misspelling": 1.0}
"""Of a model that does nothing but misspell."""


@dataclass(frozen=True, kw_only=True)
class ErrorsRecipe:
    """What a comparison of ways to misspell is made of.

    Attributes:
        training: what all arms share, as a recipe's table.
        reverse: the models that learn to misspell, each with what its recipe states instead. ``start`` may name one of
            those before it. The best of them misspells for the arms.
        arms: each arm's shares of what it is shown (``SHOWN``); what these and ``identity`` leave is misspelled by the
            learned error model.
    """

    training: Mapping[str, Any]
    reverse: Mapping[str, Mapping[str, Any]]
    arms: Mapping[str, Mapping[str, float]]

    def __post_init__(self) -> None:
        for where in ("training", "reverse", "arms"):
            if not isinstance(getattr(self, where), Mapping) or not getattr(self, where):
                raise ValueError(f"{where} is a table with something in it, not {getattr(self, where)!r}")
        for where in ("reverse", "arms"):
            for name, stated in getattr(self, where).items():
                try:
                    if not isinstance(stated, Mapping):
                        raise ValueError(f"a table is needed, not {stated!r}")
                    if where == "reverse":
                        self.reverse_training(name, Path())
                    else:
                        self.training_of(name, Path(WEIGHTS))
                except ValueError as error:
                    raise ValueError(f"{where}.{name}: {error}") from None

    @classmethod
    def read(cls, path: Path) -> "ErrorsRecipe":
        """The recipe in a TOML file: ``[training]``, a ``[reverse.NAME]`` or more, and an ``[arms.NAME]`` for each arm.

        Raises:
            ValueError: for a file that is not TOML, or holds a name or a value that no such recipe has.
        """
        stated = read_toml(path)
        if set(stated) != {"training", "reverse", "arms"}:
            raise ValueError(f"{path}: a comparison has training, reverse, arms, not {', '.join(stated) or 'nothing'}")
        try:
            return cls(**stated)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def reverse_training(self, name: str, folder: Path) -> Recipe:
        """What one of the models that misspell trains with, where each has a folder of its name in this one."""
        stated = {**self.training, **BACKWARDS, **self.reverse[name]}
        before = list(self.reverse)[: list(self.reverse).index(name)]
        if stated.get("start") in before:
            stated["start"] = str(folder / stated["start"] / WEIGHTS)
        return Recipe.of(stated)

    def training_of(self, arm: str, reverse_weights: Path) -> Recipe:
        """What an arm trains with."""
        if unknown := set(self.arms[arm]) - set(SHOWN):
            raise ValueError(f"an arm has no {', '.join(sorted(unknown))}; it has {', '.join(SHOWN)}")
        shown = {**dict.fromkeys(SHOWN, 0.0), **self.arms[arm]}
        return Recipe.of({**self.training, **shown, "reverse_weights": str(reverse_weights)})

    @property
    def digest(self) -> str:
        """The SHA-256 of all that the recipe says."""
        return checksum(asdict(self))
