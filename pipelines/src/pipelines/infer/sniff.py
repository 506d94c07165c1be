"""How a delimited text is written: its encoding, delimiter and header, from its first bytes."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS: Final = (",", ";", "\t", "|", "whitespace")
_LINES: Final = 200
_ALIKE: Final = 0.95
"""Part of the lines that must have one number of fields."""
_VALUE: Final = re.compile(
    r"[+-]?[0-9]+([.,][0-9]+)?|[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}.*|true|false|", re.IGNORECASE
)
"""What stands in rows and is no column's name."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text is written.

    Attributes:
        encoding: Python's name of the encoding.
        delimiter: One character, or ``whitespace``.
        header: ``names`` or ``none``.
        names: Names in the header; made up, ``column_1`` and so on, where there is none.
    """

    encoding: str
    delimiter: str
    header: str
    names: tuple[str, ...]


def sniff(head: bytes, *, complete: bool) -> Dialect:
    """Guess how a text is written.

    Args:
        head: Its first bytes, uncompressed.
        complete: Whether these are all.

    Raises:
        ValueError: the bytes are no text.
    """
    encoding = encoding_of(head, complete=complete)
    text = codecs.getincrementaldecoder(encoding)().decode(head, final=False).lstrip("\ufeff")
    lines = text.splitlines()
    lines = [line for line in (lines if complete else lines[:-1] or lines) if line.strip()][:_LINES]
    delimiter = max(_DELIMITERS, key=lambda one: _score(lines, one))
    rows = _rows(lines, delimiter)
    first = [cell.strip() for cell in rows[0]] if rows else []
    names = len(set(first)) == len(first) and not any(_VALUE.fullmatch(cell) for cell in first)
    return Dialect(
        encoding,
        delimiter,
        "names" if names else "none",
        tuple(first) if names else tuple(f"column_{place}" for place in range(1, len(first) + 1)),
    )


def encoding_of(head: bytes, *, complete: bool) -> str:
    """The encoding of a text: its byte order mark's, else UTF-8 where that fits, else Windows' or Latin-1.

    Raises:
        ValueError: the bytes are no text.
    """
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        raise ValueError("it has null bytes, and no byte order mark")
    for encoding in ("utf-8", "cp1252"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(head, final=complete)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _score(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    """Fields a line, where nearly all lines have as many; then how early the delimiter is in our list."""
    counts = [len(row) for row in _rows(lines, delimiter)]
    usual = max(set(counts), key=counts.count, default=0)
    regular = usual > 1 and counts.count(usual) >= _ALIKE * len(counts)
    place = -_DELIMITERS.index(delimiter)
    # Blanks stand in texts, too: they delimit only where nothing else does.
    return (usual if delimiter != "whitespace" else 1, place) if regular else (0, place)


def _rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    if delimiter == "whitespace":
        return [line.split() for line in lines]
    return [row for row in csv.reader(lines, delimiter=delimiter) if row]
