"""Learning to spell, or learning a source: what a model makes of a source's misspellings that it trained without."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from speller.eval.checksum import identity
from speller.eval.errors_likeness import misspellings
from speller.eval.errors_study import JUDGED, MEASURES, ROWS, Material, run_arm
from speller.eval.folder import claim
from speller.eval.judge import Rows
from speller.eval.metrics import Comparison, Estimate, Outcome, Sample, read_measures
from speller.eval.sources_recipe import ALL, SourcesRecipe
from speller.train.loop import open_accelerator
from speller.train.pairs import Pair, read_pairs, split_pairs
from speller.train.run import learn_errors
from speller.train.sources import read_sources

IDENTITY = "sources.json"


@dataclass(frozen=True)
class Results:
    """What a study came to."""

    identity: Mapping[str, str]
    """The checksums of the recipe, of the lexicon, and of what is judged."""
    recipe: Mapping[str, Any]
    sets: Mapping[str, int]
    """How many misspellings of each source are judged."""
    shared: Mapping[str, float]
    """The share of them that another source lists too."""
    measures: Mapping[str, Mapping[str, Mapping[str, Estimate]]]
    """How each arm corrects each source's."""
    gaps: Mapping[str, Comparison]
    """By how much top-1 on each source's misspellings falls without that source: "all" less the arm without it."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Results":
        """The results that ``asdict`` and JSON made plain data of."""
        measures = {arm: read_measures(sets) for arm, sets in data["measures"].items()}
        gaps = {name: Comparison.of(found) for name, found in data["gaps"].items()}
        return cls(**{**data, "measures": measures, "gaps": gaps})


def run_sources(recipe: SourcesRecipe, out: Path) -> Results:
    """Train on all sources and on all but each, or go on with the study that ``out`` holds.

    What is judged are each source's misspellings of words of the part ``test``, of which no arm is shown any form in
    any source: an arm that was trained without the source differs from the one that had it in knowing how that source
    misspells, and in nothing else. Steps and seed are the same for all.

    Args:
        recipe: what to train on what.
        out: the folder; the arms are in ``arms``.

    Raises:
        ValueError: for input that cannot be used, or an ``out`` that holds another study.
    """
    console = Console(stderr=True)
    training = recipe.training_of(ALL)
    pairs = {name: [pair for one in several for pair in read_pairs(one)] for name, several in recipe.sources.items()}
    judged = {name: misspellings(split_pairs(of, language=training.language)["test"]) for name, of in pairs.items()}
    if empty := [name for name, of in judged.items() if not of]:
        raise ValueError(f"{', '.join(empty)}: no misspelling of a word that is held out")
    rows = Rows.of(judged, limit=ROWS)
    identified = identity(recipe.digest, training, rows)
    claim(out / IDENTITY, identified, kind="study")
    outcomes = {}
    for arm in recipe.arms:
        path = out / "arms" / arm / JUDGED
        if not path.exists():
            console.print("all sources" if arm == ALL else f"without {arm}")
            sources = read_sources(recipe.training_of(arm))
            material = Material(sources, learn_errors(sources), rows, open_accelerator(None))
            run_arm(recipe.training_of(arm), path.parent, material).save(path)
        outcomes[arm] = Outcome.load(path)
    places = {name: rows.misspelt & (np.array(rows.source) == name) for name in recipe.sources}
    sample = Sample(rows.right)
    return Results(
        identity=identified,
        recipe=asdict(recipe),
        sets={name: int(here.sum()) for name, here in places.items()},
        shared={name: _shared(rows, here, pairs, name) for name, here in places.items()},
        measures={
            arm: {name: sample.measure(outcome, here, MEASURES) for name, here in places.items()}
            for arm, outcome in outcomes.items()
        },
        gaps={name: _gap(rows, here, outcomes[ALL], outcomes[name]) for name, here in places.items()},
    )


def _gap(rows: Rows, here: NDArray[np.bool_], whole: Outcome, without: Outcome) -> Comparison:
    sample = Sample([right for right, chosen in zip(rows.right, here, strict=True) if chosen])
    return sample.compare(whole.part(here), without.part(here), "top1")


def _shared(rows: Rows, here: NDArray[np.bool_], pairs: Mapping[str, list[Pair]], name: str) -> float:
    others = {pair for other, of in pairs.items() if other != name for pair in misspellings(of)}
    own = [Pair(rows.wrong[row], rows.right[row]) for row in np.flatnonzero(here)]
    return sum(pair in others for pair in own) / len(own)
