"""A study: objectives held against each other, from the same weights on and with the same work."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from accelerate import Accelerator
from rapidfuzz.distance import Levenshtein
from rich.console import Console

from speller.alphabet import CORRECT, Alphabet
from speller.candidates import LONGEST
from speller.eval.folder import claim, write_whole
from speller.eval.study_recipe import StudyRecipe
from speller.eval.work import WorkMeter
from speller.lexicon import Lexicon, fold
from speller.train.batch import Batch
from speller.train.examples import BATCHES_AT_ONCE, Examples, seed_of
from speller.train.loop import open_accelerator, take_step
from speller.train.model import SpellingModel
from speller.train.objectives import CrossEntropy, read_objective
from speller.train.pairs import Pair
from speller.train.recipe import Recipe
from speller.train.run import learn_to_misspell, load_weights, model_config
from speller.train.sources import Sources, read_sources
from speller.train.watching import AT_ONCE
from speller.train.writing import write_beam

IDENTITY = "study.json"
RUNS = "runs.jsonl"

BEAM_WIDTH = 8

STRETCH = BATCHES_AT_ONCE << 20
"""Batches that a seed has to itself in the stream of examples, which is drawn for all arms and seeds alike."""


@dataclass(frozen=True)
class Reading:
    """How a model stood at one point of its run."""

    work: float
    """What was spent so far, in steps of cross-entropy."""
    words: int
    """How many words were seen so far."""
    distance: float
    """The mean Levenshtein distance of the likeliest word from the right one."""
    top1: float
    """The share of misspellings for which that is the right word."""
    top5: float
    """The share for which the right word is among the five likeliest."""
    unchanged: float
    """The share for which the likeliest word is what was written: caution is rewarded too."""


@dataclass
class Run:
    """One arm with one seed."""

    arm: str
    seed: int
    steps: int = 0
    work: float = 0.0
    """In steps of cross-entropy; beyond the budget by less than one step of the arm."""
    over_budget: list[Reading] = field(default_factory=list)
    """From the start on, at even shares of the budget."""
    at_words: dict[int, Reading] = field(default_factory=dict)
    """After so many words, as far as the run came."""

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Run":
        """The run that ``asdict`` and JSON made plain data of."""
        over_budget = [Reading(**reading) for reading in data["over_budget"]]
        at_words = {int(count): Reading(**reading) for count, reading in data["at_words"].items()}
        return cls(**{**data, "over_budget": over_budget, "at_words": at_words})


@dataclass(frozen=True)
class Results:
    """What a study came to."""

    recipe: StudyRecipe
    identity: Mapping[str, str]
    """The checksums of the recipe and of the weights it starts from, and the precision of the arithmetic."""
    runs: Sequence[Run]
    """By seed, then by arm."""
    untouched: float
    """The mean Levenshtein distance of the held-out misspellings themselves: what to change nothing would give."""


@dataclass(frozen=True)
class Material:
    """What all runs of a study share."""

    lexicon: Lexicon
    examples: Examples
    held_out: Sequence[Pair]
    accelerator: Accelerator


class Learner(NamedTuple):
    """A model and what trains it."""

    model: SpellingModel
    optimizer: torch.optim.Optimizer


def run_study(study: StudyRecipe, out: Path) -> Results:
    """Run all arms with all seeds, or those that ``out`` does not hold yet.

    It runs on the CPU, for whose processor seconds the budget stands. Each finished run is a line of ``out``'s
    ``runs.jsonl``; one that was stopped in the middle starts anew.

    Raises:
        ValueError: for input that cannot be used, or an ``out`` that holds another study.
    """
    accelerator = open_accelerator("cpu")
    sources = read_sources(study.training)
    held_out = hold_out(study, sources)
    identity = {
        "recipe_sha256": study.digest,
        "weights_sha256": _checksum(Path(study.training.start or "")),
        "precision": str(accelerator.mixed_precision),
    }
    runs = _resume(out, identity)
    console = Console(stderr=True)
    wanted = [(arm, seed) for seed in study.seeds for arm in study.arms]
    missing = [chosen for chosen in wanted if chosen not in [(run.arm, run.seed) for run in runs]]
    if missing:
        console.print(f"{len(missing)} of {len(wanted)} runs to go; preparing the examples")
        _, examples = learn_to_misspell(study.training, sources, device=accelerator.device)
        material = Material(sources.lexicon, examples, held_out, accelerator)
        begun = judge(load(study.training, material).model, material, work=0.0, words=0)
        console.print(f"at the start: {_told(begun)}")
    for arm, seed in missing:
        console.print(f"{arm}, seed {seed}")
        runs.append(run_arm(study, arm, seed, material, begun, console))
        write_whole(out / RUNS, "".join(json.dumps(asdict(run)) + "\n" for run in runs))
    runs.sort(key=lambda run: wanted.index((run.arm, run.seed)))
    untouched = sum(Levenshtein.distance(*pair) for pair in held_out) / len(held_out)
    return Results(study, identity, runs, untouched)


def hold_out(study: StudyRecipe, sources: Sources) -> list[Pair]:
    """The misspellings that all runs are judged on."""
    judged = sources.parts[study.part]
    held_out = [Pair(fold(wrong), fold(right)) for wrong, right in judged if len(wrong) <= LONGEST]
    held_out = [pair for pair in held_out if pair.wrong != pair.right]
    if not held_out:
        raise ValueError(f"none of the pairs in {', '.join(study.training.pairs)} belongs to the part {study.part!r}")
    held_out = held_out[:: -(-len(held_out) // study.held_out)]
    # Words of one length are written together, so that little is padding.
    return sorted(held_out, key=lambda pair: len(pair.wrong))


def run_arm(study: StudyRecipe, arm: str, seed: int, material: Material, begun: Reading, console: Console) -> Run:
    """Train one arm until its work reaches the budget, judging it on the way."""
    recipe = study.training_of(arm, seed)
    objective, cross_entropy = read_objective(recipe.objective, recipe.options), CrossEntropy()
    learner, reference = load(recipe, material), load(recipe, material)
    accelerator, examples = material.accelerator, material.examples
    first = STRETCH * seed
    # What is compiled or allocated on first use is no work of the first step.
    for warmed in (cross_entropy, objective):
        take_step(recipe, *reference, warmed, examples.batch(first), accelerator, done=0)
    meter = WorkMeter()
    run = Run(arm, seed, over_budget=[begun])
    while meter.work < recipe.steps:
        batch = examples.batch(first + meter.steps)
        torch.manual_seed(seed_of(seed, meter.steps))
        meter.step(
            partial(take_step, recipe, *learner, objective, batch, accelerator, done=meter.work),
            partial(take_step, recipe, *reference, cross_entropy, batch, accelerator, done=meter.work),
        )
        words = meter.steps * recipe.batch
        due = int(min(meter.work / recipe.steps, 1.0) * study.readings) + 1 - len(run.over_budget)
        counts = [count for count in study.word_counts if count <= words and count not in run.at_words]
        if due > 0 or counts:
            reading = judge(learner.model, material, work=meter.work, words=words)
            run.over_budget += [reading] * due
            run.at_words |= dict.fromkeys(counts, reading)
            console.print(f"  work {reading.work:,.0f} of {recipe.steps:,}, {words:,} words: {_told(reading)}")
    run.steps, run.work = meter.steps, meter.work
    accelerator.free_memory()
    return run


def load(recipe: Recipe, material: Material) -> Learner:
    """The model that the recipe starts from, ready to be trained."""
    model = SpellingModel(model_config(recipe, material.lexicon))
    load_weights(Path(recipe.start or ""), model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    return Learner(*material.accelerator.prepare(model, optimizer))


def judge(model: SpellingModel, material: Material, *, work: float, words: int) -> Reading:
    """How a model corrects the held-out misspellings by itself: no lexicon, no ranking."""
    answers: list[list[str]] = []
    for start in range(0, len(material.held_out), AT_ONCE):
        some = [pair.wrong for pair in material.held_out[start : start + AT_ONCE]]
        answers += write_answers(model, some, material.lexicon.alphabet)
    judged = list(zip(answers, material.held_out, strict=True))
    return Reading(
        work=work,
        words=words,
        distance=sum(Levenshtein.distance(ranked[0], pair.right) for ranked, pair in judged) / len(judged),
        top1=sum(ranked[0] == pair.right for ranked, pair in judged) / len(judged),
        top5=sum(pair.right in ranked[:5] for ranked, pair in judged) / len(judged),
        unchanged=sum(ranked[0] == pair.wrong for ranked, pair in judged) / len(judged),
    )


@torch.no_grad()
def write_answers(model: SpellingModel, wrong: Sequence[str], alphabet: Alphabet) -> list[list[str]]:
    """What a plain beam search of width 8 writes for each misspelling, the likeliest first."""
    symbols, lengths = map(torch.from_numpy, alphabet.encode(wrong))
    batch = Batch.of(symbols, lengths, symbols, lengths)
    memory = model.encode(batch.source, batch.source_lengths)
    beam = write_beam(model, memory, direction=CORRECT, longest=LONGEST, width=BEAM_WIDTH)
    words = alphabet.decode(beam.words.numpy())
    possible = (~beam.log_probs.isneginf()).tolist()
    return [
        [words[row] for row in range(first, first + BEAM_WIDTH) if possible[row]]
        for first in range(0, len(words), BEAM_WIDTH)
    ]


def _resume(out: Path, identity: dict[str, str]) -> list[Run]:
    """The finished runs that the folder holds, having made it this study's."""
    claim(out / IDENTITY, identity, kind="study")
    if not (out / RUNS).exists():
        return []
    return [Run.of(json.loads(line)) for line in (out / RUNS).read_text(encoding="utf-8").splitlines()]


def _checksum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ValueError(f"{path}: the weights to start from cannot be read: {error.strerror}") from None


def _told(reading: Reading) -> str:
    told = f"mean edit distance {reading.distance:.3f}, top-1 {reading.top1:.3f}, top-5 {reading.top5:.3f}"
    return f"{told}, left as written {reading.unchanged:.3f}"
