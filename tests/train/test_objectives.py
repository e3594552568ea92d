"""Every objective learns a toy task, in whatever form its options give it, and refuses options that make no sense."""

import copy
import itertools

import pytest
import torch
from torch.nn.functional import cross_entropy

from speller.alphabet import CORRECT, PADDING, SPECIALS
from speller.train.batch import Batch
from speller.train.distance import soft_dtw_distance, soft_edit_distance
from speller.train.model import ModelConfig, SpellingModel
from speller.train.objectives import OBJECTIVES, CrossEntropy, SoftDTW, SoftEdit, read_objective
from speller.train.writing import write_distributions, write_words

FORMS = [
    ("cross-entropy", {}),
    ("cross-entropy", {"label_smoothing": 0.1}),
    ("soft-edit", {}),
    ("soft-edit", {"feedback": "teacher"}),
    ("soft-edit", {"feedback": "teacher", "value": "expected", "transposition": True}),
    ("soft-edit", {"feedback": "gumbel"}),
    ("soft-dtw", {"feedback": "teacher", "gamma": 0.05, "gamma_start": 0.1}),
    ("soft-dtw", {"gamma_start": 0.1}),
    ("soft-dtw", {"feedback": "gumbel", "gamma_start": 0.1}),
    ("reinforce", {}),
    ("reinforce", {"reward": "word"}),
    ("reinforce", {"baseline": "self-critical"}),
    ("reinforce", {"baseline": "mean", "reward": "word", "transposition": True}),
    ("reinforce", {"baseline": "none", "entropy": 0.001}),
    ("mrt", {}),
    ("mrt", {"candidates": "sample"}),
    ("mrt", {"alpha": 0.5, "transposition": True}),
    ("ocd", {}),
    ("ocd", {"samples": 2, "temperature": 0.1}),
    ("raml", {}),
    ("raml", {"samples": 2, "temperature": 0.1}),
]


def reversal() -> Batch:
    """Words of 2 to 4 letters without doubled ones, to be written backwards."""
    words = [
        word
        for length in (2, 3, 4)
        for word in itertools.product(range(SPECIALS, SPECIALS + 3), repeat=length)
        if all(letter != following for letter, following in itertools.pairwise(word))
    ]
    read = torch.tensor([(*word, *[PADDING] * (4 - len(word))) for word in words])
    target = torch.tensor([(*word[::-1], *[PADDING] * (4 - len(word))) for word in words])
    lengths = torch.tensor([len(word) for word in words])
    return Batch.of(read, lengths, target, lengths)


@pytest.fixture(scope="module")
def batch() -> Batch:
    return reversal()


@pytest.fixture(scope="module")
def warm(batch) -> SpellingModel:
    """Has learned half of the task."""
    torch.manual_seed(1)
    model = SpellingModel(ModelConfig(symbols=SPECIALS + 3, embedding=16, encoder=32, decoder=48))
    learn(model, batch, CrossEntropy(), steps=20, learning_rate=1e-2)
    assert 0.2 < share_right(model, batch) < 0.8
    return model


def learn(model, batch, objective, *, steps, learning_rate):
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for step in range(steps):
        loss = objective(model, batch, progress=step / steps)
        optimizer.zero_grad()
        loss.value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def share_right(model, batch, *, doubled_count=True) -> float:
    with torch.no_grad():
        memory = model.encode(batch.source, batch.source_lengths)
        words = write_words(model, memory, direction=CORRECT, longest=8).words
    targets = batch.target.tolist()
    right = 0
    for word, target in zip(words.tolist(), targets, strict=True):
        word, target = ([symbol for symbol in each if symbol != PADDING] for each in (word, target))
        if not doubled_count:
            word = [symbol for symbol, _ in itertools.groupby(word)]
        right += word == target
    return right / len(targets)


@pytest.mark.parametrize(("name", "options"), FORMS, ids=str)
def test_learns(warm, batch, name, options):
    torch.manual_seed(1)
    model = copy.deepcopy(warm)
    learn(model, batch, read_objective(name, {name: options}), steps=80, learning_rate=5e-3)
    # Soft-DTW cannot tell "helllo" from "hello".
    assert share_right(model, batch, doubled_count=name != "soft-dtw") >= 0.95


def test_all_objectives_are_learned_with():
    assert {name for name, _ in FORMS} == set(OBJECTIVES)


@pytest.mark.parametrize(("name", "options"), FORMS, ids=str)
def test_mixed_precision(warm, batch, name, options):
    torch.manual_seed(1)
    model = copy.deepcopy(warm)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = read_objective(name, {name: options})(model, batch, progress=0.5)
    assert loss.value.dtype == torch.float32
    assert loss.value.isfinite()
    assert not any(scalar.requires_grad for scalar in loss.scalars.values())
    assert all(scalar.dim() == 0 and scalar.isfinite() for scalar in loss.scalars.values())
    loss.value.backward()
    gradients = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
    assert gradients.isfinite().all()
    assert gradients.any()


@pytest.mark.parametrize(("name", "options"), FORMS, ids=str)
def test_a_word_alone(warm, batch, name, options):
    # One row, of which nothing is left to take a mean or a variance over.
    alone = Batch(batch.source[:1], batch.source_lengths[:1], batch.target[:1], batch.target_lengths[:1], CORRECT)
    torch.manual_seed(1)
    loss = read_objective(name, {name: options})(warm, alone)
    assert loss.value.isfinite()
    assert all(scalar.isfinite() for scalar in loss.scalars.values())


def test_a_weighted_sum(warm, batch):
    soft, plain = SoftEdit()(warm, batch).value, CrossEntropy()(warm, batch).value
    loss = read_objective("soft-edit + 0.25*cross-entropy")(warm, batch)
    torch.testing.assert_close(loss.value, soft + 0.25 * plain)
    assert {"soft-edit/loss", "soft-edit/gamma", "cross-entropy/loss", "cross-entropy/accuracy"} == set(loss.scalars)


def test_label_smoothing_spreads_over_what_can_be_written(warm, batch):
    possible = warm.never_written.isfinite()
    log_probs = warm(batch.source, batch.source_lengths, batch.previous)
    real = batch.written != PADDING
    numbers = possible.cumsum(dim=0) - 1  # of the symbols that can be written, among themselves
    expected = cross_entropy(log_probs[real][:, possible], numbers[batch.written[real]], label_smoothing=0.3)
    torch.testing.assert_close(CrossEntropy(label_smoothing=0.3)(warm, batch).value, expected)


def test_gamma_falls_geometrically():
    objective = SoftEdit(gamma=0.1, gamma_start=0.4)
    assert [objective.annealed_gamma(progress) for progress in (0, 0.5, 1, 1.5)] == pytest.approx([0.4, 0.2, 0.1, 0.1])


def test_slack_leaves_room_for_words_that_are_too_long(warm, batch):
    # At two steps more than the end takes, a word may be three letters too long: no more can be counted.
    with torch.no_grad():
        model = copy.deepcopy(warm)
        model.output.bias[1] = -torch.inf
        for slack in (0, 2):
            loss = SoftEdit(feedback="soft", slack=slack, gamma=0.01, gamma_start=0.01)(model, batch).value
            memory = model.encode(batch.source, batch.source_lengths)
            log_probs = write_distributions(model, memory, direction=CORRECT, steps=5 + slack, feedback="soft")
            lengths = batch.target_lengths + 1 + slack
            common = {"eos": 1, "target_lengths": batch.target_lengths, "lengths": lengths}
            expected = soft_edit_distance(log_probs, batch.target, gamma=0.01, **common)
            torch.testing.assert_close(loss, expected)
            assert loss >= slack + 1 - 0.05
            warped = SoftDTW(feedback="soft", slack=slack, gamma=0.01, gamma_start=0.01)(model, batch).value
            torch.testing.assert_close(warped, soft_dtw_distance(log_probs, batch.target, gamma=0.01, **common))


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("cross-entropy", "label_smoothing", 1.0),
        ("cross-entropy", "label_smoothing", -0.1),
        ("soft-edit", "gamma", 0.0),
        ("soft-edit", "gamma_start", float("nan")),
        ("soft-edit", "feedback", "student"),
        ("soft-edit", "slack", -1),
        ("soft-edit", "temperature", 0),
        ("soft-edit", "value", "least"),
        ("soft-edit", "transposition", "no"),
        ("soft-dtw", "gamma", -1.0),
        ("soft-dtw", "feedback", None),
        ("reinforce", "samples", 1),
        ("reinforce", "samples", 2.5),
        ("reinforce", "baseline", "median"),
        ("reinforce", "reward", "letter"),
        ("reinforce", "entropy", -0.5),
        ("reinforce", "entropy", float("inf")),
        ("mrt", "samples", 1),
        ("mrt", "candidates", "lexicon"),
        ("mrt", "alpha", 0),
        ("ocd", "samples", 0),
        ("ocd", "temperature", -1),
        ("raml", "samples", True),
        ("raml", "temperature", 0.0),
        ("raml", "temperature", "hot"),
    ],
)
def test_refuses_options(name, option, value):
    with pytest.raises(ValueError, match=rf"^{option} is .*, not {value!r}"):
        read_objective(name, {name: {option: value}})


def test_raml_refuses_a_temperature_that_its_alphabet_cannot_bear(warm, batch):
    objective = read_objective("raml", {"raml": {"temperature": 0.5}})
    with pytest.raises(
        ValueError, match=r"temperature must be above 0 and at most 0\.2940 for an alphabet of 3 letters"
    ):
        objective(warm, batch)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("soft", {}, "unknown objective 'soft'; the known ones are cross-entropy, soft-edit"),
        ("mrt+mrt", {}, "mrt stands twice"),
        ("mrt-", {}, "unknown objective 'mrt-'"),
        ("2*", {}, "a sum such as"),
        ("mrt", {"ocd": {"samples": 2}}, "options for ocd, which 'mrt' does not hold"),
        ("mrt", {"mrt": {"sample": 2}}, "mrt has no option sample; it has samples, candidates, "),
    ],
)
def test_refuses_sums(text, options, message):
    with pytest.raises(ValueError, match=message):
        read_objective(text, options)


def test_a_sum_reads_a_batch_once(warm, batch, monkeypatch):
    model = copy.deepcopy(warm)
    options = {name: {"feedback": "teacher"} for name in ("soft-edit", "soft-dtw")}
    whole = read_objective("0.5*soft-edit+2*cross-entropy+soft-dtw", options)
    expected = sum(weight * part(model, batch).value for weight, part in whole.parts.values())
    calls = []
    for name in ("_encode", "decode"):
        really = getattr(model, name)
        monkeypatch.setattr(model, name, lambda *given, name=name, really=really: calls.append(name) or really(*given))
    loss = whole(model, batch)
    assert calls == ["_encode", "decode"]
    torch.testing.assert_close(loss.value, expected)
    mine, theirs = (torch.autograd.grad(each, tuple(model.parameters())) for each in (loss.value, expected))
    for each, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(each, other)
    # What was read is forgotten with the sum: the weights may have changed since.
    read_objective("cross-entropy")(model, batch)
    assert calls == ["_encode", "decode"] * 2
