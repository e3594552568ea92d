import pytest
import torch

from speller.train.distance import Costs, LearnedCosts, soft_edit_distance

EOS = 0


def test_learned_costs_begin_as_unit_costs():
    costs = LearnedCosts(torch.tensor([0.0, 3.0, 1.0]))()
    unit = Costs.unit(3)
    for name in ("insertion", "deletion", "substitution"):
        torch.testing.assert_close(getattr(costs, name), getattr(unit, name))


def test_the_mean_stays_while_they_learn():
    # In every pair "2" was written for "3" or left out: that must become cheap, and all else dearer, never all cheap.
    frequencies = torch.tensor([0.0, 5.0, 2.0, 2.0, 0.0])
    learned = LearnedCosts(frequencies)
    optimizer = torch.optim.Adam(learned.parameters(), lr=0.05)
    written = torch.eye(5)[torch.tensor([[1, 2, 1, 0], [1, 1, 0, 0]])].log()
    targets = torch.tensor([[1, 3, 1], [1, 2, 1]])
    for _ in range(100):
        optimizer.zero_grad()
        soft_edit_distance(written, targets, eos=EOS, costs=learned()).backward()
        optimizer.step()
    costs = learned()
    shares = frequencies / frequencies.sum()
    pairs = shares[:, None] * shares * (1 - torch.eye(5))
    assert (costs.insertion > 0).all()
    assert costs.substitution[2, 3] < 0.3 < 1 < costs.substitution[1, 3]
    assert costs.insertion[2] < 0.3
    assert (shares * costs.insertion).sum().item() == pytest.approx(1, abs=1e-5)
    assert (shares * costs.deletion).sum().item() == pytest.approx(1, abs=1e-5)
    assert ((pairs * costs.substitution).sum() / pairs.sum()).item() == pytest.approx(1, abs=1e-5)
    assert not costs.substitution.diagonal().any()


def test_they_stay_finite_wherever_the_optimiser_goes():
    learned = LearnedCosts(torch.tensor([0.0, 1.0, 1.0]))
    with torch.no_grad():
        learned.insertion.copy_(torch.tensor([5000.0, -300.0, 300.0]))
    costs = learned()
    costs.insertion.sum().backward()
    assert costs.insertion.isfinite().all()
    assert learned.insertion.grad.isfinite().all()


@pytest.mark.parametrize(
    ("message", "frequencies"),
    [
        ("finite numbers from 0 up", torch.tensor([1.0, -1.0])),
        ("finite numbers from 0 up", torch.tensor([1.0, torch.nan])),
        ("finite numbers from 0 up", torch.ones(2, 2)),
        ("above 0 for two symbols at least", torch.tensor([1.0, 0.0])),
    ],
)
def test_bad_frequencies(message, frequencies):
    with pytest.raises(ValueError, match=message):
        LearnedCosts(frequencies)


def test_costs_of_different_alphabets():
    with pytest.raises(ValueError, match=r"not \[\(3,\), \(4,\), \(3, 3\)\]"):
        Costs(torch.ones(3), torch.ones(4), torch.ones(3, 3))
