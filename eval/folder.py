"""A folder of results that grow run by run, so that what was stopped goes on."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def claim(path: Path, identity: Mapping[str, str], *, kind: str) -> None:
    """Make the folder of a file that says whose it is this one's, or see that it is.

    Raises:
        ValueError: it is another's of this kind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_whole(path, json.dumps(identity, indent=1) + "\n")
    found = json.loads(path.read_text(encoding="utf-8"))
    if different := [name for name in identity if found.get(name) != identity[name]]:
        raise ValueError(f"{path.parent}: holds another {kind} ({', '.join(different)} differ); name another folder")


def write_whole(path: Path, text: str) -> None:
    """Write a file in one move: whoever is killed meanwhile leaves the old one or the new one."""
    unfinished = path.with_name(path.name + ".partial")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)
