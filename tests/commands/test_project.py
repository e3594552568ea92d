from collections.abc import Callable
from pathlib import Path

import pytest

from speller.commands.project import Project, _project_of, find_project


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str, folder: str = "") -> Path:
        _project_of.cache_clear()
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "pyproject.toml").write_text(content, encoding="utf-8")
        return tmp_path / folder

    return write


def test_all_that_a_project_may_say(write: Callable[..., Path]) -> None:
    root = write("""[tool.speller]
        dictionary = ["docs/words.txt"]
        words = ["Kubernetes"]
        model = "models/own"
        min-probability = 0.9
        exclude = ["*.lock"]
    """)
    (root / "docs").mkdir()
    (root / "docs" / "words.txt").write_text("kubectl 3\n")
    (root / "models" / "own").mkdir(parents=True)
    words = (("kubectl", 3.0), ("Kubernetes", None))
    assert find_project(root / "docs" / "a.md") == Project(root, str(root / "models/own"), 0.9, words, ("*.lock",))


def test_the_nearest_one_that_speaks_of_spelling_counts(write: Callable[..., Path]) -> None:
    root = write('[tool.speller]\nwords = ["outer"]')
    inner = write('[tool.speller]\nwords = ["inner"]', "inner")
    silent = write("[tool.ruff]", "inner/silent")
    assert find_project(silent / "a.md") == find_project(inner) == Project(inner, words=(("inner", None),))
    assert find_project(root / "a.md").folder == root


def test_a_models_name_stays_a_name(write: Callable[..., Path]) -> None:
    assert find_project(write('[tool.speller]\nmodel = "en"')).model == "en"


@pytest.mark.parametrize(
    ("pattern", "path", "excluded"),
    [
        ("*.lock", "deep/down/a.lock", True),
        ("*.lock", "a.lock.md", False),
        ("vendor", "vendor/a.md", True),
        ("vendor/", "src/vendor/deep/a.md", True),
        ("vendor", "vendors/a.md", False),
        ("docs/api", "docs/api/a.md", True),
        ("docs/api", "other/docs/api/a.md", False),
        ("docs/*.md", "docs/deep/a.md", True),
        ("docs/*.md", "docs/a.txt", False),
    ],
)
def test_what_is_excluded(write: Callable[..., Path], pattern: str, path: str, excluded: bool) -> None:
    root = write(f'[tool.speller]\nexclude = ["{pattern}"]')
    assert find_project(root).excludes(root / path) is excluded
    assert not find_project(root).excludes(root.parent / "elsewhere.lock")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[tool.speller]\ndictionnary = []", "knows no key 'dictionnary', only dictionary, words, model"),
        ('[tool.speller]\ndictionary = "words"', "dictionary in .* is a list of files, not 'words'"),
        ('[tool.speller]\nwords = ["New York"]', "words in .* is a list of words without white space"),
        ("[tool.speller]\nmin-probability = 2", "min-probability in .* is a number from 0 to 1, not 2"),
        ("[tool.speller]\nmin-probability = true", "min-probability in .* is a number from 0 to 1, not True"),
        ("[tool.speller]\nmodel = 3", "model in .* is a model's name or folder, not 3"),
        ("[tool.speller]\nexclude = [3]", "exclude in .* is a list of patterns"),
        ("[tool]\nspeller = 3", r"\[tool.speller\] is a table, not 3"),
        ("[tool.speller\n", "not TOML"),
    ],
)
def test_what_is_wrong_is_named(write: Callable[..., Path], content: str, reason: str) -> None:
    root = write(content)
    with pytest.raises(ValueError, match=rf"^{root}/pyproject.toml: .*{reason}"):
        find_project(root)


def test_a_broken_dictionary_is_named(write: Callable[..., Path]) -> None:
    root = write('[tool.speller]\ndictionary = ["words", "gone"]')
    (root / "words").write_text("fine\nnot fine\n")
    with pytest.raises(ValueError, match="words:2"):
        find_project(root)
    (root / "words").write_text("fine\n")
    with pytest.raises(FileNotFoundError, match="gone"):
        find_project(root)
