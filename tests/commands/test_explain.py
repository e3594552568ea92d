"""``speller explain``, run as a process; where torch is not asked for, it is hidden, as if it were not installed."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from speller import Corrector

WITHOUT_TORCH = [
    sys.executable,
    "-c",
    "import sys; sys.modules['torch'] = None; from speller.cli import main; main(prog_name='speller')",
]
SAID = "no attribution to letters: it needs torch (pip install 'speller[train]')\n"


def explain(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*WITHOUT_TORCH, "explain", *map(str, arguments)], capture_output=True, text=True, encoding="utf-8", timeout=60
    )


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What a terminal is given."""
    given, taken = pty.openpty()
    with subprocess.Popen(
        [*WITHOUT_TORCH, "explain", *arguments], stdout=taken, stderr=subprocess.DEVNULL, env=os.environ | environment
    ) as process:
        os.close(taken)
        text = b""
        try:
            while part := os.read(given, 1 << 16):
                text += part
        except OSError:  # the other end of a terminal is gone
            pass
        os.close(given)
    assert process.returncode == 0
    return text.decode()


def test_without_torch_all_but_the_attribution_is_there() -> None:
    done = explain("recieve", "their", "", "x" * 100_000)
    assert (done.returncode, done.stderr) == (0, SAID)
    told = done.stdout.split("\n\n")
    assert told[0].startswith("recieve: corrected to receive")
    for part in ("ei swapped", "candidates", "letters that decide", "their: a known word", "attention", "'': nothing"):
        assert sum(part in each for each in told) >= 1
    assert "reverse" in told[3]
    assert done.stdout.count("a point is a factor") == 1
    assert "\x1b" not in done.stdout


def test_json_is_alone_on_stdout_and_says_what_suggest_says(english: Corrector) -> None:
    done = explain("recieve", "нет", "--json", "-n", "2")
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["written"], first["answer"], first["known"]) == ("recieve", "receive", False)
    assert [step for step in first["alignment"] if step["kind"] != "keep"] == [
        {"kind": "swap", "written": "ie", "meant": "ei"}
    ]
    assert [each["kind"] for each in first["candidates"]] == ["word", "word", "as written"]
    for suggestion, candidate in zip(english.suggest("recieve", 2), first["candidates"], strict=False):
        assert candidate["word"] == suggestion.word
        assert candidate["probability"] == pytest.approx(suggestion.probability, abs=1e-6)
        assert sum(candidate["parts"].values()) == pytest.approx(candidate["score"])
        features = candidate["features"].values()
        assert sum(each["value"] * each["weight"] for each in features) == pytest.approx(candidate["score"])
    decision = first["decision"]
    assert decision["between"] == ["receive", "received"]
    assert [len(decision[name]) for name in ("letters", "attention", "reverse")] == [7, 8, 8]
    assert decision["reading"] is None
    assert second["answer"] == "нет"


def test_a_terminal_is_given_colours_unless_it_wants_none() -> None:
    assert "\x1b[36m\x1b[1mi" in on_a_terminal("recieve", TERM="xterm", NO_COLOR="")
    for unwanted in ({"NO_COLOR": "1", "TERM": "xterm"}, {"NO_COLOR": "", "TERM": "dumb"}):
        assert "\x1b" not in on_a_terminal("recieve", **unwanted)


def test_a_page_is_written_beside_the_lines(tmp_path: Path) -> None:
    done = explain("recieve", "--html", tmp_path / "why.html")
    assert done.stdout.startswith("recieve: corrected to receive")
    text = (tmp_path / "why.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "<h1>recieve</h1>" in text


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "WORDS"),
        (["recieve", "-n", "0"], "-n"),
        (["recieve", "--model", "nowhere"], "'nowhere'"),
        (["recieve", "--html", "no/such/folder.html"], "no/such/folder.html"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments: list[str], reason: str) -> None:
    done = explain(*arguments)
    last = done.stderr.removeprefix(SAID)
    assert done.returncode == 2
    assert reason in last
    assert last.count("\n") == 1
