import itertools

import pytest
import torch
from torch.nn.functional import pad

from speller.alphabet import CORRECT, END, MISSPELL, PADDING, SPECIALS, UNKNOWN
from speller.train.batch import decoder_input, decoder_output
from speller.train.objectives.scored import score_words
from speller.train.writing import rewrite_words, write_beam, write_distributions, write_words


@pytest.fixture
def model(make_model):
    return make_model()


@pytest.fixture
def memory(model):
    source = torch.randint(SPECIALS, 30, (6, 7), generator=torch.Generator().manual_seed(1))
    source[:, 0] = CORRECT
    with torch.no_grad():
        return model.encode(source, torch.tensor([7, 2, 5, 7, 1, 4]))


def forced(model, memory, symbols):
    """The distributions along words that were written: ``(rows, steps, symbols)``."""
    with torch.no_grad():
        return model.decode(decoder_input(symbols, CORRECT), None, memory)[0]


def test_greedy_writing_takes_the_likeliest_letter(model, memory):
    with torch.no_grad():
        model.output.bias[END] += 1.0  # some words end early, some are cut off
    symbols, lengths = write_words(model, memory, direction=CORRECT, longest=8)[:2]
    likeliest = forced(model, memory, symbols).argmax(dim=-1)
    written = decoder_output(symbols, lengths)
    places = torch.arange(written.shape[1])
    real = (places < lengths[:, None]) | ((places == lengths[:, None]) & (lengths[:, None] < 8))
    assert torch.equal(likeliest[real], written[real])
    assert (symbols != END).all()
    assert ((symbols == PADDING) == (torch.arange(symbols.shape[1]) >= lengths[:, None])).all()


def test_a_word_that_has_ended_goes_on_no_more(model, memory):
    torch.manual_seed(1)
    with torch.no_grad():
        model.output.bias[END] += 4.0
    symbols, lengths = write_words(model, memory, direction=CORRECT, longest=12, samples=50)[:2]
    assert len(set(lengths.tolist())) > 6
    assert ((symbols == PADDING) == (torch.arange(12) >= lengths[:, None])).all()
    assert (symbols != END).all()


def test_words_are_cut_off(model, memory):
    with torch.no_grad():
        model.output.bias[END] = -torch.inf
    symbols, lengths = write_words(model, memory, direction=CORRECT, longest=5, samples=2)[:2]
    assert symbols.shape == (12, 5)
    assert (lengths == 5).all()


def test_writing_stops_with_the_last_word(model, memory):
    with torch.no_grad():
        model.output.bias[END] = 1e4
    symbols, lengths = write_words(model, memory, direction=CORRECT, longest=9)[:2]
    assert symbols.shape[1] == 1
    assert (lengths == 0).all()


def test_samples_follow_the_distribution(model, memory):
    torch.manual_seed(3)
    samples = 4000
    symbols = write_words(model, memory, direction=CORRECT, longest=2, samples=samples).words
    first = symbols[:, 0].masked_fill(symbols[:, 0] == PADDING, END).view(6, samples)
    found = torch.stack([(first == symbol).double().mean(dim=1) for symbol in range(30)], dim=1)
    expected = forced(model, memory, symbols[::samples])[:, 0].exp()
    assert ((found - expected).abs() <= 4.5 * (expected * (1 - expected) / samples).sqrt() + 2 / samples).all()
    assert (expected.max(dim=1).values > 0.1).all()  # far from even: even ones would not show an error


def test_the_first_sample_may_be_greedy(model, memory):
    greedy = write_words(model, memory, direction=CORRECT, longest=6).words
    symbols, lengths = write_words(model, memory, direction=CORRECT, longest=6, samples=3, greedy_first=True)[:2]
    steps = max(greedy.shape[1], symbols.shape[1])
    greedy, symbols = (pad(each, (0, steps - each.shape[1])) for each in (greedy, symbols))
    assert torch.equal(symbols[::3], greedy)
    assert (symbols[1::3] != greedy).any()
    assert torch.equal(lengths, (symbols != PADDING).sum(dim=1))


@pytest.mark.parametrize("samples", [1, 8])
def test_what_words_share_changes_no_probability_and_no_gradient(model, samples):
    torch.manual_seed(2)
    source = torch.randint(SPECIALS, 30, (6, 7))
    with torch.no_grad():
        model.output.bias[END] += 1.0

    def read():
        return model.encode(source, torch.tensor([7, 2, 5, 7, 1, 4]))

    written = write_words(model, read(), direction=CORRECT, longest=5, samples=samples)
    cut_off = written.lengths == 5
    assert cut_off.any()
    assert len(written.log_probs) < written.real.sum() or samples == 1
    assert torch.equal(written.real.sum(dim=1), written.lengths + ~cut_off)
    assert torch.equal(written.symbols(), decoder_output(written.words, written.lengths))
    again = rewrite_words(model, read(), written.words, written.lengths, direction=CORRECT, longest=5)
    assert all(torch.equal(*each) for each in zip(written, again, strict=True))

    fused = score_words(model, read(), written.words, written.lengths, direction=CORRECT).chosen()
    fused = fused.masked_fill(~written.real, 0)
    torch.testing.assert_close(written.chosen(), fused)
    weights = torch.randn(len(fused))
    for mine, theirs in zip(
        *(
            torch.autograd.grad((weights * each.sum(dim=1)).sum(), tuple(model.parameters()))
            for each in (written.chosen(), fused)
        ),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)

    some = torch.tensor([[3, 0]])
    assert torch.equal(written.of(some).chosen(), written.chosen()[[3, 0]])


def test_a_wide_beam_finds_the_likeliest_words(make_model):
    model = make_model(symbols=SPECIALS + 2)
    with torch.no_grad():
        model.output.bias[UNKNOWN] = -torch.inf
        memory = model.encode(torch.tensor([[CORRECT, 5, 6], [CORRECT, 6, 0]]), torch.tensor([3, 2]))
    beam = write_beam(model, memory, direction=CORRECT, longest=3, width=20)
    # Of 2 letters: 1 + 2 + 4 words that end, and 8 that are cut off.
    every = [word for length in range(4) for word in itertools.product((5, 6), repeat=length)]
    for row in range(2):
        alone = memory.of(torch.tensor([row]))
        likely = {}
        for word in every:
            symbols = torch.tensor([word], dtype=torch.int64).view(1, -1)
            log_probs = forced(model, alone, symbols)[0]
            ends = (*word, END)[: len(log_probs) if len(word) < 3 else 3]
            likely[word] = sum(float(log_probs[place, symbol]) for place, symbol in enumerate(ends))
        expected = sorted(likely, key=likely.__getitem__, reverse=True)
        mine = slice(20 * row, 20 * row + 15)
        found = [
            tuple(word[:length])
            for word, length in zip(beam.words[mine].tolist(), beam.lengths[mine].tolist(), strict=True)
        ]
        assert found == expected
        assert beam.log_probs[mine].tolist() == pytest.approx([likely[word] for word in expected], abs=1e-5)
        assert beam.log_probs[20 * row + 15 : 20 * row + 20].isneginf().all()


@pytest.mark.parametrize("feedback", ["soft", "gumbel"])
def test_sure_distributions_are_written_as_their_words_are(model, memory, feedback):
    # Logits far apart make every distribution one letter, so that its mean is a letter, and a sample the likeliest one.
    with torch.no_grad():
        model.output.weight.mul_(1e3)
        model.output.bias[END] = -1e9
    symbols = write_words(model, memory, direction=CORRECT, longest=6).words
    with torch.no_grad():
        log_probs = write_distributions(model, memory, direction=CORRECT, steps=6, feedback=feedback)
    torch.testing.assert_close(log_probs.exp(), forced(model, memory, symbols)[:, :6].exp())


def test_gradients_pass_through_what_is_read_back(model, memory):
    for feedback in ("soft", "gumbel"):
        log_probs = write_distributions(model, memory, direction=CORRECT, steps=3, feedback=feedback)
        through = torch.autograd.grad(log_probs[:, 2, SPECIALS].sum(), model.embedding.weight)[0]
        letters = through[SPECIALS:].abs().sum(dim=1)
        assert (letters > 0).all() if feedback == "soft" else (letters > 0).any()
        assert not through[[PADDING, END, MISSPELL]].any()
