"""The plain texts that harmless.py reads, out of Debian's packages: nine kinds of good prose.

    apt-get download anarchism debian-handbook debian-policy debian-reference-en developers-reference fortunes \\
        fortunes-min perl-doc r-cran-janeaustenr
    for package in *.deb; do dpkg -x $package packages; done
    python tests/benchmarks/prose.py packages texts

The figures are of Debian 12's. Pages lose their markup and code; of the licences, those of this machine are taken.
"""

import argparse
import gzip
import html
import re
import struct
import zlib
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from pathlib import Path

LINES = {"p", "li", "h1", "h2", "h3", "div", "tr", "dt", "dd", "br", "td"}
"""The elements that begin a line."""

INLINE_CODE = {"code", "tt"}
LEFT_OUT = {"pre", "script", "style", "head", *INLINE_CODE}

NAME = "X"
"""What stands for a piece of code inside a sentence."""

PAGES_OF_ANARCHISM = 6
"""One page in so many is taken: there are many."""

FORTUNES = (
    *("art", "education", "food", "humorists", "law", "literature"),
    *("people", "platitudes", "politics", "science", "wisdom", "work"),
)
"""Those in sentences."""

MANUALS = re.compile(
    r"perl(faq\d|intro|book|style|hack|community|policy|ipc|port|sec|uni|open|dsc|re(quick|tut)).*\.pod"
)
"""Perl's manuals that tell more than they list."""

LONGEST_LINE = 400
"""Of a novel, in bytes."""


class Prose(HTMLParser):
    """Collects what a page says, without code, a line for each of its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.inside = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Begin a line, or what is left out."""
        self.inside += tag in LEFT_OUT
        if tag in LINES:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End what is left out."""
        if tag in LEFT_OUT:
            self.inside = max(0, self.inside - 1)
            self.parts.append(f" {NAME} " if tag in INLINE_CODE else "")

    def handle_data(self, data: str) -> None:
        """Take what is said."""
        if not self.inside:
            self.parts.append(re.sub(r"\s+", " ", data))


def read(paths: Iterable[Path]) -> list[str]:
    """The texts of files in the order of their names; what is no UTF-8 is replaced."""
    return [path.read_text(encoding="utf-8", errors="replace") for path in sorted(paths)]


def pages(paths: Iterable[Path]) -> str:
    """What HTML pages say."""
    texts = []
    for page in read(paths):
        prose = Prose()
        prose.feed(page)
        texts.append("".join(prose.parts))
    return re.sub(r"\n\s*\n+", "\n\n", "\n".join(texts))


def manuals(paths: Iterable[Path]) -> str:
    """What Perl's manuals say, without headings and code."""
    texts = []
    for text in read(paths):
        text = "\n".join(line for line in text.split("\n") if not line.startswith((" ", "\t", "=")))
        text = re.sub(r"[A-Z]<<+\s.*?\s>>+", NAME, text, flags=re.DOTALL)
        text, before = re.sub(r"E<(\w+)>", lambda found: character(found[1]), text), ""
        while text != before:  # C<a> within I<b>: the inner one first
            before, text = text, re.sub(r"([A-Z])<([^<>]*)>", plain, text)
        texts.append(text)
    return "\n".join(texts)


def character(name: str) -> str:
    """What a manual calls by a name or a number; nothing for brackets, which would open or close others."""
    return "" if name in ("lt", "gt") else html.unescape(f"&{name.replace('0x', '#x')};")


def plain(found: re.Match[str]) -> str:
    """What stands in a manual's brackets where it is set in another type, a name where it is code or a link."""
    return found[2] if found[1] in "BIS" else NAME


def novels(path: Path) -> str:
    """The strings of an R package's data: of each object, its length and a deflated serialisation."""
    data, texts = path.read_bytes(), []
    while data:
        stream = zlib.decompressobj()
        serialised = stream.decompress(data[4:])
        data = stream.unused_data
        lines = []
        for found in re.finditer(rb"\x00\x04\x00\x09(....)", serialised, re.DOTALL):  # a string, and its length
            (length,) = struct.unpack(">i", found[1])
            if 0 <= length < LONGEST_LINE:
                lines.append(serialised[found.end() : found.end() + length].decode("latin-1"))
        texts.append("\n".join(lines))
    return "\n".join(texts)


def licences(root: Path) -> str:
    """The licences that every Debian system has."""
    return "\n".join(read(path for path in root.glob("usr/share/common-licenses/*") if not path.is_symlink()))


TEXTS: dict[str, Callable[[Path], str]] = {
    "anarchism": lambda root: pages(sorted(root.glob("doc/anarchism/html/*.html"))[::PAGES_OF_ANARCHISM]),
    "austen": lambda root: novels(root.parent / "lib/R/site-library/janeaustenr/data/Rdata.rdb"),
    "debian-reference": lambda root: pages(root.glob("debian-reference/ch*.en.html")),
    "developers-reference": lambda root: pages(root.glob("doc/developers-reference/docs/*.html")),
    "fortunes": lambda root: "\n".join(read(root / "games/fortunes" / name for name in FORTUNES)),
    "handbook": lambda root: pages(root.glob("doc/debian-handbook/html/en-US/*.html")),
    "licences": lambda root: licences(Path("/")),
    "perl": lambda root: manuals(path for path in root.rglob("perl/**/*.pod") if MANUALS.fullmatch(path.name)),
    "policy": lambda root: gzip.decompress((root / "doc/debian-policy/policy.txt.gz").read_bytes()).decode(),
}
"""How each text is made, from the packages' usr/share."""


def main() -> None:
    """Writes the texts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path, help="where the packages are unpacked")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, make in TEXTS.items():
        (options.out / f"{name}.txt").write_text(make(options.packages / "usr/share"), encoding="utf-8")


if __name__ == "__main__":
    main()
