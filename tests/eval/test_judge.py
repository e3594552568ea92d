import numpy as np
import pytest

from speller.eval.judge import Rows, judge
from speller.eval.systems import OWN, BatchSystem
from speller.train.pairs import Pair

PAIRS = [Pair("recieve", "receive"), Pair("Fisix", "Physics"), Pair("thier", "their"), Pair("the", "the")]


class Listed:
    """Answers from a list, one word at a time, and counts what it is asked."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    def suggest(self, word, n):
        self.asked.append(word)
        return self.answers.get(word, [])[:n]


class Batched(Listed):
    def suggest_many(self, words, n):
        return [self.suggest(word, n) for word in words]


def rows_of(*pairs, **options):
    return Rows.of({"list": [Pair(*pair) for pair in pairs]}, **options)


def in_order(rows):
    return sorted(zip(rows.wrong, rows.right, rows.source, strict=True))


def test_rows_are_folded_and_keep_their_source():
    rows = Rows.of({"one": PAIRS[:2], "other": PAIRS[3:]})
    assert in_order(rows) == [("fisix", "physics", "one"), ("recieve", "receive", "one"), ("the", "the", "other")]
    assert rows.misspelt.sum() == 2
    assert rows.seen_pair is None
    assert rows.seen_word is None


def test_limit_draws_the_same_rows_of_each_source():
    pairs = [Pair(f"x{number}", f"y{number}") for number in range(100)]
    first, again = (Rows.of({"one": pairs, "other": pairs[:5]}, limit=10) for _ in range(2))
    assert first == again
    assert [first.source.count(name) for name in ("one", "other")] == [10, 5]
    assert set(first.wrong[:10]) != {pair.wrong for pair in pairs[:10]}
    assert Rows.of({"one": pairs}, limit=20).wrong[:10] == first.wrong[:10]
    assert Rows.of({"one": pairs}, limit=10, seed=1).wrong != first.wrong[:10]


def test_splits():
    rows = rows_of(
        ("teh", "the"), ("recive", "receive"), ("reeceive", "receive"), ("receave", "receive"), ("fisix", "physics"),
        ("ackomodation", "accommodation"), ("an", "an"),
        seen=[Pair("Teh", "the"), Pair("fisix", "fix"), Pair("acomodation", "Accommodation")],
    )  # fmt: skip
    parts = {
        split: {part: sorted(np.array(rows.wrong)[chosen].tolist()) for part, chosen in parts.items()}
        for split, parts in rows.splits().items()
    }
    assert parts == {
        "source": {"list": sorted(set(rows.wrong) - {"an"})},
        "distance": {
            "1": ["receave", "recive", "reeceive"],
            "2": ["ackomodation", "teh"],
            "3+": ["fisix"],
        },
        "length": {"1-4": ["teh"], "5-7": ["fisix", "receave", "recive", "reeceive"], "11+": ["ackomodation"]},
        "kind": {
            "extra letter": ["reeceive"],
            "missing letter": ["recive"],
            "several": ["ackomodation", "fisix"],
            "swapped letters": ["teh"],
            "wrong letter": ["receave"],
        },
        "seen_pair": {"seen": ["teh"], "unseen": ["ackomodation", "fisix", "receave", "recive", "reeceive"]},
        "seen_word": {"seen": ["ackomodation", "teh"], "unseen": ["fisix", "receave", "recive", "reeceive"]},
    }
    assert [list(parts[split]) for split in ("distance", "length")] == [["1", "2", "3+"], ["1-4", "5-7", "11+"]]


@pytest.mark.parametrize("kind", [Listed, Batched])
def test_judgement(kind):
    system = kind(
        {
            "recieve": ["Recieve", "Relieve", "receive", "relieve"],
            "fisix": ["physics"],
            "thier": [],
            "the": ["the", "thee"],
        }
    )
    rows = Rows.of({"list": PAIRS})
    advanced = []
    judgement = judge("listed", system, rows, load_seconds=0.5, advance=advanced.append)
    answers = dict(zip(rows.wrong, judgement.answers, strict=True))
    assert answers == {"recieve": ["relieve", "receive"], "fisix": ["physics"], "thier": [], "the": ["thee"]}
    assert dict(zip(rows.wrong, judgement.outcome.rank.tolist(), strict=True)) == {
        "recieve": 2, "fisix": 1, "thier": 0, "the": 0,
    }  # fmt: skip
    # What a system suggests first for itself, or has nothing for, it leaves alone.
    assert dict(zip(rows.wrong, judgement.outcome.changed.tolist(), strict=True)) == {
        "recieve": False, "fisix": True, "thier": False, "the": False,
    }  # fmt: skip
    assert np.isnan(judgement.outcome.probability).all()
    assert sum(advanced) == len(rows)
    assert judgement.timing.load_seconds == 0.5
    assert sum(words for words, _ in judgement.timing.batches) == (2 if kind is Batched else 0)
    assert len(judgement.timing.milliseconds) == (2 if kind is Batched else 4)


def test_at_most_ten_answers_count():
    judgement = judge("long", Listed({"a": ["a", *"bcdefghijklm"]}), rows_of(("a", "l")), load_seconds=0)
    assert judgement.answers == [list("bcdefghijk")]
    assert judgement.outcome.rank.tolist() == [0]


def test_no_word_is_asked_for_twice_but_the_first():
    pairs = [(f"x{number}", "y") for number in range(1001)]
    for system in (Listed({}), Batched({})):
        rows = rows_of(*pairs)
        judgement = judge("listed", system, rows, load_seconds=0)
        assert sorted(system.asked[1:]) == sorted(rows.wrong)
        assert system.asked[0] == rows.wrong[0]
        assert len(judgement.timing.milliseconds) == (201 if isinstance(system, BatchSystem) else 1001)
        batches = [words for words, _ in judgement.timing.batches]
        assert batches == ([100] * 8 if isinstance(system, BatchSystem) else [])


def test_a_corrector_is_judged_with_its_probabilities_and_decisions(corrector):
    rows = Rows.of({"list": PAIRS})
    own = {name: judge(name, make(corrector), rows, load_seconds=0) for name, make in OWN.items()}
    place = rows.wrong.index("fisix")
    assert own["speller"].answers[place][0] == "physics"
    assert own["speller"].outcome.probability[place] == 0.8
    assert own["speller"].outcome.changed.tolist() == [wrong != "the" for wrong in rows.wrong]
    assert own["speller-no-model"].answers[place][0] == "fix"
    assert own["speller-beam"].answers[place] == ["physics"]
    assert own["speller-beam"].answers[rows.wrong.index("thier")] == ["the"]


def test_the_beam_answers_nothing_to_what_it_cannot_read(corrector):
    beam = OWN["speller-beam"](corrector)
    words = ["x" * 1000, "", "recieve", *(f"x{number}" for number in range(70))]
    assert beam.suggest_many(words, 5)[:3] == [[], [], ["receive"]]
    assert beam.suggest_many(words, 5)[3:] == [["the"]] * 70
