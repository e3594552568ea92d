"""What the objectives demand of their options, and the sentences that say so."""

import math
from collections.abc import Sequence


def check_whole(name: str, value: object, *, least: int) -> None:
    """Raises where an option is no whole number, or too small a one."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is a whole number of at least {least}, not {value!r}")


def check_positive(name: str, value: object) -> None:
    """Raises where an option is no finite number above 0."""
    if not _is_number(value) or not 0 < value < math.inf:  # type: ignore[operator]
        raise ValueError(f"{name} is a finite number above 0, not {value!r}")


def check_not_negative(name: str, value: object) -> None:
    """Raises where an option is no finite number of at least 0."""
    if not _is_number(value) or not 0 <= value < math.inf:  # type: ignore[operator]
        raise ValueError(f"{name} is a finite number of at least 0, not {value!r}")


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Raises where an option is none of its choices."""
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(choices)}, not {value!r}")


def check_switch(name: str, value: object) -> None:
    """Raises where an option is neither true nor false."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} is true or false, not {value!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
