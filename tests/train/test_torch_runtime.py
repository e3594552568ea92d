import numpy as np
import pytest
import torch

from speller import Corrector
from speller.bundle import DECODER, ENCODER, find
from speller.candidates import CandidateSearch
from speller.train.torch_runtime import TorchRuntime


def test_torch_gives_the_answers_of_onnx_runtime(english: Corrector) -> None:
    runtime = TorchRuntime(find("en") / ENCODER, find("en") / DECODER, device="cpu")
    search = CandidateSearch(english.lexicon, runtime, english.bundle.ranking)
    words = ["recieve", "fisix", "a" * 30, "x"]
    found, expected = search.find(words), english.search.find(words)
    assert found.indices.tolist() == expected.indices.tolist()
    np.testing.assert_allclose(found.features, expected.features, atol=1e-3, rtol=1e-4)


def test_a_gpu_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="cuda"):
        Corrector.load("en", device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_corrects_alike(english: Corrector) -> None:
    words = ["recieve", "Definately", "acknowlegementt", "wierd"]
    assert Corrector.load("en", device="cuda").correct_many(words) == english.correct_many(words)
