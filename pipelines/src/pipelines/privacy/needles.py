"""Values to look for in bytes, in the forms in which they may stand there.

A text stands for itself only where no letter or digit touches it: the number 17850 is not in 117850. Its other forms
(UTF-16, hexadecimal, Base64 at each of its three alignments) are so long that they do not come about by chance.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

SHORTEST = 4
"""Characters of a value that is looked for; a shorter one is everywhere by chance."""
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "hexadecimal", "base64")
"""Forms that are looked for."""
_SHORTEST_CORE = 6
"""Characters of Base64 that must be a value's alone before they tell of it."""
_WORD = re.compile(rb"[0-9A-Za-z\x80-\xff]+")


LOG_CHARACTERS, LOG_BYTES = 32, 64
"""What the statistics in a table's log keep of a long text: characters by Spark (Delta's "string prefix length"), bytes
by delta-rs and so by Sail."""


def stumps(value: str) -> Iterator[str]:
    """Yield what the log of a table may keep of a long value, as the least and as the greatest of a file.

    The greatest is cut, then made greater than all that begins so: its last character by the next one (delta-rs), or
    another one behind it (Spark).
    """
    if len(value) > LOG_CHARACTERS:
        yield value[:LOG_CHARACTERS]
    if len(octets := value.encode()) > LOG_BYTES:
        cut = octets[:LOG_BYTES].decode(errors="ignore")
        yield cut
        yield cut[:-1] + chr(ord(cut[-1]) + 1)


class Finder(Protocol):
    """Looks for values."""

    def found(self, data: bytes) -> Iterator[tuple[str, str]]:
        """Yield each value that is in `data`, with its form."""
        ...


@dataclass(frozen=True, slots=True)
class Needle:
    """One value, or a few, in every form and wherever it stands.

    Attributes:
        values: Texts of at least `SHORTEST` characters.
    """

    values: tuple[str, ...]
    _patterns: list[tuple[str, str, re.Pattern[bytes]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for value in self.values:
            for form, pattern in _patterns(value):
                self._patterns.append((value, form, pattern))

    def found(self, data: bytes) -> Iterator[tuple[str, str]]:
        """Yield each value that is in `data`, with its form."""
        for value, form, pattern in self._patterns:
            if pattern.search(data):
                yield value, form


def _patterns(value: str) -> Iterator[tuple[str, re.Pattern[bytes]]]:
    octets = value.encode()
    yield "utf-8", re.compile(_bounded(octets), re.IGNORECASE)
    for encoding in ("utf-16-le", "utf-16-be"):
        yield encoding, re.compile(re.escape(value.encode(encoding)), re.IGNORECASE)
    yield "hexadecimal", re.compile(octets.hex().encode(), re.IGNORECASE)
    cores = {core for core in _cores(octets) if len(core) >= _SHORTEST_CORE}
    cores |= {core.replace(b"+", b"-").replace(b"/", b"_") for core in cores}  # RFC 4648, section 5
    if cores:
        yield "base64", re.compile(b"|".join(re.escape(core) for core in sorted(cores)))


def _bounded(octets: bytes) -> bytes:
    before = rb"(?<![0-9A-Za-z])" if octets[:1].isalnum() else b""
    before += rb"(?<![0-9][.])" if octets[:1].isdigit() else b""  # the decimals of a number
    after = rb"(?![0-9A-Za-z])" if octets[-1:].isalnum() else b""
    return before + re.escape(octets) + after


def _cores(octets: bytes) -> Iterator[bytes]:
    """Yield the characters of Base64 (RFC 4648) that a value alone decides, at each alignment."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + octets)
        yield encoded[-(-offset * 8 // 6) : (offset + len(octets)) * 8 // 6]


@dataclass(frozen=True)
class Vocabulary:
    """Thousands of values at once, each as text, in hexadecimal or in Base64, as words of their own.

    Attributes:
        values: Texts of at least `SHORTEST` characters.
    """

    values: Sequence[str]

    @cached_property
    def _by_first_word(self) -> dict[bytes, list[tuple[bytes, int, str, str]]]:
        index: dict[bytes, list[tuple[bytes, int, str, str]]] = {}
        for value in self.values:
            octets = value.encode()
            hexed = octets.hex().encode()
            forms = {"utf-8": (octets,), "hexadecimal": (hexed, hexed.upper()), "base64": (base64.b64encode(octets),)}
            for form, spellings in forms.items():
                for spelling in spellings:
                    if word := _WORD.search(spelling):
                        index.setdefault(word[0], []).append((spelling, word.start(), value, form))
        return index

    def found(self, data: bytes) -> Iterator[tuple[str, str]]:
        """Yield each value that is in `data`, with its form."""
        yield from self._found(data)
        if b"\0" in data:  # UTF-16 of ASCII: looked for without its zeros, then as it would be
            for value, _ in self._found(data.replace(b"\0", b"")):
                if any(value.encode(encoding) in data for encoding in ("utf-16-le", "utf-16-be")):
                    yield value, "utf-16"

    def _found(self, data: bytes) -> Iterator[tuple[str, str]]:
        seen: set[tuple[str, str]] = set()
        for word in _WORD.finditer(data):
            for spelling, offset, value, form in self._by_first_word.get(word[0], ()):
                start = word.start() - offset
                end = start + len(spelling)
                decimals = (
                    spelling[:1].isdigit() and data[max(start - 1, 0) : start] == b"." and _ends_in_digit(data, start)
                )
                inside = start >= 0 and data[start:end] == spelling and not decimals
                whole = not (spelling[-1:].isalnum() and data[end : end + 1].isalnum())
                if inside and whole and (value, form) not in seen:
                    seen.add((value, form))
                    yield value, form


def _ends_in_digit(data: bytes, start: int) -> bool:
    """Whether a digit stands before the point before a place."""
    return data[max(start - 2, 0) : start - 1].isdigit()
