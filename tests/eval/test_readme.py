"""The README's figures are those of the files that hold them."""

import hashlib
import json
import re
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from statistics import mean

import prose
import pytest
import readme

from speller.breadth import ONE, SEVERAL
from speller.bundle import Bundle, find
from speller.corrector import MIN_PROBABILITY
from speller.eval import errors_study, study_report
from speller.eval.checksum import recipe_checksum
from speller.eval.errors_likeness import COPIES
from speller.eval.errors_recipe import ErrorsRecipe
from speller.eval.errors_report import markdown as errors_markdown
from speller.eval.figures import bundle_checksum, check, measure_table
from speller.eval.figures_recipe import FiguresRecipe, FiguresTable
from speller.eval.harmless import changes
from speller.eval.sources_recipe import SourcesRecipe
from speller.eval.sources_study import Results as Sources
from speller.eval.study import Results, Run
from speller.eval.study_recipe import CONTROL, StudyRecipe
from speller.train.fitting import MISSPELLED
from speller.train.recipe import Recipe

ROOT = Path(__file__).parents[2]
README_RECIPE = ROOT / "eval/recipes/readme.toml"

CHEAP = ("speller", "speller-no-model")
"""Systems that are measured again."""

NO_FIGURES = (
    r"```.*?```",
    r"`[^`]*`",
    r"\]\([^)]*\)",
    r" \d\. (?=[A-Z])",
    r"\b(19|20)\d\d\b",
    r"top-\d",
    r"UTF-8",
    r"bf16",
    r"CC BY-SA 4\.0",
    r"Python 3\.11",
)
"""Digits in the README that are code, links, a list's numbers, years, names and versions."""


def flowed(text):
    """A text on one line."""
    return " ".join(text.split())


@pytest.fixture(scope="module")
def text():
    return readme.README.read_text(encoding="utf-8")


def read_study(name):
    """What a study came to, as it must have followed from its recipe."""
    data, recipe = readme.results(name), StudyRecipe.read(ROOT / f"eval/recipes/{name}.toml")
    assert data["weights_sha256"] == hashlib.sha256((ROOT / recipe.training.start).read_bytes()).hexdigest()
    # Settings that came after the study are not in its record.
    assert data["recipe"] == restricted(json.loads(json.dumps(recipe.as_data())), data["recipe"])
    assert len(data["runs"]) == len(recipe.arms) * len(recipe.seeds)
    identity = {name: data[name] for name in ("recipe_sha256", "weights_sha256", "precision")}
    return Results(recipe, identity, [Run.of(run) for run in data["runs"]], data["untouched"])


def restricted(value, to):
    """The entries of a nested mapping that another one has too."""
    if not isinstance(to, dict):
        return value
    return {name: restricted(value[name], to[name]) for name in to}


def study_parts():
    """The table of objectives, and what is told of it."""
    lines = study_report.markdown(read_study("study-report")).splitlines()
    return "\n".join(line for line in lines if line.startswith("|")), flowed(lines[-1])


def errors_table():
    """The table of ways to misspell."""
    data = readme.results("errors")
    assert data["identity"]["recipe_sha256"] == ErrorsRecipe.read(ROOT / "eval/recipes/errors.toml").digest
    return errors_markdown(errors_study.Results.of(data)).split("\n\n")[0]


def test_the_table_of_objectives_is_that_of_the_study(text):
    table, caption = study_parts()
    assert table in text
    assert caption in flowed(text)


def test_the_table_of_ways_to_misspell_is_that_of_the_comparison(text):
    assert errors_table() in text


@pytest.mark.parametrize("name", readme.MARKS)
def test_what_was_measured_stands_between_its_marks(name, text):
    assert readme.block(name) in text


def test_figures_are_those_of_the_recipe_and_of_the_model_that_ships():
    data, recipe = readme.results("english"), FiguresRecipe.read(README_RECIPE)
    check(data, recipe)
    assert data["seed"] == recipe.seed


def test_sources_were_left_out_by_the_recipe():
    found = Sources.of(readme.results("sources"))
    assert found.identity["recipe_sha256"] == SourcesRecipe.read(ROOT / "eval/recipes/sources.toml").digest
    assert [name for name, gap in found.gaps.items() if gap.difference.low > 0] == ["codespell"], "Only codespell"
    assert 0 < found.gaps["codespell"].difference.value < 0.01, "less than a point"


def test_benchmarks_measured_what_is_here():
    model = {"bundle_sha256": bundle_checksum("en")}
    flow = readme.benchmark("gradient-flow")
    of_what = {
        "speed": model,
        "stages": model,
        "harmless": {**model, "seed": 1},
        "training": {"recipe_sha256": recipe_checksum(Recipe())},
        "gradient-flow": {"recipe_sha256": recipe_checksum(Recipe.read(flow.RECIPE)), "seeds": list(flow.SEEDS)},
        "distances": readme.benchmark("distances").settings(),
    }
    assert {name: restricted(readme.results(name), of_what[name]) for name in readme.BENCHMARKS} == of_what


def test_the_cheap_figures_come_out_again():
    data, recipe = readme.results("english"), FiguresRecipe.read(README_RECIPE)
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


def test_the_licences_are_left_alone_again(english):
    published = readme.results("harmless")["texts"]["licences"]
    text = prose.licences(Path("/"))
    if hashlib.sha256(text.encode()).hexdigest() != published["sha256"]:
        pytest.skip("this machine's licences are not those that were measured, Debian 12's")
    # As above, a close call may go otherwise.
    assert len(changes(english, text)) == pytest.approx(published["changes"], abs=1)


CAUTIOUS = ("ocd", "reinforce", "mrt", "soft-edit", "soft-dtw")
"""The objectives that leave most words as they were written."""


def claims():
    """The README's prose as far as it holds figures, made of what they are from."""
    card = json.loads((find("en") / "config.json").read_text())["card"]
    size = sum(path.stat().st_size for path in find("en").iterdir())
    choice, report = read_study("study-choice"), read_study("study-report")
    chosen, reported = study_report.summarize(choice), study_report.summarize(report)
    control = reported[CONTROL]
    gains = [-found.against_control for arm, found in reported.items() if not arm.startswith(CONTROL)]
    cautious = [reported[arm].unchanged.mean for arm in CAUTIOUS]
    errors = errors_study.Results.of(readme.results("errors"))
    unlike, reached = (
        [found["together"][way] for way in ("reverse", "learned", "uniform")]
        for found in (errors.likeness, errors.reached)
    )
    variation = [mean(aspects.values()) for aspects in unlike]
    widest = max(
        (found["together"]["top1"].high - found["together"]["top1"].low) / 2 for found in errors.measures.values()
    )
    training = Recipe.of(ErrorsRecipe.read(ROOT / "eval/recipes/errors.toml").training)

    def distances(*arms):
        return " and ".join(f"{chosen[arm].distance.mean:.3f}" for arm in arms)

    soft = [chosen[arm].distance.mean for arm in chosen if arm.startswith("soft-edit, teacher")]
    return [
        f"a model of {size / 1e6:.0f} MB",
        f"`min_probability` ({MIN_PROBABILITY})",
        f"ends {100 * min(gains):.0f} to {100 * max(gains):.0f} % below the control",
        f"first ({control.top1.mean:.3f} to {reported['raml'].top1.mean:.3f}) "
        f"and among five ({control.top5.mean:.3f} to {reported['raml'].top5.mean:.3f})",
        f"It gets the most words right ({max(found.top1.mean for found in reported.values()):.3f})",
        f"{100 * min(cautious):.0f} to {100 * max(cautious):.0f} % of the words are left as they were written "
        f"(control: {100 * control.unchanged.mean:.0f} %)",
        f"To change nothing gives {report.untouched:.3f}, so",
        f"The control's own ×{control.speed.mean:.2f} ought to be ×1.00",
        "Rewards to go and whole-word rewards come to much the same "
        f"({distances('reinforce', 'reinforce, whole word')}), `reinforce` alone to little more than beside "
        f"cross-entropy ({distances('reinforce, whole word, alone', 'reinforce, whole word')}); a beam beats samples "
        f"for `mrt` ({chosen['mrt'].distance.mean:.3f} for {chosen['mrt, sample'].distance.mean:.3f}); gamma and the "
        f"expected value change little ({min(soft):.3f} to {max(soft):.3f}).",
        *(f"{len(each.recipe.arms)} arms, {len(each.recipe.seeds)} seeds" for each in (choice, report)),
        f"each trained from scratch on the same {training.steps * training.batch:,} words drawn, differ in nothing but "
        f"what they were shown ({training.identity}: words as they are)",
        f"half the 95 % interval of top-1 in the last column is up to {widest:.3f}",
        "(mean total variation from all but held out {:.2f}, error model {:.2f}, random edits {:.2f})".format(
            *variation
        ),
        f"({COPIES} samples for each hit " + ", ".join(f"{100 * share:.1f} %" for share in reached) + ")",
        f"trained in {60 * card['hours']:.0f} minutes on one CPU core, on "
        f"{int(card['trained on'].split()[0].replace(',', '')) / 1e6:.0f} million words",
        f"the {ONE.neighbours} nearest words by optimal string alignment",
        f"also the {ONE.proposed} that the model writes by beam search",
        f"the search is broader: {SEVERAL.neighbours} nearest words",
        f"and {SEVERAL.proposed} that the model writes",
    ]


def test_prose_tells_what_was_measured(text):
    assert [claim for claim in claims() if claim not in flowed(text)] == []


def test_words_tell_what_was_measured():
    report = study_report.summarize(read_study("study-report"))
    control, start = report[CONTROL], readme.results("study-report")["start"]
    assert all(found.apart for arm, found in report.items() if arm != CONTROL)
    for arm in (CONTROL, "control, unsmoothed"):
        assert report[arm].distance.low > start["distance"], "rises above the start's"
    soft, teacher = report["soft-edit"], report["soft-edit, teacher"]
    assert 2.5 < soft.against_control / teacher.against_control < 3, "nearly three times as much"
    assert round(teacher.words.mean / soft.words.mean) == 3, "about a third of the words"
    assert round(1 / report["raml"].against_control) == -5, "a fifth off"
    assert report["raml"].speed.mean > 0.9, "nearly at the price of cross-entropy"
    assert max(report, key=lambda arm: report[arm].top1.mean) == "mrt, within the beam", "the most words right"
    for arm in CAUTIOUS:
        assert report[arm].top1.mean < control.top1.mean, "no more are right"
    errors = errors_study.Results.of(readme.results("errors"))
    assert len(errors.measures) == 7, "Seven models"
    gaps = {pair: found.difference for pair, found in errors.comparisons.items()}
    shown = ("learned", "reverse", "real pairs")
    assert all(gaps[f"uniform - {other}"].high < 0 for other in shown), "Random edits are worse"
    for one, other in combinations(shown, 2):
        assert gaps[f"{one} - {other}"].low <= 0 <= gaps[f"{one} - {other}"].high, "alike but for chance"
    mixed = [arm for arm in errors.measures if "+" in arm]
    assert all(gaps[f"learned - {arm}"].high > 0 for arm in mixed), "mixing them is not seen to help"
    weights = Bundle.load("en").ranking.full.weights
    assert weights["read"] < weights["reverse"] / 2, "weighs less than half"
    assert MISSPELLED == 0.9, "nine unknown words in ten"
    assert (ONE.beyond, ONE.near) == (2, 1 / 4), "two edits; one edit in four letters"
    assert (SEVERAL.beyond, SEVERAL.near) == (3, 1 / 6), "three edits; one edit in six letters"


def test_no_figure_stands_alone(text):
    table, caption = study_parts()
    rest = flowed(text)
    for told in (table, caption, errors_table(), *map(readme.block, readme.MARKS), *claims()):
        rest = rest.replace(flowed(told), " ")
    assert re.findall(r".{0,30}\d.{0,20}", re.sub("|".join(NO_FIGURES), " ", rest)) == []
