import numpy as np
import pytest
import torch

from speller import Corrector
from speller.alphabet import MISSPELL
from speller.bundle import DECODER, ENCODER, OUTPUT, find
from speller.candidates import CandidateSearch
from speller.ranking import Ranking, Stage
from speller.reader import Reader
from speller.runtime import OnnxRuntime
from speller.train.export import export
from speller.train.model import CELLS
from speller.train.torch_runtime import TorchRuntime

GRAPHS = (ENCODER, DECODER, OUTPUT)

ROUNDING = 5e-3
"""What a number that torch rounds the other way, where it lies in the middle, may change in a log-probability."""


@pytest.mark.parametrize("cell", CELLS)
def test_torch_gives_the_answers_of_onnx_runtime(make_model, greek, tmp_path, cell):
    graphs = [tmp_path / name for name in GRAPHS]
    export(make_model(cell, symbols=len(greek.alphabet)), encoder=graphs[0], decoder=graphs[1], output=graphs[2])
    runtimes = OnnxRuntime(*graphs), TorchRuntime(*graphs, device="cpu")
    for part, other in zip(runtimes[0].nowhere, runtimes[1].nowhere, strict=True):
        assert part.dtype == other.dtype
        assert part.tolist() == other.tolist()
    assert runtimes[0].symbols == runtimes[1].symbols
    priors, others = (Reader(greek, runtime).priors(greek.words) for runtime in runtimes)
    np.testing.assert_allclose(priors, others, rtol=ROUNDING)
    meant, written = greek.words[:9], greek.words[5:14]
    readers = [Reader(greek, runtime) for runtime in runtimes]
    reverse, others = (reader.reverse_log_probs(meant, reader.spell(written, MISSPELL)) for reader in readers)
    np.testing.assert_allclose(reverse, others, rtol=ROUNDING)
    stages = Stage({"distance": -1.0}), Stage({"frequency": 1.0}), Stage({})
    ranking = Ranking(*stages)
    words = ["φιλωσοφία", "λέξι", "ω" * 30, "x", "σπίτη"]
    onnx, torch_ = (CandidateSearch(greek, runtime, priors, ranking) for runtime in runtimes)
    for proposals, expected in zip(torch_.write(words), onnx.write(words), strict=True):
        assert proposals[0][0] in [index for index, _ in expected[:3]]  # those of a model of random weights lie close
        assert proposals[0][1] == pytest.approx(expected[0][1], rel=ROUNDING)
    found, expected = torch_.find(words, wanted=1), onnx.find(words, wanted=1)
    assert found.indices.tolist() == expected.indices.tolist()
    np.testing.assert_allclose(found.features, expected.features, rtol=ROUNDING)
    assert torch_.find([]).features.shape == expected.features[:0].shape


def test_the_shipped_model_corrects_alike_in_torch(english: Corrector) -> None:
    runtime = TorchRuntime(*(find("en") / name for name in GRAPHS), device="cpu")
    search = CandidateSearch(english.lexicon, runtime, english.bundle.priors, english.bundle.ranking)
    words = ["recieve", "definately", "a" * 30, "x"]
    ranking = english.bundle.ranking
    judged = []
    for one in (search, english.search):
        found = one.find(words)
        probability = found.weighed(ranking.full)[0]
        places = zip(found.rows.tolist(), found.indices.tolist(), strict=True)
        judged.append({place: (probability[i], found.features[i]) for i, place in enumerate(places)})
    in_torch, in_onnx = judged
    both = in_torch.keys() & in_onnx.keys()
    assert len(both) > 0.9 * len(in_onnx)
    for place in both:
        assert in_torch[place][0] == pytest.approx(in_onnx[place][0], abs=1e-3)
        np.testing.assert_allclose(in_torch[place][1], in_onnx[place][1], atol=0.02, rtol=ROUNDING)


def test_a_gpu_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="cuda"):
        Corrector.load("en", device="cuda")


@pytest.mark.parametrize("device", ["foo", "cuda:", "cudas", "CPU", ""])
def test_a_device_of_no_kind_is_named(device: str) -> None:
    with pytest.raises(ValueError, match=rf"a device is 'cpu' or 'cuda'.*, not '{device}'"):
        Corrector.load("en", device=device)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_corrects_alike(english: Corrector) -> None:
    words = ["recieve", "Definately", "acknowlegementt", "wierd"]
    assert Corrector.load("en", device="cuda").correct_many(words) == english.correct_many(words)
