"""JSON documents: an array of objects of any length, or one object.

An array is read record by record through a window that slides over it: memory is bounded by the longest record, which
may have `MAX_RECORD_BYTES`. A document that is cut off or no JSON is rejected as a whole, because what stands after the
fault could not be told; a record that is JSON and no object, or names a key twice, is malformed alone.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, cast

from pipelines.bronze.formats.form import BrokenError, Look, Rows
from pipelines.bronze.formats.json_text import JsonReader
from pipelines.bronze.formats.octets import MAX_RECORD_BYTES, UTF_8, Readable, Text, read_fully
from pipelines.bronze.formats.records import Record, RecordForm
from pipelines.bronze.span import Span

WINDOW = 1 << 20
"""Bytes that the window grows by, at least."""
_BLANKS = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonFormat(RecordForm):
    """A JSON document.

    Attributes:
        text: Encoding and compression.
    """

    text: Text = UTF_8

    @property
    def empty_is_whole(self) -> bool:
        """No bytes are no JSON."""
        return False

    def look(self, raw: IO[bytes]) -> Look:
        """Read the document through."""
        return self.columns_of(self.records(raw))

    def read(self, span: Span) -> Iterator[Rows]:
        """Read the document."""
        return self.rows(self.records(cast("IO[bytes]", span)))

    def records(self, raw: IO[bytes]) -> Iterator[Record]:
        """Read a document's records; their line is their number.

        Raises:
            BrokenError: it is no JSON, cut off, neither an array nor an object, or has too long a record.
        """
        window = _Window(self.text.open(raw), self.text)
        opening = window.peek()
        if opening == "{":
            yield self._record(window, 1)
        elif opening == "[":
            window.step()
            yield from self._array(window)
        elif not opening:
            raise BrokenError("truncated: there is nothing in it")
        else:
            raise BrokenError(f"not-json: it begins with {opening!r}, neither an array nor an object")
        if window.peek():
            raise BrokenError(f"not-json: text stands behind the document, {window.place}; is it `jsonl`?")

    def _array(self, window: _Window) -> Iterator[Record]:
        number = 1
        if window.peek() == "]":
            window.step()
            return
        while True:
            yield self._record(window, number)
            number += 1
            mark = window.peek()
            if mark not in (",", "]"):
                raise window.broken("a comma or the end of the array is missing")
            window.step()
            if mark == "]":
                return
            window.peek()

    def _record(self, window: _Window, number: int) -> Record:
        value, text, error = window.value()
        return Record(value, text.encode(self.text.codec), number, error)


class _Window:
    """A part of a text, from which values are taken at its start and which grows at its end."""

    def __init__(self, stream: Readable, text: Text) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig" if text.narrow == "utf-8" else text.narrow)()
        self._reader = JsonReader()
        self._text, self._at, self._gone, self._ended = "", 0, 0, False

    @property
    def place(self) -> str:
        """Where it stands, for a message."""
        return f"character {self._gone + self._at + 1}"

    def broken(self, what: str) -> BrokenError:
        """An error about this place."""
        kind = "truncated" if self._ended and not self.peek() else "not-json"
        return BrokenError(f"{kind}: {what}, {self.place}")

    def peek(self) -> str:
        """Skip blanks; return the next character, none at the end."""
        while True:
            self._skip()
            if self._at < len(self._text) or not self._grow():
                return self._text[self._at : self._at + 1]

    def _skip(self) -> None:
        blanks = _BLANKS.match(self._text, self._at)
        self._at = blanks.end() if blanks else self._at

    def step(self) -> None:
        """Leave a character behind."""
        self._at += 1

    def value(self) -> tuple[object, str, str | None]:
        """Take a value: itself, its text, and what is wrong with it where its end is clear."""
        while True:
            try:
                value, end, error = self._reader.at(self._text, self._at)
            except json.JSONDecodeError as problem:
                fault: str | None = problem.msg
            except RecursionError:
                raise BrokenError(f"not-json: nested too deeply, {self.place}") from None
            else:
                # A number at the window's end may have more digits.
                fault = None if end < len(self._text) or self._ended else "it does not end"
                if fault is None:
                    text, self._at = self._text[self._at : end], end
                    return value, text, error
            if len(self._text) - self._at > MAX_RECORD_BYTES:
                raise BrokenError(f"record-too-long: no end within {MAX_RECORD_BYTES} characters, {self.place}")
            if self._ended:
                raise BrokenError(f"not-json: cut off or no JSON ({fault}), in the value at {self.place}")
            self._grow()

    def _grow(self) -> bool:
        if self._ended:
            return False
        rest = self._text[self._at :]
        octets = read_fully(self._stream, max(WINDOW, len(rest)))
        self._ended = not octets
        try:
            more = self._decoder.decode(octets, final=self._ended)
        except UnicodeDecodeError as error:
            raise BrokenError(f"undecodable: {error.reason}, after {self.place}") from None
        self._gone += self._at
        self._text, self._at = rest + more, 0
        return bool(more) or not self._ended


__all__ = ["JsonFormat"]
