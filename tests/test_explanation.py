import math

import numpy as np
import pytest

from speller import Corrector
from speller.bundle import Bundle
from speller.explanation import GROUPS, Explanation, explain
from speller.knowledge import KEPT, key
from speller.ranking import FEATURES
from speller.spacing import SPLIT_FEATURES

WORDS = ["recieve", "Recieve", "alot", "their", "Srinivasan", "dosn’t", "24/7", "нет", "fisix", "x", "\udcff", "café"]


def suggested(explanation: Explanation) -> dict[str, float]:
    """What ``suggest`` would say, from the candidates: of a known word, both rows count."""
    own = key(explanation.written)
    found = {each.word: each.probability for each in explanation.candidates if each.kind != "as written"}
    if explanation.known:
        found = {word: share for word, share in found.items() if key(word) != own}
        found[explanation.written] = sum(each.probability for each in explanation.candidates if each.folded == own)
    return found


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("n", [1, 5, 8])
def test_candidates_and_probabilities_are_those_of_suggest(english: Corrector, word: str, n: int) -> None:
    explanation = explain(english, word, n)
    found = suggested(explanation)
    # Where one word alone is asked for, others are not looked at as far.
    for suggestion in english.suggest(word, max(n, KEPT))[:n]:
        own = explanation.known and key(suggestion.word) == key(word)
        assert found.get(word if own else suggestion.word) == pytest.approx(suggestion.probability, abs=1e-6)
    assert len([each for each in explanation.candidates if each.kind == "as written"]) == 1
    assert len(explanation.candidates) <= n + 1
    assert explanation.answer == english.correct(word)


def test_candidates_of_made_up_words_are_those_of_suggest(table_bundle: Bundle) -> None:
    corrector = Corrector(table_bundle)
    for word in ("abd", "cadé", "b", "eeb☺", "dcabda"):
        found = suggested(explain(corrector, word))
        assert {each.word: pytest.approx(each.probability) for each in corrector.suggest(word)}.items() <= found.items()


@pytest.mark.parametrize("word", WORDS)
def test_probabilities_are_made_of_the_parts(english: Corrector, word: str) -> None:
    explanation = explain(english, word)
    probabilities = [each.probability for each in explanation.candidates]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) + explanation.others == pytest.approx(1)
    first = explanation.candidates[0]
    for candidate, leads in zip(explanation.candidates, explanation.leads(), strict=True):
        assert candidate.score - first.score == pytest.approx(math.log(candidate.probability / first.probability))
        assert sum(candidate.points().values()) == pytest.approx(candidate.score)
        assert leads.pop("score") == pytest.approx(sum(leads.values()))


def test_every_feature_is_in_one_group() -> None:
    grouped = [feature for features in GROUPS.values() for feature in features]
    assert sorted(grouped) == sorted((*FEATURES, *SPLIT_FEATURES))


def test_verdicts(english: Corrector) -> None:
    verdicts = [explain(english, word).verdict for word in ("recieve", "their", "Srinivasan", "", "a" * 100_000)]
    assert verdicts[0].startswith("corrected to receive, 0.")
    assert verdicts[1].startswith("a known word, left as it is; instead, likeliest, there, 0.")
    assert verdicts[2] == "left as it is: no other word is as probable as 0.50"
    assert verdicts[3:] == ["nothing was written", "too long for a word, left as it is"]
    for word in ("'", "24/7", "нет"):
        assert explain(english, word).verdict == "left as it is: it is not made of the letters of the model's words"


def test_a_corrector_of_ones_own_is_explained() -> None:
    corrector = Corrector.load("en", min_probability=0)
    corrector.add_words(["kubernetes"])
    explanation = explain(corrector, "kubernets")
    assert explanation.answer == explanation.candidates[0].word == "kubernetes"
    assert explain(corrector, "Srinivasan").verdict.startswith("corrected to ")


def test_the_verdict_is_that_of_correct(english: Corrector) -> None:
    # Of more words, each is less probable: what is decided upon may be on the other side of the least there.
    for word in ("fisix", "annt", "recieve", "alot"):
        explanation = explain(english, word)
        changed = english.correct(word) != word
        assert changed == explanation.verdict.startswith("corrected to ") == (explanation.probability >= 0.5)
        if changed:
            assert explanation.verdict == f"corrected to {english.correct(word)}, {explanation.probability:.2f}"


def test_two_words_compete_but_have_no_letters_to_decide_by(english: Corrector) -> None:
    explanation = explain(english, "alot")
    assert (explanation.candidates[0].word, explanation.candidates[0].kind) == ("a lot", "two words")
    assert [(step.written, step.meant) for step in explanation.alignment if step.kind != "keep"] == [("", " ")]
    assert explanation.decision
    assert "two words" not in (explanation.decision.chosen.kind, explanation.decision.other.kind)


@pytest.mark.parametrize("word", ["recieve", "Srinivasan", "their"])
def test_letters_sum_to_the_lead_of_the_model_read_in_reverse(english: Corrector, word: str) -> None:
    decision = explain(english, word).decision
    assert decision
    assert decision.chosen.folded != decision.other.folded
    lead = decision.chosen.points()["reverse"] - decision.other.points()["reverse"]
    assert decision.reverse.sum() == pytest.approx(lead, abs=1e-3)
    assert decision.attention.shape == decision.reverse.shape == (len(word) + 1,)
    assert decision.reading is decision.attribution is None


def test_reading_is_attributed_with_the_weights_of_the_ranking(english: Corrector) -> None:
    asked = []

    def attribute(written, meant):  # type: ignore[no-untyped-def]
        asked.append((written, meant))
        return np.arange(len(written), dtype=np.float64)

    weights = english.bundle.ranking.full.weights
    decision = explain(english, "Recieve", attribute=attribute).decision
    assert asked.pop() == ("recieve", [("receive", weights["read"]), ("received", -weights["read"])])
    assert decision
    assert decision.attribution is not None
    assert (decision.attribution - decision.reverse).tolist() == pytest.approx([*range(7), 0])
    explain(english, "Srinivasan", attribute=attribute)
    (chosen, kept), _ = asked.pop()[1]
    assert (chosen, kept) == ("srinivasan", weights["kept-read"])


def test_a_count_of_none_is_refused(english: Corrector) -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        explain(english, "recieve", 0)
