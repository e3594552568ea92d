"""The two other ways to misspell: random edits, and the encoder-decoder in reverse."""

from collections import Counter

import pytest
import torch
from rapidfuzz.distance import OSA

from speller.alphabet import END, MISSPELL, PADDING, SPECIALS, Alphabet
from speller.train.batch import Batch
from speller.train.errors import ReverseSampler, uniform_sampler
from speller.train.errors.sampling import GROWTH
from speller.train.errors.uniform import TWO
from speller.train.model import ModelConfig, SpellingModel
from speller.train.objectives import CrossEntropy

LETTERS = Alphabet("abcdefghij")


def samples(sampler, index, count, *, seed=1, alphabet=LETTERS):
    """What one word becomes, and which of it are misspellings."""
    drawn = sampler.sample(torch.full((count,), index), generator=torch.Generator().manual_seed(seed))
    places = torch.arange(drawn.symbols.shape[1])
    assert torch.equal(drawn.symbols != PADDING, places < drawn.lengths[:, None])
    words = alphabet.decode(drawn.symbols.numpy())
    return [word for word, wrong in zip(words, drawn.wrong.tolist(), strict=True) if wrong], drawn


def near(count, total, share):
    return abs(count - total * share) < 4.5 * (total * share * (1 - share)) ** 0.5


@pytest.fixture(scope="module")
def uniform():
    """What random edits make of "abcde", in a language of ten letters."""
    sampler = uniform_sampler(["abcde", "fghij"], LETTERS)
    return samples(sampler, 0, 40_000)[0]


def test_one_word_in_five_gets_two_random_edits(uniform):
    distances = Counter(OSA.distance(word, "abcde") for word in uniform)
    assert set(distances) == {1, 2}
    # Two edits may undo each other in part: the deletion of what was inserted next to it.
    assert 0.8 * TWO < distances[2] / distances.total() < TWO


def test_random_edits_are_of_each_kind_as_often(uniform):
    once = [word for word in uniform if OSA.distance(word, "abcde") == 1]
    kinds = Counter(
        {-1: "deleted", 1: "inserted"}.get(
            len(word) - 5, "swapped" if sorted(word) == sorted("abcde") else "substituted"
        )
        for word in once
    )
    assert set(kinds) == {"deleted", "inserted", "swapped", "substituted"}
    # An insertion before or after its twin is the same word, and so is one edit that two came to: hence the margin.
    assert all(0.22 < count / len(once) < 0.28 for count in kinds.values())


def test_random_edits_are_at_each_place_and_of_each_letter_as_often(uniform):
    deleted = Counter(word for word in uniform if len(word) == 4)
    expected = {"bcde", "acde", "abde", "abce", "abcd"}
    assert set(deleted) >= expected
    counts = [deleted[word] for word in expected]
    assert all(near(count, sum(counts), 1 / 5) for count in counts)
    swapped = Counter(word for word in uniform if sorted(word) == sorted("abcde") and OSA.distance(word, "abcde") == 1)
    assert set(swapped) == {"bacde", "acbde", "abdce", "abced"}
    assert all(near(count, swapped.total(), 1 / 4) for count in swapped.values())
    middle = Counter(word[2] for word in uniform if len(word) == 5 and word[:2] == "ab" and word[3:] == "de")
    assert set(middle) == set("abdefghij")
    assert all(near(count, middle.total(), 1 / 9) for count in middle.values())
    ends = Counter(word[5] for word in uniform if len(word) == 6 and word.startswith("abcde"))
    assert set(ends) == set("abcdefghij")


def test_random_edits_know_words_twins_and_ends():
    sampler = uniform_sampler(["a", "ab", "aa", "ba"], LETTERS)
    for index, word in enumerate(["a", "ab", "aa", "ba"]):
        misspelled, drawn = samples(sampler, index, 2000)
        assert drawn.lengths.min() > 0
        assert not {"a", "ab", "aa", "ba"} & set(misspelled)
        assert set(LETTERS.decode(drawn.symbols[~drawn.wrong].numpy())) == {word}
        assert set("".join(misspelled)) == {"a", "b"}  # no letter that the words lack


def test_an_edit_that_changes_nothing_is_none():
    """No letter is replaced by itself, and no twins are swapped."""
    wrong = samples(uniform_sampler(["aabbcc"], LETTERS), 0, 5000)[1].wrong
    # What two edits undo is left.
    assert wrong.float().mean() > 0.985


def test_random_edits_write_no_letter_that_hardly_a_word_has():
    words = [f"{first}bc{last}" for first in "abcdefgh" for last in "abcdefgh"] * 40 + ["ij"]
    drawn = {letter for place in (0, 5, 11) for word in samples(uniform_sampler(words, LETTERS), place, 3000)[0]
             for letter in word}  # fmt: skip
    assert drawn == set("abcdefgh")


def test_random_edits_need_letters():
    with pytest.raises(ValueError, match=r"random edits need words of at least two different letters, got \['aa'\]"):
        uniform_sampler(["aa"], LETTERS)


@pytest.fixture(scope="module")
def reverse():
    """A model that learned to write a word's letters with one of its "a"s as "e", half the time as "i"."""
    torch.manual_seed(3)
    model = SpellingModel(ModelConfig(symbols=len(LETTERS), embedding=16, encoder=32, decoder=32))
    words = [f"{one}a{two}" for one in "bcdfgh" for two in "bcdfgh"]
    read = Batch.of(
        *map(torch.from_numpy, LETTERS.encode(words * 2)),
        *map(torch.from_numpy, LETTERS.encode([word.replace("a", vowel) for vowel in "ei" for word in words])),
        direction=MISSPELL,
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(150):
        loss = CrossEntropy()(model, read).value
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def test_a_model_misspells_as_it_learned_to(reverse):
    misspelled, drawn = samples(ReverseSampler(reverse, ["bad", "cab"], LETTERS), 0, 1000)
    counts = Counter(misspelled)
    assert 400 < counts["bed"] < 600
    assert 400 < counts["bid"] < 600
    assert drawn.symbols.shape == (1000, 3 + GROWTH)


def test_a_model_misspells_each_word_for_itself_whatever_their_order(reverse):
    words = ["bad", "cab", "a", "facade", "had"]
    indices = torch.tensor([3, 0, 4, 1, 0, 4, 2, 3] * 100)
    drawn = ReverseSampler(reverse, words, LETTERS).sample(indices, generator=torch.Generator().manual_seed(1))
    written = Counter(zip(indices.tolist(), LETTERS.decode(drawn.symbols.numpy()), strict=True))
    for index, count in ((0, 200), (1, 100), (4, 200)):
        learned = [words[index].replace("a", vowel) for vowel in "ei"]
        assert sum(written[index, word] for word in learned) > 0.9 * count


def test_equal_generators_give_equal_misspellings_whatever_torch_draws_meanwhile(reverse):
    sampler = ReverseSampler(reverse, ["bad", "cab"], LETTERS)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = samples(sampler, 0, 200, seed=3)[1]
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    again, other = (samples(sampler, 0, 200, seed=seed)[1] for seed in (3, 4))
    assert torch.equal(first.symbols, again.symbols)
    assert not torch.equal(first.symbols, other.symbols)


def test_what_a_model_writes_right_or_known_or_endless_is_not_used(reverse):
    misspelled, drawn = samples(ReverseSampler(reverse, ["bad", "bed"], LETTERS), 0, 500)
    assert "bid" in misspelled
    assert "bed" not in misspelled
    assert set(LETTERS.decode(drawn.symbols[~drawn.wrong].numpy())) == {"bad"}

    with torch.no_grad():
        biased = SpellingModel(reverse.config)
        biased.load_state_dict(reverse.state_dict())
        biased.output.bias[END] = -1e4
    misspelled, drawn = samples(ReverseSampler(biased.eval(), ["bad", "facade"], LETTERS), 0, 50)
    assert misspelled == []
    assert set(LETTERS.decode(drawn.symbols.numpy())) == {"bad"}
    with torch.no_grad():
        biased.output.bias[END] = 1e4
    assert samples(ReverseSampler(biased, ["bad"], LETTERS), 0, 50)[0] == []


def test_the_longest_misspelling_that_is_used(reverse):
    """One letter more is a word that has not ended."""
    with torch.no_grad():
        endless = SpellingModel(reverse.config)
        for parameter in endless.parameters():
            parameter.zero_()
        endless.output.bias[SPECIALS] = 4.0  # the end comes one time in fifty or so
    sampler = ReverseSampler(endless.eval(), ["bcd", "bcdefgh"], LETTERS)
    misspelled, drawn = samples(sampler, 0, 3000)
    assert 0 < len(misspelled) < 1500
    assert max(map(len, misspelled)) == 3 + GROWTH
    assert drawn.symbols.shape[1] == 7 + GROWTH
