"""The README's figures are those of the files that hold them."""

import json
from pathlib import Path

from speller.eval.study import Results, Run
from speller.eval.study_recipe import StudyRecipe
from speller.eval.study_report import markdown

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "eval/results/study-report.json"


def test_the_table_of_objectives_is_that_of_the_study():
    data = json.loads(STUDY.read_text())
    recipe = StudyRecipe.read(ROOT / "eval/recipes/study-report.toml")
    assert data["recipe_sha256"] == recipe.digest
    identity = {name: data[name] for name in ("recipe_sha256", "weights_sha256", "precision")}
    results = Results(recipe, identity, [Run.of(run) for run in data["runs"]], data["untouched"])
    assert len(results.runs) == len(recipe.arms) * len(recipe.seeds)
    table = [line for line in markdown(results).splitlines() if line.startswith("|")]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\n".join(table) in readme
