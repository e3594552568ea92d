"""From a trained model to what corrects words with it: exported, its ranking fitted on held-out words."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from speller.bundle import DECODER, ENCODER, LEXICON, OUTPUT, PRIORS, Config, find, write_config
from speller.candidates import AS_WRITTEN, LONGEST
from speller.lexicon import Lexicon, fold
from speller.reader import Reader
from speller.runtime import OnnxRuntime
from speller.train.errors import ErrorModel
from speller.train.examples import seed_of
from speller.train.export import export
from speller.train.fitting import HeldOut, fit_ranking
from speller.train.model import SpellingModel
from speller.train.pairs import Pair, part_of
from speller.train.recipe import Recipe

MODEL = "model"
"""A run's bundle, in its folder."""

FEWEST = 200
"""With fewer held-out pairs than this no ranking is fitted: the shipped weights serve."""

SYNTHETIC = 4000
"""So many sampled misspellings the ranking is fitted on, beside the real pairs."""


def make_bundle(
    recipe: Recipe,
    model: SpellingModel,
    lexicon: Lexicon,
    held_out: Sequence[Pair],
    errors: ErrorModel,
    out: Path,
    *,
    trained: Mapping[str, Any],
) -> Path:
    """Export a model into a run's folder, and fit its ranking.

    Args:
        recipe: what the model was trained as.
        model: the model.
        lexicon: the words it is to know.
        held_out: misspellings that it was not shown, to fit the ranking on.
        errors: the error model that misspelled its words.
        out: the run's folder.
        trained: what the card says of the training.

    Returns:
        the bundle's folder.
    """
    folder = out / MODEL
    folder.mkdir(exist_ok=True)
    graphs = (folder / ENCODER, folder / DECODER, folder / OUTPUT)
    export(model, encoder=graphs[0], decoder=graphs[1], output=graphs[2])
    lexicon.save(folder / LEXICON)
    runtime = OnnxRuntime(*graphs)
    priors = Reader(lexicon, runtime).priors(lexicon.words).astype(np.float16)
    np.save(folder / PRIORS, priors)
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
        ranking = fit_ranking(lexicon, runtime, priors, words)
    card = {
        "language": recipe.language,
        "objective": recipe.objective,
        "cell": recipe.cell,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "words": len(lexicon),
        "pairs": [Path(source).name if Path(source).exists() else source for source in recipe.pairs],
        "seed": recipe.seed,
        "licence": recipe.licence or "that of its data",
        **trained,
    }
    write_config(folder, ranking, card)
    return folder


def held_out_words(
    misspellings: Sequence[tuple[str, str]], lexicon: Lexicon, errors: ErrorModel, recipe: Recipe
) -> HeldOut:
    """What the ranking is fitted on: misspellings that were not shown, and words that the model does not know.

    The misspellings are held-out pairs, and new samples of words that were trained on. The valid words were not: no
    more will those be that the lexicon lacks.
    """
    parts = [part_of(word, language=recipe.language) for word in lexicon.words]
    valid = [word for word, part in zip(lexicon.words, parts, strict=True) if part == "fit"]
    known = [i for i in lexicon.offered.tolist() if parts[i] == "train" and len(lexicon.words[i]) <= LONGEST]
    sampled: list[tuple[str, int]] = []
    if known:
        frequency = 10.0 ** (recipe.word_power * lexicon.zipf[known].astype(np.float64))
        generator = torch.Generator().manual_seed(seed_of(recipe.seed, recipe.steps))
        drawn = torch.multinomial(torch.from_numpy(frequency), SYNTHETIC, replacement=True, generator=generator)
        meant = np.array(known)[drawn.numpy()].tolist()
        sampler = errors.sampler([lexicon.words[index] for index in meant])
        written = sampler.sample(torch.arange(SYNTHETIC), generator=generator).symbols
        sampled = list(zip(lexicon.alphabet.decode(written.numpy()), meant, strict=True))
    unknown = [(wrong, index) for wrong, index in sampled if wrong not in lexicon]
    real = [(wrong, index) for wrong, right in misspellings if (index := lexicon.index(right)) is not None]
    meant_by_all = [*(index for _, index in real + unknown), *(AS_WRITTEN for _ in valid)]
    return HeldOut(
        written=[*(wrong for wrong, _ in real + unknown), *valid],
        meant=np.array(meant_by_all),
        shown=np.array([index != AS_WRITTEN and parts[index] == "train" for index in meant_by_all]),
    )
