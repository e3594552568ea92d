import numpy as np
import pytest
import torch

from speller.alphabet import CORRECT, MISSPELL, PADDING, SPECIALS
from speller.bundle import DECODER, ENCODER, OUTPUT
from speller.runtime import ZERO, OnnxRuntime
from speller.train.export import HALVES, STEP, export
from speller.train.exported import read_exported
from speller.train.model import CELLS, NEVER_WRITTEN

TOLERANCE = 1e-4
ROUNDING = 1.0
"""What states of eight bits may change in a log-probability or in a later state."""

MEMORY_ROUNDING = 0.5
"""What they may change in a key or a value, of which the largest are 15 and more."""

LONGEST = 41  # 40 letters and the direction


@pytest.fixture(params=CELLS)
def both(request, make_model, tmp_path):
    """A model with its weights rounded, and the same one exported."""
    graphs = exported(make_model(request.param), tmp_path)
    return read_exported(*graphs), OnnxRuntime(*graphs)


def exported(model, folder):
    graphs = [folder / name for name in (ENCODER, DECODER, OUTPUT)]
    export(model, encoder=graphs[0], decoder=graphs[1], output=graphs[2])
    return graphs


def symbols_written(count, steps):
    """Symbols ``(count, steps)``, a direction first, which every other row's is."""
    symbols = np.random.default_rng(1).integers(SPECIALS, 30, (count, steps))
    symbols[:, 0] = np.where(np.arange(count) % 2, MISSPELL, CORRECT)
    return symbols


def words(count, longest=LONGEST, seed=0):
    """Padded symbols ``(count, longest)``, a direction first, and lengths that include 1 and the longest."""
    generator = np.random.default_rng(seed)
    symbols = generator.integers(SPECIALS, 30, (count, longest))
    symbols[:, 0] = np.where(np.arange(count) % 2, MISSPELL, CORRECT)
    lengths = generator.integers(1, longest + 1, count)
    lengths[-1], lengths[0] = 1, longest
    symbols[np.arange(longest) >= lengths[:, None]] = PADDING
    return symbols, lengths


@torch.no_grad()
def torch_log_probs(model, symbols, lengths, previous):
    return model(torch.from_numpy(symbols), torch.from_numpy(lengths), torch.from_numpy(previous)).numpy()


def onnx_log_probs(runtime, symbols, lengths, previous):
    """The distributions ``(rows, steps, symbols)`` after each of the symbols that are written."""
    memory = runtime.encode(symbols, lengths)
    states = zip(*written_states(runtime, previous), strict=True)
    return runtime.expect(tuple(np.stack(steps, axis=1) for steps in states), memory)


def written_states(runtime, previous):
    """The states after each symbol of ``(rows, steps)``, from zeros."""
    state = tuple(np.repeat(part, len(previous), axis=0) for part in runtime.nowhere)
    states = []
    for symbols in previous.T:
        state = runtime.advance(symbols, state)
        states.append(state)
    return states


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_log_probabilities_equal_the_model(both, count):
    model, runtime = both
    symbols, lengths = words(count)
    previous = symbols_written(count, 12)
    exported = onnx_log_probs(runtime, symbols, lengths, previous)
    assert exported.shape == (count, 12, 30)
    np.testing.assert_allclose(exported, torch_log_probs(model, symbols, lengths, previous), rtol=0, atol=ROUNDING)


@torch.no_grad()
def test_memory_equals_the_model(both):
    model, runtime = both
    symbols, lengths = words(20)
    memory, exported = (
        model.encode(torch.from_numpy(symbols), torch.from_numpy(lengths)),
        runtime.encode(symbols, lengths),
    )
    real = memory.mask.numpy()
    values = memory.states @ model.combine.weight[:, : model.config.decoder].T
    np.testing.assert_allclose(exported.keys[real], memory.states.numpy()[real], rtol=0, atol=MEMORY_ROUNDING)
    np.testing.assert_allclose(exported.values[real], values.numpy()[real], rtol=0, atol=MEMORY_ROUNDING)
    assert exported.lengths is lengths


def test_a_word_alone_equals_the_same_word_beside_long_ones(both):
    model, runtime = both
    symbols, lengths = words(8)
    previous = symbols_written(8, 12)
    together = onnx_log_probs(runtime, symbols, lengths, previous)
    for row, length in enumerate(lengths):
        one = symbols[row : row + 1, :length], lengths[row : row + 1], previous[row : row + 1]
        alone = onnx_log_probs(runtime, *one)
        np.testing.assert_allclose(alone[0], together[row], rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(alone, torch_log_probs(model, *one), rtol=0, atol=ROUNDING)


def test_what_fills_the_padding_makes_no_difference(both):
    _, runtime = both
    symbols, lengths = words(8)
    previous = symbols_written(8, 12)
    noise = np.where(np.arange(LONGEST) >= lengths[:, None], 17, symbols)
    np.testing.assert_allclose(
        onnx_log_probs(runtime, noise, lengths, previous),
        onnx_log_probs(runtime, symbols, lengths, previous),
        rtol=0,
        atol=TOLERANCE,
    )


@torch.no_grad()
def test_states_equal_the_model(both):
    model, runtime = both
    previous = symbols_written(5, 12)
    assert [part.shape for part in runtime.nowhere] == [(1, model.config.decoder)] * (model.states_per_cell + 1)
    assert runtime.symbols == model.config.symbols
    memory = model.encode(*map(torch.from_numpy, words(5)))
    for place, (*state, written) in enumerate(written_states(runtime, previous)):
        _, expected = model.decode(torch.from_numpy(previous[:, : place + 1]), None, memory)
        assert state[0].dtype == np.uint8
        for part, other in zip(((state[0] - float(ZERO)) * STEP, *state[1:]), expected, strict=True):
            np.testing.assert_allclose(part, other, rtol=0, atol=ROUNDING)
        from_hidden = expected[0] @ model.combine.weight[:, model.config.decoder :].T + model.combine.bias
        np.testing.assert_allclose(written, from_hidden, rtol=0, atol=ROUNDING)


@torch.no_grad()
def test_each_word_is_attended_to_from_several_beginnings(both):
    model, runtime = both
    symbols, lengths = words(4)
    previous = symbols_written(4 * 3, 9)
    state = [part.reshape(4, 3, -1) for part in written_states(runtime, previous)[-1]]
    found = runtime.expect(tuple(state), runtime.encode(symbols, lengths))
    memory = model.encode(torch.from_numpy(symbols), torch.from_numpy(lengths))
    expected = model.decode(torch.from_numpy(previous), None, memory)[0][:, -1].view(4, 3, -1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING)


def test_nothing_is_asked(both):
    _, runtime = both
    nowhere = tuple(np.zeros((2, 0, part.shape[1]), part.dtype) for part in runtime.nowhere)
    assert runtime.expect(nowhere, runtime.encode(*words(2))).shape == (2, 0, 30)


def test_some_symbols_are_never_written(both):
    _, runtime = both
    symbols, lengths = words(3)
    log_probs = onnx_log_probs(runtime, symbols, lengths, symbols_written(3, 5))
    possible = np.isfinite(log_probs).all(axis=(0, 1))
    assert np.flatnonzero(~possible).tolist() == sorted(NEVER_WRITTEN)
    assert (log_probs[..., list(NEVER_WRITTEN)] == -np.inf).all()
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_read_back_is_the_model_but_for_the_rounding(make_model, tmp_path, cell):
    model = make_model(cell)
    found = read_exported(*exported(model, tmp_path))
    assert found.config == model.config
    parts = found.state_dict()
    both = model.state_dict(), found.state_dict()
    width = model.config.decoder
    for name, weights in model.state_dict().items():
        largest = torch.zeros(())
        rounded = name == "memory.weight" or name.startswith("decoder.weight_hh")
        if rounded or (cell == "lstm" and name.startswith("encoder.weight")):
            largest = weights.abs().amax(dim=1, keepdim=True)
        elif name == "combine.weight":
            largest = weights[:, width:].abs().amax(dim=1, keepdim=True)
            # The other half is known by what it makes of the memory's.
            of_memory, found_of_memory = (part["combine.weight"][:, :width] @ part["memory.weight"] for part in both)
            most = of_memory.abs().amax(dim=1, keepdim=True)
            assert ((found_of_memory - of_memory).norm(dim=1) <= most[:, 0] / 63 * of_memory.shape[1] ** 0.5).all()
            weights, parts[name] = weights[:, width:], parts[name][:, width:]
        elif "coder.bias" in name:  # only their sum counts, but for a GRU's new state
            continue
        elif name == "output.bias":
            weights = weights.where(model.never_written == 0, 0)
        assert ((parts[name] - weights).abs() <= largest / 63 / 2 + 1e-6).all()
    for layer, suffix, size in (
        ("decoder", "", width),
        *(("encoder", each, model.config.encoder) for each in HALVES),
    ):
        state, recurrent = ([part[f"{layer}.{name}_l0{suffix}"] for part in both] for name in ("bias_ih", "bias_hh"))
        torch.testing.assert_close(state[0] + recurrent[0], state[1] + recurrent[1])
        if cell == "gru":
            torch.testing.assert_close(recurrent[0][2 * size :], recurrent[1][2 * size :])
