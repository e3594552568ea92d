"""``speller completion``: what a shell needs to complete this command."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what completes this command in a SHELL.

    For bash: eval "$(speller completion bash)" in ~/.bashrc; for zsh the same in ~/.zshrc; for fish: speller completion
    fish > ~/.config/fish/completions/speller.fish
    """
    completes = get_completion_class(shell)
    root = context.find_root()
    if completes is None:
        raise ValueError(f"no completion for {shell} in the installed version of click")
    click.echo(completes(root.command, {}, "speller", "_SPELLER_COMPLETE").source())
