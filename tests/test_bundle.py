import json
import shutil
from pathlib import Path

import pytest

from speller import Corrector
from speller.bundle import FILES, Config, find, write_config
from speller.ranking import Ranking, Stage

UNFITTED = {"weights": {}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(find("en"), tmp_path / "model"))


def test_a_folder_serves_as_a_name_does(folder: Path, english: Corrector) -> None:
    assert Corrector.load(folder).suggest("fisix") == english.suggest("fisix")


@pytest.mark.parametrize("name", ["config.json", *FILES])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ValueError, match=name):
        Corrector.load(folder)


@pytest.mark.parametrize("name", ["config.json", *FILES])
def test_a_cut_off_file_is_named(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=name):
        Corrector.load(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_is_noticed(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=name):
        Corrector.load(folder)


def test_a_configuration_is_read_as_it_was_written(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_text(name)
    stages = Stage({"distance": -1.5, "length": 0.2}), Stage({"read": 1.0}), Stage({"reverse": 0.5, "kept-reverse": 2})
    ranking = Ranking(*stages)
    write_config(tmp_path, ranking, {"language": "el"})
    read = Config.read(tmp_path)
    assert (read.ranking, read.card) == (ranking, {"language": "el"})
    assert {name: state["bytes"] for name, state in read.files.items()} == {name: len(name) for name in FILES}


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"format": 1},
        {"ranking": {}},
        {"ranking": None},
        {"ranking": {"plain": UNFITTED, "full": UNFITTED}},
        {"ranking": {"plain": UNFITTED, "read": UNFITTED, "full": UNFITTED, "keep": 9}},
        {"files": {}},
        {"files": []},
        {"card": None},
    ],
)
def test_a_configuration_that_is_none_is_refused(folder: Path, change: dict[str, object]) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=r"config\.json"):
        Corrector.load(folder)


def test_a_file_in_a_models_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_text("no model")
    with pytest.raises(ValueError, match="no such folder"):
        Corrector.load(path)
