"""A whole run: from a recipe to a model's folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.console import Console

from speller.bundle import DECODER, ENCODER, LEXICON, Config, find, write_config
from speller.candidates import AS_WRITTEN, LONGEST
from speller.lexicon import Lexicon, fold
from speller.runtime import OnnxRuntime
from speller.train.checkpoint import read_tensors, write_tensors
from speller.train.errors import ErrorModel, read_pronunciations
from speller.train.examples import Examples, seed_of
from speller.train.export import export
from speller.train.fitting import HeldOut, fit_ranking
from speller.train.loop import CHECKPOINT, Device, open_accelerator, train
from speller.train.model import ModelConfig, SpellingModel
from speller.train.pairs import Pair, Part, part_of, read_pairs, split_pairs
from speller.train.recipe import Recipe

RECIPE = "recipe.json"
WEIGHTS = "weights.safetensors"
MODEL = "model"

FEWEST = 200
"""With fewer held-out pairs than this no ranking is fitted: the shipped weights serve."""

SYNTHETIC = 4000
"""Misspellings of held-out words that the ranking is fitted on, beside the real pairs."""


def run(recipe: Recipe, out: Path, *, device: Device | None = None) -> Path:
    """Train as a recipe says, or go on with the run that ``out`` holds, and make a model of it.

    Args:
        recipe: what to train.
        out: the run's folder: checkpoint, TensorBoard's files, ``weights.safetensors`` and, in ``model``, the bundle.
        device: where to train; ``None`` takes a GPU where there is one.

    Returns:
        the bundle's folder.

    Raises:
        ValueError: for input that cannot be used, or an ``out`` that holds a run of another recipe.
    """
    accelerator = open_accelerator(device)
    sources = read_sources(recipe)
    lexicon, parts = sources.lexicon, sources.parts
    _claim(out, recipe)
    console = Console(stderr=True)
    with console.status(f"learning how people misspell from {len(parts['train']):,} pairs"):
        errors, examples = learn_to_misspell(recipe, sources, device=accelerator.device)

    torch.manual_seed(recipe.seed)
    model = SpellingModel(model_config(recipe, lexicon)).to(accelerator.device)
    if recipe.start:
        load_weights(Path(recipe.start), model)
    console.print(f"training on {len(examples.words):,} of the lexicon's {len(lexicon):,} words")
    steps = train(recipe, model, examples, parts["fit"], lexicon, out=out, accelerator=accelerator)
    return make_bundle(recipe, model, lexicon, parts["fit"], errors, out, steps=steps)


class Sources(NamedTuple):
    """What a recipe names, read.

    Attributes:
        lexicon: the words.
        parts: the pairs, by whether they are trained on or held out.
        pronunciations: the sounds of those of the lexicon's words for which they are known.
    """

    lexicon: Lexicon
    parts: dict[Part, list[Pair]]
    pronunciations: dict[str, list[str]]


def read_sources(recipe: Recipe) -> Sources:
    """Read a recipe's lexicon, pairs and pronunciations.

    Raises:
        ValueError: for one that cannot be used; the message names it.
    """
    lexicon = Lexicon.load(recipe.lexicon or find("en") / LEXICON)
    pairs = [pair for source in recipe.pairs for pair in read_pairs(source)]
    spoken = read_pronunciations(recipe.pronunciations) if recipe.pronunciations else {}
    known = {word: sounds for word, sounds in spoken.items() if word in lexicon}
    return Sources(lexicon, split_pairs(pairs, language=recipe.language), known)


def learn_to_misspell(recipe: Recipe, sources: Sources, *, device: torch.device) -> tuple[ErrorModel, Examples]:
    """The error model of the pairs that are trained on, and the stream of examples that it misspells words for."""
    trained = [(fold(wrong), fold(right)) for wrong, right in sources.parts["train"]]
    errors = ErrorModel.learn(trained, sources.lexicon.alphabet, pronunciations=sources.pronunciations)
    return errors, Examples(recipe, sources.lexicon, sources.parts["train"], errors, device=device)


def model_config(recipe: Recipe, lexicon: Lexicon) -> ModelConfig:
    """The shape of the recipe's model, for the lexicon's alphabet."""
    return ModelConfig(
        symbols=len(lexicon.alphabet),
        embedding=recipe.embedding,
        encoder=recipe.encoder,
        decoder=recipe.decoder,
        cell=recipe.cell,
    )


def load_weights(path: Path, model: SpellingModel) -> None:
    """Put the weights of an earlier run into a model.

    Raises:
        ValueError: for weights of a model of another shape or another alphabet's size.
    """
    tensors, _ = read_tensors(path)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f"{path}: weights of a model of another shape: {error}") from None


def make_bundle(
    recipe: Recipe,
    model: SpellingModel,
    lexicon: Lexicon,
    held_out: Sequence[Pair],
    errors: ErrorModel,
    out: Path,
    *,
    steps: int,
) -> Path:
    """Write a model's weights and its bundle, the ranking fitted on held-out pairs, into a run's folder."""
    write_tensors(out / WEIGHTS, dict(model.state_dict()))
    folder = out / MODEL
    folder.mkdir(exist_ok=True)
    export(model, encoder=folder / ENCODER, decoder=folder / DECODER)
    lexicon.save(folder / LEXICON)
    misspellings = [(fold(wrong), fold(right)) for wrong, right in held_out if fold(wrong) not in lexicon]
    misspellings = [pair for pair in misspellings if pair[1] in lexicon and len(pair[0]) <= LONGEST]
    if len(misspellings) < FEWEST:
        Console(stderr=True).print(
            f"warning: {len(misspellings)} held-out misspellings are too few to fit a ranking on (at least {FEWEST}): "
            "the weights of the English model serve, and probabilities are not calibrated"
        )
        ranking = Config.read(find("en")).ranking
    else:
        words = held_out_words(misspellings, lexicon, errors, recipe)
        Console(stderr=True).print(f"fitting the ranking on {len(words.written):,} held-out words")
        ranking = fit_ranking(lexicon, OnnxRuntime(folder / ENCODER, folder / DECODER), words)
    write_config(folder, ranking, card(recipe, model, lexicon, steps=steps))
    return folder


def held_out_words(
    misspellings: Sequence[tuple[str, str]], lexicon: Lexicon, errors: ErrorModel, recipe: Recipe
) -> HeldOut:
    """What the ranking is fitted on: real and sampled misspellings of held-out words, and such words themselves."""
    fit = [i for i, word in enumerate(lexicon.words) if part_of(word, language=recipe.language) == "fit"]
    offered = [index for index in fit if lexicon.zipf[index] > 0 and len(lexicon.words[index]) <= LONGEST]
    sampled: list[tuple[str, int]] = []
    if offered:
        frequency = 10.0 ** (recipe.word_power * lexicon.zipf[offered].astype(np.float64))
        generator = torch.Generator().manual_seed(seed_of(recipe.seed, recipe.steps))
        drawn = torch.multinomial(torch.from_numpy(frequency), SYNTHETIC, replacement=True, generator=generator)
        sampler = errors.sampler([lexicon.words[index] for index in offered])
        written = lexicon.alphabet.decode(sampler.sample(drawn, generator=generator).symbols.numpy())
        sampled = list(zip(written, np.array(offered)[drawn.numpy()].tolist(), strict=True))
    unknown = [(wrong, index) for wrong, index in sampled if wrong not in lexicon]
    real = [(wrong, lexicon.index(right)) for wrong, right in misspellings]
    return HeldOut(
        written=[*(wrong for wrong, _ in real + unknown), *(lexicon.words[index] for index in fit)],
        meant=np.array([*(index for _, index in real + unknown), *(AS_WRITTEN for _ in fit)]),
        weights=np.ones(len(real) + len(unknown) + len(fit)),
    )


def card(recipe: Recipe, model: SpellingModel, lexicon: Lexicon, *, steps: int) -> dict[str, Any]:
    """What ``speller info`` tells of a model."""
    return {
        "language": recipe.language,
        "objective": recipe.objective,
        "cell": recipe.cell,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "words": len(lexicon),
        "pairs": [Path(source).name if Path(source).exists() else source for source in recipe.pairs],
        "trained on": f"{steps * recipe.batch:,} words",
        "seed": recipe.seed,
        "licence": recipe.licence or "that of its data",
    }


def _claim(out: Path, recipe: Recipe) -> None:
    """Make the folder this recipe's, or see that it is."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / RECIPE
    if not (out / CHECKPOINT).exists():
        recipe.save(path)
    elif not path.exists() or Recipe.load(path) != recipe:
        raise ValueError(f"{out}: holds a run of another recipe; name another folder, or remove this one")
