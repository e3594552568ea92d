"""The examples in docstrings run and give what they say."""

import doctest
import importlib
import pkgutil

import pytest

import speller
import speller.eval
import speller.train


def modules() -> list[str]:
    """Every module of the package, the upper floors' too."""
    found = {"speller"}
    for package in (speller, speller.train, speller.eval):
        found |= {module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")}
    return sorted(found)


@pytest.mark.parametrize("name", modules())
def test_examples(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0
