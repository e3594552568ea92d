import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from speller.train import loop
from speller.train.bundling import MODEL
from speller.train.checkpoint import read_tensors
from speller.train.examples import Examples
from speller.train.loop import CHECKPOINT, open_accelerator
from speller.train.monitor import CONFIG, PROJECTOR
from speller.train.recipe import Recipe
from speller.train.run import RECIPE, WEIGHTS

SCRIPT = """
import torch
import speller.train.bundling, speller.train.loop, speller.train.run
from speller.cli import main
from speller.train.batch import Batch

def share(batch, process, processes):
    # One process gets the short words, the other one the long ones.
    rows = batch.target_lengths.argsort(stable=True).chunk(processes)[process]
    sides = batch.source, batch.source_lengths, batch.target, batch.target_lengths
    return Batch(*(side[rows] for side in sides), batch.direction)

Batch.share = share
torch.cpu._is_avx512_bf16_supported = lambda: False
speller.train.loop.STEPS_BETWEEN_SCALARS = 1
speller.train.bundling.SYNTHETIC = 50
main(prog_name="speller")
"""


@pytest.fixture
def train(made_up_language, tmp_path):
    """Runs a few steps on the made-up language, with `accelerate launch` in so many processes on so many machines."""
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def run(out, *options, processes=1, machines=1):
        port = free_port()

        def launch(machine):
            launcher = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", processes]
            launcher += ["--num_machines", machines, "--machine_rank", machine]
            launcher += ["--main_process_ip", "127.0.0.1", "--main_process_port", port]
            training = [script, "train", "--recipe", made_up_language, "--device", "cpu", "--out", out, *options]
            command = [sys.executable, *(launcher if processes > 1 else ()), *training]
            return subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment, timeout=170)

        with ThreadPoolExecutor(machines) as pool:
            ended = list(pool.map(launch, range(machines)))
        stdout, stderr = ("".join(getattr(one, name) for one in ended) for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess(script, max(one.returncode for one in ended), stdout, stderr)

    return run


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def curve(out, name):
    events = EventAccumulator(str(out))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(name)]


@pytest.mark.slow
def test_two_machines_train_as_one(train, tmp_path):
    steps = 12
    options = ("--steps", steps, "--objective", "soft-edit+cross-entropy", "--learning-rate", "1e-3")
    for out, machines in (("one", 1), ("two", 2)):
        result = train(tmp_path / out, *options, processes=machines, machines=machines)
        assert result.returncode == 0, result.stderr
        assert result.stdout.splitlines() == [str(tmp_path / out / MODEL)]  # one of them tells of it
        assert result.stderr.count(f"from step 0 of {steps}") == 1
        files = {path.name for path in (tmp_path / out).iterdir() if not path.name.startswith("events")}
        assert files == {CHECKPOINT, RECIPE, WEIGHTS, MODEL, CONFIG, PROJECTOR}
        assert len(list((tmp_path / out).glob("events*"))) == 1
    one, two = (curve(tmp_path / out, "correct/loss") for out in ("one", "two"))
    assert len(one) > steps / 2
    assert one == [(step, pytest.approx(value, rel=1e-4)) for step, value in two]
    weights, other = (read_tensors(tmp_path / out / WEIGHTS)[0] for out in ("one", "two"))
    assert all(torch.allclose(weights[name], other[name], rtol=0, atol=1e-4) for name in weights)


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared(train, tmp_path):
    result = train(tmp_path / "run", "--steps", "1", "--batch", "15", processes=2)
    assert result.returncode != 0  # with one process there is nothing to share
    assert "batch is to be shared by 2 processes: a multiple of that, not 15" in result.stderr


def test_machines_that_go_on_from_different_checkpoints(
    make_model, greek, greek_pairs, greek_errors, tmp_path, monkeypatch
):
    def go_on(steps, processes=1):
        recipe = Recipe(language="el", prior=0.0, steps=steps, batch=2, warmup=1)
        examples = Examples(recipe, greek, greek_pairs, greek_errors, device=torch.device("cpu"))
        accelerator = open_accelerator("cpu")
        monkeypatch.setattr(type(accelerator), "num_processes", processes)
        model = make_model(symbols=len(greek.alphabet))
        loop.train(recipe, model, examples, [], greek, out=tmp_path, accelerator=accelerator)

    go_on(1)
    monkeypatch.setattr(loop, "average", lambda accelerator, tensor: tensor / 2)  # the other machine is at step 0
    with pytest.raises(ValueError, match="one folder for all machines: it is at step 1 here, but not elsewhere"):
        go_on(2, processes=2)
