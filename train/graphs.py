"""Gradients on a GPU as CUDA graphs: it is told once what to do with batches of a shape, not kernel by kernel.

A small model's kernels take less time than telling a GPU to start them. What was told it once is replayed with one
call, on other numbers in the same places (Gray, "Getting Started with CUDA Graphs", 2019).
"""

import warnings
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

import torch
from accelerate import Accelerator
from torch import Tensor

from speller.alphabet import PADDING
from speller.train.batch import Batch
from speller.train.model import SpellingModel
from speller.train.objectives import CrossEntropy, Loss, Objective, WeightedSum

MULTIPLE = 4
"""Shapes are rounded up to so many symbols: there are fewer of them, and some more padding."""

WARM_UP = 3
"""So often it is done kernel by kernel first: libraries then choose how, and take the memory that they keep."""

TIMES = 3
"""So often a shape is timed, recorded and kernel by kernel."""

TOLERANCE = 0.01
"""A graph's loss and gradient are those of its kernels one by one, but for so large a share: they add in any order."""


Differentiated = tuple[Loss, list[Tensor | None]]
"""The loss of a batch, and its gradient for each of a model's parameters; None for those that play no part."""


def differentiate(
    model: SpellingModel, objective: Objective, batch: Batch, accelerator: Accelerator, *, progress: float
) -> Differentiated:
    """A batch's loss and gradients, kernel by kernel."""
    with accelerator.autocast():
        loss = objective(model, batch, progress=progress)
    return loss, list(torch.autograd.grad(loss.value, list(model.parameters()), allow_unused=True))


def is_replayable(objective: Objective) -> bool:
    """Whether what an objective does hangs on a batch's shape alone: nothing is sampled, annealed or waited for."""
    parts = [part for _, part in objective.parts.values()] if isinstance(objective, WeightedSum) else [objective]
    return all(isinstance(part, CrossEntropy) for part in parts)


def measure(loss: Loss, gradients: Sequence[Tensor | None]) -> Tensor:
    """``(2,)``: a loss, and its gradient's norm."""
    norm = torch.nn.utils.get_total_norm([gradient for gradient in gradients if gradient is not None])
    return torch.stack((loss.value.detach(), norm))


def seconds(work: Callable[[], object]) -> float:
    """How long some work takes, until the GPU has done what it asked for."""
    torch.cuda.synchronize()
    start = perf_counter()
    work()
    torch.cuda.synchronize()
    return perf_counter() - start


def shortest(work: Callable[[], object]) -> float:
    """How long a GPU takes for some work that it has done before: the shortest of ``TIMES``."""
    return min(seconds(work) for _ in range(TIMES))


def in_shape(batch: Batch, time: int, longest: int, device: torch.device) -> Batch:
    """A batch with its lengths on the device, padded to so many symbols to read and to write."""
    source, target = (
        side.new_empty((len(batch), width), device=device)
        for side, width in ((batch.source, time), (batch.target, longest))
    )
    lengths = (torch.empty_like(each, device=device) for each in (batch.source_lengths, batch.target_lengths))
    source_lengths, target_lengths = lengths
    padded = Batch(source, source_lengths, target, target_lengths, batch.direction)
    refill(padded, batch)
    return padded


def refill(padded: Batch, batch: Batch) -> None:
    """Put another batch in the place of one that ``in_shape`` made; nothing is waited for."""
    for room, symbols in ((padded.source, batch.source), (padded.target, batch.target)):
        room.fill_(PADDING)[:, : symbols.shape[1]].copy_(symbols)
    padded.target_lengths.copy_(batch.target_lengths)
    lengths = batch.source_lengths
    # From pinned memory: else the copy would wait for all that the GPU has to do.
    padded.source_lengths.copy_(lengths.pin_memory() if padded.source.is_cuda else lengths, non_blocking=True)


@dataclass(frozen=True)
class Replay:
    """What was recorded of one shape: where its batch goes, and where its loss and its gradients come out."""

    graph: torch.cuda.CUDAGraph
    batch: Batch
    loss: Loss
    gradients: list[Tensor | None]

    def run(self, batch: Batch) -> None:
        """Do with another batch what was recorded."""
        refill(self.batch, batch)
        self.graph.replay()


class Graphs:
    """A model's gradients on a GPU in one process, replayed where the objective allows it and where that pays.

    A shape whose replay takes longer than its kernels one by one is done kernel by kernel ever after. So is one whose
    recording fails, or comes to something else; a warning tells so.

    Args:
        model: whose parameters stay where they are.
        accelerator: where it is trained.
    """

    def __init__(self, model: SpellingModel, accelerator: Accelerator) -> None:
        self._model = model
        self._accelerator = accelerator
        self._replays: dict[Hashable, Replay | None] = {}

    def differentiate(self, objective: Objective, batch: Batch, *, progress: float) -> Differentiated:
        """A batch's loss and gradients; the gradients are to be used before the next batch's are asked for."""
        replay = self._replay_for(objective, batch) if is_replayable(objective) else None
        if replay is None:
            return differentiate(self._model, objective, batch, self._accelerator, progress=progress)
        replay.run(batch)
        scalars = {name: scalar.clone() for name, scalar in replay.loss.scalars.items()}
        return Loss(replay.loss.value.detach().clone(), scalars), replay.gradients

    def _replay_for(self, objective: Objective, batch: Batch) -> Replay | None:
        time, longest = (-(-side.shape[1] // MULTIPLE) * MULTIPLE for side in (batch.source, batch.target))
        time = 1 if batch.unread else time
        shape = (len(batch), time, longest)
        key = (objective, batch.direction, *shape)
        if key not in self._replays:
            try:
                self._replays[key] = self._record(objective, batch, time, longest)
            except RuntimeError as error:
                warnings.warn(f"no CUDA graph for batches of the shape {shape}: {error}", stacklevel=2)
                self._replays[key] = None
        return self._replays[key]

    def _record(self, objective: Objective, batch: Batch, time: int, longest: int) -> Replay | None:
        """Record what is done with a batch of a shape, unless its kernels one by one take less time.

        Raises:
            RuntimeError: it cannot be recorded, or comes to something else.
        """
        padded = in_shape(batch, time, longest, self._accelerator.device)

        def work() -> Differentiated:
            # A new batch: what it makes of its tensors, once, is part of the work.
            return differentiate(self._model, objective, replace(padded), self._accelerator, progress=1.0)

        with warnings.catch_warnings():
            # One direction's weights are no block of memory of their own; autocast makes them one.
            warnings.filterwarnings("ignore", "RNN module weights are not part of single contiguous chunk")
            aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(WARM_UP):
                    expected = measure(*work())
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            pools = (replay.graph.pool() for replay in self._replays.values() if replay)
            with torch.cuda.graph(graph, pool=next(pools, None)):
                loss, gradients = work()
        graph.replay()
        found = measure(loss, gradients)
        if not torch.allclose(found, expected, rtol=TOLERANCE, atol=0):
            raise RuntimeError(f"a loss and a gradient of {found.tolist()}, and {expected.tolist()} kernel by kernel")
        kernels = partial(differentiate, self._model, objective, batch, self._accelerator, progress=1.0)
        replay = Replay(graph, padded, loss, gradients)
        return replay if shortest(partial(replay.run, batch)) <= shortest(kernels) else None
