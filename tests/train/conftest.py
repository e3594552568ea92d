import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from speller.lexicon import Lexicon
from speller.train.errors import ErrorModel
from speller.train.model import ModelConfig, SpellingModel
from speller.train.pairs import Pair, part_of

GREEK = [
    "ορθογραφία",
    "λέξη",
    "γλώσσα",
    "σχολείο",
    "δάσκαλος",
    "μαθητής",
    "βιβλίο",
    "τετράδιο",
    "μολύβι",
    "πίνακας",
    "θάλασσα",
    "βουνό",
    "ποτάμι",
    "ουρανός",
    "ήλιος",
    "φεγγάρι",
    "άνθρωπος",
    "παιδί",
    "οικογένεια",
    "σπίτι",
    "πόρτα",
    "παράθυρο",
    "τραπέζι",
    "καρέκλα",
    "δρόμος",
    "αυτοκίνητο",
    "αεροπλάνο",
    "ταξίδι",
    "καλοκαίρι",
    "χειμώνας",
    "άνοιξη",
    "φθινόπωρο",
    "μουσική",
    "τραγούδι",
    "χορός",
    "θέατρο",
    "Αθήνα",
    "Ελλάδα",
    "Κρήτη",
    "πόλη",
    "χωριό",
    "γράμμα",
    "αριθμός",
    "ερώτηση",
    "απάντηση",
    "εφημερίδα",
    "υπολογιστής",
    "φίλος",
    "ειρήνη",
    "ελευθερία",
    "δημοκρατία",
    "ιστορία",
    "μαθηματικά",
    "φυσική",
    "χημεία",
    "γυναίκα",
    "αγάπη",
    "φιλοσοφία",
]

HOMOPHONES = {"ι": "η", "η": "ι", "ο": "ω", "ω": "ο", "ί": "ή", "ή": "ί", "ό": "ώ", "ώ": "ό"}

HASTY = """
import speller.train.bundling, speller.train.loop, speller.train.run
from speller.cli import main
speller.train.loop.SECONDS_BETWEEN_CHECKPOINTS = 0.3
speller.train.bundling.SYNTHETIC = 50
main(prog_name="speller")
"""


@pytest.fixture(scope="session")
def greek() -> Lexicon:
    """A few dozen words, three of which ``part_of`` holds out: γυναίκα and αγάπη to fit, φιλοσοφία to judge."""
    return Lexicon.build({word: 3 + place % 30 / 10 for place, word in enumerate(GREEK)})


@pytest.fixture(scope="session")
def greek_pairs(greek) -> list[Pair]:
    """Two misspellings of each word that sound like it, or swap or leave out letters."""
    wrong = {}
    for word in greek.words:
        alike = next((place for place, letter in enumerate(word) if letter in HOMOPHONES), None)
        if alike is not None:
            wrong[word[:alike] + HOMOPHONES[word[alike]] + word[alike + 1 :]] = word
        wrong[word[:1] + word[2:] if alike is None else word[:-3] + word[-2] + word[-3] + word[-1]] = word
        wrong[word[:2] + word[1:]] = word
    return [Pair(*pair) for pair in wrong.items() if pair[0] not in greek]


@pytest.fixture(scope="session")
def greek_errors(greek, greek_pairs) -> ErrorModel:
    return ErrorModel.learn(greek_pairs, greek.alphabet)


@pytest.fixture
def make_model():
    """Makes a small model that is sure of what it writes, so that an error anywhere shows in its distributions."""

    def make(cell="lstm", *, symbols=30) -> SpellingModel:
        torch.manual_seed(7)
        model = SpellingModel(ModelConfig(symbols=symbols, embedding=12, encoder=20, decoder=28, cell=cell))
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                # More would make the recurrence of the plain cell chaotic, and float32 drift apart.
                parameter.normal_(std=0.2 if "coder" in name else 0.7)
        return model.eval()

    return make


@pytest.fixture(scope="session")
def speller() -> Path:
    """The command, as it is installed in the environment that the tests run in."""
    return Path(sys.executable).with_name("speller")


@pytest.fixture(scope="session")
def hasty() -> list[str]:
    """The command with a checkpoint every 0.3 seconds, and few samples to fit a ranking on."""
    return [sys.executable, "-c", HASTY]


@pytest.fixture(scope="session")
def run_speller(speller):
    """Runs the command, or another one that does its work, to its end."""

    def run(*arguments, command=(speller,)) -> subprocess.CompletedProcess[str]:
        command = [*map(str, (*command, *arguments))]
        environment = {**os.environ, "PYTHONUTF8": "1"}
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment, timeout=170)

    return run


@pytest.fixture(scope="session")
def made_up_language(tmp_path_factory) -> Path:
    """The recipe of a small run over a language of made-up words, with pairs enough to fit a ranking on."""
    draw = random.Random(1)
    words: dict[str, list[str]] = {"train": [], "fit": [], "test": []}
    while len(words["train"]) < 60 or len(words["fit"]) < 12:
        word = "".join(draw.choice("bdfgklmnprst") + draw.choice("aeiou") for _ in range(draw.randint(3, 5)))
        words[part_of(word, language="und")].append(word)
    known = words["train"][:60] + words["fit"][:12]
    wrongs = {}
    for word in words["train"][:60] * 4 + words["fit"][:12] * 40:
        place = draw.randrange(len(word))
        wrongs[word[:place] + draw.choice("bdfgklmnprstaeiou") + word[place + draw.randint(0, 1) :]] = word
    folder = tmp_path_factory.mktemp("made-up")
    Lexicon.build({word: 3 + place % 20 / 10 for place, word in enumerate(known)}).save(folder / "lexicon.npz")
    lines = [f"{wrong}\t{right}\n" for wrong, right in wrongs.items() if wrong not in known]
    (folder / "pairs.tsv").write_text("".join(lines), encoding="utf-8")
    recipe = folder / "recipe.toml"
    recipe.write_text(
        f"""
        language = "und"
        lexicon = "{folder / "lexicon.npz"}"
        pairs = ["{folder / "pairs.tsv"}"]
        embedding = 16
        encoder = 24
        decoder = 32
        batch = 16
        warmup = 20
        """,
        encoding="utf-8",
    )
    return recipe
