import numpy as np
import pytest
import torch

from speller.alphabet import CORRECT, PADDING, SPECIALS
from speller.runtime import OnnxRuntime
from speller.train.export import export
from speller.train.model import CELLS, NEVER_WRITTEN, Memory

TOLERANCE = 1e-4
LONGEST = 41  # 40 letters and the direction


@pytest.fixture(params=CELLS)
def both(request, make_model, tmp_path):
    """A model and the same one exported."""
    model = make_model(request.param)
    export(model, encoder=tmp_path / "encoder.onnx", decoder=tmp_path / "decoder.onnx")
    return model, OnnxRuntime(tmp_path / "encoder.onnx", tmp_path / "decoder.onnx")


def words(count, longest=LONGEST, seed=0):
    """Padded symbols ``(count, longest)``, a direction first, and lengths that include 1 and the longest."""
    generator = np.random.default_rng(seed)
    symbols = generator.integers(SPECIALS, 30, (count, longest))
    symbols[:, 0] = CORRECT
    lengths = generator.integers(1, longest + 1, count)
    lengths[-1], lengths[0] = 1, longest
    symbols[np.arange(longest) >= lengths[:, None]] = PADDING
    return symbols, lengths


@torch.no_grad()
def torch_log_probs(model, symbols, lengths, previous):
    return model(torch.from_numpy(symbols), torch.from_numpy(lengths), torch.from_numpy(previous)).numpy()


def onnx_log_probs(runtime, symbols, lengths, previous):
    memory = runtime.encode(symbols, lengths)
    return runtime.decode(previous, memory.initial, memory, np.arange(len(symbols)))[0]


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_log_probabilities_equal_the_model(both, count):
    model, runtime = both
    symbols, lengths = words(count)
    previous = words(count, 12, seed=1)[0]
    exported = onnx_log_probs(runtime, symbols, lengths, previous)
    assert exported.shape == (count, 12, 30)
    np.testing.assert_allclose(exported, torch_log_probs(model, symbols, lengths, previous), rtol=0, atol=TOLERANCE)


@torch.no_grad()
def test_memory_equals_the_model(both):
    model, runtime = both
    symbols, lengths = words(20)
    memory, exported = (
        model.encode(torch.from_numpy(symbols), torch.from_numpy(lengths)),
        runtime.encode(symbols, lengths),
    )
    assert len(exported.initial) == len(memory.initial) == model.states_per_cell
    for part, other in zip(exported.initial, memory.initial, strict=True):
        np.testing.assert_allclose(part, other, rtol=0, atol=TOLERANCE)
    real = memory.mask.numpy()
    np.testing.assert_allclose(exported.states[real], memory.states.numpy()[real], rtol=0, atol=TOLERANCE)


def test_a_word_alone_equals_the_same_word_beside_long_ones(both):
    model, runtime = both
    symbols, lengths = words(8)
    previous = words(8, 12, seed=1)[0]
    together = onnx_log_probs(runtime, symbols, lengths, previous)
    for row, length in enumerate(lengths):
        one = symbols[row : row + 1, :length], lengths[row : row + 1], previous[row : row + 1]
        alone = onnx_log_probs(runtime, *one)
        np.testing.assert_allclose(alone[0], together[row], rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(alone, torch_log_probs(model, *one), rtol=0, atol=TOLERANCE)


def test_what_fills_the_padding_makes_no_difference(both):
    _, runtime = both
    symbols, lengths = words(8)
    previous = words(8, 12, seed=1)[0]
    noise = np.where(np.arange(LONGEST) >= lengths[:, None], 17, symbols)
    np.testing.assert_allclose(
        onnx_log_probs(runtime, noise, lengths, previous),
        onnx_log_probs(runtime, symbols, lengths, previous),
        rtol=0,
        atol=TOLERANCE,
    )


@torch.no_grad()
def test_writing_goes_on_from_the_state(both):
    model, runtime = both
    symbols, lengths = words(5)
    previous = words(5, 12, seed=1)[0]
    rows = np.arange(5)
    memory = runtime.encode(symbols, lengths)
    whole, last = runtime.decode(previous, memory.initial, memory, rows)
    _, state = runtime.decode(previous[:, :7], memory.initial, memory, rows)
    torch_memory = model.encode(torch.from_numpy(symbols), torch.from_numpy(lengths))
    _, torch_state = model.decode(torch.from_numpy(previous[:, :7]), torch_memory.initial, torch_memory)
    for part, other in zip(state, torch_state, strict=True):
        np.testing.assert_allclose(part, other, rtol=0, atol=TOLERANCE)
    rest, after = runtime.decode(previous[:, 7:], state, memory, rows)
    np.testing.assert_allclose(rest, whole[:, 7:], rtol=0, atol=TOLERANCE)
    for part, other in zip(after, last, strict=True):
        np.testing.assert_allclose(part, other, rtol=0, atol=TOLERANCE)


@torch.no_grad()
def test_rows_attend_to_the_words_they_name(both):
    model, runtime = both
    symbols, lengths = words(4)
    rows = np.array([2, 0, 0, 3, 1, 2])  # any order, and word 0 and 2 for several rows
    previous = words(6, 9, seed=1)[0]
    memory = runtime.encode(symbols, lengths)
    exported, _ = runtime.decode(previous, tuple(part[rows] for part in memory.initial), memory, rows)
    torch_memory = model.encode(torch.from_numpy(symbols), torch.from_numpy(lengths))
    copied = Memory(
        torch_memory.states[rows], torch_memory.mask[rows], tuple(part[rows] for part in torch_memory.initial)
    )
    expected, _ = model.decode(torch.from_numpy(previous), copied.initial, copied)
    np.testing.assert_allclose(exported, expected, rtol=0, atol=TOLERANCE)


def test_some_symbols_are_never_written(both):
    _, runtime = both
    symbols, lengths = words(3)
    log_probs = onnx_log_probs(runtime, symbols, lengths, words(3, 5, seed=1)[0])
    possible = np.isfinite(log_probs).all(axis=(0, 1))
    assert np.flatnonzero(~possible).tolist() == sorted(NEVER_WRITTEN)
    assert (log_probs[..., list(NEVER_WRITTEN)] == -np.inf).all()
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=-1), 1, atol=1e-5)
