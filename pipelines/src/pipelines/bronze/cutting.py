"""Cuts a large file at record boundaries, and digests it and its pieces in one pass."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from typing import IO, cast

from pipelines.bronze.formats.form import Form
from pipelines.bronze.formats.octets import MAX_RECORD_BYTES
from pipelines.bronze.span import Piece
from pipelines.bronze.storage import CHUNK


def whole(raw: IO[bytes]) -> tuple[str, tuple[Piece, ...]]:
    """Digest a file and return it as one piece."""
    pieces = _Pieces()
    _feed_all(pieces, raw)
    return pieces.close(cut=False)


def cut(raw: IO[bytes], form: Form, size: int) -> tuple[str, tuple[Piece, ...]]:
    """Digest a file and cut it into pieces.

    Args:
        raw: The file, seekable.
        form: How it is written.
        size: Bytes of a piece, roughly; where no record begins for long, more.

    Returns:
        Its digest, hexadecimal, and its pieces in order: one, where the form cannot cut it.
    """
    raw.seek(0)
    marks = list(_spaced(form.marks(raw), size))
    raw.seek(0)
    begins = None if marks else form.record_start(raw)
    raw.seek(0)
    if marks:
        return _cut_at(raw, marks)
    return whole(raw) if begins is None else _cut_lines(raw, begins, size)


def _cut_at(raw: IO[bytes], marks: Iterable[tuple[int, int]]) -> tuple[str, tuple[Piece, ...]]:
    pieces = _Pieces()
    for offset, number in marks:
        while pieces.position < offset and (octets := raw.read(min(CHUNK, offset - pieces.position))):
            pieces.feed(octets)
        pieces.begin(number)
    _feed_all(pieces, raw)
    return pieces.close(cut=True)


def _cut_lines(raw: IO[bytes], begins: Callable[[bytes], bool], size: int) -> tuple[str, tuple[Piece, ...]]:
    pieces = _Pieces()
    reader = io.BufferedReader(cast("io.RawIOBase", raw), CHUNK)
    try:
        target = size
        while octets := reader.read(min(CHUNK, target - pieces.position)):
            pieces.feed(octets)
            if pieces.position < target:
                continue
            line = reader.readline(MAX_RECORD_BYTES)  # the rest of the line that is there
            while line:
                pieces.feed(line)
                line = reader.readline(MAX_RECORD_BYTES)
                if line and begins(line):
                    pieces.begin(pieces.lines + 1)
                    pieces.feed(line)
                    break
            target = pieces.position + size
        return pieces.close(cut=pieces.longest_line < MAX_RECORD_BYTES)
    finally:
        reader.detach()


def _feed_all(pieces: _Pieces, raw: IO[bytes]) -> None:
    while octets := raw.read(CHUNK):
        pieces.feed(octets)


def _spaced(marks: Iterable[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """Leave out marks that lie less than `size` behind the one before."""
    last = 0
    for offset, number in marks:
        if offset - last >= size:
            yield offset, number
            last = offset


class _Pieces:
    """The pieces of a file that is read from its start to its end."""

    def __init__(self) -> None:
        self.position = self.lines = self.longest_line = 0
        self._line_bytes = 0
        self._whole, self._part = hashlib.sha256(), hashlib.sha256()
        self._start, self._number = 0, 1
        self._done: list[Piece] = []

    def feed(self, octets: bytes) -> None:
        """Take the next bytes."""
        self._whole.update(octets)
        self._part.update(octets)
        self.position += len(octets)
        self.lines += octets.count(b"\n")
        first = octets.find(b"\n")
        self._line_bytes += len(octets) if first < 0 else first
        self.longest_line = max(self.longest_line, self._line_bytes)
        if first >= 0:
            self._line_bytes = len(octets) - octets.rfind(b"\n") - 1

    def begin(self, number: int) -> None:
        """Begin the next piece here, with the record or line of this number."""
        self._done.append(Piece(self._start, self.position, self._number, self._part.hexdigest()))
        self._part = hashlib.sha256()
        self._start, self._number = self.position, number

    def close(self, *, cut: bool) -> tuple[str, tuple[Piece, ...]]:
        """Return the digest of the whole and the pieces; the last ends where the file does."""
        sha256 = self._whole.hexdigest()
        if not cut:
            return sha256, (Piece(0, None, 1, sha256),)
        return sha256, (*self._done, Piece(self._start, None, self._number, self._part.hexdigest()))
