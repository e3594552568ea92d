import math

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from speller.train.distance import alignment_marginals, soft_alignment

SIZES = [(0, 0), (0, 3), (3, 0), (1, 1), (2, 2), (3, 4), (4, 3), (5, 2)]
GAMMAS = [1e-4, 0.01, 0.1, 1.0, 100.0]


def alignments(steps, targets, *, swap):
    # Each as its moves: ("match", i, j), ("delete", i, 0), ("insert", 0, j), ("swap", i, j) for (i-1, j) and (i, j-1).
    if steps == 0 and targets == 0:
        yield []
    if steps > 0:
        for rest in alignments(steps - 1, targets, swap=swap):
            yield [*rest, ("delete", steps - 1, 0)]
    if targets > 0:
        for rest in alignments(steps, targets - 1, swap=swap):
            yield [*rest, ("insert", 0, targets - 1)]
    if steps > 0 and targets > 0:
        for rest in alignments(steps - 1, targets - 1, swap=swap):
            yield [*rest, ("match", steps - 1, targets - 1)]
    if swap and steps > 1 and targets > 1:
        for rest in alignments(steps - 2, targets - 2, swap=swap):
            yield [*rest, ("swap", steps - 1, targets - 1)]


def cost(moves, costs, deletion, insertion, swap):
    total = 0.0
    for kind, step, target in moves:
        if kind == "match":
            total += costs[step][target]
        elif kind == "delete":
            total += deletion[step]
        elif kind == "insert":
            total += insertion[target]
        else:
            total += swap + costs[step - 1][target] + costs[step][target - 1]
    return total


def softmin(costs, gamma):
    return -gamma * torch.logsumexp(-torch.tensor(costs, dtype=torch.float64) / gamma, 0).item()


def gibbs(costs, gamma):
    return torch.softmax(-torch.tensor(costs, dtype=torch.float64) / gamma, 0).tolist()


def random_problem(steps, targets, *, seed=0, batch=1):
    generator = torch.Generator().manual_seed(seed)

    def random(*shape):
        return torch.rand(batch, *shape, generator=generator, dtype=torch.float64)

    return random(steps, targets), 0.3 + random(steps), 0.3 + random(targets)


def costs_of_all(problem, steps, targets, transposition):
    plain = [each[0].tolist() for each in problem]
    every = list(alignments(steps, targets, swap=transposition is not None))
    return every, [cost(each, *plain, transposition or 0.0) for each in every]


@pytest.mark.parametrize(("steps", "targets"), SIZES)
@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("transposition", [None, 0.2])
def test_equals_the_enumeration_of_all_alignments(steps, targets, gamma, transposition):
    problem = random_problem(steps, targets)
    _, costs = costs_of_all(problem, steps, targets, transposition)
    soft = soft_alignment(*problem, gamma=gamma, transposition=transposition).item()
    expected = soft_alignment(*problem, gamma=gamma, transposition=transposition, value="expected").item()
    mean = math.fsum(share * each for share, each in zip(gibbs(costs, gamma), costs, strict=True))
    assert soft == pytest.approx(softmin(costs, gamma), abs=1e-10)
    assert expected == pytest.approx(mean, abs=1e-10)
    assert min(costs) - gamma * math.log(len(costs)) - 1e-10 <= soft <= min(costs) + 1e-10 <= expected + 2e-10


@pytest.mark.parametrize(("steps", "targets"), SIZES)
@pytest.mark.parametrize("transposition", [None, 0.2])
def test_marginals_equal_the_enumeration(steps, targets, transposition):
    problem = random_problem(steps, targets)
    every, costs = costs_of_all(problem, steps, targets, transposition)
    match, deletion, insertion = (torch.zeros_like(each[0]) for each in problem)
    for share, moves in zip(gibbs(costs, 0.3), every, strict=True):
        for kind, step, target in moves:
            if kind == "match":
                match[step, target] += share
            elif kind == "delete":
                deletion[step] += share
            elif kind == "insert":
                insertion[target] += share
            else:
                match[step - 1, target] += share
                match[step, target - 1] += share
    found = alignment_marginals(*problem, gamma=0.3, transposition=transposition)
    for ours, theirs in zip(found, (match, deletion, insertion), strict=True):
        assert ours.shape[0] == 1
        torch.testing.assert_close(ours[0], theirs, atol=1e-10, rtol=0)


@pytest.mark.parametrize("transposition", [None, 0.2])
def test_marginals_sum_to_one_within_the_lengths(transposition):
    problem = random_problem(6, 5, batch=4)
    lengths, target_lengths = torch.tensor([6, 3, 0, 1]), torch.tensor([5, 0, 4, 1])
    found = alignment_marginals(
        *problem, lengths=lengths, target_lengths=target_lengths, transposition=transposition, gamma=0.5
    )
    steps = (torch.arange(6) < lengths[:, None]).double()
    targets = (torch.arange(5) < target_lengths[:, None]).double()
    torch.testing.assert_close(found.match.sum(2) + found.deletion, steps)
    torch.testing.assert_close(found.match.sum(1) + found.insertion, targets)
    assert not found.match.requires_grad


def test_marginals_are_differentiable_where_the_costs_are():
    problem = tuple(each.requires_grad_() for each in random_problem(3, 3))
    gradcheck(lambda *inputs: alignment_marginals(*inputs, gamma=0.4, transposition=0.1), problem)


@pytest.mark.parametrize("value", ["softmin", "expected"])
@pytest.mark.parametrize("transposition", [None, 0.2])
@pytest.mark.parametrize("gamma", [0.2, 2.0])
def test_first_and_second_derivatives(value, transposition, gamma):
    problem = tuple(each.requires_grad_() for each in random_problem(4, 3, batch=3))

    def distance(*inputs):
        return soft_alignment(
            *inputs,
            lengths=torch.tensor([4, 2, 0]),
            target_lengths=torch.tensor([3, 2, 3]),
            gamma=gamma,
            transposition=transposition,
            value=value,
        )

    assert gradcheck(distance, problem)
    assert gradgradcheck(distance, problem)


def test_second_derivative_by_enumeration():
    # The second derivative by a cost is minus the variance of its use over gamma; no package's detached 0.
    costs, deletion, insertion = random_problem(3, 3)
    costs.requires_grad_()
    (gradient,) = torch.autograd.grad(
        soft_alignment(costs, deletion, insertion, gamma=0.3).sum(), costs, create_graph=True
    )
    (second,) = torch.autograd.grad(gradient[0, 1, 1], costs)
    share = gradient[0, 1, 1].item()
    assert second[0, 1, 1].item() == pytest.approx(-share * (1 - share) / 0.3)


@pytest.mark.parametrize("value", ["softmin", "expected"])
@pytest.mark.parametrize("transposition", [None, 0.2])
def test_a_pair_alone_and_in_a_padded_batch(value, transposition):
    problem = random_problem(9, 7, batch=40)
    generator = torch.Generator().manual_seed(3)
    lengths = torch.randint(0, 10, (40,), generator=generator)
    target_lengths = torch.randint(0, 8, (40,), generator=generator)
    inside = (torch.arange(9) < lengths[:, None])[:, :, None] & (torch.arange(7) < target_lengths[:, None])[:, None]
    costs = torch.where(inside, problem[0], torch.nan).requires_grad_()
    deletion = torch.where(torch.arange(9) < lengths[:, None], problem[1], -torch.inf).requires_grad_()
    insertion = torch.where(torch.arange(7) < target_lengths[:, None], problem[2], 1e9).requires_grad_()
    options = {"gamma": 0.3, "transposition": transposition, "value": value}
    together = soft_alignment(costs, deletion, insertion, lengths=lengths, target_lengths=target_lengths, **options)
    weights = torch.rand(40, generator=generator, dtype=torch.float64)
    gradients = torch.autograd.grad((together * weights).sum(), (costs, deletion, insertion))
    for pair, (n, m) in enumerate(zip(lengths.tolist(), target_lengths.tolist(), strict=True)):
        part = [costs[pair : pair + 1, :n, :m], deletion[pair : pair + 1, :n], insertion[pair : pair + 1, :m]]
        part = [each.detach().clone().requires_grad_() for each in part]
        alone = soft_alignment(*part, **options)
        torch.testing.assert_close(together[pair : pair + 1], alone, atol=1e-12, rtol=1e-12)
        for ours, own in zip(gradients, torch.autograd.grad(alone.sum() * weights[pair], part), strict=True):
            padded = torch.zeros_like(ours[pair])
            padded[tuple(slice(0, size) for size in own.shape[1:])] = own[0]
            torch.testing.assert_close(ours[pair], padded, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("gamma", [1e-4, 100.0])
@pytest.mark.parametrize("value", ["softmin", "expected"])
@pytest.mark.parametrize("transposition", [None, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (1000, 3), (3, 1000), (300, 300)])
def test_finite_at_the_ends_of_the_range(gamma, value, transposition, shape):
    costs = (torch.arange(shape[0] * shape[1]) % 3 == 0).float().view(1, *shape).requires_grad_()
    distance = soft_alignment(costs, gamma=gamma, value=value, transposition=transposition)
    distance.backward()
    assert distance.isfinite().all()
    assert costs.grad.isfinite().all()


def test_infinity_forbids():
    costs = torch.tensor([[[torch.inf, 0.5], [0.2, torch.inf]]], requires_grad=True)
    distance = soft_alignment(costs, gamma=0.01)
    distance.backward()
    assert distance.item() == pytest.approx(2.2, abs=1e-5)
    torch.testing.assert_close(costs.grad, torch.tensor([[[0.0, 0.0], [1.0, 0.0]]]))
    for value in ("softmin", "expected"):
        costs = torch.full((1, 2, 2), torch.inf, requires_grad=True)
        nothing = soft_alignment(costs, torch.inf, torch.inf, value=value)
        nothing.backward()
        assert nothing.item() == torch.inf
        assert not costs.grad.any()


def test_gaps_broadcast():
    costs = random_problem(3, 4, batch=2)[0]
    whole = soft_alignment(costs, torch.full((2, 3), 0.7), torch.full((2, 4), 0.4))
    torch.testing.assert_close(soft_alignment(costs, 0.7, torch.tensor(0.4)), whole)
    torch.testing.assert_close(soft_alignment(costs, torch.full((3,), 0.7), torch.full((2, 1), 0.4)), whole)
    gap = torch.tensor(0.5, requires_grad=True)
    soft_alignment(torch.ones(1, 2, 5), 1.0, gap, gamma=0.01).sum().backward()
    assert gap.grad.item() == pytest.approx(3, abs=1e-4)  # two targets are matched, three inserted


def test_empty_batch():
    costs = torch.zeros(0, 3, 4, requires_grad=True)
    distance = soft_alignment(costs)
    distance.sum().backward()
    assert distance.shape == (0,)
    assert costs.grad.shape == (0, 3, 4)
    assert alignment_marginals(costs).match.shape == (0, 3, 4)


def test_the_caller_s_tensors_stay_as_they_are():
    problem = random_problem(5, 4, batch=3)
    before = [each.clone() for each in problem]
    lengths = torch.tensor([5, 2, 1])
    soft_alignment(*(each.requires_grad_() for each in problem), lengths=lengths, value="expected").sum().backward()
    assert all(torch.equal(now, then) for now, then in zip(problem, before, strict=True))
    assert lengths.tolist() == [5, 2, 1]


def test_layouts_and_types():
    costs = random_problem(4, 6)[0].float()
    torch.testing.assert_close(soft_alignment(costs.mT), soft_alignment(costs.mT.contiguous()))
    torch.testing.assert_close(soft_alignment(costs.expand(3, -1, -1))[2:], soft_alignment(costs))
    rough = costs.bfloat16().requires_grad_()
    distance = soft_alignment(rough)
    distance.backward()
    assert distance.dtype == torch.float32
    assert rough.grad.dtype == torch.bfloat16
    torch.testing.assert_close(distance, soft_alignment(rough.float()))


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("gamma .* above 0, not 0", {"gamma": 0}),
        ("gamma .* above 0, not nan", {"gamma": math.nan}),
        ("value must be 'softmin' or 'expected', not 'mean'", {"value": "mean"}),
        (r"costs must have the shape \(any, any, any\), not \(3, 4\)", {"costs": torch.zeros(3, 4)}),
        ("costs must hold floating point numbers, not torch.int64", {"costs": torch.zeros(2, 3, 4, dtype=torch.int64)}),
        (r"costs\[1, 2, 3\] is nan", {"costs": torch.zeros(2, 3, 4).index_fill(2, torch.tensor(3), math.nan)[[0, 1]]}),
        (r"deletion\[0, 1\] is -inf", {"deletion": torch.tensor([[0.0, -math.inf, 0.0]])}),
        (r"insertion must broadcast to \(2, 4\), which \(3,\) does not", {"insertion": torch.zeros(3)}),
        ("deletion must be a number above minus infinity, not nan", {"deletion": math.nan}),
        ("lengths lies on meta", {"lengths": torch.ones(2, dtype=torch.int64, device="meta")}),
        ("insertion lies on meta", {"insertion": torch.zeros(4, device="meta")}),
        ("lengths must lie between 0 and 3.* not 4", {"lengths": torch.tensor([4, 1])}),
        ("target_lengths must lie between 0 and 4.* not -1", {"target_lengths": torch.tensor([4, -1])}),
        ("lengths must hold whole numbers, not torch.float32", {"lengths": torch.ones(2)}),
        (r"target_lengths must have the shape \(2\), not \(3\,\)", {"target_lengths": torch.ones(3).long()}),
        ("transposition must be a number above minus infinity, not nan", {"transposition": math.nan}),
    ],
)
def test_bad_input(message, arguments):
    if message.startswith(r"costs\[1"):
        arguments["costs"][0] = 0
        arguments["costs"][1, :2] = 0
    with pytest.raises(ValueError, match=message):
        soft_alignment(**{"costs": torch.zeros(2, 3, 4), **arguments})
