"""REINFORCE against the gradient of the expected edit distance, by enumeration of all words and of all samples."""

import itertools
from dataclasses import replace
from functools import partial

import pytest
import torch
from rapidfuzz.distance import Levenshtein

from speller.alphabet import CORRECT, END, PADDING, SPECIALS, UNKNOWN
from speller.train.batch import Batch
from speller.train.model import ModelConfig, SpellingModel
from speller.train.objectives import Reinforce, reinforce
from speller.train.objectives.reinforce import gradient_variance
from speller.train.writing import Written, rewrite_words, write_words

LONGEST = 3
LETTERS = (SPECIALS, SPECIALS + 1)
WORDS = [word for length in range(LONGEST + 1) for word in itertools.product(LETTERS, repeat=length)]
BASELINES = ["leave-one-out", "self-critical", "mean", "none"]


@pytest.fixture
def policy(make_model):
    """Writes words of two letters, each of which has a chance that counts."""
    model = make_model(symbols=SPECIALS + 2).double()
    with torch.no_grad():
        model.output.weight.mul_(0.1)
        model.output.bias.zero_()
        model.output.bias[UNKNOWN] = -torch.inf
    return model


@pytest.fixture
def short(monkeypatch):
    """Cuts words off at 3 letters, so that they can be counted."""
    monkeypatch.setattr(reinforce, "longest_written", lambda batch: LONGEST)


def make_batch(*targets):
    """Sources that differ, and these right words."""
    read = torch.tensor([[5, 6, 5], [6, 6, 5]][: len(targets)])
    lengths = torch.tensor([3, 2][: len(targets)])
    target = torch.tensor([(*target, *[PADDING] * (2 - len(target))) for target in targets])
    return Batch.of(read, lengths, target, torch.tensor([len(target) for target in targets]))


def as_tensors(words):
    lengths = torch.tensor([len(word) for word in words])
    return torch.tensor([(*word, *[PADDING] * (LONGEST - len(word))) for word in words]), lengths


def log_chances(model, batch):
    """The log-probabilities of all words: ``(batch, words)``."""
    symbols, lengths = as_tensors(WORDS * len(batch))
    memory = model.encode(batch.source, batch.source_lengths)
    written = rewrite_words(model, memory, symbols, lengths, direction=CORRECT, longest=LONGEST)
    return written.chosen().sum(dim=1).view(len(batch), -1)


def gradient(value, model):
    parts = torch.autograd.grad(value, list(model.parameters()), allow_unused=True, retain_graph=True)
    return torch.cat(
        [
            torch.zeros_like(parameter).flatten() if part is None else part.flatten()
            for part, parameter in zip(parts, model.parameters(), strict=True)
        ]
    )


@pytest.mark.parametrize("reward", ["word", "to-go"])
@pytest.mark.parametrize("baseline", BASELINES)
def test_no_baseline_changes_the_expected_gradient(policy, short, monkeypatch, baseline, reward):
    # Two words at once for the mean of the others, and two samples for leave-one-out: all pairs of words are drawn.
    targets = [LETTERS, LETTERS[1:]] if baseline == "mean" else [LETTERS]
    batch = make_batch(*targets)
    samples = 2 if baseline == "leave-one-out" else 1
    drawn = len(targets) * samples
    objective = Reinforce(samples=samples, baseline=baseline, reward=reward)

    chances = log_chances(policy, batch).exp()
    torch.testing.assert_close(chances.sum(dim=1), torch.ones(len(batch), dtype=torch.float64))
    assert chances.min() > 1e-3
    distances = torch.tensor([[Levenshtein.distance(word, target) for word in WORDS] for target in targets])
    expected = gradient((chances * distances).sum(dim=1).mean(), policy)

    likeliest = WORDS[greedy_word(policy, batch)]
    found = torch.zeros_like(expected)
    for several in itertools.product(range(len(WORDS)), repeat=drawn):
        symbols, lengths = as_tensors(
            [*([likeliest] if baseline == "self-critical" else []), *(WORDS[i] for i in several)]
        )
        monkeypatch.setattr(reinforce, "write_words", partial(write_given, symbols, lengths))
        chance = torch.stack([chances[place // samples, word].detach() for place, word in enumerate(several)]).prod()
        found += chance * gradient(objective(policy, batch).value, policy)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)


def write_given(words, lengths, model, memory, *, direction, longest, **_):
    return rewrite_words(model, memory, words, lengths, direction=direction, longest=LONGEST)


def greedy_word(model, batch):
    memory = model.encode(batch.source, batch.source_lengths)
    written = write_words(model, memory, direction=CORRECT, longest=LONGEST)
    return WORDS.index(tuple(written.words[0, : written.lengths[0]].tolist()))


def test_baselines_are_means_of_other_samples():
    returns = torch.tensor([[[-1.0, -1.0], [-2.0, -1.0], [-6.0, -5.0]], [[0.0, 0.0], [-3.0, 0.0], [0.0, 0.0]]])
    going_on = torch.tensor([[[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]])
    found = Reinforce(baseline="leave-one-out").mean_of_others(returns, going_on)
    assert found.tolist() == [[[-4.0, -3.0], [-3.5, -5.0], [-1.5, -1.0]], [[-1.5, 0.0], [0.0, 0.0], [-1.5, 0.0]]]
    found = Reinforce(baseline="mean").mean_of_others(returns, going_on)
    assert found.tolist() == [[[-1.0, 0.0]], [[-3.0, -3.0]]]
    assert not Reinforce(baseline="none").mean_of_others(returns, going_on).any()


@pytest.mark.parametrize("transposition", [False, True])
def test_rewards_to_go_add_up_to_the_whole_words(policy, transposition):
    torch.manual_seed(0)
    whole = Reinforce(samples=8, reward="word", transposition=transposition)
    to_go = replace(whole, reward="to-go")
    target, target_lengths = torch.randint(SPECIALS, SPECIALS + 3, (50, 6)), torch.randint(1, 7, (50,))
    batch = Batch.of(target, target_lengths, target, target_lengths)
    lengths = torch.randint(0, 8, (400,))
    words = torch.randint(SPECIALS, SPECIALS + 3, (400, 8)).masked_fill(torch.arange(8) >= lengths[:, None], PADDING)
    nothing = torch.empty(0)  # of the distributions no reward depends
    written = Written(words, lengths, nothing, nothing, nothing)
    returns = to_go.returns(written, batch)
    assert torch.equal(returns[..., :1], whole.returns(written, batch))
    # At the end, what remains is what the best beginning of the right word leaves unwritten.
    last = returns.flatten(0, 1).gather(1, lengths[:, None])
    assert (last <= 0).all()
    assert (last < 0).any()
    # No letter is ever rewarded with more than 0 or less than -1, but by the end of the word.
    steps = (returns[..., :-1] - returns[..., 1:]).flatten(0, 1)[torch.arange(8) < lengths[:, None]]
    assert set(steps.unique().tolist()) == {-1.0, 0.0}


@pytest.mark.parametrize("reward", ["word", "to-go"])
def test_leave_one_out_has_less_variance_than_none(policy, reward):
    torch.manual_seed(0)
    batch = make_batch(LETTERS, LETTERS[1:])
    variance = {
        baseline: float(
            Reinforce(samples=500, baseline=baseline, reward=reward)(policy, batch).scalars["gradient-variance"]
        )
        for baseline in ("leave-one-out", "none")
    }
    assert variance["leave-one-out"] < 0.7 * variance["none"]


def test_the_variance_is_that_of_the_gradient_by_the_bias(policy):
    torch.manual_seed(0)
    batch = make_batch(LETTERS, LETTERS[1:])
    words, lengths = as_tensors([WORDS[place] for place in (0, 3, 7, 12, 1, 1)])
    memory = policy.encode(batch.source, batch.source_lengths)
    written = rewrite_words(policy, memory, words, lengths, direction=CORRECT, longest=LONGEST)
    weights = torch.randn(6, written.real.shape[1], dtype=torch.float64) * written.real
    rows = (weights * written.chosen()).sum(dim=1)
    gradients = torch.stack([torch.autograd.grad(-row, policy.output.bias, retain_graph=True)[0] for row in rows])
    expected = gradients.view(2, 3, -1).var(dim=1).sum(dim=1).mean()
    torch.testing.assert_close(gradient_variance(written, weights, 3), expected)


def test_an_entropy_bonus_evens_the_policy_out():
    torch.manual_seed(0)
    model = SpellingModel(ModelConfig(symbols=SPECIALS + 2, embedding=4, encoder=4, decoder=8))
    batch = make_batch(LETTERS)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    with torch.no_grad():
        model.output.bias[END] += 2
    entropies = []
    for _ in range(30):
        loss = Reinforce(samples=4, entropy=100.0)(model, batch)
        optimizer.zero_grad()
        loss.value.backward()
        optimizer.step()
        entropies.append(float(loss.scalars["entropy"]))
    even = torch.log(torch.tensor(4.0))  # two letters, the end, and the unknown character
    assert entropies[0] < 0.8 * even
    assert entropies[-1] > 0.97 * even
