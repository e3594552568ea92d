"""The command on long streams: constant memory, several processes, and silence when it is stopped."""

import filecmp
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from speller.cli import main

SPELLER = Path(sys.executable).with_name("speller")
SENTENCE = "The quick brown fox jumps over the lazy dog, and receives a letter from London."
SMALL, BIG = 100_000, 20_000_000


def write(path: Path, shape: str, size: int) -> Path:
    """Text without a misspelling, of about so many bytes."""
    unit = {"lines": f"{SENTENCE}\n", "words": SENTENCE.replace(" ", "\n") + "\n"}.get(shape, f"{SENTENCE} ")
    unit = unit.replace(" ", "") if shape == "no white space" else unit
    path.write_text((unit * (size // len(unit))).rstrip("\n") + "\n")
    return path


MEASURE = """if True:
    import atexit, re, resource, sys
    from pathlib import Path
    from speller.cli import main

    @atexit.register
    def tell():
        own = int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])
        print(own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)

    main()
"""
"""Runs the command and tells its own peak of memory and the highest of its processes', in KiB."""


def peak(arguments: list[str], given: Path) -> int:
    """The most memory that the command takes for a file on stdin, in bytes; what it writes is the file itself."""
    written = given.with_suffix(".out")
    with open(given, "rb") as stdin, open(written, "wb") as stdout:
        command = [sys.executable, "-c", MEASURE, *arguments]
        done = subprocess.run(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, check=True)
    assert filecmp.cmp(given, written, shallow=False)
    return int(done.stderr) * 1024


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for its memory in /proc")
@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        (["text"], "lines"),
        (["text"], "one line"),
        (["text"], "no white space"),
        (["text", "--jobs", "2"], "lines"),
        (["correct"], "words"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_memory_does_not_grow_with_the_stream(tmp_path: Path, arguments: list[str], shape: str) -> None:
    small, big = (peak(arguments, write(tmp_path / f"{size}", shape, size)) for size in (SMALL, BIG))
    assert big - small < BIG / 2


@pytest.mark.parametrize("command", ["text", "correct", "suggest"])
def test_several_processes_give_what_one_gives(tmp_path: Path, command: str) -> None:
    words = [f"{wrong}{place % 7 * 'x'}" for place in range(400) for wrong in ("recieve", "Wich", "naïve", "24/7")]
    given = tmp_path / "given"
    given.write_text("\n".join(words) * 8, encoding="utf-8")
    outputs = set()
    for jobs in ("1", "2"):
        with open(given, "rb") as stdin:
            done = subprocess.run([SPELLER, command, "--jobs", jobs], stdin=stdin, capture_output=True, check=True)
        assert done.stderr == b""
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert outputs.pop().count(b"\n") >= len(words) * 8 - 8


def test_several_processes_answer_before_the_next_question() -> None:
    with subprocess.Popen(
        [SPELLER, "correct", "--jobs", "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin
        assert process.stdout
        for written, right in ((b"recieve\n", b"receive\n"), (b"wierd\n", b"weird\n"), (b"teh\n", b"the\n")):
            process.stdin.write(written)
            assert process.stdout.readline() == right
        process.stdin.close()


@pytest.mark.parametrize("command", ["text", "text --jobs 2", "correct --jobs 2", "suggest"])
def test_a_pipe_that_closes_is_no_error(command: str) -> None:
    line = f"yes recieve | head -40000 | '{SPELLER}' {command} | head -1; echo ${{PIPESTATUS[2]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=False)
    assert done.stdout.startswith(b"rece" if command != "suggest" else b"recieve: receive")
    assert done.stdout.endswith(b"\n141\n")  # as of any program that dies of a closed pipe
    assert done.stderr == b""


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the processes in /proc")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupted_it_stops_silently_with_all_that_it_started(jobs: str) -> None:
    with subprocess.Popen(
        [SPELLER, "text", "--jobs", jobs],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"I recieve it.\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"I receive it.\n"
        workers = children(process.pid)
        assert len(workers) == (2 if jobs == "2" else 0)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, b"")
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_interrupted_while_it_starts_it_is_silent_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(module: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("importlib.import_module", interrupted)
    done = CliRunner().invoke(main, ["text"])
    assert (done.exit_code, done.output) == (130, "")


def test_a_word_of_enormous_length_is_refused() -> None:
    done = subprocess.run([SPELLER, "correct"], input=b"a" * 2_000_000, capture_output=True, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, b"", 1)


def test_progress_is_told_on_a_terminal_alone(tmp_path: Path) -> None:
    given = write(tmp_path / "given", "lines", SMALL)
    watching, terminal = pty.openpty()
    with subprocess.Popen([SPELLER, "text"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=terminal) as process:
        os.close(terminal)
        assert process.stdin
        assert process.stdout
        seen = b""
        for _ in range(3):
            process.stdin.write(given.read_bytes())
            process.stdin.flush()
            for _ in range(given.read_bytes().count(b"\n") - 1):
                process.stdout.readline()
            time.sleep(0.6)
        process.stdin.close()
        process.stdout.read()
        try:
            while part := os.read(watching, 4096):
                seen += part
        except OSError:  # Linux's way to say that the other end is closed
            pass
    assert b"words/s" in seen
    assert seen.endswith(b"\r\x1b[K")
    assert b"\n" not in seen


@pytest.mark.parametrize(
    ("typed", "completed"),
    [("speller sug", "suggest"), ("speller text --dif", "--diff"), ("speller completion z", "zsh")],
)
def test_bash_completes_the_command(typed: str, completed: str) -> None:
    words = typed.split()
    script = f"""
        export PATH='{SPELLER.parent}':"$PATH"
        eval "$(speller completion bash)"
        COMP_WORDS=({typed}) COMP_CWORD={len(words) - 1}
        _speller_completion speller
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == ([completed], "")


def test_completing_a_subcommand_imports_none_of_them() -> None:
    code = "import sys; from speller.cli import main, COMMANDS; import click; "
    code += "found = main.shell_complete(click.Context(main), ''); assert len(found) == len(COMMANDS); "
    code += "print({'numpy', 'torch', 'onnxruntime'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_too(shell: str) -> None:
    done = subprocess.run([SPELLER, "completion", shell], capture_output=True, text=True, check=True)
    assert f"{shell}_complete" in done.stdout
