import json

import numpy as np
import pytest
import torch

from speller.alphabet import CORRECT, END
from speller.bundle import DECODER, ENCODER, LEXICON, OUTPUT, PRIORS, Bundle, write_config
from speller.corrector import Corrector
from speller.explanation import explain
from speller.letter_evidence import attention
from speller.ranking import Ranking, Stage
from speller.reader import Reader
from speller.runtime import OnnxRuntime
from speller.train.attribution import Attribution, integrated_gradients
from speller.train.export import export
from speller.train.model import CELLS

WEIGHTS = {"frequency": 0.5, "distance": -1.0, "kept-length": -0.5, "read": 0.4, "kept-read": 0.3, "reverse": 0.2}


@pytest.fixture
def bundle(make_model, greek, tmp_path) -> Bundle:
    """A model that was not trained, as training would leave it."""
    model = make_model(symbols=len(greek.alphabet))
    export(model, encoder=tmp_path / ENCODER, decoder=tmp_path / DECODER, output=tmp_path / OUTPUT)
    greek.save(tmp_path / LEXICON)
    runtime = OnnxRuntime(tmp_path / ENCODER, tmp_path / DECODER, tmp_path / OUTPUT)
    np.save(tmp_path / PRIORS, Reader(greek, runtime).priors(greek.words).astype(np.float16))
    stages = (Stage(WEIGHTS) for _ in range(3))
    write_config(tmp_path, Ranking(*stages), {"language": "el"})
    return Bundle.load(tmp_path)


def log_odds(model, symbols, words):
    """What the model makes of weighted words, having read symbols, by its own encoder and decoder."""
    memory = model.encode(symbols, torch.tensor([symbols.shape[1]]))
    total = torch.zeros(1, dtype=torch.float64)
    for target, weight in words:
        log_probs, _ = model.decode(torch.tensor([[CORRECT, *target]]), None, memory)
        total += weight * sum(log_probs[0, step, symbol] for step, symbol in enumerate([*target, END]))
    return total


def test_a_linear_function_is_attributed_to_the_last_bit():
    weights, inputs, baseline = torch.randn(3, 4, 5, dtype=torch.float64).unbind()
    parts = integrated_gradients(lambda batch: (batch * weights).sum(dim=(1, 2)), inputs, baseline, points=1)
    torch.testing.assert_close(parts, (inputs - baseline) * weights)


def test_a_polynomial_is_attributed_exactly_where_the_points_suffice():
    inputs, baseline = torch.tensor([3.0, -2.0]).double(), torch.tensor([1.0, 1.0]).double()

    def function(batch):
        return batch[:, 0] ** 3 * batch[:, 1]

    # On the way (1 + 2 s, 1 - 3 s): the integrals over s of 3 x^2 y and of x^3, times 2 and -3.
    expected = [2 * 3 * (1 - 3 * 1 / 2 + 4 / 2 - 12 / 3 + 4 / 3 - 12 / 4), -3 * 10]
    parts = integrated_gradients(function, inputs, baseline, points=4)
    assert parts.tolist() == pytest.approx(expected)
    assert parts.sum() == pytest.approx(27 * -2 - 1)
    assert integrated_gradients(function, inputs, baseline, points=1).sum() != pytest.approx(27 * -2 - 1)


@pytest.mark.parametrize("cell", CELLS)
def test_letters_sum_to_the_difference_that_they_make(make_model, greek, cell):
    model = make_model(cell, symbols=len(greek.alphabet)).double()
    written, meant = "ορθωγραφια", [("ορθογραφία", 1.0), ("φιλοσοφία", -0.7)]
    targets = [(greek.alphabet.encode([word])[0][0].tolist(), weight) for word, weight in meant]
    symbols = torch.from_numpy(np.insert(greek.alphabet.encode([written])[0], 0, CORRECT, axis=1))
    with torch.no_grad():
        read = log_odds(model, symbols, targets)
        parts = Attribution(model, greek.alphabet)(written, meant)
        # A symbol whose vector is zeros stands for the letters that were not read.
        nothing = len(greek.alphabet) - 1
        assert nothing not in symbols
        assert all(nothing not in target for target, _ in targets)
        model.embedding.weight[nothing] = 0
        symbols[0, 1:] = nothing
        unread = log_odds(model, symbols, targets)
    assert parts.shape == (len(written),)
    assert abs(read - unread).item() > 0.1
    assert parts.sum() == pytest.approx((read - unread).item(), abs=2e-3)


def test_a_letter_that_changes_nothing_has_nothing(make_model, greek):
    model = make_model(symbols=len(greek.alphabet))
    with torch.no_grad():
        model.embedding.weight[greek.alphabet.encode(["ω"])[0][0, 0]] = 0
    parts = Attribution(model, greek.alphabet)("λωξη", [("λέξη", 1.0), ("πόλη", -1.0)])
    assert parts[1] == 0
    assert (np.abs(parts[[0, 2, 3]]) > 1e-4).all()


def test_attention_is_that_of_the_model(make_model, greek, tmp_path):
    model = make_model(symbols=len(greek.alphabet))
    with torch.no_grad():
        model.memory.weight *= 8  # which makes it look at few letters
    graphs = tmp_path / ENCODER, tmp_path / DECODER, tmp_path / OUTPUT
    export(model, encoder=graphs[0], decoder=graphs[1], output=graphs[2])
    written, meant = "λεξι", "λέξη"
    shares = attention(Reader(greek, OnnxRuntime(*graphs)), written, meant)
    source = torch.from_numpy(np.insert(greek.alphabet.encode([written])[0], 0, CORRECT, axis=1))
    previous = torch.tensor([[CORRECT, *greek.alphabet.encode([meant])[0][0].tolist()]])
    with torch.no_grad():
        memory = model.encode(source, torch.tensor([5]))
        hidden, _ = model.decoder(model.embedding(previous))
        expected = model.attend(hidden, memory)[1][0].mean(dim=0)
    assert np.ptp(shares) > 0.1
    # The graphs round what attention asks with to eight bits.
    assert shares.tolist() == pytest.approx(expected.tolist(), abs=0.01)


def test_what_the_graphs_hold_is_attributed(make_model, greek, bundle):
    words = [("λέξη", 1.0), ("πόλη", -1.0)]
    parts, expected = (each("λεξι", words) for each in (Attribution.of(bundle), Attribution(make_model(symbols=len(greek.alphabet)), greek.alphabet)))  # fmt: skip  # noqa: E501
    assert parts.tolist() == pytest.approx(expected.tolist(), abs=0.1)


def test_the_command_attributes(run_speller, bundle):
    done = run_speller("explain", "λεξι", "--model", bundle.folder, "--json", "--html", bundle.folder / "why.html")
    assert (done.returncode, done.stderr) == (0, "")
    decision = json.loads(done.stdout)["decision"]
    expected = explain(Corrector(bundle), "λεξι", attribute=Attribution.of(bundle)).decision
    assert decision["reading"] == pytest.approx(expected.reading.tolist(), abs=1e-4)
    assert max(map(abs, decision["reading"])) > 1e-3
    assert "attribution</text>" in (bundle.folder / "why.html").read_text(encoding="utf-8")
