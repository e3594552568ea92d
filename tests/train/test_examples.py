from collections import Counter

import pytest
import torch

from speller.alphabet import CORRECT, MISSPELL, PADDING
from speller.candidates import LONGEST
from speller.lexicon import Lexicon
from speller.train.errors import ErrorModel
from speller.train.examples import BATCHES_AT_ONCE, Examples, seed_of
from speller.train.pairs import Pair, part_of
from speller.train.recipe import Recipe

BLOCK = 16 * BATCHES_AT_ONCE
"""Examples that are drawn at once here."""


@pytest.fixture
def make(greek, greek_pairs, greek_errors):
    def examples(*, lexicon=greek, pairs=greek_pairs, errors=greek_errors, **changes):
        recipe = Recipe(**{"language": "el", "batch": 16, "seed": 5, **changes})
        return Examples(recipe, lexicon, pairs, errors, device=torch.device("cpu"))

    return examples


@pytest.fixture
def shown(greek):
    """All that some blocks of batches show, as ``(wrong, right)``."""

    def shown(examples, *, lexicon=greek, blocks=1):
        found = []
        for step in range(blocks * BATCHES_AT_ONCE):
            batch = examples.batch(step)
            read = lexicon.alphabet.decode(batch.source[:, 1:].numpy())
            written = lexicon.alphabet.decode(batch.target.numpy())
            found += zip(read, written, strict=True) if batch.direction == CORRECT else zip(written, read, strict=True)
        return found

    return shown


def same(batch, other):
    names = ("source", "source_lengths", "target", "target_lengths")
    return batch.direction == other.direction and all(
        torch.equal(getattr(batch, name), getattr(other, name)) for name in names
    )


def test_a_batch_is_a_function_of_seed_and_step(make):
    examples = make()
    torch.manual_seed(1)
    first = [examples.batch(step) for step in range(BATCHES_AT_ONCE + 2)]
    torch.manual_seed(2)
    resumed = make()
    for step in (BATCHES_AT_ONCE + 1, 3, 0, BATCHES_AT_ONCE):
        assert same(resumed.batch(step), first[step])
    assert not same(first[0], first[BATCHES_AT_ONCE])
    other_seed = make(seed=6)
    assert not any(same(other_seed.batch(step), first[step]) for step in range(BATCHES_AT_ONCE))


def test_what_a_batch_looks_like(make):
    examples = make()
    directions = set()
    for step in range(BATCHES_AT_ONCE):
        batch = examples.batch(step)
        directions.add(batch.direction)
        assert len(batch) == 16
        assert (batch.source[:, 0] == batch.direction).all()
        for symbols, lengths in ((batch.source, batch.source_lengths), (batch.target, batch.target_lengths)):
            assert symbols.shape[1] == lengths.max()
            assert ((symbols == PADDING) == (torch.arange(symbols.shape[1]) >= lengths[:, None])).all()
    assert directions == {CORRECT, MISSPELL}


@pytest.mark.parametrize(
    "kind", [{"real": 1.0, "identity": 0.0}, {"real": 0.0, "identity": 1.0}, {"real": 0.0, "identity": 0.0}]
)
def test_words_that_are_held_out_are_never_shown_as_right(make, shown, greek, kind):
    parts = {word: part_of(word, language="el") for word in greek.words}
    assert Counter(parts.values()) == {"train": len(greek) - 3, "fit": 2, "test": 1}
    rights = {right for _, right in shown(make(**kind), blocks=6)}
    assert rights == {word for word, part in parts.items() if part == "train"}


def test_inflections_of_words_that_are_held_out_are_not_shown_either(make, shown):
    lexicon = Lexicon.build({word: 4.0 for word in ("γυναίκα", "γυναίκας", "γυναίκες", "Γυναίκα", "δρόμος")})
    pairs = [Pair("γινέκες", "Γυναίκες"), Pair("δρόνος", "Δρόμος")]
    errors = ErrorModel.learn([("δρόνος", "δρόμος")], lexicon.alphabet)
    examples = make(lexicon=lexicon, pairs=pairs, errors=errors)
    assert {right for _, right in shown(examples, lexicon=lexicon)} == {"δρόμος"}


def test_shares_are_as_the_recipe_says(make, shown, greek, greek_pairs):
    marked = {"χχχ" + pair.right: pair.right for pair in greek_pairs}  # nothing samples such misspellings
    found = shown(make(pairs=[Pair(*pair) for pair in marked.items()], real=0.25, identity=0.125))
    real = [pair for pair in found if pair[0] in marked]
    identical = [wrong for wrong, right in found if wrong == right]
    sampled = [pair for pair in found if pair[0] != pair[1] and pair[0] not in marked]
    assert (len(real), len(identical), len(sampled)) == (BLOCK // 4, BLOCK // 8, BLOCK - BLOCK // 4 - BLOCK // 8)
    assert all(marked[wrong] == right for wrong, right in real)
    assert len(set(sampled)) > len(sampled) / 4


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_share_of_batches_that_misspell(make, share):
    examples = make(misspelling=share, batch=2)
    batches = 20 * BATCHES_AT_ONCE
    found = sum(examples.batch(step).direction == MISSPELL for step in range(batches)) / batches
    assert found == pytest.approx(share, abs=4 * (share * (1 - share) / batches) ** 0.5)


def test_words_are_drawn_with_their_frequency_to_a_power(make, shown, greek_errors):
    lexicon = Lexicon.build({"δρόμος": 6.0, "θάλασσα": 4.0, "βιβλίο": 0.0})
    lexicon.alphabet = greek_errors.alphabet
    drawn = Counter(
        right for _, right in shown(make(lexicon=lexicon, identity=1.0, real=0.0, word_power=0.5), blocks=8)
    )
    assert set(drawn) == {"δρόμος", "θάλασσα"}
    share = drawn["θάλασσα"] / drawn.total()
    assert share == pytest.approx(1 / 11, abs=4 * (10 / 121 / drawn.total()) ** 0.5)


def test_lengths_are_bounded(make, shown, greek_errors):
    longest, too_long = "αβ" * (LONGEST // 2), "αβ" * (LONGEST // 2) + "α"
    lexicon = Lexicon.build({longest: 4.0, too_long: 6.0, "δρόμος": 2.0})
    lexicon.alphabet = greek_errors.alphabet
    assert {part_of(word, language="el") for word in (longest, too_long)} == {"train"}
    pairs = [Pair("δρώμος", "δρόμος"), Pair(too_long, "δρόμος"), Pair("αβ", too_long)]
    found = shown(make(lexicon=lexicon, pairs=pairs, real=0.5), lexicon=lexicon, blocks=2)
    assert {len(right) for _, right in found} == {6, LONGEST}
    assert too_long not in {wrong for wrong, _ in found}
    assert max(len(wrong) for wrong, _ in found) <= LONGEST + 8


def test_words_of_a_batch_are_of_like_length(make):
    examples = make()
    batches = [examples.batch(step) for step in range(BATCHES_AT_ONCE)]
    filled = sum(int(batch.source_lengths.sum() + batch.target_lengths.sum()) for batch in batches)
    room = sum(batch.source.numel() + batch.target.numel() for batch in batches)
    assert filled / room > 0.85


def test_nothing_to_draw_from(make, greek):
    with pytest.raises(ValueError, match="the lexicon offers no word to train on"):
        make(lexicon=Lexicon.build({"δρόμος": 0.0, "γυναίκα": 5.0}))
    with pytest.raises(ValueError, match=r"no pair to train on among 1, .* share of 0.2"):
        make(pairs=[Pair("γινέκα", "γυναίκα")])
    assert len(make(pairs=[], real=0.0).batch(0)) == 16


def test_an_error_model_that_misspells_nothing(make, greek_errors, monkeypatch):
    sampler = greek_errors.sampler(["δρόμος"])
    nothing = sampler.sample(torch.tensor([0] * 600), generator=torch.Generator().manual_seed(1))
    nothing = nothing._replace(wrong=torch.zeros(600, dtype=torch.bool))
    examples = make(real=0.0)
    monkeypatch.setattr(examples.sampler, "sample", lambda indices, generator: nothing)
    with pytest.raises(ValueError, match="misspells none of the lexicon's words"):
        examples.batch(0)


def test_seeds_differ():
    seeds = [seed_of(seed, number) for seed in range(20) for number in range(50)]
    assert len(set(seeds)) == 1000
    assert seed_of(3, 4) == seed_of(3, 4)
