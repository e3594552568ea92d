"""The pictures of a run, drawn with matplotlib's figures alone: none of pyplot's state, none of its windows."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from speller.train.alignments import Alignment
from speller.train.gradient_flow import slope
from speller.train.sweep import Sweep

COLORS = ("#0072b2", "#d55e00", "#009e73")
"""Okabe and Ito's, told apart with any colour vision."""

START, END = "▸", "◂"
"""What stands for the direction symbol, which starts a word, and for its end."""

SHADED = (COLORS[2], "#e69f00", COLORS[1])
"""Where the loss falls, oscillates and is broken."""

SHADES = "Blues"
DOTS = 110
"""Per inch: what TensorBoard shows at its own size."""

FAINTEST, STRONGEST = 1e-12, 1e3
"""What the axis of a gradient's norm spans, the same in all pictures, so that one can leaf through them."""


def render(figure: Figure) -> NDArray[np.uint8]:
    """The figure's pixels ``(height, width, 3)``."""
    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        # A script that the font lacks is drawn as boxes; nobody need be told in each of the run's steps.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]


def draw_alignment(alignment: Alignment) -> Figure:
    """One pair's attention, its edit distance's alignment, and that of what is written: white is 0, dark blue 1."""
    figure = Figure(figsize=(8.6, 3.6), dpi=DOTS)
    figure.subplots_adjust(left=0.065, right=0.985, bottom=0.15, top=0.8, wspace=0.24)
    wrong, right, written = alignment.wrong, alignment.right, alignment.written
    verdict = "right" if written == right else f"for {right}"
    figure.suptitle(f"{wrong} → {written or '(nothing)'}, {verdict}", fontsize=15)
    panels: list[tuple[str, Tensor, Sequence[str], Sequence[str], str, str]] = [
        ("attention", alignment.attention, [*right, END], [START, *wrong], "to be written", "read"),
        ("the pair's alignment", alignment.edits, right, wrong, "right", "misspelt"),
        ("what it writes, aligned", alignment.reached, written, right, "written", "right"),
    ]
    for axes, (title, values, rows, columns, up, across) in zip(figure.subplots(1, 3), panels, strict=True):
        _matrix(axes, values, rows, columns)
        axes.set_title(title, fontsize=12)
        axes.set_xlabel(across)
        axes.set_ylabel(up)
    return figure


def _matrix(axes: Axes, values: Tensor, rows: Sequence[str], columns: Sequence[str]) -> None:
    shown = values.numpy() if values.numel() else np.zeros((1, len(columns)))
    axes.imshow(shown, cmap=SHADES, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    size = 11 if max(len(rows), len(columns)) <= 16 else 7
    for set_ticks, names in ((axes.set_yticks, rows), (axes.set_xticks, columns)):
        set_ticks(range(len(names)), labels=names, fontsize=size)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_color("#bbbbbb")


def draw_flow(flows: Mapping[str, Tensor], *, title: str) -> Figure:
    """The gradient's norm against the lag, each recurrence a line, as a share of its norm at the last step."""
    figure = Figure(figsize=(7.5, 4.8), dpi=DOTS)
    figure.subplots_adjust(left=0.13, right=0.97, bottom=0.12, top=0.92)
    axes = figure.subplots()
    for (name, norms), color in zip(flows.items(), COLORS, strict=True):
        found = norms.double().numpy()
        logs = np.log10(np.maximum(found, np.finfo(float).tiny)) - np.log10(np.maximum(found[:, :1], 1e-300))
        lags = np.arange(logs.shape[1])
        low, middle, high = np.nanpercentile(logs, (10, 50, 90), axis=0)
        label = f"{name.replace('-', ', ')}: × {np.exp(slope(norms)):.2f} a step"
        axes.plot(lags, 10.0**middle, color=color, linewidth=2, label=label)
        axes.fill_between(lags, 10.0**low, 10.0**high, color=color, alpha=0.15, linewidth=0)
    axes.axhline(1, color="#888888", linewidth=0.8, linestyle=":")
    axes.set_yscale("log")
    axes.set_ylim(FAINTEST, STRONGEST)
    axes.set_xlim(0)
    axes.set_xlabel("steps before the last one")
    axes.set_ylabel("norm of the loss's gradient by the state,\nas a share of that at the last step")
    axes.set_title(title, fontsize=12)
    axes.grid(color="#e5e5e5", linewidth=0.6)
    axes.legend(loc="lower left", frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure


def draw_sweep(sweep: Sweep, *, title: str) -> Figure:
    """The change of the loss against the learning rate, with what the sweep shows and proposes."""
    figure = Figure(figsize=(8, 4.8), dpi=DOTS)
    figure.subplots_adjust(left=0.1, right=0.97, bottom=0.12, top=0.85)
    axes = figure.subplots()
    axes.plot(sweep.rates, sweep.losses, color="#999999", linewidth=0.8, label="one step")
    axes.plot(sweep.rates, sweep.smooth, color=COLORS[0], linewidth=2, label=f"mean of {sweep.window} steps")
    axes.axhline(0, color="#888888", linewidth=0.8, linestyle=":")
    places = [("falls", sweep.falls), ("oscillates", sweep.oscillates), ("breaks", sweep.breaks)]
    starts = [(name, float(sweep.rates[step])) for name, step in places if step is not None]
    ends = [rate for _, rate in starts[1:]] + [float(sweep.rates[-1])]
    for (name, rate), end, shade in zip(starts, ends, SHADED, strict=False):
        axes.axvspan(rate, max(rate, end), color=shade, alpha=0.12, linewidth=0)
        place = (rate * max(rate, end)) ** 0.5
        height = 1.045 if name == "oscillates" else 1.0  # the spans may be narrower than their names
        axes.text(place, height, name, transform=axes.get_xaxis_transform(), ha="center", va="bottom", fontsize=9)
    axes.axvline(sweep.proposed, color=COLORS[1], linewidth=1.5, label=f"proposed: {sweep.proposed:.1e}")
    axes.set_xscale("log")
    axes.set_xlim(sweep.rates[0], sweep.rates[-1])
    # What comes after the break would flatten all that came before.
    axes.set_ylim(-1.3 * sweep.depth, 1.3 * sweep.depth)
    axes.set_xlabel("learning rate")
    axes.set_ylabel("change of the loss")
    axes.set_title(title, fontsize=12, pad=28)
    axes.grid(color="#e5e5e5", linewidth=0.6)
    axes.legend(loc="upper left", frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure
