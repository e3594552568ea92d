"""What tells whether results are of the same recipe, lexicon and rows."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from speller.bundle import LEXICON, find
from speller.eval.judge import Rows
from speller.train.recipe import Recipe


def checksum(value: Any) -> str:
    """The SHA-256 of plain data, as JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def recipe_checksum(recipe: Recipe) -> str:
    """The SHA-256 of all that decides a training run."""
    return checksum(dataclasses.asdict(recipe))


def identity(digest: str, training: Recipe, rows: Rows) -> dict[str, str]:
    """The checksums of a study's recipe, of the lexicon that it trains with, and of what is judged."""
    return {
        "recipe_sha256": digest,
        "lexicon_sha256": hashlib.sha256(Path(training.lexicon or find("en") / LEXICON).read_bytes()).hexdigest(),
        "sets_sha256": checksum([rows.source, rows.wrong, rows.right]),
    }
