import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from speller.train.distance import soft_dtw, soft_dtw_divergence


def warping_paths(steps, targets):
    if (steps, targets) == (1, 1):
        yield [(0, 0)]
    for up, left in ((1, 0), (0, 1), (1, 1)):
        if steps > up and targets > left:
            for rest in warping_paths(steps - up, targets - left):
                yield [*rest, (steps - 1, targets - 1)]


def random_costs(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("steps", "targets"), [(1, 1), (1, 7), (7, 1), (2, 3), (4, 4), (5, 3)])
@pytest.mark.parametrize("gamma", [1e-4, 0.1, 1.0, 100.0])
def test_equals_the_enumeration_of_all_paths(steps, targets, gamma):
    costs = random_costs(1, steps, targets).requires_grad_()
    paths = list(warping_paths(steps, targets))
    sums = torch.stack([sum(costs[0, step, target] for step, target in path) for path in paths]).detach()
    distance = soft_dtw(costs, gamma=gamma)
    distance.backward()
    assert distance.item() == pytest.approx(-gamma * torch.logsumexp(-sums / gamma, 0).item(), abs=1e-10)
    visits = torch.zeros(steps, targets, dtype=torch.float64)
    for share, path in zip(torch.softmax(-sums / gamma, 0), paths, strict=True):
        for step, target in path:
            visits[step, target] += share
    torch.testing.assert_close(costs.grad[0], visits, atol=1e-10, rtol=0)


@pytest.mark.parametrize("gamma", [0.2, 2.0])
def test_first_and_second_derivatives(gamma):
    costs = random_costs(3, 4, 3).requires_grad_()

    def distance(costs):
        return soft_dtw(costs, lengths=torch.tensor([4, 1, 2]), target_lengths=torch.tensor([3, 3, 1]), gamma=gamma)

    assert gradcheck(distance, costs)
    assert gradgradcheck(distance, costs)


def test_a_pair_alone_and_in_a_padded_batch():
    lengths, target_lengths = torch.arange(1, 10).repeat(4), torch.arange(1, 5).repeat_interleave(9)
    costs = random_costs(36, 9, 4)
    inside = (torch.arange(9) < lengths[:, None])[:, :, None] & (torch.arange(4) < target_lengths[:, None])[:, None]
    costs = torch.where(inside, costs, torch.nan).requires_grad_()
    together = soft_dtw(costs, lengths=lengths, target_lengths=target_lengths, gamma=0.5)
    together.sum().backward()
    for pair, (n, m) in enumerate(zip(lengths.tolist(), target_lengths.tolist(), strict=True)):
        own = costs[pair : pair + 1, :n, :m].detach().clone().requires_grad_()
        alone = soft_dtw(own, gamma=0.5)
        alone.backward()
        torch.testing.assert_close(together[pair : pair + 1], alone, atol=1e-12, rtol=1e-12)
        padded = torch.zeros(9, 4, dtype=torch.float64)
        padded[:n, :m] = own.grad[0]
        torch.testing.assert_close(costs.grad[pair], padded, atol=1e-12, rtol=1e-12)


def test_a_band():
    costs = random_costs(2, 6, 6)
    outside = (torch.arange(6)[:, None] - torch.arange(6)).abs() > 1
    banded = costs.masked_fill(outside, torch.inf).requires_grad_()
    distance = soft_dtw(banded, gamma=0.1)
    distance.sum().backward()
    torch.testing.assert_close(distance, soft_dtw(costs + 1e3 * outside, gamma=0.1))
    assert banded.grad[:, outside].abs().max() < 1e-14
    assert soft_dtw(costs.masked_fill(torch.ones(6, 6) > 0, torch.inf)).tolist() == [torch.inf] * 2


def test_divergence():
    x, y = random_costs(3, 5, 2), random_costs(3, 7, 2, seed=1)

    def between(a, b):
        return (a[:, :, None] - b[:, None]).square().sum(-1)

    own = between(x, x)
    torch.testing.assert_close(soft_dtw_divergence(own, own, own, gamma=1.0), torch.zeros(3, dtype=torch.float64))
    assert (soft_dtw(own, gamma=1.0) < 0).all()
    assert (soft_dtw_divergence(between(x, y), own, between(y, y), gamma=1.0) > 0).all()
    lengths, target_lengths = torch.tensor([5, 3, 1]), torch.tensor([7, 2, 4])
    ragged = soft_dtw_divergence(
        between(x, y), own, between(y, y), lengths=lengths, target_lengths=target_lengths, gamma=1.0
    )
    for pair, (n, m) in enumerate(zip(lengths.tolist(), target_lengths.tolist(), strict=True)):
        a, b = x[pair : pair + 1, :n], y[pair : pair + 1, :m]
        alone = soft_dtw_divergence(between(a, b), between(a, a), between(b, b), gamma=1.0)
        torch.testing.assert_close(ragged[pair : pair + 1], alone)
    inputs = [each.requires_grad_() for each in (between(x, y), own, between(y, y))]
    assert gradcheck(lambda *costs: soft_dtw_divergence(*costs, gamma=1.0), inputs)
    assert gradgradcheck(lambda *costs: soft_dtw_divergence(*costs, gamma=1.0), inputs)


@pytest.mark.parametrize("gamma", [1e-4, 100.0])
@pytest.mark.parametrize("shape", [(1, 1), (1000, 3), (3, 1000), (300, 300)])
def test_finite_at_the_ends_of_the_range(gamma, shape):
    costs = (torch.arange(shape[0] * shape[1]) % 3 == 0).float().view(1, *shape).requires_grad_()
    distance = soft_dtw(costs, gamma=gamma)
    distance.backward()
    assert distance.isfinite().all()
    assert costs.grad.isfinite().all()


def test_empty_batch():
    costs = torch.zeros(0, 3, 4, requires_grad=True)
    distance = soft_dtw(costs)
    distance.sum().backward()
    assert distance.shape == (0,)
    assert costs.grad.shape == (0, 3, 4)
    assert soft_dtw_divergence(costs, torch.zeros(0, 3, 3), torch.zeros(0, 4, 4)).shape == (0,)


def test_the_caller_s_tensors_stay_as_they_are():
    costs, lengths = random_costs(3, 5, 4).requires_grad_(), torch.tensor([5, 2, 1])
    before = costs.detach().clone()
    distance = soft_dtw(costs, lengths=lengths)
    weights = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    first = torch.autograd.grad(distance, costs, weights, retain_graph=True)[0].clone()
    (second,) = torch.autograd.grad(distance, costs, weights)
    assert torch.equal(first, second)
    assert torch.equal(costs, before)
    assert lengths.tolist() == [5, 2, 1]
    assert weights.tolist() == [1, 2, 3]


@pytest.mark.parametrize("rough", [torch.bfloat16, torch.float16])
def test_rough_types_and_autocast(rough):
    costs = random_costs(2, 5, 4).to(rough).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        distance = soft_dtw(costs)
    distance.sum().backward()
    assert distance.dtype == torch.float32
    assert costs.grad.dtype == rough
    assert torch.equal(distance, soft_dtw(costs.float()))


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("target_lengths must be at least 1: a sequence of 0 has no alignment", {"costs": torch.zeros(2, 3, 0)}),
        ("lengths must lie between 1 and 3.* not 0", {"lengths": torch.tensor([2, 0])}),
        ("gamma .* above 0, not -1", {"gamma": -1}),
        (r"costs\[0, 0, 0\] is nan", {"costs": torch.full((2, 3, 4), torch.nan)}),
    ],
)
def test_bad_input(message, arguments):
    with pytest.raises(ValueError, match=message):
        soft_dtw(**{"costs": torch.zeros(2, 3, 4), **arguments})


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        (r"target_costs must have the shape \(2, 4, 4\), not \(2, 3, 3\)", {"target_costs": torch.zeros(2, 3, 3)}),
        (r"step_costs\[0, 0, 0\] is nan", {"step_costs": torch.full((2, 3, 3), torch.nan)}),
        (r"target_costs\[0, 0, 0\] is -inf", {"target_costs": torch.full((2, 4, 4), -torch.inf)}),
        ("step_costs lies on meta", {"step_costs": torch.zeros(2, 3, 3, device="meta")}),
        ("target_costs must hold floating point numbers", {"target_costs": torch.zeros(2, 4, 4, dtype=torch.int64)}),
        ("target_lengths must lie between 1 and 4.* not 5", {"target_lengths": torch.tensor([4, 5])}),
        ("gamma .* above 0, not 0", {"gamma": 0}),
    ],
)
def test_bad_input_to_the_divergence(message, arguments):
    good = {"costs": torch.zeros(2, 3, 4), "step_costs": torch.zeros(2, 3, 3), "target_costs": torch.zeros(2, 4, 4)}
    with pytest.raises(ValueError, match=message):
        soft_dtw_divergence(**{**good, **arguments})
