"""A process that works for another one: requests come from its stdin, and answers go to its stdout."""

import os
import pickle
import traceback
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any


def main() -> None:
    """Answer requests for as long as whoever makes them lives; whatever else writes to stdout writes to stderr.

    The first thing received is a function that makes the work's function, each further one a request. An answer is
    whether it went well, and what the work's function returned or raised.
    """
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    received: SimpleQueue[Any] = SimpleQueue()
    Thread(target=_receive, args=(requests, received), daemon=True).start()
    try:
        _answer(received, answers)
    except BrokenPipeError:
        os._exit(1)


def _receive(requests: IO[bytes], received: "SimpleQueue[Any]") -> None:
    """Takes requests in beside the work, so that the process ends in the middle of it when nobody is left to ask."""
    try:
        while True:
            received.put(pickle.load(requests))
    except EOFError:
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _answer(received: "SimpleQueue[Any]", answers: IO[bytes]) -> None:
    failure = None
    try:
        work = received.get()()
    except Exception as error:
        failure = error
    while True:
        request = received.get()
        try:
            if failure:
                raise failure
            answer = (True, work(request))
        except Exception as error:
            answer = (False, error)
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


if __name__ == "__main__":
    main()
