import pytest
import torch

from speller.alphabet import CORRECT, END, MISSPELL, PADDING, Alphabet
from speller.train.batch import Batch, decoder_input, decoder_output

ALPHABET = Alphabet("abcdef")


def encoded(*words):
    symbols, lengths = ALPHABET.encode(words)
    return torch.from_numpy(symbols), torch.from_numpy(lengths)


@pytest.fixture
def batch():
    return Batch.of(*encoded("cab", "fade", "a"), *encoded("bad", "be", "cafe"), direction=MISSPELL)


def test_what_is_read_begins_with_the_direction(batch):
    assert batch.source.tolist() == [[MISSPELL, 7, 5, 6, 0], [MISSPELL, 10, 5, 8, 9], [MISSPELL, 5, 0, 0, 0]]
    assert batch.source_lengths.tolist() == [4, 5, 2]
    assert len(batch) == 3


def test_what_is_written_ends_with_the_end(batch):
    assert batch.written.tolist() == [[6, 5, 8, END, 0], [6, 9, END, 0, 0], [7, 5, 10, 9, END]]
    assert batch.target_lengths.tolist() == [3, 2, 4]


def test_what_was_written_before_is_one_symbol_behind(batch):
    assert (batch.previous[:, 0] == MISSPELL).all()
    real = batch.written[:, :-1] > END
    assert torch.equal(batch.previous[:, 1:][real], batch.written[:, :-1][real])
    assert batch.previous.shape == batch.written.shape


def test_padding_beyond_the_longest_is_cut_off():
    read, read_lengths = encoded("cab", "a")
    written, written_lengths = encoded("be", "f")
    wide = torch.nn.functional.pad(read, (0, 9), value=PADDING)
    batch = Batch.of(wide, read_lengths, torch.nn.functional.pad(written, (0, 4)), written_lengths)
    assert batch.source.shape == (2, 4)
    assert batch.target.shape == (2, 2)
    assert batch.direction == CORRECT


def test_words_of_no_letters():
    written, lengths = encoded("", "ab")
    assert decoder_input(written, CORRECT).tolist() == [[CORRECT, 0, 0], [CORRECT, 5, 6]]
    assert decoder_output(written, lengths).tolist() == [[END, 0, 0], [5, 6, END]]


def test_rubbish_behind_a_word_is_not_written():
    written, lengths = encoded("abc", "d")
    rubbish = written.masked_fill(written == PADDING, 9)
    assert decoder_output(rubbish, lengths).tolist() == [[5, 6, 7, END], [8, END, 0, 0]]


def test_moving_keeps_all(batch):
    moved = batch.to(torch.device("cpu"))
    assert moved.direction == MISSPELL
    for name in ("source", "source_lengths", "target", "target_lengths"):
        assert torch.equal(getattr(moved, name), getattr(batch, name))
    assert batch.to(torch.device("meta")).source_lengths.device.type == "cpu"


def test_shares_are_the_batch(batch):
    shares = [batch.share(process, 2) for process in range(2)]
    assert [len(share) for share in shares] == [2, 1]
    for name in ("source", "source_lengths", "target", "target_lengths"):
        whole = getattr(batch, name)
        assert torch.equal(getattr(shares[0], name), whole[[0, 2]])
        assert torch.equal(getattr(shares[1], name), whole[[1]])
    assert {share.direction for share in shares} == {MISSPELL}
