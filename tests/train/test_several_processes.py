import os
import subprocess
import sys

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from speller.train.bundling import MODEL
from speller.train.checkpoint import read_tensors
from speller.train.loop import CHECKPOINT
from speller.train.monitor import CONFIG, PROJECTOR
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
    """Runs a few steps on the made-up language in so many processes."""
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)

    def run(out, processes, *options):
        # What `accelerate launch` starts too, where there are several GPUs.
        launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", processes)
        launcher = (sys.executable, *(launcher if processes > 1 else ()))
        command = [*launcher, script, "train", "--recipe", made_up_language, "--device", "cpu", "--out", out, *options]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment, timeout=170)

    return run


def curve(out, name):
    events = EventAccumulator(str(out))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(name)]


@pytest.mark.slow
def test_two_processes_train_as_one(train, tmp_path):
    steps = 12
    options = ("--steps", steps, "--objective", "soft-edit+cross-entropy", "--learning-rate", "1e-3")
    for out, processes in (("one", 1), ("two", 2)):
        result = train(tmp_path / out, processes, *options)
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
    result = train(tmp_path / "run", 2, "--steps", "1", "--batch", "15")
    assert result.returncode != 0  # with one process there is nothing to share
    assert "batch is to be shared by 2 processes: a multiple of that, not 15" in result.stderr
