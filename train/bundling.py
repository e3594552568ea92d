"""From a trained model to what corrects words with it: exported, its ranking fitted on held-out words."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rapidfuzz.distance import Levenshtein
from rich.console import Console

from speller.attested import Attestation
from speller.bundle import DECODER, ENCODER, LEXICON, OUTPUT, PRIORS, Bundle, Config, find, write_config
from speller.candidates import AS_WRITTEN, LONGEST, CandidateSearch
from speller.corrector import Corrector
from speller.lexicon import Lexicon, fold
from speller.reader import Reader
from speller.runtime import OnnxRuntime
from speller.train.errors import ErrorModel
from speller.train.examples import seed_of
from speller.train.export import export
from speller.train.fitting import HeldOut, fit_ranking
from speller.train.letter_groups import letter_groups
from speller.train.model import SpellingModel
from speller.train.pairs import Pair, part_of
from speller.train.recipe import Recipe
from speller.train.sounding import learn_sounds
from speller.train.sources import Sources, folded
from speller.train.spacing import fit_spacing

MODEL = "model"
"""A run's bundle, in its folder."""

FEWEST = 200
"""With fewer held-out pairs than this no ranking is fitted: the shipped weights serve."""

SYNTHETIC = 4000
"""So many sampled misspellings the ranking is fitted on, beside the real pairs."""

SEEN = 0.8
"""The share of the valid words that have been counted somewhere and count as such when the ranking is fitted.

Of the unknown words of good prose that are no misspellings, about 2 in 5 are in wordfreq's counts, 1 in 5 on SCOWL's
lists of rare words and 2 in 5 in neither (nine books and manuals of Debian's). With this share and that of ``LISTED``,
so they are here.
"""

LISTED = 0.25
"""So many listed rare words for each valid word of the lexicon the ranking is fitted on."""


def make_bundle(
    recipe: Recipe,
    model: SpellingModel,
    sources: Sources,
    errors: ErrorModel,
    out: Path,
    *,
    trained: Mapping[str, Any],
) -> Path:
    """Export a model into a run's folder, and fit its ranking.

    Args:
        recipe: what the model was trained as.
        model: the model.
        sources: the words it is to know, and the misspellings that it was not shown, to fit the ranking on.
        errors: the error model that misspelled its words.
        out: the run's folder.
        trained: what the card says of the training.

    Returns:
        the bundle's folder.
    """
    lexicon = sources.lexicon
    pairs = folded(sources.parts["train"])
    if sources.pronunciations:
        lexicon.sounds = learn_sounds(lexicon, errors.sounds, pairs)
    # Fitting takes minutes: until all of it is there, the model of before serves.
    folder, finished = out / f"{MODEL}.partial", out / MODEL
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    graphs = (folder / ENCODER, folder / DECODER, folder / OUTPUT)
    export(model, encoder=graphs[0], decoder=graphs[1], output=graphs[2])
    runtime = OnnxRuntime(*graphs)
    priors = Reader(lexicon, runtime).priors(lexicon.words).astype(np.float16)
    np.save(folder / PRIORS, priors)
    misspellings = _non_words(sources.held_out, lexicon)
    if len(misspellings) < FEWEST:
        Console(stderr=True).print(
            f"warning: {len(misspellings)} held-out misspellings are too few to fit a ranking on (at least {FEWEST}): "
            "the weights of the English model serve, and probabilities are not calibrated"
        )
        ranking = Config.read(find("en")).ranking
    else:
        words = held_out_words(misspellings, lexicon, errors, recipe)
        Console(stderr=True).print(f"fitting the ranking on {len(words.written):,} held-out words")
        alike = letter_groups(pairs)
        ranking = fit_ranking(lexicon, runtime, priors, words, alike=alike)
        search = CandidateSearch(lexicon, runtime, priors, ranking)
        ranking = replace(ranking, spacing=fit_spacing(search, words, sources.spaced, seed=recipe.seed))
    # The ranking was fitted as if these were unheard of. From now on, they are known to be wrong.
    lexicon.attested = lexicon.attested.without(wrong for wrong, _ in misspellings)
    lexicon.save(folder / LEXICON)
    card = {
        "language": recipe.language,
        "objective": recipe.objective,
        "cell": recipe.cell,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "words": len(lexicon),
        "pairs": [Path(source).name if Path(source).exists() else source for source in recipe.pairs],
        "recipe": recipe.changes,
        "seed": recipe.seed,
        "licence": recipe.licence or "that of its data",
        **trained,
    }
    if test := _non_words(sources.parts["test"], lexicon):
        corrector = Corrector(Bundle(lexicon, runtime, priors, ranking, card, folder))
        card["held out"] = _figures(corrector, test)
    write_config(folder, ranking, card)
    shutil.rmtree(finished, ignore_errors=True)
    folder.rename(finished)
    return finished


def _non_words(pairs: Sequence[Pair], lexicon: Lexicon) -> list[tuple[str, str]]:
    """The folded pairs of an unknown word and a known one that it may be corrected to."""
    return [
        (wrong, right)
        for wrong, right in folded(pairs)
        if wrong not in lexicon and right in lexicon and len(wrong) <= LONGEST
    ]


def _figures(corrector: Corrector, misspellings: Sequence[tuple[str, str]]) -> str:
    """What a model makes of misspellings of words of which training saw no form, in a line."""
    found = [
        [fold(suggestion.word) for suggestion in suggestions] or [wrong]
        for (wrong, _), suggestions in zip(
            misspellings, corrector.suggest_many([wrong for wrong, _ in misspellings]), strict=True
        )
    ]
    right = [right for _, right in misspellings]
    first = np.mean([words[0] == each for words, each in zip(found, right, strict=True)])
    five = np.mean([each in words for words, each in zip(found, right, strict=True)])
    before = np.mean([Levenshtein.distance(*pair) for pair in misspellings])
    after = np.mean([Levenshtein.distance(words[0], each) for words, each in zip(found, right, strict=True)])
    return (
        f"top-1 {first:.3f}, top-5 {five:.3f}, mean edit distance {before:.2f} before and {after:.2f} after, on "
        f"{len(right):,} misspellings of words of which training saw no form"
    )


def held_out_words(
    misspellings: Sequence[tuple[str, str]], lexicon: Lexicon, errors: ErrorModel, recipe: Recipe
) -> HeldOut:
    """What the ranking is fitted on: misspellings that were not shown, and words that the model does not know.

    The misspellings are held-out pairs, and new samples of words that were trained on. The valid words were not: no
    more will those be that the lexicon lacks. Some of them are attested, as some of those will be.
    """
    generator = torch.Generator().manual_seed(seed_of(recipe.seed, recipe.steps))
    parts = [part_of(word, language=recipe.language) for word in lexicon.words]
    valid = [word for word, part in zip(lexicon.words, parts, strict=True) if part == "fit"]
    known = [i for i in lexicon.offered.tolist() if parts[i] == "train" and len(lexicon.words[i]) <= LONGEST]
    sampled: list[tuple[str, int]] = []
    if known:
        frequency = 10.0 ** (recipe.word_power * lexicon.zipf[known].astype(np.float64))
        drawn = torch.multinomial(torch.from_numpy(frequency), SYNTHETIC, replacement=True, generator=generator)
        meant = np.array(known)[drawn.numpy()].tolist()
        sampler = errors.sampler([lexicon.words[index] for index in meant])
        written = sampler.sample(torch.arange(SYNTHETIC), generator=generator).symbols
        sampled = list(zip(lexicon.alphabet.decode(written.numpy()), meant, strict=True))
    unknown = [(wrong, index) for wrong, index in sampled if wrong not in lexicon]
    real = [(wrong, index) for wrong, right in misspellings if (index := lexicon.index(right)) is not None]
    rare = [word for word, attestation in lexicon.attested.items() if attestation.listed]
    rare = [rare[place] for place in torch.randperm(len(rare), generator=generator)[: int(LISTED * len(valid))]]
    attested = _as_if_lacked(valid, lexicon, generator) if len(lexicon.attested) else {}
    valid += rare
    meant_by_all = [*(index for _, index in real + unknown), *(AS_WRITTEN for _ in valid)]
    return HeldOut(
        written=[*(wrong for wrong, _ in real + unknown), *valid],
        meant=np.array(meant_by_all),
        shown=np.array([index != AS_WRITTEN and parts[index] == "train" for index in meant_by_all]),
        attested=attested,
    )


def _as_if_lacked(words: Sequence[str], lexicon: Lexicon, generator: torch.Generator) -> dict[str, Attestation]:
    """What would attest some of the lexicon's words, if it lacked them: the frequencies of ``SEEN`` of the counted."""
    zipf = [float(lexicon.zipf[index]) for index in map(lexicon.index, words) if index is not None]
    seen = (torch.rand(len(zipf), generator=generator) < SEEN).tolist()
    return {
        word: Attestation(zipf=each) for word, each, is_seen in zip(words, zipf, seen, strict=True) if is_seen and each
    }
