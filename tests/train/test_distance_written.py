import itertools
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA, Levenshtein
from torch.autograd import gradcheck, gradgradcheck

from speller.train.distance import Costs, soft_dtw_distance, soft_edit_distance

EOS, SYMBOLS = 1, 6
METRICS = [(False, Levenshtein.distance), (True, OSA.distance)]


def certain(words, steps):
    rows = [[*word, *[EOS] * (steps - len(word))] for word in words]
    return torch.eye(SYMBOLS)[torch.tensor(rows).reshape(len(rows), steps)].log()


def encode(words, width):
    rows = [[*word, *[77] * (width - len(word))] for word in words]
    return torch.tensor(rows, dtype=torch.int64).reshape(len(words), width), torch.tensor([len(word) for word in words])


def unit_costs_but(**changes):
    costs = Costs.unit(SYMBOLS)
    for name, (place, value) in changes.items():
        getattr(costs, name)[place] = value
    return costs


def random_log_probs(batch, steps, *, seed=0, sharpness=1.0):
    logits = torch.randn(batch, steps, SYMBOLS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (sharpness * logits).index_fill(2, torch.tensor([0]), -torch.inf).log_softmax(2)


@pytest.mark.parametrize(("transposition", "metric"), METRICS)
@pytest.mark.parametrize("value", ["softmin", "expected"])
def test_every_pair_of_short_strings_in_the_hard_limit(transposition, metric, value):
    words = [word for length in range(6) for word in itertools.product((2, 3, 5), repeat=length)]
    log_probs = certain(words, 6)
    for word in words:
        targets, target_lengths = encode([word] * len(words), 5)
        found = soft_edit_distance(
            log_probs,
            targets,
            eos=EOS,
            target_lengths=target_lengths,
            gamma=1e-3,
            transposition=transposition,
            value=value,
            reduction="none",
        )
        wanted = torch.tensor([float(metric(other, word)) for other in words])
        torch.testing.assert_close(found, wanted, atol=0.01, rtol=0)


@settings(max_examples=50, deadline=None)
@given(a=st.lists(st.sampled_from([2, 3, 4, 5]), max_size=30), b=st.lists(st.sampled_from([2, 3, 4, 5]), max_size=30))
def test_the_hard_limit_of_long_words(a, b):
    for transposition, metric in METRICS:
        found = soft_edit_distance(
            certain([a], 31), encode([b], len(b))[0], eos=EOS, gamma=1e-4, transposition=transposition
        )
        assert found.item() == pytest.approx(metric(a, b), abs=0.01)


def test_the_length_is_a_random_variable():
    # Over all written words: probability times the table's value for that word's length.
    log_probs = random_log_probs(1, 3)
    probabilities = log_probs[0].exp()
    target = torch.tensor([[3, 2]])
    end = probabilities[:, EOS].tolist()
    chances = [end[0], (1 - end[0]) * end[1], (1 - end[0]) * (1 - end[1]) * end[2]]
    chances.append(1 - sum(chances))
    for value in ("softmin", "expected"):
        wanted = 0.0
        for length, chance in enumerate(chances):
            letters = log_probs[:, :length].index_fill(2, torch.tensor([EOS]), -torch.inf).log_softmax(2)
            # With as many steps as letters and no end symbol among them, the length is certain.
            wanted += chance * soft_edit_distance(letters, target, eos=EOS, value=value).item()
        found = soft_edit_distance(log_probs, target, eos=EOS, value=value).item()
        assert found == pytest.approx(wanted, abs=1e-12)


def test_an_upper_bound_of_the_expected_edit_distance():
    log_probs, target = random_log_probs(1, 4, seed=2), [3, 2, 4]
    expected = 0.0
    for word in itertools.product(range(1, SYMBOLS), repeat=4):
        length = word.index(EOS) if EOS in word else 4
        chance = sum(log_probs[0, step, symbol] for step, symbol in enumerate(word)).exp().item()
        expected += chance * Levenshtein.distance(list(word[:length]), target)
    bound = soft_edit_distance(log_probs, torch.tensor([target]), eos=EOS, gamma=1e-4, value="expected").item()
    assert expected < bound < expected + 0.5


@pytest.mark.parametrize("value", ["softmin", "expected"])
@pytest.mark.parametrize("transposition", [False, True])
@pytest.mark.parametrize("with_costs", [False, True])
def test_first_and_second_derivatives(value, transposition, with_costs):
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(2, 4, SYMBOLS - 1, generator=generator, dtype=torch.float64, requires_grad=True)
    parts = [torch.rand(*shape, generator=generator, dtype=torch.float64) for shape in ((6,), (6,), (6, 6))]
    inputs = [logits, *(part.requires_grad_() for part in parts)] if with_costs else [logits]
    targets = torch.tensor([[2, 3, 4], [5, 5, 0]])

    def distance(logits, *parts):
        log_probs = torch.cat([torch.full((2, 4, 1), -torch.inf), logits], 2).log_softmax(2)
        return soft_edit_distance(
            log_probs,
            targets,
            eos=EOS,
            target_lengths=torch.tensor([3, 2]),
            lengths=torch.tensor([4, 3]),
            gamma=0.3,
            transposition=transposition,
            costs=Costs(*parts) if parts else None,
            value=value,
            reduction="none",
        )

    assert gradcheck(distance, inputs)
    assert gradgradcheck(distance, inputs)


def test_costs():
    substitution = 1 - torch.eye(SYMBOLS)
    substitution[2, 3] = 0.25  # writing 2 for 3 is a small slip; writing 3 for 2 is not
    costs = Costs(torch.full((SYMBOLS,), 0.7), torch.arange(6) / 2, substitution)

    def distance(written, target):
        return soft_edit_distance(
            certain([written], 5), torch.tensor([target]), eos=EOS, gamma=1e-3, costs=costs
        ).item()

    assert distance([4, 2], [4, 3]) == pytest.approx(0.25, abs=1e-3)
    assert distance([4, 3], [4, 2]) == pytest.approx(1.0, abs=1e-3)
    assert distance([4, 4], [4, 4, 5]) == pytest.approx(0.7, abs=1e-2)
    assert distance([3], [3, 3, 3]) == pytest.approx(1.4, abs=1e-2)


def test_unit_costs_change_nothing():
    log_probs, targets = random_log_probs(3, 5), torch.tensor([[2, 3], [4, 4], [5, 2]])
    torch.testing.assert_close(
        soft_edit_distance(log_probs, targets, eos=EOS, costs=Costs.unit(SYMBOLS)),
        soft_edit_distance(log_probs, targets, eos=EOS),
    )


def test_probabilities_of_0_and_1():
    log_probs = certain([[2, 3, 4], [], [5, 5, 5, 5]], 5).requires_grad_()
    targets, target_lengths = encode([[2, 4], [3], []], 2)
    for value in ("softmin", "expected"):
        for function in (soft_edit_distance, soft_dtw_distance):
            rows = slice(0, 2) if function is soft_dtw_distance else slice(0, 3)
            options = {} if function is soft_dtw_distance else {"value": value}
            distance = function(
                log_probs[rows], targets[rows], eos=EOS, target_lengths=target_lengths[rows], reduction="sum", **options
            )
            (gradient,) = torch.autograd.grad(distance, log_probs)
            assert distance.isfinite()
            assert gradient.isfinite().all()
            assert gradient.abs().sum() > 0


def test_nearly_certain_ends_keep_their_gradient():
    # log(1 - e) from the characters themselves: 1 - exp(0) would be 0 and its gradient nothing.
    logits = torch.tensor([[[-torch.inf, 40.0, 0.0, 0.0, 0.0, 0.0]] * 2], requires_grad=True)
    distance = soft_edit_distance(logits.log_softmax(2), torch.tensor([[2]]), eos=EOS)
    distance.backward()
    assert distance.item() == pytest.approx(1.0)
    assert logits.grad[0, 0, 2] < 0


@pytest.mark.parametrize("function", [soft_edit_distance, soft_dtw_distance])
def test_a_pair_alone_and_in_a_padded_batch(function):
    log_probs = random_log_probs(20, 7, sharpness=3.0)
    targets = torch.randint(2, SYMBOLS, (20, 5), generator=torch.Generator().manual_seed(0))
    least = 1 if function is soft_dtw_distance else 0
    lengths, target_lengths = torch.arange(20) % 8, least + torch.arange(20) % (6 - least)
    targets = torch.where(torch.arange(5) < target_lengths[:, None], targets, -3)
    log_probs = torch.where((torch.arange(7) < lengths[:, None])[:, :, None], log_probs, torch.nan).requires_grad_()
    options = {"eos": EOS, "reduction": "none"}
    if function is soft_edit_distance:
        options |= {"transposition": True, "value": "expected"}
    together = function(log_probs, targets, lengths=lengths, target_lengths=target_lengths, **options)
    (gradient,) = torch.autograd.grad(together.sum(), log_probs)
    for pair in range(20):
        n, m = int(lengths[pair]), int(target_lengths[pair])
        own = log_probs[pair : pair + 1, :n].detach().clone().requires_grad_()
        alone = function(own, targets[pair : pair + 1, :m], **options)
        torch.testing.assert_close(together[pair : pair + 1], alone, atol=1e-12, rtol=1e-12)
        torch.testing.assert_close(gradient[pair, :n], torch.autograd.grad(alone.sum(), own)[0][0])
        assert not gradient[pair, n:].any()


def test_soft_dtw_cannot_tell_doubled_letters():
    hello, helllo, heo = [2, 3, 4, 4, 5], [2, 3, 4, 4, 4, 5], [2, 3, 5]
    written = certain([hello, helllo, heo, []], 7)
    targets = torch.tensor([hello] * 4)
    found = soft_dtw_distance(written, targets, eos=EOS, gamma=1e-3, reduction="none")
    torch.testing.assert_close(found, torch.tensor([0.0, 0.0, 2.0, 5.0]), atol=0.01, rtol=0)


def test_soft_dtw_derivatives():
    logits = torch.randn(2, 3, SYMBOLS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def distance(logits):
        return soft_dtw_distance(
            logits.log_softmax(2), torch.tensor([[2, 3, 4], [5, 5, 0]]), eos=EOS, target_lengths=torch.tensor([3, 2])
        )

    assert gradcheck(distance, logits.requires_grad_())
    assert gradgradcheck(distance, logits)


@pytest.mark.parametrize("gamma", [1e-4, 100.0])
@pytest.mark.parametrize("steps", [1, 1000])
@pytest.mark.parametrize("longest", [1, 1000])
def test_finite_at_the_ends_of_the_range(gamma, steps, longest):
    log_probs = random_log_probs(1, steps, sharpness=20.0).float().requires_grad_()
    targets = 2 + torch.arange(longest)[None] % 4
    for function, options in (
        (soft_edit_distance, {"transposition": True}),
        (soft_edit_distance, {"value": "expected"}),
        (soft_dtw_distance, {}),
    ):
        distance = function(log_probs, targets, eos=EOS, gamma=gamma, **options)
        (gradient,) = torch.autograd.grad(distance, log_probs)
        assert distance.isfinite()
        assert gradient.isfinite().all()


@pytest.mark.parametrize(("length", "allowed"), [(64, 1e-4), pytest.param(1000, 1e-3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("gamma", [0.01, 0.1, 1.0])
def test_the_gradient_in_float32(length, allowed, gamma):
    logits = torch.randn(2, length, SYMBOLS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    logits[:, :, EOS] -= 8  # so that long words are likely
    targets = torch.randint(2, SYMBOLS, (2, length), generator=torch.Generator().manual_seed(1))
    for function, options in (
        (soft_edit_distance, {"transposition": True}),
        (soft_edit_distance, {"value": "expected"}),
        (soft_dtw_distance, {}),
    ):
        gradients = []
        for dtype in (torch.float32, torch.float64):
            given = logits.to(dtype).requires_grad_()
            distance = function(given.log_softmax(2), targets, eos=EOS, gamma=gamma, reduction="sum", **options)
            gradients.append(torch.autograd.grad(distance, given)[0].double())
        assert (gradients[0] - gradients[1]).abs().max() < allowed


def test_the_caller_s_tensors_stay_as_they_are():
    given = {
        "log_probs": random_log_probs(3, 4),
        "targets": torch.tensor([[2, 3], [4, 9], [9, 9]]),
        "lengths": torch.tensor([4, 2, 0]),
        "target_lengths": torch.tensor([2, 1, 0]),
    }
    costs = Costs(torch.rand(6), torch.rand(6), torch.rand(6, 6))
    tensors = [*given.values(), costs.insertion, costs.deletion, costs.substitution]
    before = [each.clone() for each in tensors]
    given["log_probs"].requires_grad_()
    soft_edit_distance(**given, eos=EOS, costs=costs, value="expected").backward()
    assert all(torch.equal(now, then) for now, then in zip(tensors, before, strict=True))


def test_reductions_and_an_empty_batch():
    log_probs, targets = random_log_probs(3, 4), torch.tensor([[2, 3], [4, 4], [5, 2]])
    rows = soft_edit_distance(log_probs, targets, eos=EOS, reduction="none")
    torch.testing.assert_close(soft_edit_distance(log_probs, targets, eos=EOS), rows.mean())
    torch.testing.assert_close(soft_edit_distance(log_probs, targets, eos=EOS, reduction="sum"), rows.sum())
    nothing = log_probs[:0].requires_grad_()
    loss = soft_edit_distance(nothing, targets[:0], eos=EOS)
    loss.backward()
    assert loss.item() == 0
    assert nothing.grad.shape == (0, 4, SYMBOLS)
    assert soft_dtw_distance(nothing, targets[:0], eos=EOS).item() == 0
    assert soft_edit_distance(log_probs, targets[:, :0], eos=EOS).isfinite()


def test_autocast_and_rough_inputs():
    log_probs, targets = random_log_probs(3, 4).float(), torch.tensor([[2, 3], [4, 4], [5, 2]])
    costs = Costs(torch.rand(6), torch.rand(6), torch.rand(6, 6))
    plain = soft_edit_distance(log_probs, targets, eos=EOS, costs=costs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(soft_edit_distance(log_probs, targets, eos=EOS, costs=costs), plain)
    rough = soft_edit_distance(log_probs.bfloat16(), targets, eos=EOS)
    assert rough.dtype == torch.float32
    assert rough.item() == pytest.approx(soft_edit_distance(log_probs, targets, eos=EOS).item(), abs=0.05)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("targets must hold symbols from 0 to 5, not 6", {"targets": torch.tensor([[2, 6], [2, 2]])}),
        ("targets must hold symbols from 0 to 5, not -1", {"targets": torch.tensor([[2, -1], [2, 2]])}),
        ("targets must not contain the end symbol 1", {"targets": torch.tensor([[2, 3], [2, 1]])}),
        ("targets must be int64, not torch.float32", {"targets": torch.zeros(2, 3)}),
        (r"targets must have the shape \(2, any\), not \(3, 2\)", {"targets": torch.zeros(3, 2).long()}),
        ("eos must be one of the 6 symbols, not 6", {"eos": 6}),
        ("gamma .* above 0, not 0", {"gamma": 0}),
        ("reduction must be 'mean', 'sum' or 'none', not 'max'", {"reduction": "max"}),
        ("value must be 'softmin' or 'expected', not 'hard'", {"value": "hard"}),
        ("log_probs must be normalised .* sum to 6", {"log_probs": torch.zeros(2, 4, SYMBOLS)}),
        ("log_probs must be normalised .* sum to nan", {"log_probs": torch.full((2, 4, SYMBOLS), torch.nan)}),
        ("lengths must lie between 0 and 4.* not 5", {"lengths": torch.tensor([5, 1])}),
        ("target_lengths must lie between 0 and 2.* not 3", {"target_lengths": torch.tensor([3, 1])}),
        ("targets lies on meta", {"targets": torch.zeros(2, 2, dtype=torch.int64, device="meta")}),
        ("lengths lies on meta", {"lengths": torch.ones(2, dtype=torch.int64, device="meta")}),
        (r"costs.insertion must have the shape \(6\), not \(5,\)", {"costs": Costs.unit(5)}),
        (r"costs.deletion\[2\] is nan", {"costs": unit_costs_but(deletion=(2, torch.nan))}),
        (r"costs.substitution\[1, 2\] is inf", {"costs": unit_costs_but(substitution=((1, 2), torch.inf))}),
        ("costs.deletion lies on meta", {"costs": replace(Costs.unit(6), deletion=torch.ones(6, device="meta"))}),
    ],
)
def test_bad_input(message, arguments):
    good = {"log_probs": random_log_probs(2, 4), "targets": torch.tensor([[2, 3], [4, 4]]), "eos": EOS}
    with pytest.raises(ValueError, match=message):
        soft_edit_distance(**{**good, **arguments})


def test_soft_dtw_has_no_empty_target():
    log_probs = random_log_probs(2, 4)
    with pytest.raises(ValueError, match=r"target_lengths must lie between 1 and 2.* not 0"):
        soft_dtw_distance(log_probs, torch.ones(2, 2).long() + 1, eos=EOS, target_lengths=torch.tensor([2, 0]))
    with pytest.raises(ValueError, match="target_lengths must be at least 1"):
        soft_dtw_distance(log_probs, torch.zeros(2, 0, dtype=torch.int64), eos=EOS)
