import json
import struct
import sys
import zlib

import harmless
import prose
import pytest

from speller import Corrector, Edit, Suggestion
from speller.eval.harmless import Mended, changes, count_words, mended, misspell
from speller.train.pairs import Pair

PAIRS = [Pair("recieve", "receive"), Pair("reseeve", "receive"), Pair("teh", "the"), Pair("thru", "through")]
TEXT = "Receive the thing,\nand the other. THE END: don't receive 2 of them."


def test_words_are_runs_of_letters():
    assert count_words(TEXT) == 12
    assert count_words("") == 0


def test_changes_are_listed_with_their_lines(english: Corrector):
    (first, second) = changes(english, "All is well.\n\nWe recieve it.\nAnd becuase of it\n")
    assert (first.line, first.wrong, first.meant) == (3, "recieve", "receive")
    assert (second.line, second.wrong, second.meant) == (4, "becuase", "because")
    assert 0.5 < first.probability <= 1
    assert changes(english, "All is well.\n") == []


@pytest.mark.parametrize("seed", range(5))
def test_misspellings_are_put_in_where_they_are_said_to_be(seed):
    text, spots = misspell(TEXT, PAIRS, rate=0.25, seed=seed)
    assert len(spots) == 3  # of 12 words
    restored, moved = text, 0
    for place, (wrong, right) in sorted(spots.items()):
        start = place + moved
        assert restored[start : start + len(wrong)] == wrong != right
        restored = restored[:start] + right + restored[start + len(wrong) :]
        moved += len(right) - len(wrong)
    assert restored == TEXT
    assert {right.lower() for _, right in spots.values()} <= {"receive", "the"}
    assert misspell(TEXT, PAIRS, rate=0.25, seed=seed) == (text, spots)


def test_letter_case_is_kept_and_the_rate_is_bounded():
    text, spots = misspell(TEXT, PAIRS[2:], rate=1, seed=1)
    assert text == TEXT.replace("the ", "teh ").replace("THE", "TEH")
    assert len(spots) == 3
    assert misspell(TEXT, PAIRS, rate=0, seed=1) == (TEXT, {})
    with pytest.raises(ValueError, match=r"between 0 and 1, not 1\.5"):
        misspell(TEXT, PAIRS, rate=1.5, seed=1)


def edit(start, wrong, right):
    return Edit(start, start + len(wrong), wrong, [Suggestion(right, 0.9, 1)])


def test_only_what_stood_there_is_right():
    spots = {0: ("Teh", "The"), 10: ("recieve", "receive"), 20: ("thru", "through")}
    edits = [edit(0, "Teh", "The"), edit(10, "recieve", "relieve"), edit(30, "Elon", "Eleven")]
    assert mended(edits, spots) == Mended(misspelled=3, changed=3, right=1)


def test_figures():
    result = Mended(misspelled=10, changed=5, right=4)
    assert (result.precision, result.recall) == (0.8, 0.4)
    assert result.f_half == pytest.approx(1.25 * 0.32 / (0.2 + 0.4))
    nothing = Mended(misspelled=0, changed=0, right=0)
    assert (nothing.precision, nothing.recall, nothing.f_half) == (1, 1, 1)
    assert Mended(misspelled=2, changed=2, right=0).f_half == 0


def test_the_benchmark_tells_what_it_measured(english, tmp_path, monkeypatch, capsys):
    (tmp_path / "good.txt").write_text("The books are there, and she reads them.\n" * 30)
    (tmp_path / "bad.txt").write_text("The books are there, and she becuase reads them.\n" * 10)
    (tmp_path / "pairs.tsv").write_text("boooks\tbooks\n")
    texts = [str(tmp_path / name) for name in ("good.txt", "bad.txt")]
    out = tmp_path / "figures.json"
    given = ["harmless.py", *texts, f"--set=b={tmp_path / 'pairs.tsv'}", "--list", f"--json={out}"]
    monkeypatch.setattr(sys, "argv", given)
    harmless.main()
    shown, figures = capsys.readouterr().out, json.loads(out.read_text())
    assert {name: (text["words"], text["changes"]) for name, text in figures["texts"].items()} == {
        "good": (240, 0),
        "bad": (90, 10),
    }
    found = figures["sets"]["b"]
    assert (found["pairs"], found["misspelled"], found["changed"], found["right"]) == (1, 10, 20, 10)
    assert f"{texts[1]}:10: becuase -> because" in shown
    assert harmless.markdown(figures) in shown
    assert "330 words" in shown
    assert "303.0 in 10,000 (good 0.0, bad 1111.1)" in " ".join(shown.split())
    assert "100 to 100 % are put right, and 50 to 50 % of the changes are right: F0.5 b 0.56" in " ".join(shown.split())


def test_pages_lose_their_markup_and_code(tmp_path):
    (tmp_path / "2.html").write_text("<pre>ls -l</pre><p>The\n  end.</p>")
    (tmp_path / "1.html").write_text("<head><title>A</title></head><h1>To start</h1><p>Say <code>ls -l</code> &amp; go")
    assert prose.pages(tmp_path.glob("*.html")).split("\n") == ["", "To start", "Say  X  & go", "", "The end."]


def test_manuals_lose_their_headings_and_code(tmp_path):
    (tmp_path / "perlfaq1.pod").write_text(
        "=head1 B<Name>\n\n  my $x;\nIt B<is I<not>> naE<0xEF>ve C<< a->b >> L<C<aE<gt>b>|x>.\n"
    )
    assert prose.manuals([tmp_path / "perlfaq1.pod"]) == "\nIt is not naïve X X.\n"


def test_novels_are_the_strings_of_an_r_packages_data(tmp_path):
    def entry(*lines):
        written = b"".join(b"\0\4\0\x09" + struct.pack(">i", len(line)) + line for line in lines)
        return struct.pack(">i", len(written)) + zlib.compress(b"RDX" + written)

    (tmp_path / "Rdata.rdb").write_bytes(entry(b"It is a truth", b"", b"caf\xe9") + entry(b"x" * 500, b"Emma"))
    assert prose.novels(tmp_path / "Rdata.rdb") == "It is a truth\n\ncaf\xe9\nEmma"
