import pytest

from speller.eval.sets import read_sets
from speller.train.pairs import Pair


@pytest.mark.parametrize("stated", ["first.tsv", "=first.tsv", "first=", "held out=first.tsv"])
def test_what_is_no_set(stated):
    with pytest.raises(ValueError, match=rf"a set is NAME=PAIRS, with a name other than held out, not '{stated}'"):
        read_sets([stated], taken=["held out"])


def test_files_of_one_name_are_one_set(tmp_path):
    (tmp_path / "first.tsv").write_text("teh\tthe\n")
    (tmp_path / "second.tsv").write_text("fisix\tphysics\n")
    first, second = (tmp_path / f"{name}.tsv" for name in ("first", "second"))
    assert read_sets([f"one={first}", f"other={second}", f"one={second}"]) == {
        "one": [Pair("teh", "the"), Pair("fisix", "physics")],
        "other": [Pair("fisix", "physics")],
    }
    assert read_sets([]) == {}
    with pytest.raises(ValueError, match=r"missing\.tsv: no such file"):
        read_sets([f"one={tmp_path / 'missing.tsv'}"])
