from types import SimpleNamespace

import pytest
import torch

from speller.alphabet import CORRECT
from speller.candidates import LONGEST
from speller.train.alignments import align
from speller.train.batch import Batch
from speller.train.writing import write_words

PAIRS = [("λξη", "λέξη"), ("σπτίι", "σπίτι"), ("γλώσσσα", "γλώσσα")]


@pytest.fixture
def aligned(make_model, greek):
    def aligned(pairs, cell="lstm"):
        model = make_model(cell, symbols=len(greek.alphabet))
        return align(model, greek.alphabet, pairs, device=torch.device("cpu"))

    return aligned


def test_shapes_and_sums(aligned):
    for (wrong, right), found in zip(PAIRS, aligned(PAIRS), strict=True):
        assert (found.wrong, found.right) == (wrong, right)
        assert found.attention.shape == (len(right) + 1, len(wrong) + 1)
        assert torch.allclose(found.attention.sum(dim=1), torch.ones(len(right) + 1))
        assert found.edits.shape == (len(right), len(wrong))
        assert found.reached.shape == (len(found.written), len(right))
        for matches in (found.edits, found.reached):
            assert (matches >= -1e-6).all()
            assert (matches.sum(dim=0) <= 1 + 1e-5).all()
            assert (matches.sum(dim=1) <= 1 + 1e-5).all()


def test_the_alignment_of_the_two_words(aligned):
    missed, swapped, doubled = (found.edits for found in aligned(PAIRS))
    # λ-ξη: what was missed has no counterpart.
    assert missed.round(decimals=1).tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert swapped.diagonal()[[0, 1, 4]].min() > 0.9
    # Which of the three is the one too many cannot be known.
    assert torch.allclose(doubled[3:5, 3:6].sum(dim=0), torch.full((3,), 2 / 3), atol=0.02)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_pair_is_aligned_as_by_itself(greek, aligned, monkeypatch, cell):
    words = ["λέξη", "σπί", "γλώσσα"]
    calls = iter([words, *([word] for word in words)])

    def write(model, memory, *, direction, longest):
        symbols, lengths = map(torch.from_numpy, greek.alphabet.encode(next(calls)))
        return SimpleNamespace(words=symbols, lengths=lengths)

    monkeypatch.setattr("speller.train.alignments.write_words", write)
    for pair, found in zip(PAIRS, aligned(PAIRS, cell), strict=True):
        (alone,) = aligned([pair], cell)
        assert alone.written == found.written
        for name in ("attention", "edits", "reached"):
            assert torch.allclose(getattr(alone, name), getattr(found, name), atol=1e-4)


def test_the_attention_is_that_with_which_it_writes(make_model, greek, aligned, monkeypatch):
    model = make_model(symbols=len(greek.alphabet))
    symbols, lengths = zip(*(map(torch.from_numpy, greek.alphabet.encode([word])) for word in PAIRS[0]), strict=True)
    batch = Batch.of(symbols[0], lengths[0], symbols[1], lengths[1])
    seen = []
    attend = model.attend
    monkeypatch.setattr(model, "attend", lambda *given: seen.append(attend(*given)) or seen[-1])
    with torch.no_grad():
        memory = model.encode(batch.source, batch.source_lengths)
        model.decode(batch.previous, None, memory)
        words = write_words(model, memory, direction=CORRECT, longest=LONGEST).words
    (found, *_) = aligned(PAIRS)
    assert torch.allclose(seen[0][1][0], found.attention, atol=1e-5)
    assert greek.alphabet.decode(words.numpy()) == [found.written]
