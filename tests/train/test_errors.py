import time
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from speller.alphabet import PADDING, Alphabet
from speller.train.errors import ErrorModel, Misspellings, Mixture, Sampler, read_pronunciations
from speller.train.errors.alignment import LONGEST, edits
from speller.train.errors.comparison import compare, profile
from speller.train.errors.graphones import align
from speller.train.errors.keyboard import QWERTY, neighbours
from speller.train.errors.rewrites import COPIED
from speller.train.errors.sampling import GROWTH, _rewritten, _without_overlap
from speller.train.pairs import part_of, read_pairs

LETTERS = Alphabet("abcdefghijklmnopqrstuvwxyz")
SUBSTRINGS = Mixture(substrings=1, sounds=0, poor=0, slips=0)
SOUNDS = Mixture(substrings=0, sounds=1, poor=0, slips=0)
POOR = Mixture(substrings=0, sounds=0, poor=1, slips=0)
SLIPS = Mixture(substrings=0, sounds=0, poor=0, slips=1)

# A small language: F is written f and ph, K c and k, IH i and y, and "x" stands for K and S.
SPOKEN = {
    word: sounds.split()
    for word, sounds in {
        "fit": "F IH T", "fat": "F AE T", "fist": "F IH S T", "if": "IH F", "fact": "F AE K T", "sift": "S IH F T",
        "phit": "F IH T", "phat": "F AE T", "phist": "F IH S T", "siph": "S IH F", "phact": "F AE K T",
        "cat": "K AE T", "kit": "K IH T", "sack": "S AE K", "tic": "T IH K", "task": "T AE S K", "cask": "K AE S K",
        "sicks": "S IH K S", "tacks": "T AE K S", "kicks": "K IH K S", "ticks": "T IH K S", "sacks": "S AE K S",
        "six": "S IH K S", "fix": "F IH K S", "tax": "T AE K S", "fax": "F AE K S", "mix": "M IH K S",
        "axis": "AE K S IH S",
        "myth": "M IH TH", "gym": "JH IH M", "symc": "S IH M K", "tyt": "T IH T", "mat": "M AE T", "sat": "S AE T",
    }.items()
}  # fmt: skip
SPOKEN |= {f"{first}i{last}": [*sound.split(), "IH", end] for first, sound in {"b": "B", "d": "D", "st": "S T"}.items()
           for last, end in {"t": "T", "m": "M", "b": "B", "d": "D", "s": "S"}.items()}  # fmt: skip
SPOKEN |= {f"{first}ax": [sound, "AE", "K", "S"] for first, sound in zip("bdghjlnprvwyz", "BDGHJLNPRVWYZ", strict=True)}
SPOKEN |= {f"{first}ix": [sound, "IH", "K", "S"] for first, sound in zip("bdghjlnprvwyz", "BDGHJLNPRVWYZ", strict=True)}


def samples(sampler: Sampler, index: int, count: int, *, seed: int = 1) -> tuple[list[str], Misspellings]:
    """What one word becomes, and the misspellings as they came."""
    drawn = sampler.sample(torch.full((count,), index), generator=torch.Generator().manual_seed(seed))
    words = LETTERS.decode(drawn.symbols.numpy())
    assert [len(word) for word in words] == drawn.lengths.tolist()
    return [word for word, wrong in zip(words, drawn.wrong.tolist(), strict=True) if wrong], drawn


@pytest.fixture(scope="module")
def codespell() -> dict[str, list[tuple[str, str]]]:
    """Every tenth pair of codespell's dictionary, by part."""
    characters = set(LETTERS.characters)
    pairs = [(wrong, right) for wrong, right in read_pairs("codespell")[::10] if characters.issuperset(wrong + right)]
    held_out = {pair for pair in pairs if part_of(pair[1], language="en") != "train"}
    return {"train": [pair for pair in pairs if pair not in held_out], "held out": sorted(held_out)}


@pytest.fixture(scope="module")
def english(codespell) -> ErrorModel:
    return ErrorModel.learn(codespell["train"], LETTERS)


words = st.text("abc", min_size=1, max_size=9)


@given(words, words)
def test_edits_make_the_wrong_word_of_the_right_one(wrong, right):
    written, place = "", 0
    for start, span, letters in edits(wrong, right):
        assert start >= place
        assert span <= LONGEST
        assert len(letters) <= LONGEST
        written += right[place:start] + letters
        place = start + span
    assert written + right[place:] == wrong
    assert bool(edits(wrong, right)) == (wrong != right)
    assert len(edits(wrong, right)) <= OSA.distance(wrong, right)


def test_touching_edits_are_one():
    assert edits("nashun", "nation") == [(2, 3, "shu")]
    assert edits("recieve", "receive") == [(3, 2, "ie")]
    assert edits("acomodate", "accommodate") == [(2, 1, ""), (4, 1, "")]


def test_one_kind_of_error_learned_is_the_only_one_sampled():
    model = ErrorModel.learn([("recieve", "receive"), ("deciet", "deceit"), ("weird", "wierd")], LETTERS)
    sampler = model.sampler(["receive", "ceiling", "field", "stop"], mixture=SUBSTRINGS)
    assert set(samples(sampler, 0, 500)[0]) == {"recieve"}
    assert set(samples(sampler, 1, 500)[0]) == {"cieling"}
    assert set(samples(sampler, 2, 500)[0]) == {"feild"}
    assert samples(sampler, 3, 500)[0] == []


def test_errors_come_where_their_surroundings_say():
    # As many words have "tiex" as "ciet", but none of them is misspelled there.
    wrong = [(f"{first}ceit", f"{first}ciet") for first in LETTERS.characters]
    others = [(f"{first}tiexs", f"{first}tiex") for first in LETTERS.characters]
    sampler = ErrorModel.learn(wrong + others, LETTERS).sampler(["ocietiex"], mixture=SUBSTRINGS)
    swapped = Counter(samples(sampler, 0, 2000)[0])
    assert swapped["oceitiex"] > 5 * swapped["ocieteix"] > 0


def test_as_many_edits_as_words_of_that_length_have():
    pairs = [(f"{first}xbc{last}f", f"{first}bcde{last}f") for first in "ghij" for last in "klmn"]
    numbers = Counter(len(edits(*pair)) for pair in pairs)
    assert set(numbers) == {2}
    sampler = ErrorModel.learn(pairs, LETTERS).sampler([right for _, right in pairs], mixture=SUBSTRINGS)
    drawn = [len(edits(word, pairs[0][1])) for word in samples(sampler, 0, 500)[0]]
    assert sum(number == 2 for number in drawn) > 0.6 * len(drawn)


def test_poor_spellers_make_more_edits(english):
    right = "unfortunately"
    numbers = []
    for rate in (0.0, 0.1, 0.3):
        mixture = Mixture(substrings=0, sounds=0, poor=1, poor_edits=rate, slips=0)
        drawn = samples(english.sampler([right], mixture=mixture), 0, 1000)[0]
        numbers.append(sum(len(edits(word, right)) for word in drawn) / len(drawn))
    assert numbers[0] == pytest.approx(1.0, abs=0.1)
    assert numbers[0] + 0.4 < numbers[1] < numbers[2] - 0.7


def test_equal_seeds_give_equal_misspellings(english):
    sampler = english.sampler(["necessary", "receive", "weird"])
    first, again, other = (samples(sampler, 0, 200, seed=seed)[1] for seed in (3, 3, 4))
    assert torch.equal(first.symbols, again.symbols)
    assert torch.equal(first.wrong, again.wrong)
    assert not torch.equal(first.symbols, other.symbols)


def test_what_is_no_misspelling_is_marked_and_the_word_itself():
    model = ErrorModel.learn([("b", "ab"), ("d", "cd"), ("from", "form"), ("ba", "ab")], LETTERS)
    sampler = model.sampler(["a", "form", "from"])
    for index, word in enumerate(["a", "form", "from"]):
        misspelled, drawn = samples(sampler, index, 500)
        assert drawn.lengths.min() > 0
        assert not {"a", "form", "from"} & set(misspelled)
        marked = drawn.symbols[~drawn.wrong]
        assert len(marked)
        assert set(LETTERS.decode(marked.numpy())) == {word}


def test_padding_follows_the_letters_alone(english):
    drawn = samples(english.sampler(["necessary", "a"]), 0, 300)[1]
    places = torch.arange(drawn.symbols.shape[1])
    assert torch.equal(drawn.symbols != PADDING, places < drawn.lengths[:, None])
    assert drawn.symbols.shape[1] == len("necessary") + GROWTH


@given(st.data())
def test_edits_are_applied_as_one_by_one(data):
    word = data.draw(st.lists(st.integers(5, 9), min_size=1, max_size=8))
    letter = st.integers(5, 30) | st.integers(COPIED, -1)
    found = data.draw(
        st.lists(
            st.tuples(st.integers(0, len(word)), st.integers(0, 3), st.lists(letter, max_size=LONGEST)), max_size=6
        )
    )
    found = [
        (start, min(span, len(word) - start), [way for way in ways if way >= 0 or start + way - COPIED < len(word)])
        for start, span, ways in found
    ]
    wanted = data.draw(st.integers(0, 6))
    expected, used = list(word), []
    for edit in found:
        start, span, _ = edit
        taken = set(range(start, start + max(span, 1)))
        if len(used) < wanted and not any(taken & set(range(s, s + max(n, 1))) for s, n, _ in used):
            used.append(edit)
    for start, span, ways in sorted(used, reverse=True):
        expected[start : start + span] = [way if way > 0 else word[start + way - COPIED] for way in ways]

    starts, spans = (torch.tensor([[edit[column] for edit in found]], dtype=torch.int64) for column in (0, 1))
    written = torch.tensor(
        [[ways + [PADDING] * (LONGEST - len(ways)) for _, _, ways in found]], dtype=torch.int64
    ).reshape(1, len(found), LONGEST)
    applied = _without_overlap(starts, spans, torch.tensor([wanted]))
    symbols, lengths = _rewritten(
        torch.tensor([word + [PADDING] * 3]), torch.tensor([len(word)]), starts, spans, written, applied
    )
    assert lengths.tolist() == [len(expected)]
    width = symbols.shape[1]
    assert symbols[0].tolist() == (expected + [PADDING] * width)[:width]


def test_sounds_are_written_as_other_words_write_them():
    model = ErrorModel.learn([("zq", "qz")], LETTERS, pronunciations=SPOKEN)
    sampler = model.sampler(["phit", "six", "zzz", "fixit"], mixture=SOUNDS)
    assert {"fit", "phyt"} <= set(samples(sampler, 0, 500)[0])
    assert "sicks" in samples(sampler, 1, 500)[0]
    # Two letters stand for F or one does; nothing else is written for it, and for nothing in "zzz".
    assert all(word.startswith(("f", "ph")) for word in samples(sampler, 0, 500)[0])
    assert samples(sampler, 2, 500)[0] == []
    # No dictionary has "fixit": it is read by analogy with "fix" and "fit".
    assert {"phixit", "fyxit"} <= set(samples(sampler, 3, 500)[0])


def test_letters_and_sounds_align():
    aligned = align(SPOKEN | {"bbc": ["B", "IY", "B", "IY", "S", "IY"]})
    assert aligned["fix"] == [(0, 1, ("F",)), (1, 1, ("IH",)), (2, 1, ("K", "S"))]
    assert aligned["phit"] == [(0, 2, ("F",)), (2, 1, ("IH",)), (3, 1, ("T",))]
    assert "bbc" not in aligned or len(aligned["bbc"]) == 3
    assert align({}) == {}


def test_sounds_are_miswritten_as_pairs_have_them():
    # TH goes wrong as "f" in every pair; no word is spelled so.
    spoken = {f"{first}ath": [first.upper(), "AE", "TH"] for first in "bdgjlmnprt"}
    spoken |= {f"tha{last}": ["TH", "AE", last.upper()] for last in "bdgjlmnprt"}
    pairs = [(f"{first}af", f"{first}ath") for first in "bdgjlmnp"]
    sampler = ErrorModel.learn(pairs, LETTERS, pronunciations=spoken).sampler(["rath", "tath"], mixture=SOUNDS)
    assert set(samples(sampler, 0, 200)[0]) == {"raf"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fish\n", r"sounds\.txt:1: a word and its sounds are needed"),
        (None, r"sounds\.txt: pronunciations are read from"),
    ],
)
def test_pronunciations_that_cannot_be_read(tmp_path, text, message):
    path = tmp_path / "sounds.txt"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_pronunciations(path)


def test_pronunciations_are_read(tmp_path):
    path = tmp_path / "sounds.txt"
    path.write_text(";;; comment\nRead\tR EH1 D # past\nread(2) R IY1 D\n\nwayside W EY1 S AY2 D\n")
    assert read_pronunciations(path) == {"read": ["R", "EH1", "D"], "wayside": ["W", "EY1", "S", "AY1", "D"]}


def test_slips_are_those_of_the_layout():
    assert set(neighbours(QWERTY)["g"]) == set("ftyhvb")
    sampler = ErrorModel.learn([("zq", "qz")], LETTERS).sampler(["jug"], mixture=SLIPS)
    drawn = set(samples(sampler, 0, 3000)[0])
    once = {word for word in drawn if OSA.distance(word, "jug") == 1}
    assert {"ujg", "jgu", "ug", "jg", "ju", "jjug", "jugg"} <= once
    assert {word[0] for word in once if word[1:] == "ug" and len(word) == 3} == set("uihknm")
    other = Mixture(substrings=0, sounds=0, poor=0, slips=1, layout="j u g\n")
    drawn = samples(ErrorModel.learn([("zq", "qz")], LETTERS).sampler(["jug"], mixture=other), 0, 3000)[0]
    assert set("".join(drawn)) == set("jug")


def test_saved_and_loaded_it_misspells_the_same(tmp_path, codespell):
    model = ErrorModel.learn(codespell["train"][:500], LETTERS, pronunciations=SPOKEN)
    path = tmp_path / "errors.safetensors"
    model.save(path)
    again = ErrorModel.load(path)
    assert again.alphabet.characters == LETTERS.characters
    listed = ["necessary", "fist", "receive"]
    indices = torch.arange(3).repeat(200)
    first, second = (
        each.sampler(listed).sample(indices, generator=torch.Generator().manual_seed(5)) for each in (model, again)
    )
    assert torch.equal(first.symbols, second.symbols)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"errors\.safetensors: not an error model"):
        ErrorModel.load(path)
    with pytest.raises(ValueError, match=r"none\.safetensors: not an error model"):
        ErrorModel.load(tmp_path / "none.safetensors")


def test_sampled_errors_are_like_real_ones_not_learned_from(english, codespell):
    real = codespell["held out"]
    sampler = english.sampler([right for _, right in real], mixture=SUBSTRINGS)
    drawn = sampler.sample(torch.arange(len(real)), generator=torch.Generator().manual_seed(1))
    misspelled = LETTERS.decode(drawn.symbols.numpy())
    synthetic = [
        (wrong, right)
        for wrong, (_, right), usable in zip(misspelled, real, drawn.wrong.tolist(), strict=True)
        if usable
    ]
    assert len(synthetic) > 0.9 * len(real)
    far = compare(real, synthetic)
    assert set(far) == {"distance", "number", "kind", "position", "length"}
    assert max(far.values()) < 0.2
    # Uniform deletions are not like them.
    uniform = [(right[:place] + right[place + 1 :], right) for _, right in real for place in range(len(right))]
    assert compare(real, uniform)["kind"] > 0.4


def test_comparison_of_equals_and_of_opposites():
    missed, doubled = [("helo", "hello"), ("wrd", "word")], [("hhello", "hello"), ("worrd", "word")]
    assert set(compare(missed, missed).values()) == {0.0}
    assert compare(missed, doubled)["length"] == 1.0
    assert profile(missed)["kind"] == {"missed": 0.5, "one of two missed": 0.5}
    with pytest.raises(ValueError, match="none were received"):
        compare([], missed)


def test_unusable_input_is_named():
    with pytest.raises(ValueError, match="none of the 2 received"):
        ErrorModel.learn([("same", "same"), ("ß", "ss")], LETTERS)
    model = ErrorModel.learn([("teh", "the")], LETTERS)
    with pytest.raises(ValueError, match="one is empty"):
        model.sampler(["the", ""])
    with pytest.raises(ValueError, match="none of the 1 words can be misspelled"):
        model.sampler(["ß"])
    with pytest.raises(ValueError, match="not all 0"):
        Mixture(substrings=0, sounds=0, poor=0, slips=0)


def test_sampling_is_far_from_holding_up_training(english, codespell):
    listed = sorted({right for _, right in codespell["train"]})
    sampler = english.sampler(listed)
    generator = torch.Generator().manual_seed(1)
    indices = torch.randint(len(listed), (4096,), generator=generator)
    sampler.sample(indices, generator=generator)
    begin = time.perf_counter()
    sampler.sample(indices, generator=generator)
    # 100,000 words a second on one core; a tenth of that on a busy machine.
    assert time.perf_counter() - begin < 0.41


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_misspells_as_well(english):
    sampler = english.sampler(["necessary", "receive"], device="cuda")
    indices = torch.arange(2, device="cuda").repeat(500)
    drawn = [sampler.sample(indices, generator=torch.Generator("cuda").manual_seed(1)).symbols.cpu() for _ in range(2)]
    assert torch.equal(*drawn)
    misspelled = [
        (word, ("necessary", "receive")[row % 2]) for row, word in enumerate(LETTERS.decode(drawn[0].numpy()))
    ]
    assert max(compare(misspelled, _on_cpu(english)).values()) < 0.1


def _on_cpu(model: ErrorModel) -> list[tuple[str, str]]:
    drawn = model.sampler(["necessary", "receive"]).sample(
        torch.arange(2).repeat(5000), generator=torch.Generator().manual_seed(1)
    )
    return [(word, ("necessary", "receive")[row % 2]) for row, word in enumerate(LETTERS.decode(drawn.symbols.numpy()))]
