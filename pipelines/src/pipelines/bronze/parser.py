"""Files into bronze rows: the one `mapInArrow` function that every engine runs.

Columnar where the bytes are regular, exact where they are not (:mod:`pipelines.bronze.records`): a block of lines is
cut at line ends; plain lines are read by Arrow's CSV reader in one call and their `_raw` is a view onto the block;
odd lines are read one at a time. Memory is bounded by the block, whatever a file's size.
"""

from __future__ import annotations

import codecs
import gzip
import json
import zlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import IO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from pipelines.bronze import records
from pipelines.bronze.records import Dialect, Record
from pipelines.bronze.storage import Hashed, open_file

BLOCK_BYTES = 8 << 20
"""Bytes read at once; with its columns a block takes about six times as much memory."""
MAX_RECORD_BYTES = 32 << 20
"""Bytes without any line end after which a piece is given up as malformed."""

GZIP_MAGIC = b"\x1f\x8b"
WIDE_ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
"""Encodings in which a line end is not the byte 0x0A: transcoded before lines are cut, encoded again for `_raw`."""


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """What a worker must know to read a delivery: plain values, pickled with the function.

    Attributes:
        fields: The source's fields that the contract knows; bronze's text columns, in order.
        delimiter: One character; ``whitespace`` for any run of blanks and tabs.
        quote: Quote character; ``None`` for none.
        encoding: Python's name of the encoding.
        header: ``names``, ``skip`` or ``none``.
        compression: ``auto``, ``none`` or ``gzip``.
    """

    fields: tuple[str, ...]
    delimiter: str = ","
    quote: str | None = '"'
    encoding: str = "utf-8"
    header: str = "names"
    compression: str = "auto"

    @property
    def codec(self) -> str:
        """The encoding by Python's own spelling."""
        return _codec(self.encoding)

    @property
    def wide(self) -> bool:
        """Whether lines can be cut only after transcoding."""
        return self.codec in WIDE_ENCODINGS

    @property
    def arrow_schema(self) -> pa.Schema:
        """Columns that the parser yields."""
        lineage = [
            ("_rescued", pa.string()),
            ("_file", pa.string()),
            ("_file_sha256", pa.string()),
            ("_line", pa.int64()),
            ("_raw", pa.binary()),
            ("_parse_error", pa.string()),
        ]
        return pa.schema([*((name, pa.string()) for name in self.fields), *lineage])

    def dialect(self, fields: int) -> Dialect:
        """How a record of so many fields is written."""
        delimiter = b"" if self.delimiter == "whitespace" else self.delimiter.encode()
        return Dialect(delimiter, (self.quote or "").encode(), fields)


@cache
def _codec(encoding: str) -> str:
    """An encoding by Python's own spelling, which a file is asked for twenty times."""
    return codecs.lookup(encoding).name


CHANGED = "changed while it was read"
"""What `ChangedError` says after the file's name; engines hand a worker's error on as text."""


class ChangedError(Exception):
    """A delivery's bytes are not those that were looked at before."""


class HeaderError(ValueError):
    """A delivery's first line is not what the contract says; no record of it can be read."""


def parse_deliveries(batches: Iterator[pa.RecordBatch], form: CsvFormat) -> Iterator[pa.RecordBatch]:
    """Read the files that a frame names.

    Args:
        batches: Columns ``path`` (where this worker reaches the file), ``file`` (its name for `_file`), ``sha256``.
        form: How the files are written.

    Yields:
        Batches of `form.arrow_schema`.

    Raises:
        ChangedError: a file's bytes are not those of its ``sha256``; known at its end, so the rows that were yielded
            before must not be committed.
    """
    for batch in batches:
        for row in batch.to_pylist():
            with open_file(row["path"]) as raw:
                hashed = Hashed(raw)
                yield from _unchanged(hashed, row["file"], row["sha256"], form)


def _unchanged(hashed: Hashed, file: str, sha256: str, form: CsvFormat) -> Iterator[pa.RecordBatch]:
    try:
        yield from parse_stream(cast("IO[bytes]", hashed), file, sha256, form)
    except (EOFError, OSError, ValueError, zlib.error) as error:  # a broken gzip or header, which was none before
        if hashed.sha256() != sha256:
            raise ChangedError(f"{file} {CHANGED}") from error
        raise
    if hashed.sha256() != sha256:
        raise ChangedError(f"{file} {CHANGED}")


def parse_stream(raw: IO[bytes], file: str, sha256: str, form: CsvFormat) -> Iterator[pa.RecordBatch]:
    """Read one delivery from its bytes, a batch a block.

    Raises:
        HeaderError: the first line lacks a field of the contract, or names one twice.
    """
    delivery = _Delivery(form, file, sha256)
    stream = text_bytes(raw, form)
    carry, ahead = b"", _read(stream, BLOCK_BYTES)
    while ahead or carry:
        block, ahead = carry + ahead, _read(stream, BLOCK_BYTES)
        cut = len(block) if not ahead else block.rfind(b"\n") + 1
        if cut == 0 and len(block) <= MAX_RECORD_BYTES:
            carry = block
            continue
        used = yield from delivery.read(block[: cut or len(block)], final=not ahead, overlong=cut == 0)
        carry = block[used:]


def text_bytes(raw: IO[bytes], form: CsvFormat) -> IO[bytes]:
    """Return the delivery's text: through gzip where the contract or the first bytes say so, wide encodings as UTF-8.

    Reading raises ``EOFError``, ``gzip.BadGzipFile`` or ``zlib.error`` for a broken gzip, ``UnicodeError`` for a
    broken wide encoding.
    """
    stream = raw
    if form.compression != "none":
        head = raw.read(2)
        raw.seek(0)
        if form.compression == "gzip" or head == GZIP_MAGIC:
            stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if form.wide:
        stream = cast("IO[bytes]", _Transcoded(stream, form.codec))
    return stream


def header_names(line: bytes, form: CsvFormat) -> list[str]:
    """Read the names of a delivery's columns from its first line.

    Raises:
        HeaderError: the line is no header: undecodable, malformed, or a name appears twice.
    """
    line = line.removeprefix(codecs.BOM_UTF8)
    cells, state = records.split(records.chomp(line), form.dialect(0))
    if state != "closed":
        raise HeaderError("its first line has a broken quote")
    try:
        names = [cell.decode("utf-8" if form.wide else form.codec).strip() for cell in cells]
    except UnicodeDecodeError as error:
        raise HeaderError(f"its first line is not {form.codec}: {error.reason}") from None
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise HeaderError(f"its header names {', '.join(map(repr, twice))} more than once")
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
            f"it has no column {', '.join(map(repr, lacking))}; its header is {', '.join(map(repr, names))}"
        )
    return names


class _Delivery:
    """One file on its way into batches: its header, and how far it has been read."""

    def __init__(self, form: CsvFormat, file: str, sha256: str) -> None:
        self.form, self.file, self.sha256 = form, file, sha256
        self.names: list[str] | None = None
        self.line = 1

    def read(self, block: bytes, *, final: bool, overlong: bool = False) -> Generator[pa.RecordBatch, None, int]:
        """Read a block that begins at a record and ends at a line end.

        Returns (through ``yield from``) how many of its bytes were used: fewer than all where a quote is still open.
        """
        start = 0
        if self.names is None:
            start = self._read_header(block)
        data = block[start:] if start else block
        if not data:
            return len(block)
        if overlong:
            error = f"{records.TOO_LONG}: {len(data)} bytes"
            yield self._frame([Record(0, 1, None, error)], [data], np.array([self.line]))
            return len(block)
        used = yield from self._read_lines(data, final=final)
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

    def _read_lines(self, data: bytes, *, final: bool) -> Generator[pa.RecordBatch, None, int]:
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

    def _read_plain(
        self, data: bytes, starts: np.ndarray, ends: np.ndarray, numbers: np.ndarray
    ) -> Iterator[pa.RecordBatch]:
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
            yield self._batch(columns, raw, pa.array(numbers + self.line), None)
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
        if not form.wide and form.codec not in ("utf-8", "ascii"):
            text = bytes(text).decode(form.codec).encode()
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

    def _frame(self, exact: Sequence[Record], raws: Sequence[bytes], lines: np.ndarray) -> pa.RecordBatch:
        """Build a batch of records that were read one at a time."""
        names = cast("list[str]", self.names)
        encoding = "utf-8" if self.form.wide else self.form.codec
        cells: list[list[str | None]] = [[] for _ in names]
        errors: list[str | None] = []
        for record in exact:
            error, texts = record.error, None
            if record.fields is not None:
                try:
                    texts = [field.decode(encoding) for field in record.fields]
                except UnicodeDecodeError as problem:
                    error = f"{records.UNDECODABLE}: {encoding}, {problem.reason}"
            errors.append(error)
            for index, column in enumerate(cells):
                column.append(texts[index] if texts is not None else None)
        columns = [pa.array(column, pa.string()) for column in cells]
        return self._batch(columns, pa.array(raws, pa.binary()), pa.array(lines), pa.array(errors, pa.string()))

    def _batch(
        self, columns: Sequence[pa.Array], raw: pa.Array, lines: pa.Array, errors: pa.Array | None
    ) -> pa.RecordBatch:
        names = cast("list[str]", self.names)
        count = len(lines)
        if self.form.wide:
            codec = self.form.codec
            raw = pa.array([value.decode().encode(codec) for value in raw.to_pylist()], pa.binary())
        by_name = dict(zip(names, columns, strict=True))
        rescued = _rescued({name: column for name, column in by_name.items() if name not in self.form.fields}, count)
        return pa.RecordBatch.from_arrays(
            [
                *(by_name[name] for name in self.form.fields),
                rescued,
                _constant(self.file, count),
                _constant(self.sha256, count),
                lines.cast(pa.int64()),
                raw,
                pa.nulls(count, pa.string()) if errors is None else errors,
            ],
            schema=self.form.arrow_schema,
        )


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
    return Record(index, 1, None, f"{records.RAGGED}: {len(fields)} fields, {dialect.fields} expected")


def _binary_view(data: bytes, starts: np.ndarray, ends: np.ndarray) -> pa.Array:
    """Lines as an Arrow array that points into the block: nothing is copied."""
    offsets = np.concatenate((starts[:1], ends)).astype(np.int32)
    return pa.Array.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def _joined(raw: pa.Array) -> pa.Buffer:
    """The bytes of a freshly taken array's values, one after the other; a last line without an end is no matter."""
    offsets = np.frombuffer(raw.buffers()[1], dtype=np.int32)[raw.offset : raw.offset + len(raw) + 1]
    return raw.buffers()[2].slice(int(offsets[0]), int(offsets[-1] - offsets[0]))


def _lines_of(text: bytes | pa.Buffer, form: CsvFormat) -> pa.Array:
    encoding = "utf-8" if form.wide else form.codec
    return pa.array([line for line in bytes(text).decode(encoding).split("\n") if line.strip()], pa.string())


def _constant(value: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), count)


def _rescued(unknown: dict[str, pa.Array], count: int) -> pa.Array:
    """Columns that the contract does not know, as one JSON object a row."""
    if not unknown:
        return pa.nulls(count, pa.string())
    names = list(unknown)
    rows = zip(*(unknown[name].to_pylist() for name in names), strict=True)
    return pa.array(
        [
            None if all(value is None for value in row) else json.dumps(dict(zip(names, row, strict=True)))
            for row in rows
        ],
        pa.string(),
    )


class _Lines(Sequence[bytes]):
    """Lines of a block, sliced when they are asked for."""

    def __init__(self, data: bytes, starts: np.ndarray, ends: np.ndarray) -> None:
        self._data, self._starts, self._ends = data, starts, ends

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> bytes:  # ty: ignore[incompatible-method-override] - slices are not asked for
        return self._data[self._starts[index] : self._ends[index]]


class _Transcoded:
    """A stream in a wide encoding, read as UTF-8."""

    def __init__(self, stream: IO[bytes], codec: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(codec)("strict")

    def read(self, size: int) -> bytes:
        while True:
            octets = self._stream.read(size)
            text = self._decoder.decode(octets, final=not octets).encode()
            if text or not octets:
                return text


def _read(stream: IO[bytes], size: int) -> bytes:
    """Read `size` bytes, or as many as are left: a compressed stream may hand out less at a time."""
    pieces = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
