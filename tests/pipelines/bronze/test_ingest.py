"""Deliveries into bronze on both engines: once, in full, whatever they look like."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.bronze import ingest as bronze
from pipelines.bronze.ingest import ingest
from pipelines.engine import Engine
from pipelines.errors import SchemaError
from pipelines.ledger import Ledger, Status
from pipelines.quarantine.files import files_path
from pipelines.settings import Layer

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

HEADER = "id,name,price\n"


def test_deliveries_are_taken_once(engine: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract()
    lake.deliver("a.csv", HEADER + "1,one,1.50\n2,two,2.50\n")
    sha = lake.deliver("sub/b.csv", HEADER + '3,"broken,3\n4,four,4\n')
    first = ingest(engine, contract, lake.settings)
    assert (first.files, first.rows, first.malformed) == (2, 4, 1)
    before = lake.rows(engine, Layer.BRONZE)
    again = ingest(engine, contract, lake.run(2))
    assert (again.files, again.rows) == (0, 0)
    assert lake.rows(engine, Layer.BRONZE) == before
    rows = lake.rows(engine, Layer.BRONZE, "_file", "_line", "id", "name", "price", "_raw", "_parse_error")
    assert rows[1] == ("a.csv", 3, "2", "two", "2.50", bytearray(b"2,two,2.50\n"), None)
    assert rows[2] == (
        "sub/b.csv",
        2,
        None,
        None,
        None,
        bytearray(b'3,"broken,3\n'),
        "unclosed-quote: opened in this line",
    )
    assert {row[0] for row in lake.rows(engine, Layer.BRONZE, "_file_sha256")} > {sha}


def test_a_run_that_died_before_the_ledger_is_made_good(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract()
    lake.deliver("a.csv", HEADER + "1,one,1\n")
    ingest(sail, contract, lake.settings)
    before = lake.rows(sail, Layer.BRONZE)
    ledger = Path(Ledger(sail, lake.settings).path)
    ledger.rename(ledger.with_name("lost"))
    assert ingest(sail, contract, lake.run(2)).rows == 1
    assert lake.rows(sail, Layer.BRONZE) == before


def test_the_same_content_under_another_name_is_a_repeat(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract()
    lake.deliver("a.csv", HEADER + "1,one,1\n")
    lake.deliver("b.csv", HEADER + "1,one,1\n")
    result = ingest(sail, contract, lake.settings)
    assert (result.files, result.repeated) == (1, 1)
    assert ingest(sail, contract, lake.run(2)).repeated == 0  # it is known now, and not opened again


@pytest.mark.parametrize(("policy", "names"), [("append", ["one", "uno"]), ("replace", ["uno"])])
def test_a_known_name_with_new_content(
    engine: Engine, lake: Lake, make_contract: MakeContract, policy: str, names: list[str]
) -> None:
    contract = make_contract(redelivery={"policy": policy})
    old = lake.deliver("a.csv", HEADER + "1,one,1\n")
    ingest(engine, contract, lake.settings)
    lake.deliver("a.csv", HEADER + "1,uno,1\n")
    ingest(engine, contract, lake.run(2))
    assert [row[0] for row in lake.rows(engine, Layer.BRONZE, "name")] == names
    last = [
        entry.status
        for entry in Ledger(engine, lake.settings).entries(Layer.BRONZE, "things")
        if entry.file_sha256 == old
    ]
    assert last[-1] is (Status.SUPERSEDED if policy == "replace" else Status.COMMITTED)


def test_a_name_that_now_holds_what_another_holds_gives_up_what_it_had(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    contract = make_contract(redelivery={"policy": "replace"})
    old = lake.deliver("x.csv", HEADER + "1,one,1\n")
    lake.deliver("y.csv", HEADER + "2,two,2\n")
    ingest(sail, contract, lake.settings)
    lake.deliver("x.csv", HEADER + "2,two,2\n")
    assert ingest(sail, contract, lake.run(2)).repeated == 1
    assert lake.rows(sail, Layer.BRONZE, "id") == [("2",)]
    entries = Ledger(sail, lake.settings).entries(Layer.BRONZE, "things")
    assert [entry.status for entry in entries if entry.file_sha256 == old][-1] is Status.SUPERSEDED
    assert ingest(sail, contract, lake.run(3)).repeated == 0


def test_what_another_name_still_holds_stays_until_that_name_is_replaced_too(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    contract = make_contract(redelivery={"policy": "replace"})
    for name in ("x.csv", "y.csv"):
        lake.deliver(name, HEADER + "1,one,1\n")
    ingest(sail, contract, lake.settings)
    lake.deliver("x.csv", HEADER + "2,two,2\n")
    ingest(sail, contract, lake.run(2))
    assert lake.rows(sail, Layer.BRONZE, "id") == [("1",), ("2",)]
    lake.deliver("x.csv", HEADER + "3,three,3\n")
    ingest(sail, contract, lake.run(3))
    assert lake.rows(sail, Layer.BRONZE, "id") == [("1",), ("3",)]
    lake.deliver("y.csv", HEADER + "4,four,4\n")
    ingest(sail, contract, lake.run(4))
    assert lake.rows(sail, Layer.BRONZE, "id") == [("3",), ("4",)]


def test_a_contract_may_refuse_redeliveries(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(redelivery={"policy": "refuse"})
    lake.deliver("a.csv", HEADER + "1,one,1\n")
    ingest(sail, contract, lake.settings)
    lake.deliver("a.csv", HEADER + "1,uno,1\n")
    with pytest.raises(SchemaError, match=r"a\.csv came again with other content"):
        ingest(sail, contract, lake.run(2))
    assert lake.rows(sail, Layer.BRONZE, "name") == [("one",)]


def test_what_is_no_delivery_is_set_aside_and_the_others_go_on(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    contract = make_contract(ingestion={"format": "csv", "glob": "*"})
    lake.deliver("good.csv", HEADER + "1,one,1\n")
    lake.deliver("empty.csv", b"")
    whole = gzip.compress((HEADER + "2,two,2\n" * 5000).encode())
    lake.deliver("cut.csv.gz", whole[: len(whole) // 2])
    lake.deliver("lacks.csv", "id,name\n1,x\n")
    lake.deliver("_unfinished.csv", HEADER + "9,nine,9\n")
    result = ingest(sail, contract, lake.settings)
    assert (result.files, result.rows) == (2, 1)  # an empty delivery is a delivery
    reasons = {rejected.file: rejected.reason for rejected in result.rejected}
    assert reasons["cut.csv.gz"].startswith("truncated: ")
    assert reasons["lacks.csv"] == "schema: it has no column 'price' (its columns are 'id', 'name')"
    assert {row["file"] for row in sail.rows(files_path(lake.settings)).to_pylist()} == {"cut.csv.gz", "lacks.csv"}
    assert ingest(sail, contract, lake.run(2)).rejected == []  # said once


def test_a_contract_with_a_column_that_no_file_has(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract({"name": "id", "logicalType": "string"}, {"name": "colour", "logicalType": "string"})
    sha = lake.deliver("a.csv", HEADER + "1,one,1\n")
    with pytest.raises(SchemaError, match="no column 'colour'") as raised:
        ingest(sail, contract, lake.settings)
    assert "things.odcs.yaml" in str(raised.value.where)
    assert raised.value.fix is not None
    # The contract is corrected: the file is looked at again although it has not changed.
    assert ingest(sail, make_contract(), lake.run(2)).rows == 1
    assert lake.rows(sail, Layer.BRONZE, "_file_sha256") == [(sha,)]


def test_many_batches_are_one_table(
    sail: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bronze, "BATCH_FILES", 3)
    for number in range(10):
        lake.deliver(f"{number}.csv", HEADER + f"{number},x,1\n" * (number + 1))
    assert ingest(sail, make_contract(), lake.settings).rows == 55
    assert sail.count(lake.settings.table_path(Layer.BRONZE, "things")) == 55


def test_records_give_back_the_file_byte_for_byte(engine: Engine, lake: Lake, make_contract: MakeContract) -> None:
    body = b'1,"two\r\nlines",3\r\n\xff\xfe,x\n"open,1\n5,last,6.00'
    lake.deliver("a.csv", HEADER.encode() + body)
    ingest(engine, make_contract(), lake.settings)
    rows = lake.rows(engine, Layer.BRONZE, "_line", "_raw")
    assert b"".join(bytes(raw) for _, raw in rows) == body


def test_a_file_that_was_touched_is_not_taken_again(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract()
    sha = lake.deliver("a.csv", HEADER + "1,one,1\n")
    ingest(sail, contract, lake.settings)
    path = Path(lake.settings.deliveries("things")) / "a.csv"
    os.utime(path, (1, 1))
    assert ingest(sail, contract, lake.run(2)).repeated == 1
    assert hashlib.sha256(path.read_bytes()).hexdigest() == sha
    assert lake.rows(sail, Layer.BRONZE, "name") == [("one",)]
