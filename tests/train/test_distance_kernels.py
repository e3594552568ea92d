"""The three ways to compute the recurrence agree, in both types, and under torch.compile."""

import importlib.util
import os
import re
import subprocess
import sys
import threading

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from speller.train.distance import (
    Costs,
    edit_distance,
    soft_alignment,
    soft_dtw,
    soft_dtw_distance,
    soft_dtw_divergence,
    soft_edit_distance,
)
from speller.train.distance.diagonals import last_column
from speller.train.distance.recurrence import Recurrence, solve

KINDS = {
    "alignment": (True, Recurrence(0.3)),
    "swap": (True, Recurrence(0.3, 0.7)),
    "expected": (True, Recurrence(0.3, None, True)),
    "expected with swap": (True, Recurrence(0.3, 0.7, True)),
    "warping": (False, Recurrence(0.3)),
}

CARRIED = {
    "_forward": {"alignment": 2, "swap": 5, "expected": 4, "expected with swap": 9, "warping": 2},
    "_backward": {"alignment": 6, "swap": 10, "expected": 10, "expected with swap": 18, "warping": 4},
}
"""How many vectors a loop over diagonals hands on: one that Triton takes for a constant would be missing."""

needs_numba = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="needs numba")
needs_triton = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="needs triton")


def problem(batch, steps, targets, *, gaps, dtype=torch.float64):
    generator = torch.Generator().manual_seed(batch + steps + targets)
    least = 0 if gaps else 1
    lengths = torch.randint(least, steps + 1, (batch,), generator=generator)
    target_lengths = torch.randint(least, targets + 1, (batch,), generator=generator)
    lengths[0], target_lengths[0] = steps, targets
    inputs = [torch.rand(batch, steps, targets, generator=generator, dtype=dtype)]
    inputs += [torch.rand(batch, size, generator=generator, dtype=dtype) if gaps else None for size in (steps, targets)]
    places = torch.arange(steps + 1)
    counted = (places <= lengths[:, None]) & (places >= least)
    ends = torch.rand(batch, steps + 1, generator=generator, dtype=dtype) * counted
    inputs[0][0, 0, -1] = torch.inf
    return [*inputs, ends, lengths, target_lengths]


def by_torch(inputs, recurrence):
    return (inputs[3] * last_column(*inputs[:3], *inputs[4:], recurrence)).sum(-1)


@needs_numba
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1, 1), (37, 9, 4), (16, 3, 12), (3, 1, 20), (3, 20, 1)])
def test_cpu_kernel_equals_torch_operations(kind, size):
    gaps, recurrence = KINDS[kind]
    inputs = problem(*size, gaps=gaps)
    sources = [each.requires_grad_() for each in inputs[:4] if each is not None]
    ours, theirs = solve(*inputs, recurrence), by_torch(inputs, recurrence)
    torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=1e-12)
    weights = torch.rand(size[0], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for one, other in zip(
        torch.autograd.grad((ours * weights).sum(), sources),
        torch.autograd.grad((theirs * weights).sum(), sources),
        strict=True,
    ):
        torch.testing.assert_close(one, other, atol=1e-12, rtol=1e-12)


@needs_numba
@needs_triton
def test_cuda_kernels_equal_the_cpu_kernel_in_triton_s_interpreter():
    # In a process of its own: the interpreter must be chosen before Triton is imported.
    environment = {**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    found = subprocess.run([sys.executable, __file__], env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert len(found.stdout.splitlines()) == 2 * 3 * len(KINDS)


def compare_cuda_with_cpu():
    from speller.train.distance import cuda_kernel
    from speller.train.distance import recurrence as module

    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 2e-5)):
        for size in ((3, 5, 4), (2, 1, 7), (2, 17, 3)):
            for kind, (gaps, options) in KINDS.items():
                inputs = problem(*size, gaps=gaps, dtype=dtype)
                rest = (options.gamma, options.swap, options.expected)
                wanted = module._sweep(*inputs, *rest, True)
                for with_gradients in (True, False):
                    found = [torch.zeros_like(each) for each in wanted]
                    cuda_kernel.sweep(*inputs, *rest, with_gradients, *found)
                    compared = zip(found, wanted, strict=True) if with_gradients else [(found[0], wanted[0])]
                    for ours, theirs in compared:
                        torch.testing.assert_close(ours, theirs, atol=tolerance, rtol=tolerance)
                print(dtype, size, kind)


@needs_triton
@pytest.mark.parametrize("direction", ["_forward", "_backward"])
@pytest.mark.parametrize("real", ["fp32", "fp64"])
def test_cuda_kernels_compile_without_a_gpu(direction, real):
    from triton import compile as compile_kernel
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource, make_backend
    from triton.runtime.jit import create_function_from_signature

    from speller.train.distance import cuda_kernel

    kernel, target = getattr(cuda_kernel, direction), GPUTarget("cuda", 90, 32)
    for kind, (gaps, recurrence) in KINDS.items():
        constants = {"with_gaps": gaps, "with_swap": recurrence.swap is not None}
        constants |= {"with_means": recurrence.expected, "block_rows": 32}
        if direction == "_forward":
            constants["with_weights"] = True
        kinds = {"lengths": "*i64", "target_lengths": "*i64", "factors": "*fp64", "steps": "i32", "targets": "i32"}
        signature = {name: kinds.get(name, f"*{real}") for name in kernel.arg_names}
        signature.update(dict.fromkeys(constants, "constexpr"))
        places = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
        source = ASTSource(fn=kernel, signature=signature, constexprs=places)
        compiled = compile_kernel(source, target=target, options={"num_warps": 1})
        assert compiled.asm["cubin"]
        (carried,) = re.findall(r"iter_args\((.*)\) ->", compiled.asm["ttgir"])
        assert carried.count("=") == CARRIED[direction][kind]
    # A launch binds the arguments by a function that Triton writes: not every name will do there.
    assert create_function_from_signature(kernel.signature, kernel.params, make_backend(target))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(37, 9, 4), (3, 70, 50)])
def test_cuda_equals_cpu(kind, size):
    gaps, recurrence = KINDS[kind]
    inputs = problem(*size, gaps=gaps)
    on_gpu = [None if each is None else each.cuda() for each in inputs]
    results = []
    for given in (inputs, on_gpu):
        sources = [each.requires_grad_() for each in given[:4] if each is not None]
        value = solve(*given, recurrence)
        results.append([value, *torch.autograd.grad(value.sum(), sources)])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(theirs.cpu(), ours, atol=1e-11, rtol=1e-11)


@pytest.mark.parametrize("gamma", [1e-4, 1e-2, 0.1, 10.0])
@pytest.mark.parametrize("length", [64, pytest.param(1000, marks=pytest.mark.slow)])
def test_float32_is_as_exact_as_the_docstrings_say(gamma, length):
    costs = torch.rand(2, length, length, generator=torch.Generator().manual_seed(length))
    functions = {
        "softmin": lambda costs: soft_alignment(costs, gamma=gamma),
        "swap": lambda costs: soft_alignment(costs, gamma=gamma, transposition=1.0),
        "expected": lambda costs: soft_alignment(costs, gamma=gamma, value="expected"),
        "expected with swap": lambda costs: soft_alignment(costs, gamma=gamma, transposition=1.0, value="expected"),
        "warping": lambda costs: soft_dtw(costs, gamma=gamma),
    }
    for name, function in functions.items():
        gradients = []
        for dtype in (torch.float32, torch.float64):
            given = costs.to(dtype).requires_grad_()
            gradients.append(torch.autograd.grad(function(given).sum(), given)[0].double())
        error = (gradients[0] - gradients[1]).abs().max().item()
        allowed = 2e-5 if "expected" not in name else 1e-4 if gamma >= 0.01 else 5e-3
        assert error < allowed, (name, error)


def test_under_torch_compile():
    log_probs = torch.randn(3, 5, 6, generator=torch.Generator().manual_seed(0)).log_softmax(2).requires_grad_()
    targets = torch.tensor([[2, 3], [4, 4], [5, 2]])

    def loss(log_probs):
        exact = edit_distance(log_probs.argmax(2), targets).sum()
        return soft_edit_distance(log_probs, targets, eos=1, transposition=True), exact

    # Whatever compiles the rest, these operators must be carried through whole, with their gradient.
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    for ours, theirs in zip(compiled(log_probs), loss(log_probs), strict=True):
        torch.testing.assert_close(ours, theirs)
    (ours,) = torch.autograd.grad(compiled(log_probs)[0], log_probs)
    (theirs,) = torch.autograd.grad(loss(log_probs)[0], log_probs)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("kind", KINDS)
def test_differentiable_distances_under_torch_compile(kind):
    gaps, options = KINDS[kind]
    costs = torch.rand(3, 5, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    lengths = torch.tensor([5, 2, 3])

    def loss(costs):
        if not gaps:
            return soft_dtw(costs, lengths=lengths, gamma=options.gamma).sum()
        value = "expected" if options.expected else "softmin"
        return soft_alignment(costs, lengths=lengths, transposition=options.swap, value=value).square().sum()

    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(costs), loss(costs))
    (ours,), (theirs,) = torch.autograd.grad(compiled(costs), costs), torch.autograd.grad(loss(costs), costs)
    torch.testing.assert_close(ours, theirs)


class _HostReads(TorchDispatchMode):
    # Counts how often a tensor's value is asked for, which on CUDA makes the host wait.
    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += function in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("wrong", [False, True])
def test_values_are_looked_at_once_in_a_call(wrong):
    lengths, log_probs = torch.tensor([4, 2]), torch.full((2, 4, 5), 0.2).log()
    costs, square = torch.zeros(2, 4, 4), torch.zeros(2, 4, 4)
    if wrong:
        lengths = lengths + 1
    both = {"lengths": lengths, "target_lengths": lengths}
    symbols = torch.full((2, 4), 2)
    calls = (
        lambda: soft_alignment(costs, torch.ones(2, 4), torch.ones(4), **both),
        lambda: soft_dtw(costs, **both),
        lambda: soft_dtw_divergence(costs, square, square, **both),
        lambda: soft_edit_distance(log_probs, symbols, eos=0, costs=Costs.unit(5), **both),
        lambda: soft_dtw_distance(log_probs, symbols, eos=0, **both),
        lambda: edit_distance(symbols, symbols, a_lengths=lengths, b_lengths=lengths),
    )
    for call in calls:
        with _HostReads() as reads:
            if wrong:
                with pytest.raises(ValueError, match="lengths must lie between"):
                    call()
                assert reads.count > 1  # to say what is wrong: so they are counted here
            else:
                call()
                assert reads.count == 1


@needs_numba
@pytest.mark.parametrize("batch", [1, 16, 33, 150])
def test_many_threads_do_every_block(batch, monkeypatch):
    inputs = problem(batch, 5, 4, gaps=True)
    sources = [each.requires_grad_() for each in inputs[:4]]

    def solution():
        value = solve(*inputs, Recurrence(0.3))
        return value, *torch.autograd.grad(value.square().sum(), sources)

    alone = solution()
    monkeypatch.setattr("speller.train.distance.compiled.CELLS_PER_THREAD", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    for _ in range(5):
        assert all(map(torch.equal, solution(), alone))


def test_several_threads_of_the_caller_at_once():
    costs = torch.rand(64, 30, 30)
    wanted = soft_dtw(costs)
    found = [torch.empty(0)] * 4

    def work(place):
        for _ in range(5):
            found[place] = soft_dtw(costs)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(each, wanted) for each in found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_after_a_fork():
    # As in a DataLoader's worker: the parent's threads do not exist there. So few elements
    # that torch does not use threads of its own, which would not outlive the fork.
    script = (
        "import os, torch; torch.set_num_threads(2); from speller.train.distance import compiled, soft_dtw\n"
        "compiled.CELLS_PER_THREAD = 1\n"
        "costs = torch.rand(64, 10, 10); wanted = soft_dtw(costs); child = os.fork()\n"
        "if child == 0: os._exit(0 if torch.equal(soft_dtw(costs), wanted) else 1)\n"
        "raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=120, check=False).returncode == 0


def test_works_without_numba_and_triton():
    script = (
        "import sys; sys.modules['numba'] = sys.modules['triton'] = None\n"
        "import torch; from speller.train.distance import edit_distance, soft_alignment\n"
        "costs = torch.rand(2, 3, 4, requires_grad=True); soft_alignment(costs).sum().backward()\n"
        "assert costs.grad.abs().sum() > 0\n"
        "assert edit_distance(torch.tensor([[1, 2]]), torch.tensor([[2, 2, 3]])).tolist() == [2]"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_importing_is_light():
    script = "import sys, speller.train.distance; raise SystemExit('numba' in sys.modules or 'triton' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


if __name__ == "__main__":
    compare_cuda_with_cpu()
