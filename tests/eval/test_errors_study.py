import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from speller.alphabet import END, MISSPELL
from speller.cli import main
from speller.corrector import Corrector
from speller.eval.errors_likeness import COPIES, cross_entropy, misspell, misspellings, sampled_alike, share_reached
from speller.eval.errors_recipe import BACKWARDS, ErrorsRecipe
from speller.eval.errors_report import ASPECTS, arm_cells, likeness_cells, markdown, plot
from speller.eval.errors_study import (
    ERRORS,
    HELD_OUT,
    IDENTITY,
    JUDGED,
    PEOPLE,
    TOGETHER,
    Results,
    run_errors,
)
from speller.lexicon import Lexicon
from speller.train.errors import ErrorModel
from speller.train.errors.comparison import ASPECTS as COMPARED
from speller.train.errors.comparison import FARTHEST
from speller.train.pairs import Pair, part_of, read_pairs
from speller.train.recipe import Recipe
from speller.train.run import RECIPE, WEIGHTS, load_reverse

ROOT = Path(__file__).parents[2]

COMPARISON = """
[training]
language = "und"
lexicon = "{folder}/lexicon.npz"
pairs = ["{folder}/pairs.tsv"]
embedding = 8
encoder = 12
decoder = 16
batch = 16
steps = 4
warmup = 2
identity = 0.125
learning_rate = 1e-2

[reverse.learned]
real = 0.0

[reverse."learned, then real"]
start = "learned"
real = 1.0
steps = 6

[arms.uniform]
uniform = 0.875

[arms."all"]
real = 0.25
uniform = 0.125
reverse = 0.25
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, write_made_up_words):
    """The recipe of a tiny comparison over made-up words, and the files it names."""
    folder = tmp_path_factory.mktemp("comparison")
    known = write_made_up_words(folder, train=40, times=2)
    others = [f"{word[1:]}\t{word}\n" for word in known] + [f"{word}\t{word}\n" for word in known[:3]]
    (folder / "first.tsv").write_text("".join(others[::2]), encoding="utf-8")
    (folder / "second.tsv").write_text("".join(others[1::2]), encoding="utf-8")
    path = folder / "errors.toml"
    path.write_text(COMPARISON.format(folder=folder), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def judged(recipe):
    return {name: read_pairs(recipe.parent / f"{name}.tsv") for name in ("first", "second")}


@pytest.fixture(scope="module")
def finished(recipe, judged, tmp_path_factory):
    """The comparison's results and its folder."""
    out = tmp_path_factory.mktemp("results")
    return run_errors(ErrorsRecipe.read(recipe), judged, out), out


@pytest.mark.slow
def test_a_killed_comparison_goes_on_with_what_is_missing(recipe, tmp_path):
    out = tmp_path / "out"
    command = [Path(sys.executable).with_name("speller"), "errors", "--recipe", recipe, "--out", out]
    command += ["--judge", f"others={recipe.parent / 'first.tsv'}", "--judge", f"others={recipe.parent / 'second.tsv'}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    killed = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not (out / "arms" / "uniform" / JUDGED).exists():
        assert killed.poll() is None, killed.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    kept = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.name in (JUDGED, WEIGHTS, ERRORS)}
    assert not (out / "results.json").exists()
    assert not (out / "arms" / "all" / JUDGED).exists()

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stderr
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items() if "all" not in path.parts)
    assert "arm: all" in done.stderr
    assert "arm: uniform" not in done.stderr
    data = json.loads((out / "results.json").read_text())
    assert asdict(Results.of(data)) == data
    assert set(data["sets"]) == {HELD_OUT, "others"}
    assert (out / "table.md").read_text() == done.stdout
    assert "its place in the word" in (out / "plot.svg").read_text()
    assert (out / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_judged(finished, judged, recipe):
    results, _ = finished
    lexicon = Lexicon.load(recipe.parent / "lexicon.npz")
    misspelled = {name: sum(pair.wrong != pair.right for pair in pairs) for name, pairs in judged.items()}
    test = {pair for pair in read_pairs(recipe.parent / "pairs.tsv") if part_of(pair.right, language="und") == "test"}
    assert results.sets == {HELD_OUT: len(test), **misspelled, TOGETHER: sum(misspelled.values())}
    assert set(results.measures) == {"uniform", "all"}
    assert set(results.likeness) == set(results.sets)
    for found in results.likeness.values():
        assert set(found) == {"uniform", "learned", "reverse", PEOPLE}
        assert all(set(variations) == set(COMPARED) == set(ASPECTS) for variations in found.values())
    assert set(results.profiles) == {HELD_OUT, "uniform", "learned", "reverse"}
    assert "0" not in results.profiles["reverse"]["distance"]  # a word itself is no misspelling of it
    assert len(lexicon) == 52


def test_an_arm_is_judged_as_its_bundle_corrects(finished, judged):
    results, out = finished
    corrector = Corrector.load(out / "arms" / "all" / "model")
    pairs = [pair for pair in judged["first"] if pair.wrong != pair.right]
    answers = corrector.suggest_many([pair.wrong for pair in pairs], 6)
    ranked = [
        [answer.word for answer in found if answer.word != pair.wrong]
        for pair, found in zip(pairs, answers, strict=True)
    ]
    top1, top5 = (np.mean([pair.right in words[:n] for pair, words in zip(pairs, ranked, strict=True)]) for n in (1, 5))
    found = results.measures["all"]["first"]
    assert (found["top1"].value, found["top5"].value) == (pytest.approx(top1), pytest.approx(top5))
    difference = results.comparisons["uniform - all"].difference.value
    assert difference == pytest.approx(
        results.measures["uniform"][TOGETHER]["top1"].value - results.measures["all"][TOGETHER]["top1"].value
    )


def test_the_best_reverse_model_misspells_for_the_arms(finished):
    results, out = finished
    best = min(results.cross_entropy, key=results.cross_entropy.get)
    assert set(results.cross_entropy) == {"learned", "learned, then real"}
    trained = Recipe.load(out / "arms" / "all" / RECIPE)
    assert trained.reverse_weights == str(out / "reverse" / best / WEIGHTS)
    assert (trained.real, trained.uniform, trained.reverse, trained.learned) == (0.25, 0.125, 0.25, 0.25)
    went_on = Recipe.load(out / "reverse" / "learned, then real" / RECIPE)
    assert went_on.start == str(out / "reverse" / "learned" / WEIGHTS)
    for name in results.cross_entropy:
        backwards = Recipe.load(out / "reverse" / name / RECIPE)
        assert {name: getattr(backwards, name) for name in BACKWARDS} == BACKWARDS


def test_cross_entropy_is_that_of_whole_misspellings(finished, recipe):
    results, out = finished
    lexicon = Lexicon.load(recipe.parent / "lexicon.npz")
    pairs = read_pairs(recipe.parent / "pairs.tsv")
    pairs = [pair for pair in pairs if part_of(pair.right, language="und") == "fit"]
    model = load_reverse(out / "reverse" / "learned" / WEIGHTS, lexicon)
    total = 0.0
    # No word of the lexicon has an x, so no way to misspell writes one.
    unique = {pair for pair in pairs if "x" not in pair.wrong}
    assert 2 * len(unique) < len(pairs)
    for wrong, right in unique:
        symbols, lengths = map(torch.from_numpy, lexicon.alphabet.encode([right]))
        source = torch.cat((torch.tensor([[MISSPELL]]), symbols), dim=1)
        written = torch.from_numpy(lexicon.alphabet.encode([wrong])[0])
        with torch.no_grad():
            log_probs = model(source, lengths + 1, torch.cat((torch.tensor([[MISSPELL]]), written), dim=1))[0]
        ended = [*written[0].tolist(), END]
        total -= sum(float(log_probs[place, symbol]) for place, symbol in enumerate(ended))
    people = sampled_alike(misspellings(pairs), lexicon)
    assert cross_entropy(model, people, lexicon) == pytest.approx(total / len(unique), rel=1e-5)
    assert results.cross_entropy["learned"] == pytest.approx(total / len(unique), rel=1e-5)


def test_all_ways_misspell_the_words_that_people_did_and_write_no_word(finished, recipe):
    _, out = finished
    lexicon = Lexicon.load(recipe.parent / "lexicon.npz")
    known, other = (next(word for word in lexicon.words if len(word) == length) for length in (4, 6))
    unknown = other[:-1]  # one letter off a known word
    people = sampled_alike([Pair("q", known), Pair(other, known), Pair(known[1:], known), Pair("e", unknown)], lexicon)
    assert people == [Pair(known[1:], known), Pair("e", unknown)]
    errors = ErrorModel.load(out / ERRORS)
    reverse = load_reverse(out / "reverse" / "learned" / WEIGHTS, lexicon)
    written = misspell(people * 300, lexicon, errors, reverse)
    assert set(written) == {"uniform", "learned", "reverse"}
    for pairs in written.values():
        assert {right for _, right in pairs} == {known, unknown}
        assert all(wrong != right and wrong not in lexicon for wrong, right in pairs)
        assert len(pairs) <= 600 * COPIES
    assert len(written["uniform"]) > 0.8 * 600 * COPIES


def test_what_is_reached_of_what_people_wrote():
    people = [Pair("teh", "the"), Pair("hte", "the"), Pair("teh", "the"), Pair("an", "and"), Pair("nad", "and")]
    written = [Pair("teh", "the"), Pair("te", "the"), Pair("an", "the"), Pair("nad", "and")]
    assert share_reached(people, written) == 0.5


def test_the_tables_say_what_the_json_says(finished):
    results, _ = finished
    data = json.loads(json.dumps(asdict(results)))
    names, *rows = arm_cells(results)
    assert names[1:] == [f"{name} ({count})" for name, count in data["sets"].items()]
    for row in rows:
        for cell, found in zip(row[1:], data["measures"][row[0]].values(), strict=True):
            top1, top5, after = (found[measure]["value"] for measure in ("top1", "top5", "distance_after"))
            assert cell == f"{top1:.3f} / {top5:.3f}, {after:.2f}"
        assert f"| {' | '.join(row)} |" in markdown(results)
    names, *rows = likeness_cells(results)
    assert names[1:] == list(data["likeness"])
    for row in rows:
        for cell, variations, reached in zip(row[1:], data["likeness"].values(), data["reached"].values(), strict=True):
            variation = f"{np.mean(list(variations[row[0]].values())):.3f}"
            assert cell == (variation if row[0] == PEOPLE else f"{variation} / {reached[row[0]]:.3f}")
        assert f"| {' | '.join(row)} |" in markdown(results)
    assert all(f"{name} {nats:.2f}" in markdown(results) for name, nats in data["cross_entropy"].items())
    assert asdict(Results.of(data)) == data


def test_the_plot_shows_every_value_of_every_aspect(finished, tmp_path):
    results, _ = finished
    for name in ("one", "two"):
        plot(results, tmp_path / f"{name}.svg")
    text = (tmp_path / "one.svg").read_text()
    assert text == (tmp_path / "two.svg").read_text()
    assert all(f">{words}<" in text for words in (*ASPECTS.values(), "uniform", "learned", "reverse", HELD_OUT))
    assert all(f">{kind}<" in text for kind in results.profiles[HELD_OUT]["kind"])
    assert int(max(results.profiles["learned"]["distance"], key=int)) <= FARTHEST


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[arms.uniform]", "[armies.uniform]", "a comparison has training, reverse, arms, not training, reverse, armi"),
        ("uniform = 0.875", "uniform = 0.9", r"arms\.uniform: identity \(0\.125\) and uniform \(0\.9\) .* at most 1"),
        ("uniform = 0.875", "steps = 9", "arms.uniform: an arm has no steps; it has real, uniform, reverse"),
        ("uniform = 0.875", 'uniform = "all"', "arms.uniform: uniform is a number, not 'all'"),
        ("real = 1.0", "stpes = 1", r"reverse\.learned, then real: a recipe has no stpes; it has batch"),
        ("batch = 16", "batch = 0", r"reverse\.learned: batch is at least 1, not 0"),
        ("[training]", "training = 3\n[other]", "a comparison has training, reverse, arms, not training, other"),
        ("[training]", "[training", "not a recipe: "),
        ('start = "learned"', 'start = "lerned"', "lerned: there is no such file"),
    ],
)
def test_bad_recipes_are_told_in_a_line(recipe, finished, tmp_path, old, new, message):
    text = recipe.read_text()
    assert old in text
    path = tmp_path / "changed.toml"
    path.write_text(text.replace(old, new))
    done = CliRunner().invoke(main, ["errors", "--recipe", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2, done.output
    *_, line = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert re.search(message, line)


def test_a_folder_of_another_comparison_is_left_alone(recipe, finished, judged, tmp_path):
    results, _ = finished
    (tmp_path / IDENTITY).write_text(json.dumps({**results.identity, "lexicon_sha256": "0"}))
    with pytest.raises(ValueError, match=r"holds another comparison \(lexicon_sha256 differ\); name another folder"):
        run_errors(ErrorsRecipe.read(recipe), judged, tmp_path)


def test_the_recipe_gives_every_arm_the_same_training():
    recipe = ErrorsRecipe.read(ROOT / "eval/recipes/errors.toml")
    shown = {arm: recipe.training_of(arm, Path("weights")) for arm in recipe.arms}
    shares = {(one.real, one.uniform, one.reverse, round(one.learned, 9)) for one in shown.values()}
    assert len(shares) == len(shown) == 7
    same = {tuple(sorted((k, str(v)) for k, v in asdict(one).items() if k not in ("real", "uniform", "reverse")))
            for one in shown.values()}  # fmt: skip
    assert len(same) == 1


def test_the_results_are_those_of_the_recipe():
    data = json.loads((ROOT / "eval/results/errors.json").read_text())
    recipe = ErrorsRecipe.read(ROOT / "eval/recipes/errors.toml")
    assert data["recipe"] == asdict(recipe)
    assert data["identity"]["recipe_sha256"] == recipe.digest
