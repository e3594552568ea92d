"""Work on a stream, in order: by this process, or by several."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Tag = TypeVar("Tag")
Request = TypeVar("Request")
Answer = TypeVar("Answer")


def in_order(
    start: Callable[[], Callable[[Request], Answer]], items: Iterable[tuple[Tag, Request | None]], *, jobs: int = 1
) -> Iterator[tuple[Tag, Answer | None]]:
    """What comes of each request, beside its tag, in the order of the items; without a request, nothing comes of it.

    With more than one job, threads draw the items and processes answer the requests. They are started anew: nothing is
    forked, so it does not matter what ONNX Runtime or torch did before. The terminal's signals do not reach them, and
    they end as soon as this process does, however it ends.

    Args:
        start: makes the work's function; it, and the requests and answers, can be pickled.
        items: tags and requests, drawn as there is room.
        jobs: how many processes; 1: this one.

    Raises:
        ChildProcessError: a process was killed.
    """
    if jobs == 1:
        work = start()
        for tag, request in items:
            yield tag, None if request is None else work(request)
    else:
        # What it imports is not to hold up a command that does without.
        from speller.commands.processes import answers_of

        yield from answers_of(start, items, jobs)
