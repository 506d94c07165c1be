"""A file, or a piece of it, digested on the way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import IO

from pipelines.bronze.storage import CHUNK


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file that is read by itself.

    Attributes:
        start: Its first byte.
        end: The byte after its last; ``None`` for the file's end, wherever that is.
        line: Number of its first line or, where the format has no lines, of its first record; from 1.
        sha256: Digest of its bytes, hexadecimal.
    """

    start: int
    end: int | None
    line: int
    sha256: str


class Span:
    """A piece of a file, read from its start to its end and digested on the way.

    Going back to the start begins the digest anew; there is no other going back. Formats that hop about in a file do
    so in `raw`, and go back to the start when they have done.
    """

    def __init__(self, raw: IO[bytes], start: int = 0, end: int | None = None, line: int = 1) -> None:
        self.raw, self.start, self.end, self.line = raw, start, end, line
        self.seek(0)

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, or fewer at the end."""
        if self.end is not None:
            left = self.end - self._position
            size = left if size < 0 else min(size, left)
        octets = self.raw.read(size)
        self._position += len(octets)
        self._digest.update(octets)
        return octets

    def seek(self, position: int) -> int:
        """Go back to the start."""
        if position:
            raise ValueError(f"a file that is digested is read from its start, not from {position}")
        self._digest = hashlib.sha256()
        self._position = self.start
        self.raw.seek(self.start)
        return 0

    def sha256(self) -> str:
        """Read what is left; return the digest of the whole, hexadecimal."""
        while self.read(CHUNK):
            pass
        return self._digest.hexdigest()
