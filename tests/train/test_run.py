import re
import shutil
import tomllib
from itertools import product

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from rapidfuzz.distance import Levenshtein

from speller.bundle import Bundle, Config, find
from speller.candidates import AS_WRITTEN
from speller.cli import main
from speller.corrector import Corrector
from speller.lexicon import Lexicon
from speller.train.bundling import held_out_words
from speller.train.checkpoint import Done, read_tensors, write_tensors
from speller.train.errors import ErrorModel
from speller.train.loop import CHECKPOINT
from speller.train.model import ModelConfig, SpellingModel
from speller.train.objectives import OBJECTIVES
from speller.train.pairs import part_of, read_pairs, split_pairs
from speller.train.recipe import Recipe
from speller.train.run import RECIPE, WEIGHTS, load_reverse, load_weights, model_config, run

TINY = """
embedding = 24
encoder = 48
decoder = 64
learning_rate = 1e-2
warmup = 30
real = 0.7
"""


@pytest.fixture(scope="module")
def greek_files(greek, greek_pairs, tmp_path_factory):
    """A lexicon, pairs and a recipe of a small model, as files."""
    folder = tmp_path_factory.mktemp("greek")
    greek.save(folder / "greek.npz")
    lines = [f"{wrong}\t{right}\n" for wrong, right in greek_pairs]
    (folder / "pairs.tsv").write_text("".join(lines), encoding="utf-8")
    (folder / "tiny.toml").write_text(TINY, encoding="utf-8")
    return folder


@pytest.fixture
def small_run(made_up_language, run_speller, hasty):
    """Runs a few steps on the made-up language."""

    def run(out, *options):
        arguments = ("train", "--recipe", made_up_language, "--out", out, "--device", "cpu", *options)
        return run_speller(*arguments, command=hasty)

    return run


@pytest.mark.slow
def test_a_small_greek_lexicon(greek_files, greek_pairs, run_speller, tmp_path):
    given = ("--recipe", greek_files / "tiny.toml", "--lexicon", greek_files / "greek.npz")
    given += ("--pairs", greek_files / "pairs.tsv", "--language", "el", "--device", "cpu")
    result = run_speller("train", *given, "--steps", 300, "--batch", 64, "--out", tmp_path / "run")
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == str(tmp_path / "run" / "model")
    assert "held-out misspellings are too few to fit a ranking on (at least 200)" in " ".join(result.stderr.split())
    assert Config.read(tmp_path / "run" / "model").ranking == Config.read(find("en")).ranking

    corrector = Corrector.load(tmp_path / "run" / "model")
    pairs = [pair for pair in greek_pairs if part_of(pair.right, language="el") == "train"]
    wrong, right = zip(*((wrong, corrector.lexicon.index(right)) for wrong, right in pairs), strict=True)
    written = [proposals[0][0] if proposals else None for proposals in corrector.search.write(wrong)]
    assert np.mean([one == other for one, other in zip(written, right, strict=True)]) > 0.9  # the network alone
    corrected = run_speller(
        "correct", "--model", tmp_path / "run" / "model", "--min-probability", "0.3", *wrong, "ΑΘΉΝΑ", "hello"
    )
    *words, known, foreign = corrected.stdout.split()
    usual = [corrector.lexicon.usual_case(index) for index in right]
    assert np.mean([one == other for one, other in zip(words, usual, strict=True)]) > 0.6
    assert (known, foreign) == ("ΑΘΉΝΑ", "hello")


@pytest.mark.slow
def test_what_a_run_leaves(small_run, run_speller, made_up_language, tmp_path):
    """The bundle is whole, its ranking fitted; the weights are the model's; the same command then changes nothing."""
    out = tmp_path / "run"
    result = small_run(out, "--steps", "60")
    assert result.returncode == 0, result.stderr
    assert "too few" not in result.stderr
    assert "step 60: held out, mean edit distance" in result.stderr
    bundle = Bundle.load(out / "model")
    assert bundle.ranking != Config.read(find("en")).ranking
    stated = tomllib.loads(made_up_language.read_text())
    wrong, right = zip(*read_pairs(stated["pairs"][0]), strict=True)
    suggested = [suggestions[0].word for suggestions in Corrector(bundle).suggest_many(wrong, 1)]
    assert np.mean([one == other for one, other in zip(suggested, right, strict=True)]) > 0.7
    assert list(bundle.lexicon.words) == list(Lexicon.load(stated["lexicon"]).words)
    card = bundle.card
    assert card | {"language": "und", "objective": "cross-entropy", "cell": "lstm", "words": 72} == card
    assert card["trained on"] == "960 words"
    weights, _ = read_tensors(out / WEIGHTS)
    assert card["parameters"] == sum(tensor.numel() for tensor in weights.values())

    info = run_speller("info", "--model", out / "model")
    assert info.returncode == 0
    assert "cross-entropy" in info.stdout

    again = small_run(out, "--steps", "60")
    assert "from step 60 of 60" in again.stderr
    after, _ = read_tensors(out / WEIGHTS)
    assert all(torch.equal(weights[name], after[name]) for name in weights)
    other = small_run(out, "--steps", "61")
    assert (other.returncode, other.stderr) == (
        2,
        f"Error: {out}: holds a run of another recipe; name another folder, or remove this one\n",
    )

    further = small_run(tmp_path / "further", "--steps", "1", "--learning-rate", "1e-9", "--start", out / WEIGHTS)
    assert further.returncode == 0, further.stderr
    moved, _ = read_tensors(tmp_path / "further" / WEIGHTS)
    assert all(torch.allclose(moved[name], weights[name], atol=1e-6) for name in weights)


def test_what_the_ranking_is_fitted_on(made_up_language, monkeypatch):
    monkeypatch.setattr("speller.train.bundling.SYNTHETIC", 500)
    recipe = Recipe.read(made_up_language)
    lexicon, pairs = Lexicon.load(recipe.lexicon), read_pairs(recipe.pairs[0])
    split = split_pairs(pairs, language="und")
    real, trained = split["known"] + split["fit"], split["train"]
    assert split["known"]
    known = {word for word in lexicon.words if part_of(word, language="und") == "train"}
    held_out = set(lexicon.words) - known
    further = ["".join(letters) for letters in product("bdfgk", "aeiou", "lmnpr", "aeiou", "st")]
    never = [word for word in further if part_of(word, language="und") == "train"]
    judging = [word for word in further if part_of(word, language="und") == "test"]
    too_long = never[0] * 9
    assert part_of(too_long, language="und") == "train"
    assert len(judging) > 5
    lexicon = lexicon.with_words(dict.fromkeys(never, 0.0) | dict.fromkeys([too_long, *judging], 7.0))
    words = held_out_words(real, lexicon, ErrorModel.learn(trained, lexicon.alphabet), recipe)
    assert len(words.written) == len(words.meant)
    valid = [word for word, meant in zip(words.written, words.meant, strict=True) if meant == AS_WRITTEN]
    assert sorted(valid) == sorted(held_out)
    meant = [
        (wrong, lexicon.words[place]) for wrong, place in zip(words.written, words.meant, strict=True) if place >= 0
    ]
    assert meant[: len(real)] == real
    sampled = meant[len(real) :]
    assert 400 < len(sampled) <= 500
    assert {right for _, right in sampled} == known  # not what is never offered, too long or for judging
    assert all(wrong not in lexicon and 0 < Levenshtein.distance(wrong, right) < 8 for wrong, right in sampled)

    # A sample that is a word is no misspelling.
    words_too = {wrong for wrong, _ in sampled[::2] if part_of(wrong, language="und") == "train"}
    assert words_too
    knowing = lexicon.with_words(dict.fromkeys(words_too, 0.0))
    fewer = held_out_words([], knowing, ErrorModel.learn(trained, lexicon.alphabet), recipe)
    assert 100 < len(fewer.written) < len(sampled) + len(held_out)
    assert words_too.isdisjoint(fewer.written)


def test_known_misspellings_are_not_shown_but_fitted_on(made_up_language, monkeypatch, tmp_path):
    shown, fitted = [], []

    def train(recipe, model, examples, *_, **__):
        shown.append(examples)
        return Done(1, 2.0, "a CPU")

    def make_bundle(recipe, model, sources, *_, **__):
        fitted.extend(sources.held_out)

    monkeypatch.setattr("speller.train.run.train", train)
    monkeypatch.setattr("speller.train.run.make_bundle", make_bundle)
    recipe = Recipe.read(made_up_language)
    run(recipe, tmp_path / "run", device="cpu")
    split = split_pairs(read_pairs(recipe.pairs[0]), language="und")
    assert split["known"]
    assert sorted(fitted) == sorted(split["known"] + split["fit"])
    wrong = Lexicon.load(recipe.lexicon).alphabet.decode(shown[0].pairs[0].numpy())
    assert wrong == [pair.wrong for pair in split["train"]]


def test_the_card_names_what_a_run_was_trained_on(made_up_language, monkeypatch, tmp_path):
    cards = []
    monkeypatch.setattr("speller.train.run.make_bundle", lambda *_, trained: cards.append(trained["hardware"]))
    recipe = Recipe.read(made_up_language, steps=2)
    checkpoint = tmp_path / "run" / CHECKPOINT
    monkeypatch.setattr("speller.train.loop.describe", lambda _: "a GPU")
    run(recipe, checkpoint.parent, device="cpu")
    monkeypatch.setattr("speller.train.loop.describe", lambda _: "a CPU")
    run(recipe, checkpoint.parent, device="cpu")  # there is nothing left to do
    tensors, metadata = read_tensors(checkpoint)
    write_tensors(checkpoint, tensors, **{**metadata, "step": "1"})
    run(recipe, checkpoint.parent, device="cpu")
    assert cards == ["a GPU", "a GPU", "a GPU, then a CPU"]


def test_until_a_model_is_whole_the_one_before_serves(made_up_language, monkeypatch, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    recipe = Recipe.read(made_up_language, steps=2)
    model = run(recipe, tmp_path / "run", device="cpu")
    made = {path.name: path.read_bytes() for path in model.iterdir()}
    for path in model.iterdir():
        path.write_text("of before")
    with monkeypatch.context() as patched:
        patched.setattr("speller.train.bundling.write_config", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(recipe, model.parent, device="cpu")
    assert {path.read_text() for path in model.iterdir()} == {"of before"}
    assert run(recipe, model.parent, device="cpu") == model
    assert {path.name: path.read_bytes() for path in model.iterdir()} == made
    assert not list(model.parent.glob(f"{model.name}.*"))


def test_weights_of_another_shape(tmp_path):
    small, large = (SpellingModel(ModelConfig(symbols=9, embedding=4, encoder=4, decoder=width)) for width in (4, 5))
    write_tensors(tmp_path / "weights", dict(small.state_dict()))
    differing = r"weights: weights of another model: one with .* \(combine.bias \(4,\), not \(5,\) and 8 more\)"
    with pytest.raises(ValueError, match=differing):
        load_weights(tmp_path / "weights", large)
    other = SpellingModel(small.config)
    load_weights(tmp_path / "weights", other)
    assert torch.equal(other.embedding.weight, small.embedding.weight)


def test_a_model_that_misspells_has_the_shape_of_its_own_recipe(greek, tmp_path):
    recipe = Recipe(embedding=5, encoder=6, decoder=7, cell="gru", misspelling=1.0, prior=0.0)
    model = SpellingModel(model_config(recipe, greek))
    write_tensors(tmp_path / WEIGHTS, dict(model.state_dict()))
    with pytest.raises(ValueError, match=rf"{tmp_path / RECIPE}: not the recipe of a run: .*No such file"):
        load_reverse(tmp_path / WEIGHTS, greek)
    recipe.save(tmp_path / RECIPE)
    loaded = load_reverse(tmp_path / WEIGHTS, greek)
    assert loaded.config == model.config
    assert torch.equal(loaded.embedding.weight, model.embedding.weight)
    assert not loaded.training
    Recipe(embedding=5, encoder=6, decoder=7, cell="gru").save(tmp_path / RECIPE)
    with pytest.raises(ValueError, match=rf"{tmp_path / WEIGHTS}: its run did not learn to misspell"):
        load_reverse(tmp_path / WEIGHTS, greek)


@pytest.mark.slow
def test_a_run_is_shown_what_another_run_misspells(small_run, made_up_language, tmp_path):
    text = made_up_language.read_text()
    backwards = tmp_path / "backwards.toml"
    backwards.write_text(text + "\nreal = 1.0\nidentity = 0.0\nprior = 0.0\nmisspelling = 1.0\n")
    assert small_run(tmp_path / "backwards", "--recipe", backwards, "--steps", "20").returncode == 0
    forwards = tmp_path / "forwards.toml"
    weights = tmp_path / "backwards" / WEIGHTS
    forwards.write_text(f'{text}\nreal = 0.0\nreverse = 0.9\nreverse_weights = "{weights}"\n')
    done = small_run(tmp_path / "forwards", "--recipe", forwards, "--steps", "5")
    assert done.returncode == 0, done.stderr
    assert Corrector.load(tmp_path / "forwards" / "model").suggest("bada")


@pytest.fixture
def broken(made_up_language, tmp_path):
    """Files that cannot be used, by name, among them the whole ones."""
    shutil.copytree(made_up_language.parent, tmp_path, dirs_exist_ok=True)
    (tmp_path / "folder").mkdir()
    (tmp_path / "one-column.tsv").write_text("teh\tthe\nalone\n")
    (tmp_path / "empty.tsv").write_text("")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "lexicon.npz").read_bytes()[:3000])
    (tmp_path / "weights").write_bytes(b"no weights")
    (tmp_path / "unknown.toml").write_text("stpes = 3")
    (tmp_path / "elsewhere.tsv").write_text("τεχ\tτεστ\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pairs", "absent.tsv"], r"absent\.tsv: no such file"),
        (["--pairs", "folder"], r"folder is a directory, not a file of misspelling pairs"),
        (["--pairs", "one-column.tsv"], r"one-column\.tsv:2: 2 columns are needed, got 1: 'alone'"),
        (["--pairs", "empty.tsv"], r"empty\.tsv holds no misspelling pairs"),
        (["--pairs", "elsewhere.tsv"], r"misspelling pairs in the alphabet 'a.*none of the 1 received is one"),
        (["--objective", "hinge"], rf"unknown objective 'hinge'; the known ones are {', '.join(OBJECTIVES)}"),
        (["--objective", ""], r"an objective is a sum such as 'soft-edit\+0.1\*cross-entropy', not ''"),
        (["--lexicon", "absent.npz"], r"absent\.npz"),
        (["--lexicon", "folder"], r"folder"),
        (["--lexicon", "cut.npz"], r"cut\.npz: not a whole lexicon file"),
        (["--start", "absent"], r"absent: there is no such file"),
        (["--start", "weights"], r"weights: not a whole safetensors file"),
        (["--recipe", "absent.toml"], r"absent\.toml: cannot be read: No such file"),
        (["--recipe", "folder"], r"folder: cannot be read: .*directory"),
        (["--recipe", "unknown.toml"], r"unknown\.toml: a recipe has no stpes"),
        (["--steps", "0"], r"steps is at least 1, not 0"),
        (["--seed", "-1"], r"seed is at least 0, not -1"),
        (["--objective", "0*cross-entropy"], r"a weight of 0 leaves cross-entropy out"),
        (["--steps", "many"], r"'many' is not a valid integer"),
        (["--learning-rate", "-1"], r"learning_rate is above 0, not -1"),
        (["--cell", "tree"], r"'tree' is not one of 'lstm', 'gru', 'rnn'"),
        (["--out", "empty.tsv"], r"Directory 'empty\.tsv' is a file"),
        (["--out", "empty.tsv/run"], r"empty\.tsv"),
        pytest.param(
            ["--device", "cuda"],
            r"device 'cuda' is asked for, but torch sees no CUDA device",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU"),
        ),
    ],
)
def test_bad_input(broken, monkeypatch, options, message):
    monkeypatch.chdir(broken)
    whole = ["--recipe", "recipe.toml", "--out", "out", "--steps", "1"]
    result = CliRunner().invoke(main, ["train", *whole, *options])
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    *usage, line = result.stderr.splitlines()
    assert result.stdout == ""
    assert line.startswith("Error: ")
    assert not usage or usage[0].startswith("Usage: ")  # which click says of an option it cannot read
    assert re.search(message, line)
    assert not (broken / "out" / CHECKPOINT).exists()


def test_bad_input_in_a_process(broken, run_speller):
    result = run_speller(
        "train", "--recipe", broken / "recipe.toml", "--pairs", broken / "one-column.tsv", "--out", broken / "out"
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"Error: {broken / 'one-column.tsv'}:2: 2 columns are needed, got 1: 'alone'\n"
