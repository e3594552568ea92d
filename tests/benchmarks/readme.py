"""Puts what the results in eval/results say between the README's marks.

python tests/benchmarks/readme.py
"""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from speller.eval.figures import markdown as figures_markdown
from speller.eval.sources_report import markdown as sources_markdown
from speller.eval.sources_study import Results

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"

BENCHMARKS = {
    "speed": "correcting",
    "stages": "stages",
    "harmless": "harmless",
    "training": "training",
    "gradient-flow": "gradient_flow",
    "distances": "distances",
}
"""What measures the results that are told between marks of their name, and puts them into words."""

STUDIES: dict[str, Callable[[], str]] = {
    "sources": lambda: sources_markdown(Results.of(results("sources"))),
    "figures": lambda: figures_markdown(results("english")),
}
"""The marks of what a command of ``speller`` measures and puts into words."""

MARKS = (*STUDIES, *BENCHMARKS)


def results(name: str) -> dict[str, Any]:
    """The results of a name."""
    found: dict[str, Any] = json.loads((ROOT / f"eval/results/{name}.json").read_text(encoding="utf-8"))
    return found


def benchmark(name: str) -> ModuleType:
    """The benchmark that measures results of a name."""
    return import_module(BENCHMARKS[name])


def block(name: str) -> str:
    """What stands between two marks, with both of them."""
    told = STUDIES[name]() if name in STUDIES else benchmark(name).markdown(results(name))
    return f"<!-- {name} -->\n{told}<!-- {name} -->\n"


def main() -> None:
    """Writes the README anew."""
    text = README.read_text(encoding="utf-8")
    for name in MARKS:
        mark = f"<!-- {name} -->\n"
        before, _, after = text.split(mark)
        text = f"{before}{block(name)}{after}"
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
