import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from speller.cli import main
from speller.eval.errors_study import JUDGED
from speller.eval.metrics import Comparison, Estimate, Outcome
from speller.eval.sources_recipe import ALL, SourcesRecipe
from speller.eval.sources_report import markdown
from speller.eval.sources_study import IDENTITY, Results, run_sources
from speller.train.pairs import part_of, read_pairs
from speller.train.recipe import Recipe
from speller.train.run import RECIPE, WEIGHTS

ROOT = Path(__file__).parents[2]

STUDY = """
[training]
language = "und"
lexicon = "{folder}/lexicon.npz"
embedding = 8
encoder = 12
decoder = 16
batch = 16
steps = 4
warmup = 2
real = 0.5
learning_rate = 1e-2

[sources]
pairs = ["{folder}/pairs.tsv"]
others = ["{folder}/first.tsv", "{folder}/second.tsv"]
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, write_made_up_words):
    """The recipe of a tiny study over made-up words, and the files it names."""
    folder = tmp_path_factory.mktemp("study")
    known = write_made_up_words(folder, train=40)
    others = [f"{word[1:]}\t{word}\n" for word in known]
    (folder / "first.tsv").write_text("".join(others[::2]), encoding="utf-8")
    some = (folder / "pairs.tsv").read_text().splitlines(keepends=True)
    held_out = [line for line in some if part_of(line.split()[1], language="und") == "test"]
    (folder / "second.tsv").write_text("".join(others[1::2] + held_out[:1]), encoding="utf-8")
    path = folder / "sources.toml"
    path.write_text(STUDY.format(folder=folder), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(recipe, tmp_path_factory):
    out = tmp_path_factory.mktemp("results")
    return run_sources(SourcesRecipe.read(recipe), out), out


def test_each_arm_trains_without_its_source(recipe, finished):
    _, out = finished
    files = {name: str(recipe.parent / f"{name}.tsv") for name in ("pairs", "first", "second")}
    trained = {arm: Recipe.load(out / "arms" / arm / RECIPE) for arm in (ALL, "pairs", "others")}
    assert trained[ALL].pairs == (files["pairs"], files["first"], files["second"])
    assert trained["pairs"].pairs == (files["first"], files["second"])
    assert trained["others"].pairs == (files["pairs"],)
    assert len({(one.steps, one.seed, one.lexicon) for one in trained.values()}) == 1
    weights = [(out / "arms" / arm / WEIGHTS).read_bytes() for arm in trained]
    assert len(set(weights)) == 3


def test_what_is_judged_is_of_words_that_no_arm_was_shown(recipe, finished):
    results, _ = finished
    for name, sources in SourcesRecipe.read(recipe).sources.items():
        pairs = {pair for source in sources for pair in read_pairs(source) if pair.wrong != pair.right}
        held_out = {pair for pair in pairs if part_of(pair.right, language="und") == "test"}
        assert results.sets[name] == len(held_out) > 3
    # One misspelling is in both.
    assert results.shared == {name: 1 / count for name, count in results.sets.items()}


def test_what_is_missing_is_what_the_source_gave(recipe, finished, tmp_path):
    _, out = finished
    copied = shutil.copytree(out, tmp_path / "out")
    paths = {arm: copied / "arms" / arm / JUDGED for arm in (ALL, "pairs", "others")}
    count = len(Outcome.load(paths[ALL]).rank)
    # All right, all wrong, every other one right.
    for path, rank in zip(paths.values(), ([1] * count, [0] * count, [1, 0] * count), strict=True):
        replace(Outcome.load(path), rank=np.array(rank[:count])).save(path)
    results = run_sources(SourcesRecipe.read(recipe), copied)
    first = results.sets["pairs"]
    halves = [np.mean([row % 2 == 0 for row in rows]) for rows in (range(first), range(first, count))]
    top1 = {arm: [found["top1"].value for found in sets.values()] for arm, sets in results.measures.items()}
    assert top1 == {ALL: [1, 1], "pairs": [0, 0], "others": pytest.approx(halves)}
    assert [gap.difference.value for gap in results.gaps.values()] == pytest.approx([1, 1 - halves[1]])
    assert results.gaps["pairs"].p_value < 0.1


def test_a_study_goes_on_with_what_is_missing(recipe, finished):
    results, out = finished
    kept = {arm: (out / "arms" / arm / JUDGED).stat().st_mtime_ns for arm in (ALL, "pairs")}
    (out / "arms" / "others" / JUDGED).unlink()
    assert run_sources(SourcesRecipe.read(recipe), out) == results
    assert kept == {arm: (out / "arms" / arm / JUDGED).stat().st_mtime_ns for arm in kept}
    assert Results.of(json.loads(json.dumps(asdict(results)))) == results


def test_a_folder_of_another_study_is_left_alone(recipe, finished, tmp_path):
    results, _ = finished
    (tmp_path / IDENTITY).write_text(json.dumps({**results.identity, "recipe_sha256": "0"}))
    with pytest.raises(ValueError, match=r"holds another study \(recipe_sha256 differ\)"):
        run_sources(SourcesRecipe.read(recipe), tmp_path)


def test_the_command_ends_with_table_and_json(recipe, finished):
    results, out = finished
    done = CliRunner().invoke(main, ["sources", "--recipe", str(recipe), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert done.stdout == (out / "table.md").read_text() == markdown(results)
    assert Results.of(json.loads((out / "results.json").read_text())) == results


def test_the_table_marks_what_was_left_out():
    def measured(*values):
        return {
            name: Estimate(value, 0, 1) for name, value in zip(("top1", "top5", "distance_after"), values, strict=True)
        }

    one, other = measured(0.5, 0.75, 1.5), measured(0.25, 0.5, 2)
    measures = {ALL: {"a": one, "b": one}, "a": {"a": other, "b": one}, "b": {"a": one, "b": other}}
    gaps = {"a": Comparison(Estimate(0.25, 0.1, 0.4), 0.01), "b": Comparison(Estimate(0, 0, 0), 1)}
    table = markdown(Results({}, {}, {"a": 1200, "b": 7}, {"a": 0.25, "b": 1}, measures, gaps)).splitlines()
    assert table[:6] == [
        "| trained | a (1,200; 25% elsewhere too) | b (7; 100% elsewhere too) |",
        "| --- | --- | --- |",
        "| on all | 0.500 / 0.750, 1.50 | 0.500 / 0.750, 1.50 |",
        "| without a | **0.250 / 0.500, 2.00** | 0.500 / 0.750, 1.50 |",
        "| without b | 0.500 / 0.750, 1.50 | **0.250 / 0.500, 2.00** |",
        "| what the source gives | +0.250 (+0.100 to +0.400), p = 0.010 | +0.000 (+0.000 to +0.000), p = 1.000 |",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[sources]", "[source]", "such a study has training and sources, not training, source"),
        ('others = ["{folder}/first.tsv", "{folder}/second.tsv"]', "", "sources is a table of two or more"),
        ("others =", "all =", "none of them called 'all'"),
        ('["{folder}/pairs.tsv"]', '"{folder}/pairs.tsv"', "sources.pairs is a list of files or names"),
        ("[training]", '[training]\npairs = ["codespell"]', "training is a table without pairs"),
        ("steps = 4", "steps = 0", "steps is at least 1, not 0"),
    ],
)
def test_recipes_that_are_none(old, new, message, tmp_path):
    path = tmp_path / "sources.toml"
    path.write_text(STUDY.replace(old, new).replace("{folder}", "."))
    with pytest.raises(ValueError, match=message) as raised:
        SourcesRecipe.read(path)
    assert str(raised.value).startswith(str(path))


def test_a_source_without_held_out_words_cannot_be_judged(recipe, tmp_path):
    known = next(
        pair for pair in read_pairs(recipe.parent / "first.tsv") if part_of(pair.right, language="und") == "train"
    )
    (tmp_path / "few.tsv").write_text("\t".join(known) + "\n")
    stated = recipe.read_text().replace(f'"{recipe.parent}/pairs.tsv"', f'"{tmp_path}/few.tsv"')
    (tmp_path / "sources.toml").write_text(stated)
    with pytest.raises(ValueError, match="pairs: no misspelling of a word that is held out"):
        run_sources(SourcesRecipe.read(tmp_path / "sources.toml"), tmp_path / "out")


def test_the_recipe_that_ships_can_be_read():
    recipe = SourcesRecipe.read(ROOT / "eval/recipes/sources.toml")
    assert recipe.arms == [ALL, "codespell", "typos", "lintian"]
    assert recipe.training_of("typos").pairs == ("codespell", "lintian.tsv")
