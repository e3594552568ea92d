"""Options that several subcommands have."""

import click

from speller.corrector import MIN_PROBABILITY

MODEL = "A model that ships, or a model's folder."

model_option = click.option("--model", default="en", show_default=True, help=MODEL)
device_option = click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="Where the model runs."
)
min_probability_option = click.option(
    "--min-probability",
    type=click.FloatRange(0, 1),
    default=MIN_PROBABILITY,
    show_default=True,
    help="Correct an unknown word where its best suggestion is at least this probable.",
)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="So many processes share the work; one alone uses up to 4 cores for what is misspelled.",
)

project_model_option = click.option("--model", help=f"{MODEL}  [default: the project's, or en]")
project_min_probability_option = click.option(
    "--min-probability",
    type=click.FloatRange(0, 1),
    help="Correct an unknown word where its best suggestion is at least this probable."
    f"  [default: the project's, or {MIN_PROBABILITY}]",
)
dictionary_option = click.option(
    "--dictionary",
    "dictionaries",
    multiple=True,
    type=click.Path(),
    help="Words of your own, one a line, each with its Zipf frequency if you like; may be repeated.",
)


def check_jobs(jobs: int, device: str) -> None:
    """See that several processes are not to share one GPU.

    Raises:
        click.UsageError: they are.
    """
    if jobs > 1 and device != "cpu":
        raise click.UsageError(f"--jobs is for the CPU; one process keeps --device {device} busy")
