import io
import os
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speller.commands import pieces
from speller.commands.pieces import Piece, encoded, read_pieces

SMALL = 8
"""A longest line for tests."""


class Drip(io.RawIOBase):
    """A file that gives its bytes in such portions as a pipe may."""

    def __init__(self, content: bytes, portion: int) -> None:
        self.content, self.portion = content, portion

    def read(self, size: int = -1, /) -> bytes:
        size = min(size, self.portion)
        given, self.content = self.content[:size], self.content[size:]
        return given


def read(content: bytes, portion: int = 1 << 20, **options: bool) -> list[Piece]:
    return list(read_pieces(Drip(content, portion), **options))


@given(st.binary(max_size=60) | st.text("aé \n\r\ufeff", max_size=60).map(str.encode), st.integers(1, 9))
def test_all_pieces_together_are_what_was_read(content: bytes, portion: int) -> None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "LONGEST", SMALL)
        read_in_portions = read(content, portion)
    assert b"".join(encoded(piece.text) for piece in read_in_portions) == content
    assert all(piece.text for piece in read_in_portions)


@given(st.text("ab\r \n", max_size=60), st.integers(1, 9))
def test_lines_are_whole_and_words_too(text: str, portion: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "LONGEST", SMALL)
        found = read(text.encode(), portion)
    for before, after in pairwise(found):
        if before.text.endswith("\n"):
            continue
        assert not (before.text.endswith("\r") and after.text.startswith("\n"))
        assert after.text[0].isspace() or not (before.legible or after.legible)  # no word is cut where it is read


def test_a_line_is_cut_when_it_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "LONGEST", SMALL)
    assert read(b"aa bb cc dd ee\nff", 4) == [Piece("aa bb cc dd"), Piece(" ee\n"), Piece("ff")]
    without = [Piece("a" * count, legible=False) for count in (12, 4, 4, 2)]
    assert read(b"a" * 22 + b" bb\n", 4) == [*without, Piece(" bb\n")]


def test_a_byte_order_mark_is_no_part_of_a_word() -> None:
    assert read("\ufeffTeh\n".encode(), 1) == [Piece("\ufeff", legible=False), Piece("Teh\n")]


def test_characters_are_put_together_across_blocks() -> None:
    assert "".join(piece.text for piece in read("naïve 🙂\n".encode(), 1)) == "naïve 🙂\n"


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
@pytest.mark.parametrize("portion", [1, 100])
def test_utf_16_is_refused(mark: bytes, portion: int) -> None:
    with pytest.raises(ValueError, match="UTF-16"):
        read(mark + b"a\0", portion)


def test_a_binary_file_is_refused_but_no_stream() -> None:
    assert read(b"a\0b") == [Piece("a\0b")]
    with pytest.raises(ValueError, match="binary"):
        read(b"a\0b", binary=False)


def test_a_line_comes_before_the_next_is_there() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as file:
        os.write(writing, b"one\ntw")
        stream = read_pieces(file)
        assert next(stream) == Piece("one\n")
        os.write(writing, b"o\n")
        assert next(stream) == Piece("two\n")
        os.close(writing)
        assert list(stream) == []
