"""The known words of a language: how frequent each is, its letter case, and an automaton that spells them."""

import math
import os
import unicodedata
import zipfile
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speller.alphabet import Alphabet
from speller.attested import Attestation, Attested
from speller.automaton import Automaton
from speller.signatures import Signatures
from speller.sounds import Sounds
from speller.vocabulary import GAP, Vocabulary

FORMAT = "speller lexicon 1"
"""The first thing in a lexicon's file."""

_DAMAGE = (ValueError, LookupError, TypeError, EOFError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What reading a cut-off, damaged or foreign file of arrays raises."""


def fold(word: str) -> str:
    """The form under which a word is looked up: lower case, composed (NFC), a typographic apostrophe made plain.

    Lower case and not case folding, which turns "heiß" into "heiss".

    >>> fold("Rock’n’Roll"), fold("ΟΔΟΣ")
    ("rock'n'roll", 'οδος')
    """
    lower = word.lower()
    return lower if lower.isascii() else unicodedata.normalize("NFC", lower).replace("’", "'")


class Lexicon:
    """The known words, in code point order; a word's index is its place there. Made by ``build`` or ``load``.

    >>> lexicon = Lexicon.build({"London": 4.8, "receive": 4.6, "pseudo": 0.0})
    >>> lexicon.words[:], "LONDON" in lexicon, lexicon.usual_case(0), lexicon.index("receive"), lexicon.index("recieve")
    (['london', 'pseudo', 'receive'], True, 'London', 2, None)
    """

    def __init__(
        self,
        words: Vocabulary,
        zipf: NDArray[np.float32],
        alphabet: Alphabet,
        capitalised: NDArray[np.bool_],
        irregular: Mapping[int, str],
        attested: Attested,
        sounds: Sounds | None = None,
    ) -> None:
        """Takes sorted words and what belongs to each: whether the usual form has just its first letter in upper case.

        ``irregular`` maps an index to any other usual form with capitals.
        """
        self.words = words
        """The known words, folded."""
        self.zipf = zipf
        """``(words,)``: the logarithm, to base 10, of a word's occurrences per billion; 0: known, never offered."""
        self.alphabet = alphabet
        """The characters that the words are made of; it may lack characters of words that were added later."""
        self.attested = attested
        """Further words, which are not known and not offered, but rather right than wrong where someone writes them."""
        self.sounds = Sounds.unknown() if sounds is None else sounds
        """What the offered words sound like, as far as it is known."""
        self._capitalised = capitalised
        self._irregular = irregular

    @classmethod
    def build(
        cls, zipf: Mapping[str, float], *, attestations: Mapping[str, Attestation] = MappingProxyType({})
    ) -> "Lexicon":
        """The lexicon of the words, each in its usual letter case, with their Zipf frequencies.

        Of forms that differ in case alone ("us", "US") the lower-case one counts as usual, else the most frequent; the
        highest of their frequencies is the word's. A frequency of 0 makes a word that is known but never offered as a
        correction.

        Args:
            zipf: the words.
            attestations: further words, folded, with what attests them, and words that are often neighbours ("a lot").
                Those that are known anyway are left out, and those that the alphabet cannot spell.

        Raises:
            ValueError: there is no word; a word is empty or holds white space or a surrogate; a frequency is negative
                or not finite.
        """
        if not zipf:
            raise ValueError("a lexicon holds at least one word")
        frequency: dict[str, float] = {}
        usual: dict[str, tuple[bool, float, str]] = {}
        for word, value in zipf.items():
            _check(word, value)
            folded = fold(word)
            spelt = unicodedata.normalize("NFC", word).replace("’", "'")
            usual[folded] = max(usual.get(folded, (False, -1.0, "")), (spelt == folded, value, spelt))
            frequency[folded] = max(frequency.get(folded, 0.0), value)
        words = sorted(frequency)
        forms = [usual[word][2] for word in words]
        capitalised = [form != word and form == _capitalise(word) for word, form in zip(words, forms, strict=True)]
        alphabet = Alphabet.of_words(words)
        characters = set(alphabet.characters)
        further = (
            each for each in attestations if each not in frequency and characters.issuperset(each.replace(" ", ""))
        )
        return cls(
            Vocabulary.of(words),
            np.array([frequency[word] for word in words], np.float32),
            alphabet,
            np.array(capitalised),
            {i: form for i, form in enumerate(forms) if form != words[i] and not capitalised[i]},
            Attested.build({word: attestations[word] for word in further}),
        )

    def __len__(self) -> int:
        """How many words are known."""
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        """Whether the word is known, in whatever letter case."""
        return self.index(word) is not None

    def index(self, word: str) -> int | None:
        """The place of a word among ``words``, in whatever letter case it is given; None where it is not known."""
        return self.words.find(fold(word))

    def usual_case(self, index: int) -> str:
        """The word at the index as it is usually written: "london" as "London"."""
        word = self.words[index]
        return _capitalise(word) if self._capitalised[index] else self._irregular.get(index, word)

    def has_capitals(self, index: int) -> bool:
        """Whether the word at the index has capitals of its own, as "London" and "iPhone" do."""
        return bool(self._capitalised[index]) or index in self._irregular

    @cached_property
    def offered(self) -> NDArray[np.int64]:
        """The indices of the words that are offered as corrections, in order."""
        return np.flatnonzero(self.zipf > 0)

    @cached_property
    def spelt(self) -> NDArray[np.int64]:
        """The index of each of the automaton's words: those offered that the alphabet can spell, in order."""
        known = set(self.alphabet.characters)
        words = self.words.some(self.offered)
        return self.offered[np.fromiter(map(known.issuperset, words), np.bool_, len(words))]

    @cached_property
    def automaton(self) -> Automaton:
        """The minimal acyclic automaton of the words in ``spelt``; its numbers are places there."""
        return Automaton.build(self.words.some(self.spelt), self.alphabet)

    @cached_property
    def signatures(self) -> Signatures:
        """The signatures of the offered words, by which their search for neighbours goes."""
        return Signatures.build(self.words, self.zipf)

    def with_words(self, zipf: Mapping[str, float]) -> "Lexicon":
        """A lexicon that knows more words, each in its usual letter case, with their Zipf frequencies.

        A word that is known already takes the new frequency and letter case. The alphabet stays, since a model relies
        on it: a word with other characters is known, and offered as a neighbour, but spelt by no automaton. The new
        lexicon makes its automaton and signatures afresh when they are first needed.

        Raises:
            ValueError: as for ``build``.
        """
        added = Lexicon.build(zipf)
        new = [word for word in added.words if word not in self]
        places = [bisect_left(self.words, word) for word in new]
        words = sorted([*self.words, *new])
        frequency = np.insert(self.zipf, places, 0)
        capitalised = np.insert(self._capitalised, places, False)
        irregular = {index + bisect_right(places, index): form for index, form in self._irregular.items()}
        for place, word in enumerate(added.words):
            index = bisect_left(words, word)
            frequency[index] = added.zipf[place]
            capitalised[index] = added._capitalised[place]
            irregular.pop(index, None)
            if place in added._irregular:
                irregular[index] = added._irregular[place]
        heard = np.insert(self.sounds.heard(len(self)), places, b"")
        for word in added.words:
            heard[bisect_left(words, word)] = next(iter(self.sounds.read(word)), b"")
        sounds = Sounds.build(self.sounds.pieces, heard, frequency)
        vocabulary = Vocabulary.of(words)
        return Lexicon(vocabulary, frequency, self.alphabet, capitalised, irregular, self.attested, sounds)

    def without_words(self, words: Iterable[str]) -> "Lexicon":
        """A lexicon that no longer knows the words, in whatever letter case; words that it never knew are passed over.

        Neither is any of them attested any longer.

        Raises:
            ValueError: no word would be left.
        """
        words = list(words)
        gone = {index for index in map(self.index, words) if index is not None}
        left = [index for index in range(len(self)) if index not in gone]
        if not left:
            raise ValueError("a lexicon holds at least one word")
        return Lexicon(
            Vocabulary.of(self.words.some(np.array(left))),
            self.zipf[left],
            self.alphabet,
            self._capitalised[left],
            {place: self._irregular[index] for place, index in enumerate(left) if index in self._irregular},
            self.attested.without(map(fold, words)),
            Sounds.build(self.sounds.pieces, self.sounds.heard(len(self))[left], self.zipf[left]),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the lexicon as one file of arrays."""
        sounds: dict[str, Any] = {f"sounds_{name}": array for name, array in self.sounds.arrays().items()}
        with open(path, "wb") as file:
            np.savez(
                file,
                format=_bytes(FORMAT),
                words=_bytes(GAP.join(self.words)),
                zipf=self.zipf,
                alphabet=_bytes(self.alphabet.characters),
                capitalised=self._capitalised,
                irregular_index=np.array(list(self._irregular), np.int32),
                irregular=_bytes("\n".join(self._irregular.values())),
                spelt=self.spelt.astype(np.int32),
                attested_coded=np.frombuffer(self.attested.coded, np.uint8),
                attested_starts=self.attested.starts,
                attested_evidence=self.attested.evidence,
                **sounds,
                **{f"automaton_{field.name}": getattr(self.automaton, field.name) for field in fields(Automaton)},
                **{f"signatures_{field.name}": getattr(self.signatures, field.name) for field in fields(Signatures)},
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Lexicon":
        """Reads what ``save`` wrote.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is not a lexicon, is cut off or damaged; the message names the path.
        """
        with open(path, "rb") as file:
            try:
                return cls._from_arrays(dict(np.load(file, allow_pickle=False)))
            except _DAMAGE as error:
                message = f"{os.fspath(path)}: not a whole lexicon file as `speller lexicon` writes it"
                raise ValueError(message) from error

    @classmethod
    def _from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "Lexicon":
        if arrays["format"].tobytes().decode() != FORMAT:
            raise ValueError("the file is of another format")
        words = Vocabulary(arrays["words"].tobytes().decode())
        zipf, capitalised = arrays["zipf"], arrays["capitalised"]
        if not zipf.shape == capitalised.shape == (len(words),):
            raise ValueError(f"{len(words)} words have {zipf.size} frequencies and {capitalised.size} cases")
        places = arrays["irregular_index"].tolist()
        forms = arrays["irregular"].tobytes().decode().split("\n") if places else []
        irregular = dict(zip(places, forms, strict=True))
        # A lexicon may have been written before there were attested words, or sounds.
        attested = Attested.build({})
        if "attested_coded" in arrays:
            coded, starts, evidence = (arrays[f"attested_{name}"] for name in ("coded", "starts", "evidence"))
            attested = Attested(coded.tobytes(), starts, evidence)
        sounds = None
        if "sounds_spoken" in arrays:
            sounds = Sounds.of_arrays(
                {name.removeprefix("sounds_"): array for name, array in arrays.items() if name.startswith("sounds_")}
            )
        alphabet = Alphabet(arrays["alphabet"].tobytes().decode())
        lexicon = cls(words, zipf, alphabet, capitalised, irregular, attested, sounds)
        lexicon.spelt = arrays["spelt"].astype(np.int64)
        lexicon.automaton = Automaton(*(arrays[f"automaton_{field.name}"] for field in fields(Automaton)))
        lexicon.signatures = Signatures(*(arrays[f"signatures_{field.name}"] for field in fields(Signatures)))
        return lexicon


def _capitalise(word: str) -> str:
    return word[:1].upper() + word[1:]


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _check(word: str, zipf: float) -> None:
    if not word or word.split() != [word]:
        raise ValueError(f"a lexicon's word is one or more characters without white space, not {word!r}")
    if any("\ud800" <= character <= "\udfff" for character in word):
        raise ValueError(f"a lexicon's word holds no surrogates, as {word!r} does")
    if not 0 <= zipf < math.inf:
        raise ValueError(f"the Zipf frequency of {word!r} must be a number from 0 up, not {zipf}")
