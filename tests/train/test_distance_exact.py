import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA, Levenshtein

from speller.train.distance import edit_distance
from speller.train.distance.exact import edit_distance_by_rows

METRICS = [(False, Levenshtein.distance), (True, OSA.distance)]


def encode(words, *, padding=99, width=0):
    width = max([width, *map(len, words)], default=width)
    rows = [[*word, *[padding] * (width - len(word))] for word in words]
    return torch.tensor(rows, dtype=torch.int64).reshape(len(words), width), torch.tensor(
        [len(word) for word in words], dtype=torch.int64
    )


@pytest.mark.parametrize(("transposition", "metric"), METRICS)
def test_every_pair_of_short_strings(transposition, metric):
    words = [word for length in range(6) for word in itertools.product(range(3), repeat=length)]
    a, a_lengths = encode(words, padding=1)
    for word in words:
        b, b_lengths = encode([word] * len(words), padding=2, width=6)
        found = edit_distance(a, b, a_lengths=a_lengths, b_lengths=b_lengths, transposition=transposition)
        assert found.tolist() == [metric(other, word) for other in words]


# Long ones cross the edges of the 64 rows that a word of bits holds; the symbols include ones that share a hash slot.
SYMBOLS = st.sampled_from([0, 1, 2, 128, 256, -127, 2**40, -(2**62)])
SEQUENCES = st.lists(SYMBOLS, max_size=6) | st.lists(SYMBOLS, min_size=60, max_size=140)


@pytest.mark.parametrize(("transposition", "metric"), METRICS)
@pytest.mark.parametrize("by_rows", [False, True])
@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(SEQUENCES, SEQUENCES), max_size=20))
def test_equals_rapidfuzz(by_rows, transposition, metric, pairs):
    a, a_lengths = encode([a for a, _ in pairs])
    b, b_lengths = encode([b for _, b in pairs])
    if by_rows:
        found = edit_distance_by_rows(a, b, a_lengths, b_lengths, transposition)
    else:
        found = edit_distance(a, b, a_lengths=a_lengths, b_lengths=b_lengths, transposition=transposition)
    assert found.dtype == torch.int64
    assert found.tolist() == [metric(a, b) for a, b in pairs]


@pytest.mark.parametrize(("transposition", "metric"), METRICS)
def test_near_copies_of_long_sequences(transposition, metric):
    generator = torch.Generator().manual_seed(0)
    a = torch.randint(0, 30, (40, 300), generator=generator)
    b = a.clone()
    for row in range(40):
        for place in torch.randint(0, 299, (row,), generator=generator).tolist():
            b[row, [place, place + 1]] = b[row, [place + 1, place]]
    found = edit_distance(a, b, transposition=transposition)
    assert found.tolist() == [metric(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)]


def test_other_integer_types_and_layouts():
    a = torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=torch.int16)
    assert edit_distance(a.T, a.T.int()).tolist() == [0, 0, 0]
    assert edit_distance(a, a.long() + 1, a_lengths=torch.tensor([3, 0], dtype=torch.int32)).tolist() == [2, 3]


def test_the_caller_s_tensors_stay_as_they_are():
    given = [torch.tensor([[1, 2, 3]]), torch.tensor([[2, 1]]), torch.tensor([3]), torch.tensor([2])]
    before = [each.clone() for each in given]
    assert edit_distance(*given[:2], a_lengths=given[2], b_lengths=given[3], transposition=True).item() == 2
    assert all(torch.equal(now, then) for now, then in zip(given, before, strict=True))


@pytest.mark.parametrize("by_rows", [False, True])
def test_empty_batch(by_rows):
    nothing, lengths = torch.zeros(0, 3, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)
    if by_rows:
        assert edit_distance_by_rows(nothing, nothing, lengths, lengths, True).shape == (0,)
    else:
        assert edit_distance(nothing, nothing).shape == (0,)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        (r"a must hold whole numbers, not torch.float32", {"a": torch.zeros(2, 3)}),
        (r"a must have the shape \(any, any\), not \(3,\)", {"a": torch.zeros(3, dtype=torch.int64)}),
        (r"b must have the shape \(2, any\), not \(3, 4\)", {"b": torch.zeros(3, 4, dtype=torch.int64)}),
        (r"a_lengths must lie between 0 and 3.*not 4", {"a_lengths": torch.tensor([4, 0])}),
        (r"b_lengths must lie between 0 and 4.*not -1", {"b_lengths": torch.tensor([-1, 0])}),
        (r"b lies on meta", {"b": torch.zeros(2, 4, dtype=torch.int64, device="meta")}),
    ],
)
def test_bad_input(message, arguments):
    good = {"a": torch.zeros(2, 3, dtype=torch.int64), "b": torch.zeros(2, 4, dtype=torch.int64)}
    with pytest.raises(ValueError, match=message):
        edit_distance(**{**good, **arguments})
