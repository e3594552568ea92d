"""What a sweep of the learning rate tells: where the loss falls, where it oscillates and where it breaks."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST = 20
"""Steps, below which a sweep tells nothing."""

FALLEN = 0.1
"""The loss falls from where it has fallen by this share of its whole fall."""

LEAP = 0.3
"""It oscillates from where a step takes back this share of its whole fall."""

CLEAR = 3.0
"""A fall of so many standard errors is no chance."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """Losses at learning rates that rise from step to step, and what they show.

    Attributes:
        rates: ``(steps,)``, rising.
        losses: ``(steps,)``, how much higher the loss of each step's batch is than it was with the weights that the
            sweep began with.

    Raises:
        ValueError: for fewer than 20 steps, rates that do not rise, or a loss that is not finite.
    """

    rates: Floats
    losses: Floats

    def __post_init__(self) -> None:
        if not self.rates.shape == self.losses.shape == (len(self.rates),):
            raise ValueError(f"each rate has one loss, not {self.rates.shape} rates {self.losses.shape} losses")
        if len(self.rates) < FEWEST:
            raise ValueError(f"a sweep takes {FEWEST} steps at least, and broke after {len(self.rates)}")
        if not (self.rates[0] > 0 and (np.diff(self.rates) > 0).all()):
            raise ValueError("the rates of a sweep are above 0 and rise")
        if not np.isfinite(self.losses).all():
            raise ValueError("the losses of a sweep are finite: it ends where they cease to be")

    @property
    def window(self) -> int:
        """Over how many steps losses are averaged: an odd number."""
        return len(self.rates) // 40 * 2 + 1

    @cached_property
    def smooth(self) -> Floats:
        """The losses' mean over the steps around each: ``(steps,)``."""
        ones = np.ones(self.window)
        sums, counts = (np.convolve(each, ones, mode="same") for each in (self.losses, np.ones_like(self.losses)))
        return np.asarray(sums / counts)

    @cached_property
    def lowest(self) -> int:
        """The step with the lowest smooth loss."""
        return int(self.smooth.argmin())

    @cached_property
    def depth(self) -> float:
        """How far the smooth loss falls.

        Raises:
            ValueError: if no more than chance would have it.
        """
        fall = -float(self.smooth[self.lowest])
        off = (self.losses - self.smooth)[: self.lowest + 1]
        if not fall > CLEAR * float(off.std()) / self.window**0.5:
            raise ValueError(
                f"the loss falls at no learning rate between {self.rates[0]:.0e} and {self.rates[-1]:.0e}: nothing to "
                "propose; the weights that it starts from may be as good as this objective gets them"
            )
        return fall

    @cached_property
    def falls(self) -> int:
        """The first step at which the loss has fallen by a tenth of its whole fall."""
        return int((self.smooth <= -FALLEN * self.depth).argmax())

    @property
    def proposed(self) -> float:
        """The rate that is proposed: halfway, by ratio, from where the loss begins to fall to where it is lowest.

        With the lowest one's rate a run would go well for its first steps only.
        """
        return float(np.sqrt(self.rates[self.falls] * self.rates[self.lowest]))

    @cached_property
    def oscillates(self) -> int | None:
        """The first step that takes back three tenths of the whole fall; none if none does."""
        leaps = self.losses > np.minimum.accumulate(self.smooth) + LEAP * self.depth
        leaps[: self.falls] = False
        return int(leaps.argmax()) if leaps.any() else None

    @cached_property
    def breaks(self) -> int | None:
        """The first step after the lowest one at which the smooth loss is back where it began; none if it never is."""
        back = self.smooth[self.lowest :] >= 0
        return self.lowest + int(back.argmax()) if back.any() else None

    def __str__(self) -> str:
        """The proposed rate and what the others do, in a line."""
        told = [f"falls from {self.rates[self.falls]:.1e}"]
        told += [
            f"{does} from {self.rates[step]:.1e}"
            for does, step in (("oscillates", self.oscillates), ("breaks", self.breaks))
            if step is not None
        ]
        return f"learning rate {self.proposed:.1e}: the loss {', '.join(told)}"
