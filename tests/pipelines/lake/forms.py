"""Deliveries in every form that bronze reads: the same records as text, documents, columns or change events."""

from __future__ import annotations

import bz2
import csv
import datetime as dt
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import zstandard

from tests.pipelines.lake.people import GONE, Record

COMPRESSIONS = {"none": "", "gzip": ".gz", "bzip2": ".bz2", "zstd": ".zst"}
COMPRESS = {"none": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "zstd": zstandard.compress}
NUMBERS = ("id", "age")
DATES = ("born", "seen", "at")
FOLDER = "dt=2024-03-0{}/"


@dataclass(frozen=True)
class Form:
    """One way to deliver.

    Attributes:
        name: Its name, a part of the datasets'.
        ingestion: The contract's property.
        write: Bytes of a file with these records.
        suffix: How files' names end.
        folder: Where the files lie below the landing folder, by their number.
        many: Whether files are so large that they are split.
        named: Whether files name their columns, so that there can be one more.
        feed: Whether they are change events.
        compression: Of a file as a whole.
    """

    name: str
    ingestion: Mapping[str, Any]
    write: Callable[[Sequence[Record]], bytes]
    suffix: str
    folder: str = ""
    many: bool = False
    named: bool = True
    feed: bool = False
    compression: str = "none"

    def file(self, number: int, records: Sequence[Record]) -> tuple[str, bytes]:
        """Name and content of a delivery."""
        content = COMPRESS[self.compression](self.write(records))
        return f"{self.folder.format(number)}{number}{self.suffix}", content


def texts(record: Record) -> dict[str, str]:
    """A record as text knows it; null is nothing."""
    return {name: "" if value is None else str(value) for name, value in record.items()}


def delimited(delimiter: str = ",", encoding: str = "utf-8", *, header: bool = True) -> Callable[..., bytes]:
    """Writes delimited text."""

    def write(records: Sequence[Record]) -> bytes:
        out = io.StringIO()
        writer = csv.DictWriter(out, list(records[0]), delimiter=delimiter, lineterminator="\n")
        if header:
            writer.writeheader()
        writer.writerows(map(texts, records))
        return out.getvalue().encode(encoding)

    return write


def plain(value: Any) -> Any:
    """What JSON has for it."""
    return float(value) if isinstance(value, Decimal) else value.isoformat() if isinstance(value, dt.date) else value


def objects(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The records as JSON has them."""
    return [{name: plain(value) for name, value in record.items()} for record in records]


def document(records: Sequence[Record]) -> bytes:
    """A JSON array."""
    return json.dumps(objects(records)).encode()


def lines(records: Sequence[Any]) -> bytes:
    """An object a line."""
    return "".join(f"{json.dumps(record)}\n" for record in objects(records)).encode()


def parquet(compression: str) -> Callable[..., bytes]:
    """Writes Parquet with a row group of 300 rows."""

    def write(records: Sequence[Record]) -> bytes:
        kinds = {**dict.fromkeys(NUMBERS, pa.int64()), **dict.fromkeys(DATES, pa.date32())}
        kinds["amount"] = pa.decimal128(9, 2)
        table = pa.table(
            {name: pa.array([row[name] for row in records], kinds.get(name, pa.string())) for name in records[0]}
        )
        out = io.BytesIO()
        pa_parquet.write_table(table, out, compression=compression, row_group_size=300)
        return out.getvalue()

    return write


def avro_type(name: str) -> Any:
    """Type of a column."""
    if name in NUMBERS:
        return "long"
    if name in DATES:
        return {"type": "int", "logicalType": "date"}
    if name == "amount":
        return {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
    return ["null", "string"]


def container(schema: dict[str, Any], rows: Sequence[Any], codec: str) -> bytes:
    """An object container file with blocks of about 16 kB."""
    out = io.BytesIO()
    fastavro.writer(out, schema, rows, codec=codec, sync_interval=16_000)
    return out.getvalue()


def avro(codec: str) -> Callable[..., bytes]:
    """Writes Avro."""

    def write(records: Sequence[Record]) -> bytes:
        fields = [{"name": name, "type": avro_type(name)} for name in records[0]]
        return container({"type": "record", "name": "person", "fields": fields}, records, codec)

    return write


def events(records: Sequence[Record]) -> list[Any]:
    """Change events of Debezium: the first delivery's are snapshots, in the second somebody goes."""
    second = any(record["at"].day > 1 for record in records)
    base = 1000 if second else 0
    rows = objects(records)
    made = [
        {"op": "u" if second else "r", "before": None, "after": row, "source": {"lsn": base + n, "ts_ms": base}}
        for n, row in enumerate(rows)
    ]
    if not second:
        return made
    gone = {**rows[0], "id": GONE}
    delete = {"op": "d", "before": gone, "after": None, "source": {"lsn": base + 500, "ts_ms": base}}
    return [*made, delete]


def feed(write: Callable[[list[Any]], bytes]) -> Callable[..., bytes]:
    """Writes change events, and at the end of the second delivery a message that is about nobody."""

    def written(records: Sequence[Record]) -> bytes:
        told = events(records)
        message = {"op": "m", "before": None, "after": None, "source": {"lsn": 5000, "ts_ms": 5000}}
        return write([*told, message] if told[-1]["op"] == "d" else told)

    return written


def feed_in_avro(told: list[Any]) -> bytes:
    """Change events in Avro."""
    row = next(event["after"] or event["before"] for event in told)
    kinds = {name: "long" if name in NUMBERS else "double" if name == "amount" else ["null", "string"] for name in row}
    fields = [{"name": name, "type": kind} for name, kind in kinds.items()]
    value = {"type": "record", "name": "Value", "fields": fields}
    source = {"type": "record", "name": "Source", "fields": [{"name": n, "type": "long"} for n in ("lsn", "ts_ms")]}
    envelope = [
        {"name": "before", "type": ["null", value]},
        {"name": "after", "type": ["null", "Value"]},
        {"name": "source", "type": source},
        {"name": "op", "type": "string"},
    ]
    return container({"type": "record", "name": "Envelope", "fields": envelope}, told, "null")


def _texts() -> list[Form]:
    made = []
    for format_, write in (("csv", delimited()), ("json", document), ("jsonl", lines)):
        for compression, ending in COMPRESSIONS.items():
            said = {"format": format_, **({"compression": compression} if compression != "gzip" else {})}
            made.append(Form(f"{format_}_{compression}", said, write, f".{format_}{ending}", compression=compression))
    return made


FORMS: tuple[Form, ...] = (
    *_texts(),
    Form("csv_cp1252", {"format": "csv", "delimiter": ";", "encoding": "cp1252"}, delimited(";", "cp1252"), ".csv"),
    Form("csv_utf16", {"format": "csv", "encoding": "utf-16"}, delimited(encoding="utf-16"), ".csv"),
    Form("csv_bare", {"format": "csv", "header": "none"}, delimited(header=False), ".csv", named=False),
    *(Form(f"parquet_{c}", {"format": "parquet"}, parquet(c), ".parquet") for c in ("none", "snappy", "gzip", "zstd")),
    *(Form(f"avro_{c}", {"format": "avro"}, avro(c), ".avro") for c in ("null", "deflate", "bzip2")),
    Form("csv_folders", {"format": "csv", "glob": "**/*.csv"}, delimited(), ".csv", FOLDER),
    Form("jsonl_folders", {"format": "jsonl", "glob": "**/*.jsonl"}, lines, ".jsonl", FOLDER),
    Form("parquet_folders", {"format": "parquet", "glob": "**/*.parquet"}, parquet("snappy"), ".parquet", FOLDER),
    Form("csv_split", {"format": "csv", "splitBytes": 65536}, delimited(), ".csv", many=True),
    Form("jsonl_split", {"format": "jsonl", "splitBytes": 65536}, lines, ".jsonl", many=True),
    Form("parquet_split", {"format": "parquet", "splitBytes": 65536}, parquet("none"), ".parquet", many=True),
    Form("avro_split", {"format": "avro", "splitBytes": 65536}, avro("null"), ".avro", many=True),
)  # fmt: skip
"""Every form of files."""

FEEDS: tuple[Form, ...] = tuple(
    Form(f"feed_{name}", {"format": name, "envelope": "debezium"}, feed(write), f".{name}", feed=True)
    for name, write in (("json", document), ("jsonl", lines), ("avro", feed_in_avro))
)
"""Change feeds."""
