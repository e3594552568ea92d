"""Work by several processes: the work's functions are of the standard library, since a worker imports no tests."""

import json
import operator
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from speller.commands.jobs import in_order
from speller.commands.processes import AHEAD

UPPER = partial(partial, str.upper)
"""Makes ``str.upper``."""

CALL = partial(partial, operator.call)
"""Makes what calls a request."""

SLEEP = partial(partial, time.sleep)
"""Makes ``time.sleep``."""


@pytest.mark.parametrize("jobs", [1, 3])
def test_answers_come_in_the_order_of_the_items(jobs: int) -> None:
    items = [(place, None if place % 5 == 0 else f"word {place}") for place in range(200)]
    answers = list(in_order(UPPER, items, jobs=jobs))
    assert answers == [(place, word and word.upper()) for place, word in items]


def test_a_slow_answer_keeps_its_place() -> None:
    waits = [0.3, 0.0, 0.0, 0.0]
    assert [tag for tag, _ in in_order(SLEEP, [(wait, wait) for wait in waits], jobs=2)] == waits


def test_processes_work_side_by_side() -> None:
    list(in_order(SLEEP, [(0, 0.0)] * 2, jobs=2))
    begun = time.monotonic()
    list(in_order(SLEEP, [(place, 0.5) for place in range(4)], jobs=4))
    assert time.monotonic() - begun < 1.6  # one after the other takes 2 seconds


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_goes_wrong_is_told_of_in_its_place(jobs: int) -> None:
    answers = in_order(partial(partial, json.loads), [(0, "1"), (1, "[2]"), (2, "nonsense"), (3, "3")], jobs=jobs)
    assert [next(answers), next(answers)] == [(0, 1), (1, [2])]
    with pytest.raises(json.JSONDecodeError):
        next(answers)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_start_that_fails_is_told_of(jobs: int) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list(in_order(partial(int, "no number"), [(0, "a")], jobs=jobs))  # type: ignore[arg-type]


def test_items_that_fail_are_told_of_after_the_answers_before() -> None:
    def items() -> Iterator[tuple[int, str]]:
        yield 0, "a"
        raise OSError("the disk is gone")

    answers = in_order(UPPER, items(), jobs=2)
    assert next(answers) == (0, "A")
    with pytest.raises(OSError, match="the disk is gone"):
        next(answers)


def test_no_more_is_drawn_than_there_is_room_for() -> None:
    drawn = 0

    def items() -> Iterator[tuple[int, str]]:
        nonlocal drawn
        for place in range(10_000):
            drawn += 1
            yield place, "a" * 1000

    answers = in_order(UPPER, items(), jobs=2)
    next(answers)
    time.sleep(0.3)
    assert drawn <= AHEAD * 2 + 4
    answers.close()  # type: ignore[attr-defined]


def test_a_killed_process_is_told_of() -> None:
    killing = in_order(partial(partial, os.kill, 0), [(0, signal.SIGKILL)], jobs=2)  # a worker's own process group
    with pytest.raises(ChildProcessError, match="--jobs"):
        next(killing)


def alive(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_nobody_is_left_behind() -> None:
    processes = {answer for _, answer in in_order(CALL, [(place, os.getpid) for place in range(8)], jobs=2)}
    assert os.getpid() not in processes
    assert not any(map(alive, processes))


def test_nobody_is_left_behind_by_a_process_that_is_killed() -> None:
    code = """if True:
        import operator, os, time
        from functools import partial
        from speller.commands.jobs import in_order
        requests = [partial(os.getpid), partial(os.getpid), partial(time.sleep, 60), partial(time.sleep, 60)]
        for _, answer in in_order(partial(partial, operator.call), enumerate(requests), jobs=2):
            print(answer, flush=True)
    """
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        processes = [int(parent.stdout.readline()) for _ in range(2)]
        assert all(map(alive, processes))
        parent.kill()
    until = time.monotonic() + 10
    while any(map(alive, processes)):
        assert time.monotonic() < until
        time.sleep(0.05)
