"""Minimum risk, optimal completions and payoffs against enumeration."""

import copy
import itertools
import math
import operator
from collections import Counter
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA, Levenshtein

from speller.alphabet import CORRECT, END, MISSPELL, PADDING, SPECIALS, UNKNOWN
from speller.train.batch import Batch
from speller.train.objectives import MinimumRisk, OptimalCompletion, RewardAugmented, mrt, ocd, raml
from speller.train.objectives.mrt import repeated
from speller.train.objectives.ocd import reachable_distances
from speller.train.objectives.payoff import LONGER, hottest, sample_near
from speller.train.objectives.prefixes import prefix_distances
from speller.train.objectives.scored import score_words
from speller.train.writing import rewrite_words

LETTERS = (SPECIALS, SPECIALS + 1)
words = st.lists(st.sampled_from(LETTERS), max_size=4).map(tuple)


def as_tensors(several, longest=None, *, filling=PADDING):
    lengths = torch.tensor([len(word) for word in several])
    longest = int(lengths.max()) if longest is None else longest
    symbols = torch.tensor([(*word, *[filling] * (longest - len(word))) for word in several], dtype=torch.int64)
    return symbols.view(len(several), longest), lengths


@pytest.fixture
def model(make_model):
    return make_model(symbols=SPECIALS + 2).double()


@pytest.fixture
def batch():
    target, target_lengths = as_tensors([(5, 6, 5), (6,)])
    read, lengths = as_tensors([(5, 5, 6), (6, 5)])
    return Batch.of(read, lengths, target, target_lengths)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=4), st.booleans())
def test_the_table_holds_the_distances_of_all_beginnings(pairs, transposition):
    symbols, _ = as_tensors([word for word, _ in pairs])
    targets, target_lengths = as_tensors([target for _, target in pairs])
    table, best = prefix_distances(symbols, targets, target_lengths, transposition=transposition)
    distance = (OSA if transposition else Levenshtein).distance
    for row, (word, target) in enumerate(pairs):
        expected = [
            [distance(word[:step], target[:place]) for place in range(len(target) + 1)] for step in range(len(word) + 1)
        ]
        assert table[row, : len(word) + 1, : len(target) + 1].tolist() == expected
        assert best[row, : len(word) + 1].tolist() == [min(line) for line in expected]
        assert (table[row, :, len(target) + 1 :] > table[row, :, : len(target) + 1].max()).all()


COMPLETIONS = [word for length in range(5) for word in itertools.product(LETTERS, repeat=length)]


@given(words, words)
def test_reachable_distances_are_those_of_the_best_completions(word, target):
    symbols, _ = as_tensors([word, (5, 6)])  # beside another, so that the shorter is padded
    targets, target_lengths = as_tensors([target, (6, 5)], filling=5)
    found = reachable_distances(symbols, targets, target_lengths, symbols=SPECIALS + 2)[0]
    for step in range(len(word) + 1):
        written = word[:step]
        assert found[step, END] == Levenshtein.distance(written, target)
        for letter in LETTERS:
            best = min(Levenshtein.distance((*written, letter, *completion), target) for completion in COMPLETIONS)
            assert found[step, letter] == best


def write_given(words, lengths, model, memory, *, samples, **options):
    return rewrite_words(model, memory, words, lengths, **options)


@pytest.mark.parametrize("temperature", [0.0, 0.5])
def test_optimal_completion_is_the_divergence_from_the_best_symbols(model, batch, monkeypatch, temperature):
    several = [(5, 6), (6, 6, 5, 6), (), (6,)]
    symbols, lengths = as_tensors(several)
    monkeypatch.setattr(ocd, "write_words", partial(write_given, symbols, lengths))
    loss = OptimalCompletion(samples=2, temperature=temperature)(model, batch)

    memory = model.encode(batch.source, batch.source_lengths)
    log_probs = score_words(model, memory, symbols, lengths, direction=CORRECT).log_probs.detach().view(4, 5, -1)
    possible = [END, UNKNOWN, *LETTERS]
    divergences = []
    for row, word in enumerate(several):
        target = (5, 6, 5) if row < 2 else (6,)
        for step in range(len(word) + 1):
            least = {END: Levenshtein.distance(word[:step], target)}
            for symbol in possible[1:]:
                completed = [(*word[:step], symbol, *completion) for completion in COMPLETIONS]
                least[symbol] = min(Levenshtein.distance(each, target) for each in completed)
            weight = {
                symbol: math.exp(-distance / temperature) if temperature else float(distance == min(least.values()))
                for symbol, distance in least.items()
            }
            taught = {symbol: each / sum(weight.values()) for symbol, each in weight.items() if each}
            divergences.append(
                sum(each * (math.log(each) - float(log_probs[row, step, symbol])) for symbol, each in taught.items())
            )
    assert float(loss.value.detach()) == pytest.approx(sum(divergences) / len(divergences))
    distances = [2 - 1, Levenshtein.distance(several[1], (5, 6, 5)), 1, 0]
    assert loss.scalars["distance"] == sum(distances) / 4


def test_a_perfect_speller_has_nothing_to_learn_from_completions(model, batch):
    model = copy.deepcopy(model)
    with torch.no_grad():
        model.output.weight.zero_()
        model.output.bias.fill_(-1e4)
        model.output.bias[END] = 0.0
    empty = Batch(
        batch.source, batch.source_lengths, batch.target[:, :0], torch.zeros_like(batch.target_lengths), CORRECT
    )
    loss = OptimalCompletion()(model, empty)
    assert loss.value == 0
    assert loss.scalars["optimal"] == 1


@pytest.mark.parametrize("outside", [True, False])
@pytest.mark.parametrize("alpha", [1.0, 0.3])
def test_risk_is_the_expected_distance_over_different_words(model, batch, monkeypatch, alpha, outside):
    # The right word is sampled too, and another one twice; one is cut off, and has no end.
    monkeypatch.setattr(mrt, "longest_written", lambda batch: 4)
    sampled = [[(5, 6, 5), (5,), (5,)], [(6, 6, 6, 6), (), (5,)]]
    monkeypatch.setattr(mrt, "write_words", partial(write_given, *as_tensors([*sampled[0], *sampled[1]])))
    loss = MinimumRisk(samples=4, candidates="sample", alpha=alpha, outside=outside)(model, batch)

    risks, right, inside = [], [], []
    for row, target in enumerate([(5, 6, 5), (6,)]):
        different = sorted({target, *sampled[row]})
        symbols, lengths = as_tensors(different)
        alone = Batch.of(
            batch.source[row, None, 1:].expand(len(different), -1),
            batch.source_lengths[row].expand(len(different)) - 1,
            symbols,
            lengths,
        )
        memory = model.encode(alone.source, alone.source_lengths)
        written = rewrite_words(model, memory, symbols, lengths, direction=CORRECT, longest=4)
        chosen = written.chosen().sum(dim=1).detach()
        weights = [math.exp(alpha * float(each)) for each in chosen]
        distances = [Levenshtein.distance(word, target) for word in different]
        inside.append(float(chosen.exp().sum()))
        if outside:
            weights.append((1 - inside[-1]) ** alpha)
            distances.append(max(distances) + 1)
        risks.append(sum(map(operator.mul, weights, distances)) / sum(weights))
        right.append(weights[different.index(target)] / sum(weights))
    assert float(loss.scalars["inside"]) == pytest.approx(sum(inside) / 2)
    assert float(loss.value.detach()) == pytest.approx(sum(risks) / 2)
    assert float(loss.scalars["right"]) == pytest.approx(sum(right) / 2)
    assert loss.scalars["different"] == (2 + 4) / 2


@pytest.mark.parametrize(("outside", "tolerance"), [(True, 1e-5), (False, 1e-7)])
def test_a_beam_wider_than_the_words_there_are_gives_the_exact_risk(model, batch, monkeypatch, outside, tolerance):
    monkeypatch.setattr(mrt, "longest_written", lambda batch: 3)
    with torch.no_grad():
        model.output.bias[UNKNOWN] = -torch.inf
    every = [word for length in range(4) for word in itertools.product(LETTERS, repeat=length)]
    loss = MinimumRisk(samples=18, outside=outside)(model, batch)
    symbols, lengths = as_tensors(every * 2)
    memory = model.encode(batch.source, batch.source_lengths)
    written = rewrite_words(model, memory, symbols, lengths, direction=CORRECT, longest=3)
    chances = written.chosen().sum(dim=1).exp().view(2, -1)
    distances = torch.tensor([[Levenshtein.distance(word, target) for word in every] for target in [(5, 6, 5), (6,)]])
    expected = (chances * distances).sum(dim=1).mean()
    torch.testing.assert_close(loss.value, expected, atol=tolerance, rtol=tolerance)
    assert loss.scalars["different"] == len(every)
    for mine, theirs in zip(
        *(torch.autograd.grad(each, model.memory.weight) for each in (loss.value, expected)), strict=True
    ):
        torch.testing.assert_close(mine, theirs, atol=tolerance, rtol=tolerance)


def test_what_the_words_of_the_beam_lose_does_not_go_to_others(model, batch):
    inside = {}
    for outside in (True, False):
        learner, objective = copy.deepcopy(model), MinimumRisk(samples=2, outside=outside)
        optimizer = torch.optim.AdamW(learner.parameters(), lr=0.02)
        begun = float(objective(learner, batch).scalars["inside"])
        for _ in range(20):
            objective(learner, batch).value.backward()
            optimizer.step()
            optimizer.zero_grad()
        inside[outside] = float(objective(learner, batch).scalars["inside"])
    assert inside[True] > max(begun, inside[False])


def test_repeated_words():
    symbols = torch.tensor([[[5, 0], [5, 6], [5, 0], [0, 0]], [[6, 6], [6, 6], [6, 6], [6, 5]]])
    assert repeated(symbols).tolist() == [[False, False, True, False], [False, True, True, False]]


@pytest.mark.parametrize("target", [(5, 5, 6), (6,), ()])
def test_payoffs_are_exact(target):
    temperature, samples = 0.33, 40_000
    torch.manual_seed(0)
    targets, lengths = as_tensors([target], longest=3)
    symbols, found_lengths = sample_near(
        targets.expand(samples, -1), lengths.expand(samples), temperature=temperature, symbols=SPECIALS + 2
    )
    found = Counter(tuple(word[:length]) for word, length in zip(symbols.tolist(), found_lengths.tolist(), strict=True))
    payoff = {
        word: math.exp(-Levenshtein.distance(word, target) / temperature)
        for length in range(len(target) + LONGER + 1)
        for word in itertools.product(LETTERS, repeat=length)
    }
    total = sum(payoff.values())
    assert set(found) <= set(payoff)
    assert 0.3 < found[target] / samples < 0.95
    expected = {word: samples * each / total for word, each in payoff.items()}
    often = [word for word, count in expected.items() if count >= 10]
    assert len(often) > 5
    square = sum((found[word] - expected[word]) ** 2 / expected[word] for word in often)
    rest, expected_rest = (sum(counts[word] for word in payoff if expected[word] < 10) for counts in (found, expected))
    square += (rest - expected_rest) ** 2 / max(expected_rest, 1)
    freedom = len(often)
    assert square < freedom + 4 * math.sqrt(2 * freedom)


def test_an_unknown_character_is_kept_or_edited_away():
    torch.manual_seed(0)
    targets = torch.tensor([[UNKNOWN, 5]]).expand(500, -1)
    symbols, lengths = sample_near(targets, torch.full((500,), 2), temperature=0.33, symbols=SPECIALS + 2)
    shares = Counter(int(count) for count in (symbols == UNKNOWN).sum(dim=1))
    assert set(shares) == {0, 1}
    assert min(shares.values()) > 10
    letters = symbols[(torch.arange(symbols.shape[1]) < lengths[:, None]) & (symbols != UNKNOWN)]
    assert set(letters.tolist()) == set(LETTERS)


def test_long_words_at_the_highest_temperature_are_found():
    torch.manual_seed(0)
    targets = torch.randint(SPECIALS, SPECIALS + 27, (16, 40))
    lengths = torch.full((16,), 40)
    symbols, found = sample_near(targets, lengths, temperature=hottest(27), symbols=SPECIALS + 27)
    assert (found <= 40 + LONGER).all()
    assert ((symbols != PADDING).sum(dim=1) == found).all()
    assert (symbols[:, :30] != targets[:, :30]).any(dim=1).all()


def test_reward_augmented_likelihood_is_that_of_the_sampled_words(model, batch, monkeypatch):
    sampled = as_tensors([(5, 6), (6, 6, 5, 6), (6,), ()])
    monkeypatch.setattr(raml, "sample_near", lambda *_, **__: sampled)
    loss = RewardAugmented(samples=2)(model, batch)
    twice = Batch.of(
        batch.source[:, 1:].repeat_interleave(2, dim=0), batch.source_lengths.repeat_interleave(2) - 1, *sampled
    )
    log_probs = model(twice.source, twice.source_lengths, twice.previous)
    real = twice.written != PADDING
    expected = -log_probs.gather(-1, twice.written[..., None])[..., 0][real].mean()
    torch.testing.assert_close(loss.value, expected)
    assert loss.scalars["edits"] == (1 + 2 + 0 + 1) / 4


def test_payoffs_need_letters():
    with pytest.raises(ValueError, match="symbols must be more than the 5 special ones, not 5"):
        sample_near(torch.tensor([[MISSPELL]]), torch.tensor([1]), temperature=0.1, symbols=SPECIALS)
