"""The recipe of a study that leaves sources of misspellings out, each in turn."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from speller.eval.checksum import checksum
from speller.train.recipe import Recipe, read_toml

ALL = "all"
"""The arm that trains on all sources."""


@dataclass(frozen=True, kw_only=True)
class SourcesRecipe:
    """What such a study is made of.

    Attributes:
        training: what all arms share, as a recipe's table.
        sources: the sources by name, each as one or more that ``read_pairs`` takes.
    """

    training: Mapping[str, Any]
    sources: Mapping[str, Sequence[str]]

    def __post_init__(self) -> None:
        if not isinstance(self.training, Mapping) or "pairs" in self.training:
            raise ValueError(f"training is a table without pairs: those are the sources', not {self.training!r}")
        if not isinstance(self.sources, Mapping) or len(self.sources) < 2 or ALL in self.sources:
            raise ValueError(f"sources is a table of two or more, none of them called {ALL!r}, not {self.sources!r}")
        for name, pairs in self.sources.items():
            if not isinstance(pairs, list) or not pairs or not all(isinstance(source, str) for source in pairs):
                raise ValueError(f"sources.{name} is a list of files or names, not {pairs!r}")
        self.training_of(ALL)

    @classmethod
    def read(cls, path: Path) -> "SourcesRecipe":
        """The recipe in a TOML file: ``[training]``, and ``[sources]`` with a list for each.

        Raises:
            ValueError: for a file that is not TOML, or holds a name or a value that no such recipe has.
        """
        stated = read_toml(path)
        if set(stated) != {"training", "sources"}:
            raise ValueError(f"{path}: such a study has training and sources, not {', '.join(stated) or 'nothing'}")
        try:
            return cls(**stated)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    @property
    def arms(self) -> Sequence[str]:
        """All sources, and then each one's name for the arm that goes without it."""
        return [ALL, *self.sources]

    def training_of(self, arm: str) -> Recipe:
        """What an arm trains with."""
        pairs = [source for name, several in self.sources.items() if name != arm for source in several]
        return Recipe.of({**self.training, "pairs": pairs})

    @property
    def digest(self) -> str:
        """The SHA-256 of all that the recipe says."""
        return checksum(asdict(self))
