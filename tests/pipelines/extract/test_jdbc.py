"""Tables of a real PostgreSQL as files of the landing folder: every row once, whole, by range and by watermark."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.bronze.ingest import ingest
from pipelines.errors import PipelineError, SchemaError
from pipelines.extract import jdbc as module
from pipelines.extract.database import Snapshot
from pipelines.extract.task import extract
from pipelines.settings import Layer
from pipelines.silver.refine import refine

THINGS = "id int PRIMARY KEY, name text, price numeric(9,2)"


def column(name: str, logical: str = "string", **more: Any) -> dict[str, Any]:
    return {"name": name, "logicalType": logical, **more}


def records(files: dict[str, bytes]) -> list[dict[str, Any]]:
    opened = [gzip.decompress(content) if name.endswith(".gz") else content for name, content in files.items()]
    return [json.loads(line) for content in opened for line in content.splitlines()]


def ids(files: dict[str, bytes]) -> list[int]:
    return sorted(int(record["id"]) for record in records(files))


def test_a_whole_table_lands_and_the_next_snapshot_takes_its_place(sail, lake, of_table, table, landed, postgres):
    table(THINGS, "(1, 'one', 1.50)", "(2, NULL, 2)")
    contract = of_table()

    extract(sail, contract, lake.run(1))

    assert landed() == {
        "snapshot-00000.jsonl": b'{"id":"1","name":"one","price":"1.50"}\n{"id":"2","name":null,"price":"2.00"}\n'
    }
    postgres.run("DELETE FROM things WHERE id = 1")
    extract(sail, contract, lake.run(2))
    assert list(landed()) == ["snapshot-00000.jsonl"]
    assert ids(landed()) == [2]


@pytest.mark.parametrize(("form", "compression"), [("jsonl", "gzip"), ("parquet", "none"), ("parquet", "zstd")])
def test_files_of_every_form_hold_the_same_texts(sail, lake, of_table, table, landed, form, compression):
    table(THINGS, "(1, 'é', 1.50)", "(2, NULL, 2)")

    files = extract(sail, of_table(form=form, compression=compression), lake.run(1))

    (content,) = landed().values()
    assert hashlib.sha256(content).hexdigest() == files[0].sha256
    found = pq.read_table(io.BytesIO(content)).to_pylist() if form == "parquet" else records(landed())
    assert found == [{"id": "1", "name": "é", "price": "1.50"}, {"id": "2", "name": None, "price": "2.00"}]


def test_a_smaller_snapshot_empties_the_files_it_no_longer_fills(sail, lake, of_table, table, landed, postgres):
    table(THINGS, *(f"({n}, 'x', {n})" for n in range(1, 9)))
    contract = of_table(partitionColumn="id", partitions=4)
    extract(sail, contract, lake.run(1))
    assert len(landed()) == 4

    postgres.run("DELETE FROM things WHERE id > 1")
    extract(sail, contract, lake.run(2))

    assert [len(content) > 0 for content in landed().values()] == [True, False, False, False]


@pytest.mark.parametrize(
    ("form", "compression"), [("jsonl", "none"), ("jsonl", "gzip"), ("jsonl", "zstd"), ("parquet", "zstd")]
)
def test_rows_that_are_deleted_leave_with_the_next_snapshot(sail, lake, of_table, table, postgres, form, compression):
    table(THINGS, *(f"({n}, 'x', {n})" for n in range(1, 9)))
    contract = of_table(form=form, compression=compression, partitionColumn="id", partitions=4)
    for run, delete in ((1, "false"), (2, "id > 1 AND id <> 8"), (3, "id = 8")):
        postgres.run(f"DELETE FROM things WHERE {delete}")
        for task in (extract, ingest, refine):
            task(sail, contract, lake.run(run))

    assert lake.rows(sail, Layer.SILVER, "id", "price") == [(1, Decimal("1.00"))]


@pytest.mark.parametrize("kind", ["int", "numeric", "date", "timestamptz", "timestamp"])
def test_ranges_hold_every_row_once_nulls_too(sail, lake, of_table, table, landed, postgres, kind):
    value = {"int": "n", "numeric": "n / 7.0"}.get(kind, f"(timestamptz '2020-01-01' + n * interval '7 hours')::{kind}")
    table(f"id int, part {kind}")
    postgres.run(
        f"INSERT INTO things SELECT n, CASE WHEN mod(n, 10) <> 0 THEN {value} END FROM generate_series(1, 500) n"
    )

    extract(sail, of_table(column("id"), partitionColumn="part", partitions=5, blockRows=7), lake.run(1))

    assert len(landed()) == 5
    assert all(landed().values())
    assert ids(landed()) == list(range(1, 501))


@pytest.mark.parametrize(
    "values",
    [[], ["NULL"], ["1", "1"], ["'NaN'", "1", "NULL"], ["'Infinity'", "'-Infinity'", "5"]],
    ids=["empty", "null", "one value", "nan", "infinity"],
)
def test_a_column_that_cannot_be_cut_is_one_range(sail, lake, of_table, table, landed, values):
    table("id int, part numeric", *(f"({n}, {value})" for n, value in enumerate(values)))

    extract(sail, of_table(column("id"), partitionColumn="part", partitions=3), lake.run(1))

    assert len(landed()) == 1
    assert ids(landed()) == list(range(len(values)))


def test_ranges_are_of_one_moment(sail, lake, of_table, table, landed, postgres, monkeypatch):
    table(THINGS, *(f"({n}, 'before', 1)" for n in range(1, 101)))
    changed = threading.Lock()
    rows = Snapshot.rows

    def meanwhile(self: Snapshot, *args: Any) -> Any:
        with changed:  # whoever reads first finds the table changed since the snapshot
            postgres.run("UPDATE things SET id = id + 1000, name = 'after' WHERE name = 'before'")
        return rows(self, *args)

    monkeypatch.setattr(Snapshot, "rows", meanwhile)
    extract(sail, of_table(partitionColumn="id", partitions=4), lake.run(1))

    assert ids(landed()) == list(range(1, 101))
    assert {record["name"] for record in records(landed())} == {"before"}
    assert postgres.run("SELECT min(id) FROM things") == [(1001,)]


VALUES = {
    "smallint": ("7", "7"),
    "numeric": ("1e30", "1" + "0" * 30),
    "numeric(9,3)": ("'NaN'", "NaN"),
    "float8": ("1e20", "1" + "0" * 20 + ".0"),
    "real": ("'-Infinity'", "-Infinity"),
    "boolean": ("true", "true"),
    "date": ("'infinity'", "infinity"),
    "timestamp": ("'2020-02-29 01:02:03.4'", "2020-02-29T01:02:03.400000"),
    "timestamptz": ("'2020-02-29 01:02:03+05:30'", "2020-02-28T19:32:03Z"),
    "interval": ("'1 month 2 days 3 hours'", "P1M2DT3H"),
    "bytea": (r"'\x00ff'", "AP8="),
    "jsonb": ("""'{"a": 1.10, "b": [null]}'""", '{"a": 1.10, "b": [null]}'),
    "numeric[]": ("'{1.10,NULL,NaN}'", '[1.10,null,"NaN"]'),
    "text[]": ("""ARRAY['a"b', 'ü']""", '["a\\"b","ü"]'),
    "uuid": ("'6f6c0b1e-6f0a-5c7e-9b3e-6c65766565aa'", "6f6c0b1e-6f0a-5c7e-9b3e-6c65766565aa"),
    "inet": ("'10.0.0.1/8'", "10.0.0.1/8"),
    "int4range": ("'[1,10)'", "[1,10)"),
}


def test_values_have_one_text(sail, lake, of_table, table, landed):
    names = [f"c{n}" for n in range(len(VALUES))]
    table(
        ", ".join(f"{name} {kind}" for name, kind in zip(names, VALUES, strict=True)),
        "(" + ", ".join(value for value, _ in VALUES.values()) + ")",
    )

    extract(sail, of_table(*map(column, names)), lake.run(1))

    (record,) = records(landed())
    assert {kind: record[name] for kind, name in zip(VALUES, names, strict=True)} == {
        kind: said for kind, (_, said) in VALUES.items()
    }


def test_names_are_quoted(sail, lake, of_table, table, landed):
    name = 'T "able"; DROP TABLE x; --'
    table('"Sel ect" int, "ab""c" text', "(1, 'x')", name=name.replace('"', '""'))
    contract = of_table(
        column("a", transformSourceObjects=["Sel ect"]), column("b", transformSourceObjects=['ab"c']), table=name
    )

    extract(sail, contract, lake.run(1))

    assert records(landed()) == [{"Sel ect": "1", 'ab"c': "x"}]


def incremental(of_table: Callable[..., Any], **more: Any) -> Any:
    columns = (column("id"), column("name"))
    return of_table(*columns, mode="incremental", watermark="seen", **more)


def test_what_is_new_lands_by_watermark_with_what_came_late(sail, lake, of_table, table, landed, postgres):
    table(
        "id int, name text, seen timestamptz NOT NULL", "(1, 'a', '2020-01-01T00:00Z')", "(2, 'b', '2020-01-02T00:00Z')"
    )
    contract = incremental(of_table, overlap="PT12H")
    extract(sail, contract, lake.run(1))
    assert [name[:7] for name in landed()] == ["000001-"]
    assert ids(landed()) == [1, 2]

    postgres.run("INSERT INTO things VALUES (3, 'late', '2020-01-01T18:00Z'), (4, 'new', '2020-01-03T00:00Z')")
    postgres.run("INSERT INTO things VALUES (5, 'too late', '2020-01-01T11:00Z')")
    extract(sail, contract, lake.run(2))

    second = {name: content for name, content in landed().items() if name.startswith("000002-")}
    assert list(second) == ["000002-2020-01-01T120000Z-2020-01-03T000000Z-00000.jsonl"]
    assert ids(second) == [2, 3, 4]


def test_nothing_new_lands_nothing(sail, lake, of_table, table, landed, postgres):
    table("id int, name text, seen int NOT NULL", "(1, 'a', 10)", "(2, 'b', 20)")
    contract = incremental(of_table, overlap=5)
    for run in range(1, 3):
        extract(sail, contract, lake.run(run))
    before = landed()

    assert extract(sail, contract, lake.run(3)) == []

    assert landed() == before
    postgres.run("INSERT INTO things VALUES (3, 'late', 16)")
    extract(sail, contract, lake.run(4))
    assert ids({name: content for name, content in landed().items() if name not in before}) == [2, 3]


def test_another_watermark_begins_anew(sail, lake, of_table, table, landed):
    table("id int NOT NULL, name text, seen timestamptz NOT NULL", "(1, 'a', '2020-01-01')", "(2, 'b', '2020-01-02')")
    extract(sail, of_table(column("id"), column("name")), lake.run(1))
    extract(sail, incremental(of_table), lake.run(2))
    extract(sail, of_table(column("id"), column("name"), mode="incremental", watermark="id"), lake.run(3))
    by_run = {name[:6]: sorted(ids({name: content})) for name, content in landed().items()}
    assert by_run == {"snapsh": [1, 2], "000002": [1, 2], "000003": [1, 2]}


SNAPSHOTS = {"type": 2, "businessKey": ["id"], "deliveries": "snapshots", "snapshot": "^(.*)/", "deletes": "soft"}


def test_a_history_of_snapshots_has_them_all(sail, lake, make_extracted, postgres, table, landed, dying):
    table(THINGS, "(1, 'a', 1)", "(2, 'b', 2)")
    contract = make_extracted(
        server=postgres.server,
        jdbc={"table": "things", "user": "env:SHOP_USER", "password": "env:SHOP_PASSWORD"},
        custom={"history": SNAPSHOTS, "redelivery": {"policy": "append"}},
    )
    with dying("extract.landed", 1):
        extract(sail, contract, lake.run(1))
    for run, change in ((2, "UPDATE things SET name = 'c' WHERE id = 1"), (3, "DELETE FROM things WHERE id = 2")):
        for task in (extract, ingest, refine):
            task(sail, contract, lake.run(run))
        postgres.run(change)
    for task in (extract, ingest, refine):
        task(sail, contract, lake.run(4))

    names = sorted(str(path.parent.name) for path in Path(lake.settings.deliveries("things")).rglob("*.jsonl"))
    assert names == ["snapshot=000001", "snapshot=000002", "snapshot=000003"]
    found = lake.rows(sail, Layer.SILVER, "id", "name", "_version", "_is_current", "_is_deleted")
    assert found == [(1, "a", 1, False, False), (1, "c", 2, True, False), (2, "b", 1, False, True)]


def test_two_extractions_at_once_lose_nothing(sail, lake, of_table, table, postgres, monkeypatch):
    table("id int NOT NULL, name text, seen int NOT NULL", "(1, 'a', 1)", "(2, 'b', 2)")
    contract = incremental(of_table)
    rows, inner = Snapshot.rows, [False]

    def meanwhile(self: Snapshot, *args: Any) -> Any:
        if not inner[0]:  # the second run does all of its work while the first reads
            inner[0] = True
            postgres.run("INSERT INTO things VALUES (3, 'c', 3)")
            extract(sail, contract, lake.run(2))
        return rows(self, *args)

    monkeypatch.setattr(Snapshot, "rows", meanwhile)
    extract(sail, contract, lake.run(1))
    extract(sail, contract, lake.run(3))

    ingest(sail, contract, lake.run(4))
    refine(sail, contract, lake.run(4))
    assert lake.rows(sail, Layer.SILVER, "id", "name") == [("1", "a"), ("2", "b"), ("3", "c")]


def test_an_empty_table_lands_nothing(sail, lake, of_table, table, landed):
    table("id int, name text, seen int NOT NULL")
    assert extract(sail, incremental(of_table), lake.run(1)) == []
    assert landed() == {}


def test_rows_without_a_watermark_are_refused(sail, lake, of_table, table):
    table("id int, name text, seen int", "(1, 'a', 10)", "(2, 'b', NULL)")
    with pytest.raises(SchemaError, match="rows without seen would never be read"):
        extract(sail, incremental(of_table), lake.run(1))


def test_a_table_that_is_not_what_the_contract_says_is_refused_with_the_difference(sail, lake, of_table, table, landed):
    table("id date, price numeric")
    with pytest.raises(SchemaError) as refused:
        extract(sail, of_table(), lake.run(1))
    assert "~ id: int in the contract, date in the table" in refused.value.message
    assert "- name: string in the contract, absent from the table" in refused.value.message
    assert "price" not in refused.value.message
    assert landed() == {}


@pytest.mark.parametrize("drift", ["rescue", "add", "fail"])
def test_a_column_more_is_what_drift_says(sail, lake, of_table, table, drift):
    table(f"{THINGS}, more int", "(1, 'one', 1, 7)")
    contract = of_table()
    contract = replace(contract, ingestion=contract.ingestion.model_copy(update={"drift": drift}))
    if drift == "fail":
        with pytest.raises(SchemaError, match=r"\+ more: absent from the contract, integer in the table"):
            extract(sail, contract, lake.run(1))
        return
    extract(sail, contract, lake.run(1))
    ingest(sail, contract, lake.run(1))
    found = lake.rows(sail, Layer.BRONZE, "id", "_rescued", *(["more"] if drift == "add" else []))
    assert found == [("1", None, "7") if drift == "add" else ("1", '{"more":"7"}')]


def test_a_table_that_is_not_there_names_the_nearest(sail, lake, of_table, table):
    table(THINGS)
    with pytest.raises(SchemaError, match="no table or view thingz") as refused:
        extract(sail, of_table(table="thingz"), lake.run(1))
    assert refused.value.fix == "did you mean `things`?"


def test_a_wrong_password_is_told_without_it_and_only_once(sail, lake, of_table, table, monkeypatch, caplog):
    table(THINGS)
    monkeypatch.setenv("SHOP_USER", "guarded")
    monkeypatch.setenv("SHOP_PASSWORD", "wrong-one")
    with caplog.at_level("DEBUG"), pytest.raises(PipelineError, match="authentication failed") as refused:
        extract(sail, of_table(), lake.run(1))
    assert refused.value.fix == "look at what env:SHOP_USER and env:SHOP_PASSWORD hold"
    assert "wrong-one" not in f"{refused.value} {caplog.text} {refused.value.__cause__}"


def test_a_server_that_is_not_there_is_tried_again_and_told(sail, lake, of_table, table, tmp_path):
    table(THINGS)
    contract = of_table(connectAttempts=2)
    server = contract.standard.servers[0].model_copy(update={"host": str(tmp_path)})
    contract = replace(contract, standard=contract.standard.model_copy(update={"servers": (server,)}))
    with pytest.raises(PipelineError, match="the database failed"):
        extract(sail, contract, lake.run(1))


def test_a_statement_that_takes_too_long_is_given_up(sail, lake, of_table, postgres, landed):
    postgres.run("CREATE VIEW slow AS SELECT 1 AS id, 'x' AS name, 1.0 AS price, pg_sleep(60)::text AS s")
    try:
        with pytest.raises(PipelineError, match="statement timeout") as refused:
            extract(sail, of_table(column("s"), table="slow", statementTimeoutSeconds=1), lake.run(1))
    finally:
        postgres.run("DROP VIEW slow")
    assert "statementTimeoutSeconds" in str(refused.value.fix)
    assert [name for name in landed() if not name.startswith("_")] == []


def test_what_a_dead_run_staged_is_swept(sail, lake, of_table, table, landed):
    table(THINGS, "(1, 'one', 1)")
    folder = Path(lake.settings.deliveries("things"))
    folder.mkdir(parents=True)
    (folder / "_extract-dead-snapshot-00000.jsonl").write_text("half a li")
    extract(sail, of_table(), lake.run(1))
    assert list(landed()) == ["snapshot-00000.jsonl"]


def test_rows_are_read_in_blocks(sail, lake, of_table, table, postgres, monkeypatch):
    table("id int")
    postgres.run("INSERT INTO things SELECT * FROM generate_series(1, 1000)")
    blocks: list[int] = []
    rows = Snapshot.rows

    def counted(self: Snapshot, *args: Any) -> Any:
        for block in rows(self, *args):
            blocks.append(len(block))
            yield block

    monkeypatch.setattr(Snapshot, "rows", counted)
    extract(sail, of_table(column("id"), blockRows=100), lake.run(1))
    assert blocks == [100] * 10


def test_source_fields_that_an_expression_reads_are_text(make_contract: Callable[..., Any]) -> None:
    contract = make_contract(
        column("a", "integer", physicalType="int"),
        column("b", "date", transformSourceObjects=["day"], logicalTypeOptions={"format": "dd.MM.yyyy"}),
        column("c", "integer", physicalType="int", transformSourceObjects=["x"], transformLogic="x"),
    )
    assert module.fields_of(contract) == {"a": "int", "day": "string", "x": "string"}
