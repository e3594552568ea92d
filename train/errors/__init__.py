"""How people misspell: learned from pairs and pronunciations, sampled as tensors."""

from speller.train.errors.model import ErrorModel, Mixture
from speller.train.errors.pronunciations import read_pronunciations
from speller.train.errors.reverse import ReverseSampler
from speller.train.errors.sampling import Misspeller, Misspellings, Sampler
from speller.train.errors.uniform import uniform_sampler

__all__ = [
    "ErrorModel",
    "Misspeller",
    "Misspellings",
    "Mixture",
    "ReverseSampler",
    "Sampler",
    "read_pronunciations",
    "uniform_sampler",
]
