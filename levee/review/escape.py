"""Text that somebody else wrote, made harmless in a Markdown comment.

A pull request chooses the names of its resources, its values, its files and its messages. Whatever they are, they are
shown as themselves: inside ``<code>``, where GitHub makes no mention, reference or link of anything, with every sign
that Markdown or HTML could take for its own as a numeric character reference.

Sources: GitHub Flavored Markdown 0.29 §6.2 (references are never structure), §6.9 (autolinks); GitHub's mention and
issue filters leave ``code`` and ``pre`` alone.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_HARMLESS: Final = frozenset(" /,=-.;()'\"?%")
"""Signs that begin nothing in the middle of a line; a dot is one only where no ``www`` is before it."""

_LINKED: Final = re.compile(r"[@#]|://|www\.|GH-\d", re.IGNORECASE)
"""What GitHub makes a mention, a reference or a link of, after Markdown is done."""

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that show nothing, or turn the line around."""


def length(text: str) -> int:
    """How long GitHub takes the text to be: UTF-16 code units, the strictest way to count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def visible(text: str) -> str:
    """The text on one line, what cannot be seen spelled out by its code point."""
    return "".join(_spelled(sign) if unicodedata.category(sign) in _UNSEEN else sign for sign in text)


def code(text: str, most: int = 120) -> str:
    """The text as inline code, cut in the middle beyond ``most`` characters; an en dash where there is none."""
    shown = shorten(visible(text), most)
    return f"<code>{_referenced(shown)}</code>" if shown.strip() else "–"


def prose(text: str, most: int = 300) -> str:
    """Words of a rule or of an error, as they are read: harmless in the same way, broken between words."""
    shown = shorten(visible(" ".join(text.split())), most)
    return " ".join(
        f"<code>{_referenced(word)}</code>" if _LINKED.search(word) else _referenced(word) for word in shown.split(" ")
    )


def own(text: str) -> str:
    """Words of Levee's own, such as how a rule is mended: what they have between backticks is code."""
    pieces = text.split("`")
    return "".join(code(piece) if place % 2 else _spaced(piece) for place, piece in enumerate(pieces))


def _spaced(text: str) -> str:
    """Prose with the blanks at its ends, which stand between it and what is beside it."""
    start, end = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{start}{prose(text)}{end}" if text.strip() else text


def shorten(text: str, most: int) -> str:
    """The text with its middle left out, where it is longer than that; both ends tell names apart."""
    if len(text) <= most:
        return text
    head = (most - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"


def fence(lines: list[str]) -> str:
    """A fenced block of a diff that no line of it can close."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    ticks = "`" * max(3, longest + 1)
    return "\n".join((f"{ticks}diff", *lines, ticks))


def _referenced(text: str) -> str:
    return "".join(
        sign if _is_harmless(sign, text[max(place - 3, 0) : place]) else f"&#{ord(sign)};"
        for place, sign in enumerate(text)
    )


def _is_harmless(sign: str, before: str) -> bool:
    if sign.isalnum():
        return True
    return bool(before) and sign in _HARMLESS and not (sign == "." and before.lower() == "www")


def _spelled(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) <= 0xFFFF else f"\\U{ord(sign):08x}"
