import os
import stat
from pathlib import Path

import pytest

from speller.commands import replacing
from speller.commands.replacing import Replacement


@pytest.fixture(params=["unnamed", "named"], autouse=True)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With and without files that have no name."""
    if request.param == "named":
        monkeypatch.setattr(replacing, "UNNAMED", None)
    elif replacing.UNNAMED is None:
        pytest.skip("this system has no files without a name")
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "text"
    path.write_bytes(b"old text")
    path.chmod(0o640)
    return path


def replacement(path: Path) -> Replacement:
    return Replacement(str(path), os.stat(path))


def test_it_takes_the_files_place_and_mode(path: Path) -> None:
    new = replacement(path)
    new.copy(4)
    new.write(b"words")
    assert path.read_bytes() == b"old text"
    new.commit()
    assert path.read_bytes() == b"old words"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(path.parent) == ["text"]


def test_given_up_it_leaves_all_as_it_was(path: Path) -> None:
    new = replacement(path)
    new.write(b"new")
    new.discard()
    assert path.read_bytes() == b"old text"
    assert os.listdir(path.parent) == ["text"]


def test_while_it_is_written_only_a_named_one_is_seen(path: Path, kind: str) -> None:
    new = replacement(path)
    assert len(os.listdir(path.parent)) == (1 if kind == "unnamed" else 2)
    new.discard()


def test_a_link_stays_one(path: Path) -> None:
    link = path.with_name("link")
    folder = path.parent / "folder"
    folder.mkdir()
    link.symlink_to(path)
    new = replacement(link)
    new.write(b"new")
    new.commit()
    assert link.is_symlink()
    assert path.read_bytes() == b"new"


def test_a_file_that_changed_meanwhile_is_left_alone(path: Path) -> None:
    new = replacement(path)
    new.write(b"new")
    path.write_bytes(b"changed by others")
    with pytest.raises(OSError, match="changed while it was read") as caught:
        new.commit()
    assert caught.value.filename == str(path)
    new.discard()
    assert path.read_bytes() == b"changed by others"
    assert os.listdir(path.parent) == ["text"]


def test_a_missing_folder_is_told_of_under_the_files_name(path: Path) -> None:
    gone = path.parent / "gone" / "text"
    with pytest.raises(FileNotFoundError) as caught:
        Replacement(str(gone), os.stat(path))
    assert caught.value.filename == str(gone)
