"""A whole run: from a recipe to a model's folder."""

from pathlib import Path

import torch
from rich.console import Console

from speller.lexicon import Lexicon
from speller.train.bundling import make_bundle
from speller.train.checkpoint import put_weights, read_tensors, write_tensors
from speller.train.errors import ErrorModel
from speller.train.examples import Examples
from speller.train.loop import CHECKPOINT, Device, open_accelerator, train
from speller.train.model import ModelConfig, SpellingModel
from speller.train.pairs import has_stemmer
from speller.train.recipe import Recipe
from speller.train.sources import Sources, folded, read_sources

RECIPE = "recipe.json"
WEIGHTS = "weights.safetensors"


def run(recipe: Recipe, out: Path, *, device: Device | None = None) -> Path | None:
    """Train as a recipe says, or go on with the run that ``out`` holds, and make a model of it.

    Args:
        recipe: what to train.
        out: the run's folder: checkpoint, TensorBoard's files, ``weights.safetensors`` and, in ``model``, the bundle.
        device: where to train; ``None`` takes a GPU where there is one.

    Returns:
        the bundle's folder; nothing in those of several processes that do not write it.

    Raises:
        ValueError: for input that cannot be used, or an ``out`` that holds a run of another recipe.
    """
    accelerator = open_accelerator(device)
    sources = read_sources(recipe)
    lexicon, parts = sources.lexicon, sources.parts
    main = accelerator.is_main_process
    if main:
        _claim(out, recipe)
    console = Console(stderr=True, quiet=not main)
    with console.status(f"learning how people misspell from {len(parts['train']):,} pairs"):
        errors, examples = learn_to_misspell(recipe, sources, device=accelerator.device)

    model = new_model(recipe, lexicon).to(accelerator.device)
    if not has_stemmer(recipe.language):
        console.print(f"no stemmer for {recipe.language!r}: words with the same first letters are held out together")
    console.print(f"training on {len(examples.words):,} of the lexicon's {len(lexicon):,} words")
    done = train(recipe, model, examples, parts["fit"], lexicon, out=out, accelerator=accelerator)
    accelerator.end_training()
    if not main:
        return None
    write_tensors(out / WEIGHTS, dict(model.state_dict()))
    trained = {
        "trained on": f"{done.step * recipe.batch:,} words",
        "hours": round(done.seconds / 3600, 2),
        "hardware": done.hardware,
    }
    return make_bundle(recipe, model, sources, errors, out, trained=trained)


def learn_to_misspell(recipe: Recipe, sources: Sources, *, device: torch.device) -> tuple[ErrorModel, Examples]:
    """The error model of the pairs that are trained on, and the stream of examples that it misspells words for."""
    errors = learn_errors(sources)
    return errors, make_examples(recipe, sources, errors, device=device)


def learn_errors(sources: Sources) -> ErrorModel:
    """The error model of the pairs that are trained on."""
    pairs = folded(sources.parts["train"])
    return ErrorModel.learn(pairs, sources.lexicon.alphabet, pronunciations=sources.pronunciations)


def make_examples(recipe: Recipe, sources: Sources, errors: ErrorModel, *, device: torch.device) -> Examples:
    """The stream of examples that a recipe asks for."""
    weights = recipe.reverse_weights if recipe.reverse else None
    reverse = load_reverse(Path(weights), sources.lexicon).to(device) if weights else None
    return Examples(recipe, sources.lexicon, sources.parts["train"], errors, reverse=reverse, device=device)


def load_reverse(weights: Path, lexicon: Lexicon) -> SpellingModel:
    """The model of an earlier run that learned to misspell, whose recipe lies beside its weights.

    Raises:
        ValueError: for weights without a recipe, of another alphabet's size, or of a run that did not learn that.
    """
    recipe = Recipe.load(weights.with_name(RECIPE))
    if not recipe.misspelling:
        raise ValueError(f"{weights}: its run did not learn to misspell: the recipe beside it has misspelling = 0")
    model = SpellingModel(model_config(recipe, lexicon))
    load_weights(weights, model)
    return model.eval()


def new_model(recipe: Recipe, lexicon: Lexicon) -> SpellingModel:
    """The model that a run trains: made by the recipe's seed, or with the weights that it starts from."""
    torch.manual_seed(recipe.seed)
    model = SpellingModel(model_config(recipe, lexicon))
    if recipe.start:
        load_weights(Path(recipe.start), model)
    return model


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
        put_weights(tensors, model)
    except ValueError as error:
        raise ValueError(f"{path}: weights of another model: {error}") from None


def _claim(out: Path, recipe: Recipe) -> None:
    """Make the folder this recipe's, or see that it is."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / RECIPE
    if not (out / CHECKPOINT).exists():
        recipe.save(path)
    elif not path.exists() or Recipe.load(path) != recipe:
        raise ValueError(f"{out}: holds a run of another recipe; name another folder, or remove this one")
