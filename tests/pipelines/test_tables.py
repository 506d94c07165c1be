"""Many tables in one task: one that fails stops no other, and the task says which."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pipelines import tables
from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract, load_contract
from pipelines.engine import Engine
from pipelines.errors import ContractError, PipelineError, QualityError, UpstreamError
from pipelines.jobs import check_dataset
from pipelines.ledger import Ledger, Status
from pipelines.settings import EngineName, Layer, RunSettings
from pipelines.silver.refine import refine
from pipelines.tables import TableRun, planned, refuse_stale, run_tables, tables_error

STEPS = {"bronze": ingest, "silver": refine}
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: {name}
version: 1.0.0
status: active
domain: many
schema:
  - name: {name}
    properties:
      - {{name: id, logicalType: integer, physicalType: bigint, required: true, classification: internal}}
      - {{name: name, logicalType: string, classification: internal}}
customProperties:
  - {{property: layer, value: source}}
  - {{property: ingestion, value: {{format: csv}}}}
"""


@dataclass
class Many:
    """A domain of tables on disk."""

    folder: Path
    settings: RunSettings = field(init=False)

    def __post_init__(self) -> None:
        roots = {layer: str(self.folder / layer.value) for layer in Layer}
        self.settings = RunSettings(domain="many", roots=roots, run_id="run-1")

    def contract(self, name: str) -> Contract:
        path = self.folder / f"{name}.odcs.yaml"
        path.write_text(CONTRACT.format(name=name))
        return load_contract(path)

    def deliver(self, name: str, text: str, file: str = "a.csv") -> None:
        folder = Path(self.settings.deliveries(name))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)


@pytest.fixture
def many(tmp_path: Path) -> Many:
    return Many(tmp_path)


@pytest.fixture
def fresh(sail: Engine) -> Engine:
    """An engine that nobody else gathers records with."""
    return Engine(EngineName.SAIL, sail.spark)


def test_a_table_that_fails_stops_no_other(fresh: Engine, many: Many) -> None:
    contracts = [many.contract(f"t{number}") for number in range(6)]
    for number in range(6):
        many.deliver(f"t{number}", "nonsense\n1\n" if number == 3 else f"id,name\n{number},a\nx,b\n")

    runs = run_tables(fresh, many.settings, contracts, STEPS, workers=3)

    error = tables_error(runs)
    assert error is not None
    assert [(run.dataset, run.failed_step) for run in runs if run.error] == [("t3", "bronze")]
    assert "1 of 6 tables failed, the others are done:\n  t3 (bronze): no new file of t3 could be read" in error.message
    assert error.message.endswith("t3.odcs.yaml")
    assert error.exit_code == 1
    for number in (0, 1, 2, 4, 5):
        assert fresh.count(many.settings.table_path(Layer.SILVER, f"t{number}")) == 1
        assert fresh.count(many.settings.table_path(Layer.QUARANTINE, f"t{number}")) == 1
    records = fresh.rows(many.settings.record_path("runs")).to_pylist()
    assert sorted((row["task"], row["dataset"]) for row in records if row["status"] == "failed") == [("bronze", "t3")]
    assert len(records) == 11

    many.deliver("t3", "id,name\n3,a\n", "again.csv")
    again = run_tables(fresh, replace(many.settings, run_id="run-2"), contracts, STEPS, workers=3)

    assert tables_error(again) is None
    entries = [entry for n in range(6) for entry in Ledger(fresh, many.settings).entries(Layer.SILVER, f"t{n}")]
    assert sorted(entry.dataset for entry in entries if entry.status is Status.COMMITTED) == [
        f"t{number}" for number in range(6)
    ]


def test_the_largest_come_first_and_large_ones_run_alone(
    fresh: Engine, many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "LARGE_BYTES", 50)
    contracts = [many.contract(name) for name in ("small", "large", "none", "larger", "tiny")]
    for name, size in {"small": 30, "large": 60, "larger": 90, "tiny": 10}.items():
        many.deliver(name, "x" * size)
    at_work: set[str] = set()
    lock, seen = threading.Lock(), list[tuple[str, frozenset[str]]]()

    def step(engine: Engine, contract: Contract, settings: RunSettings) -> None:
        assert engine is fresh
        assert settings.dataset == contract.dataset
        with lock:
            at_work.add(contract.dataset)
            seen.append((contract.dataset, frozenset(at_work)))
        with lock:
            at_work.remove(contract.dataset)

    run_tables(fresh, many.settings, contracts, {"step": step}, workers=2)

    assert [table.contract.dataset for table in planned(many.settings, contracts)] == [
        "larger",
        "large",
        "small",
        "tiny",
        "none",
    ]
    assert seen[:2] == [("larger", frozenset({"larger"})), ("large", frozenset({"large"}))]


def test_how_far_the_task_is_told_in_tables(fresh: Engine, many: Many, tmp_path: Path) -> None:
    told = tmp_path / "progress.jsonl"
    contracts = [many.contract(f"t{number}") for number in range(3)]
    for contract in contracts:
        many.deliver(contract.dataset, "id,name\n1,a\n")

    run_tables(fresh, replace(many.settings, progress=told), contracts, STEPS, workers=2)

    lines = [json.loads(line) for line in told.read_text().splitlines()]
    assert sorted((line["done"], line["total"], line["unit"]) for line in lines) == [
        (done, 3, "tables") for done in (1, 2, 3)
    ]


def raising(error: BaseException) -> Callable[[Engine, Contract, RunSettings], None]:
    def step(engine: Engine, contract: Contract, settings: RunSettings) -> None:
        raise error

    return step


def test_an_engines_error_is_told_in_words(fresh: Engine, many: Many) -> None:
    steps = {"bronze": raising(OSError(28, "No space left on device"))}

    runs = run_tables(fresh, many.settings, [many.contract("a")], steps, workers=1)

    error = tables_error(runs)
    assert error is not None
    assert "\n  a (bronze): the disk is full" in error.message
    assert error.exit_code == 3


def test_an_interrupt_stops_the_tables_that_have_not_begun(fresh: Engine, many: Many) -> None:
    contracts = [many.contract(f"t{number}") for number in range(20)]

    with pytest.raises(KeyboardInterrupt):
        run_tables(fresh, many.settings, contracts, {"bronze": raising(KeyboardInterrupt())}, workers=2)


def test_the_error_asks_for_another_try_where_one_may_help() -> None:
    gate = TableRun("a", "quality", QualityError("said no"))
    contract = TableRun("b", "silver", ContractError("cannot be", where="b.odcs.yaml:3"))
    lost = TableRun("c", "bronze", PipelineError("the engine has gone", fix="run again"))

    codes = [getattr(tables_error(runs), "exit_code", None) for runs in ([gate, contract], [contract], [gate, lost])]

    assert codes == [1, 2, 3]
    assert tables_error([TableRun("d")]) is None


def test_many_failures_are_counted_not_listed() -> None:
    runs = [TableRun(f"t{n:02d}", "bronze", QualityError(f"no {n}")) for n in range(25)]

    error = tables_error([*runs, TableRun("well")])

    assert error is not None
    lines = error.message.splitlines()
    assert lines[0] == "25 of 26 tables failed, the others are done:"
    assert lines[1:] == [*(f"  t{n:02d} (bronze): no {n}" for n in range(10)), "  and 15 more, see the run records"]


def test_tables_that_failed_for_one_reason_are_told_together() -> None:
    full = [TableRun(f"t{n:02d}", "silver", PipelineError("the disk is full")) for n in range(7)]
    other = TableRun("u", "bronze", ContractError("cannot be", where="u.odcs.yaml:3"))

    error = tables_error([*full, other])

    assert error is not None
    assert error.message.splitlines() == [
        "8 of 8 tables failed, the others are done:",
        "  t00, t01, t02, t03, t04 and 2 others (silver): the disk is full",
        "  u (bronze): cannot be",
        "    at u.odcs.yaml:3",
    ]


def test_nothing_is_made_of_an_input_that_failed_in_the_same_run(fresh: Engine, many: Many) -> None:
    good, bad = many.contract("good"), many.contract("bad")
    many.deliver("good", "id,name\n1,a\n")
    many.deliver("bad", "nonsense\n")
    run_tables(fresh, many.settings, [good, bad], STEPS, workers=2)

    refuse_stale(fresh, many.settings, [good])
    with pytest.raises(UpstreamError, match=r"bad \(bronze: no new file"):
        refuse_stale(fresh, many.settings, [good, bad])
    refuse_stale(fresh, replace(many.settings, run_id="run-2"), [good, bad])

    many.deliver("bad", "id,name\n1,a\n", "again.csv")
    run_tables(fresh, many.settings, [good, bad], STEPS, workers=2)
    refuse_stale(fresh, many.settings, [good, bad])


@pytest.mark.parametrize("on_failure", ["failBatch", "stopPipeline"])
def test_a_check_that_fails_stops_what_comes_after_only_where_its_contract_says_so(
    fresh: Engine, many: Many, on_failure: str
) -> None:
    """Of many tables in one task: apart, gold waits for the quality task (`pipelines.contracts.jobs`)."""
    path = many.contract("t").path
    told = f"{{property: onFailure, value: {on_failure}}}"
    check = f"[{{id: enough, metric: rowCount, mustBeGreaterThan: 5, customProperties: [{told}]}}]"
    path.write_text(path.read_text().replace("    properties:", f"    quality: {check}\n    properties:"))
    contract = load_contract(path)
    many.deliver("t", "id,name\n1,a\n")
    (done,) = run_tables(fresh, many.settings, [contract], {**STEPS, "quality": check_dataset}, workers=1)
    assert (done.failed_step, type(done.error)) == ("quality", QualityError)
    if on_failure == "failBatch":
        refuse_stale(fresh, many.settings, [contract])
    else:
        with pytest.raises(UpstreamError, match=r"t \(quality: t does not hold its contract: enough"):
            refuse_stale(fresh, many.settings, [contract])


REFERRING = """\
      - name: owner
        logicalType: integer
        physicalType: bigint
        classification: internal
        quality:
          - id: known_owner
            type: custom
            engine: levee
            implementation: {references: {dataset: owners, columns: [id]}}
"""


def test_records_are_no_orphans_because_the_table_with_their_keys_failed(fresh: Engine, many: Many) -> None:
    owners = many.contract("owners")
    path = many.contract("pets").path
    path.write_text(path.read_text().replace("customProperties", REFERRING + "customProperties"))
    pets = load_contract(path)
    many.deliver("owners", "nonsense\n")
    many.deliver("pets", "id,name,owner\n1,rex,7\n")

    runs = run_tables(fresh, many.settings, [pets, owners], STEPS, workers=2)

    assert {run.dataset: run.failed_step for run in runs} == {"owners": "bronze", "pets": "keys"}
    assert not fresh.exists(many.settings.table_path(Layer.QUARANTINE, "pets"))

    many.deliver("owners", "id,name\n7,ada\n", "again.csv")
    again = run_tables(fresh, replace(many.settings, run_id="run-2"), [pets, owners], STEPS, workers=2)

    assert tables_error(again) is None
    assert fresh.count(many.settings.table_path(Layer.SILVER, "pets")) == 1
