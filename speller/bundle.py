"""A model's folder: what is in it, saving, loading, checking."""

import dataclasses
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speller.lexicon import Lexicon
from speller.ranking import Ranking, Stage
from speller.runtime import Runtime, open_runtime
from speller.spacing import Spacing

FORMAT = 5
CONFIG = "config.json"
LEXICON = "lexicon.npz"
ENCODER = "encoder.onnx"
DECODER = "decoder.onnx"
OUTPUT = "output.onnx"
PRIORS = "priors.npy"
FILES = (LEXICON, ENCODER, DECODER, OUTPUT, PRIORS)

PIECE = 1 << 16
"""So many bytes of a file are read at once for its checksum."""


@dataclass(frozen=True)
class Bundle:
    """A model, ready to correct with.

    Attributes:
        lexicon: the words it knows.
        runtime: its three graphs.
        priors: ``(words,)`` float16, the log-probability of each word of the lexicon where the model read nothing.
        ranking: its fitted weights.
        card: what ``speller info`` tells of it: language, objective, data, licence, figures.
        folder: where it lies.
    """

    lexicon: Lexicon
    runtime: Runtime
    priors: NDArray[np.float16]
    ranking: Ranking
    card: dict[str, Any]
    folder: Path

    @classmethod
    def load(cls, name_or_path: str | Path = "en", *, device: str = "cpu") -> "Bundle":
        """Load a model that ships, by its name, or one from a folder, to run on a device (see ``open_runtime``).

        Raises:
            ValueError: for a folder that is missing or no bundle, or a file in it that is missing, cut off or changed;
                the message names it.
        """
        folder = find(name_or_path)
        config = Config.read(folder)
        for name in FILES:
            _check(folder / name, config.files[name])
        lexicon = Lexicon.load(folder / LEXICON)
        runtime = open_runtime(folder / ENCODER, folder / DECODER, folder / OUTPUT, device=device)
        priors = np.load(folder / PRIORS, allow_pickle=False)
        return cls(lexicon, runtime, priors, config.ranking, config.card, folder)


@dataclass(frozen=True)
class Config:
    """What a bundle's ``config.json`` says.

    Attributes:
        card: what ``speller info`` tells of the model.
        ranking: its fitted weights.
        files: size (``bytes``) and checksum (``crc32``) of each other file.
    """

    card: dict[str, Any]
    ranking: Ranking
    files: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, folder: Path) -> "Config":
        """What stands in a bundle's folder.

        Raises:
            ValueError: the file is missing, or not one that ``write_config`` wrote; the message names it.
        """
        path = folder / CONFIG
        try:
            stated = json.loads(path.read_text(encoding="utf-8"))
            if stated["format"] != FORMAT:
                raise ValueError(f"format {stated['format']!r}, where this version reads {FORMAT}")
            stages = stated["ranking"]
            stages |= {name: Stage(**stages[name]) for name in ("plain", "read", "full")}
            stages["alike"] = tuple(stages["alike"])
            if stages.get("spacing"):
                stages["spacing"] = Spacing(**stages["spacing"])
            ranking = Ranking(**stages)
            return cls(dict(stated["card"]), ranking, {name: stated["files"][name] for name in FILES})
        except FileNotFoundError:
            raise ValueError(f"{path}: missing; a model's folder has one") from None
        except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{path}: not a model's configuration: {error!r}") from None


def find(name_or_path: str | Path) -> Path:
    """The folder of a model that ships, by its name, or the folder itself.

    Raises:
        ValueError: there is none of that name and no such folder.
    """
    shipped = Path(__file__).parent / name_or_path
    if Path(name_or_path).name == str(name_or_path) and (shipped / CONFIG).is_file():
        return shipped
    folder = Path(name_or_path)
    if not folder.is_dir():
        raise ValueError(f"no model of the name {str(name_or_path)!r} ships, and there is no such folder")
    return folder


def write_config(folder: Path, ranking: Ranking, card: dict[str, Any]) -> None:
    """Write ``config.json`` for the graphs and the lexicon that lie in the folder, with their sizes and checksums."""
    files = {name: _state(folder / name) for name in FILES}
    config = {"format": FORMAT, "card": card, "ranking": dataclasses.asdict(ranking), "files": files}
    (folder / CONFIG).write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _state(path: Path) -> dict[str, Any]:
    """A file's size and its CRC-32: against accidents, for who changes a file on purpose can change what is stated too.

    A cryptographic checksum would load OpenSSL: 3.5 MB of memory, and longer than the files' reading takes.
    """
    checksum = 0
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            checksum = zlib.crc32(piece, checksum)
        return {"bytes": file.tell(), "crc32": f"{checksum:08x}"}


def _check(path: Path, stated: dict[str, Any]) -> None:
    try:
        found = _state(path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    if found != stated:
        was, is_now = (" bytes with checksum ".join(map(str, state.values())) for state in (stated, found))
        raise ValueError(f"{path}: cut off or changed: {is_now}, where its model has {was}")
