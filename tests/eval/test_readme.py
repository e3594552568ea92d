"""The README's figures are those of the files that hold them."""

import importlib.util
import json
from importlib.metadata import version
from pathlib import Path

import pytest

from speller.eval import errors_study
from speller.eval.errors_recipe import ErrorsRecipe
from speller.eval.errors_report import markdown as errors_markdown
from speller.eval.figures import bundle_checksum, check, measure_table
from speller.eval.figures import markdown as figures_markdown
from speller.eval.figures_recipe import FiguresRecipe, FiguresTable
from speller.eval.study import Results, Run
from speller.eval.study_recipe import StudyRecipe
from speller.eval.study_report import markdown

ROOT = Path(__file__).parents[2]
README_RECIPE = ROOT / "eval/recipes/readme.toml"

SPEEDS = ROOT / "tests/benchmarks/correcting.py"

FIGURES = "<!-- figures -->"
"""Between two such lines of the README stands what `speller figures` prints."""

SPEED = "<!-- speed -->"
"""Between two such lines stands what the benchmark prints."""

CHEAP = ("speller", "speller-no-model")
"""Systems that are measured again."""


def read_study(name):
    """What a study came to, and the recipe that it must have followed."""
    data = json.loads((ROOT / f"eval/results/{name}.json").read_text())
    recipe = StudyRecipe.read(ROOT / f"eval/recipes/{name}.toml")
    # Settings that came after the study are not in its record.
    assert data["recipe"] == restricted(json.loads(json.dumps(recipe.as_data())), data["recipe"])
    assert len(data["runs"]) == len(recipe.arms) * len(recipe.seeds)
    return data, recipe


def restricted(value, to):
    """The entries of a nested mapping that another one has too."""
    if not isinstance(to, dict):
        return value
    return {name: restricted(value[name], to[name]) for name in to}


def test_options_were_chosen_by_the_recipe_of_the_choice():
    read_study("study-choice")


def test_the_table_of_objectives_is_that_of_the_study():
    data, recipe = read_study("study-report")
    identity = {name: data[name] for name in ("recipe_sha256", "weights_sha256", "precision")}
    results = Results(recipe, identity, [Run.of(run) for run in data["runs"]], data["untouched"])
    table = [line for line in markdown(results).splitlines() if line.startswith("|")]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\n".join(table) in readme


def test_the_table_of_ways_to_misspell_is_that_of_the_comparison():
    data = json.loads((ROOT / "eval/results/errors.json").read_text())
    recipe = ErrorsRecipe.read(ROOT / "eval/recipes/errors.toml")
    assert data["identity"]["recipe_sha256"] == recipe.digest
    table = errors_markdown(errors_study.Results.of(data)).split("\n\n")[0]
    assert table in (ROOT / "README.md").read_text(encoding="utf-8")


def read_figures():
    """The published figures of the English model, and the recipe that they must have followed."""
    return json.loads((ROOT / "eval/results/english.json").read_text()), FiguresRecipe.read(README_RECIPE)


def test_the_tables_of_corrections_are_those_of_the_model_that_ships():
    data, recipe = read_figures()
    check(data, recipe)
    assert data["seed"] == recipe.seed
    assert f"{FIGURES}\n{figures_markdown(data)}{FIGURES}\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_cheap_figures_come_out_again():
    data, recipe = read_figures()
    if data["versions"]["codespell"] != (here := version("codespell")):
        pytest.skip(f"figures of codespell {data['versions']['codespell']}, here is {here}: other words are held out")
    published = data["tables"]["held-out"]
    again = measure_table(recipe, FiguresTable(systems=CHEAP), {})
    assert again["checksums"] == published["checksums"]
    for name, found in zip(CHEAP, again["systems"], strict=True):
        (before,) = (system["measures"] for system in published["systems"] if system["name"] == name)
        for measure in ("top1", "top5", "distance_after"):
            # Processors differ in the last bits of a sum, so that one close call or another goes otherwise.
            assert found["measures"][measure]["value"] == pytest.approx(before[measure]["value"], abs=0.003), name


def test_the_speeds_are_those_of_the_model_that_ships():
    spec = importlib.util.spec_from_file_location("correcting", SPEEDS)
    correcting = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(correcting)
    data = json.loads((ROOT / "eval/results/speed.json").read_text())
    assert data["bundle_sha256"] == bundle_checksum("en")
    assert f"{SPEED}\n{correcting.markdown(data)}{SPEED}\n" in (ROOT / "README.md").read_text(encoding="utf-8")
