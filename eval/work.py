"""The work of training: processor time, in steps of cross-entropy."""

from collections.abc import Callable
from time import process_time

STEPS_BETWEEN_CALIBRATIONS = 3


class WorkMeter:
    """Counts what a run's steps cost, as a multiple of what cross-entropy steps cost on the same batches.

    Seconds say little on a shared machine: the same step takes more of them while others work, even processor seconds.
    So every few steps the run's own step and one of cross-entropy are timed next to each other, on one batch; batches
    differ in length, but both see the same ones. Each step adds the ratio of the two sums so far. What the calibration
    itself costs is not counted, nor is drawing the batches.

    Attributes:
        steps: how many there were so far.
        work: what they cost, in steps of cross-entropy.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.work = 0.0
        self._own = self._reference = 0.0

    def step(self, own: Callable[[], object], reference: Callable[[], object]) -> None:
        """Do a step of the run, and where it is time to calibrate, one of cross-entropy before it."""
        if self.steps % STEPS_BETWEEN_CALIBRATIONS:
            own()
        else:
            self._reference += processor_seconds(reference)
            self._own += processor_seconds(own)
        self.steps += 1
        self.work += self._own / self._reference


def processor_seconds(action: Callable[[], object]) -> float:
    """How long all of this process's threads together were at work on an action."""
    started = process_time()
    action()
    return process_time() - started
