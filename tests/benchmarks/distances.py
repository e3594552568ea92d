"""The distances beside the public packages, in one process: milliseconds, ratios and peak memory.

    pip install --no-deps tslearn pysdtw ddtw && pip install scikit-learn
    python tests/benchmarks/distances.py [--threads 2] [--rounds 25] [--json FILE]

The peers (tslearn, Tavenard et al.; pysdtw, after Maghoumi's soft-DTW for CUDA; ddtw) want older versions of torch or
numba than they need; ``--no-deps`` takes them as they are. One that is not installed is left out. All compute
soft-DTW of the same cost matrices, float32, gamma 0.1, value and gradient; ``soft_alignment`` has as many cells.

Each round times everyone once, so that a busy machine is busy for all; what counts is everyone's fastest round, which
other processes disturb least. Peak memory is that of one call, in floats a cell beyond the costs, as a process of its
own sees it (how far its resident set grows), at 32 x 1024 x 1024. For a GPU's, see ``gpu.py``.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rapidfuzz.distance import OSA, Levenshtein

from speller.train.distance import edit_distance, soft_alignment, soft_dtw

SIZES = [(256, 16), (256, 64), (32, 256)]
MEMORY_SIZE = (32, 1024)
GAMMA = 0.1
SEED = 0
"""Of the costs and the words."""

SHOWN = ("soft_dtw", "soft_alignment")
OURS = (*SHOWN, "soft_alignment, swap")
PEERS = ("tslearn", "pysdtw", "ddtw")


def contenders(device: str) -> dict[str, Callable[[torch.Tensor], torch.Tensor]]:
    """Everyone who is installed, as a function of cost matrices."""
    found: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "soft_dtw": lambda costs: soft_dtw(costs, gamma=GAMMA),
        "soft_alignment": lambda costs: soft_alignment(costs, gamma=GAMMA),
        "soft_alignment, swap": lambda costs: soft_alignment(costs, gamma=GAMMA, transposition=1.0),
    }
    if device == "cpu" and importlib.util.find_spec("tslearn"):
        from tslearn.metrics.soft_dtw_loss_pytorch import _SoftDTWLossPyTorch

        found["tslearn"] = lambda costs: _SoftDTWLossPyTorch.apply(costs, GAMMA)
    if importlib.util.find_spec("pysdtw"):
        from pysdtw.sdtw_cpu import SoftDTWcpu
        from pysdtw.sdtw_cuda import SoftDTWcuda

        peer = SoftDTWcuda if device == "cuda" else SoftDTWcpu
        found["pysdtw"] = lambda costs: peer.apply(
            costs, torch.tensor([costs.shape[1:]] * len(costs), device=costs.device), GAMMA, 0
        )
    if device == "cpu" and importlib.util.find_spec("ddtw"):
        from ddtw import SDTW

        mean = SDTW(gamma=GAMMA, normalization="none", backend="cpu_numba")
        found["ddtw"] = lambda costs: mean(C=costs) * len(costs)
    return found


def value_and_gradient(function: Callable[[torch.Tensor], torch.Tensor], costs: torch.Tensor) -> float:
    """One call forward and backward; the sum of the values, to see that all compute the same."""
    costs.grad = None
    total = function(costs).sum()
    total.backward()
    if costs.is_cuda:
        torch.cuda.synchronize()
    return total.item()


def time_all(device: str, size: tuple[int, int], rounds: int) -> dict[str, float]:
    """Milliseconds of everyone, at one size."""
    batch, length = size
    costs = torch.rand(batch, length, length, generator=torch.Generator().manual_seed(SEED)).to(device).requires_grad_()
    everyone = contenders(device)
    totals = {name: value_and_gradient(function, costs) for name, function in everyone.items()}
    for name in set(PEERS) & set(totals):
        if abs(totals[name] - totals["soft_dtw"]) > 1e-3 * batch:
            raise SystemExit(f"{name} computes {totals[name]} where soft_dtw computes {totals['soft_dtw']}")
    times: dict[str, list[float]] = {name: [] for name in everyone}
    for _ in range(rounds):
        for name, function in everyone.items():
            start = time.perf_counter()
            value_and_gradient(function, costs)
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: min(each) for name, each in times.items()}


def time_exact(size: tuple[int, int], rounds: int) -> dict[str, float]:
    """Milliseconds of the exact distances beside rapidfuzz in a loop."""
    a, b = torch.randint(0, 26, (2, *size), generator=torch.Generator().manual_seed(SEED))
    words = [["".join(chr(97 + symbol) for symbol in row) for row in each.tolist()] for each in (a, b)]
    pairs = list(zip(*words, strict=True))
    everyone: dict[str, Callable[[], object]] = {
        "edit_distance": lambda: edit_distance(a, b),
        "rapidfuzz": lambda: [Levenshtein.distance(*pair) for pair in pairs],
        "edit_distance, swap": lambda: edit_distance(a, b, transposition=True),
        "rapidfuzz, swap": lambda: [OSA.distance(*pair) for pair in pairs],
    }
    times: dict[str, list[float]] = {name: [] for name in everyone}
    for round_ in range(rounds + 1):  # the first compiles
        for name, function in everyone.items():
            start = time.perf_counter()
            function()
            if round_:
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: min(each) for name, each in times.items()}


def resident(field: str) -> int:
    """This process's resident memory in bytes: ``VmRSS`` now, ``VmHWM`` at its largest."""
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith(field))


def peak_floats_a_cell(name: str) -> float:
    """What one call takes beyond the costs at its peak, after a small one has compiled it."""
    function = contenders("cpu")[name]
    value_and_gradient(function, torch.rand(32, 8, 8, requires_grad=True))
    batch, length = MEMORY_SIZE
    costs = torch.rand(batch, length, length, requires_grad=True)
    before = resident("VmRSS")
    value_and_gradient(function, costs)
    return (resident("VmHWM") - before) / (4 * costs.numel())


def measure_memory(threads: int) -> dict[str, float]:
    """Everyone's peak, each in a process of its own."""
    found = {}
    for name in contenders("cpu"):
        command = [sys.executable, __file__, "--threads", str(threads), "--peak", name]
        found[name] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])
    return found


def show(title: str, results: dict[str, float], unit: str, *, against: tuple[str, ...] = ()) -> None:
    """One table: each result and, for ours, how many times faster than the fastest of those it is set against."""
    print(f"\n{title}")
    rivals = [results[name] for name in against if name in results]
    for name, result in results.items():
        ratio = f"   {min(rivals) / result:5.1f}x the fastest peer" if rivals and name in OURS else ""
        print(f"  {name:24}{result:9.2f} {unit}{ratio}")


def main() -> None:
    """Runs everything and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--peak", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.peak:
        print(peak_floats_a_cell(options.peak))
        return
    figures: dict[str, Any] = {
        **settings(),
        "threads": options.threads,
        "versions": {name: version(name) for name in ("torch", "numba", *sorted(set(PEERS) & set(contenders("cpu"))))},
        "times": {},
        "exact": {},
    }
    for size in SIZES:
        figures["times"][name_of(size)] = found = time_all("cpu", size, options.rounds)
        title = f"{name_of(size)}, value and gradient, float32, {options.threads} threads"
        show(title, found, "ms", against=PEERS)
    for size in SIZES:
        figures["exact"][name_of(size)] = found = time_exact(size, options.rounds)
        show(f"{name_of(size)}, exact", found, "ms")
    figures["memory"] = measure_memory(options.threads)
    show(f"peak memory at {name_of(MEMORY_SIZE)}", figures["memory"], "floats a cell")
    if set(PEERS) & set(figures["versions"]):
        print(f"\n{markdown(figures)}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def settings() -> dict[str, Any]:
    """What is measured, as plain data."""
    return {"sizes": [list(size) for size in SIZES], "memory_size": list(MEMORY_SIZE), "gamma": GAMMA, "seed": SEED}


def name_of(size: tuple[int, int]) -> str:
    """A batch's size, with that of its matrices."""
    return f"{size[0]} x {size[1]}²"


def markdown(figures: Mapping[str, Any]) -> str:
    """The figures as the README has them."""
    times, memory = figures["times"], figures["memory"]
    peers = [name for name in PEERS if name in memory]
    fastest = min(peers, key=lambda name: sum(found[name] for found in times.values()))
    lines = [f"| | {' | '.join(times)} | peak memory, floats a cell |", f"| --- |{' ---: |' * (len(times) + 1)}"]
    for name in (*SHOWN, fastest):
        cells = [f"{found[name]:{'.2f' if found[name] < 10 else '.1f'}} ms" for found in times.values()]
        if name in SHOWN:
            ratios = [found[fastest] / found[name] for found in times.values()]
            cells = [f"{cell}, {ratio:.1f} times" for cell, ratio in zip(cells, ratios, strict=True)]
        shown = f"`{name}`" if name in SHOWN else name
        lines.append(f"| {' | '.join([shown, *cells, f'{memory[name]:.1f}'])} |")
    sentence = (
        f"Forward and backward, float32, {figures['threads']} threads, and how many times as fast as the fastest of "
        f"{', '.join(peers)} (all soft-DTW, as many cells) in one process:"
    )
    return "\n".join([*textwrap.wrap(sentence, 120, break_on_hyphens=False), "", *lines, ""])


if __name__ == "__main__":
    main()
