import pytest

from speller.word_list import read_word_list


def read(tmp_path, content: bytes):
    (tmp_path / "words.txt").write_bytes(content)
    return list(read_word_list(tmp_path / "words.txt"))


def test_reads_words_with_and_without_numbers(tmp_path):
    content = "\ufeffLondon\t4.8\n\n  naïve \r\nreceive 12\n".encode()
    assert read(tmp_path, content) == [(1, "London", 4.8), (3, "naïve", None), (4, "receive", 12.0)]


def test_passes_over_comments_and_keeps_a_hash_within_a_word(tmp_path):
    assert read(tmp_path, b"#one\nC# 3 # a language\n  # two\n") == [(2, "C#", 3.0)]


def test_a_list_of_comments_alone_is_fit_where_none_is(tmp_path):
    (tmp_path / "words.txt").write_text("# nothing yet\n")
    assert list(read_word_list(tmp_path / "words.txt", may_be_empty=True)) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# nothing yet\n", r"words\.txt: no word in it \(1 lines\)"),
        (b"", r"words\.txt: no word in it \(0 lines\)"),
        (b"\n \n", r"words\.txt: no word in it \(2 lines\)"),
        (b"good\na 1 2\n", r"words\.txt:2: a word, or a word and a number, not 3 columns"),
        (b"good 1\nbad much\n", r"words\.txt:2: the word's frequency must be a number, not 'much'"),
        (b"good\nna\xefve\n", r"words\.txt:2: not UTF-8"),
    ],
)
def test_refuses_with_path_and_line(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, content)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(read_word_list(tmp_path / "missing"))
    with pytest.raises(IsADirectoryError):
        list(read_word_list(tmp_path))
