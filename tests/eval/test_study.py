import json
import os
import random
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from rapidfuzz.distance import Levenshtein

from speller.cli import main
from speller.eval import work
from speller.eval.study import IDENTITY, RUNS, Run, hold_out, run_study
from speller.eval.study_recipe import CONTROL, StudyRecipe
from speller.eval.study_report import as_data, cells, markdown, summarize
from speller.eval.work import STEPS_BETWEEN_CALIBRATIONS, WorkMeter
from speller.lexicon import Lexicon
from speller.train.checkpoint import write_tensors
from speller.train.model import SpellingModel
from speller.train.pairs import part_of
from speller.train.recipe import Recipe
from speller.train.run import WEIGHTS, learn_to_misspell, model_config
from speller.train.sources import read_sources

RECIPES = Path(__file__).parents[2] / "eval" / "recipes"

STUDY = """
part = "test"
seeds = [3, 1]
held_out = 30
readings = 4
word_counts = [16, 64, 100000]

[training]
start = "{folder}/weights.safetensors"
language = "und"
lexicon = "{folder}/lexicon.npz"
pairs = ["{folder}/pairs.tsv"]
embedding = 8
encoder = 12
decoder = 16
batch = 16
steps = 12
warmup = 2
prior = 0.0
learning_rate = 3e-2

[arms.control]
objective = "cross-entropy"
options.cross-entropy.label_smoothing = 0.1

[arms.sampled]
objective = "reinforce+0.1*cross-entropy"
options.reinforce.samples = 3
learning_rate = 3e-3
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, write_made_up_words):
    """The recipe of a tiny study over made-up words, and the files it names."""
    folder = tmp_path_factory.mktemp("study")
    write_made_up_words(folder, train=30)
    path = folder / "study.toml"
    path.write_text(STUDY.format(folder=folder), encoding="utf-8")
    training = Recipe(**{**tomllib.loads(path.read_text())["training"], "pairs": ()})
    torch.manual_seed(0)
    model = SpellingModel(model_config(training, Lexicon.load(folder / "lexicon.npz")))
    write_tensors(folder / WEIGHTS, dict(model.state_dict()))
    return path


@pytest.fixture(scope="module")
def results(recipe, tmp_path_factory):
    return run_study(StudyRecipe.read(recipe), tmp_path_factory.mktemp("results"))


def changed(recipe, tmp_path, *changes):
    """The recipe with some of its text replaced."""
    text = recipe.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "changed.toml"
    path.write_text(text)
    return path


@pytest.mark.slow
def test_a_killed_study_goes_on_with_the_runs_that_are_missing(recipe, tmp_path):
    out = tmp_path / "out"
    command = [Path(sys.executable).with_name("speller"), "study", "--recipe", recipe, "--out", out]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    killed = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not (out / RUNS).exists():
        assert killed.poll() is None, killed.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    before = (out / RUNS).read_text().splitlines()
    assert 1 <= len(before) < 4
    assert not (out / "results.json").exists()

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stderr
    assert f"{4 - len(before)} of 4 runs to go" in done.stderr
    after = (out / RUNS).read_text().splitlines()
    assert after[: len(before)] == before
    wanted = [("control", 3), ("sampled", 3), ("control", 1), ("sampled", 1)]
    assert [(run["arm"], run["seed"]) for run in map(json.loads, after)] == wanted
    data = json.loads((out / "results.json").read_text())
    assert data["runs"] == [json.loads(line) for line in after]
    assert data["recipe"]["seeds"] == [3, 1]
    assert "sampled" in done.stdout
    assert (out / "table.md").read_text().count("\n| ") == 4  # names, a rule and two rows
    assert "work, in steps of cross-entropy" in (out / "plot.svg").read_text()
    assert (out / "plot.png").read_bytes().startswith(b"\x89PNG")

    (out / "table.md").unlink()
    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=170)
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert (out / RUNS).read_text().splitlines() == after


def test_every_run_spends_the_budget_and_no_more_than_a_step_beyond(results):
    for run in results.runs:
        assert run.work >= 12
        assert run.over_budget[-1].work == run.work
        assert run.over_budget[-1].words == run.steps * 16
        assert [reading.work >= 12 * place / 4 for place, reading in enumerate(run.over_budget)] == [True] * 5
        assert set(run.at_words) == {count for count in (16, 64, 100000) if count <= run.steps * 16}
        assert run.at_words[16].words == 16
    cheap, dear = ([run.steps for run in results.runs if run.arm == arm] for arm in (CONTROL, "sampled"))
    assert min(cheap) > max(dear)


def test_all_runs_start_from_the_same_figures_and_then_part(results):
    assert len({run.over_budget[0] for run in results.runs}) == 1
    assert results.runs[0].over_budget[0].words == 0
    assert len({run.over_budget[-1].distance for run in results.runs}) > 1


def test_a_step_that_takes_three_times_as_long_is_three_steps_of_work(monkeypatch):
    """Also where the machine slows down meanwhile, and the batches differ in length."""
    clock = [0.0]
    monkeypatch.setattr(work, "process_time", lambda: clock[0])
    meter, references, draw = WorkMeter(), [], random.Random(0)
    while meter.work < 100:
        seconds = draw.uniform(1, 3) * (1 + meter.steps / 20)

        def spend(times, seconds=seconds):
            clock[0] += times * seconds

        before = meter.work
        meter.step(lambda: spend(3), lambda: (spend(1), references.append(meter.steps)))
        assert meter.work - before == pytest.approx(3)
    assert meter.steps == 34
    assert references == list(range(0, 34, STEPS_BETWEEN_CALIBRATIONS))


@pytest.fixture
def priced(recipe, tmp_path, monkeypatch):
    """The tiny study where nothing is trained, and a clock says that a step of the control costs 1, the other's 2.5.

    Gives its runs, and the batches that each arm saw with each seed, the one it was warmed up with first.
    """
    costs = {"CrossEntropy": 1.0, "cross-entropy": 1.0, "reinforce": 2.5}
    clock = [0.0]
    seen = {}

    def take_step(training, model, optimizer, objective, batch, accelerator, *, done):
        assert 0 <= done < 12
        name = next(iter(getattr(objective, "parts", [type(objective).__name__])))
        clock[0] += costs[name]
        seen.setdefault((name, training.seed), []).append(batch.source.tolist())

    monkeypatch.setattr(work, "process_time", lambda: clock[0])
    monkeypatch.setattr("speller.eval.study.take_step", take_step)
    return run_study(StudyRecipe.read(recipe), tmp_path).runs, seen


def test_the_budget_is_held_within_a_step(priced):
    runs, _ = priced
    assert {(run.arm, run.steps, run.work) for run in runs} == {(CONTROL, 12, 12.0), ("sampled", 5, 12.5)}
    assert {run.steps / run.work for run in runs} == {1.0, 0.4}


def test_each_seed_sees_batches_of_its_own_and_all_arms_see_the_same(priced):
    _, seen = priced
    for seed in (1, 3):
        assert len(seen["reinforce", seed]) == 6
        assert seen["reinforce", seed] == seen["cross-entropy", seed][:6]
        calibrated = seen["cross-entropy", seed][1::STEPS_BETWEEN_CALIBRATIONS]
        assert seen["CrossEntropy", seed][1:5] == calibrated
    assert all(batch not in seen["cross-entropy", 3] for batch in seen["cross-entropy", 1])


def test_the_halves_of_the_held_out_words_do_not_overlap(recipe, tmp_path):
    parts = {}
    for part in ("fit", "test"):
        study = StudyRecipe.read(changed(recipe, tmp_path, ('part = "test"', f'part = "{part}"')))
        sources = read_sources(study.training)
        parts[part] = {pair.right for pair in hold_out(study, sources)}
        assert parts[part]
        assert {part_of(word, language="und") for word in parts[part]} == {part}
        _, examples = learn_to_misspell(study.training, sources, device=torch.device("cpu"))
        trained = set(sources.lexicon.alphabet.decode(examples.words.numpy()))
        assert trained.isdisjoint(parts[part])
    assert parts["fit"].isdisjoint(parts["test"])


def test_the_table_says_what_the_runs_in_the_json_say(results):
    data = json.loads(json.dumps(as_data(results)))
    names, *rows = cells(results)
    reached = [set(run["at_words"]) for run in data["runs"]]
    common = max(set.intersection(*reached), key=int)
    assert names[-1] == f"edit distance at {int(common):,} words"

    def shown(runs, figure):
        values = [figure(run) for run in runs]
        return f"{sum(values) / 2:.3f} ({min(values):.3f} to {max(values):.3f})"

    by_arm = {arm: [run for run in data["runs"] if run["arm"] == arm] for arm in (CONTROL, "sampled")}
    assert [row[0] for row in rows] == list(by_arm)
    for row in rows:
        runs = by_arm[row[0]]
        last = [run["over_budget"][-1] for run in runs]
        assert row[1] == shown(last, lambda reading: reading["distance"])
        assert row[3] == shown(last, lambda reading: reading["top1"])
        assert row[4] == shown(last, lambda reading: reading["top5"])
        assert row[5] == f"{sum(reading['unchanged'] for reading in last) / 2:.3f}"
        assert row[6] == f"×{sum(run['steps'] / run['work'] for run in runs) / 2:.2f}"
        assert row[7] == f"{sum(run['steps'] * 16 for run in runs) / 2:,.0f}"
        assert row[8] == shown(runs, lambda run: run["at_words"][common]["distance"])
        assert f"| {' | '.join(row)} |" in markdown(results)
    control, other = ([run["over_budget"][-1]["distance"] for run in by_arm[arm]] for arm in by_arm)
    apart = max(other) < min(control) or min(other) > max(control)
    assert rows[0][2] == ""
    assert rows[1][2] == f"{sum(other) / sum(control) - 1:+.1%}" + ("" if apart else " (not apart)")
    assert [Run.of(run) for run in data["runs"]] == list(results.runs)
    assert summarize(results)["sampled"].apart == apart
    pairs = hold_out(results.recipe, read_sources(results.recipe.training))
    untouched = sum(Levenshtein.distance(wrong, right) for wrong, right in pairs) / len(pairs)
    assert data["untouched"] == untouched
    assert f"To change nothing: edit distance {untouched:.3f}." in markdown(results)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[arms.control]", "[arms.other]", "an arm named 'control' is missing; there are other, sampled"),
        ("label_smoothing = 0.1", "label_smoothing = 0.0", "arms.control is cross-entropy with label_smoo"),
        ("seeds = [3, 1]", "seeds = [3, 3]", r"seeds are two or more different ones, to see a spread, not \[3, 3\]"),
        ("seeds = [3, 1]", "seeds = 3", "seeds is a list of whole numbers of at least 0, not 3"),
        ('part = "test"', 'part = "train"', "part is fit or test, not 'train'"),
        ("readings = 4", "readings = 0", "readings is a whole number of at least 1, not 0"),
        ("prior = 0.0", "prior = 0.5", r"training\.prior is 0 in a study, not 0.5"),
        ("prior = 0.0", "prior = 0.0\nmisspelling = 0.5", r"training\.misspelling is 0 in a study, not 0.5"),
        ("samples = 3", "samples = 1", "arms.sampled: samples is at least 2 for baseline leave-one-out, not 1"),
        ("learning_rate = 3e-3", 'learning_rate = "fast"', "arms.sampled: learning_rate is a number, not 'fast'"),
        ("learning_rate = 3e-3", "rate = 1", "arms.sampled has no rate; it has learning_rate, objective, options"),
        ("held_out = 30", "held_uot = 30", "a study has no held_uot; it has arms, held_out, part"),
        ("seeds = [3, 1]", "", "a study lacks seeds"),
        ("[training]", "[trainings]", "training is a table, not None"),
        ("batch = 16", "batch = 0", "training: batch is at least 1, not 0"),
        ("weights.safetensors", "absent", r"absent: the weights to start from cannot be read: No such file"),
    ],
)  # fmt: skip
def test_bad_recipes_are_told_in_a_line(recipe, tmp_path, old, new, message):
    path = changed(recipe, tmp_path, (old, new))
    done = CliRunner().invoke(main, ["study", "--recipe", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    with pytest.raises(ValueError, match=message):
        run_study(StudyRecipe.read(path), tmp_path / "out")
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_of_another_study_is_left_alone(recipe, results, tmp_path):
    (tmp_path / IDENTITY).write_text(json.dumps({**results.identity, "weights_sha256": "0"}))
    with pytest.raises(ValueError, match=r"holds another study \(weights_sha256 differ\); name another folder"):
        run_study(StudyRecipe.read(recipe), tmp_path)


def test_what_was_chosen_is_reported_on_other_words_with_other_seeds():
    choice, report = (StudyRecipe.read(RECIPES / f"study-{name}.toml") for name in ("choice", "report"))
    assert (choice.part, report.part) == ("fit", "test")
    assert set(choice.seeds).isdisjoint(report.seeds)
    assert len(report.seeds) >= 3
    assert choice.training == replace(report.training, steps=choice.training.steps)
    assert all(arm in choice.arms.values() for arm in report.arms.values())
    objectives = " ".join(arm.objective for arm in report.arms.values())
    assert all(name in objectives for name in ("soft-edit", "soft-dtw", "reinforce", "mrt", "ocd", "raml"))
