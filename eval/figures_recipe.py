"""The recipe of published figures: which model is judged on what, beside which systems."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from speller.eval.checksum import checksum
from speller.train.recipe import read_toml


@dataclass(frozen=True, kw_only=True)
class FiguresTable:
    """One table.

    Attributes:
        systems: ``speller``, which is the model, and those that it is held against, as ``speller eval`` names them.
        sets: the sets' names, and what the table calls them. Without any, it is of the part of codespell's dictionary
            that training leaves out.
    """

    systems: Sequence[str]
    sets: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.systems, Sequence) or len(self.systems) < 2 or self.systems[0] != "speller":
            raise ValueError(f"systems is a list of names, 'speller' and then others, not {self.systems!r}")
        if not isinstance(self.sets, Mapping):
            raise ValueError(f"sets is a table of what each set is called, not {self.sets!r}")


@dataclass(frozen=True, kw_only=True)
class FiguresRecipe:
    """What figures are of.

    Attributes:
        model: a model that ships, or a model's folder.
        limit: the most rows of a set, drawn at random.
        seed: of that draw, and of those for intervals and tests.
        names: what the tables call the systems, where not by the names that ``speller eval`` knows.
        tables: the tables, by name.
    """

    model: str = "en"
    limit: int
    seed: int = 0
    names: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, FiguresTable]

    def __post_init__(self) -> None:
        for name, least in (("limit", 1), ("seed", 0)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise ValueError(f"{name} is a whole number of at least {least}, not {value!r}")

    @classmethod
    def read(cls, path: Path) -> "FiguresRecipe":
        """The recipe in a TOML file.

        Raises:
            ValueError: for a file that is not TOML, or holds a name or a value that no such recipe has.
        """
        stated = read_toml(path)
        try:
            tables = stated.get("tables")
            if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
                raise ValueError(f"tables is a table of tables, not {tables!r}")
            stated["tables"] = {name: FiguresTable(**table) for name, table in tables.items()}
            return cls(**stated)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: not a recipe of figures: {error}") from None

    def as_data(self) -> dict[str, Any]:
        """The recipe as plain data for JSON."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """The SHA-256 of all that the recipe says."""
        return checksum(self.as_data())

    @property
    def sets(self) -> set[str]:
        """The sets that its tables are of."""
        return {name for table in self.tables.values() for name in table.sets}
