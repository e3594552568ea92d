"""Threads that help."""

import gc
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from speller.helpers import share

FORKED = """
import os, threading
from speller.helpers import share

def met():
    meeting = threading.Barrier(2, timeout=20)
    share(meeting.wait, 1)
    return threading.active_count()

assert met() == 2
child = os.fork()
assert met() == 2
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


def test_threads_work_beside_each_other_and_are_the_same_the_next_time() -> None:
    def on() -> set[threading.Thread]:
        meeting, met = threading.Barrier(3, timeout=20), set()

        def work() -> None:
            met.add(threading.current_thread())
            meeting.wait()

        share(work, 2)
        return met

    first = on()
    assert len(first) == 3
    assert threading.current_thread() in first
    assert all(on() == first for _ in range(5))


def test_work_is_over_when_all_that_began_have_ended() -> None:
    begun, ended, meeting = count(), count(), threading.Barrier(2, timeout=20)

    def work() -> None:
        next(begun)
        meeting.wait()
        if threading.current_thread() is not caller:
            threading.Event().wait(0.2)
        next(ended)

    caller = threading.current_thread()
    share(work, 1)
    assert next(begun) == next(ended) == 2


def test_nobody_waits_for_helpers_that_others_keep() -> None:
    given_back, kept = threading.Event(), threading.Barrier(5, timeout=20)

    def keep() -> None:
        kept.wait()
        assert given_back.wait(20)

    def work() -> None:
        done.append(threading.current_thread())

    done: list[threading.Thread] = []
    with ThreadPoolExecutor(1) as other:
        keeping = other.submit(share, keep, 3)
        kept.wait()
        share(work, 3)
        assert done == [threading.current_thread()]
        given_back.set()
        keeping.result()


@pytest.mark.parametrize("where", ["here", "beside"])
def test_what_fails_is_raised_and_the_next_is_helped_again(where: str) -> None:
    meeting = threading.Barrier(2, timeout=20)

    def work() -> None:
        meeting.wait()
        if (threading.current_thread() is caller) == (where == "here"):
            raise KeyError(where)

    caller = threading.current_thread()
    for _ in range(2):
        with pytest.raises(KeyError, match=where):
            share(work, 1)


def test_nothing_of_the_work_stays() -> None:
    class Work:
        def __init__(self) -> None:
            self.meeting = threading.Barrier(2, timeout=20)

        def __call__(self) -> None:
            self.meeting.wait()

    work = Work()
    left = weakref.ref(work)
    share(work, 1)
    del work
    for _ in range(100):
        gc.collect()
        if left() is None:
            break
        threading.Event().wait(0.05)  # the other thread is about to let go of it
    assert left() is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows forks no processes")
def test_a_forked_process_has_helpers_of_its_own_and_both_end() -> None:
    subprocess.run([sys.executable, "-c", FORKED], check=True, timeout=60)
