import json
import shutil

import pytest
from click.testing import CliRunner

from speller.bundle import CONFIG, find
from speller.cli import main
from speller.eval.figures import bundle_checksum, check, markdown, measure
from speller.eval.figures_recipe import FiguresRecipe
from speller.train.pairs import Pair

RECIPE = """
model = "en"
limit = 5
seed = 2

[names]
rf-osa = "rapidfuzz, OSA"

[tables.people]
systems = ["speller", "rf-osa", "speller-no-model"]

[tables.people.sets]
essays = "Essays"
notes = "Notes"
"""
SETS = {
    "essays": [Pair("recieve", "receive"), Pair("Fisix", "physics"), Pair("ther", "there")],
    "notes": [Pair("recipie", "recipe"), Pair("londn", "London")],
}


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def data(recipe, loaded):
    return measure(FiguresRecipe.read(recipe), SETS)


def test_figures_tell_what_they_are_of(data, recipe):
    assert data["recipe_sha256"] == FiguresRecipe.read(recipe).digest
    assert data["bundle_sha256"] == bundle_checksum("en")
    assert data["seed"] == 2
    table = data["tables"]["people"]
    assert table["rows"]["parts"]["source"] == {"essays": 3, "notes": 2}
    assert set(table["checksums"]) == set(SETS)
    assert "fisix" not in json.dumps(data)
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_a_set_of_other_rows_has_another_checksum(data, recipe):
    other = measure(FiguresRecipe.read(recipe), {**SETS, "notes": [SETS["notes"][0], Pair("teh", "the")]})
    first, second = (each["tables"]["people"]["checksums"] for each in (data, other))
    assert first["essays"] == second["essays"]
    assert first["notes"] != second["notes"]


def test_the_seed_draws_the_rows(recipe, loaded):
    checksums = []
    for seed in (0, 0, 3):
        recipe.write_text(RECIPE.replace("limit = 5", "limit = 1").replace("seed = 2", f"seed = {seed}"))
        checksums.append(measure(FiguresRecipe.read(recipe), SETS)["tables"]["people"]["checksums"])
    assert checksums[0] == checksums[1] != checksums[2]


def test_tables_in_markdown(data):
    lines = markdown(data).splitlines()
    assert lines[:2] == ["| system | Essays (3; 2.67) | Notes (2; 1.00) |", "| --- | --- | --- |"]
    # "ther" is as near to "the", and who does not go by frequency takes the first of equals.
    assert lines[2].startswith("| speller | **0.667** / **")
    assert lines[3].startswith("| rapidfuzz, OSA | 0.333 / ")
    assert lines[4].startswith("| speller-no-model | 0.000 / ")
    assert all(line.endswith(" **1.000** / **1.000**, **0.00** |") for line in lines[2:5])
    assert lines[6].startswith("All 5 together: top-1 0.800, +20.0 points against rapidfuzz, OSA (95 %: ")


def test_figures_of_another_recipe_or_model_are_refused(data, recipe, tmp_path):
    check(data, FiguresRecipe.read(recipe))
    other = tmp_path / "other.toml"
    other.write_text(RECIPE.replace("limit = 5", "limit = 4"))
    with pytest.raises(ValueError, match="the figures are of another recipe: `speller figures` measures anew"):
        check(data, FiguresRecipe.read(other))
    model = tmp_path / "model"
    model.mkdir()
    shutil.copy(find("en") / CONFIG, model)
    (model / CONFIG).write_text((model / CONFIG).read_text() + " ")
    other.write_text(RECIPE.replace('"en"', f'"{model}"'))
    with pytest.raises(ValueError, match="another recipe and another model"):
        check(data, FiguresRecipe.read(other))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("limit = 5", "limit = 0", "limit is a whole number of at least 1, not 0"),
        ("limit = 5", "", "limit"),
        ("seed = 2", "seed = true", "seed is a whole number of at least 0, not True"),
        ("seed = 2", "sed = 2", "sed"),
        ('systems = ["speller", "rf-osa", "speller-no-model"]', "systems = []", "systems is a list of names"),
        ('"speller", "rf-osa"', '"rf-osa"', "'speller' and then others, not .'rf-osa', 'speller-no-model'."),
        ("[tables.people.sets]", "[tables.people.rows]", "rows"),
        ("[names]", "[names", "not a recipe"),
    ],
)
def test_recipes_that_are_none(old, new, message, recipe):
    recipe.write_text(RECIPE.replace(old, new))
    with pytest.raises(ValueError, match=message) as raised:
        FiguresRecipe.read(recipe)
    assert str(recipe) in str(raised.value)


def test_the_command_writes_what_it_prints(recipe, tmp_path, loaded):
    for name, pairs in SETS.items():
        (tmp_path / f"{name}.tsv").write_text("".join("\t".join(pair) + "\n" for pair in pairs))
    given = [f"--set={name}={tmp_path / name}.tsv" for name in SETS]
    out = tmp_path / "figures.json"
    done = CliRunner().invoke(main, ["figures", f"--recipe={recipe}", f"--out={out}", *given])
    assert done.exit_code == 0, done.output
    assert done.stdout == markdown(json.loads(out.read_text()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the recipe's sets are essays, notes: essays, notes are missing, or not among them"),
        (
            ["--set", "essays=e.tsv", "--set", "notes=e.tsv", "--set", "more=e.tsv"],
            "more is missing, or not among them",
        ),
        (["--set", "essays"], "a set is NAME=PAIRS, not 'essays'"),
        (["--out", "nowhere/figures.json"], "nowhere/figures.json: there is no folder"),
    ],
)
def test_bad_input_is_one_line(arguments, message, recipe, tmp_path, monkeypatch, loaded):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "e.tsv").write_text("teh\tthe\n")
    done = CliRunner().invoke(main, ["figures", f"--recipe={recipe}", "--out=figures.json", *arguments])
    assert done.exit_code == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "figures.json").exists()


def test_a_system_that_cannot_run_is_no_figure(recipe, tmp_path, monkeypatch, loaded):
    monkeypatch.setenv("PATH", str(tmp_path))
    recipe.write_text(RECIPE.replace("rf-osa", "aspell"))
    with pytest.raises(ValueError, match="aspell cannot run: the program aspell is not installed"):
        measure(FiguresRecipe.read(recipe), SETS)
