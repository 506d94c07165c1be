"""Delimited text (csv), columnar where the bytes are regular, exact where they are not.

A block of lines is cut at line ends; plain lines are read by Arrow's CSV reader in one call and their `_raw` is a view
onto the block; odd lines are read one at a time (:mod:`pipelines.bronze.formats.delimited_records`). Memory is bounded
by the block, whatever a file's size.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from pipelines.bronze.formats import delimited_records as records
from pipelines.bronze.formats import malformed
from pipelines.bronze.formats.delimited_records import Dialect, Record
from pipelines.bronze.formats.form import BrokenError, Form, Look, Rows
from pipelines.bronze.formats.octets import UTF_8, Block, LineBlocks, Readable, Text
from pipelines.bronze.span import Span
from pipelines.bronze.storage import CHUNK

LONGEST_HEADER = 1 << 20


class HeaderError(BrokenError):
    """A delivery's first line is not what the contract says; no record of it can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvFormat(Form):
    """Delimited text.

    Attributes:
        text: Encoding and compression.
        delimiter: One character; ``whitespace`` for any run of blanks and tabs.
        quote: Quote character; ``None`` for none.
        header: ``names``, ``skip`` or ``none``.
    """

    text: Text = UTF_8
    delimiter: str = ","
    quote: str | None = '"'
    header: str = "names"

    def dialect(self, fields: int) -> Dialect:
        """How a record of so many fields is written."""
        delimiter = b"" if self.delimiter == "whitespace" else self.delimiter.encode()
        return Dialect(delimiter, (self.quote or "").encode(), fields)

    def look(self, raw: IO[bytes]) -> Look:
        """Read the header; where the file is compressed or in a wide encoding, the rest too.

        A file that stops in the middle is an incomplete delivery, and none of its rows may be taken in.
        """
        stream = self.text.open(raw)
        names = list(self.fields)
        if self.header == "names" and (line := first_line(stream)):
            names = header_names(line, self)
        if stream is not raw:
            while stream.read(CHUNK):
                pass
        return Look(dict.fromkeys(names), whole=True)

    def record_start(self, raw: IO[bytes]) -> Callable[[bytes], bool] | None:
        """Tell lines that begin a record, wherever they stand; ``None`` where only reading from the start tells.

        A line that is a whole record by the letter of RFC 4180 is never swallowed by a quote before it.
        """
        if not self.text.divisible(raw):
            return None
        fields = len(self._names(first_line(raw)))
        raw.seek(0)
        dialect = self.dialect(fields)
        if not dialect.quote:
            return lambda line: True
        return (lambda line: records.is_whole_record(line, dialect)) if fields > 1 else None

    def read(self, span: Span) -> Iterator[Rows]:
        """Read one delivery from its bytes, or a piece of it, a batch a block.

        Raises:
            HeaderError: the first line lacks a field of the contract, or names one twice.
        """
        names = None
        if span.start:
            span.raw.seek(0)
            names = self._names(first_line(span.raw))
            span.seek(0)
        reader = _Reader(self, names, span.line)
        blocks = LineBlocks(self.text.open(cast("IO[bytes]", span)))
        for block in blocks:
            used = yield from reader.read(block)
            if used < len(block.data):
                blocks.give_back(block.data[used:])

    def _names(self, line: bytes) -> list[str]:
        return check_header(line, self)


def first_line(stream: Readable) -> bytes:
    """Read a text's first line, and more behind it; at most `LONGEST_HEADER` bytes."""
    head = stream.read(CHUNK)
    while head and b"\n" not in head and len(head) < LONGEST_HEADER and (more := stream.read(CHUNK)):
        head += more
    return head[: head.find(b"\n") + 1 or len(head)]


def header_names(line: bytes, form: CsvFormat) -> list[str]:
    """Read the names of a delivery's columns from its first line.

    Raises:
        HeaderError: the line is no header: undecodable, malformed, or a name appears twice.
    """
    line = line.removeprefix(codecs.BOM_UTF8)
    cells, state = records.split(records.chomp(line), form.dialect(0))
    if state != "closed":
        raise HeaderError("header: its first line has a broken quote")
    try:
        names = [cell.decode(form.text.narrow).strip() for cell in cells]
    except UnicodeDecodeError as error:
        raise HeaderError(f"header: its first line is not {form.text.codec}: {error.reason}") from None
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise HeaderError(f"header: it names {', '.join(map(repr, twice))} more than once")
    return names


def check_header(line: bytes, form: CsvFormat) -> list[str]:
    """Return the names of a delivery's columns by its first line and the contract.

    Raises:
        HeaderError: the header lacks fields of the contract.
    """
    if form.header != "names":
        return list(form.fields)
    names = header_names(line, form)
    lacking = [field for field in form.fields if field not in names]
    if lacking:
        raise HeaderError(
            f"header: it has no column {', '.join(map(repr, lacking))}; its header is {', '.join(map(repr, names))}"
        )
    return names


class _Reader:
    """A file, or a piece of one, on its way into rows: its header, and how far it has been read."""

    def __init__(self, form: CsvFormat, names: list[str] | None, line: int) -> None:
        self.form, self.names, self.line = form, names, line

    def read(self, block: Block) -> Generator[Rows, None, int]:
        """Read a block that begins at a record.

        Returns (through ``yield from``) how many of its bytes were used: fewer than all where a quote is still open.
        """
        start = self._read_header(block.data) if self.names is None else 0
        data = block.data[start:] if start else block.data
        if not data:
            return len(block.data)
        if block.overlong:
            error = f"{malformed.TOO_LONG}: {len(data)} bytes"
            yield self._frame([Record(0, 1, None, error)], [data], np.array([self.line]))
            self.line += 1
            return len(block.data)
        used = yield from self._read_lines(data, final=block.final)
        return start + used

    def _read_header(self, block: bytes) -> int:
        bom = len(codecs.BOM_UTF8) if block.startswith(codecs.BOM_UTF8) else 0
        if self.form.header == "none":
            self.names = list(self.form.fields)
            return bom
        end = block.find(b"\n") + 1 or len(block)
        self.names = check_header(block[:end], self.form)
        self.line = 2
        return end

    def _read_lines(self, data: bytes, *, final: bool) -> Generator[Rows, None, int]:
        names = cast("list[str]", self.names)
        dialect = self.form.dialect(len(names))
        octets = np.frombuffer(data, dtype=np.uint8)
        ends = np.flatnonzero(octets == 0x0A) + 1
        if len(ends) == 0 or ends[-1] != len(data):
            ends = np.append(ends, len(data))
        starts = np.concatenate(([0], ends[:-1]))
        plain, blank = _classify(data, octets, starts, ends, dialect)
        used = len(data)
        odd = np.flatnonzero(~(plain | blank))
        exact: list[Record] = []
        if len(odd):
            lines = _Lines(data, starts, ends)
            for record in records.read_records(lines, odd.tolist(), dialect, final=final):
                if isinstance(record, int):
                    used = int(starts[record])
                    plain[record:] = False
                    ends = ends[:record]
                    break
                exact.append(record)
                plain[record.first : record.first + record.lines] = False
        numbers = np.flatnonzero(plain)
        if len(numbers):
            yield from self._read_plain(data, starts, ends, numbers)
        if exact:
            raws = [data[starts[r.first] : ends[r.first + r.lines - 1]] for r in exact]
            yield self._frame(exact, raws, np.array([self.line + r.first for r in exact]))
        self.line += len(ends)
        return used

    def _read_plain(self, data: bytes, starts: np.ndarray, ends: np.ndarray, numbers: np.ndarray) -> Iterator[Rows]:
        """Read plain lines, given by their index, in one call of the columnar reader."""
        whole = len(numbers) == len(ends)
        raw = _binary_view(data, starts, ends)
        if whole:
            text: bytes | pa.Buffer = data
        else:
            raw = raw.take(pa.array(numbers))
            text = _joined(raw)
        try:
            columns = self._columns(text)
        except (pa.ArrowInvalid, UnicodeError):
            columns = None
        if columns is not None and len(columns[0]) == len(numbers):
            yield self._rows(columns, raw, pa.array(numbers + self.line), None)
            return
        lines = raw.to_pylist()
        dialect = self.form.dialect(len(cast("list[str]", self.names)))
        exact = [_exact(index, line, dialect) for index, line in enumerate(lines)]
        yield self._frame(exact, lines, numbers + self.line)

    def _columns(self, text: bytes | pa.Buffer) -> list[pa.Array]:
        names = cast("list[str]", self.names)
        form = self.form
        if not form.dialect(0).delimiter:
            trimmed = pc.call_function("utf8_trim_whitespace", [_lines_of(text, form)])
            cells = pc.call_function("utf8_split_whitespace", [trimmed])
            flat = cells.flatten()
            if len(flat) != len(cells) * len(names):
                raise UnicodeError("ragged")
            return [flat.take(pa.array(np.arange(i, len(flat), len(names)))) for i in range(len(names))]
        if form.text.narrow not in ("utf-8", "ascii"):
            text = bytes(text).decode(form.text.narrow).encode()
        table = pa_csv.read_csv(
            pa.BufferReader(text),
            read_options=pa_csv.ReadOptions(column_names=names, use_threads=False, block_size=max(len(text), 1) + 1),
            parse_options=pa_csv.ParseOptions(
                delimiter=form.delimiter, quote_char=form.quote or False, newlines_in_values=False
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        )
        return [column.combine_chunks() for column in table.columns]

    def _frame(self, exact: Sequence[Record], raws: Sequence[bytes], lines: np.ndarray) -> Rows:
        """Build a batch of records that were read one at a time."""
        names = cast("list[str]", self.names)
        encoding = self.form.text.narrow
        cells: list[list[str | None]] = [[] for _ in names]
        errors: list[str | None] = []
        for record in exact:
            error, texts = record.error, None
            if record.fields is not None:
                try:
                    texts = [field.decode(encoding) for field in record.fields]
                except UnicodeDecodeError as problem:
                    error = f"{malformed.UNDECODABLE}: {encoding}, {problem.reason}"
            errors.append(error)
            for index, column in enumerate(cells):
                column.append(texts[index] if texts is not None else None)
        columns = [pa.array(column, pa.string()) for column in cells]
        return self._rows(columns, pa.array(raws, pa.binary()), pa.array(lines), pa.array(errors, pa.string()))

    def _rows(self, columns: Sequence[pa.Array], raw: pa.Array, lines: pa.Array, errors: pa.Array | None) -> Rows:
        names = cast("list[str]", self.names)
        if self.form.text.wide:
            codec = self.form.text.codec
            raw = pa.array([value.decode().encode(codec) for value in raw.to_pylist()], pa.binary())
        return Rows(dict(zip(names, columns, strict=True)), raw, lines, errors)


def _classify(
    data: bytes, octets: np.ndarray, starts: np.ndarray, ends: np.ndarray, dialect: Dialect
) -> tuple[np.ndarray, np.ndarray]:
    """Tell which lines are plain (the columnar reader reads them as the exact one would) and which are blank."""
    lengths = ends - starts
    blank = lengths == 1
    blank &= octets[starts] == 0x0A
    returns = np.flatnonzero(octets == 0x0D) if b"\r" in data else np.empty(0, dtype=np.int64)
    if len(returns):
        blank |= (lengths == 2) & (octets[starts] == 0x0D) & (octets[ends - 1] == 0x0A)
    if dialect.delimiter:
        delimiters = np.flatnonzero(octets == dialect.delimiter[0])
        counts = np.diff(np.searchsorted(delimiters, np.concatenate((starts, ends[-1:]))))
        plain = (counts == dialect.fields - 1) & ~blank
    else:
        plain = ~blank
    if len(returns):
        stray = returns[(returns + 1 == len(octets)) | (octets[np.minimum(returns + 1, len(octets) - 1)] != 0x0A)]
        plain[np.searchsorted(ends, stray, side="right")] = False
    if dialect.quote and dialect.quote in data:
        quotes = np.flatnonzero(octets == dialect.quote[0])
        quoted = np.unique(np.searchsorted(ends, quotes, side="right"))
        plain[quoted] = False
        for index in quoted.tolist():
            if records.is_strict_record(data[starts[index] : ends[index]], dialect):
                plain[index] = True
    return plain, blank


def _exact(index: int, line: bytes, dialect: Dialect) -> Record:
    fields, state = records.split(records.chomp(line), dialect)
    if state == "closed" and len(fields) == dialect.fields:
        return Record(index, 1, tuple(fields), None)
    return Record(index, 1, None, f"{malformed.RAGGED}: {len(fields)} fields, {dialect.fields} expected")


def _binary_view(data: bytes, starts: np.ndarray, ends: np.ndarray) -> pa.Array:
    """Lines as an Arrow array that points into the block: nothing is copied."""
    offsets = np.concatenate((starts[:1], ends)).astype(np.int32)
    return pa.Array.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def _joined(raw: pa.Array) -> pa.Buffer:
    """The bytes of a freshly taken array's values, one after the other; a last line without an end is no matter."""
    offsets = np.frombuffer(raw.buffers()[1], dtype=np.int32)[raw.offset : raw.offset + len(raw) + 1]
    return raw.buffers()[2].slice(int(offsets[0]), int(offsets[-1] - offsets[0]))


def _lines_of(text: bytes | pa.Buffer, form: CsvFormat) -> pa.Array:
    return pa.array([line for line in bytes(text).decode(form.text.narrow).split("\n") if line.strip()], pa.string())


class _Lines(Sequence[bytes]):
    """Lines of a block, sliced when they are asked for."""

    def __init__(self, data: bytes, starts: np.ndarray, ends: np.ndarray) -> None:
        self._data, self._starts, self._ends = data, starts, ends

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> bytes:  # ty: ignore[incompatible-method-override] - slices are not asked for
        return self._data[self._starts[index] : self._ends[index]]
