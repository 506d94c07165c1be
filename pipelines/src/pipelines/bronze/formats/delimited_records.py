"""Cut a block of delimited text into records, byte for byte: the exact half of the reader of csv.

A line is *plain* when its structure can be read off its bytes at once: no quote character, the expected number of
delimiters, no stray carriage return. Plain lines go to the columnar reader untouched
(:mod:`pipelines.bronze.formats.delimited`);
every other line comes here, where one record is looked at at a time. Grammar: RFC 4180, section 2, with three readings
that it leaves open:

* a quote inside an unquoted field is text (``5" pipe,3``);
* a quoted field may span lines, but it never swallows a line that is itself a whole record: such a quote is
  *unclosed*, its line alone is malformed and reading goes on with the next line;
* a line with nothing in it is no record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipelines.bronze.formats.malformed import RAGGED, TEXT_AFTER_QUOTE, UNCLOSED_QUOTE

MAX_SPAN_LINES = 256
"""Lines that one quoted record may span."""
MAX_SPAN_BYTES = 1 << 20
"""Bytes that one quoted record may span; a quote still open after so many is unclosed."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How fields are written.

    Attributes:
        delimiter: One byte between two fields; ``b""`` for any run of blanks and tabs.
        quote: One byte around fields that hold delimiters or line ends; ``b""`` for none.
        fields: Number of fields of a record.
    """

    delimiter: bytes
    quote: bytes
    fields: int


@dataclass(frozen=True, slots=True)
class Record:
    """One record that was read exactly.

    Attributes:
        first: Index of its first line within the block.
        lines: Lines it takes.
        fields: Its fields, unquoted, still encoded; ``None`` where it is malformed.
        error: ``kind: detail`` where it is malformed, else ``None``.
    """

    first: int
    lines: int
    fields: tuple[bytes, ...] | None
    error: str | None


def read_records(
    lines: Sequence[bytes], odd: Sequence[int], dialect: Dialect, *, final: bool
) -> Iterator[Record | int]:
    """Read the records that begin at odd lines.

    Args:
        lines: All lines of the block with their ends.
        odd: Ascending indices of the lines that are not plain.
        dialect: How fields are written.
        final: Whether the file ends with this block.

    Yields:
        Records in order; last of all, an ``int``, the index of a line from which the block must be read again with
        more bytes behind it, because a quote is still open there.
    """
    covered = -1
    for index in odd:
        if index <= covered:
            continue
        record = _read_record(lines, index, dialect, final=final)
        if record is None:
            yield index
            return
        covered = index + record.lines - 1
        yield record


def _read_record(lines: Sequence[bytes], index: int, dialect: Dialect, *, final: bool) -> Record | None:
    line = lines[index]
    body = chomp(line)
    fields, state = split(body, dialect)
    if state == "open":
        return _read_span(lines, index, dialect, final=final)
    if state == "garbage":
        return Record(index, 1, None, f"{TEXT_AFTER_QUOTE}: field {len(fields)}")
    return _counted(index, 1, fields, dialect)


def _read_span(lines: Sequence[bytes], index: int, dialect: Dialect, *, final: bool) -> Record | None:
    """Read a record whose quoted field runs over the end of its line."""
    text = lines[index]
    for ahead in range(1, MAX_SPAN_LINES):
        if index + ahead >= len(lines):
            if not final and len(text) <= MAX_SPAN_BYTES:
                return None
            break
        following = lines[index + ahead]
        if len(text) + len(following) > MAX_SPAN_BYTES or is_whole_record(following, dialect):
            break
        text += following
        if dialect.quote not in following:
            continue
        fields, state = split(chomp(text), dialect)
        if state == "closed":
            if len(fields) == dialect.fields:
                return Record(index, ahead + 1, tuple(fields), None)
            break
        if state == "garbage":
            break
    return Record(index, 1, None, f"{UNCLOSED_QUOTE}: opened in this line")


def _counted(index: int, lines: int, fields: list[bytes], dialect: Dialect) -> Record:
    if len(fields) != dialect.fields:
        return Record(index, lines, None, f"{RAGGED}: {len(fields)} fields, {dialect.fields} expected")
    return Record(index, lines, tuple(fields), None)


def is_whole_record(line: bytes, dialect: Dialect) -> bool:
    """Tell whether a line, alone, is a record by the letter of RFC 4180 with the expected number of fields."""
    return dialect.fields > 1 and is_strict_record(line, dialect)


def is_strict_record(line: bytes, dialect: Dialect) -> bool:
    """Tell whether a line is a record by the letter of RFC 4180: every reader reads it alike."""
    return _strict(dialect).fullmatch(chomp(line)) is not None


def split(body: bytes, dialect: Dialect) -> tuple[list[bytes], str]:
    """Split a record's bytes, its line end taken off, into fields.

    Returns:
        The fields, and ``closed`` where the record is whole, ``open`` where it ends inside a quoted field,
        ``garbage`` where text follows a closing quote.
    """
    if not dialect.delimiter:
        return body.split(), "closed"
    if not dialect.quote or dialect.quote not in body:
        return body.split(dialect.delimiter), "closed"
    return _split_quoted(body, dialect)


def _split_quoted(body: bytes, dialect: Dialect) -> tuple[list[bytes], str]:
    delimiter, quote = dialect.delimiter, dialect.quote
    fields: list[bytes] = []
    position, end = 0, len(body)
    while True:
        if body[position : position + 1] != quote:
            stop = body.find(delimiter, position)
            fields.append(body[position:] if stop < 0 else body[position:stop])
            if stop < 0:
                return fields, "closed"
            position = stop + 1
            continue
        close = _closing_quote(body, position + 1, quote)
        if close < 0:
            fields.append(body[position + 1 :])
            return fields, "open"
        fields.append(body[position + 1 : close].replace(quote + quote, quote))
        position = close + 1
        if position == end:
            return fields, "closed"
        if body[position : position + 1] != delimiter:
            return fields, "garbage"
        position += 1


def _closing_quote(body: bytes, start: int, quote: bytes) -> int:
    while True:
        close = body.find(quote, start)
        if close < 0 or body[close + 1 : close + 2] != quote:
            return close
        start = close + 2


def chomp(line: bytes) -> bytes:
    """Take the line end (LF, CR LF) off a line."""
    if line.endswith(b"\r\n"):
        return line[:-2]
    return line[:-1] if line.endswith(b"\n") else line


@lru_cache(maxsize=32)
def _strict(dialect: Dialect) -> re.Pattern[bytes]:
    """RFC 4180's record: quotes only around a field or doubled within; on one line."""
    if not dialect.delimiter:
        return re.compile(rb"[ \t]*" + rb"[ \t]+".join([rb"[^ \t\r\n]+"] * dialect.fields) + rb"[ \t]*")
    d, q = re.escape(dialect.delimiter), re.escape(dialect.quote)
    unquoted = b"[^" + d + q + b"\r\n]*"
    field = b"(?:" + q + b"(?:[^" + q + b"\r\n]|" + q + q + b")*" + q + b"|" + unquoted + b")" if q else unquoted
    return re.compile(field + b"(?:" + d + field + b"){" + str(dialect.fields - 1).encode() + b"}")
