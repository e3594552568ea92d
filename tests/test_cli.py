"""The command, run as a process."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from speller.cli import COMMANDS

SPELLER = Path(sys.executable).with_name("speller")


def speller(*arguments: str, given: bytes = b"", **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([SPELLER, *arguments], input=given, capture_output=True, timeout=120, **options)  # type: ignore[call-overload,no-any-return]


def test_words_are_corrected_one_a_line() -> None:
    done = speller("correct", "recieve", "Definately", "London", "")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"receive\nDefinitely\nLondon\n\n", b"")


def test_a_pipe_is_corrected_line_by_line_and_blank_lines_are_kept() -> None:
    given = "recieve\n\nнет\r\n24/7\n".encode() + b"\xff\xfe\nwierd"
    done = speller("correct", given=given)
    assert done.returncode == 0
    assert done.stdout == "receive\n\nнет\n24/7\n".encode() + b"\xff\xfe\nweird\n"


def test_an_answer_comes_before_the_next_question() -> None:
    with subprocess.Popen([SPELLER, "correct"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        for written, right in ((b"recieve\n", b"receive\n"), (b"wierd\n", b"weird\n")):
            process.stdin.write(written)
            process.stdin.flush()
            assert process.stdout.readline() == right
        process.stdin.close()


def test_suggestions_as_json_lines() -> None:
    done = speller("suggest", "recieve", "xyzzy", "-n", "3", "--json")
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["written"] == "recieve"
    assert first["suggestions"][0]["word"] == "receive"
    assert set(first["suggestions"][0]) == {"word", "probability", "distance"}
    assert len(second["suggestions"]) == 3


def test_suggestions_for_a_person() -> None:
    assert speller("suggest", "recieve").stdout.startswith(b"recieve: receive ")


def test_info_tells_of_the_model() -> None:
    told = speller("info").stdout.decode()
    assert "objective" in told
    assert "CC BY-SA" in told


def test_help_names_every_command() -> None:
    told = speller("--help").stdout.decode()
    assert all(f"  {name} " in told for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["correct", "--model", "no-such"], "no-such"),
        (["info", "--model", "/dev/null"], "/dev/null"),
        (["correct", "--min-probability", "2", "a"], "--min-probability"),
        (["correct", "--device", "tpu", "a"], "tpu"),
        (["frobnicate"], "frobnicate"),
        (["eval", "no-such.tsv"], "no-such.tsv"),
    ],
)
def test_bad_input_gets_a_line_and_status_2(arguments: list[str], reason: str) -> None:
    done = speller(*arguments)
    assert done.returncode == 2
    assert reason in done.stderr.decode().splitlines()[-1]
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


def test_a_gpu_that_is_not_there_is_asked_for_in_vain() -> None:
    done = speller("correct", "--device", "cuda", "recieve", env={**os.environ, "CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert b"cuda" in done.stderr


def test_a_pipe_that_closes_is_no_error() -> None:
    command = f"yes recieve | head -20000 | '{SPELLER}' correct | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"receive\n", b"")


def test_interrupted_it_stops_without_a_traceback() -> None:
    with subprocess.Popen(
        [SPELLER, "correct"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"recieve\n")
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, b"")


def test_a_cold_start_is_quick() -> None:
    def seconds() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    times = []
    for _ in range(5):
        start = seconds()
        speller("correct", "recieve")
        times.append(seconds() - start)
    assert min(times) < 0.45  # of a processor's time, which other work on the machine does not stretch so much
