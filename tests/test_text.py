import time

import pytest

from speller.text import core, hide, in_doubt, is_prose, words_of


def found(chunk: str) -> list[str]:
    return [chunk[word.start : word.end] for word in words_of(chunk)]


@pytest.mark.parametrize(
    "chunk",
    [
        "https://recieve.com",
        "www.recieve.com",
        "recieve.com",
        "me@recieve.com",
        "@recieve",
        "#recieve",
        "/usr/recieve",
        "./recieve",
        "../recieve",
        "~/recieve",
        "recieve/",
        "src/recieve/wierd",
        "recieve/wierd.txt",
        "C:\\recieve",
        "C:/recieve",
        "recieve_wierd",
        "__recieve__",
        "_recieve",
        "recieveWierd",
        "recieve()",
        "recieve(x",
        "recieve.wierd",
        ".recieve",
        "std::recieve",
        "wierd:recieve",
        "--recieve",
        "-recieve",
        "$RECIEVE",
        "%recieve",
        "recieve=wierd",
        "&eacute;",
        "caf&eacute;",
        "R&D",
        "3rd",
        "10km",
        "5GHz",
        "1990s",
        "24/7,",
        "h4x0r",
        "iPhnoe",
        "APIs",
        "URL's",
        "XIV.",
        "(viii)",
        "x",
        "a",
        "I",
        "recieve-",
        "goin'",
        "’tis",
        "[d]ifference",
        "(un)recieve",
        "☺",
        "…",
        "²",
        "",
    ],
)
def test_what_is_no_correctors_business_is_left_out(chunk: str) -> None:
    assert found(chunk) == []


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        ("recieve", ["recieve"]),
        ("“Recieve,”", ["Recieve"]),
        ("(recieve).", ["recieve"]),
        ("'recieve'", ["recieve"]),
        ("‘recieve’", ["recieve"]),
        ("*recieve*", ["recieve"]),
        ("**recieve**:", ["recieve"]),
        ("_recieve_,", ["recieve"]),
        ("well-knwon", ["well", "knwon"]),
        ("well‑knwon", ["well", "knwon"]),
        ("wrod—recieve", ["wrod", "recieve"]),
        ("wrod--recieve", ["wrod", "recieve"]),
        ("wrod...recieve", ["wrod", "recieve"]),
        ("wrod,recieve;wierd", ["wrod", "recieve", "wierd"]),
        ('{"wrod":"recieve"}', ["wrod", "recieve"]),
        ("10-yaer-old", ["yaer", "old"]),
        ("recieve/wrod", ["recieve", "wrod"]),
        ("dosn’t", ["dosn’t"]),
        ("rock'n'roll", ["rock'n'roll"]),
        ("[recieve]", ["recieve"]),
        ("recieve[1]", ["recieve"]),
        ("cafe\u0301s", ["cafe\u0301s"]),
        ("re\xadcieve", ["re\xadcieve"]),
        ("naïve☺recieve", ["naïve", "recieve"]),
        ("Wrold", ["Wrold"]),
        ("TEH", ["TEH"]),
        ("МОСКВА", ["МОСКВА"]),
        ("東京", ["東京"]),
        ("recieve\udcff", ["recieve\udcff"]),
    ],
)
def test_words_are_found_whole_and_without_what_is_around_them(chunk: str, words: list[str]) -> None:
    assert found(chunk) == words


@pytest.mark.parametrize(
    ("chunk", "doubtful"),
    [("recieve", False), ("well-knwon", True), ("his/recieve", True), ("CMaek", True), ("hmmmm", True), ("WRod", True)],
)
def test_terms_are_doubtful(chunk: str, doubtful: bool) -> None:
    assert {word.doubtful for word in words_of(chunk)} == {doubtful}


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("a `b c` d", "a 00000 d"),
        ("a ``b ` c`` d `e", "a 000000000 d `e"),
        ("```a b``` c", "000000000 c"),
        ("`a ``b", "`a ``b"),
        ("<a href='b c'>d</a>e < f > g <!-- h i -->", " " * 14 + "d    e < f > g " + " " * 12),
        ("x https://a.b/c_(d)). e", "x " + 16 * "0" + ")). e"),
        ("[a b](c/d.md) e", "[a b          e"),
        ("a ${b c} $(d)", "a ${b c} 0000"),
        ("no $code here", "no $code here"),
        ("call(a, b) and (c) word(s)", "call000000 and (c) word000"),
    ],
)
def test_code_and_addresses_are_hidden(line: str, hidden: str) -> None:
    assert hide(line) == hidden
    assert len(line) == len(hidden)


@pytest.mark.parametrize(
    ("line", "word", "doubtful"),
    [
        ("Teh end", "Teh", False),
        ("It ends. Teh end", "Teh", False),
        ("“Teh end", "Teh", False),
        ("- Teh end", "Teh", False),
        ("☺ *Teh* end", "Teh", False),
        ("wait, Teh end", "Teh", True),
        ("we saw Teh end", "Teh", True),
        ("by Mr. Teh", "Teh", True),
        ("by J. Teh", "Teh", True),
        ("It was Bob. Teh end", "Teh", True),
        ("Teh United States", "Teh", True),
        ("so teh end", "teh", False),
        ("so TEH end", "TEH", True),
        ("SO TEH END", "TEH", True),
        ("TEH", "TEH", False),
        ("over 10 kmh", "kmh", True),
        ("over 10 metres", "metres", False),
        ("our “teh” end", "teh", True),
        ("our 'teh' end", "teh", True),
        ("our (teh) end", "teh", True),
        ("our (teh end", "teh", False),
        ("our teh000 end", "teh", True),
        ("our *teh* end", "teh", False),
        ("“Teh” end", "Teh", False),
        ("teh   end", "teh", True),
        ("an end   Teh", "Teh", True),
        ("an end.  Teh", "Teh", False),
        ("   Teh", "Teh", False),
        ("teh   ", "teh", False),
    ],
)
def test_names_acronyms_and_units_are_in_doubt(line: str, word: str, doubtful: bool) -> None:
    start = line.index(word)
    assert in_doubt(line, start, start + len(word), mixed=not line.isupper()) == doubtful


@pytest.mark.parametrize(
    ("line", "prose"),
    [
        ("", True),
        ("teh", True),
        ("42", True),
        ("- “Teh *wierd* (man’s) well-knwon end…”", True),
        ("In 1999, 3 of 10 ends were teh end", True),
        ("1 of 3 ends", False),
        ("x = teh(1)", False),
        ("| teh | 12 |", False),
        ("ab 000 c_d end of it", True),
    ],
)
def test_tables_and_code_are_no_prose(line: str, prose: bool) -> None:
    assert is_prose(line) == prose


@pytest.mark.parametrize(
    ("chunk", "word"), [("(C++),", "C++"), ("“.NET”", ".NET"), ("'tis,", "'tis"), ("e-mail.", "e-mail"), ("...", "")]
)
def test_the_core_is_what_a_dictionary_may_hold(chunk: str, word: str) -> None:
    assert core(chunk) == word


NASTY = ["a", "aA", "A", "Mm", "iv", "x", "é", "東", "☺", "0a", "0-", "a-", "a.", "a'", "'", "-", "--", ".", "/", "a/"]
NASTY += [
    ":",
    "a:",
    "://",
    "a://",
    "a://)",
    "<",
    "<a",
    "`",
    "`a``b",
    "](",
    "${",
    "$(",
    "_",
    "a_",
    "_a",
    "(",
    "a(",
    "a)",
]
NASTY += [" ", "a ", "<a ", "` ", "a:// ", "Aa. ", "A. ", "(a ", "\\", "^", "\0", "\u0301", "a\u0301\u0323", "\udcff"]
NASTY += ["\u202e", "\u200d", "a\u0301\u0323\u0345"]


@pytest.mark.parametrize("pattern", NASTY)
def test_the_time_grows_with_the_length_alone(pattern: str) -> None:
    def seconds(length: int) -> float:
        text = "`$ < :// (" + pattern * (length // len(pattern))  # so that all is looked for
        start = time.process_time()
        is_prose(text)
        for chunk in hide(text).split():
            words_of(chunk)
        return time.process_time() - start

    # A time that grew with the square would be a hundred times as long, or 10,000 s at the full length.
    few = seconds(20_000)
    assert seconds(200_000) < 30 * few + 0.2
