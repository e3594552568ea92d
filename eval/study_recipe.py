"""A study's recipe: which objectives are held against each other, from which weights on, and for how much work."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from speller.eval.checksum import checksum
from speller.train.objectives import CrossEntropy, read_objective
from speller.train.recipe import Recipe, read_toml

CONTROL = "control"
"""The arm that all others are held against."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One of the objectives that are compared.

    Attributes:
        objective: a sum of objectives, as ``read_objective`` takes it.
        options: keyword options of the objectives, by name.
        learning_rate: the highest; ``None`` takes that of the study's training.
    """

    objective: str
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    learning_rate: float | None = None


@dataclass(frozen=True, kw_only=True)
class StudyRecipe:
    """What a study is made of.

    Attributes:
        training: what all arms share, ``start`` and the batches among it. Its ``steps`` are the budget: as much work as
            so many steps of cross-entropy. ``prior`` and ``misspelling`` are 0: no arm trains anything but correcting.
        arms: the objectives by the names that the table gives them. ``control`` is cross-entropy with label smoothing:
            gains over a model that is not trained on as long, or not smoothed, prove nothing.
        seeds: one run each for every arm; a seed decides which batches are seen, and what is sampled.
        part: the half of the held-out words that is judged: options are chosen on ``fit``, and what was chosen is
            reported on ``test``, with other seeds.
        held_out: how many misspellings are judged at most, evenly from all of the part's.
        readings: how often a run is judged, evenly over its budget.
        word_counts: after how many words it is judged beside that.
    """

    training: Recipe
    arms: Mapping[str, Arm]
    seeds: Sequence[int]
    part: Literal["fit", "test"]
    held_out: int = 1000
    readings: int = 6
    word_counts: Sequence[int] = ()

    def __post_init__(self) -> None:
        if self.part not in ("fit", "test"):
            raise ValueError(f"part is fit or test, not {self.part!r}")
        for name in ("held_out", "readings"):
            if not _is_count(getattr(self, name)):
                raise ValueError(f"{name} is a whole number of at least 1, not {getattr(self, name)!r}")
        for name, least in (("seeds", 0), ("word_counts", 1)):
            numbers = getattr(self, name)
            if not isinstance(numbers, Sequence) or not all(_is_count(number, least=least) for number in numbers):
                raise ValueError(f"{name} is a list of whole numbers of at least {least}, not {numbers!r}")
        if len(set(self.seeds)) != len(self.seeds) or len(self.seeds) < 2:
            raise ValueError(f"seeds are two or more different ones, to see a spread, not {list(self.seeds)}")
        if not self.training.start:
            raise ValueError("training.start names the weights that all arms go on from; it is missing")
        for name in ("prior", "misspelling"):
            if share := getattr(self.training, name):
                raise ValueError(f"training.{name} is 0 in a study, not {share}")
        for name in self.arms:
            try:
                self.training_of(name, self.seeds[0])
            except ValueError as error:
                raise ValueError(f"arms.{name}: {error}") from None
        if CONTROL not in self.arms:
            raise ValueError(f"an arm named {CONTROL!r} is missing; there are {', '.join(self.arms) or 'none'}")
        control = read_objective(self.arms[CONTROL].objective, self.arms[CONTROL].options).parts
        smoothed = control.get("cross-entropy", (0.0, None))[1]
        if len(control) > 1 or not isinstance(smoothed, CrossEntropy) or not smoothed.label_smoothing:
            raise ValueError(f"arms.{CONTROL} is cross-entropy with label_smoothing above 0, nothing else")

    @classmethod
    def read(cls, path: Path) -> "StudyRecipe":
        """The recipe in a TOML file: ``[training]`` as ``speller train`` takes it, and an ``[arms.NAME]`` for each arm.

        Raises:
            ValueError: for a file that is not TOML, or holds a name or a value that no such recipe has.
        """
        stated = read_toml(path)
        try:
            stated["training"] = _build(Recipe, stated.get("training"), "training", prior=0.0)
            arms = stated.get("arms")
            if not isinstance(arms, dict):
                raise ValueError(f"arms is a table of tables, not {arms!r}")
            stated["arms"] = {name: _build(Arm, arm, f"arms.{name}") for name, arm in arms.items()}
            recipe: StudyRecipe = _build(cls, stated, "a study")
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        return recipe

    def training_of(self, arm: str, seed: int) -> Recipe:
        """What one run of an arm trains with."""
        chosen = self.arms[arm]
        rate = self.training.learning_rate if chosen.learning_rate is None else chosen.learning_rate
        return dataclasses.replace(
            self.training, objective=chosen.objective, options=chosen.options, learning_rate=rate, seed=seed
        )

    def as_data(self) -> dict[str, Any]:
        """The recipe as plain data for JSON."""
        return dataclasses.asdict(self)

    @property
    def digest(self) -> str:
        """The SHA-256 of all that the recipe says."""
        return checksum(self.as_data())


def _build(kind: type[Any], stated: object, where: str, **defaults: object) -> Any:
    """A dataclass from a TOML table, with ``defaults`` for what it does not state."""
    if not isinstance(stated, dict):
        raise ValueError(f"{where} is a table, not {stated!r}")
    entries = dataclasses.fields(kind)
    known = {entry.name for entry in entries}
    if unknown := set(stated) - known:
        raise ValueError(f"{where} has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}")
    plain = (dataclasses.MISSING, dataclasses.MISSING)
    needed = {entry.name for entry in entries if (entry.default, entry.default_factory) == plain}
    if missing := needed - set(stated):
        raise ValueError(f"{where} lacks {', '.join(sorted(missing))}")
    lists = {name: tuple(value) if isinstance(value, list) else value for name, value in stated.items()}
    try:
        return kind(**defaults | lists)
    except ValueError as error:
        raise ValueError(str(error) if kind is StudyRecipe else f"{where}: {error}") from None


def _is_count(value: object, *, least: int = 1) -> bool:
    return type(value) is int and value >= least
