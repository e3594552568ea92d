"""A checkpoint: weights, optimiser and step in one safetensors file, so that a run goes on exactly where it stopped."""

import os
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn


class Done(NamedTuple):
    """How far a run has come.

    Attributes:
        step: how many steps are done.
        seconds: how long they took, over all its sittings.
        hardware: what they ran on, in words, one machine after the other.
    """

    step: int
    seconds: float
    hardware: str


def save_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, done: Done) -> None:
    """Write a checkpoint; a run that is killed meanwhile leaves the old one or the new one."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        tensors |= {f"optimizer.{part}.{name}": value for part, value in optimizer.state.get(parameter, {}).items()}
    write_tensors(path, tensors, step=str(done.step), seconds=str(done.seconds), hardware=done.hardware)


def load_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> Done:
    """Put a checkpoint back into a model and its optimiser.

    Returns:
        how far the run had come.

    Raises:
        ValueError: for a file that is cut off, no checkpoint, or one of another model.
    """
    tensors, metadata = read_tensors(path)
    model_state = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    moments: dict[int, dict[str, Tensor]] = {}
    number = {name: place for place, (name, _) in enumerate(model.named_parameters())}
    try:
        put_weights(model_state, model)
        for key, value in tensors.items():
            if key.startswith("optimizer."):
                _, part, name = key.split(".", 2)
                moments.setdefault(number[name], {})[part] = value
        optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
        return Done(int(metadata["step"]), float(metadata["seconds"]), metadata["hardware"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise ValueError(f"{path}: a checkpoint of another model: {error}") from None


def write_tensors(path: Path, tensors: dict[str, Tensor], **metadata: str) -> None:
    """Write named tensors to a safetensors file, in one move."""
    partial = path.with_name(path.name + ".partial")
    # What safetensors writes to a file itself, its owner alone may read.
    partial.write_bytes(save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, metadata))
    os.replace(partial, path)


def put_weights(weights: dict[str, Tensor], model: nn.Module) -> None:
    """Put weights by their names into a model.

    Raises:
        ValueError: for those of a model of another shape; the message says how they differ.
    """
    wanted, given = ({name: tuple(each.shape) for name, each in some.items()} for some in (model.state_dict(), weights))
    differing = [
        f"{name} {given.get(name, 'missing')}, not {wanted.get(name, 'there')}"
        for name in sorted(wanted | given)
        if given.get(name) != wanted.get(name)
    ]
    if differing:
        more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
        raise ValueError(f"one with another cell, size or alphabet ({differing[0]}{more})")
    model.load_state_dict(weights)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a safetensors file.

    Raises:
        ValueError: for a file that is missing, cut off or something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in sorted(file.keys())}, file.metadata() or {}
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file") from None
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path}: not a whole safetensors file: {error}") from None
