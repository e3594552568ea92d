"""Threads that help where there is much to do."""

import os
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from queue import SimpleQueue
from threading import Lock, Thread

Work = Callable[[], None]


def share(work: Work, helpers: int) -> None:
    """Do some work in this thread and, where they are free, in others beside it; over when all that began have ended.

    Args:
        work: takes what is left to do, piece by piece, until nothing is.
        helpers: so many others at most.

    Raises:
        Exception: what the work raised, here or in another thread.
    """
    _helpers_of(os.getpid()).share(work, helpers)


class _Helpers:
    """Threads that wait to help.

    They stay, as a new one might take new memory from the system beside what the last one used; but Python does not
    wait for them at its end.
    """

    def __init__(self) -> None:
        self._offers: SimpleQueue[tuple[Future[None], Work]] = SimpleQueue()
        self._started = 0
        self._lock = Lock()

    def share(self, work: Work, helpers: int) -> None:
        with self._lock:
            while self._started < helpers:
                Thread(target=_help, args=(self._offers,), daemon=True).start()
                self._started += 1
        shares = [Future[None]() for _ in range(helpers)]
        try:
            for each in shares:
                self._offers.put((each, work))
            work()
        finally:
            begun = [each for each in shares if not each.cancel()]
            failures = [each.exception() for each in begun]
        for failure in filter(None, failures):
            raise failure


def _help(offers: "SimpleQueue[tuple[Future[None], Work]]") -> None:
    while True:
        promise, work = offers.get()
        if promise.set_running_or_notify_cancel():
            try:
                work()
            except BaseException as error:
                promise.set_exception(error)
            else:
                promise.set_result(None)
        del promise, work  # with it, what it works on would stay


@cache
def _helpers_of(process: int) -> _Helpers:
    """A process's own: one that was forked has none of the threads, and perhaps a lock that nobody will give back."""
    return _Helpers()
