from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from speller.alphabet import CORRECT, MISSPELL, PADDING
from speller.candidates import LONGEST
from speller.lexicon import Lexicon
from speller.train.errors import ErrorModel, Misspellings
from speller.train.examples import BATCHES_AT_ONCE, Examples, seed_of
from speller.train.model import ModelConfig, SpellingModel
from speller.train.pairs import Pair, part_of
from speller.train.recipe import Recipe

BLOCK = 16 * BATCHES_AT_ONCE
"""Examples that are drawn at once here."""


@pytest.fixture
def make(greek, greek_pairs, greek_errors):
    def examples(*, lexicon=greek, pairs=greek_pairs, errors=greek_errors, model=None, **changes):
        recipe = Recipe(**{"language": "el", "batch": 16, "seed": 5, "reverse_weights": "weights", **changes})
        return Examples(recipe, lexicon, pairs, errors, reverse=model, device=torch.device("cpu"))

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
    examples = make(prior=0.3, misspelling=0.3)
    kinds = set()
    for step in range(BATCHES_AT_ONCE):
        batch = examples.batch(step)
        kinds.add((batch.direction, batch.unread))
        assert len(batch) == 16
        assert (batch.source[:, 0] == batch.direction).all()
        for symbols, lengths in ((batch.source, batch.source_lengths), (batch.target, batch.target_lengths)):
            assert symbols.shape[1] == lengths.max()
            assert ((symbols == PADDING) == (torch.arange(symbols.shape[1]) >= lengths[:, None])).all()
    assert kinds == {(CORRECT, False), (CORRECT, True), (MISSPELL, False)}


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
    found = shown(make(pairs=[Pair(*pair) for pair in marked.items()], real=0.25, identity=0.125, prior=0.0))
    real = [pair for pair in found if pair[0] in marked]
    identical = [wrong for wrong, right in found if wrong == right]
    sampled = [pair for pair in found if pair[0] != pair[1] and pair[0] not in marked]
    assert (len(real), len(identical), len(sampled)) == (BLOCK // 4, BLOCK // 8, BLOCK - BLOCK // 4 - BLOCK // 8)
    assert all(marked[wrong] == right for wrong, right in real)
    assert len(set(sampled)) > len(sampled) / 4


class Marking:
    """Misspells by a letter before the word, and every tenth word not at all."""

    def __init__(self, mark, words, alphabet):
        self.symbols, self.lengths = map(torch.from_numpy, alphabet.encode([mark + word for word in words]))

    def sample(self, indices, *, generator):
        return Misspellings(self.symbols[indices], self.lengths[indices], torch.arange(len(indices)) % 10 > 0)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ({"real": 0.0, "identity": 0.0}, (512, 0, 0)),
        ({"real": 0.2, "identity": 0.1, "uniform": 0.25, "reverse": 0.125}, (167, 128, 64)),
        ({"real": 0.2, "identity": 0.1, "uniform": 0.7}, (0, 359, 0)),
        ({"real": 0.0, "identity": 0.1, "reverse": 0.9}, (0, 0, 461)),
        ({"real": 0.9, "identity": 0.1}, (0, 0, 0)),
    ],
)
def test_shares_of_the_ways_to_misspell(greek, make, shown, monkeypatch, shares, expected):
    """Of a block of 512, where a fifth is 102 words and a tenth 51."""
    monkeypatch.setattr("speller.train.examples.uniform_sampler", lambda words, *_, **__: Marking("β", words, alphabet))
    monkeypatch.setattr("speller.train.examples.ReverseSampler", lambda _, words, __: Marking("γ", words, alphabet))
    alphabet = greek.alphabet
    errors = SimpleNamespace(sampler=lambda words, device: Marking("α", words, alphabet))
    found = shown(make(errors=errors, model=SimpleNamespace(), prior=0.0, **shares))
    marks = [wrong[0] for wrong, right in found if wrong[1:] == right]
    assert tuple(marks.count(mark) for mark in "αβγ") == expected
    assert len(found) == BLOCK == 512
    assert sum(wrong == right for wrong, right in found) == round(BLOCK * shares["identity"])


def test_a_model_that_misspells_is_needed_where_it_has_a_share(make):
    with pytest.raises(ValueError, match=r"a model that misspells a share of 0\.5 is needed, none was given"):
        make(reverse=0.5)


def test_random_edits_and_what_a_model_writes_are_misspellings_of_known_words(make, shown, greek):
    torch.manual_seed(1)
    model = SpellingModel(ModelConfig(symbols=len(greek.alphabet), embedding=4, encoder=4, decoder=4)).eval()
    for shares in ({"uniform": 1.0}, {"reverse": 1.0}):
        found = shown(make(real=0.0, identity=0.0, model=model, **shares))
        trained = {word for word in greek.words if part_of(word, language="el") == "train"}
        assert len(found) == BLOCK
        assert {right for _, right in found} <= trained
        assert trained.isdisjoint(wrong for wrong, _ in found)


@pytest.mark.parametrize(
    ("prior", "misspelling"), [(0.0, 0.0), (0.0, 0.3), (0.3, 0.0), (0.2, 0.5), (1.0, 0.0), (0.0, 1.0)]
)
def test_shares_of_the_kinds_of_batches(make, prior, misspelling):
    examples = make(prior=prior, misspelling=misspelling, batch=2)
    batches = [examples.batch(step) for step in range(20 * BATCHES_AT_ONCE)]
    unread = [batch.unread for batch in batches]
    misspell = [batch.direction == MISSPELL for batch in batches]
    for found, share in ((unread, prior), (misspell, misspelling)):
        assert np.mean(found) == pytest.approx(share, abs=4 * (share * (1 - share) / len(batches)) ** 0.5)
    assert not any(one and other for one, other in zip(unread, misspell, strict=True))


def test_where_nothing_is_read_the_direction_is_all_there_is(make):
    examples = make(prior=1.0)
    batches = [examples.batch(step) for step in range(BATCHES_AT_ONCE)]
    for batch in batches:
        assert batch.source.tolist() == [[CORRECT]] * 16
        assert (batch.source_lengths == 1).all()
    # One length in a batch would be taught as that of any word.
    assert np.mean([len(set(batch.target_lengths.tolist())) for batch in batches]) > 4


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
    ((_, misspeller),) = examples.misspellers
    monkeypatch.setattr(misspeller, "sample", lambda indices, generator: nothing)
    with pytest.raises(ValueError, match="Sampler misspells none of the lexicon's words"):
        examples.batch(0)


def test_seeds_differ():
    seeds = [seed_of(seed, number) for seed in range(20) for number in range(50)]
    assert len(set(seeds)) == 1000
    assert seed_of(3, 4) == seed_of(3, 4)
