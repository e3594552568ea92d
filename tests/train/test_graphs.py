import warnings
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from speller.alphabet import CORRECT, MISSPELL, SPECIALS
from speller.train.batch import Batch
from speller.train.graphs import Graphs, differentiate, in_shape, is_replayable, refill, shortest
from speller.train.loop import open_accelerator, open_optimizer, take_step
from speller.train.objectives import OBJECTIVES, CrossEntropy, read_objective
from speller.train.recipe import Recipe

SMOOTHED = {"cross-entropy": {"label_smoothing": 0.1}}


def random_batch(seed, longest, *, rows=6, direction=CORRECT, unread=False, device="cpu"):
    chance = torch.Generator().manual_seed(seed)
    sides = [torch.randint(SPECIALS, 30, (rows, longest), generator=chance) for _ in range(2)]
    lengths = [torch.randint(1, longest + 1, (rows,), generator=chance) for _ in range(2)]
    for each in lengths:
        each[0] = longest
    if unread:
        lengths[0].zero_()
    sides = [
        side.masked_fill(torch.arange(longest) >= each[:, None], 0).to(device)
        for side, each in zip(sides, lengths, strict=True)
    ]
    return Batch.of(sides[0], lengths[0], sides[1], lengths[1], direction=direction)


@pytest.fixture
def accelerator():
    """Stands in for one that multiplies in no narrower type."""
    return SimpleNamespace(autocast=nullcontext, device=torch.device("cpu"))


def assert_alike(found, expected):
    assert torch.allclose(found[0].value, expected[0].value, atol=1e-12)
    assert found[0].scalars.keys() == expected[0].scalars.keys()
    for one, other in zip(found[1], expected[1], strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_what_is_replayable_needs_nothing_but_shapes(make_model, accelerator, name):
    # Meta tensors have shapes and no values: whatever waits for a value, or takes one from the CPU, raises.
    objective = read_objective(name, SMOOTHED if name == "cross-entropy" else {})
    sizes = (4, 9), (4,), (4, 8), (4,)
    batch = Batch(*(torch.empty(size, dtype=torch.int64, device="meta") for size in sizes), CORRECT)
    model = make_model("lstm").to("meta")
    if is_replayable(objective):
        loss, gradients = differentiate(model, objective, batch, accelerator, progress=1.0)
        assert loss.value.is_meta
        assert all(gradient.shape == each.shape for gradient, each in zip(gradients, model.parameters(), strict=True))
    else:
        with pytest.raises(RuntimeError):
            differentiate(model, objective, batch, accelerator, progress=1.0)


def test_a_sum_is_replayable_where_all_its_parts_are():
    assert is_replayable(CrossEntropy())
    assert is_replayable(read_objective("2*cross-entropy"))
    assert not is_replayable(read_objective("soft-edit+0.1*cross-entropy"))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("unread", [False, True])
def test_padding_to_a_shape_changes_neither_loss_nor_gradients(make_model, accelerator, monkeypatch, cell, unread):
    model, objective = make_model(cell).double(), read_objective("cross-entropy", SMOOTHED)
    batch = random_batch(1, 7, unread=unread)
    expected = differentiate(model, objective, batch, accelerator, progress=1.0)
    monkeypatch.setattr(model, "_encode", model._encode_padded)
    padded = in_shape(batch, 1 if unread else 12, 12, torch.device("cpu"))
    assert_alike(differentiate(model, objective, padded, accelerator, progress=1.0), expected)


def test_nothing_of_the_batch_before_is_left_in_a_shape():
    long, short = random_batch(1, 8), random_batch(2, 5)
    padded = in_shape(long, 12, 12, torch.device("cpu"))
    refill(padded, short)
    fresh = in_shape(short, 12, 12, torch.device("cpu"))
    for name in ("source", "source_lengths", "target", "target_lengths"):
        assert torch.equal(getattr(padded, name), getattr(fresh, name))


class Tape(TorchDispatchMode):
    """Stands in for a CUDA graph on the CPU: the operations done within it are done again, from and to the same places.

    As there, what Python decided while it was recorded stays decided.
    """

    def __init__(self):
        super().__init__()
        self.operations = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        # A tensor's shape may change in place later on: the tape has its own of the same memory.
        given = tree_map_only(torch.Tensor, torch.detach, (args, kwargs or {}))
        done = function(*args, **(kwargs or {}))
        self.operations.append((function, *given, tree_map_only(torch.Tensor, torch.detach, done)))
        return done

    def replay(self):
        with torch.no_grad():
            for function, args, kwargs, done in self.operations:
                again = function(*args, **kwargs)
                for old, new in zip(tree_leaves(done), tree_leaves(again), strict=True):
                    if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                        old.copy_(new)

    def pool(self):
        return "the first one's memory"


@pytest.fixture
def taped(make_model, accelerator, monkeypatch):
    """A model's graphs, recorded on tapes; with them, the memory that each tape was to use."""
    model, pools = make_model("gru").double(), []

    def graph(tape, *, pool):
        pools.append(pool)
        return tape

    stream = SimpleNamespace(wait_stream=lambda other: None)
    stands_in = {"Stream": lambda: stream, "current_stream": lambda: stream, "stream": nullcontext}
    for name, value in (stands_in | {"CUDAGraph": Tape, "graph": graph}).items():
        monkeypatch.setattr(f"torch.cuda.{name}", value)
    monkeypatch.setattr(model, "_encode", model._encode_padded)
    monkeypatch.setattr("speller.train.graphs.shortest", lambda work: 0.0)
    return model, Graphs(model, accelerator), pools


def test_batches_of_like_shape_are_recorded_once_and_replayed_on_their_own_symbols(taped, accelerator):
    model, graphs, pools = taped
    objective = read_objective("cross-entropy", SMOOTHED)
    returned = []
    for seed, longest in enumerate((6, 5, 7, 6)):
        batch = random_batch(seed, longest)
        expected = differentiate(model, objective, batch, accelerator, progress=1.0)
        found = graphs.differentiate(objective, batch, progress=1.0)
        assert_alike(found, expected)
        returned.append((found[0].value, expected[0].value))
    assert all(torch.allclose(*values, atol=1e-12) for values in returned)  # they were not overwritten
    assert pools == [None]
    for other in (random_batch(1, 6, direction=MISSPELL), random_batch(1, 9), random_batch(1, 6, rows=5)):
        expected = differentiate(model, objective, other, accelerator, progress=1.0)
        assert_alike(graphs.differentiate(objective, other, progress=1.0), expected)
    assert pools == [None, *["the first one's memory"] * 3]


def test_training_follows_the_parameters(taped, accelerator):
    model, graphs, _ = taped
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    for seed in range(4):
        batch = random_batch(seed, 6, unread=seed == 2)
        expected = differentiate(model, CrossEntropy(), batch, accelerator, progress=1.0)
        found = graphs.differentiate(CrossEntropy(), batch, progress=1.0)
        assert_alike(found, expected)
        for parameter, gradient in zip(model.parameters(), found[1], strict=True):
            parameter.grad = gradient
        optimizer.step()


def test_what_comes_to_something_else_is_done_kernel_by_kernel(taped, accelerator, monkeypatch):
    model, graphs, pools = taped
    batch = random_batch(1, 6)
    expected = differentiate(model, CrossEntropy(), batch, accelerator, progress=1.0)
    monkeypatch.setattr(Tape, "replay", lambda tape: tape.operations[-1][-1].fill_(7))  # a gradient
    with pytest.warns(
        UserWarning, match=r"no CUDA graph for batches of the shape \(6, 8, 8\): a loss and a gradient of"
    ):
        assert_alike(graphs.differentiate(CrossEntropy(), batch, progress=1.0), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_alike(graphs.differentiate(CrossEntropy(), batch, progress=1.0), expected)
    assert len(pools) == 1


def test_what_takes_longer_is_done_kernel_by_kernel(taped, accelerator, monkeypatch):
    model, graphs, pools = taped
    batch = random_batch(1, 6)
    expected = differentiate(model, CrossEntropy(), batch, accelerator, progress=1.0)
    taken = iter([2e-3, 1e-3])

    def timed(work):
        work()
        return next(taken)

    monkeypatch.setattr("speller.train.graphs.shortest", timed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_alike(graphs.differentiate(CrossEntropy(), batch, progress=1.0), expected)
        monkeypatch.setattr(Tape, "replay", None)
        assert_alike(graphs.differentiate(CrossEntropy(), batch, progress=1.0), expected)
    assert len(pools) == 1


def test_the_shortest_of_several_times_counts(monkeypatch):
    clock, waited = iter([0.0, 3.0, 10.0, 12.0, 20.0, 24.0]), []
    monkeypatch.setattr("speller.train.graphs.perf_counter", lambda: next(clock))
    monkeypatch.setattr("torch.cuda.synchronize", lambda: waited.append("all is done"))
    assert shortest(lambda: waited.append("work")) == 2.0
    assert waited == ["all is done", "work", "all is done"] * 3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_trains_alike_with_graphs_and_without(make_model, monkeypatch):
    monkeypatch.setattr("speller.train.graphs.shortest", lambda work: 0.0)  # it uses them, paying or not
    recipe, accelerator = Recipe(steps=40, warmup=4), open_accelerator("cuda")
    batches = [
        random_batch(step % 3, 5 + step % 4, rows=64, unread=step % 5 == 4, device="cuda")
        for step in range(recipe.steps)
    ]

    def losses(with_graphs):
        model = make_model("lstm").cuda()
        optimizer = open_optimizer(model, recipe)
        replays = Graphs(model, accelerator) if with_graphs else None
        found = [
            take_step(recipe, model, optimizer, CrossEntropy(), batch, accelerator, done=step, graphs=replays)[0].value
            for step, batch in enumerate(batches)
        ]
        assert replays is None or all(replays._replays.values())
        return torch.stack([value.detach() for value in found])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.allclose(losses(True), losses(False), rtol=0.02)
