import hypothesis
import pytest

from speller import Corrector

hypothesis.settings.register_profile("busy machine", deadline=None)
hypothesis.settings.load_profile("busy machine")


@pytest.fixture(scope="session")
def english() -> Corrector:
    return Corrector.load("en")
