import re

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from speller.train import learning_rates
from speller.train.examples import Examples
from speller.train.learning_rates import HIGHEST, LOWEST, PLOT, measure, sweep
from speller.train.loop import open_accelerator
from speller.train.objectives import Loss, read_objective
from speller.train.recipe import Recipe


@pytest.fixture
def swept(make_model, greek, greek_pairs, greek_errors, monkeypatch):
    """Sweeps a small model in few steps."""
    monkeypatch.setattr(learning_rates, "STEPS", 80)

    def swept(objective="cross-entropy", model=None):
        recipe = Recipe(language="el", objective=objective, batch=24, prior=0.0, seed=5)
        examples = Examples(recipe, greek, greek_pairs, greek_errors, device=torch.device("cpu"))
        model = model or make_model("gru", symbols=len(greek.alphabet))
        return sweep(recipe, model, examples, accelerator=open_accelerator("cpu"), console=Console(quiet=True))

    return swept


@pytest.mark.parametrize("objective", ["cross-entropy", "reinforce", "soft-edit+0.1*cross-entropy"])
def test_a_toy(swept, objective):
    found = swept(objective)
    assert (found.rates[0], found.rates[-1]) == (pytest.approx(LOWEST), pytest.approx(HIGHEST))
    assert abs(found.losses[0]) < 1e-6  # the same batch, the same samples, the same weights
    assert 3e-5 < found.proposed < 0.1
    assert found.smooth[found.lowest] < -0.3
    if objective == "cross-entropy":  # the distances of words are bounded
        assert found.breaks is not None


def test_the_models_own_weights_are_untouched(swept, make_model, greek):
    model = make_model("gru", symbols=len(greek.alphabet))
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    first = swept(model=model)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert np.array_equal(swept(model=model).losses, first.losses)


def test_a_sweep_ends_where_the_loss_is_no_number(swept, monkeypatch):
    values = iter([1.0] * 100 + [float("nan")] * 2)
    monkeypatch.setattr(learning_rates, "measure", lambda objective, loss: next(values))
    assert len(swept().losses) == 50


def test_a_reward_is_what_counts():
    objective = read_objective("reinforce+0.5*cross-entropy")
    scalars = {"reinforce/reward": -3.0, "reinforce/loss": 77.0, "cross-entropy/loss": 2.0}
    loss = Loss(torch.tensor(78.0), {name: torch.tensor(value) for name, value in scalars.items()})
    assert measure(objective, loss) == 3 + 0.5 * 2


@pytest.mark.slow
def test_the_command(made_up_language, run_speller, tmp_path):
    result = run_speller(
        "train", "--recipe", made_up_language, "--find-lr", "--device", "cpu", "--out", tmp_path / "run"
    )
    assert result.returncode == 0, result.stderr
    (line,) = result.stdout.splitlines()
    found = re.fullmatch(rf"learning rate (\S+): the loss falls from .*; {tmp_path}/run/{PLOT}", line)
    assert found
    assert 1e-4 < float(found[1]) < 0.1
    assert [path.name for path in (tmp_path / "run").iterdir()] == [PLOT]
    assert np.array(Image.open(tmp_path / "run" / PLOT)).std() > 0


@pytest.mark.parametrize(("option", "value"), [("--learning-rate", "0.1"), ("--steps", "10")])
def test_options_that_contradict_it(made_up_language, run_speller, tmp_path, option, value):
    result = run_speller("train", "--recipe", made_up_language, "--find-lr", option, value, "--out", tmp_path / "run")
    line = f"Error: --find-lr sweeps learning rates in steps of its own: leave out {option}\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", line)
    assert not (tmp_path / "run").exists()
