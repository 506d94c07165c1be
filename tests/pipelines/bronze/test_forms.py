"""Deliveries of every form into bronze, on both engines where engines could differ."""

from __future__ import annotations

import gzip
import io
import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.bronze import ingest as bronze
from pipelines.bronze.cutting import cut
from pipelines.bronze.forms import form_of
from pipelines.bronze.ingest import ingest, table_schema
from pipelines.contracts.extensions.ingestion import RESERVED
from pipelines.errors import PipelineError, SchemaError
from pipelines.settings import Layer
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

    from pipelines.contracts import Contract
    from pipelines.engine import Engine


RECORDS = [{"id": 1, "name": "one", "price": "1.50"}, {"id": 2, "name": None, "price": "2.50"}]


PARQUET = pa.schema([("id", pa.int64()), ("name", pa.string()), ("price", pa.decimal128(9, 2))])


def as_csv(records: list[dict[str, Any]]) -> bytes:
    lines = [f"{row['id']},{row['name'] or ''},{row['price']}\n" for row in records]
    return "".join(["id,name,price\n", *lines]).encode()


def as_parquet(records: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records).cast(PARQUET), out)
    return out.getvalue()


def as_avro(records: list[dict[str, Any]]) -> bytes:
    kinds = {"id": "long", "name": ["null", "string"], "price": "string"}
    schema = {"type": "record", "name": "r", "fields": [{"name": n, "type": kind} for n, kind in kinds.items()]}
    out = io.BytesIO()
    fastavro.writer(out, schema, records)
    return out.getvalue()


WRITERS: Mapping[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "csv": as_csv,
    "json": lambda rows: json.dumps(rows, indent=1).encode(),
    "jsonl": lambda rows: b"".join(json.dumps(row).encode() + b"\n" for row in rows),
    "parquet": as_parquet,
    "avro": as_avro,
}
STRINGS = [{"name": name, "logicalType": "string"} for name in ("id", "name", "price")]


def test_every_format_comes_to_the_same_rows(
    sail: Engine, make_lake: Callable[[], Lake], make_contract: MakeContract
) -> None:
    found = {}
    for form, write in WRITERS.items():
        lake = make_lake()
        lake.deliver(f"sub/a.{form}", write(RECORDS))
        result = ingest(sail, make_contract(*STRINGS, ingestion={"format": form}), lake.settings)
        assert (result.rows, result.malformed) == (2, 0)
        found[form] = lake.rows(sail, Layer.BRONZE, "id", "name", "price", "_line", "_rescued")
    assert found.pop("csv") == [("1", "one", "1.50", 2, None), ("2", "", "2.50", 3, None)]
    for rows in found.values():
        assert rows == [("1", "one", "1.50", 1, None), ("2", None, "2.50", 2, None)]


def test_a_text_may_be_compressed_and_the_default_glob_finds_it(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    lake.deliver("a.jsonl.gz", gzip.compress(WRITERS["jsonl"](RECORDS)))
    lake.deliver("a.ndjson", WRITERS["jsonl"](RECORDS[:1]))
    lake.deliver("a.csv", b"no delivery")
    lake.deliver("empty.jsonl", b"")
    assert ingest(sail, make_contract(ingestion={"format": "jsonl"}), lake.settings).files == 3
    assert len(lake.rows(sail, Layer.BRONZE)) == 3


def test_a_poisoned_file_among_a_thousand_is_rejected_alone(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    whole = as_avro(RECORDS)
    for number in range(999):
        lake.deliver(f"{number:03d}.avro", as_avro([{"id": number, "name": "x", "price": "1"}]))
    lake.deliver("poisoned.avro", whole[:-20] + b"\xff" * 4 + whole[-16:])
    result = ingest(sail, make_contract(*STRINGS, ingestion={"format": "avro"}), lake.settings)
    assert (result.files, result.rows) == (999, 999)
    assert [(rejected.file, rejected.reason.split(":")[0]) for rejected in result.rejected] == [
        ("poisoned.avro", "corrupt")
    ]


# folders


def test_folders_tell_fields_that_the_contract_names(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    names = ("id", "dt", "country")
    contract = make_contract(
        *({"name": name, "logicalType": "string"} for name in names), ingestion={"format": "csv", "glob": "**/*.csv"}
    )
    same = "id,country\n1,Utopia\n"
    lake.deliver("dt=2024-01-01/country=DE/part=1/a.csv", same)
    lake.deliver("dt=2024-01-02/country=DE/part=1/a.csv", same)  # the same bytes are other rows
    lake.deliver("dt=2024-01-02/country=__HIVE_DEFAULT_PARTITION__/b.csv", "id\n2\n")
    lake.deliver("dt=2024-01-02/country=C%C3%B4te%20d'Ivoire/b.csv", "id\n3\n")
    lake.deliver("dt=2024-01-02/_temporary/country=FR/c.csv", "id\n9\n")
    result = ingest(sail, contract, lake.settings)
    assert (result.files, result.repeated, result.rejected) == (4, 0, [])
    assert lake.rows(sail, Layer.BRONZE, *names, "_rescued") == [
        ("1", "2024-01-01", "DE", '{"country":"Utopia"}'),
        ("1", "2024-01-02", "DE", '{"country":"Utopia"}'),
        ("2", "2024-01-02", None, None),
        ("3", "2024-01-02", "Côte d'Ivoire", None),
    ]
    lake.deliver("country=DE/no-date.csv", "id\n4\n")
    with pytest.raises(SchemaError, match=r"it has no column 'dt' \(its columns are 'id'\)"):
        ingest(sail, contract, lake.run(2))


# drift

MORE = b"id,name,price,colour,Unit Price,NAME\n1,one,1,red,9,ONE\n"


def test_drift_rescues_by_default(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    lake.deliver("a.csv", MORE)
    assert ingest(sail, make_contract(), lake.settings).added == {}
    assert lake.rows(sail, Layer.BRONZE, "_rescued") == [('{"NAME":"ONE","Unit Price":"9","colour":"red"}',)]


def test_drift_adds_a_column_to_bronze_and_says_how_silver_gets_it(
    engine: Engine, lake: Lake, make_contract: MakeContract, caplog: pytest.LogCaptureFixture
) -> None:
    contract = make_contract(ingestion={"format": "csv", "drift": "add"})
    lake.deliver("a.csv", "id,name,price\n0,zero,0\n")
    ingest(engine, contract, lake.settings)
    lake.deliver("b.csv", MORE)
    with caplog.at_level(logging.WARNING):
        result = ingest(engine, contract, lake.run(2))
    edit = (
        'add `- {name: colour, logicalType: string, classification: ..., transformSourceObjects: ["colour"]}` '
        "to the contract's properties"
    )
    assert result.added == {"colour": edit}
    assert f"bronze of things has the new column 'colour'; to publish it {edit}" in caplog.text
    (record,) = [row for row in engine.rows(lake.settings.record_path("runs")).to_pylist() if row["run_id"] == "run-2"]
    assert json.loads(record["drift"]) == {"colour": edit}
    expected = [("0", None, None), ("1", "red", '{"NAME":"ONE","Unit Price":"9"}')]  # no names of columns: these stay
    assert lake.rows(engine, Layer.BRONZE, "id", "colour", "_rescued") == expected
    # Another policy, another file: what bronze has it keeps, and fills.
    lake.deliver("c.csv", "id,name,price,colour\n2,two,2,blue\n")
    ingest(engine, make_contract(), lake.run(3))
    assert ("2", "blue", None) in lake.rows(engine, Layer.BRONZE, "id", "colour", "_rescued")


def test_drift_fails_a_file_with_the_difference(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(ingestion={"format": "csv", "drift": "fail"})
    lake.deliver("good.csv", "id,name,price\n1,one,1\n")
    lake.deliver("more.csv", MORE)
    lake.deliver("other.csv", "id,Name,prize\n1,one,1\n")
    result = ingest(sail, contract, lake.settings)
    assert {rejected.file: rejected.reason for rejected in result.rejected} == {
        "more.csv": "schema: it has columns more: 'colour', 'Unit Price', 'NAME'",
        "other.csv": "schema: it has no column 'name', 'price' ('name' may be 'Name' now, of another case; "
        "'price' may be 'prize' now; its columns are 'id', 'Name', 'prize'); it has columns more: 'Name', 'prize'",
    }
    assert lake.rows(sail, Layer.BRONZE, "id") == [("1",)]


@pytest.mark.parametrize("drift", ["fail", "add", "rescue"])
def test_a_changed_type_is_a_violation_by_every_policy(
    sail: Engine, lake: Lake, make_contract: MakeContract, drift: str
) -> None:
    contract = make_contract(ingestion={"format": "parquet", "drift": drift})
    out = io.BytesIO()
    pq.write_table(pa.table({"id": ["A-1"], "name": ["x"], "price": [1.5]}), out)
    lake.deliver("a.parquet", out.getvalue())
    with pytest.raises(SchemaError, match=r"'id' has another type: integer -> string") as raised:
        ingest(sail, contract, lake.settings)
    assert "things.odcs.yaml" in str(raised.value.where)


def test_fields_that_no_record_has_are_removed_only_where_the_contract_fails_them(
    sail: Engine, make_lake: Callable[[], Lake], make_contract: MakeContract
) -> None:
    for drift, files in (("rescue", 1), ("add", 1), ("fail", 0)):
        lake = make_lake()
        lake.deliver("a.jsonl", b'{"id": 1, "price": 2}\n{"id": 2}\n')
        contract = make_contract(ingestion={"format": "jsonl", "drift": drift})
        if files:
            assert ingest(sail, contract, lake.settings).files == files
        else:
            with pytest.raises(SchemaError, match="no column 'name'"):
                ingest(sail, contract, lake.settings)


# silver


def test_nested_and_strangely_named_fields_get_to_silver(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(
        {"name": "id", "logicalType": "integer", "physicalType": "int", "transformSourceObjects": ["Order ID"]},
        {"name": "city", "logicalType": "string", "transformSourceObjects": ["address.city"]},
        {"name": "at", "logicalType": "timestamp"},
        {"name": "amount", "logicalType": "number", "physicalType": "decimal(9,2)"},
        {
            "name": "upper",
            "logicalType": "string",
            "transformSourceObjects": ["address.city"],
            "transformLogic": "upper(`address.city`)",
        },
        ingestion={"format": "parquet"},
    )
    table = pa.table(
        {
            "Order ID": [1, 2, 2],
            "address": [{"city": "Ulm"}, {"city": "Bern"}, {"city": "Bern"}],
            "at": pa.array([datetime(2024, 5, 1, 12, 30, 15, 600, UTC)] * 3),
            "amount": pa.array([Decimal("1.50"), Decimal("99999999.00"), Decimal("99999999.00")], pa.decimal128(12, 2)),
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    lake.deliver("a.parquet", out.getvalue())
    ingest(sail, contract, lake.settings)
    result = refine(sail, contract, lake.settings)
    assert (result.rows, result.silver, result.duplicates, result.quarantine) == (3, 1, 1, 1)
    (row,) = lake.rows(sail, Layer.SILVER, "id", "city", "at", "amount", "upper")
    assert (row[0], row[1], row[3], row[4]) == (1, "Ulm", Decimal("1.50"), "ULM")
    assert row[2].astimezone(UTC) == datetime(2024, 5, 1, 12, 30, 15, 600, UTC)
    assert lake.rows(sail, Layer.QUARANTINE, "_rules") == [("amount_type",)]


def test_bronzes_own_columns_are_those_that_no_source_field_may_be(make_contract: MakeContract) -> None:
    contract = make_contract(ingestion={"format": "jsonl", "envelope": "debezium"})
    assert contract.ingestion is not None
    schema = table_schema(form_of(contract, contract.ingestion))
    assert set(schema.names) == {*contract.source_fields, *RESERVED}


# splitting


def split(make_contract: MakeContract, **ingestion: object) -> Contract:
    return make_contract(ingestion={"format": "csv", "splitBytes": 1 << 16, **ingestion})


def lines(count: int) -> str:
    return "id,name,price\n" + "".join(
        f'{n},"over\ntwo ""lines""",1.5\n' if n % 5 == 0 else f"{n},plain,2\n" for n in range(count)
    )


def test_a_split_delivery_is_the_same_table(
    engine: Engine,
    lake: Lake,
    make_lake: Callable[[], Lake],
    make_contract: MakeContract,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake.deliver("large.csv", lines(20_000) + '9,"never closed,1\n')
    lake.deliver("small.csv", "id,name,price\n1,one,1\n")
    ingest(engine, make_contract(), lake.settings)
    columns = ("_file", "_file_sha256", "_line", "id", "name", "_raw", "_parse_error")
    whole = lake.rows(engine, Layer.BRONZE, *columns)
    other = make_lake()
    for name in ("large.csv", "small.csv"):
        other.deliver(name, (lake.folder / "landing" / "test" / "things" / name).read_bytes())
    seen: list[int] = []
    monkeypatch.setattr("pipelines.bronze.inspection.cut", lambda *how: [seen.append(1), cut(*how)][1])
    ingest(engine, split(make_contract), other.settings)
    assert seen == [1]
    assert other.rows(engine, Layer.BRONZE, *columns) == whole


def test_a_piece_that_changes_under_the_reader_fails_the_commit(
    sail: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = lines(20_000)
    lake.deliver("large.csv", text)
    parsed = bronze._parsed

    def write_then_parse(*how: Any) -> Any:
        lake.deliver("large.csv", text.replace("\n15001,", "\n15OO1,"))
        return parsed(*how)

    monkeypatch.setattr(bronze, "_parsed", write_then_parse)
    with pytest.raises(PipelineError, match=r"large\.csv changed while it was read"):
        ingest(sail, split(make_contract), lake.settings)
    assert lake.rows(sail, Layer.BRONZE) == []


# change events


def event(op: str, before: Any = None, after: Any = None, lsn: int | None = None, **more: Any) -> dict[str, Any]:
    source = {"ts_ms": 1_714_566_615_250, "lsn": lsn, "table": "things"}
    return {"op": op, "before": before, "after": after, "source": source, "ts_ms": 1_714_566_616_000, **more}


def test_change_events_come_out_of_their_envelope(engine: Engine, lake: Lake, make_contract: MakeContract) -> None:
    one, uno = {"id": 1, "address": {"city": "Ulm", "zip": "89073"}}, {"id": 1, "address": {"city": "Bern"}}
    events = [
        event("r", None, one, 10),
        {"schema": {"type": "struct"}, "payload": event("u", one, uno, 11)},
        event("d", {"id": 1, "address": None}, None, 12),
        None,
        {"source": {}, "databaseName": "d", "ddl": "ALTER TABLE things ADD x int", "tableChanges": []},
        event("t"),
        event("c", None, {"id": 2}, None),
        event("c", None, {"id": 3}, None) | {"source": {}},
        {"id": 4},
    ]
    lake.deliver("a.jsonl", b"".join(json.dumps(item).encode() + b"\n" for item in events))
    contract = make_contract(
        {"name": "id", "logicalType": "integer", "physicalType": "int"},
        {"name": "city", "logicalType": "string", "transformSourceObjects": ["address.city"]},
        ingestion={"format": "jsonl", "envelope": "debezium"},
    )
    result = ingest(engine, contract, lake.settings)
    assert (result.rows, result.malformed) == (9, 3)
    rows = lake.rows(
        engine, Layer.BRONZE, "_line", "id", "`address.city`", "_op", "_sequence", "_rescued", "_parse_error"
    )
    assert rows == [
        (1, "1", "Ulm", "r", 10, '{"address":{"zip":"89073"}}', None),
        (2, "1", "Bern", "u", 11, None, None),
        (3, "1", None, "d", 12, None, None),
        (4, None, None, "tombstone", None, None, None),
        (5, None, None, "schema", None, None, None),
        (6, None, None, None, None, None, "truncate: the source's table was emptied"),
        (7, "2", None, "c", 1_714_566_615_250, None, None),  # no lsn: the time it is
        (8, None, None, None, None, None, "no-sequence: no whole number of 64 bits at source.lsn or source.ts_ms"),
        (9, None, None, None, None, None, "no-envelope: it has no `op`; known are c, u, r, d"),
    ]
    moments = [row[1] for row in lake.rows(engine, Layer.BRONZE, "_line", "_changed_at")]
    assert [None if at is None else at.astimezone(UTC).isoformat() for at in moments[:4]] == [
        *["2024-05-01T12:30:15.250000+00:00"] * 3,
        None,
    ]
    # A delivery that comes in place of another: the table has a column with a dot, and keeps its rows.
    lake.deliver("a.jsonl", json.dumps(event("c", None, uno, 20)).encode())
    ingest(engine, contract, lake.run(2))
    assert len(lake.rows(engine, Layer.BRONZE, "_line")) == 10
