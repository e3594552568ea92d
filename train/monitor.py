"""What TensorBoard shows of a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped, unused-ignore]
from tensorboard.plugins.hparams import (  # type: ignore[import-untyped, unused-ignore]
    api_pb2,
    metadata,
    plugin_data_pb2,
    summary_v2,
)
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from speller.train.pictures import render

PROJECTOR = "projector"
"""The folder, inside the run's, of what the Projector shows."""

CONFIG = "projector_config.pbtxt"
"""The name under which TensorBoard looks for the Projector's settings."""


class Correction(NamedTuple):
    """What the model made of one held-out misspelling."""

    wrong: str
    written: str
    right: str


class Point(NamedTuple):
    """A word in the Projector."""

    word: str
    length: int
    error: str
    meant: str


class Monitor:
    """Writes what a run shows where ``tensorboard --logdir`` finds it.

    Args:
        folder: the run's folder.
        step: the first step that is shown anew; what an earlier try wrote of it and of those after it is hidden.
    """

    def __init__(self, folder: Path, *, step: int) -> None:
        self._folder = folder
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

    def picture(self, step: int, name: str, figure: Figure) -> None:
        """Show a picture, ``group/name``."""
        self._writer.add_image(name, render(figure), step, dataformats="HWC")

    def settings(
        self, values: Mapping[str, str | float], *, compared: Sequence[str], metrics: Mapping[str, str]
    ) -> None:
        """Show what decided the run in the HParams tab, in a column each; of several runs the first names the columns.

        Args:
            values: the settings by name.
            compared: which of them are shown first.
            metrics: the scalars of the run beside them, whose last values are shown: tags and what they are called.
        """
        experiment = api_pb2.Experiment(
            hparam_infos=[api_pb2.HParamInfo(name=name, differs=name in compared) for name in values],
            metric_infos=[
                api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag), display_name=name) for tag, name in metrics.items()
            ],
        )
        columns = Summary.Value(
            tag=metadata.EXPERIMENT_TAG,
            metadata=metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(experiment=experiment)),
            tensor=metadata.NULL_TENSOR,
        )
        row = summary_v2.hparams_pb(dict(values), trial_id=str(self._folder))
        # In the run's own file: a folder beside it would show as another run.
        for summary in (Summary(value=[columns]), row):
            self._writer.file_writer.add_summary(summary)  # type: ignore[attr-defined]

    def points(self, states: Tensor, points: Sequence[Point]) -> None:
        """Show words in the Projector, in the place of what it showed of this run before.

        Args:
            states: ``(words, width)``.
            points: what to tell of each word.
        """
        folder = self._folder / PROJECTOR
        folder.mkdir(exist_ok=True)
        np.savetxt(folder / "states.tsv", states.float().cpu().numpy(), fmt="%.4g", delimiter="\t")
        lines = ["\t".join(map(str, row)) + "\n" for row in (Point._fields, *points)]
        (folder / "words.tsv").write_text("".join(lines), encoding="utf-8")
        stated = {"tensor_name": "encoder", "tensor_path": f"{PROJECTOR}/states.tsv"}
        stated |= {"metadata_path": f"{PROJECTOR}/words.tsv"}
        inside = "".join(f'  {name}: "{value}"\n' for name, value in stated.items())
        (self._folder / CONFIG).write_text(f"embeddings {{\n{inside}}}\n", encoding="utf-8")

    def flush(self) -> None:
        """Write out what is not yet written, so that nothing is lost where the run is killed."""
        self._writer.flush()

    def close(self) -> None:
        """Write out what is not yet written, and end."""
        self._writer.close()
