"""The house: imports run one way, and what a user installs needs no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = {"speller": 0, "train": 1, "eval": 2}
REACHING_UP = {
    ("speller/cli.py", "speller.eval"),
    ("speller/cli.py", "speller.train"),
    ("speller/commands/explain.py", "speller.train"),
    ("speller/runtime.py", "speller.train"),
}
WITH_AN_EXTRA = {"spark.py": {"pandas", "pyspark"}}
"""What is imported where an extra is asked for, and only then: the module's examples run without it."""


def imports(path: Path) -> set[str]:
    """The modules that a file imports, and those that it names to import later."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("speller."):
            found.add(node.value)
    return found


def floor_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOORS else "speller"


def test_imports_run_one_way_but_for_three_places() -> None:
    upward = set()
    for path in (path for floor in FLOORS for path in (ROOT / floor).rglob("*.py")):
        own = path.relative_to(ROOT).parts[0]
        for module in imports(path):
            if module.startswith("speller") and FLOORS[floor_of(module)] > FLOORS[own]:
                upward.add((path.relative_to(ROOT).as_posix(), f"speller.{floor_of(module)}"))
    assert upward == REACHING_UP


def test_the_library_needs_no_command() -> None:
    library = [path for path in (ROOT / "speller").glob("*.py") if path.name != "cli.py"]
    assert not [path.name for path in library if any(name.startswith("speller.commands") for name in imports(path))]


@pytest.mark.parametrize("path", sorted((ROOT / "speller").rglob("*.py")), ids=lambda path: path.name)
def test_the_ground_floor_imports_only_what_is_installed_with_it(path: Path) -> None:
    allowed = {*sys.stdlib_module_names, "speller", "numpy", "onnxruntime", "rapidfuzz", "click"}
    assert {module.split(".")[0] for module in imports(path)} <= allowed | WITH_AN_EXTRA.get(path.name, set())


def test_correcting_imports_no_torch() -> None:
    code = (
        "import sys; from speller.cli import main; main(['correct', 'recieve'], standalone_mode=False); "
        "print(sorted({'torch', 'numba', 'datasets', 'onnx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["receive", "[]"]
