"""Who made each version; taken back, nothing is lost: the next run does again what that undid."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract, Domain
from pipelines.engine import Engine, care, local
from pipelines.engine.care import Commit
from pipelines.errors import PipelineError, SchemaError, UsageError
from pipelines.maintain import maintain
from pipelines.maintain import restore as restoring
from pipelines.maintain.audit import audit, version_at
from pipelines.maintain.names import TableName
from pipelines.maintain.restore import repair, restore
from pipelines.settings import Acceptance, Layer
from pipelines.silver.holding import accept
from pipelines.silver.refine import refine

SILVER = TableName.parse("silver.things")
BRONZE = TableName.parse("bronze.things")
LAYERS = (Layer.BRONZE, Layer.SILVER, Layer.QUARANTINE)


@pytest.fixture(autouse=True)
def no_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's clocks are one."""
    monkeypatch.setattr(restoring, "MARGIN", timedelta(0))


@pytest.fixture
def contract(make_contract) -> Contract:
    return make_contract()


def deliver(lake, sail: Engine, contract: Contract, number: int) -> None:
    lake.deliver(f"{number}.csv", f"id,name,price\n{number},a,1.50\n{number + 100},b,2.50\nx{number},c,3.50\n")
    settings = lake.run(number)
    ingest(sail, contract, settings)
    refine(sail, contract, settings)


def state(lake, sail: Engine) -> dict[Layer, list]:
    """Rows by layer; a batch is named by the deliveries that came together, which may be others the second time."""
    found = {}
    for layer in LAYERS:
        columns = sail.read(lake.settings.table_path(layer, "things")).columns
        found[layer] = lake.rows(sail, layer, *sorted({*columns} - {"_batch_id", "_ingested_at", "_run_id"}))
    return found


def test_each_version_has_its_run_who_ran_it_and_its_rules(
    sail: Engine, lake, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEVEE_ACTOR", "ada")
    deliver(lake, sail, contract, 1)
    between = datetime.now(UTC)
    time.sleep(0.01)
    monkeypatch.setenv("LEVEE_ACTOR", "grace")
    deliver(lake, sail, contract, 2)

    found = audit(sail, lake.settings, SILVER)
    then = audit(sail, lake.settings, SILVER, between)

    assert [(version.rows, version.commit.operation) for version in found.versions] == [
        (4, "WRITE"),
        (2, "WRITE"),
        (0, "CREATE TABLE"),
    ]
    newest, first, _ = found.versions
    assert [(author.run_id, author.task, author.actor) for author in newest.authors] == [("run-2", "silver", "grace")]
    assert [(author.run_id, author.actor) for author in first.authors] == [("run-1", "ada")]
    assert first.authors[0].contract_digest == contract.digest
    assert (then.as_of, then.versions[0].rows) == (1, 2)
    assert ("price", "decimal(9,2)") in then.columns
    assert then.plain()["versions"][0]["authors"][0]["actor"] == "ada"


def test_care_and_restores_have_their_run_too(sail: Engine, lake, contract: Contract) -> None:
    deliver(lake, sail, contract, 1)
    deliver(lake, sail, contract, 2)
    maintain(sail, lake.run(3), Domain("test", contract.path.parent, (contract,), ()))
    restore(sail, lake.run(4), contract, SILVER, version=1)

    versions = audit(sail, lake.settings, SILVER).versions

    assert [[(author.run_id, author.task) for author in version.authors] for version in versions] == [
        [("run-4", "restore")],
        [("run-3", "maintain")],
        [("run-2", "silver")],
        [("run-1", "silver")],
        [("run-1", "silver")],
    ]


HISTORY = {"type": 4, "businessKey": ["id"], "effectiveFrom": "changed_at", "tracked": ["name"]}


def test_every_table_of_a_history_has_its_runs_and_goes_back_with_the_others(sail: Engine, lake, make_contract) -> None:
    columns = [
        {"name": name, "logicalType": "string", "primaryKey": name == "id", "required": True} for name in ("id", "name")
    ]
    when = {"name": "changed_at", "logicalType": "timestamp", "required": True}
    contract = make_contract(*columns, when, history=HISTORY)
    tables = [lake.settings.table_path(Layer.SILVER, table) for table in contract.silver_tables]

    def take(number: int) -> list[list]:
        settings = lake.run(number)
        ingest(sail, contract, settings)
        refine(sail, contract, settings)
        names = ("id", "name", "changed_at")
        return [sorted(map(tuple, sail.read(path).select(*names).collect())) for path in tables]

    lake.deliver("1.csv", "id,name,changed_at\n1,one,2026-01-01\n2,two,2026-01-01\n")
    first = take(1)
    lake.deliver("2.csv", "id,name,changed_at\n1,uno,2026-01-02\n")
    second = take(2)
    versions = {table: audit(sail, lake.settings, TableName(Layer.SILVER, table)) for table in contract.silver_tables}
    done = restore(sail, lake.run(3), contract, SILVER, version=as_of_first(versions, "things"))

    assert len(versions) == 3
    for found in versions.values():
        assert [author.run_id for author in found.versions[0].authors] == ["run-2"]
    assert {name for name in done.tables if name.startswith("silver")} == {f"silver.{name}" for name in versions}
    assert first != second
    assert take(4) == second


def as_of_first(versions, table: str) -> int:
    """Number of the version that the first run left."""
    return max(v.commit.version for v in versions[table].versions if v.authors and v.authors[0].run_id == "run-1")


def test_a_table_that_is_not_there_and_a_time_before_it_are_refused(sail: Engine, lake, contract: Contract) -> None:
    with pytest.raises(PipelineError, match=r"no table silver\.things"):
        audit(sail, lake.settings, SILVER)
    deliver(lake, sail, contract, 1)
    with pytest.raises(UsageError, match="no version as old as 2020-01-01"):
        audit(sail, lake.settings, SILVER, datetime(2020, 1, 1, tzinfo=UTC))


def test_a_clock_that_went_backwards_hides_no_version() -> None:
    def commit(version: int, minute: int) -> Commit:
        return Commit(version, datetime(2026, 1, 1, 0, minute, tzinfo=UTC), "WRITE", {}, {}, "", None)

    commits = [commit(2, 3), commit(1, 9), commit(0, 1)]

    assert version_at(commits, datetime(2026, 1, 1, 0, 5, tzinfo=UTC), "t") == 2
    assert version_at(commits, datetime(2026, 1, 1, 0, 2, tzinfo=UTC), "t") == 0
    assert version_at(commits, None, "t") == 2


@pytest.mark.parametrize("name", ["things", "silver.", "landing.things", "sliver.things"])
def test_what_is_no_table_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        TableName.parse(name)


@pytest.mark.parametrize("table", [SILVER, TableName.parse("quarantine.things"), BRONZE], ids=str)
def test_what_a_restore_undid_is_done_again_by_the_next_run(
    sail: Engine, lake, contract: Contract, table: TableName
) -> None:
    deliver(lake, sail, contract, 1)
    deliver(lake, sail, contract, 2)
    before = state(lake, sail)

    done = restore(sail, lake.run(3), contract, table, version=1)

    # The first one's entry came after its commit, so it is done again too.
    assert done.undone == ("1.csv", "2.csv")
    # Of those that go back with it one may have been committed a moment later, so it goes back by one more.
    assert len(lake.rows(sail, table.layer)) == len(before[table.layer]) // 2
    ingest(sail, contract, lake.run(4))
    refine(sail, contract, lake.run(4))
    assert state(lake, sail) == before
    ingest(sail, contract, lake.run(5))
    assert refine(sail, contract, lake.run(5)).rows == 0


def test_a_batch_that_was_accepted_is_not_held_again(sail: Engine, lake, make_contract) -> None:
    contract = make_contract(circuitBreaker={"maximumQuarantinePercent": 50, "minimumRows": 2})
    deliver(lake, sail, contract, 1)
    lake.deliver("2.csv", "id,name,price\n2,a,1.50\nx,b,2.50\ny,c,3.50\nz,d,4\nv,e,5\n")
    ingest(sail, contract, lake.run(2))
    (held,) = refine(sail, contract, lake.run(2)).held
    accept(sail, lake.run(3), contract, Acceptance(held.batch_id, "ann", "it is right"))
    refine(sail, contract, lake.run(3))
    before = state(lake, sail)

    restore(sail, lake.run(4), contract, SILVER, version=1)

    assert refine(sail, contract, lake.run(5)).held == []
    assert state(lake, sail) == before


def test_a_delivery_that_left_landing_is_not_undone(sail: Engine, lake, contract: Contract) -> None:
    deliver(lake, sail, contract, 1)
    deliver(lake, sail, contract, 2)
    before = state(lake, sail)
    Path(lake.settings.deliveries("things"), "2.csv").unlink()

    with pytest.raises(SchemaError, match=r"would be lost; the first: 2\.csv"):
        restore(sail, lake.run(3), contract, BRONZE, version=1)

    assert state(lake, sail) == before


def test_a_version_that_there_is_not_is_refused(sail: Engine, lake, contract: Contract) -> None:
    deliver(lake, sail, contract, 1)

    with pytest.raises(UsageError, match="no version 7"):
        restore(sail, lake.run(2), contract, SILVER, version=7)


@pytest.mark.parametrize("how", ["torn", "garbage", "empty", "absent"])
@pytest.mark.parametrize("table", [SILVER, BRONZE], ids=str)
def test_a_damaged_log_is_told_and_mended(sail: Engine, lake, contract: Contract, table: TableName, how: str) -> None:
    for number in (1, 2, 3):
        deliver(lake, sail, contract, number)
    before = state(lake, sail)
    entry = Path(lake.settings.table_path(table.layer, "things"), "_delta_log", f"{2:020d}.json")
    match how:
        case "torn":
            entry.write_bytes(entry.read_bytes()[:-40])
        case "garbage":
            entry.write_bytes(b"\x00\xff garbage\n")
        case "empty":
            entry.write_bytes(b"")
        case _:
            entry.unlink()

    local.forget()  # as in a new process

    with pytest.raises(PipelineError, match="damaged") as told:
        (ingest if table is BRONZE else refine)(sail, contract, lake.run(4))

    assert str(entry) in (told.value.where or "")
    assert "levee restore LAYER.things --repair" in (told.value.fix or "")
    done = repair(sail, lake.run(5), contract, table)
    assert done.undone
    ingest(sail, contract, lake.run(6))
    refine(sail, contract, lake.run(6))
    assert state(lake, sail) == before
    with pytest.raises(UsageError, match="not damaged"):
        repair(sail, lake.run(7), contract, table)


def test_rows_by_the_log_are_known_of_every_version(sail: Engine, lake, contract: Contract) -> None:
    deliver(lake, sail, contract, 1)
    path = lake.settings.table_path(Layer.SILVER, "things")

    assert [care.rows_at(sail, path, version) for version in (0, 1, 9)] == [0, 2, None]
    assert local.damage(path) is None
