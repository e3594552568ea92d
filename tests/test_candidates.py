from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Thread

import numpy as np
import pytest
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from speller import Corrector
from speller.alphabet import CORRECT, MISSPELL
from speller.beam import beam_search
from speller.breadth import ONE, SEVERAL, Breadth
from speller.bundle import Bundle
from speller.candidates import AS_WRITTEN, Candidates, CandidateSearch, Depth
from speller.lexicon import Lexicon
from speller.likeness import Likeness
from speller.ranking import COLUMN, FEATURES, Stage
from speller.reader import Reader
from speller.runtime import Memory, State

WORDS = ["fisix", "recieve", "wierd"]
MADE_UP = ["abd", "cadé", "b", "eeb☺", "dcabda"]


@pytest.fixture(scope="module")
def search(english: Corrector) -> CandidateSearch:
    return english.search


NARROW = replace(SEVERAL, plain=9, plain_margin=np.inf, read=4, read_margin=np.inf)
"""Hands on 9 candidates, then 4."""


@pytest.fixture
def made_up(table_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> CandidateSearch:
    monkeypatch.setattr("speller.breadth.SEVERAL", NARROW)
    return CandidateSearch(table_bundle.lexicon, table_bundle.runtime, table_bundle.priors, table_bundle.ranking)


def test_each_word_is_its_own_candidate_once_and_the_rest_are_described(search: CandidateSearch) -> None:
    found = search.find(WORDS)
    lexicon = search.lexicon
    assert np.bincount(found.rows[found.indices == AS_WRITTEN]).tolist() == [1, 1, 1]
    for row, index, features in zip(found.rows, found.indices, found.features, strict=True):
        if index == AS_WRITTEN:
            assert features[COLUMN["kept"]] == 1
            assert features[COLUMN["kept-length"]] == len(WORDS[row])
        else:
            word = lexicon.words[index]
            assert features[COLUMN["distance"]] == OSA.distance(WORDS[row], word)
            assert features[COLUMN["share"]] == np.float32(
                features[COLUMN["distance"]] / max(len(WORDS[row]), len(word))
            )
            assert features[COLUMN["length"]] == len(word)
            assert features[COLUMN["first"]] == (WORDS[row][0] != word[0])
            assert features[COLUMN["frequency"]] == lexicon.zipf[index]


def test_the_model_judges_each_candidate_having_read_the_word_and_not(search: CandidateSearch) -> None:
    found = search.find(WORDS)
    reader, lexicon = search.reader, search.lexicon
    for row, index, features in zip(found.rows, found.indices, found.features, strict=True):
        kept = index == AS_WRITTEN
        candidate = WORDS[row] if kept else lexicon.words[index]
        (read,) = reader.log_probs(reader.read([WORDS[row]]), np.zeros(1, np.int64), reader.spell([candidate]))
        (unread,) = reader.priors([candidate])
        judged = {"read": read, "unread": unread, "kept-read": 0.0, "kept-unread": 0.0}
        if kept:
            judged = {"read": 0.0, "unread": 0.0, "kept-read": read, "kept-unread": unread}
        for name, expected in judged.items():
            # The lexicon's priors are kept in half precision.
            assert features[COLUMN[name]] == pytest.approx(expected, abs=1e-3, rel=2**-11 if name == "unread" else 0)


def test_what_was_written_is_judged_having_read_each_candidate(made_up: CandidateSearch) -> None:
    found = made_up.find(MADE_UP)
    runtime, lexicon = made_up.reader.runtime, made_up.lexicon
    for row, index, features in zip(found.rows, found.indices, found.features, strict=True):
        written, meant = MADE_UP[row], MADE_UP[row] if index == AS_WRITTEN else lexicon.words[index]
        expected = runtime.score(lexicon.alphabet, meant, written, MISSPELL)
        names = ("reverse", "kept-reverse")
        judged = [float(features[COLUMN[name]]) for name in names]
        assert judged == pytest.approx([0.0, expected] if index == AS_WRITTEN else [expected, 0.0], rel=1e-6)


def test_candidates_are_pruned_twice(made_up: CandidateSearch) -> None:
    ranking, lexicon, runtime = made_up.ranking, made_up.lexicon, made_up.reader.runtime
    gathered, _ = made_up.collect(made_up.reader, MADE_UP, NARROW)
    found = made_up.find(MADE_UP, wanted=9)
    assert np.bincount(found.rows).tolist() == [5] * len(MADE_UP)
    changed = 0
    for row, written in enumerate(MADE_UP):
        some = (gathered.rows == row) & (gathered.indices != AS_WRITTEN)
        own, features = gathered.indices[some], gathered.features[some]
        first = np.argsort(-ranking.plain.scores(features))[:9]
        for candidate in first:
            word = lexicon.words[own[candidate]]
            features[candidate, COLUMN["read"]] = runtime.score(lexicon.alphabet, written, word)
            features[candidate, COLUMN["unread"]] = made_up.priors[own[candidate]]
        second = first[np.argsort(-ranking.read.scores(features[first]))[:4]]
        kept = found.indices[(found.rows == row) & (found.indices != AS_WRITTEN)]
        assert set(kept.tolist()) == set(own[second].tolist())
        changed += set(second.tolist()) != set(first[:4].tolist())
    assert changed  # the two stages do not agree


@pytest.mark.parametrize("breadth", [ONE, SEVERAL])
def test_what_the_model_proposes_is_among_the_candidates(search: CandidateSearch, breadth: Breadth) -> None:
    (proposals,) = search.write(["fisix"])
    assert len(proposals) == SEVERAL.proposed
    assert [score for _, score in proposals] == sorted((score for _, score in proposals), reverse=True)
    found, _ = search.collect(search.reader, ["fisix"], breadth)
    assert {index for index, _ in proposals[: breadth.proposed // 2]} <= set(found.indices.tolist())
    assert len(set(found.indices.tolist())) == len(found.indices)


def test_the_model_proposes_where_no_word_is_near(search: CandidateSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counting(reader: Reader, lexicon: Lexicon, memory: Memory, *, width: int) -> list[list[tuple[int, float]]]:
        asked.append((len(memory.lengths), width))
        return beam_search(reader, lexicon, memory, width=width)

    monkeypatch.setattr("speller.candidates.beam_search", counting)
    words = ["acknowlegement", "fisix", "definately", "becos"]  # 1 edit in 14 letters, 2 in 5, 1 in 10, 1 in 5
    found, _ = search.collect(search.reader, words, SEVERAL)
    search.collect(search.reader, words, ONE)
    assert asked == [(2, SEVERAL.proposed), (1, ONE.proposed)]
    alone = [search.collect(search.reader, [word], SEVERAL)[0] for word in words]
    for row, one in enumerate(alone):
        assert found.indices[found.rows == row].tolist() == one.indices.tolist()


def test_what_is_wanted_decides_how_many_are_looked_at(search: CandidateSearch) -> None:
    words = ["acknowlegement", "definately", "fisix"]
    one, many = search.find(words, wanted=1), search.find(words, wanted=30)
    assert len(one.rows) < len(many.rows) <= len(words) * (SEVERAL.read + 1)
    for found in (one, many):
        probabilities = found.weighed(search.ranking.full)[0]
        best = [found.indices[found.rows == row][probabilities[found.rows == row].argmax()] for row in (0, 1)]
        assert [search.lexicon.words[index] for index in best] == ["acknowledgement", "definitely"]


def test_distances_are_told_relative_to_the_nearest_word(search: CandidateSearch) -> None:
    found = search.gather(["recieve", "receive", "zzyzxq"], SEVERAL)
    for row in range(3):
        own = found.features[(found.rows == row) & (found.indices != AS_WRITTEN)]
        distance = own[:, COLUMN["distance"]]
        assert own[:, COLUMN["relative"]] == pytest.approx(distance / max(distance.min(), 1))


def test_outlines_are_compared(search: CandidateSearch) -> None:
    assert search.ranking.alike
    likeness = Likeness(search.ranking.alike)
    found, memory = search.collect(search.reader, ["akwaintanse"], SEVERAL)
    search.judge(search.reader, found, memory)
    for index, features in zip(found.indices.tolist(), found.features, strict=True):
        if index != AS_WRITTEN:
            outlines = likeness.outline("akwaintanse"), likeness.outline(search.lexicon.words[index])
            assert features[COLUMN["outline"]] == OSA.distance(*outlines)


def test_words_that_sound_as_what_was_written_is_read_pass_the_first_stage(search: CandidateSearch) -> None:
    index, sounds = search.lexicon.index("psychology"), search.lexicon.sounds
    found, _ = search.collect(search.reader, ["sikology"], ONE)
    assert index not in search.gather(["sikology"], ONE).indices
    assert found.indices[found.heard].tolist() == sorted(sounds.alike(sounds.read("sikology"), ONE.sounding))
    assert index in found.indices[found.heard]
    alone = Stage({"distance": -1.0})
    assert index not in found.best(alone, 3).indices
    assert index in found.best(alone, 3, always=found.heard).indices
    assert index in search.find(["sikology"], wanted=1).indices
    left_out, _ = search.collect(search.reader, ["sikology"], ONE, leave_out=np.array([index]))
    assert index not in left_out.indices


def test_sounds_are_compared_with_the_nearest_reading(search: CandidateSearch) -> None:
    sounds = search.lexicon.sounds
    readings = sounds.read("nashun")
    assert len(readings) > 1
    found, memory = search.collect(search.reader, ["nashun"], SEVERAL)
    search.judge(search.reader, found, memory)
    for index, features in zip(found.indices, found.features, strict=True):
        (meant,) = sounds.of(np.array([index])) if index != AS_WRITTEN else (readings[0],)
        assert features[COLUMN["sound"]] == min(OSA.distance(reading, meant) for reading in readings)


def test_without_the_network_the_neighbours_alone_are_described(search: CandidateSearch) -> None:
    found = search.find(WORDS, depth="plain")
    judged = [place for name, place in COLUMN.items() if name.endswith(("read", "reverse"))]
    assert len(judged) == 6
    assert not found.features[:, judged].any()
    assert set(found.indices.tolist()) <= set(search.gather(WORDS, SEVERAL).indices.tolist())


def test_a_word_left_out_is_no_candidate(search: CandidateSearch) -> None:
    for written, meant in (("recieve", "receive"), ("akwaintanse", "acquaintance")):
        index = search.lexicon.index(meant)
        left_out = np.array([index])
        assert index in search.collect(search.reader, [written], SEVERAL)[0].indices
        assert index not in search.collect(search.reader, [written], SEVERAL, leave_out=left_out)[0].indices


def test_the_best_are_kept_and_the_word_as_written_with_them(search: CandidateSearch) -> None:
    found = search.gather(WORDS, SEVERAL)
    best = found.best(Stage({"distance": -1.0}), 3)
    assert np.bincount(best.rows).tolist() == [4, 4, 4]
    for row in range(len(WORDS)):
        own = (found.rows == row) & (found.indices != AS_WRITTEN)
        kept = (best.rows == row) & (best.indices != AS_WRITTEN)
        lowest = np.sort(found.features[own, COLUMN["distance"]])[:3]
        assert np.sort(best.features[kept, COLUMN["distance"]]).tolist() == lowest.tolist()


def test_the_best_have_the_share_of_the_probability_that_they_had_among_all(search: CandidateSearch) -> None:
    found, stage = search.gather(WORDS, SEVERAL), search.ranking.plain
    assert found.share.tolist() == [1, 1, 1]
    best = found.best(stage, 3)
    places = zip(found.rows.tolist(), found.indices.tolist(), strict=True)
    before = dict(zip(places, found.weighed(stage)[0].tolist(), strict=True))

    def was(some: Candidates) -> list[float]:
        return [before[place] for place in zip(some.rows.tolist(), some.indices.tolist(), strict=True)]

    assert best.share == pytest.approx(np.bincount(best.rows, was(best)))
    assert best.weighed(stage)[1] == pytest.approx(found.weighed(stage)[1])
    for some in (best, best.best(stage, 1)):  # of what is left, some more is left out
        assert some.weighed(stage)[0] == pytest.approx(was(some))


def test_candidates_far_below_the_last_wanted_are_left(search: CandidateSearch) -> None:
    found = search.gather(WORDS, SEVERAL)
    stage = Stage({"distance": -1.0})
    for wanted, margin in ((1, 0.5), (3, 1.0), (99, 0.0)):
        best = found.best(stage, 30, wanted=wanted, margin=margin)
        for row in range(len(WORDS)):
            own = (found.rows == row) & (found.indices != AS_WRITTEN)
            kept = (best.rows == row) & (best.indices != AS_WRITTEN)
            distances = np.sort(found.features[own, COLUMN["distance"]])
            farthest = distances[min(wanted, len(distances)) - 1] + margin
            assert (
                np.sort(best.features[kept, COLUMN["distance"]]).tolist()
                == distances[distances <= farthest][:30].tolist()
            )


def test_without_the_network_the_first_stage_alone_prunes(made_up: CandidateSearch) -> None:
    assert np.bincount(made_up.find(MADE_UP, depth="plain").rows).tolist() == [10] * len(MADE_UP)


@pytest.mark.parametrize("depth", ["plain", "full"])
def test_no_words_have_no_candidates(search: CandidateSearch, depth: Depth) -> None:
    found = search.find([], depth=depth)
    assert found.features.shape == (0, len(FEATURES))
    assert found.weighed(search.ranking.full)[0].shape == (0,)
    assert search.write([]) == []


def test_characters_that_the_alphabet_lacks(search: CandidateSearch) -> None:
    found = search.find(["☺", "rec☺ive", "д" * 40])
    assert np.isfinite(found.features).all()
    assert "receive" in {search.lexicon.words[index] for index in found.indices[found.rows == 1]}


def test_words_together_have_the_candidates_of_each_alone(made_up: CandidateSearch) -> None:
    together = made_up.find(MADE_UP)
    for row, word in enumerate(MADE_UP):
        alone = made_up.find([word])
        assert together.indices[together.rows == row].tolist() == alone.indices.tolist()
        assert together.features[together.rows == row].tolist() == alone.features.tolist()


def test_so_many_threads_read_at_once(table_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting, readers = Barrier(3, timeout=30), []

    class Meeting(Reader):
        def __init__(self, *given: object) -> None:
            readers.append(self)
            super().__init__(*given)

        def read(self, words: list[str], *, direction: int = CORRECT) -> Memory:
            if direction == CORRECT:
                meeting.wait()
            return super().read(words, direction=direction)

    monkeypatch.setattr("speller.candidates.Reader", Meeting)
    monkeypatch.setattr("speller.candidates.READERS", 3)
    search = CandidateSearch(table_bundle.lexicon, table_bundle.runtime, table_bundle.priors, table_bundle.ranking)
    assert len(readers) == 1  # the others are made when they are needed
    with ThreadPoolExecutor(9) as threads:
        list(threads.map(search.find, [[word] for word in MADE_UP[:3] * 3]))
    assert len(readers) == 3


def test_a_reader_serves_again_after_an_error(table_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speller.candidates.READERS", 1)
    search = CandidateSearch(table_bundle.lexicon, table_bundle.runtime, table_bundle.priors, table_bundle.ranking)
    with monkeypatch.context() as broken:
        broken.setattr(table_bundle.runtime, "encode", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            search.find(["ab"])
    thread = Thread(target=search.find, args=(["ab"],), daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize("calls", [1, 2, 4, 7])
def test_after_an_interrupt_answers_are_what_they_were(
    made_up: CandidateSearch, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    runtime, advanced = made_up.reader.runtime, []
    expected = CandidateSearch(made_up.lexicon, runtime, made_up.priors, made_up.ranking).find(MADE_UP)

    def interrupted(symbols: NDArray[np.int64], state: State) -> State:
        advanced.append(symbols)
        if len(advanced) == calls:
            raise KeyboardInterrupt
        return type(runtime).advance(runtime, symbols, state)

    with monkeypatch.context() as broken:
        broken.setattr(runtime, "advance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            made_up.find(MADE_UP)
    assert made_up.find(MADE_UP).features.tolist() == expected.features.tolist()


def test_priors_of_other_words_are_refused(search: CandidateSearch) -> None:
    with pytest.raises(ValueError, match=rf"each of the lexicon's {len(search.lexicon)} words"):
        CandidateSearch(search.lexicon, search.reader.runtime, search.priors[1:], search.ranking)
