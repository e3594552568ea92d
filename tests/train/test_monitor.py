import io
import time

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from speller.train.monitor import Correction, Monitor, Point


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


def test_a_picture(tmp_path):
    monitor = Monitor(tmp_path, step=0)
    figure = Figure(figsize=(3, 2), dpi=50, facecolor="red")
    monitor.picture(4, "attention/1", figure)
    monitor.close()
    (event,) = read(tmp_path).Images("attention/1")
    assert event.step == 4
    pixels = np.array(Image.open(io.BytesIO(event.encoded_image_string)))
    assert (pixels == [255, 0, 0]).all()
    assert pixels.shape == (100, 150, 3)


def settings_of(folder):
    events = read(folder)
    experiment, start = (
        events.SummaryMetadata(tag).plugin_data.content
        for tag in (metadata.EXPERIMENT_TAG, metadata.SESSION_START_INFO_TAG)
    )
    return metadata.parse_experiment_plugin_data(experiment), metadata.parse_session_start_info_plugin_data(start)


def test_settings_and_metrics_are_compared(tmp_path):
    folder = tmp_path / "runs" / "soft"
    for start in (0, 3):  # also where the run goes on
        monitor = Monitor(folder, step=start)
        values = {"objective": "soft-edit", "learning_rate": 2e-3, "seed": 1}
        monitor.settings(values, compared=["objective"], metrics={"held-out/top-1": "top-1"})
        monitor.scalars(start, {"held-out/top-1": start / 10})
        monitor.close()
    experiment, start = settings_of(folder)
    assert [(info.name, info.differs) for info in experiment.hparam_infos] == [
        ("objective", True),
        ("learning_rate", False),
        ("seed", False),
    ]
    assert [(info.name.tag, info.display_name) for info in experiment.metric_infos] == [("held-out/top-1", "top-1")]
    assert start.group_name == str(folder)
    assert start.hparams["objective"].string_value == "soft-edit"
    assert start.hparams["learning_rate"].number_value == 2e-3
    assert [path for path in tmp_path.rglob("*") if path.is_dir()] == [folder.parent, folder]  # one run and no other


def test_points_take_the_place_of_those_before(tmp_path):
    monitor = Monitor(tmp_path, step=0)
    monitor.points(torch.zeros(9, 2), [Point("old", 3, "none", "old")] * 9)
    states = torch.tensor([[1.5, -2], [0, 1e-9]], dtype=torch.float64)
    monitor.points(states, [Point("λξη", 3, "missed", "λέξη"), Point("λέξη", 4, "none", "λέξη")])
    monitor.close()
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert config.count("embeddings") == 1
    for name in ("states", "words"):
        assert f'"projector/{name}.tsv"' in config
    assert (tmp_path / "projector/states.tsv").read_text() == "1.5\t-2\n0\t1e-09\n"
    assert (tmp_path / "projector/words.tsv").read_text(encoding="utf-8").splitlines() == [
        "word\tlength\terror\tmeant",
        "λξη\t3\tmissed\tλέξη",
        "λέξη\t4\tnone\tλέξη",
    ]
