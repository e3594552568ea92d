import math

import pytest
import torch
from torch import nn

from speller.alphabet import CORRECT, END
from speller.train.gradient_flow import (
    LENGTHS,
    back_to_front,
    cell_step,
    gradient_flow,
    gradient_norms,
    probe,
    slope,
    unroll,
)
from speller.train.model import Memory


def orthogonal(width):
    torch.manual_seed(3)
    return nn.init.orthogonal_(torch.empty(width, width, dtype=torch.float64))


def random_inputs(rows, time, width):
    return torch.randn(rows, time, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
def test_the_known_factor_of_a_linear_recurrence(factor):
    weight = factor * orthogonal(6)
    inputs, lengths = random_inputs(3, 30, 6), torch.tensor([30, 9, 17])
    norms = gradient_norms(
        lambda input_, state: (state[0] @ weight + input_,),
        inputs,
        (torch.zeros(3, 6, dtype=torch.float64),),
        lambda last: 5 * last[0].sum(dim=1),
        lengths=lengths,
    )
    lags = torch.arange(30)
    expected = 5 * math.sqrt(6) * factor ** lags.double().expand(3, -1)
    assert torch.equal(norms.isnan(), lags >= lengths[:, None])
    assert torch.allclose(norms[~norms.isnan()], expected[~norms.isnan()])
    assert slope(norms) == pytest.approx(math.log(factor), abs=1e-9)


def test_both_parts_of_a_state_count():
    norms = gradient_norms(
        lambda input_, state: (state[0], 2 * state[1]),
        torch.zeros(1, 3, 1),
        (torch.zeros(1, 1), torch.zeros(1, 1)),
        lambda last: 3 * last[0][:, 0] + 4 * last[1][:, 0],
        lengths=torch.tensor([3]),
    )
    assert norms.tolist() == [pytest.approx([5, math.hypot(3, 8), math.hypot(3, 16)])]


def test_a_plain_cell_where_it_is_linear():
    layer = nn.RNN(4, 8, batch_first=True).double()
    nn.init.zeros_(layer.bias_ih_l0)
    nn.init.zeros_(layer.bias_hh_l0)
    layer.weight_hh_l0.data = 0.7 * orthogonal(8)
    # At rest it stays at rest, where the tangent's slope is 1.
    at_rest = (torch.zeros(2, 8, dtype=torch.float64),)
    inputs, lengths = torch.zeros(2, 20, 4, dtype=torch.float64), torch.tensor([20, 12])
    norms = gradient_norms(cell_step(layer), inputs, at_rest, lambda last: last[0].sum(dim=1), lengths=lengths)
    assert slope(norms) == pytest.approx(math.log(0.7))


def test_an_lstm_that_forgets_at_a_known_rate():
    layer = nn.LSTM(4, 5, batch_first=True).double()
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    layer.bias_ih_l0.data[5:10] = math.log(0.9 / 0.1)  # the forget gate
    at_rest = tuple(torch.zeros(1, 5, dtype=torch.float64) for _ in range(2))
    inputs = random_inputs(1, 25, 4)
    norms = gradient_norms(
        cell_step(layer), inputs, at_rest, lambda last: last[0].sum(dim=1), lengths=torch.tensor([25])
    )
    assert slope(norms) == pytest.approx(math.log(0.9))


def test_a_slope_needs_steps():
    with pytest.raises(ValueError, match="three steps of a row at least"):
        slope(torch.tensor([[1.0, 2.0, math.nan], [1.0, 2.0, math.nan]]))


def test_rows_of_other_heights_have_one_slope():
    halved = torch.tensor([[99.0, 8, 4, 2, 1], [99, 800, 400, math.nan, math.nan]])
    assert slope(halved) == pytest.approx(math.log(0.5))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_unrolled_cell_is_the_layer(make_model, cell):
    layer = make_model(cell).encoder.double()
    inputs = random_inputs(2, 7, 12)
    expected = layer(inputs)[0]
    rest = tuple(torch.zeros(2, 20, dtype=torch.float64) for _ in range(2 if cell == "lstm" else 1))
    forward = torch.stack([state[0] for state in unroll(cell_step(layer), inputs, rest)], dim=1)
    backward = torch.stack([s[0] for s in unroll(cell_step(layer, reverse=True), inputs.flip(1), rest)], dim=1)
    assert torch.allclose(torch.cat((forward, backward.flip(1)), dim=2), expected)


def test_back_to_front():
    padded = torch.tensor([[1, 2, 3], [4, 5, 0]])
    assert back_to_front(padded, torch.tensor([3, 2])).tolist() == [[3, 2, 1], [5, 4, 0]]
    assert back_to_front(padded[:, :, None], torch.tensor([3, 2]), fill=9).tolist() == [
        [[3], [2], [1]],
        [[5], [4], [9]],
    ]


def test_the_probe(greek):
    batch = probe(greek)
    assert batch.target_lengths.tolist() == list(LENGTHS)
    assert (LENGTHS[0], LENGTHS[-1], batch.direction) == (8, 50, CORRECT)
    again = probe(greek)
    assert torch.equal(batch.source, again.source)
    assert torch.equal(batch.source[:, 1:], batch.target)
    assert len(set(greek.alphabet.decode(batch.target[:, :8].numpy()))) > len(LENGTHS) // 2


def test_the_decoders_gradient_is_that_of_the_model(make_model, greek):
    model, batch = make_model("gru", symbols=len(greek.alphabet)), probe(greek)
    found = gradient_flow(model, batch)["decoder"]
    model = model.double()
    row, lag = 2, 4
    length = int(batch.target_lengths[row])
    source, lengths = batch.source[row : row + 1, : length + 1], batch.source_lengths[row : row + 1]
    memory = model.encode(source, lengths)
    before, after = batch.previous[row : row + 1, : length + 1 - lag], batch.previous[row : row + 1, length + 1 - lag :]
    _, state = model.decode(before, None, memory)
    start = state[0].detach().requires_grad_()
    log_probs, _ = model.decode(after[:, :lag], (start,), memory)
    log_probs[0, -1, END].backward()
    assert float(found[row, lag]) == pytest.approx(float(start.grad.norm()))


def test_the_encoders_gradients_begin_with_what_attention_gives(make_model, greek):
    model, batch = make_model("gru", symbols=len(greek.alphabet)), probe(greek)
    found = gradient_flow(model, batch)
    model = model.double()
    row, width = 2, model.config.encoder
    length = int(batch.source_lengths[row])
    states = model.encoder(model.embedding(batch.source[row : row + 1, :length]))[0].detach().requires_grad_()
    memory = Memory(model.memory(states), torch.ones(1, length, dtype=torch.bool))
    log_probs, _ = model.decode(batch.previous[row : row + 1, :length], None, memory)
    log_probs[0, -1, END].backward()
    assert float(found["encoder-forward"][row, 0]) == pytest.approx(float(states.grad[0, -1, :width].norm()))
    assert float(found["encoder-backward"][row, 0]) == pytest.approx(float(states.grad[0, 0, width:].norm()))


def test_nothing_comes_through_attention(make_model, greek):
    """With no recurrence, a gradient could reach an earlier state through what is attended to alone."""
    model = make_model("rnn", symbols=len(greek.alphabet))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "weight_hh" in name:
                parameter.zero_()
    for norms in gradient_flow(model, probe(greek)).values():
        assert (norms[:, 0] > 0).all()
        assert norms[:, 1:].nan_to_num().count_nonzero() == 0


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_larger_recurrence_keeps_more(make_model, greek, cell):
    model, batch = make_model(cell, symbols=len(greek.alphabet)), probe(greek)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    kept = {name: slope(norms) for name, norms in gradient_flow(model, batch).items()}
    assert set(kept) == {"decoder", "encoder-forward", "encoder-backward"}
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "weight_hh" in name:
                parameter.mul_(0.3)
    assert all(slope(norms) < kept[name] for name, norms in gradient_flow(model, batch).items())
