"""The parser against Python's own csv module, and on everything that goes wrong in files."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.bronze.formats import octets
from pipelines.bronze.formats.delimited import CsvFormat, HeaderError
from pipelines.bronze.formats.octets import Text
from pipelines.bronze.parser import parse_stream

FORM = CsvFormat(fields=("a", "b", "c"))
HEADER = b"a,b,c\n"


def parse(data: bytes, form: CsvFormat = FORM) -> pa.Table:
    batches = list(parse_stream(io.BytesIO(data), "f.csv", "0" * 64, form))
    return pa.Table.from_batches(batches, form.arrow_schema).sort_by("_line")


def fields(table: pa.Table, names: Sequence[str] = FORM.fields) -> list[tuple[str | None, ...]]:
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def kinds(table: pa.Table) -> list[str | None]:
    return [None if error is None else error.split(":")[0] for error in table["_parse_error"].to_pylist()]


def test_plain_lines_keep_their_bytes() -> None:
    table = parse(HEADER + b"1,x,2\r\n\n3,,4\n5,y,6")
    assert fields(table) == [("1", "x", "2"), ("3", "", "4"), ("5", "y", "6")]
    assert table["_line"].to_pylist() == [2, 4, 5]
    assert table["_raw"].to_pylist() == [b"1,x,2\r\n", b"3,,4\n", b"5,y,6"]
    assert set(table["_file"].to_pylist()) == {"f.csv"}


cell = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=6)
"""No carriage returns: Python's csv takes a lone one for a line end, RFC 4180 for text."""


@settings(deadline=None)
@given(st.lists(st.tuples(cell, cell, cell), max_size=40), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_reads_what_a_csv_writer_wrote(rows: list[tuple[str, str, str]], end: str, quote_all: bool) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL)
    writer.writerows(rows)
    table = parse(HEADER + out.getvalue().encode())
    whole = [row for row, error in zip(fields(table), kinds(table), strict=True) if error is None]
    # A field over several lines of which one is a whole record by itself is read as an unclosed quote, on purpose.
    if all(error is None for error in kinds(table)):
        assert whole == rows
    assert b"".join(table["_raw"].to_pylist()) == out.getvalue().encode()


def test_an_unclosed_quote_swallows_nothing() -> None:
    table = parse(HEADER + b'1,"open,2\n3,x,4\n5,"quoted, yes",6\n7,y,8\n')
    assert kinds(table) == ["unclosed-quote", None, None, None]
    assert fields(table)[1:] == [("3", "x", "4"), ("5", "quoted, yes", "6"), ("7", "y", "8")]
    assert table["_raw"][0].as_py() == b'1,"open,2\n'


def test_an_unclosed_quote_in_the_last_line_ends_with_the_file() -> None:
    assert kinds(parse(HEADER + b'1,x,2\n3,"open,4')) == [None, "unclosed-quote"]


def test_a_field_may_span_lines() -> None:
    table = parse(HEADER + b'1,"two\nlines, ""quoted""",2\n3,x,4\n')
    assert fields(table) == [("1", 'two\nlines, "quoted"', "2"), ("3", "x", "4")]
    assert table["_line"].to_pylist() == [2, 4]
    assert table["_raw"][0].as_py() == b'1,"two\nlines, ""quoted""",2\n'


def test_malformed_records_are_named_and_kept() -> None:
    table = parse(HEADER + b'1,2\n1,2,3,4\n1,"x"y,3\n1,5" pipe,3\n')
    assert kinds(table) == ["ragged", "ragged", "text-after-quote", None]
    assert fields(table)[3] == ("1", '5" pipe', "3")
    assert table["_raw"].to_pylist()[:3] == [b"1,2\n", b"1,2,3,4\n", b'1,"x"y,3\n']
    assert table["_parse_error"][0].as_py() == "ragged: 2 fields, 3 expected"


def test_bytes_that_are_not_text_are_kept() -> None:
    table = parse(HEADER + b"1,ok,2\n3,caf\xe9,4\n")
    assert kinds(table) == [None, "undecodable"]
    assert table["_raw"][1].as_py() == b"3,caf\xe9,4\n"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings(encoding: str) -> None:
    text = 'a,b,c\n1,café,2\n3,"Zoë, x",4\n'
    form = CsvFormat(fields=FORM.fields, text=Text(encoding))
    table = parse(text.encode(encoding), form)
    assert fields(table) == [("1", "café", "2"), ("3", "Zoë, x", "4")]
    if encoding not in ("utf-16", "utf-32"):  # these mark every string that is encoded with a BOM
        assert b"".join(table["_raw"].to_pylist()) == text.split("\n", 1)[1].encode(encoding)


def test_a_bom_is_no_part_of_the_first_name() -> None:
    assert fields(parse(b"\xef\xbb\xbf" + HEADER + b"1,2,3\n")) == [("1", "2", "3")]


def test_gzip_is_recognised_by_its_bytes() -> None:
    assert fields(parse(gzip.compress(HEADER + b"1,2,3\n"))) == [("1", "2", "3")]


def test_columns_are_found_by_name_and_unknown_ones_rescued() -> None:
    table = parse(b"c,new,a,b\n3,x,1,2\n")
    assert fields(table) == [("1", "2", "3")]
    assert table["_rescued"].to_pylist() == ['{"new":"x"}']


def test_a_header_that_lacks_a_column_is_an_error_with_its_name() -> None:
    with pytest.raises(HeaderError, match="no column 'b'; its header is 'a', 'c'"):
        parse(b"a,c\n1,2\n")


def test_a_name_that_appears_twice_is_an_error() -> None:
    with pytest.raises(HeaderError, match="'a' more than once"):
        parse(b"a,b,c,a\n1,2,3,4\n")


def test_an_empty_file_has_no_rows() -> None:
    assert parse(b"").num_rows == 0
    assert parse(HEADER).num_rows == 0


@pytest.mark.parametrize(
    ("form", "data"),
    [
        (CsvFormat(fields=FORM.fields, delimiter=";"), b"a;b;c\n1;x,y;3\n"),
        (CsvFormat(fields=FORM.fields, header="none"), b'1,"x,y",3\n'),
        (CsvFormat(fields=FORM.fields, header="skip"), b'what,ever,else\n1,"x,y",3\n'),
        (CsvFormat(fields=FORM.fields, delimiter="\t", quote=None), b"a\tb\tc\n1\tx,y\t3\n"),
        (CsvFormat(fields=FORM.fields, delimiter="whitespace", quote=None), b"a b c\n  1  x,y \t 3\n"),
    ],
)
def test_dialects(form: CsvFormat, data: bytes) -> None:
    assert fields(parse(data, form)) == [("1", "x,y", "3")]


def test_ragged_whitespace_is_malformed() -> None:
    form = CsvFormat(fields=FORM.fields, delimiter="whitespace", quote=None)
    assert kinds(parse(b"a b c\n1 2 3\n1 2\n", form)) == [None, "ragged"]


def test_a_stray_carriage_return_is_text() -> None:
    assert fields(parse(HEADER + b"1,x\ry,3\n4,5,6\n")) == [("1", "x\ry", "3"), ("4", "5", "6")]


@pytest.mark.parametrize("block", [1, 7, 16, 64])
def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    data = HEADER + b"".join(
        b'%d,"text %d\nover ""lines""",x\n' % (n, n) if n % 7 == 0 else b"%d,plain,x\n" % n for n in range(200)
    )
    data += b'9,"open,x\n1,2\nlast,1,2'
    whole = parse(data)
    monkeypatch.setattr(octets, "BLOCK_BYTES", block)
    assert parse(data).equals(whole)


def test_a_file_without_line_ends_is_given_up_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(octets, "BLOCK_BYTES", 64)
    monkeypatch.setattr(octets, "MAX_RECORD_BYTES", 128)
    table = parse(HEADER + b"x" * 1000)
    assert set(kinds(table)) <= {"record-too-long", "ragged"}
    assert b"".join(table["_raw"].to_pylist()) == b"x" * 1000
