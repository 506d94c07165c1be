"""From a file's bytes to blocks of lines: compression, wide encodings, line ends."""

from __future__ import annotations

import bz2
import codecs
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import IO, Literal, Protocol, cast

import pyarrow as pa

from pipelines.bronze.formats.form import BrokenError

BLOCK_BYTES = 8 << 20
"""Bytes read at once; with its columns a block takes about six times as much memory."""
MAX_RECORD_BYTES = 32 << 20
"""Bytes without any line end after which a piece is given up as malformed."""

Compression = Literal["auto", "none", "gzip", "bzip2", "zstd"]
MAGIC = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "bzip2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
}
"""How compressed files begin (RFC 1952, bzip2's block and end marks, RFC 8878)."""
MAGIC_BYTES = 10

WIDE_ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
"""Encodings in which a line end is not the byte 0x0A: transcoded before lines are cut, encoded again for `_raw`."""


class Readable(Protocol):
    """What text is read from."""

    def read(self, size: int, /) -> bytes:
        """Read so many bytes, or fewer at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """How a text's bytes are written.

    Attributes:
        encoding: Python's name of the encoding.
        compression: ``auto``, ``none`` or the compression's name.
    """

    encoding: str = "utf-8"
    compression: Compression = "auto"

    @property
    def codec(self) -> str:
        """The encoding by Python's own spelling.

        Raises:
            LookupError: there is no such encoding.
        """
        return _codec(self.encoding)

    @property
    def wide(self) -> bool:
        """Whether lines can be cut only after transcoding."""
        return self.codec in WIDE_ENCODINGS

    @property
    def narrow(self) -> str:
        """The encoding of lines once they are cut."""
        return "utf-8" if self.wide else self.codec

    def compressed(self, raw: IO[bytes]) -> str | None:
        """Tell a file's compression by the contract and its first bytes, and go back to its start."""
        if self.compression == "none":
            return None
        head = raw.read(MAGIC_BYTES)
        raw.seek(0)
        if self.compression != "auto":
            return self.compression
        return next((name for name, magic in MAGIC.items() if magic.match(head)), None)

    def open(self, raw: IO[bytes]) -> Readable:
        """Return the text's bytes: decompressed, wide encodings as UTF-8.

        Reading raises `BrokenError` for what is truncated or corrupt, and what the storage raised for what it did.
        """
        compression = self.compressed(raw)
        stream = cast("Readable", raw) if compression is None else _Decompressed(raw, compression)
        return _Transcoded(stream, self.codec) if self.wide else stream

    def divisible(self, raw: IO[bytes]) -> bool:
        """Whether a line end can be found from anywhere within the file; goes back to its start."""
        return not self.wide and self.compressed(raw) is None


UTF_8 = Text()
"""Text as it mostly is."""


@cache
def _codec(encoding: str) -> str:
    """An encoding by Python's own spelling, which a file is asked for twenty times."""
    return codecs.lookup(encoding).name


class _Watched:
    """A stored file that remembers that it could not be read, which is no fault of its content."""

    closed = False

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self.failure: OSError | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self._raw.read(size)
        except OSError as error:
            self.failure = error
            raise

    def close(self) -> None:
        """Arrow closes what it has read from; the file is closed by who opened it."""
        self.closed = True


def _zstd(raw: _Watched) -> Readable:
    return cast("Readable", pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd"))


_OPENERS: dict[str, Callable[[_Watched], Readable]] = {
    "gzip": lambda raw: cast("Readable", gzip.GzipFile(fileobj=cast("IO[bytes]", raw))),
    "bzip2": lambda raw: cast("Readable", bz2.BZ2File(cast("IO[bytes]", raw))),
    "zstd": _zstd,
}


class _Decompressed:
    """A compressed stream, which tells what is wrong with it in one way."""

    def __init__(self, raw: IO[bytes], compression: str) -> None:
        self._watched = _Watched(raw)
        self._stream = _OPENERS[compression](self._watched)

    def read(self, size: int, /) -> bytes:
        try:
            return self._stream.read(size)
        except (EOFError, OSError, zlib.error) as error:
            if self._watched.failure is not None:
                raise self._watched.failure from None
            if isinstance(error, EOFError) or "Truncated" in str(error):
                raise BrokenError(
                    "truncated: the compressed file ends before its end marker; the delivery is incomplete"
                ) from None
            raise BrokenError(f"corrupt: {error}") from None


class _Transcoded:
    """A stream in a wide encoding, read as UTF-8."""

    def __init__(self, stream: Readable, codec: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(codec)("strict")

    def read(self, size: int, /) -> bytes:
        while True:
            octets = self._stream.read(size)
            try:
                text = self._decoder.decode(octets, final=not octets).encode()
            except UnicodeError as error:
                raise BrokenError(f"undecodable: {error}") from None
            if text or not octets:
                return text


def read_fully(stream: Readable, size: int) -> bytes:
    """Read `size` bytes, or as many as are left: a compressed stream may hand out less at a time."""
    pieces = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole lines.

    Attributes:
        data: Their bytes.
        final: Whether the text ends here.
        overlong: Whether this is a piece of a line that is longer than any record may be.
    """

    data: bytes
    final: bool
    overlong: bool


class LineBlocks:
    """A text cut into blocks at line ends; a reader may give back what it could not use yet."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._carry, self._ahead = b"", read_fully(stream, BLOCK_BYTES)

    def __iter__(self) -> Iterator[Block]:
        """Yield the blocks in order."""
        while self._carry or self._ahead:
            data = self._carry + self._ahead
            self._ahead = read_fully(self._stream, BLOCK_BYTES)
            final = not self._ahead
            if len(data) > MAX_RECORD_BYTES and data.find(b"\n", 0, MAX_RECORD_BYTES) < 0:
                cut = _between_characters(data, MAX_RECORD_BYTES)
                self._carry = data[cut:]
                yield Block(data[:cut], final and not self._carry, overlong=True)
                continue
            cut = len(data) if final else data.rfind(b"\n") + 1
            self._carry = data[cut:]
            if cut:
                yield Block(data[:cut], final, overlong=False)

    def give_back(self, rest: bytes) -> None:
        """Put the last block's unused bytes before what comes next."""
        self._carry = rest + self._carry


def _between_characters(data: bytes, place: int) -> int:
    """The place, or the nearest before it at which a character of UTF-8 begins: pieces are decoded one by one."""
    return next((near for near in range(place, place - 4, -1) if data[near] & 0xC0 != 0x80), place)
