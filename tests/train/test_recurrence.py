import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from speller.train.packing import MULTIPLE, Packing
from speller.train.recurrence import run_lstm

LENGTHS = torch.randint(1, 9, (3 * MULTIPLE + 5,), generator=torch.Generator().manual_seed(1))
TIME = 10
SYMBOLS = 20
WORDS = torch.randint(0, SYMBOLS, (len(LENGTHS), TIME), generator=torch.Generator().manual_seed(4))


@pytest.fixture(params=[1, MULTIPLE])
def packing(request):
    return Packing.of(LENGTHS, TIME, multiple=request.param)


def make_layer(width=7, *, bidirectional=True):
    torch.manual_seed(2)
    return nn.LSTM(5, width, bidirectional=bidirectional, batch_first=True).double()


def vectors():
    data = torch.randn(SYMBOLS, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    return data.requires_grad_()


def of_torch(layer, embedding):
    """Torch's hidden states ``(batch, time, width)``, and its last hidden and cell states."""
    packed = pack_padded_sequence(embedding[WORDS], LENGTHS, batch_first=True, enforce_sorted=False)
    output, last = layer(packed)
    return pad_packed_sequence(output, batch_first=True, total_length=TIME)[0], last


def unpacked(packing, rows):
    return packing.unpack(rows).masked_fill(~packing.mask[..., None], 0)


@pytest.mark.parametrize("width", [1, 7, 33])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_it_equals_torch(packing, width, bidirectional):
    layer, data = make_layer(width, bidirectional=bidirectional), vectors()
    hidden, cells = run_lstm(layer, data, packing.pack(WORDS), packing)
    expected, (last_hidden, last_cells) = of_torch(layer, data)
    padded = unpacked(packing, hidden)
    torch.testing.assert_close(padded, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(hidden[packing.last, :width], last_hidden[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(cells[:, :width], last_cells[0], rtol=0, atol=1e-12)

    flow, cell_flow = torch.randn_like(padded), torch.randn(len(LENGTHS), width, dtype=torch.float64)
    inputs = data, *layer.parameters()
    ours = (padded * flow).sum() + (cells[:, :width] * cell_flow).sum()
    theirs = (expected * flow).sum() + (last_cells[0] * cell_flow).sum()
    for one, other in zip(*(torch.autograd.grad(loss, inputs) for loss in (ours, theirs)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-11)


def test_gradients():
    layer, lengths = make_layer(3), torch.tensor([2, 4, 1])
    packing = Packing.of(lengths, 4)
    symbols = torch.tensor([4, 1, 0, 4, 2, 2, 3])

    # The numerical gradients change the very weights.
    assert torch.autograd.gradcheck(
        lambda vectors, *_: run_lstm(layer, vectors, symbols, packing), (vectors(), *layer.parameters())
    )


def test_saturated_gates(packing):
    layer, data = make_layer(), vectors()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter *= 200
    hidden, _ = run_lstm(layer, data, packing.pack(WORDS), packing)
    torch.testing.assert_close(unpacked(packing, hidden), of_torch(layer, data)[0], rtol=0, atol=1e-9)


@pytest.mark.parametrize(("kind", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 3e-2)])
def test_other_precisions(packing, kind, tolerance):
    layer, data = make_layer(), vectors()
    single, single_data = make_layer().float(), data.detach().float().requires_grad_()
    with torch.autocast("cpu", kind, enabled=kind == torch.bfloat16):
        hidden, cells = run_lstm(single, single_data, packing.pack(WORDS), packing)
    assert hidden.dtype == cells.dtype == kind
    padded, expected = unpacked(packing, hidden), of_torch(layer, data)[0]
    torch.testing.assert_close(padded.double(), expected, rtol=0, atol=tolerance)
    flow = torch.randn_like(expected)
    ours = torch.autograd.grad((padded * flow).sum(), (single_data, *single.parameters()))
    theirs = torch.autograd.grad((expected * flow).sum(), (data, *layer.parameters()))
    for one, other in zip(ours, theirs, strict=True):
        assert one.dtype == torch.float32
        assert (one.double() - other).norm() < tolerance * other.norm()
