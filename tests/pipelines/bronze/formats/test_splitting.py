"""A large file in pieces is the same table, wherever it is cut; and every piece is digested."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.bronze import cutting
from pipelines.bronze.cutting import cut
from pipelines.bronze.formats import octets
from pipelines.bronze.formats.delimited import CsvFormat
from pipelines.bronze.formats.form import Form
from pipelines.bronze.formats.json_lines import JsonLinesFormat
from pipelines.bronze.formats.octets import Text

if TYPE_CHECKING:
    from conftest import Reading

FORM = CsvFormat(fields=("a", "b", "c"))
JSON_LINES = JsonLinesFormat(fields=("a",), text=Text("utf-16-le"))
cell = st.text(st.sampled_from('xy,"\n\r'), max_size=9)


def written(rows: list[tuple[str, str, str]], end: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator=end).writerows([("a", "b", "c"), *rows])
    return out.getvalue().encode()


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(cell, cell, cell), max_size=60), st.sampled_from(["\n", "\r\n"]), st.integers(1, 400))
@example([("x", "y\n", "z")] * 20, "\n", 1)
def test_csv_with_quotes_and_line_ends_in_fields(
    reading: Reading, rows: list[tuple[str, str, str]], end: str, size: int
) -> None:
    data = written(rows, end)
    whole = reading.parse(data, FORM)
    read, _ = reading.parse_cut(data, FORM, size)
    assert read.equals(whole)


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from('x1,"\n\r'), max_size=300), st.integers(1, 120), st.sampled_from([1, 9, 64]))
def test_csv_of_any_bytes(reading: Reading, body: str, size: int, block: int) -> None:
    data = b"a,b,c\n" + body.encode()
    whole = reading.parse(data, FORM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(octets, "BLOCK_BYTES", block)
        read, _ = reading.parse_cut(data, FORM, size)
    assert read.equals(whole)


def test_a_quoted_line_end_is_no_place_to_cut(reading: Reading) -> None:
    data = b"a,b,c\n" + b'1,"two\nlines, and ""more""\n",3\n' * 200 + b"4,5,6\n" * 3
    read, pieces = reading.parse_cut(data, FORM, 100)
    assert pieces == 2  # only lines that are whole records tell where one begins
    assert read.equals(reading.parse(data, FORM))


@pytest.mark.parametrize(
    ("form", "data"),
    [
        (FORM, gzip.compress(b"a,b,c\n" + b"1,2,3\n" * 500)),
        (CsvFormat(fields=FORM.fields, text=Text("utf-16")), ("a,b,c\n" + "1,2,3\n" * 500).encode("utf-16")),
        (CsvFormat(fields=("a",)), b"a\n" + b"1\n" * 500),
    ],
    ids=["gzip", "utf-16", "one quoted column"],
)
def test_what_cannot_be_cut_is_one_piece(reading: Reading, form: CsvFormat, data: bytes) -> None:
    read, pieces = reading.parse_cut(data, form, 10)
    assert (pieces, read.num_rows) == (1, 500)


@pytest.mark.parametrize(
    "form", [CsvFormat(fields=("a",), quote=None, header="none"), CsvFormat(fields=FORM.fields, header="none")]
)
def test_csv_without_quotes_or_header_is_cut(reading: Reading, form: CsvFormat) -> None:
    data = b"".join(b",".join([b"a%d" % n] * len(form.fields)) + b"\n" for n in range(500))
    read, pieces = reading.parse_cut(data, form, 100)
    assert pieces > 10
    assert read.equals(reading.parse(data, form))


def test_a_line_longer_than_any_record_keeps_the_file_whole(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (octets, cutting):
        monkeypatch.setattr(module, "MAX_RECORD_BYTES", 64)
    monkeypatch.setattr(octets, "BLOCK_BYTES", 16)
    data = b"a,b,c\n" + b"1,2,3\n" * 20 + b"x" * 300 + b"\n" + b"4,5,6\n" * 20
    read, pieces = reading.parse_cut(data, FORM, 50)
    assert pieces == 1
    assert b"".join(read["_raw"].to_pylist()) == data[6:]
    assert len(set(read["_line"].to_pylist())) == read.num_rows  # a piece of a line counts as a line


@pytest.mark.parametrize("form", [CsvFormat(fields=("a",), text=Text("utf-16-le")), JSON_LINES], ids=["csv", "jsonl"])
def test_a_piece_of_an_overlong_line_ends_between_two_characters(
    reading: Reading, monkeypatch: pytest.MonkeyPatch, form: Form
) -> None:
    monkeypatch.setattr(octets, "MAX_RECORD_BYTES", 65)
    monkeypatch.setattr(octets, "BLOCK_BYTES", 16)
    body = ("x" + "é€" * 200).encode("utf-16-le")
    read = reading.parse("a\n".encode("utf-16-le") + body, form)
    assert set(reading.kinds(read)) >= {"record-too-long"}
    assert b"".join(read["_raw"].to_pylist()).endswith(body)


def test_pieces_cover_the_file_and_their_digests_are_their_own() -> None:
    data = b"a,b,c\n" + b"1,2,3\n" * 5000
    sha256, pieces = cut(io.BytesIO(data), FORM, 2500)
    assert sha256 == hashlib.sha256(data).hexdigest()
    ends = [*(piece.start for piece in pieces[1:]), len(data)]
    for piece, end in zip(pieces, ends, strict=True):
        assert piece.sha256 == hashlib.sha256(data[piece.start : end]).hexdigest()
        assert piece.line == 1 + data[: piece.start].count(b"\n")
