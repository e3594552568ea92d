import signal
import subprocess
import time

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from speller.alphabet import CORRECT, MISSPELL
from speller.corrector import Corrector
from speller.train.checkpoint import read_tensors
from speller.train.examples import BATCHES_AT_ONCE, Examples
from speller.train.loop import CHECKPOINT, learning_rate, open_accelerator, train
from speller.train.objectives import CrossEntropy, Loss
from speller.train.recipe import Recipe
from speller.train.run import WEIGHTS


@pytest.fixture
def arguments(made_up_language, tmp_path):
    """Gives the arguments of a small run on the made-up language."""

    def arguments(out, steps, objective):
        changed = ["--steps", str(steps), "--objective", objective, "--device", "cpu", "--out", str(tmp_path / out)]
        return ["train", "--recipe", str(made_up_language), *changed]

    return arguments


@pytest.fixture
def started():
    """Starts a process as from a shell; it does not outlive the test."""
    processes = []

    def start(*command):
        # Ctrl-C is ignored in what a shell's background job starts.
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def ended(process):
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output, errors


def wait_for(happened, process):
    deadline = time.monotonic() + 60
    while not happened():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_weights(arguments, started, hasty, tmp_path):
    steps = 400
    objective = "cross-entropy+0.1*raml"  # which samples
    ended(started(*hasty, *arguments("whole", steps, objective)))

    again = [*hasty, *arguments("killed", steps, objective)]
    killed = started(*again)
    wait_for((tmp_path / "killed" / CHECKPOINT).exists, killed)
    time.sleep(0.15)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    step = int(read_tensors(tmp_path / "killed" / CHECKPOINT)[1]["step"])
    assert 0 < step < steps
    _, errors = ended(started(*again))
    assert f"from step {step} of {steps}" in errors

    whole, resumed = (read_tensors(tmp_path / name / WEIGHTS)[0] for name in ("whole", "killed"))
    assert set(whole) == set(resumed)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.slow
def test_ctrl_c_ends_with_a_model(arguments, started, speller, tmp_path):
    process = started(str(speller), *arguments("stopped", 10_000_000, "cross-entropy"))
    wait_for(lambda: any((tmp_path / "stopped").glob("events.*")), process)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    output, errors = ended(process)
    assert "stopped at step " in errors
    assert "Traceback" not in errors
    assert output.strip() == str(tmp_path / "stopped" / "model")
    corrector = Corrector.load(output.strip())
    known = corrector.lexicon.words[0]
    assert corrector.correct(known) == known
    assert 0 < corrector.suggest(known[1:] + "x")[0].probability <= 1


def test_probabilities_are_trained_by_likelihood_whatever_the_objective(
    make_model, greek, greek_pairs, greek_errors, tmp_path, monkeypatch
):
    recipe = Recipe(
        language="el", objective="reinforce", prior=0.3, misspelling=0.3, steps=BATCHES_AT_ONCE, batch=2, warmup=1
    )
    examples = Examples(recipe, greek, greek_pairs, greek_errors, device=torch.device("cpu"))
    trained = set()

    def take_step(recipe, model, optimizer, objective, batch, accelerator, *, done, graphs):
        trained.add((batch.direction, batch.unread, isinstance(objective, CrossEntropy)))
        return Loss(torch.tensor(0.0), {}), torch.tensor(0.0)

    monkeypatch.setattr("speller.train.loop.take_step", take_step)
    model = make_model(symbols=len(greek.alphabet))
    train(recipe, model, examples, [], greek, out=tmp_path, accelerator=open_accelerator("cpu"))
    assert trained == {(CORRECT, False, False), (CORRECT, True, True), (MISSPELL, False, True)}


def test_the_learning_rate_rises_and_falls():
    recipe = Recipe(steps=100, warmup=10, learning_rate=1e-2)
    rates = [learning_rate(recipe, step) for step in range(101)]
    assert rates[0] == pytest.approx(1e-3)
    assert rates[9] == rates[10] == max(rates) == pytest.approx(1e-2)
    assert rates[55] == pytest.approx(5e-3)
    assert rates[100] == 0
    assert learning_rate(Recipe(steps=3, warmup=0, learning_rate=1.0), 0) == 1
    assert max(learning_rate(Recipe(steps=5, warmup=500, learning_rate=1.0), step) for step in range(5)) <= 0.01


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there():
    with pytest.raises(ValueError, match="device 'cuda' is asked for, but torch sees no CUDA device"):
        open_accelerator("cuda")
    assert open_accelerator(None).device.type == "cpu"


@pytest.mark.slow
def test_a_run_that_goes_on_shows_nothing_twice(make_model, greek, greek_pairs, greek_errors, tmp_path, monkeypatch):
    monkeypatch.setattr("speller.train.loop.STEPS_BETWEEN_SCALARS", 1)
    monkeypatch.setattr("speller.train.loop.STEPS_BETWEEN_HELD_OUT", 2)
    monkeypatch.setattr("speller.train.watching.SHARE", 100.0)
    out = tmp_path / "runs" / "one"
    for steps in (4, 7, 7):
        recipe = Recipe(language="el", prior=0.0, steps=steps, batch=2)
        examples = Examples(recipe, greek, greek_pairs, greek_errors, device=torch.device("cpu"))
        model = make_model("gru", symbols=len(greek.alphabet))
        accelerator = open_accelerator("cpu")
        assert train(recipe, model, examples, greek_pairs, greek, out=out, accelerator=accelerator).step == steps
        time.sleep(1)  # files are read in the order of the seconds that their names tell
    events = EventAccumulator(str(out), size_guidance={"images": 0, "tensors": 0})
    events.Reload()
    looks = [0, 2, 4, 6, 7]
    assert [event.step for event in events.Scalars("correct/loss")] == [1, 2, 3, 4, 5, 6, 7]
    for tag in ("held-out/edit-distance", "gradient-flow/decoder"):
        assert [event.step for event in events.Scalars(tag)] == looks
    for tag in ("attention/1", "gradient-flow/norms"):
        assert [event.step for event in events.Images(tag)] == looks
    assert [event.step for event in events.Tensors("held-out/corrections/text_summary")] == looks
    assert {path.name for path in tmp_path.rglob("*") if path.is_dir()} == {"runs", "one", "projector"}


@pytest.mark.parametrize(
    ("objective", "options", "names"),
    [
        ("cross-entropy", {}, {"cross-entropy/loss", "cross-entropy/accuracy"}),
        ("soft-edit+0.1*soft-dtw", {}, {"soft-edit/loss", "soft-edit/gamma", "soft-dtw/loss", "soft-dtw/gamma"}),
        (
            "reinforce+mrt",
            {"reinforce": {"entropy": 0.1}},
            {"reinforce/reward", "reinforce/reward-spread", "reinforce/entropy", "reinforce/loss", "mrt/loss"},
        ),
        ("ocd+raml", {}, {"ocd/loss", "ocd/distance", "raml/loss"}),
    ],
)
def test_every_part_of_an_objective_is_shown(
    make_model, greek, greek_pairs, greek_errors, tmp_path, monkeypatch, objective, options, names
):
    monkeypatch.setattr("speller.train.loop.STEPS_BETWEEN_SCALARS", 1)
    recipe = Recipe(language="el", objective=objective, options=options, prior=0.0, steps=1, batch=2)
    examples = Examples(recipe, greek, greek_pairs, greek_errors, device=torch.device("cpu"))
    model = make_model("gru", symbols=len(greek.alphabet))
    train(recipe, model, examples, greek_pairs, greek, out=tmp_path, accelerator=open_accelerator("cpu"))
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    shown = set(events.Tags()["scalars"])
    run = {"run/learning-rate", "run/gradient-norm", "run/words-per-second", "correct/loss"}
    held_out = {"held-out/edit-distance", "held-out/top-1", "held-out/unchanged"}
    assert shown >= {f"correct/{name}" for name in names} | run | held_out
