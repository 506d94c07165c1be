"""Every text of the page can be read in both themes: WCAG 2.2, 1.4.3 (4.5 to 1) and 1.4.11 (3 to 1 for graphics)."""

import re
from pathlib import Path

import pytest

from levee import report

CSS = (Path(report.__file__).parent / "assets" / "page.css").read_text()
BLOCKS = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
LIGHT = dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", BLOCKS[0]))
DARK = LIGHT | dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", BLOCKS[1]))
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])

TEXTS = [
    *(("--text", ground) for ground in ("--page", "--surface", "--sunken")),
    *(("--muted", ground) for ground in ("--page", "--surface", "--sunken")),
    *((tone, "--surface") for tone in ("--good", "--mandatory", "--advisory", "--link")),
    *(("--on-bar", bar) for bar in ("--clean", "--quarantined", "--mandatory", "--advisory", "--unsure", "--exempt")),
]
MARKS = [name for name in LIGHT if name.startswith(("--cloud-", "--series-"))] + ["--duplicate"]


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@THEMES
@pytest.mark.parametrize(("text", "ground"), TEXTS)
def test_text_stands_out(theme, text, ground):
    assert contrast(theme[text], theme[ground]) >= 4.5


@THEMES
@pytest.mark.parametrize("mark", MARKS)
def test_bars_and_dots_stand_out(theme, mark):
    assert contrast(theme[mark], theme["--surface"]) >= 3


def test_the_measure_is_the_standards():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
