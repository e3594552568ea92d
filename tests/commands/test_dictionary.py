from pathlib import Path

import pytest

from speller.commands.dictionary import read_dictionary


def test_words_with_and_without_frequencies(tmp_path: Path) -> None:
    path = tmp_path / "words"
    path.write_text("# ours\nKubernetes 4.2\nkubectl\n\nC# # the language\n", encoding="utf-8")
    assert read_dictionary(path) == (("Kubernetes", 4.2), ("kubectl", None), ("C#", None))


def test_an_empty_one_is_fine(tmp_path: Path) -> None:
    (tmp_path / "words").touch()
    assert read_dictionary(tmp_path / "words") == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"good\nNew York\n", r"words:2: the word's frequency must be a number, not 'York'"),
        (b"good 1234\n", r"words:1: a word's Zipf frequency is a number from 0 to 9, not 1234"),
        (b"good nan\n", r"words:1: a word's Zipf frequency is a number from 0 to 9, not nan"),
        (b"good -1\n", r"words:1: a word's Zipf frequency is a number from 0 to 9, not -1"),
        (b"good\na b c\n", r"words:2: .* not 3 columns"),
        (b"na\xefve\n", r"words:1: not UTF-8"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "words").write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        read_dictionary(tmp_path / "words")
