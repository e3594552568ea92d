"""The wheel, as a user installs it."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from speller.bundle import FILES

ROOT = Path(__file__).parent.parent


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return copy_source(tmp_path / "source")


def copy_source(folder: Path) -> Path:
    """The project as it is checked out, without what was built there before."""
    for name in ("speller", "train", "eval"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, source = tmp_path_factory.mktemp("wheel"), copy_source(tmp_path_factory.mktemp("project") / "source")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)]
    subprocess.run(build, check=True)
    return next(folder.glob("speller-*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_the_house_and_the_english_model(wheel: Path) -> None:
    held = zipfile.ZipFile(wheel).namelist()
    modules = {
        Path("speller" if floor == "speller" else f"speller/{floor}", path.relative_to(ROOT / floor)).as_posix()
        for floor in ("speller", "train", "eval")
        for path in (ROOT / floor).rglob("*.py")
    }
    assert modules == {name for name in held if name.endswith(".py")}
    assert {name.split("/")[0] for name in held if ".dist-info" not in name} == {"speller"}
    model = {"config.json", *FILES, "LICENSE"}
    assert {f"speller/en/{name}" for name in model} == {name for name in held if name.startswith("speller/en/")}
    assert {"speller/py.typed", "speller/commands/explanation.html"} <= set(held)
    assert "speller/train/recipes/en.toml" in held
    assert not [name for name in held if name.endswith((".c", ".h"))]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")
def test_the_wheel_holds_the_compiled_search_for_every_python(wheel: Path) -> None:
    assert "speller/_nearest.abi3.so" in zipfile.ZipFile(wheel).namelist()
    assert "-cp311-abi3-" in wheel.name


@pytest.mark.slow
def test_it_is_installed_and_corrects_without_a_compiler(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(source)]
    subprocess.run(install, check=True, env=os.environ | {"CC": "no-such-compiler"})
    assert not list(target.glob("speller/_nearest.*so"))
    # Without `site`, the checkout that this environment may have installed is not found first.
    paths = os.pathsep.join([str(target), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    code = "from speller import correct, neighbours; print(correct('recieve'), neighbours.compiled)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert done.stdout == "receive None\n"


@pytest.mark.slow
def test_the_model_in_the_wheel_is_small(wheel: Path) -> None:
    files = [file for file in zipfile.ZipFile(wheel).infolist() if file.filename.startswith("speller/en/")]
    assert sum(file.file_size for file in files) < 12e6


@pytest.mark.slow
def test_it_corrects_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    programs = tmp_path / "venv" / "bin"
    subprocess.run([programs / "pip", "install", "--quiet", str(wheel)], check=True, cwd=tmp_path)
    corrected = subprocess.run(
        [programs / "speller", "correct", "recieve"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert corrected.stdout == "receive\n"
    listed = subprocess.run([programs / "pip", "list"], capture_output=True, text=True, check=True)
    assert "torch" not in listed.stdout
    trained = subprocess.run(
        [programs / "speller", "train", "--out", "run"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert trained.returncode == 2
    assert "pip install 'speller[train]'" in trained.stderr
    assert len(trained.stderr.splitlines()) == 1
