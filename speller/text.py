"""Running text: where its words are, which of them are no correction's business, and which most likely are names."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

CHUNK = re.compile(r"\S+")
"""What stands between white space."""

REACH = 32
"""So many characters before and after a word tell what it is in its sentence."""

UNIT = 4
"""A unit after a number has at most so many letters."""

WIDTH = 200
"""So many characters of a line tell whether it is prose."""

ODD_CHUNKS = 2
"""Where at least so many chunks of a line are not words with punctuation around them …"""

ODD_SHARE = 0.35
"""… and so many of all its chunks, the line is no prose."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word in a text.

    Attributes:
        start: its first character's place, in code points.
        end: the place after its last character.
        doubtful: whether what is written like this, or stands there, is mostly right where it is unknown: a name, an
            acronym, a part of a path.
    """

    start: int
    end: int
    doubtful: bool


def hide(line: str) -> str:
    """The line with its code, tags and addresses covered by as many characters that no word has.

    That is: code between backticks, HTML's tags and comments, what has a scheme ("https://…"), a Markdown link's
    target, shells' ``${…}`` and ``$(…)``, and what a function is called with. All end where the line ends, so that a
    text can be cut there.

    >>> hide("`recieve` in <b>bold</b>, see https://recieve.com.")
    '000000000 in    bold    , see 0000000000000000000.'
    """
    if "`" in line:
        line = _hide_code(line)
    if "<" in line or "://" in line or "(" in line or "$" in line:
        line = _HIDDEN.sub(lambda found: (" " if found[0][0] in "<]" else "0") * len(found[0]), line)
    return line


_HIDDEN = re.compile(
    r"""  <[A-Za-z/!?][^<>]*>
        | (?<![\w+.-]) [A-Za-z][\w+.-]*+ :// [^\s<>"`“”]* (?<![.,;:!?)\]}'])
        | \]\([^()\s]*\)
        | \$[{(][^(){}\s]*[)}]
        | (?<=\w)\([^()]*\)""",
    re.VERBOSE,
)


def _hide_code(line: str) -> str:
    """Covers what stands between two runs of equally many backticks, as CommonMark pairs them."""
    runs = [found.span() for found in re.finditer("`+", line)]
    closing: dict[int, int] = {}
    following = [-1] * len(runs)  # the next run of the same length
    for place in range(len(runs) - 1, -1, -1):
        start, end = runs[place]
        following[place] = closing.get(end - start, -1)
        closing[end - start] = place
    parts, covered, place = [], 0, 0
    while place < len(runs):
        if following[place] >= 0:
            start, end = runs[place][0], runs[following[place]][1]
            parts += [line[covered:start], "0" * (end - start)]
            covered, place = end, following[place]
        place += 1
    return "".join([*parts, line[covered:]])


def words_of(chunk: str) -> list[Word]:
    """The words of a chunk that a corrector may look at, whatever stands around the chunk.

    Left out are addresses, paths, @names, #tags, flags, variables and all else that is code; words with digits, roman
    numerals, words with capitals inside, acronyms' plurals and single letters.

    >>> [(word.start, word.end) for word in words_of("(well-knwon,")]
    [(1, 5), (6, 11)]
    >>> [words_of(chunk) for chunk in ("me@recieve.com", "/usr/lbi", "snake_csae", "pritn()", "3rd", "iPhnoe", "APIs")]
    [[], [], [], [], [], [], []]
    """
    shape = chunk if chunk.isascii() else chunk.translate(_SHAPES)
    found: list[Word] = []
    for piece in _PIECE.finditer(shape):
        start, text = piece.start(), piece[0]
        if (start > 1 and _BRACKETED.match(shape, start - 2)) or _BRACKETING.match(shape, piece.end() - 1):
            continue  # "[d]ifference", "(mis)rule", "print(x)"
        if text.isalpha():
            found += _word(shape, start, piece.end(), doubtful=False)
        elif len(text) > 2 and text[0] == text[-1] == "_" and "_" not in text[1:-1]:  # _emphasis_
            found += _parts(shape, start + 1, piece.end() - 1)
        else:
            found += _parts(shape, start, piece.end())
    return found


def _parts(shape: str, start: int, end: int) -> Iterator[Word]:
    """The words of a piece with something other than letters in it."""
    if _CODE.search(shape, start, end):
        return
    slashes = shape.count("/", start, end)
    if slashes > 1 or (slashes and not _EITHER_OR.fullmatch(shape, start, end)):
        return
    hyphens = "-" in shape[start:end]
    if not hyphens and _DIGIT.search(shape, start, end):
        return
    for part in _PART.finditer(shape, start, end):
        first, last = part.span("word")
        broken = last == end - 1 and shape[last] == "-"  # "recom-" at a line's end, "pre-" before "and post-war"
        elided = bool(part["before"]) != bool(part["after"])  # "'tis" and "goin'", not "'quoted'"
        if not (broken or elided or _DIGIT.search(part["word"])):
            yield from _word(shape, first, last, doubtful=hyphens or slashes > 0)


def _word(shape: str, start: int, end: int, *, doubtful: bool) -> Iterator[Word]:
    if end - start > 1 and not _NO_WORD.fullmatch(shape, start, end):
        yield Word(start, end, doubtful or _TERM.match(shape, start, end) is not None)


_PIECE = re.compile(r"[\w'./\\@\#$%&=+~:-]+", re.ASCII | re.VERBOSE)
_CODE = re.compile(
    r"""  [\\@\#$%&=+~_]
        | \w[.:]\w              # dotted.names, domains, key:value
        | (?<![\w'./:-])\.\w    # .bashrc
        | ::
        | (?<![\w'./:-])--?[A-Za-z]  # --flags
        """,
    re.ASCII | re.VERBOSE,
)
_BRACKETED = re.compile(r"[A-Za-z][)\]]")
_BRACKETING = re.compile(r"[A-Za-z](?:['’]?[(\[][A-Za-z)]|[)\]][A-Za-z])")
_EITHER_OR = re.compile(r"'?[A-Za-z]['A-Za-z-]*/[A-Za-z]['A-Za-z-]*[.:]?")
_DIGIT = re.compile("[0-9]")
_PART = re.compile(r"(?P<before>'?)(?P<word>[A-Za-z0-9]+(?:'[A-Za-z0-9]+)*)(?P<after>'?)")
_NO_WORD = re.compile(
    r"""  .*[a-z][A-Z].*          # iPhone, camelCase, GHz
        | [A-Z]{2,}'?s          # APIs
        | M{0,4}(?:CM|CD|D?C{0,4})(?:XC|XL|L?X{0,4})(?:IX|IV|V?I{0,4})
        | x{0,3}(?:ix|iv|v?i{0,4})""",
    re.VERBOSE,
)
_TERM = re.compile(r"[A-Z]{2,}[a-z]|.*([a-z])\1\1")  # CMake, JSONify, hmmm


class _Shapes(dict[int, str]):
    """What a character counts as in a chunk, as an ASCII character: "é" as "a", "É" as "A", "’" as "'", "²" as "0".

    What may be part of a word of some script counts as a letter, so that a word is never cut where it is not
    understood: "re\\xadceive" is one word, which no lexicon spells.
    """

    def __missing__(self, code: int) -> str:
        character, category = chr(code), unicodedata.category(chr(code))
        if category in ("Lu", "Lt"):
            return "A"
        if category[0] in "LMC":
            return "a"
        if category[0] == "N":
            return "0"
        return _PUNCTUATION.get(character, '"')


_PUNCTUATION = {"’": "'", "‘": "'", "‐": "-", "‑": "-"}
_SHAPES = _Shapes({code: chr(code) for code in range(128)})


def core(chunk: str) -> str:
    """A chunk without the punctuation around it, but for what may belong to the word: "'tis", "C++", ".NET"."""
    return chunk.strip(_AROUND).rstrip(".:")


_AROUND = ',;!?"()[]{}<>|*“”„«»…'


def in_doubt(line: str, start: int, end: int, *, mixed: bool) -> bool:
    """Whether a word that is not known is most likely right where it stands: a name, an acronym, a unit or a term.

    A term is what stands in a column of a table; in lower case also what stands beside a quotation mark, alone
    between brackets, or before what ``hide`` covers: "umount(8)".

    Args:
        line: without what ``hide`` covers.
        start: where the word begins there.
        end: where it ends.
        mixed: whether the line is not all in capitals.
    """
    before, after = line[max(0, start - REACH) : start], line[end : end + REACH]
    if _COLUMN_BEFORE.search(before) or _COLUMN_AFTER.match(after):
        return True
    if line[start].isupper():
        return _likely_name(_without_opening(before), after) or (mixed and line[start:end].isupper())
    unit = end - start <= UNIT and before.rstrip(" ")[-1:].isdigit()
    return unit or _is_set_off(before[-1:], after[:1])


def is_prose(line: str) -> bool:
    """Whether a line, without what ``hide`` covers, is no table, list of numbers or code: few of its chunks are odd.

    >>> is_prose("It was 10 o'clock, and a cold day."), is_prose("if (x == 1) return")
    (True, False)
    """
    line = line[:WIDTH]
    chunks = len(line.split())
    odd = chunks - len(_PLAIN.findall(line))
    return odd < ODD_CHUNKS or odd < ODD_SHARE * chunks


_PLAIN = re.compile(
    r"""  (?<!\S)
        (?: [(\[“‘"'*_]*+ [^\W\d_]++ (?:['’-][^\W\d_]++)*+ [)\]”’"'*_.,;:!?…]*+ | [–—-]++ )
        (?!\S)""",
    re.VERBOSE,
)
_COLUMN_BEFORE = re.compile(r"\w {2,}\Z")
_COLUMN_AFTER = re.compile(r" {2,}\S")


def _is_set_off(before: str, after: str) -> bool:
    """Whether what stands directly before and after a word, if anything does, makes a term of it."""
    return before in _MARKS or after in _MARKS or before + after in ("()", "[]") or after == "0"


_MARKS = frozenset("\"“”'‘’«»")


def _likely_name(before: str, after: str) -> bool:
    """Whether a word with a capital stands inside a sentence, or before another capital."""
    if before:
        if before[-1] not in ".!?:":
            return True
        if before[-1] == "." and (title := _TITLE.search(before)) and title[0] != before:
            return True
    following = after.lstrip(" ")
    return len(following) < len(after) and following[:1].isupper()


def _without_opening(before: str) -> str:
    """What comes before a word without the quotes, brackets and bullets in between."""
    end = len(before)
    while end and not (before[end - 1].isalnum() or before[end - 1] in ".!?:,;"):
        end -= 1
    return before[:end]


_TITLE = re.compile(r"(?<![^\s(])[A-Z]\w{0,2}\.$")  # "Mr.", "J.", "St."
