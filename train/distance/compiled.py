"""What compiled functions share: how they are compiled, their threads, and exp and log that vectorise.

Compiled functions are kept on disk by the date of their own file: after a change here, touch the kernels' files too.
"""

import functools
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar, cast

import numba  # type: ignore[import-untyped, unused-ignore]
import numpy as np
import torch
from numba.extending import overload, register_jitable  # type: ignore[import-untyped, unused-ignore]

Function = TypeVar("Function", bound=Callable[..., Any])

LANES = 16
"""How many pairs a block has: the innermost loops run over them, and a vector register of float32 holds 16 at most."""

CELLS_PER_THREAD = 30_000
"""Below so many cells, a further thread costs more than it saves."""


def compiled(function: Function) -> Function:
    """Compiles a function at its first call, and keeps the machine code on disk where there is a place for it."""
    compiler = partial(numba.njit, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
    try:
        return cast(Function, compiler(cache=True)(function))
    except RuntimeError:  # neither beside the function's file nor in the user's cache may anything be written
        return cast(Function, compiler()(function))


def run_blocks(kernel: Callable[..., None], arguments: tuple[Any, ...], batch: int, cells: int) -> None:
    """Runs ``kernel(first, last, *arguments)`` until all blocks of a batch are done, on torch's number of threads.

    Args:
        kernel: a compiled function that does the blocks from the first up to the last, which it leaves out.
        arguments: its further arguments.
        batch: the number of pairs.
        cells: how many cells each has.
    """
    blocks = -(-batch // LANES)
    threads = max(1, min(torch.get_num_threads(), blocks, blocks * LANES * cells // CELLS_PER_THREAD))
    if threads == 1:
        return kernel(0, blocks, *arguments)
    # Whoever is free takes the next blocks: a thread that others keep from running holds nobody up.
    portion = -(-blocks // (4 * threads))
    portions = iter(range(0, blocks, portion))

    def work() -> None:
        for first in portions:
            kernel(first, min(first + portion, blocks), *arguments)

    others = [_pool(os.getpid(), threads).submit(work) for _ in range(1, threads)]
    work()
    for other in others:
        if not other.cancel():
            other.result()


@functools.cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    # Not numba's own threads: those end a process that forks, as a DataLoader does. A forked process gets its own pool.
    return ThreadPoolExecutor(threads - 1, thread_name_prefix="speller-distance")


def exponential(x: float) -> float:
    """e^x for x <= 0, exactly 0 where the type has no normal number for it; known to compiled code alone."""
    return math.exp(x)


def logarithm(x: float) -> float:
    """log x for 1 <= x <= 4; known to compiled code alone."""
    return math.log(x)


@overload(exponential, jit_options={"fastmath": {"contract"}})  # type: ignore[untyped-decorator, unused-ignore]
def _exponential(x: Any) -> Callable[[Any], Any]:
    # A Taylor series on |x| <= log(2)/2 and a power of two written into the exponent's bits: no call, so it vectorises.
    single = x.bitwidth == 32
    real = np.float32 if single else np.float64
    mantissa, degree, lowest = (23, 7, real(-87)) if single else (52, 13, real(-708))
    rounding = real(1.5 * 2**mantissa)  # adding it leaves the nearest integer in the low bits
    per_octave = real(1 / math.log(2))
    octave_high = real(math.floor(math.log(2) * 2**12) / 2**12)
    octave_low = real(math.log(2) - float(octave_high))
    series = tuple(real(1 / math.factorial(power)) for power in range(degree, -1, -1))
    power_of_two = _power_of_two_32 if single else _power_of_two_64

    def implementation(x: Any) -> Any:
        shifted = x * per_octave + rounding
        octaves = shifted - rounding
        rest = (x - octaves * octave_high) - octaves * octave_low
        result = series[0]
        for coefficient in series[1:]:
            result = result * rest + coefficient
        return result * power_of_two(shifted) if x > lowest else real(0)

    return implementation


@register_jitable
def _power_of_two_32(shifted: Any) -> Any:
    return np.int32((np.float32(shifted).view(np.int32) + 127) << 23).view(np.float32)


@register_jitable
def _power_of_two_64(shifted: Any) -> Any:
    return np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)


@overload(logarithm, jit_options={"fastmath": {"contract"}})  # type: ignore[untyped-decorator, unused-ignore]
def _logarithm(x: Any) -> Callable[[Any], Any]:
    # log x = 2 artanh((x - 1) / (x + 1)), after halving x until it is at most the root of 2.
    single = x.bitwidth == 32
    real = np.float32 if single else np.float64
    one, half, quarter = real(1), real(0.5), real(0.25)
    root, root_of_8 = real(math.sqrt(2)), real(math.sqrt(8))
    octave, two_octaves = real(math.log(2)), real(math.log(4))
    series = tuple(real(2 / power) for power in range(11 if single else 23, 0, -2))

    def implementation(x: Any) -> Any:
        scale = quarter if x > root_of_8 else (half if x > root else one)
        octaves = two_octaves if x > root_of_8 else (octave if x > root else real(0))
        x = x * scale
        ratio = (x - one) / (x + one)
        square = ratio * ratio
        result = series[0]
        for coefficient in series[1:]:
            result = result * square + coefficient
        return result * ratio + octaves

    return implementation
