import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from speller import Corrector
from speller.commands.explanation_page import page
from speller.explanation import Explanation, explain

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def explained(english: Corrector, *words: str) -> list[Explanation]:
    return [explain(english, word, attribute=lambda written, _: np.linspace(-3, 2, len(written))) for word in words]


def parsed(text: str) -> ElementTree.Element:
    """The page's body, which is well-formed."""
    body = re.search("<body>.*</body>", text, re.S)
    assert body
    return ElementTree.fromstring(body[0])


def test_the_page_is_whole_and_needs_nothing_beside_it(english: Corrector) -> None:
    text = page(explained(english, "recieve", "<b>&$x\x00\udcff", "", "a" * 100_000, "alot", "their"))
    body = parsed(text)
    assert [title.text for title in body.iter("h1")][:3] == ["recieve", "<b>&$x��", "''"]
    assert not re.search(r"""(src|href)=|@import|url\(|<script""", text)
    assert "default-src 'none'" in text
    assert "$title" not in text
    assert "$body" not in text
    assert len(text) < 200_000
    assert sum(element.text == "attribution" for element in body.iter("dt")) == 1


def test_the_pictures_show_the_figures(english: Corrector) -> None:
    (explanation,) = explained(english, "recieve")
    alignment, *gauges, letters = list(parsed(page([explanation])).iter("svg"))
    assert [text.text for text in alignment.iter("text")] == ["written", "instead", *(a for pair in zip("recieve", "receive", strict=True) for a in pair)]  # fmt: skip  # noqa: E501
    swapped = [line for line in alignment.iter("line") if line.get("class") == "edit swap"]
    assert [(line.get("x1"), line.get("x2")) for line in swapped] == [
        (swapped[1].get("x2"), swapped[1].get("x1")),
        (swapped[0].get("x2"), swapped[0].get("x1")),
    ]
    shares = [float(bar.get("width", "")) for svg in gauges for bar in svg.iter("rect") if bar.get("class") == "share"]
    probabilities = [each.probability for each in explanation.candidates]
    assert shares == pytest.approx([72 * probability for probability in probabilities], abs=0.06)
    decision = explanation.decision
    assert decision
    assert decision.reading is not None
    for name, values in (("look", decision.attention), ("reading", decision.reading), ("reverse", decision.reverse)):
        bars = [bar for bar in letters.iter("rect") if bar.get("class") == name and bar.find("title") is not None]
        heights = np.array([float(bar.get("height", "")) for bar in bars])
        largest = values.max() if name == "look" else max(abs(decision.reading).max(), abs(decision.reverse).max())
        assert heights.tolist() == pytest.approx((64 * abs(values) / largest).tolist(), abs=0.06)
    below = [float(bar.get("y", "")) for bar in letters.iter("rect") if bar.get("class") == "reading"][1:]
    assert below[0] > below[-1]


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here to look at the page with (Debian: apt-get install chromium)")
@pytest.mark.parametrize("night", [False, True])
def test_a_browser_shows_the_page(english: Corrector, tmp_path: Path, night: bool) -> None:
    image = pytest.importorskip("matplotlib.image")
    (tmp_path / "page.html").write_text(page(explained(english, "recieve", "a" * 40)), encoding="utf-8")
    picture, width = tmp_path / "page.png", 420 if night else 1100
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}", f"--window-size={width},2600"]
    command += ["--force-dark-mode"] * night
    done = subprocess.run([*command, (tmp_path / "page.html").as_uri()], capture_output=True, text=True, timeout=60)
    assert picture.exists(), done.stderr
    assert "CONSOLE" not in done.stderr
    drawn = image.imread(picture)[..., :3]
    assert (drawn[0, 0].mean() < 0.3) == night
    # Nothing sticks out at the right: wide pictures scroll in their frames.
    assert (drawn[:, -8:] == drawn[0, 0]).all()
    for color in ([0x6C, 0xB2, 0xFF], [0xB8, 0x9C, 0xF2]) if night else ([0x15, 0x65, 0xC0], [0x6A, 0x45, 0xA6]):
        assert (np.abs(drawn - np.array(color) / 255).max(axis=-1) < 0.1).sum() > 200
