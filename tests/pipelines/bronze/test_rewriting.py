"""A file without some of its records: the others as they were, byte by byte where the format has such."""

from __future__ import annotations

import bz2
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.bronze.formats.avro import AvroFormat
from pipelines.bronze.formats.delimited import CsvFormat
from pipelines.bronze.formats.form import BrokenError, Form
from pipelines.bronze.formats.json_document import JsonFormat
from pipelines.bronze.formats.json_lines import JsonLinesFormat
from pipelines.bronze.formats.octets import Text
from pipelines.bronze.formats.parquet import ParquetFormat
from pipelines.bronze.parser import parse_stream
from pipelines.bronze.rewriting import rewrite

FIELDS = ("id", "who")
CSV, LINES, DOCUMENT = (kind(fields=FIELDS) for kind in (CsvFormat, JsonLinesFormat, JsonFormat))
PARQUET, AVRO = ParquetFormat(fields=FIELDS), AvroFormat(fields=FIELDS)
SCHEMA = {
    "type": "record",
    "name": "r",
    "fields": [{"name": "id", "type": "long"}, {"name": "who", "type": ["null", "string"]}],
}
ROWS = [{"id": number, "who": "ann" if number % 3 == 0 else f"n{number}"} for number in range(1, 11)]


def zstd(data: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as packed:
        packed.write(data)
    return out.getvalue().to_pybytes()


PACKERS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "none": (bytes, bytes),
    "gzip": (gzip.compress, gzip.decompress),
    "gzip of two members": (lambda d: gzip.compress(d[:20]) + gzip.compress(d[20:]), gzip.decompress),
    "bzip2": (bz2.compress, bz2.decompress),
    "zstd": (zstd, lambda data: pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()),
}


def parquet(codec: str = "snappy") -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), out, compression=codec, row_group_size=4)
    return out.getvalue()


def avro(codec: str = "null") -> bytes:
    out = io.BytesIO()
    fastavro.writer(out, SCHEMA, ROWS, codec=codec, sync_interval=40, metadata={"owner": "me"})
    return out.getvalue()


def raws(form: Form, data: bytes, who: str | None = "ann") -> list[bytes]:
    """What bronze has of somebody, or of all."""
    table = pa.Table.from_batches(list(parse_stream(io.BytesIO(data), "f", "0" * 64, form)), form.arrow_schema)
    picked = [row["_raw"] for row in table.to_pylist() if who in (None, row["who"])]
    return [raw.rstrip(b"\r\n") for raw in picked]


def without(form: Form, data: bytes, leaving: list[bytes]) -> bytes | None:
    out = io.BytesIO()
    return out.getvalue() if rewrite(form, io.BytesIO(data), out, leaving) else None


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize(
    ("form", "data", "left"),
    [
        (CSV, b'id,who\r\n1,ann\r\n2,bob\r\n\r\n3,"ann"\r\n4,ann', b"id,who\r\n2,bob\r\n\r\n"),
        (CSV, b'id,who\n1,"a\nnn"\n2,ann\n3,"ann\n"\n', b'id,who\n1,"a\nnn"\n3,"ann\n"\n'),
        (LINES, b'{"id":1,"who":"ann"}\n{"id": 2.50,"who":"bob"}\n', b'{"id": 2.50,"who":"bob"}\n'),
        (
            DOCUMENT,
            b'[{"id":1,"who":"ann"} , {"id":2.50,"who":"bob"}, {"id":3}]',
            b'[{"id":2.50,"who":"bob"},\n{"id":3}]\n',
        ),
        (DOCUMENT, b'[{"id":1,"who":"ann"}]', b"[]\n"),
    ],
)
def test_texts_lose_records_and_keep_their_compression(packing: str, form: Form, data: bytes, left: bytes) -> None:
    pack, unpack = PACKERS[packing]
    packed = pack(data)
    made = without(form, packed, raws(form, packed))
    assert made is not None
    assert unpack(made) == left
    assert raws(form, made) == []


@pytest.mark.parametrize("codec", ["snappy", "zstd", "gzip", "none"])
def test_parquet_keeps_its_columns_and_compression(codec: str) -> None:
    made = without(PARQUET, data := parquet(codec), raws(PARQUET, data))
    assert made is not None
    file = pq.ParquetFile(io.BytesIO(made))
    assert file.schema_arrow == pq.ParquetFile(io.BytesIO(data)).schema_arrow
    assert file.read().to_pylist() == [row for row in ROWS if row["who"] != "ann"]
    named = {"none": "UNCOMPRESSED"}.get(codec, codec.upper())
    assert {file.metadata.row_group(0).column(n).compression for n in range(2)} == {named}


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_avro_keeps_its_schema_and_what_it_says_of_itself(codec: str) -> None:
    made = without(AVRO, data := avro(codec), raws(AVRO, data))
    assert made is not None
    reader: Any = fastavro.reader(io.BytesIO(made))
    assert list(reader) == [row for row in ROWS if row["who"] != "ann"]
    assert reader.metadata["owner"] == "me"
    assert reader.metadata["avro.codec"] == ("null" if codec == "null" else "deflate")
    assert json.loads(reader.metadata["avro.schema"])["fields"] == SCHEMA["fields"]


@pytest.mark.parametrize("form", [CSV, LINES, DOCUMENT, PARQUET, AVRO], ids=lambda form: type(form).__name__)
def test_a_record_that_is_not_there_is_told(form: Form) -> None:
    files: dict[Form, bytes] = {
        CSV: b"id,who\n1,ann\n",
        LINES: b'{"id":1}\n',
        DOCUMENT: b"[]",
        PARQUET: parquet(),
        AVRO: avro(),
    }
    assert without(form, files[form], [b"nowhere"]) is None


def test_one_copy_of_two_leaves() -> None:
    assert without(CSV, b"id,who\n1,ann\n1,ann\n", [b"1,ann"]) == b"id,who\n1,ann\n"


def test_a_text_in_a_wide_encoding_goes_as_a_whole() -> None:
    wide = CsvFormat(fields=FIELDS, text=Text(encoding="utf-16"))
    assert without(wide, "id,who\n1,ann\n".encode("utf-16"), [b"1,ann"]) is None


@pytest.mark.parametrize(
    ("form", "data"), [(LINES, gzip.compress(b'{"id":1}\n' * 99)[:-9]), (AVRO, avro()[:-5])], ids=["jsonl", "avro"]
)
def test_a_file_that_is_cut_off_is_told(form: Form, data: bytes) -> None:
    with pytest.raises(BrokenError, match="truncated"):
        without(form, data, [b"x"])


@given(st.lists(st.sampled_from(["ann", "bob", "a\nb", 'a"b', "", "ann,x"]), max_size=12), st.booleans())
def test_what_is_left_reads_as_what_was_less_what_left(names: list[str], ends: bool) -> None:
    lines = [f'{n},"{name.replace(chr(34), chr(34) * 2)}"' for n, name in enumerate(names)]
    data = ("id,who\n" + "\n".join(lines) + ("\n" if ends and lines else "")).encode()
    gone = raws(CSV, data)
    made = without(CSV, data, gone)
    assert made is not None
    everybody = raws(CSV, data, None)
    assert raws(CSV, made, None) == [raw for raw in everybody if raw not in gone]
