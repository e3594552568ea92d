import json

import pytest

from speller.train.objectives import OBJECTIVES
from speller.train.recipe import Recipe


@pytest.fixture
def toml(tmp_path):
    def write(text):
        path = tmp_path / "some.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


FULL = """
language = "el"
pairs = ["one.tsv", "codespell"]
objective = "soft-edit+0.1*cross-entropy"
cell = "gru"
steps = 7
real = 0.5
learning_rate = 1e-4

[options.soft-edit]
gamma = 0.2
"""


def test_reads_what_is_stated_and_leaves_the_rest(toml):
    recipe = Recipe.read(toml(FULL))
    stated = {"language": "el", "pairs": ("one.tsv", "codespell"), "cell": "gru", "steps": 7, "real": 0.5}
    stated |= {"objective": "soft-edit+0.1*cross-entropy", "options": {"soft-edit": {"gamma": 0.2}}}
    assert recipe == Recipe(**stated, learning_rate=1e-4)
    assert recipe.batch == Recipe().batch


def test_options_override_the_file(toml):
    recipe = Recipe.read(toml(FULL), steps=9, pairs=("other.tsv",))
    assert (recipe.steps, recipe.pairs, recipe.cell) == (9, ("other.tsv",), "gru")


def test_saved_and_loaded_it_is_the_same(toml, tmp_path):
    recipe = Recipe.read(toml(FULL))
    recipe.save(tmp_path / "recipe.json")
    assert Recipe.load(tmp_path / "recipe.json") == recipe
    assert json.loads((tmp_path / "recipe.json").read_text())["pairs"] == ["one.tsv", "codespell"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stpes = 7", "a recipe has no stpes; it has batch, cell, .*steps"),
        ("steps =", "not a recipe: "),
        ('steps = "many"', "steps .*'many'"),
        ("steps = 1.5", "steps .*1.5"),
        ("steps = true", "steps .*True"),
        ("steps = 0", "steps is at least 1, not 0"),
        ('encoder = "wide"', "encoder .*'wide'"),
        ('seed = "one"', "seed .*'one'"),
        ('pairs = "codespell"', "pairs .*'codespell'"),
        ("pairs = 3", "pairs .*3"),
        ("pairs = [3]", "pairs .*3"),
        ("lexicon = 3", "lexicon .*3"),
        ('cell = "tree"', "cell .*lstm, gru, rnn.*'tree'"),
        ('learning_rate = "high"', "learning_rate .*'high'"),
        ("learning_rate = nan", "learning_rate is above 0, not nan"),
        ("identity = 1.5", "identity is a share between 0 and 1, not 1.5"),
        ("real = 0.7\nidentity = 0.6", r"real \(0.7\) and identity \(0.6\) .* at most 1 in all"),
        ("uniform = 0.5\nreal = 0.6\nidentity = 0.0", r"real \(0.6\) and uniform \(0.5\) are shares of the same words"),
        ('reverse = 0.8\nreverse_weights = "w"', r"real \(0.2\), identity \(0.1\) and reverse \(0.8\) .* at most 1"),
        ("reverse = 0.1", r"reverse \(0.1\) needs reverse_weights"),
        ("reverse = -0.1", "reverse is a share between 0 and 1, not -0.1"),
        ("reverse_weights = 3", "reverse_weights is a text, not 3"),
        ("prior = -0.1", "prior is a share between 0 and 1, not -0.1"),
        ("prior = 0.7\nmisspelling = 0.6", r"prior \(0.7\) and misspelling \(0.6\) .* at most 1 in all"),
        ('objective = "hinge"', f"unknown objective 'hinge'; the known ones are {', '.join(OBJECTIVES)}"),
        ('objective = "2*"', "an objective is a sum such as"),
        ("[options.cross-entropy]\nsmooth = 1", "cross-entropy has no option smooth; it has label_smoothing"),
        ("[options]\ncross-entropy = 3", "options of cross-entropy are a table, not 3"),
        ("[options.soft-edit]\ngamma = 1.0", "options for soft-edit, which 'cross-entropy' does not hold"),
    ],
)
def test_a_file_that_is_no_recipe_is_named(toml, text, message):
    path = toml(text)
    with pytest.raises(ValueError, match=rf"(?s){path}: .*{message}"):
        Recipe.read(path)


def test_what_the_shares_leave_is_for_the_learned_error_model():
    assert Recipe(real=0.2, identity=0.1).learned == pytest.approx(0.7)
    shares = {"real": 0.2, "identity": 0.1, "uniform": 0.3, "reverse_weights": "weights"}
    assert Recipe(**shares, reverse=0.3).learned == pytest.approx(0.1)
    # 1 - 0.2 - 0.1 - 0.3 - 0.4 is not 0, nor is their sum 1.
    assert Recipe(**shares, reverse=0.4).learned == 0.0
    assert Recipe(real=0.9, identity=0.1).learned == 0.0


@pytest.mark.parametrize("text", [None, "no json", '{"stpes": 7}', "[3]"])
def test_what_is_no_recipe_of_a_run_is_named(tmp_path, text):
    path = tmp_path / "recipe.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=rf"{path}: not the recipe of a run: "):
        Recipe.load(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"absent\.toml: cannot be read: No such file"):
        Recipe.read(tmp_path / "absent.toml")
    with pytest.raises(ValueError, match=rf"{tmp_path}: cannot be read: .*directory"):
        Recipe.read(tmp_path)


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "latin.toml"
    path.write_bytes('language = "é"'.encode("latin-1"))
    with pytest.raises(ValueError, match=rf"{path}: not a recipe: "):
        Recipe.read(path)
