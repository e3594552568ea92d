"""Ways to misspell: how like people's misspellings are, and what a model learns that is shown them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from accelerate import Accelerator
from numpy.typing import NDArray
from rich.console import Console

from speller.corrector import Corrector, Suggestion
from speller.eval.checksum import identity
from speller.eval.errors_likeness import cross_entropy, misspell, misspellings, sampled_alike, share_reached
from speller.eval.errors_recipe import ErrorsRecipe
from speller.eval.folder import claim
from speller.eval.judge import Rows, judge
from speller.eval.metrics import CORRECTION, Comparison, Estimate, Outcome, Sample, read_measures
from speller.train.bundling import make_bundle
from speller.train.checkpoint import write_tensors
from speller.train.errors import ErrorModel
from speller.train.errors.comparison import compare, profile
from speller.train.loop import open_accelerator, train
from speller.train.model import SpellingModel
from speller.train.pairs import Pair
from speller.train.recipe import Recipe
from speller.train.run import (
    RECIPE,
    WEIGHTS,
    learn_errors,
    load_reverse,
    make_examples,
    new_model,
)
from speller.train.sources import Sources, read_sources

HELD_OUT = "held out"
"""The set of misspellings that the sources have of words of the part ``test``."""

TOGETHER = "together"
"""All other sets."""

PEOPLE = "other people"
"""Beside the ways to misspell: the sources' misspellings of words of the part ``fit``, as a scale for the others."""

ROWS = 2000
"""At most so many misspellings of each set are judged."""

MEASURES = {name: CORRECTION[name] for name in ("top1", "top5", "distance_after")}

IDENTITY = "errors.json"
ERRORS = "errors.safetensors"
JUDGED = "judged.json"
UNFINISHED = "unfinished"
"""What is written under this name gets its own in one move: whoever is killed meanwhile leaves nothing half written."""

Profile = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Results:
    """What a comparison came to."""

    identity: Mapping[str, str]
    """The checksums of the recipe, of the lexicon, and of what is judged."""
    recipe: Mapping[str, Any]
    sets: Mapping[str, int]
    """How many misspellings of each set are judged."""
    cross_entropy: Mapping[str, float]
    """Of each reverse model: minus the mean log-probability of people's misspellings of words that no training saw."""
    likeness: Mapping[str, Mapping[str, Mapping[str, float]]]
    """The total variation from a set, of each way to misspell its words, by aspect (see ``compare``)."""
    reached: Mapping[str, Mapping[str, float]]
    """The share of what people wrote in a set that is among each way's ``COPIES`` as many misspellings."""
    profiles: Mapping[str, Profile]
    """The distributions of what people wrote (``HELD_OUT``) and of each way to misspell the same words."""
    measures: Mapping[str, Mapping[str, Mapping[str, Estimate]]]
    """How each arm corrects each set."""
    comparisons: Mapping[str, Comparison]
    """By how much the top-1 of an arm exceeds another's ("one - other"), on all sets but the held out one."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Results":
        """The results that ``asdict`` and JSON made plain data of."""
        measures = {arm: read_measures(sets) for arm, sets in data["measures"].items()}
        comparisons = {name: Comparison.of(found) for name, found in data["comparisons"].items()}
        return cls(**{**data, "measures": measures, "comparisons": comparisons})


class Material(NamedTuple):
    """What all runs share."""

    sources: Sources
    errors: ErrorModel
    rows: Rows
    accelerator: Accelerator


def run_errors(recipe: ErrorsRecipe, judged: Mapping[str, Sequence[Pair]], out: Path) -> Results:
    """Compare ways to misspell, or go on with the comparison that ``out`` holds.

    Args:
        recipe: what to train.
        judged: misspellings to judge on by the name of their set, beside those that are held out.
        out: the folder; an arm is in ``arms``, a reverse model in ``reverse``.

    Raises:
        ValueError: for input that cannot be used, or an ``out`` that holds another comparison.
    """
    console = Console(stderr=True)
    training = Recipe.of(recipe.training)
    sources = read_sources(training)
    rows = Rows.of({HELD_OUT: misspellings(sources.parts["test"]), **judged}, limit=ROWS)
    identified = identity(recipe.digest, training, rows)
    claim(out / IDENTITY, identified, kind="comparison")
    if not (out / ERRORS).exists():
        learn_errors(sources).save(out / UNFINISHED)
        os.replace(out / UNFINISHED, out / ERRORS)
    material = Material(sources, ErrorModel.load(out / ERRORS), rows, open_accelerator(None))

    people = sampled_alike(misspellings(sources.parts["fit"]), sources.lexicon)
    nats = {}
    for name in recipe.reverse:
        folder = out / "reverse" / name
        if not (folder / WEIGHTS).exists():
            console.print(f"learning to misspell: {name}")
            train_once(recipe.reverse_training(name, out / "reverse"), folder, material)
        nats[name] = cross_entropy(load_reverse(folder / WEIGHTS, sources.lexicon), people, sources.lexicon)
        console.print(f"{name}: {nats[name]:.3f} nats a misspelling")
    best = out / "reverse" / min(nats, key=lambda name: nats[name]) / WEIGHTS
    likeness, reached, profiles = hold_against_people(load_reverse(best, sources.lexicon), people, material)

    outcomes = {}
    for arm in recipe.arms:
        path = out / "arms" / arm / JUDGED
        if not path.exists():
            console.print(f"arm: {arm}")
            run_arm(recipe.training_of(arm, best), path.parent, material).save(path)
        outcomes[arm] = Outcome.load(path)
    places = _places(rows)
    sample = Sample(rows.right)
    measures = {
        arm: {name: sample.measure(outcome, here, MEASURES) for name, here in places.items()}
        for arm, outcome in outcomes.items()
    }
    return Results(
        identity=identified,
        recipe=asdict(recipe),
        sets={name: int(here.sum()) for name, here in places.items()},
        cross_entropy=nats,
        likeness=likeness,
        reached=reached,
        profiles=profiles,
        measures=measures,
        comparisons=_compared(outcomes, rows, places.get(TOGETHER, places[list(places)[-1]])),
    )


def train_once(recipe: Recipe, folder: Path, material: Material) -> SpellingModel:
    """Train a model, or go on with it, and leave its weights and its recipe in a folder."""
    sources, accelerator = material.sources, material.accelerator
    folder.mkdir(parents=True, exist_ok=True)
    recipe.save(folder / RECIPE)
    examples = make_examples(recipe, sources, material.errors, device=accelerator.device)
    model = new_model(recipe, sources.lexicon).to(accelerator.device)
    held_out = sources.parts["fit"]
    done = train(recipe, model, examples, held_out, sources.lexicon, out=folder, accelerator=accelerator)
    accelerator.free_memory()
    if done.step < recipe.steps:
        raise KeyboardInterrupt
    write_tensors(folder / WEIGHTS, dict(model.state_dict()))
    return model


def run_arm(recipe: Recipe, folder: Path, material: Material) -> Outcome:
    """Train an arm's model, make its bundle, and judge it on all rows."""
    model = train_once(recipe, folder, material)
    bundle = make_bundle(recipe, model, material.sources, material.errors, folder, trained={})
    return judge(folder.name, _Suggesting(Corrector.load(bundle)), material.rows, load_seconds=0.0).outcome


def hold_against_people(
    reverse: SpellingModel, others: Sequence[Pair], material: Material
) -> tuple[dict[str, dict[str, dict[str, float]]], dict[str, dict[str, float]], dict[str, Profile]]:
    """What ``Results`` tells of the ways to misspell: ``likeness``, ``reached``, ``profiles``."""
    lexicon, rows = material.sources.lexicon, material.rows
    likeness: dict[str, dict[str, dict[str, float]]] = {}
    reached: dict[str, dict[str, float]] = {}
    profiles: dict[str, Profile] = {}
    for name, here in _places(rows).items():
        people = sampled_alike((Pair(rows.wrong[row], rows.right[row]) for row in np.flatnonzero(here)), lexicon)
        written = misspell(people, lexicon, material.errors, reverse)
        likeness[name] = {way: compare(people, pairs) for way, pairs in {**written, PEOPLE: others}.items()}
        reached[name] = {way: share_reached(people, pairs) for way, pairs in written.items()}
        if name == HELD_OUT:
            profiles = {name: profile(people), **{way: profile(pairs) for way, pairs in written.items()}}
    return likeness, reached, profiles


class _Suggesting:
    """A corrector that only suggests: what it leaves alone is another question."""

    def __init__(self, corrector: Corrector) -> None:
        self._corrector = corrector

    def suggest(self, word: str, n: int) -> Sequence[Suggestion]:
        return self._corrector.suggest(word, n)

    def suggest_many(self, words: Sequence[str], n: int) -> Sequence[Sequence[Suggestion]]:
        return self._corrector.suggest_many(words, n)


def _places(rows: Rows) -> dict[str, NDArray[np.bool_]]:
    """Where each set's rows are, and, where there are several beside the held out one, those of all of them."""
    source = np.array(rows.source)
    names = list(dict.fromkeys(rows.source))
    places = {name: rows.misspelt & (source == name) for name in names}
    return places | {TOGETHER: rows.misspelt & (source != HELD_OUT)} if len(names) > 2 else places


def _compared(outcomes: Mapping[str, Outcome], rows: Rows, here: NDArray[np.bool_]) -> dict[str, Comparison]:
    sample = Sample([right for right, chosen in zip(rows.right, here, strict=True) if chosen])
    parts = {arm: outcome.part(here) for arm, outcome in outcomes.items()}
    return {
        f"{one} - {other}": sample.compare(parts[one], parts[other], "top1") for one, other in combinations(parts, 2)
    }
