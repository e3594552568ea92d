"""Text as it streams in, cut where a cut does no harm: at line ends."""

import codecs
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import RawIOBase

BLOCK = 1 << 15
"""So many bytes are read at once, fewer where a pipe has no more yet."""

LONGEST = 1 << 18
"""A line of more characters is cut at white space. Where that many stand without any, they are no words."""

BYTE_ORDER_MARK = "\ufeff"

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SPACES = " \t\r\v\f"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text.

    Attributes:
        text: whole lines, but for a last line without an end, and for lines that are too long.
        legible: False for what is to be left as it is: a byte order mark, or a part of a run of more than ``LONGEST``
            characters without white space.
    """

    text: str
    legible: bool = True


def read_pieces(file: RawIOBase, *, binary: bool = True) -> Iterator[Piece]:
    """A UTF-8 text in pieces, as soon as they have come; bytes that are no UTF-8 become lone surrogates.

    All pieces together, encoded again (``encoded``), are the bytes that were read.

    Args:
        file: read in blocks, in constant memory.
        binary: whether NUL characters may be in it.

    Raises:
        ValueError: it is in UTF-16, or binary where it may not be.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    chunk = file.read(BLOCK) or b""
    while len(chunk) == 1 and (more := file.read(BLOCK)):  # the first two bytes tell UTF-16
        chunk += more
    if chunk.startswith(_UTF_16):
        raise ValueError("in UTF-16, where UTF-8 is read (iconv -f UTF-16 -t UTF-8 converts it)")
    begun, running, first = "", False, True
    while chunk:
        if not binary and b"\0" in chunk:
            raise ValueError("binary, not text: there is a NUL byte in it")
        text = decoder.decode(chunk)
        if first and text:
            first = False
            if text.startswith(BYTE_ORDER_MARK):
                yield Piece(BYTE_ORDER_MARK, legible=False)
                text = text[1:]
        if running:
            end = _first_space(text)
            if end:
                yield Piece(text[:end], legible=False)
            text, running = text[end:], end == len(text)
        end = text.rfind("\n") + 1
        if end:
            yield Piece(begun + text[:end])
            begun = text[end:]
        else:
            begun += text
            if len(begun) > LONGEST:
                # Before the white space, so that "\r" and "\n" stay together.
                end = max(map(begun.rfind, _SPACES))
                running = end <= 0
                yield Piece(begun if running else begun[:end], legible=not running)
                begun = "" if running else begun[end:]
        chunk = file.read(BLOCK) or b""
    if begun := begun + decoder.decode(b"", final=True):
        yield Piece(begun, legible=not running)


def encoded(text: str) -> bytes:
    """The bytes that were read as this text."""
    return text.encode("utf-8", "surrogateescape")


def open_raw(path: str | os.PathLike[str]) -> RawIOBase:
    """A file to read as its bytes come; ``-`` is stdin.

    Raises:
        OSError: it cannot be opened.
        ValueError: stdin is closed.
    """
    if os.fspath(path) != "-":
        return open(path, "rb", buffering=0)
    if sys.stdin is None:
        raise ValueError("stdin is closed; name a file, or pipe something in")
    return open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)


def _first_space(text: str) -> int:
    """The place of the first white space, or the text's length."""
    return min((place for space in (*_SPACES, "\n") if (place := text.find(space)) >= 0), default=len(text))
