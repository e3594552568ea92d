"""`speller text` and `speller check`, run as processes on files."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

SPELLER = Path(sys.executable).with_name("speller")
ROOT = Path(__file__).parents[2]

WRONG = "I recieve it, see https://recieve.com\r\nand teh rest.\n\nWich one?"
RIGHT = "I receive it, see https://recieve.com\r\nand the rest.\n\nWhich one?"


def speller(
    *arguments: str | Path, folder: Path | None = None, given: bytes = b"", **options: object
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [SPELLER, *arguments], input=given, capture_output=True, timeout=120, cwd=folder, check=False, **options
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file.md").write_bytes(WRONG.encode())
    return tmp_path / "file.md"


def test_corrected_text_goes_to_stdout(file: Path) -> None:
    done = speller("text", file)
    assert (done.returncode, done.stdout, done.stderr) == (0, RIGHT.encode(), b"")
    assert file.read_bytes() == WRONG.encode()


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_stdin_is_corrected(arguments: Sequence[str]) -> None:
    given = b"\xef\xbb\xbfteh \xff\xfe \0 na\xc3\xafve\rrecieve"
    done = speller("text", *arguments, given=given)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == given.replace(b"teh", b"the").replace(b"recieve", b"receive")


def test_edits_as_json_lines(file: Path) -> None:
    done = speller("text", "--json", "file.md", folder=file.parent)
    edits = [json.loads(line) for line in done.stdout.splitlines()]
    found = [(edit["file"], edit["line"], edit["column"], edit["wrong"]) for edit in edits]
    assert found == [("file.md", 1, 3, "recieve"), ("file.md", 2, 5, "teh"), ("file.md", 4, 1, "Wich")]
    for edit in edits:
        assert WRONG[edit["offset"] :].startswith(edit["wrong"])
        assert set(edit["suggestions"][0]) == {"word", "probability", "distance"}
    assert [edit["suggestions"][0]["word"] for edit in edits] == ["receive", "the", "Which"]
    assert len(edits[0]["suggestions"]) == 5


@pytest.mark.parametrize("program", [["git", "apply"], ["patch", "--binary", "-p1", "-s"]], ids=["git", "patch"])
def test_a_difference_can_be_applied(file: Path, program: list[str]) -> None:
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    difference = speller("text", "--diff", "file.md", folder=file.parent).stdout
    assert b"\x1b" not in difference
    subprocess.run(program, input=difference, cwd=file.parent, check=True)
    assert file.read_bytes() == RIGHT.encode()


@pytest.mark.parametrize(
    ("content", "corrected"),
    [
        (b"teh\r\nend", b"the\r\nend"),
        (b"teh\rend\r", b"the\rend\r"),
        (b"teh\nmixed\r\nteh\r", b"the\nmixed\r\nthe\r"),
        (b"\xef\xbb\xbfteh\n", b"\xef\xbb\xbfthe\n"),
        (b"caf\xe9 teh\n", b"caf\xe9 the\n"),
        ("naïve “teh” ".encode(), "naïve “the” ".encode()),
    ],
    ids=["CRLF", "CR", "mixed", "byte order mark", "no UTF-8", "no end"],
)
def test_files_are_changed_and_nothing_but_words(tmp_path: Path, content: bytes, corrected: bytes) -> None:
    path, link = tmp_path / "text", tmp_path / "link"
    path.write_bytes(content)
    path.chmod(0o754)
    link.symlink_to("text")
    done = speller("text", "--write", link)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert path.read_bytes() == corrected
    assert path.stat().st_mode & 0o777 == 0o754
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["link", "text"]


def test_a_file_without_misspellings_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("All is well.\n")
    os.utime(path, ns=(1, 1))
    before = path.stat()
    assert speller("text", "--write", path).returncode == 0
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


@pytest.mark.slow
def test_killed_at_any_moment_it_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    old = b"Teh quick brown fox.\n" * 30_000
    new = old.replace(b"Teh", b"The")
    path = tmp_path / "text"
    path.write_bytes(old)
    begun = time.monotonic()
    speller("text", "--write", path)
    whole = time.monotonic() - begun
    assert path.read_bytes() == new
    seen = set()
    for moment in range(10):
        path.write_bytes(old)
        with subprocess.Popen([SPELLER, "text", "--write", path]) as process:
            time.sleep(whole * (0.3 + moment / 10))
            process.send_signal(signal.SIGKILL)
        content = path.read_bytes()
        assert content in (old, new)
        seen.add(content)
        if sys.platform == "linux":
            assert os.listdir(tmp_path) == ["text"]
    assert old in seen


def test_several_files_of_which_some_cannot_be_read(file: Path) -> None:
    (file.parent / "binary").write_bytes(b"teh\0")
    (file.parent / "wide").write_bytes("teh".encode("utf-16"))
    (file.parent / "folder").mkdir()
    files = ["file.md", "gone", "folder", "binary", "wide", "empty"]
    (file.parent / "empty").touch()
    done = speller("text", *files, folder=file.parent)
    assert done.returncode == 2
    assert done.stdout == RIGHT.encode()
    told = done.stderr.decode().splitlines()
    assert [line.split(": ")[1] for line in told] == ["gone", "folder", "binary", "wide"]
    assert [reason in line for reason, line in zip(["No such", "directory", "NUL", "UTF-16"], told, strict=True)]
    done = speller("text", "--write", *files, folder=file.parent)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 4)
    assert file.read_bytes() == RIGHT.encode()
    assert (file.parent / "binary").read_bytes() == b"teh\0"


AS_NOBODY = """if True:
    import os, speller.cli, speller.commands.text
    from speller import Corrector
    Corrector.load("en").correct("recieve")
    os.seteuid(65534)
    speller.cli.main()
"""
"""Runs the command as a user for whom modes count; what root alone may read was imported before."""


@pytest.mark.parametrize(
    ("folder_mode", "mode"), [(0o555, 0o666), (0o777, 0o444), (0o777, 0o000)], ids=["folder", "file", "unreadable"]
)
def test_what_may_not_be_written_is_left_alone(folder_mode: int, mode: int) -> None:
    command = [sys.executable, "-c", AS_NOBODY] if os.geteuid() == 0 else [str(SPELLER)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "text")
        path.write_text("teh\n")
        path.chmod(mode)
        os.chmod(folder, folder_mode)
        done = subprocess.run([*command, "text", "--write", path], capture_output=True, check=False)
        os.chmod(folder, 0o755)
        path.chmod(0o644)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, b"", 1)
        assert f"{path}: " in done.stderr.decode()
        assert path.read_text() == "teh\n"
        assert os.listdir(folder) == ["text"]


def test_misspellings_are_listed_and_fail_a_build(file: Path) -> None:
    done = speller("check", "file.md", folder=file.parent)
    assert (done.returncode, done.stderr) == (1, b"")
    told = [line.split(", ")[0] for line in done.stdout.decode().splitlines()]
    assert told == ["file.md:1:3: recieve -> receive", "file.md:2:5: teh -> the", "file.md:4:1: Wich -> Which"]
    assert speller("check", "file.md", "gone", folder=file.parent).returncode == 2
    done = speller("check", "--json", "-", given=RIGHT.encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    done = speller("check", "--json", "-", given=WRONG.encode())
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[0])["file"] == "-"


def test_words_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "words").write_text("# ours\nspeler 5\nKuberntes\n")
    (tmp_path / "pyproject.toml").write_text('[tool.speller]\nwords = ["recieve"]\nexclude = ["vendor"]\n')
    (tmp_path / "vendor").mkdir()
    for path in (tmp_path / "a", tmp_path / "vendor" / "b"):
        path.write_text("recieve Kuberntes teh spelerr\n")
    done = speller("text", "a", "vendor/b", "--dictionary", "words", folder=tmp_path)
    assert done.stdout == b"recieve Kuberntes the speler\nrecieve Kuberntes teh spelerr\n"
    done = speller("text", "--dictionary", "words", folder=tmp_path, given=b"recieve teh\n")
    assert done.stdout == b"recieve the\n"
    (tmp_path / "vendor" / "binary").write_bytes(b"\0")
    assert speller("check", "vendor/b", "vendor/binary", folder=tmp_path).returncode == 0
    (tmp_path / "pyproject.toml").write_text("[tool.speller]\nmin-probability = 1\n")
    assert speller("text", "a", folder=tmp_path).stdout == b"recieve Kuberntes teh spelerr\n"
    assert speller("text", "a", "--min-probability", "0.5", folder=tmp_path).stdout.startswith(b"receive ")


def test_the_pre_commit_hooks_do_what_they_say(file: Path) -> None:
    yaml = pytest.importorskip("yaml")
    hooks = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    paths = {"PATH": f"{SPELLER.parent}:{os.environ['PATH']}"}

    def run(hook: str) -> int:
        return subprocess.run(
            [*hooks[hook]["entry"].split(), "file.md"], cwd=file.parent, env=os.environ | paths, capture_output=True
        ).returncode

    assert run("speller") == 1
    assert run("speller-write") == 0
    assert file.read_bytes() == RIGHT.encode()
    assert run("speller") == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["text", "--write"], "--write"),
        (["text", "--write", "-"], "--write"),
        (["text", "--jobs", "0", "file.md"], "--jobs"),
        (["text", "--jobs", "2", "--device", "cuda", "file.md"], "--jobs"),
        (["text", "--jobs", "2", "--model", "gone", "file.md"], "gone"),
        (["text", "--model", "gone", "file.md"], "gone"),
        (["text", "--dictionary", "gone", "file.md"], "gone"),
        (["text", "--dictionary", "broken", "file.md"], "broken:2"),
        (["text", "--frobnicate"], "--frobnicate"),
        (["text", "--diff", "--json", "file.md"], "--json"),
        (["check"], "FILES"),
        (["check", "project/a"], "pyproject.toml"),
        (["completion", "tcsh"], "tcsh"),
        (["--frobnicate"], "--frobnicate"),
    ],
)
def test_bad_input_gets_a_line_and_status_2(file: Path, arguments: list[str], reason: str) -> None:
    (file.parent / "broken").write_text("fine\nnot fine\n")
    (file.parent / "project").mkdir()
    (file.parent / "project" / "pyproject.toml").write_text("[tool.speller]\nfrobnicate = 1\n")
    done = speller(*arguments, folder=file.parent)
    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.splitlines()) == 1
    assert reason in done.stderr.decode()


@pytest.mark.parametrize("redirection", ["<&-", ">&-"])
def test_a_closed_stream_gets_a_line_and_status_2(redirection: str) -> None:
    for command in ("text", "correct"):
        done = subprocess.run(
            ["bash", "-c", f"echo teh | '{SPELLER}' {command} {redirection}"], capture_output=True, check=False
        )
        assert (done.returncode, done.stdout) == (2, b"")
        assert len(done.stderr.splitlines()) == 1
        assert b"closed" in done.stderr
