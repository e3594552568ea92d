"""Work on a stream by several processes: in order, in constant memory, and with nobody left behind."""

import pickle
import queue
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from threading import Lock, Thread
from typing import IO, Any, cast

AHEAD = 4
"""So many requests a process may lie between what was read and what was written."""


def answers_of(start: Callable[[], Any], items: Iterable[tuple[Any, Any]], jobs: int) -> Iterator[tuple[Any, Any]]:
    """As ``jobs.in_order`` does it with more than one job."""
    stream = _Stream(items, AHEAD * jobs)
    workers = [_Worker(start) for _ in range(jobs)]
    for worker in workers:
        Thread(target=worker.work_through, args=(stream,), daemon=True).start()
    try:
        while (entry := stream.drawn.get()) is not None:
            tag, promise = entry
            yield tag, promise.result()
    finally:
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.process.wait()


class _Stream:
    """Items that several threads draw from, and the promises of what comes of them, in order."""

    def __init__(self, items: Iterable[tuple[Any, Any]], room: int) -> None:
        self.drawn: queue.Queue[tuple[Any, Future[Any]] | None] = queue.Queue(room)
        """The tag and the promise of each item, then None."""
        self._items = iter(items)
        self._lock = Lock()
        self._over = False

    def draw(self) -> tuple[Any, Future[Any]] | None:
        """The next request, and the promise to keep; None where there are no more."""
        with self._lock:
            while not self._over:
                promise: Future[Any] = Future()
                try:
                    tag, request = next(self._items)
                except StopIteration:
                    self._over = True
                    self.drawn.put(None)
                except BaseException as error:  # whoever waits for the answers hears of it
                    self._over = True
                    promise.set_exception(error)
                    self.drawn.put((None, promise))
                else:
                    self.drawn.put((tag, promise))
                    if request is not None:
                        return request, promise
                    promise.set_result(None)
        return None


class _Worker:
    """A process that answers requests one after the other."""

    def __init__(self, start: Callable[[], Any]) -> None:
        self.process = subprocess.Popen(
            # -P: a file of the working folder is no module of ours.
            [sys.executable, "-P", "-m", "speller.commands.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._start = start

    def work_through(self, stream: _Stream) -> None:
        """Answer what can be drawn from a stream, until its end or that of the process."""
        greeting: list[Any] = [self._start]
        while (entry := stream.draw()) is not None:
            request, promise = entry
            try:
                well, answer = self._ask(*greeting, request)
            except (BrokenPipeError, EOFError, pickle.UnpicklingError):
                status = self.process.wait()
                promise.set_exception(ChildProcessError(f"a process of --jobs was ended by others (status {status})"))
                return
            greeting = []
            if well:
                promise.set_result(answer)
            else:
                promise.set_exception(answer)

    def _ask(self, *requests: Any) -> Any:
        given, taken = cast(IO[bytes], self.process.stdin), cast(IO[bytes], self.process.stdout)
        for request in requests:
            pickle.dump(request, given, pickle.HIGHEST_PROTOCOL)
        given.flush()
        return pickle.load(taken)
