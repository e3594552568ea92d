"""What goes to stdout, and to whoever watches."""

import os
import signal
import sys
import time
from typing import NoReturn

from speller.commands.pieces import encoded

EVERY = 0.5
"""So many seconds lie between two tellings of progress."""


def write(text: str) -> None:
    """Write to stdout, at once, lone surrogates as the bytes that they were read from.

    Raises:
        ValueError: stdout is closed.
    """
    if sys.stdout is None:
        raise ValueError("stdout is closed; nothing can be written there")
    sys.stdout.buffer.write(encoded(text))
    sys.stdout.buffer.flush()


def on_terminal() -> bool:
    """Whether a person reads what is written to stdout."""
    return sys.stdout is not None and sys.stdout.isatty()


def end_as_a_pipe_does() -> NoReturn:
    """End as a program ends whose reader has gone away: silently, by SIGPIPE where there is one."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
    os._exit(1)


class Progress:
    """A line on stderr that tells how much was done, where a terminal shows it and stdout goes elsewhere."""

    def __init__(self) -> None:
        self._shown = sys.stderr is not None and sys.stderr.isatty() and not on_terminal()
        self._bytes = self._words = 0
        self._begun = self._told = time.monotonic()

    def count(self, text: str) -> None:
        """Some more text was done."""
        if not self._shown:
            return
        self._bytes += len(encoded(text))
        self._words += len(text.split())
        now = time.monotonic()
        if now - self._told >= EVERY:
            self._told = now
            speed = self._words / (now - self._begun)
            sys.stderr.write(f"\r{self._bytes / 1e6:,.1f} MB, {self._words:,} words, {speed:,.0f} words/s\x1b[K")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away, for another one, or for good."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
