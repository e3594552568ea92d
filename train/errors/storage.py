"""An error model in a file of plain arrays (safetensors)."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file
from safetensors.numpy import save as save_arrays

from speller.alphabet import Alphabet
from speller.train.errors.graphones import Graphone
from speller.train.errors.rewrites import Rewrites
from speller.train.errors.sounds import SoundEdits
from speller.train.errors.substrings import SubstringEdits


def save(
    path: str | Path,
    alphabet: Alphabet,
    substrings: SubstringEdits,
    far_substrings: SubstringEdits,
    sounds: SoundEdits,
) -> None:
    """Write the parts of an error model."""
    aligned = sounds.aligned
    graphones = [graphone for graphones in aligned.values() for graphone in graphones]
    units = list(sounds.met)
    numbers = {unit: number for number, unit in enumerate(units)}
    miswritten = [
        (numbers[unit], written, count) for unit, ways in sounds.miswritten.items() for written, count in ways.items()
    ]
    arrays = {
        "characters": _packed([alphabet.characters]),
        **_substring_arrays("near", substrings),
        **_substring_arrays("far", far_substrings),
        "aligned.words": _packed(aligned),
        "aligned.sizes": np.array([len(graphones) for graphones in aligned.values()], np.int64),
        "aligned.spans": np.array([graphone.span for graphone in graphones], np.int64),
        "aligned.sounds": _packed(" ".join(graphone.sounds) for graphone in graphones),
        "unit.sounds": _packed(" ".join(sounds) for sounds, _ in units),
        "unit.letters": _packed(letters for _, letters in units),
        "unit.met": np.array(list(sounds.met.values()), np.int64),
        "miswritten.unit": np.array([unit for unit, _, _ in miswritten], np.int64),
        "miswritten.written": _packed(written for _, written, _ in miswritten),
        "miswritten.count": np.array([count for _, _, count in miswritten], np.int64),
    }
    Path(path).write_bytes(save_arrays(arrays))


def load(path: str | Path) -> tuple[Alphabet, SubstringEdits, SubstringEdits, SoundEdits]:
    """Read what ``save`` wrote.

    Raises:
        ValueError: the file is missing, cut off, or no error model.
    """
    try:
        arrays = load_file(path)
        (characters,) = _unpacked(arrays["characters"])
        substrings, far_substrings = (_substring_edits(name, arrays) for name in ("near", "far"))
        return Alphabet(characters), substrings, far_substrings, _sound_edits(arrays)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{path}: not an error model: {error}") from None


def _substring_arrays(name: str, substrings: SubstringEdits) -> dict[str, NDArray[np.generic]]:
    rewrites = substrings.rewrites
    return {
        f"{name}.keys": substrings.keys,
        f"{name}.met": substrings.met,
        f"{name}.numbers": substrings.numbers,
        f"{name}.spans": rewrites.spans.astype(np.int8),
        f"{name}.offsets": rewrites.offsets,
        f"{name}.written": rewrites.written.astype(np.int32),
        f"{name}.weights": rewrites.weights,
    }


def _substring_edits(name: str, arrays: dict[str, NDArray[np.generic]]) -> SubstringEdits:
    rewrites = Rewrites(
        arrays[f"{name}.spans"].astype(np.int64),
        arrays[f"{name}.offsets"].astype(np.int64),
        arrays[f"{name}.written"].astype(np.int64),
        arrays[f"{name}.weights"].astype(np.float64),
    )
    return SubstringEdits(
        arrays[f"{name}.keys"].astype(np.uint64),
        arrays[f"{name}.met"].astype(np.int64),
        rewrites,
        arrays[f"{name}.numbers"].astype(np.float64),
    )


def _sound_edits(arrays: dict[str, NDArray[np.generic]]) -> SoundEdits:
    spans = arrays["aligned.spans"].tolist()
    spoken = [tuple(text.split(" ")) for text in _unpacked(arrays["aligned.sounds"])]
    aligned, place = {}, 0
    for word, size in zip(_unpacked(arrays["aligned.words"]), arrays["aligned.sizes"].tolist(), strict=True):
        graphones, start = [], 0
        for span, sounds in zip(spans[place : place + size], spoken[place : place + size], strict=True):
            graphones.append(Graphone(start, span, sounds))
            start += span
        aligned[word] = graphones
        place += size
    unit_sounds = [tuple(text.split(" ")) for text in _unpacked(arrays["unit.sounds"])]
    units = list(zip(unit_sounds, _unpacked(arrays["unit.letters"]), strict=True))
    miswritten: dict[tuple[tuple[str, ...], str], Counter[str]] = {}
    written = _unpacked(arrays["miswritten.written"])
    for unit, way, count in zip(
        arrays["miswritten.unit"].tolist(), written, arrays["miswritten.count"].tolist(), strict=True
    ):
        miswritten.setdefault(units[unit], Counter())[way] = count
    return SoundEdits(aligned, dict(zip(units, arrays["unit.met"].tolist(), strict=True)), miswritten)


def _packed(texts: Iterable[str]) -> NDArray[np.uint8]:
    """Texts as bytes, a line for each."""
    return np.frombuffer("".join(f"{text}\n" for text in texts).encode(), np.uint8)


def _unpacked(lines: NDArray[np.generic]) -> list[str]:
    return lines.tobytes().decode().split("\n")[:-1]
