"""What a run leaves behind when it fails, is killed, or reads a file that changes: the next run makes it good."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import deltalake
import pytest

from pipelines.bronze import ingest as bronze
from pipelines.bronze.ingest import ingest
from pipelines.bronze.inspection import Delivery
from pipelines.engine import Engine
from pipelines.errors import PipelineError, SchemaError
from pipelines.ledger import Ledger
from pipelines.quarantine.files import files_path
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

    from pipelines.contracts import Contract

HEADER = "id,name,price\n"


def landed(lake: Lake, name: str) -> Path:
    return Path(lake.settings.deliveries("things")) / name


class KilledError(Exception):
    """Stands for the end of the process."""


def die(*_: Any, **__: Any) -> None:
    raise KilledError


def ingest_and_die(engine: Engine, contract: Contract, settings: RunSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commit the first batch, and enter it in no ledger."""
    with monkeypatch.context() as patch:
        patch.setattr(bronze, "_counts", die)
        with pytest.raises(PipelineError):
            ingest(engine, contract, settings)


def test_a_task_that_failed_fails_until_something_was_done(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    contract = make_contract()
    lake.deliver("bad.csv", "id,name\n1,x\n")
    for number in (1, 2):
        with pytest.raises(SchemaError, match="no column 'price'"):
            ingest(sail, contract, lake.run(number))
    lake.deliver("good.csv", HEADER + "1,one,1\n")
    assert ingest(sail, contract, lake.run(3)).files == 1
    assert ingest(sail, contract, lake.run(4)).files == 0  # what was rejected is in quarantine, and the others went on
    lake.deliver("worse.csv", "id\n1\n")
    for number in (5, 6):
        with pytest.raises(SchemaError, match=r"(?s)no columns? 'name', 'price'.*worse\.csv"):
            ingest(sail, contract, lake.run(number))
    landed(lake, "worse.csv").unlink()
    assert ingest(sail, contract, lake.run(7)).files == 0


def test_a_replaced_delivery_leaves_although_its_run_was_killed(
    engine: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = make_contract(redelivery={"policy": "replace"})
    name = "it's 5%.csv"
    lake.deliver(name, HEADER + "9,nine,9\n")
    lake.deliver("other.csv", HEADER + "1,one,1\n")
    ingest_and_die(engine, contract, lake.settings, monkeypatch)  # committed, and not in the ledger
    assert lake.rows(engine, Layer.BRONZE, "id") == [("1",), ("9",)]
    lake.deliver(name, HEADER + "10,ten,10\n")
    ingest(engine, contract, lake.run(2))
    assert lake.rows(engine, Layer.BRONZE, "id") == [("1",), ("10",)]


def test_a_delivery_that_was_never_entered_leaves_with_its_name(
    sail: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = make_contract()  # the policy is append
    lake.deliver("a.csv", HEADER + "1,one,1\n")
    ingest(sail, contract, lake.settings)
    lake.deliver("a.csv", HEADER + "2,two,2\n")
    ingest_and_die(sail, contract, lake.run(2), monkeypatch)
    lake.deliver("a.csv", HEADER + "3,three,3\n")
    ingest(sail, contract, lake.run(3))
    assert lake.rows(sail, Layer.BRONZE, "id") == [("1",), ("3",)]  # what the ledger knows, and no more


def files_of(lake: Lake) -> set[str]:
    return set(deltalake.DeltaTable(lake.settings.table_path(Layer.BRONZE, "things")).file_uris())


def test_what_comes_later_leaves_the_files_of_what_came_before(
    engine: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bronze, "BATCH_FILES", 1)
    lake.deliver("a.csv", HEADER + "1,one,1\n")
    ingest(engine, make_contract(), lake.settings)
    before = files_of(lake)
    lake.deliver("b.csv", HEADER + "2,two,2\n")
    lake.deliver("c.csv", HEADER + "3,three,3\n")
    ingest(engine, make_contract(), lake.run(2))
    assert before < files_of(lake)
    assert lake.rows(engine, Layer.BRONZE, "id") == [("1",), ("2",), ("3",)]


def test_a_replacement_that_was_never_entered_is_told_although_it_has_as_many_rows(
    sail: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = make_contract(redelivery={"policy": "replace"})
    lake.deliver("a.csv", HEADER + "1,one,1\n")
    ingest(sail, contract, lake.settings)
    lake.deliver("a.csv", HEADER + "2,two,2\n")
    ingest_and_die(sail, contract, lake.run(2), monkeypatch)
    lake.deliver("b.csv", HEADER + "3,three,3\n")
    ingest(sail, contract, lake.run(3))
    assert lake.rows(sail, Layer.BRONZE, "id") == [("2",), ("3",)]


def test_a_delivery_that_two_runs_put_there_at_once_is_there_once(
    sail: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = Engine.insert

    def beside_another(engine: Engine, path: str, rows: Any) -> None:
        insert(engine, path, rows)
        insert(engine, path, rows)

    monkeypatch.setattr(Engine, "insert", beside_another)
    lake.deliver("a.csv", HEADER + "1,one,1\n2,two,2\n")
    assert ingest(sail, make_contract(), lake.settings).rows == 2
    assert lake.rows(sail, Layer.BRONZE, "id") == [("1",), ("2",)]


def test_a_delivery_that_a_killed_run_left_there_twice_is_mended_by_the_next(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    path = lake.settings.table_path(Layer.BRONZE, "things")
    lake.deliver("a.csv", HEADER + "1,one,1\n2,two,2\n")
    ingest(sail, make_contract(), lake.settings)
    before = lake.rows(sail, Layer.BRONZE)
    sail.insert(path, sail.read(path))  # what its twin committed before it was killed
    lake.deliver("b.csv", HEADER)
    ingest(sail, make_contract(), lake.run(2))
    assert lake.rows(sail, Layer.BRONZE) == before


def test_a_rejected_file_is_listed_once_although_its_run_was_killed(
    sail: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = make_contract()
    lake.deliver("bad.csv", "id,name\n1,x\n")
    lake.deliver("good.csv", HEADER + "1,one,1\n")
    monkeypatch.setattr(Ledger, "add", die)
    with pytest.raises(PipelineError):
        ingest(sail, contract, lake.settings)
    monkeypatch.undo()
    assert ingest(sail, contract, lake.run(2)).files == 1
    listed = sail.rows(files_path(lake.settings)).to_pylist()
    assert [(row["file"], row["contract_digest"]) for row in listed] == [("bad.csv", contract.digest)]


def test_a_delivery_that_changes_under_the_reader_is_not_committed(
    engine: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = make_contract()
    lake.deliver("a.csv", HEADER + "1,one,1\n")
    lake.deliver("b.csv", HEADER + "2,two,2\n")
    parsed = bronze._parsed

    def write_then_parse(engine: Engine, batch: Sequence[Delivery], *rest: Any) -> Any:
        lake.deliver("b.csv", HEADER + "2,two,2\n3,three,3\n")  # the writer had not finished
        return parsed(engine, batch, *rest)

    monkeypatch.setattr(bronze, "_parsed", write_then_parse)
    with pytest.raises(PipelineError, match=r"b\.csv changed while it was read") as raised:
        ingest(engine, contract, lake.settings)
    assert raised.value.exit_code == 3  # a scheduler may try again
    assert raised.value.fix is not None
    monkeypatch.undo()
    assert lake.rows(engine, Layer.BRONZE, "id") == []
    assert Ledger(engine, lake.settings).entries(Layer.BRONZE, "things") == []
    sha = lake.deliver("b.csv", HEADER + "2,two,2\n3,three,3\n")
    assert ingest(engine, contract, lake.run(2)).rows == 3
    assert (sha, "3") in lake.rows(engine, Layer.BRONZE, "_file_sha256", "id")
