"""What TensorBoard shows of a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter


class Correction(NamedTuple):
    """What the model made of one held-out misspelling."""

    wrong: str
    written: str
    right: str


class Monitor:
    """Writes a run's scalars and sample corrections where ``tensorboard --logdir`` finds them.

    Args:
        folder: the run's folder.
        step: the step that the run starts or goes on from; what an earlier try wrote past it is hidden.
    """

    def __init__(self, folder: Path, *, step: int) -> None:
        self._writer = SummaryWriter(str(folder), purge_step=step)

    def scalars(self, step: int, values: Mapping[str, float | Tensor]) -> None:
        """Show one number under each name, ``group/name``."""
        for name, value in values.items():
            self._writer.add_scalar(name, float(value), step)

    def corrections(self, step: int, corrections: Sequence[Correction]) -> None:
        """Show a table of sample corrections."""
        rows = (
            f"| {wrong} | {written} | {right} | {'✓' if written == right else ''} |"
            for wrong, written, right in corrections
        )
        table = "\n".join(("| misspelt | written | right | |", "| --- | --- | --- | --- |", *rows))
        self._writer.add_text("held-out/corrections", table, step)

    def close(self) -> None:
        """Write out what is not yet written."""
        self._writer.close()
