"""Parquet and Avro: canonical texts, types against the contract, files that are cut off or corrupt, pieces."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.bronze.formats.avro import AvroFormat
from pipelines.bronze.formats.avro_container import CODECS
from pipelines.bronze.formats.form import Form
from pipelines.bronze.formats.parquet import ParquetFormat

if TYPE_CHECKING:
    from conftest import Reading

NOON = dt.datetime(2024, 5, 1, 12, 30, 15, tzinfo=dt.UTC)
BERLIN = dt.timezone(dt.timedelta(hours=2))


def parquet(columns: dict[str, Any], **how: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **how)
    return out.getvalue()


def avro(records: list[dict[str, Any]], codec: str = "null", interval: int = 16_000, **types: Any) -> bytes:
    schema = {"type": "record", "name": "r", "fields": [{"name": name, "type": kind} for name, kind in types.items()]}
    out = io.BytesIO()
    fastavro.writer(out, schema, records, codec=codec, sync_interval=interval)
    return out.getvalue()


@pytest.mark.parametrize(
    ("array", "text", "json"),
    [
        (pa.array(["é"]), "é", '"é"'),
        (pa.array(['a"\n']), 'a"\n', r'"a\"\n"'),
        (pa.array([-7], pa.int8()), "-7", "-7"),
        (pa.array([True]), "true", "true"),
        (pa.array([1.0]), "1.0", "1.0"),
        (pa.array([0.1]), "0.1", "0.1"),
        (pa.array([1e22]), "10000000000000000000000.0", "10000000000000000000000.0"),
        (pa.array([1.5e-9]), "0.0000000015", "0.0000000015"),
        (pa.array([float("nan")]), "NaN", '"NaN"'),
        (pa.array([float("-inf")]), "-Infinity", '"-Infinity"'),
        (pa.array([0.1], pa.float32()), "0.10000000149011612", "0.10000000149011612"),
        (pa.array([Decimal("1.50")], pa.decimal128(9, 2)), "1.50", "1.50"),
        (pa.array([Decimal("0.00000001")], pa.decimal128(20, 8)), "0.00000001", "0.00000001"),
        (pa.array([NOON.date()]), "2024-05-01", '"2024-05-01"'),
        (pa.array([NOON]), "2024-05-01T12:30:15Z", '"2024-05-01T12:30:15Z"'),
        (pa.array([NOON.astimezone(BERLIN)], pa.timestamp("ms", "+02:00")), "2024-05-01T12:30:15Z", None),
        (pa.array([NOON.replace(tzinfo=None, microsecond=600)]), "2024-05-01T12:30:15.000600", None),
        (
            pa.array([NOON.replace(tzinfo=None, microsecond=7000)], pa.timestamp("ms")),
            "2024-05-01T12:30:15.007000",
            None,
        ),
        (pa.array([1714566615000000001], pa.timestamp("ns")), "2024-05-01T12:30:15.000000001", None),
        (pa.array([1714566615000001000], pa.timestamp("ns")), "2024-05-01T12:30:15.000001", None),
        (pa.array([dt.time(1, 2, 3)]), "01:02:03", '"01:02:03"'),
        (pa.array([b"\x00\xff"]), "AP8=", '"AP8="'),
        (pa.array([["b", "a"]]), '["b","a"]', '["b","a"]'),
        (pa.array([{"z": 1, "a": None}]), '{"a":null,"z":1}', '{"a":null,"z":1}'),
        (pa.array([[("k", 2)]], pa.map_(pa.string(), pa.int64())), '{"k":2}', '{"k":2}'),
        (pa.array(["x"]).dictionary_encode(), "x", '"x"'),
        (pa.array([None], pa.null()), None, "null"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_values_have_one_text(reading: Reading, array: pa.Array, text: str | None, json: str | None) -> None:
    read = reading.parse(parquet({"a": array, "more": array}), ParquetFormat(fields=("a",)))
    assert read["a"].to_pylist() == [text]
    told = json if json is not None else f'"{text}"'
    assert read["_raw"].to_pylist() == [f'{{"a":{told},"more":{told}}}'.encode()]
    assert read["_rescued"].to_pylist() == [None if text is None else f'{{"more":{told}}}']


TEXTS = {
    "t": "x",
    "n": "5",
    "d": "0.1",
    "big": "1000000000000000000000.0",
    "m": "12.30",
    "day": "2024-05-01",
    "at": "2024-05-01T12:30:15Z",
    "local": "2024-05-01T12:30:15.000600",
    "id": "00000000-0000-0000-0000-000000000007",
    "raw": "AP8=",
    "nested": '{"a":[1,2],"m":{"k":1.5}}',
    "none": None,
}


def test_avro_has_the_same_texts(reading: Reading) -> None:
    inner = {
        "type": "record",
        "name": "inner",
        "fields": [
            {"name": "m", "type": {"type": "map", "values": "double"}},
            {"name": "a", "type": {"type": "array", "items": "int"}},
        ],
    }
    data = avro(
        [
            {
                "t": "x",
                "n": 5,
                "d": 0.1,
                "big": 1e21,
                "m": Decimal("12.30"),
                "day": NOON.date(),
                "at": NOON,
                "local": NOON.replace(tzinfo=None, microsecond=600),
                "id": uuid.UUID(int=7),
                "raw": b"\x00\xff",
                "nested": {"m": {"k": 1.5}, "a": [1, 2]},
                "none": None,
            }
        ],
        t={"type": "enum", "name": "e", "symbols": ["x"]},
        n=["null", "long"],
        d="double",
        big="double",
        m={"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        day={"type": "int", "logicalType": "date"},
        at={"type": "long", "logicalType": "timestamp-micros"},
        local={"type": "long", "logicalType": "local-timestamp-micros"},
        id={"type": "string", "logicalType": "uuid"},
        raw="bytes",
        nested=inner,
        none=["null", "string"],
    )
    read = reading.parse(data, AvroFormat(fields=tuple(TEXTS)))
    assert reading.fields(read, tuple(TEXTS)) == [tuple(TEXTS.values())]
    assert b'"m":12.30,"n":5,' in read["_raw"][0].as_py()


def test_nested_fields_are_named_by_their_path(reading: Reading, tmp_path: Path) -> None:
    rows = [{"address": {"city": "Ulm", "zip": "89073"}}, {"address": None}]
    fields = ("address.city",)
    kind = {"type": "record", "name": "ad", "fields": [{"name": n, "type": "string"} for n in ("city", "zip")]}
    for form, data in (
        (ParquetFormat(fields=fields), parquet({"address": [row["address"] for row in rows]})),
        (AvroFormat(fields=fields), avro(rows, address=["null", kind])),
    ):
        read = reading.parse(data, form)
        assert reading.fields(read, ["address.city", "_rescued"]) == [
            ("Ulm", '{"address":{"zip":"89073"}}'),
            (None, None),
        ]
        assert reading.look(tmp_path, data, form).problem is None
        lacking = type(form)(fields=("address.street",))
        assert "no column 'address.street'" in str(reading.look(tmp_path, data, lacking).problem)


ROWS = [{"a": f"text {n}", "b": n} for n in range(3000)]
PARQUET = parquet({"a": [row["a"] for row in ROWS], "b": [row["b"] for row in ROWS]}, row_group_size=100)
AVRO = avro(ROWS, "deflate", 400, a="string", b="long")
BOTH = [
    pytest.param(ParquetFormat(fields=("a", "b")), PARQUET, id="parquet"),
    pytest.param(AvroFormat(fields=("a", "b")), AVRO, id="avro"),
]


@pytest.mark.parametrize(("form", "data"), BOTH)
@pytest.mark.parametrize("size", [1, 300, 2000, 1 << 20])
def test_pieces_are_the_same_table(reading: Reading, form: Form, data: bytes, size: int) -> None:
    whole = reading.parse(data, form)
    assert whole["_line"].to_pylist() == list(range(1, len(ROWS) + 1))
    cut, pieces = reading.parse_cut(data, form, size)
    assert cut.equals(whole)
    assert (pieces > 5) == (size <= 2000)


@pytest.mark.parametrize(("form", "data"), BOTH)
def test_a_file_that_was_cut_off_is_told_before_a_row_is_read(
    reading: Reading, tmp_path: Path, form: Form, data: bytes
) -> None:
    assert reading.look(tmp_path, data, form).problem is None
    for size in (0, 3, 20, len(data) // 2, len(data) - 1):
        problem = reading.look(tmp_path, data[:size], form).problem
        assert problem is not None, size
        assert problem.split(":")[0] in ("truncated", "not-parquet", "not-avro", "corrupt")
    assert str(reading.look(tmp_path, data[: len(data) // 2], form).problem).startswith("truncated: ")


@pytest.mark.parametrize(("form", "data"), BOTH)
@settings(deadline=None, max_examples=60)
@given(chance=st.data())
def test_no_damage_escapes_as_anything_but_a_reason(
    reading: Reading, tmp_path_factory: pytest.TempPathFactory, form: Form, data: bytes, chance: st.DataObject
) -> None:
    damaged = bytearray(data)
    place = chance.draw(st.integers(0, len(data) - 1))
    damaged[place : place + 4] = chance.draw(st.binary(min_size=4, max_size=4))
    delivery = reading.look(tmp_path_factory.mktemp("damaged"), bytes(damaged), form)
    if delivery.problem is None:  # what no checksum covers is read to its end
        assert reading.parse(bytes(damaged), form).num_rows <= len(ROWS)


@pytest.mark.parametrize("codec", CODECS)
def test_codecs_of_avro(reading: Reading, tmp_path: Path, codec: str) -> None:
    form = AvroFormat(fields=("a", "b"))
    if codec in ("snappy", "zstandard"):  # fastavro needs other packages to write these
        data = recompressed(avro(ROWS, a="string", b="long"), codec)
    else:
        data = avro(ROWS, codec, a="string", b="long")
    assert reading.parse(data, form).num_rows == len(ROWS)
    broken = bytearray(data)
    broken[-30] ^= 0xFF
    if codec != "null":  # it has no checksum
        assert str(reading.look(tmp_path, bytes(broken), form).problem).startswith("corrupt: ") or codec == "deflate"


def recompressed(data: bytes, codec: str) -> bytes:
    """A container of one uncompressed block, compressed by another codec."""
    import zlib

    from pipelines.bronze.formats.avro_container import read_blocks, read_header

    stream = io.BytesIO(data)
    header = read_header(stream)
    start = stream.tell()
    out = bytearray(data[:start].replace(b"\x08null", bytes([2 * len(codec)]) + codec.encode()))
    for block in read_blocks(stream, header):
        packed = bytes(pa.compress(block.data, codec={"snappy": "snappy", "zstandard": "zstd"}[codec], asbytes=True))
        if codec == "snappy":
            packed += zlib.crc32(block.data).to_bytes(4, "big")
        out += varint(block.records) + varint(len(packed)) + packed + header.sync
    return bytes(out)


def varint(number: int) -> bytes:
    number <<= 1
    out = bytearray()
    while number > 0x7F:
        out.append((number & 0x7F) | 0x80)
        number >>= 7
    return bytes([*out, number])


@pytest.mark.parametrize(
    ("column", "avro_type", "expected", "found"),
    [
        (pa.array(["1"]), "string", "integer", "string"),
        (pa.array([1.5]), "double", "integer", "double"),
        (pa.array([1]), "long", "boolean", None),
        (pa.array(["2024"]), "string", "date", "string"),
        (pa.array([1]), "long", "text", None),
    ],
)
def test_a_changed_type_is_a_violation_with_old_and_new(
    reading: Reading, tmp_path: Path, column: pa.Array, avro_type: str, expected: str, found: str | None
) -> None:
    rows = [{"a": value} for value in column.to_pylist()]
    for form, data, kind in (
        (ParquetFormat(fields=("a",)), parquet({"a": column}), str(column.type)),
        (AvroFormat(fields=("a",)), avro(rows, a=avro_type), avro_type),
    ):
        problem = reading.look(tmp_path, data, form, a=expected).problem
        assert problem == f"schema: 'a' has another type: {expected} -> {found or kind}"


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1]), "number"),
        (pa.array([Decimal(7)], pa.decimal128(5, 0)), "integer"),
        (pa.array([NOON.date()]), "timestamp"),
        (pa.array(["01.05.2024"]), "text"),
    ],
)
def test_types_that_fit(reading: Reading, tmp_path: Path, column: pa.Array, expected: str) -> None:
    assert reading.look(tmp_path, parquet({"a": column}), ParquetFormat(fields=("a",)), a=expected).problem is None


def test_what_has_no_text_is_refused_by_name(reading: Reading, tmp_path: Path) -> None:
    data = parquet({"a": pa.array([dt.timedelta(1)])})
    problem = reading.look(tmp_path, data, ParquetFormat(fields=("a",))).problem
    assert problem == "schema: column 'a' is duration[us]: such values have no text that other formats share"


def test_texts_that_are_no_text_are_told_before_a_row_is_read(reading: Reading, tmp_path: Path) -> None:
    _, offsets, values = pa.array([b"caf\xe9"]).buffers()
    wrong = pa.Array.from_buffers(pa.string(), 1, [None, offsets, values])
    assert str(reading.look(tmp_path, parquet({"a": wrong}), ParquetFormat(fields=("a",))).problem).startswith(
        "corrupt: "
    )


def test_a_block_ends_in_the_files_sync_marker(reading: Reading, tmp_path: Path) -> None:
    form = AvroFormat(fields=("a", "b"))
    offset, _ = list(form.marks(io.BytesIO(AVRO)))[5]
    damaged = AVRO[: offset - 16] + b"\0" * 16 + AVRO[offset:]
    problem = reading.look(tmp_path, damaged, form).problem
    assert problem == "corrupt: a block does not end in the file's sync marker"
