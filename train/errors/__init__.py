"""How people misspell: learned from pairs and pronunciations, sampled as tensors."""

from speller.train.errors.model import ErrorModel, Mixture
from speller.train.errors.pronunciations import read_pronunciations
from speller.train.errors.sampling import Misspellings, Sampler

__all__ = ["ErrorModel", "Misspellings", "Mixture", "Sampler", "read_pronunciations"]
