import pytest
import torch

from speller.alphabet import CORRECT, END, PADDING, SPECIALS, UNKNOWN
from speller.train.model import CELLS, NEVER_WRITTEN, ModelConfig

LENGTHS = torch.tensor([4, 1, 9, 6])


@pytest.fixture(params=CELLS)
def model(request, make_model):
    return make_model(request.param).double()


@pytest.fixture
def source():
    """Four words of different lengths, each behind its direction, padded to nine symbols."""
    symbols = torch.randint(SPECIALS, 30, (4, 9), generator=torch.Generator().manual_seed(1))
    symbols[:, 0] = CORRECT
    return symbols.masked_fill(torch.arange(9) >= LENGTHS[:, None], PADDING)


@pytest.fixture
def previous():
    return torch.randint(SPECIALS, 30, (4, 7), generator=torch.Generator().manual_seed(2))


def close(a, b):
    return torch.allclose(a, b, rtol=0, atol=1e-12)


def test_padding_makes_no_difference(model, source, previous):
    together = model(source, LENGTHS, previous)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = model(source[row : row + 1, :length], LENGTHS[row : row + 1], previous[row : row + 1])
        assert close(alone[0], together[row])
    noise = torch.where(source == PADDING, 17, source)
    wider = torch.nn.functional.pad(noise, (0, 5), value=11)
    assert close(model(wider, LENGTHS, previous), together)


def test_every_letter_that_was_read_makes_a_difference(model, source, previous):
    before = model(source, LENGTHS, previous)
    for row, length in enumerate(LENGTHS.tolist()):
        for place in range(length):
            changed = source.clone()
            changed[row, place] = UNKNOWN
            assert not torch.allclose(model(changed, LENGTHS, previous)[row], before[row], atol=1e-6)


def test_a_shared_memory_equals_copies_of_it(model, source):
    several = 3
    previous = torch.randint(SPECIALS, 30, (4 * several, 5), generator=torch.Generator().manual_seed(3))
    memory = model.encode(source, LENGTHS)
    shared, after = model.decode(previous, None, memory)
    copies = memory.of(torch.arange(4).repeat_interleave(several))
    copied, after_copies = model.decode(previous, None, copies)
    assert close(shared, copied)
    assert all(close(a, b) for a, b in zip(after, after_copies, strict=True))


def test_teacher_forcing_equals_step_by_step(model, source, previous):
    memory = model.encode(source, LENGTHS)
    forced, last = model.decode(previous, None, memory)
    state = None
    for step in range(previous.shape[1]):
        log_probs, state = model.decode(previous[:, step : step + 1], state, memory)
        assert close(log_probs[:, 0], forced[:, step])
    assert all(close(a, b) for a, b in zip(state, last, strict=True))


def test_what_was_written_matters_only_later(model, source, previous):
    changed = previous.clone()
    changed[:, 4] = UNKNOWN
    before, after = model(source, LENGTHS, previous), model(source, LENGTHS, changed)
    assert close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:], atol=1e-6)


def test_the_recurrence_is_the_same_whatever_was_read(model, source, previous):
    one, other = (model.encode(read, LENGTHS) for read in (source, source.roll(1, dims=0)))
    (log_probs, state), (other_log_probs, other_state) = (model.decode(previous, None, each) for each in (one, other))
    assert all(torch.equal(a, b) for a, b in zip(state, other_state, strict=True))
    assert not torch.allclose(log_probs, other_log_probs, atol=1e-6)


def test_distributions(model, source, previous):
    probabilities = model(source, LENGTHS, previous).exp()
    assert close(probabilities.sum(dim=-1), torch.ones(4, 7, dtype=torch.float64))
    assert (probabilities[..., list(NEVER_WRITTEN)] == 0).all()
    written = [symbol for symbol in range(30) if symbol not in NEVER_WRITTEN]
    assert END in written
    assert (probabilities[..., written] > 0).all()


def test_attention_looks_at_letters_alone(model, source):
    memory = model.encode(source, LENGTHS)
    hidden = torch.randn(8, 3, 28, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    context, weights = model.attend(hidden, memory)
    mask = memory.mask.repeat_interleave(2, dim=0)[:, None].expand_as(weights)
    assert (weights[~mask] == 0).all()
    assert (weights[mask] > 0).all()
    assert close(weights.sum(dim=-1), torch.ones(8, 3, dtype=torch.float64))
    assert close(context, weights @ memory.states.repeat_interleave(2, dim=0))


def test_half_precision_gives_log_probabilities_in_single(make_model, source, previous):
    log_probs = make_model().bfloat16()(source, LENGTHS, previous)
    assert log_probs.dtype == torch.float32
    assert torch.allclose(log_probs.exp().sum(dim=-1), torch.ones(4, 7), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": "transformer"}, "one of lstm, gru, rnn, not 'transformer'"),
        ({"decoder": 0}, "decoder is a positive width, not 0"),
        ({"symbols": -3}, "symbols is a positive width, not -3"),
    ],
)
def test_a_shape_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        ModelConfig(**{"symbols": 30, **options})
