import pytest
import torch

from speller.train.packing import MULTIPLE, Packing

LENGTHS = torch.randint(1, 9, (3 * MULTIPLE + 5,), generator=torch.Generator().manual_seed(1))
TIME = 10


@pytest.fixture(params=[1, MULTIPLE])
def packing(request):
    return Packing.of(LENGTHS, TIME, multiple=request.param)


def test_packing(packing):
    numbers = torch.arange(len(LENGTHS) * TIME).view(-1, TIME)
    rows = packing.pack(numbers)
    assert torch.equal(packing.mask, torch.arange(TIME) < LENGTHS[:, None])
    assert torch.equal(packing.unpack(rows[:, None])[..., 0][packing.mask], numbers[packing.mask])
    assert torch.equal(rows[packing.last], numbers.gather(1, LENGTHS[:, None] - 1)[:, 0])
    assert packing.counts == (torch.arange(LENGTHS.max())[:, None] < LENGTHS).sum(dim=1).tolist()
    assert sum(packing.sizes) == len(rows)
    for size, count in zip(packing.sizes, packing.counts, strict=True):
        assert count <= size <= count + MULTIPLE
        assert size in (count, len(LENGTHS)) or size % MULTIPLE == 0


def test_gradients_of_packing(packing):
    data, flow = torch.randn(len(LENGTHS), TIME, 5, requires_grad=True), torch.randn(len(packing.order), 5)
    moved, back = (
        torch.autograd.grad(each, data, flow)[0] for each in (packing.pack(data), data.flatten(0, 1)[packing.order])
    )
    assert torch.equal(moved.masked_fill(~packing.mask[..., None], 0), back.masked_fill(~packing.mask[..., None], 0))
    rows = packing.pack(data).detach().requires_grad_()
    flow = torch.randn_like(data).masked_fill(~packing.mask[..., None], 0)
    moved, back = (torch.autograd.grad(each, rows, flow)[0] for each in (packing.unpack(rows), rows[packing.places]))
    assert torch.equal(moved, back)
