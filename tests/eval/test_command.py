import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from speller.cli import main
from speller.eval.judging import read_rows
from speller.train.pairs import part_of


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "essays.tsv"
    path.write_text("Recieve\tReceive\nfisix\tphysics\nther\tthere\nrare\trare\n")
    return str(path)


def run(*arguments):
    return CliRunner().invoke(main, ["eval", *map(str, arguments)])


@pytest.mark.usefixtures("loaded")
def test_json_is_alone_on_stdout(pairs, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run(pairs, "--baselines", "rf-osa,aspell,speller-beam", "--seen", pairs, "--json")
    assert done.exit_code == 0
    data = json.loads(done.stdout)
    assert [one["name"] for one in data["systems"]] == ["speller", "rf-osa", "speller-beam"]
    assert data["rows"]["misspelt"] == 3
    assert data["rows"]["parts"]["seen_pair"] == data["rows"]["parts"]["seen_word"] == {"seen": 3}
    assert list(data["rows"]["parts"]["source"]) == ["essays"]
    assert done.stderr == "aspell is left out: the program aspell is not installed\n"


@pytest.mark.usefixtures("loaded")
def test_table_and_page(pairs, tmp_path):
    done = run(pairs, "--html", tmp_path / "report.html")
    assert done.exit_code == 0
    for name in ("speller", "rf-levenshtein", "rf-osa", "rf-jarowinkler"):
        assert name in done.stdout
        assert name in (tmp_path / "report.html").read_text()
    assert done.stderr == ""


@pytest.mark.usefixtures("loaded")
def test_model_alone_on_a_few_rows(pairs):
    done = run(pairs, "--baselines", "none", "-n", 2, "--json")
    data = json.loads(done.stdout)
    assert [one["name"] for one in data["systems"]] == ["speller"]
    assert data["rows"]["misspelt"] + data["rows"]["valid"] == 2


PARROT = """
class Parrot:
    def suggest(self, word, n):
        return [word, word + "s"]


def make(corrector):
    assert "receive" in corrector.lexicon
    return Parrot()
"""

ENTRY_POINTS = """
[speller.baselines]
parrot = parrot:make
ghost = no_such_module:make
aspell = parrot:make
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Installs a package that offers baselines, as pip does: a module, and its metadata beside it."""
    (tmp_path / "parrot.py").write_text(PARROT)
    (tmp_path / "parrot-1.0.dist-info").mkdir()
    (tmp_path / "parrot-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: parrot\nVersion: 1.0\n")
    (tmp_path / "parrot-1.0.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("parrot", None)


@pytest.mark.usefixtures("loaded", "package")
def test_a_package_adds_a_baseline(pairs, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run(pairs, "--baselines", "parrot,ghost,aspell", "--json")
    data = json.loads(done.stdout)
    assert [one["name"] for one in data["systems"]] == ["speller", "parrot"]
    parrot = data["systems"][1]
    assert parrot["measures"]["top10"]["value"] == 0
    assert parrot["detection"]["recall"]["value"] == 0
    assert data["skipped"]["ghost"].startswith("the entry point no_such_module:make cannot be loaded: No module named")
    # The project's own names stay what they are.
    assert data["skipped"]["aspell"] == "the program aspell is not installed"


@pytest.mark.usefixtures("loaded")
def test_a_package_that_is_not_asked_for_is_not_loaded(pairs, package):
    assert run(pairs, "--baselines", "none", "--json").exit_code == 0
    assert "parrot" not in sys.modules


def test_default_rows_are_held_out():
    rows = read_rows([], limit=None)
    assert {part_of(word, language="en") for word in rows.right} == {"test"}
    assert len(rows) > 500
    assert read_rows([], limit=50).wrong == rows.wrong[:50]


def test_sources_of_one_name_stay_apart(tmp_path):
    paths = [tmp_path / folder / "pairs.tsv" for folder in ("one", "other")]
    for path in paths:
        path.parent.mkdir()
        path.write_text("teh\tthe\n")
    assert read_rows(list(map(str, paths)), limit=None).source == list(map(str, paths))


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--baselines", "rf-osa,rf-none"], "no system is called 'rf-none'; there are speller, "),
        (["--limit", "0"], "0 is not in the range x>=1"),
        (["--html", "nowhere/report.html"], "nowhere/report.html: there is no folder "),
        (["--html", "."], "is a directory"),
        (["missing.tsv"], "missing.tsv: no such file"),
        (["."], ". is a directory"),
        (["empty.tsv"], "empty.tsv holds no misspelling pairs"),
        (["broken.tsv"], "broken.tsv:2: 2 columns are needed, got 1: 'alone'"),
        (["valid.tsv"], "nothing is wrong"),
        (["--seen", "missing.tsv"], "missing.tsv: no such file"),
    ],
)
def test_bad_input_is_one_line(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {"empty": "", "broken": "teh\tthe\nalone\n", "valid": "The\tthe\n"}.items():
        (tmp_path / f"{name}.tsv").write_text(text)
    done = run(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    error = done.stderr.splitlines()[-1]
    assert error.startswith("Error: ")
    assert message in error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
@pytest.mark.usefixtures("loaded")
def test_page_that_cannot_be_written(pairs):
    done = run(pairs, "--html", "/dev/full")
    assert done.exit_code == 2
    assert done.stderr == "Error: /dev/full cannot be written: No space left on device\n"


def test_as_a_process(tmp_path):
    speller = [sys.executable, "-c", "from speller.cli import main; main()", "eval"]
    done = subprocess.run([*speller, "missing.tsv"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: missing.tsv: no such file")
    assert len(done.stderr.splitlines()) == 1
    shown = subprocess.run([*speller, "--help"], capture_output=True, text=True, check=True).stdout
    assert "--baselines" in shown
