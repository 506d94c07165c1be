"""JSON lines: one JSON object a line (https://jsonlines.org)."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from pipelines.bronze.formats import malformed
from pipelines.bronze.formats.form import Look, Rows
from pipelines.bronze.formats.json_text import JsonReader
from pipelines.bronze.formats.octets import UTF_8, Block, LineBlocks, Text
from pipelines.bronze.formats.records import Record, RecordForm
from pipelines.bronze.span import Span
from pipelines.bronze.storage import CHUNK


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLinesFormat(RecordForm):
    """JSON lines. A line that is no JSON is a malformed record; the others go on.

    Attributes:
        text: Encoding and compression.
    """

    text: Text = UTF_8

    def look(self, raw: IO[bytes]) -> Look:
        """Read a compressed file to its end; by the policies `fail` and `add`, every record for its fields."""
        if self.drift != "rescue":
            return self.columns_of(self.records(raw))
        stream = self.text.open(raw)
        if stream is not raw:
            while stream.read(CHUNK):
                pass
        return Look()

    def record_start(self, raw: IO[bytes]) -> Callable[[bytes], bool] | None:
        """Every line begins a record."""
        return (lambda line: True) if self.text.divisible(raw) else None

    def read(self, span: Span) -> Iterator[Rows]:
        """Read a file or a piece of it, a block of lines at a time."""
        return self.rows(self._records(cast("IO[bytes]", span), span.line))

    def records(self, raw: IO[bytes]) -> Iterator[Record]:
        """Read a file's records."""
        return self._records(raw, 1)

    def _records(self, raw: IO[bytes], line: int) -> Iterator[Record]:
        reader, encoding = JsonReader(), self.text.narrow
        own = _encoded(self.text.codec) if self.text.wide else _as_it_is
        for block in LineBlocks(self.text.open(raw)):
            if block.overlong:
                error = f"{malformed.TOO_LONG}: {len(block.data)} bytes"
                yield Record(None, own(block.data), line, error)
                line += 1
                continue
            for octets in _lines(block):
                text = octets.removeprefix(codecs.BOM_UTF8) if line == 1 else octets
                if text.strip(b" \t\r\n"):
                    value, error = _read(reader, text, encoding)
                    yield Record(value, own(octets), line, error)
                line += 1


def _read(reader: JsonReader, line: bytes, encoding: str) -> tuple[Any, str | None]:
    try:
        return reader.line(line.decode(encoding))
    except UnicodeDecodeError as problem:
        return None, f"{malformed.UNDECODABLE}: {encoding}, {problem.reason}"


def _as_it_is(octets: bytes) -> bytes:
    return octets


def _encoded(codec: str) -> Callable[[bytes], bytes]:
    return lambda octets: octets.decode().encode(codec)


def _lines(block: Block) -> Iterator[bytes]:
    start, data = 0, block.data
    while (end := data.find(b"\n", start) + 1) > 0:
        yield data[start:end]
        start = end
    if start < len(data):
        yield data[start:]
