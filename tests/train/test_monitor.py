import time

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from speller.train.monitor import Correction, Monitor


def read(folder):
    events = EventAccumulator(str(folder))
    events.Reload()
    return events


def test_scalars(tmp_path):
    monitor = Monitor(tmp_path, step=0)
    monitor.scalars(1, {"correct/loss": torch.tensor(2.5), "run/learning-rate": 1e-3})
    monitor.scalars(2, {"correct/loss": torch.tensor(1.5, dtype=torch.bfloat16)})
    monitor.close()
    events = read(tmp_path)
    assert [(event.step, event.value) for event in events.Scalars("correct/loss")] == [(1, 2.5), (2, 1.5)]
    assert [event.value for event in events.Scalars("run/learning-rate")] == [pytest.approx(1e-3)]


def test_corrections_are_a_table(tmp_path):
    monitor = Monitor(tmp_path, step=0)
    monitor.corrections(5, [Correction("recieve", "receive", "receive"), Correction("fisix", "fix", "physics")])
    monitor.close()
    events = read(tmp_path)
    (tag,) = (tag for tag in events.Tags()["tensors"] if tag.startswith("held-out/corrections"))
    (event,) = events.Tensors(tag)
    assert event.step == 5
    _, _, *rows = event.tensor_proto.string_val[0].decode().splitlines()
    assert rows == ["| recieve | receive | receive | ✓ |", "| fisix | fix | physics |  |"]


def test_what_an_earlier_try_wrote_past_the_step_is_hidden(tmp_path):
    for start, values in ((0, [1.0, 2.0, 3.0]), (2, [20.0, 30.0])):
        monitor = Monitor(tmp_path, step=start)
        for place, value in enumerate(values):
            monitor.scalars(start + place, {"correct/loss": value})
        monitor.close()
        time.sleep(1)  # files are read in the order of the seconds that their names tell
    found = [(event.step, event.value) for event in read(tmp_path).Scalars("correct/loss")]
    assert found == [(0, 1.0), (1, 2.0), (2, 20.0), (3, 30.0)]
