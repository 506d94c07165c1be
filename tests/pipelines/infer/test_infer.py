"""A first contract from every kind of source: it is read by the loader and the linter, and it runs."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract, lint_contracts, load_contract
from pipelines.engine import Engine
from pipelines.errors import UsageError
from pipelines.infer import infer
from pipelines.infer.__main__ import main
from pipelines.infer.read import read
from pipelines.settings import Layer
from pipelines.silver.refine import refine
from tests.pipelines.conftest import Lake
from tests.pipelines.extract.conftest import Postgres

NUMBER = 120
SECRET = "ann{}@private.example"
ROWS: list[dict[str, Any]] = [
    {
        "OrderNo": f"A{place:05}",
        "pieces": place,
        "price": Decimal(place) / 4,
        "paid": place % 2 == 0,
        "day": date(2026, 1, 1 + place % 28),
        "at": datetime(2026, 1, 1, place % 24, tzinfo=UTC),
        "mail": SECRET.format(place),
        "note": None if place % 3 == 0 else "fine",
    }
    for place in range(NUMBER)
]
TYPES = {
    "order_no": "string",
    "pieces": "int",
    "price": "decimal(18,2)",
    "paid": "boolean",
    "day": "date",
    "at": "timestamp",
    "mail": "string",
    "note": "string",
}
Write = Callable[[Path], Path]


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON has it."""
    return {
        name: value.isoformat() if isinstance(value, date) else float(value) if isinstance(value, Decimal) else value
        for name, value in row.items()
    }


def delimited(delimiter: str, encoding: str = "utf-8") -> Write:
    def write(folder: Path) -> Path:
        rows = [[str("" if value is None else value) for value in plain(row).values()] for row in ROWS]
        lines = [delimiter.join(row) for row in [list(ROWS[0]), *rows]]
        path = folder / "orders.csv"
        path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
        return path

    return write


def zipped(folder: Path) -> Path:
    path = folder / "orders.csv.gz"
    path.write_bytes(gzip.compress(delimited(",")(folder).read_bytes()))
    (folder / "orders.csv").unlink()
    return path


def document(folder: Path) -> Path:
    path = folder / "orders.json"
    path.write_text(json.dumps([plain(row) for row in ROWS]))
    return path


def json_lines(folder: Path) -> Path:
    path = folder / "orders.jsonl"
    path.write_text("".join(json.dumps(plain(row)) + "\n" for row in ROWS))
    return path


def parquet(folder: Path) -> Path:
    path = folder / "orders.parquet"
    schema = pa.schema({"price": pa.decimal128(18, 2), "pieces": pa.int32(), "at": pa.timestamp("us", "UTC")})
    table = pa.Table.from_pylist(ROWS)
    pq.write_table(
        table.cast(pa.schema([schema.field(f.name) if f.name in schema.names else f for f in table.schema])), path
    )
    return path


def avro(folder: Path) -> Path:
    path = folder / "orders.avro"
    kinds: dict[str, Any] = {
        "pieces": "int",
        "price": {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2},
        "paid": "boolean",
        "day": {"type": "int", "logicalType": "date"},
        "at": {"type": "long", "logicalType": "timestamp-micros"},
        "note": ["null", "string"],
    }
    fields = [{"name": name, "type": kinds.get(name, "string")} for name in ROWS[0]]
    with path.open("wb") as out:
        fastavro.writer(out, fastavro.parse_schema({"type": "record", "name": "orders", "fields": fields}), ROWS)
    return path


SOURCES: Mapping[str, tuple[Write, str]] = {
    "csv": (delimited(","), "csv"),
    "semicolon": (delimited(";", "cp1252"), "csv"),
    "tab": (delimited("\t", "utf-16"), "csv"),
    "gzip": (zipped, "csv"),
    "json": (document, "json"),
    "jsonl": (json_lines, "jsonl"),
    "parquet": (parquet, "parquet"),
    "avro": (avro, "avro"),
}


def inferred(source: str | Path, folder: Path, **login: str) -> Contract:
    """The contract of a source, as the loader reads it and the linter has nothing against it."""
    found = infer(read(str(source), 100_000, login), "test", "things")
    path = folder / "things.odcs.yaml"
    path.write_text(found.text, encoding="utf-8")
    assert [one for one in lint_contracts([path]) if one.rule.level == "error"] == []
    return load_contract(path)


@pytest.mark.parametrize("kind", SOURCES)
def test_every_form_of_a_table_makes_the_same_contract(kind: str, tmp_path: Path) -> None:
    write, form = SOURCES[kind]
    contract = inferred(write(tmp_path), tmp_path)
    assert contract.ingestion
    assert contract.ingestion.format == form
    assert {column.name: column.type for column in contract.columns} == TYPES
    assert contract.source_fields == tuple(ROWS[0])
    assert [column.name for column in contract.personal_columns] == ["mail"]
    assert [column.name for column in contract.columns if not column.required] == ["note"]
    text = contract.path.read_text()
    assert "@private.example" not in text
    assert "33.3% null" in text
    assert "0 to 119" in text
    assert "Never twice, so perhaps a key: order_no" in text


@pytest.mark.parametrize("kind", ["csv", "semicolon", "tab", "gzip", "json", "jsonl", "parquet", "avro"])
def test_what_was_inferred_takes_every_row(kind: str, sail: Engine, lake: Lake, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    path = SOURCES[kind][0](folder)
    lake.deliver(path.name, path.read_bytes())
    assert accepted(sail, lake, inferred(path, tmp_path)) == (NUMBER, NUMBER)


def accepted(engine: Engine, lake: Lake, contract: Contract) -> tuple[int, int]:
    """Rows in bronze and in silver; none is in quarantine."""
    settings = replace(lake.settings, dataset=contract.dataset)
    ingest(engine, contract, settings)
    refine(engine, contract, settings)
    assert engine.count(settings.table_path(Layer.QUARANTINE, contract.dataset)) == 0
    bronze, silver = (settings.table_path(layer, contract.dataset) for layer in (Layer.BRONZE, Layer.SILVER))
    return engine.count(bronze), engine.count(silver)


def test_a_day_of_the_web_shop_runs_without_a_loss(sail: Engine, lake: Lake, tmp_path: Path) -> None:
    data = os.environ.get("LEVEE_DATA")
    if not data:
        pytest.skip("LEVEE_DATA is not set")
    name = "2010-12-01.csv"
    archive = Path(data) / "online-retail" / "by-day.tar.xz"
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(archive.read_bytes()))) as packed:
        member = packed.extractfile(f"./{name}")
        assert member
        content = member.read()
    path = tmp_path / name
    path.write_bytes(content)
    lake.deliver(name, content)
    contract = inferred(path, tmp_path)
    assert accepted(sail, lake, contract) == (3108, 3108)
    assert [column.name for column in contract.personal_columns] == ["customer_id"]
    assert "17850" not in contract.path.read_text()


def test_folders_of_partitions_are_fields(tmp_path: Path) -> None:
    for place, country in enumerate(("DE", "FR")):
        folder = tmp_path / "lake" / f"year=202{place}" / f"country={country}"
        folder.mkdir(parents=True)
        (folder / "part.csv").write_text(f"id,amount\n{place},1.50\n")
        (folder / "_SUCCESS").write_text("")
    contract = inferred(tmp_path / "lake", tmp_path)
    assert [(c.name, c.type) for c in contract.columns] == [
        ("id", "int"),
        ("amount", "decimal(18,2)"),
        ("year", "int"),
        ("country", "string"),
    ]


def test_a_file_without_a_header_gets_names(tmp_path: Path) -> None:
    path = tmp_path / "master.txt"
    path.write_text("00004 1 19970101 2 29.33\n00004 2 19970118 2 29.73\n")
    contract = inferred(path, tmp_path)
    assert contract.ingestion
    assert (contract.ingestion.header, contract.ingestion.delimiter) == ("none", "whitespace")
    assert contract.ingestion.takes("master.txt")
    assert [(c.name, c.type) for c in contract.columns][:2] == [("column_1", "string"), ("column_2", "int")]


def test_a_table_of_postgresql(postgres: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    postgres.run(
        "CREATE TABLE clients "
        "(id bigint PRIMARY KEY, email text NOT NULL, born date, balance numeric(9,2), vip boolean)",
        "INSERT INTO clients SELECT n, 'a' || n || '@private.example', date '1980-01-01' + n, n / 3.0, "
        "n % 2 = 0 FROM generate_series(1, 50) AS n",
    )
    monkeypatch.setenv("INFER_USER", "postgres")
    monkeypatch.setenv("INFER_PASSWORD", "open-sesame")
    url = f"postgresql://{postgres.host.replace('/', '%2F')}:5432/postgres/public.clients"
    try:
        contract = inferred(url, tmp_path, user="env:INFER_USER", password="env:INFER_PASSWORD")
    finally:
        postgres.run("DROP TABLE clients")
    assert {column.name: column.type for column in contract.columns} == {
        "id": "bigint",
        "email": "string",
        "born": "date",
        "balance": "decimal(9,2)",
        "vip": "boolean",
    }
    assert contract.primary_key == ("id",)
    assert [column.name for column in contract.columns if column.required] == ["id", "email"]
    assert contract.extraction
    assert contract.extraction.jdbc
    assert (contract.extraction.jdbc.table, contract.extraction.jdbc.password) == ("clients", "env:INFER_PASSWORD")
    assert "open-sesame" not in contract.path.read_text()
    assert "private" not in contract.path.read_text()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nothing.csv", "no such source"),
        ("postgresql://u:hunter2@db/shop/public.t", "without secrets"),
        ("postgresql://db/shop", "without secrets"),
    ],
)
def test_what_cannot_be_read_is_told(source: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        read(source, 10, {"user": "env:A", "password": "env:B"})
    assert "hunter2" not in str(refused.value)


def test_an_empty_folder_and_an_empty_table_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file of a form"):
        read(str(tmp_path), 10, {})
    (tmp_path / "a.csv").write_text("id,name\n")
    with pytest.raises(UsageError, match="no record"):
        read(str(tmp_path), 10, {})
    (tmp_path / "a.csv").write_bytes(b"\x00\x01\x02")
    with pytest.raises(UsageError, match="no text"):
        read(str(tmp_path / "a.csv"), 10, {})


def test_it_is_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = delimited(",")(tmp_path)
    assert main([str(path), "--domain", "test", "--dataset", "things", "--rows", "10"]) == 0
    assert "the first 10 records of orders.csv" in capsys.readouterr().out
    assert main([str(path), "--domain", "test", "--dataset", "No Name"]) == 2
    assert "lower snake_case" in capsys.readouterr().err
