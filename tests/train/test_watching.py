import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from speller.alphabet import CORRECT
from speller.train import watching
from speller.train.gradient_flow import gradient_flow, probe, slope
from speller.train.loop import open_accelerator
from speller.train.monitor import Monitor
from speller.train.pairs import Pair
from speller.train.recipe import Recipe
from speller.train.watching import Watcher, evenly, kind_of_error


@pytest.fixture
def watcher(greek, tmp_path):
    """Makes a watcher that shows its runs in a folder."""

    def make(held_out):
        return Watcher(Recipe(language="el"), held_out, greek, Monitor(tmp_path, step=0), open_accelerator("cpu"))

    return make


def read(watcher, folder):
    watcher.monitor.close()
    events = EventAccumulator(str(folder), size_guidance={"images": 0})
    events.Reload()
    return events


def test_looking_measures_what_the_model_writes(make_model, greek, watcher, tmp_path, monkeypatch):
    written = [word[:-1] + "χ" if place % 3 else word for place, word in enumerate(greek.words)] * 5
    held_out = [Pair("x" + word[1:].upper(), word.upper()) for word in greek.words] * 5
    places = iter(range(len(written)))

    def write(model, memory, *, direction, longest):
        words = [written[next(places)] for _ in memory.mask]
        symbols, _ = greek.alphabet.encode(words)
        assert direction == CORRECT
        return SimpleNamespace(words=torch.from_numpy(symbols))

    monkeypatch.setattr("speller.train.watching.write_words", write)
    monkeypatch.setattr(Watcher, "draw", lambda *given, **stated: None)
    model = make_model(symbols=len(greek.alphabet))
    watch = watcher(held_out)
    line = watch.look(model, step=7)
    assert line == f"step 7: held out, mean edit distance {38 / 58:.3f}, right {20 / 58:.3f}, unchanged 0.000"
    events = read(watch, tmp_path)
    assert [(event.step, event.value) for event in events.Scalars("held-out/top-1")] == [(7, pytest.approx(20 / 58))]
    assert [event.value for event in events.Scalars("held-out/edit-distance")] == [pytest.approx(38 / 58)]


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
def test_what_is_drawn(make_model, greek, greek_pairs, watcher, tmp_path, cell):
    model = make_model(cell, symbols=len(greek.alphabet))
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    watch = watcher(greek_pairs)
    watch.look(model, step=3, last=True)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    events = read(watch, tmp_path)
    tags = {"gradient-flow/norms", *(f"attention/{number}" for number in range(1, 5))}
    assert set(events.Tags()["images"]) == tags
    for tag in tags:
        (image,) = events.Images(tag)
        assert image.step == 3
        assert np.array(Image.open(io.BytesIO(image.encoded_image_string))).std() > 0
    for name, norms in gradient_flow(model, probe(greek)).items():
        (event,) = events.Scalars(f"gradient-flow/{name}")
        assert (event.step, event.value) == (3, pytest.approx(slope(norms)))


def test_the_projector(make_model, greek, greek_pairs, watcher, tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "POINTS", 10)
    model = make_model(symbols=len(greek.alphabet))
    watch = watcher(greek_pairs)
    watch.project(model)
    header, *rows = (line.split("\t") for line in (tmp_path / "projector/words.tsv").read_text().splitlines())
    assert header == ["word", "length", "error", "meant"]
    shown = evenly(watch.pairs, 10)
    assert {row[0] for row in rows} == {word for pair in shown for word in pair}
    for word, length, error, meant in rows:
        assert int(length) == len(word)
        assert error == kind_of_error(word, meant)
        assert (error == "none") == (word == meant)
    states = np.loadtxt(tmp_path / "projector/states.tsv", delimiter="\t")
    assert states.shape == (len(rows), 28)
    word = rows[0][0]
    symbols, lengths = map(torch.from_numpy, greek.alphabet.encode([word]))
    source = torch.cat((torch.tensor([[CORRECT]]), symbols), dim=1)
    with torch.no_grad():
        alone = model.encode(source, lengths + 1).states[0].mean(dim=0)
    assert np.allclose(states[0], alone, atol=0.02)  # bf16 where the processor has it


def test_pictures_wait_until_there_is_time(make_model, greek, watcher, monkeypatch):
    now, drawn = [100.0], []

    def draw(self, model, flows, *, step):
        now[0] += 1
        drawn.append(step)

    monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(Watcher, "draw", draw)
    monkeypatch.setattr(watching, "gradient_flow", lambda model, batch: {})
    watch, model = watcher([]), make_model(symbols=len(greek.alphabet))
    for step in range(200):
        watch.look(model, step=step)
        now[0] += 2
    assert drawn[:2] == [0, 25]  # a fiftieth of the time
    assert len(drawn) == pytest.approx(400 / 50, abs=1)
    watch.look(model, step=200, last=True)
    assert drawn[-1] == 200


def test_no_pair_is_held_out(make_model, greek, watcher, tmp_path):
    watch = watcher([])
    line = watch.look(make_model(symbols=len(greek.alphabet)), step=8, last=True)
    assert line == "step 8: no pair is held out"
    assert read(watch, tmp_path).Tags()["images"] == ["gradient-flow/norms"]


def test_evenly():
    assert evenly(range(10), 3) == [0, 4, 8]
    assert evenly(range(3), 3) == [0, 1, 2]
    assert evenly([], 3) == []


@pytest.mark.parametrize(
    ("wrong", "right", "kind"),
    [
        ("recieve", "receive", "swapped"),
        ("wich", "which", "missed"),
        ("definately", "definitely", "another"),
        ("acident", "accident", "one of two missed"),
        ("acomodation", "accommodation", "several errors"),
        ("word", "word", "none"),
    ],
)
def test_kinds_of_error(wrong, right, kind):
    assert kind_of_error(wrong, right) == kind
