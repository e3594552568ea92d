"""Charts as SVG elements for a page: the page's style sheet gives them their colours, by day and by night."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

WIDTH, HEIGHT = 440, 300
LEFT, RIGHT, TOP, BOTTOM = 40, 14, 28, 54

COLORS = 10
"""So many systems have a colour of their own."""

SHAPES: Sequence[Sequence[tuple[float, float]]] = (
    ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    ((0, -1.25), (1.2, 0.9), (-1.2, 0.9)),
    ((0, -1.35), (1.35, 0), (0, 1.35), (-1.35, 0)),
    ((0, 1.25), (1.2, -0.9), (-1.2, -0.9)),
    ((-1.3, 0), (-0.4, -1.1), (1, -0.7), (1, 0.7), (-0.4, 1.1)),
)
"""Corners of the marks around their middle, for a size of 1; the first system's mark is a circle."""


@dataclass(frozen=True)
class Scale:
    """Where values stand along an axis, whose ends are ``low`` and ``high``."""

    low: float
    high: float
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """How far along the axis a value is: from 0 to 1."""
        low, high, here = (self.low, self.high, value)
        if self.logarithmic:
            low, high, here = math.log(low), math.log(high), math.log(value)
        return (here - low) / (high - low)


class Chart:
    """One chart in a frame of ``WIDTH`` by ``HEIGHT``.

    Args:
        name: what it shows, for those who cannot see it.
        across, up: what the axes are.
        x, y: their scales.
    """

    def __init__(self, name: str, *, across: str, up: str, x: Scale, y: Scale) -> None:
        self._x, self._y = x, y
        self._root = ElementTree.Element("svg", {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img", "aria-label": name})
        middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
        self._text(middle, HEIGHT - 6, across, kind="label", anchor="middle")
        self._text(0, 11, up, kind="label", anchor="start")

    def across(self, value: float) -> float:
        """Where a value stands from the left."""
        return LEFT + self._x.share(value) * (WIDTH - LEFT - RIGHT)

    def up(self, value: float) -> float:
        """Where a value stands from the top."""
        return HEIGHT - BOTTOM - self._y.share(value) * (HEIGHT - TOP - BOTTOM)

    def grid(self, ticks: Sequence[float], labels: Sequence[str]) -> None:
        """Lines across, with their values."""
        for tick, label in zip(ticks, labels, strict=True):
            self._add("line", kind="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=self.up(tick), y2=self.up(tick))
            self._text(LEFT - 7, self.up(tick) + 4, label, kind="tick", anchor="end")

    def ticks(self, places: Sequence[float], labels: Sequence[str], *, notes: Sequence[str] = ()) -> None:
        """Values below, and under each a note."""
        for place, label in zip(places, labels, strict=True):
            self._text(self.across(place), HEIGHT - BOTTOM + 16, label, kind="tick", anchor="middle")
        for place, note in zip(places, notes, strict=bool(notes)):
            self._text(self.across(place), HEIGHT - BOTTOM + 29, note, kind="note", anchor="middle")

    def bar(self, place: float, value: float, *, shift: float, width: float, kind: str, tip: str) -> None:
        """A bar up to a value, ``shift`` to the right of its place."""
        x, y = self.across(place) + shift, self.up(value)
        height = self.up(self._y.low) - y
        bar = self._add("rect", kind=kind, x=x - width / 2, y=y, width=width, height=height, rx=1.5)
        ElementTree.SubElement(bar, "title").text = tip

    def line(self, points: Sequence[tuple[float, float]], *, kind: str) -> None:
        """A line through points."""
        path = " ".join(f"{self.across(x):.1f},{self.up(y):.1f}" for x, y in points)
        self._add("polyline", kind=kind, points=path)

    def mark(
        self,
        x: float,
        y: float,
        *,
        system: int,
        tip: str,
        shift: float = 0,
        size: float = 4,
        interval: tuple[float, float] | None = None,
    ) -> None:
        """A system's mark at a point, ``shift`` to the right of it, with the interval of its height."""
        across, up = self.across(x) + shift, self.up(y)
        group = self._add("g", kind=color(system))
        ElementTree.SubElement(group, "title").text = tip
        if interval:
            ends = [f"{self.up(end):.1f}" for end in interval]
            places = {"x1": f"{across:.1f}", "x2": f"{across:.1f}", "y1": ends[0], "y2": ends[1]}
            ElementTree.SubElement(group, "line", {"class": "interval", **places})
        group.append(mark(system, across, up, size))

    def name(self, x: float, y: float, text: str, *, left: bool, shift: float) -> None:
        """A mark's name beside it, ``shift`` below its height."""
        across = self.across(x) + (-9 if left else 9)
        self._text(across, self.up(y) + 4 + shift, text, kind="name", anchor="end" if left else "start")

    def svg(self) -> str:
        """The element."""
        return ElementTree.tostring(self._root, encoding="unicode")

    def _text(self, x: float, y: float, text: str, *, kind: str, anchor: str) -> None:
        element = self._add("text", kind=kind, x=x, y=y)
        element.set("text-anchor", anchor)
        element.text = text

    def _add(self, tag: str, *, kind: str, **attributes: float | str) -> ElementTree.Element:
        plain = {name: value if isinstance(value, str) else f"{value:.1f}" for name, value in attributes.items()}
        return ElementTree.SubElement(self._root, tag, {"class": kind, **plain})


def color(system: int) -> str:
    """The style sheet's class of a system's colour."""
    return f"c{system % COLORS}"


def mark(system: int, x: float, y: float, size: float) -> ElementTree.Element:
    """A system's mark: a circle for the first, and shapes of their own for the others."""
    if not system:
        return ElementTree.Element("circle", {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": f"{size * 1.15:.1f}"})
    shape = SHAPES[(system - 1) % len(SHAPES)]
    points = " ".join(f"{x + size * across:.1f},{y + size * down:.1f}" for across, down in shape)
    return ElementTree.Element("polygon", {"points": points})


def key(system: int) -> str:
    """A system's mark alone, for a legend."""
    root = ElementTree.Element("svg", {"viewBox": "0 0 14 14", "class": f"key {color(system)}", "aria-hidden": "true"})
    root.append(mark(system, 7, 7, 4.4))
    return ElementTree.tostring(root, encoding="unicode")
