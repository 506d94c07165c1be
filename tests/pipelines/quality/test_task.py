"""The quality task over a lake: what it stores, when it says no, and that nothing personal leaves bronze by it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.bronze.ingest import ingest
from pipelines.engine import Engine
from pipelines.errors import QualityError
from pipelines.quality.measures import added
from pipelines.quality.metrics import recorded_batches
from pipelines.quality.results import RESULTS
from pipelines.quality.rules import rules
from pipelines.quality.task import agreement, check
from pipelines.settings import Layer
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from pipelines.contracts import Contract
    from tests.pipelines.conftest import Lake, MakeContract

PERSON = {
    "name": "person",
    "logicalType": "string",
    "classification": "personal",
    "customProperties": [{"property": "masking", "value": {"method": "hash"}}],
    "quality": [
        {"id": "person_there", "metric": "nullValues", "mustBe": 0},
        {"id": "person_number", "metric": "invalidValues", "mustBe": 0, "arguments": {"pattern": "^[0-9]{5}$"}},
    ],
}
PRICE: dict[str, Any] = {
    "name": "price",
    "logicalType": "number",
    "physicalType": "decimal(9,2)",
    "quality": [{"id": "positive", "metric": "invalidValues", "mustBe": 0, "arguments": {"exclusiveMinimum": 0}}],
}
ENOUGH = {"id": "enough", "metric": "rowCount", "mustBeGreaterThan": 1}
BY_HAND = {"id": "by_hand", "type": "text", "description": "Somebody looks at it."}
DELIVERY = "person,price\n98765,1.50\n87654,2.50\n,3.50\nMustermann,-1\n34567,zero\n"


def run(engine: Engine, contract: Contract, lake: Lake, number: int = 1):
    settings = lake.run(number)
    ingest(engine, contract, settings)
    refine(engine, contract, settings)
    return check(engine, settings, contract)


def results(engine: Engine, lake: Lake) -> list[dict]:
    return engine.rows(lake.settings.record_path(RESULTS)).to_pylist()


@pytest.fixture
def contract(make_contract: MakeContract) -> Contract:
    return make_contract(PERSON, PRICE, quality=[ENOUGH, BY_HAND])


def test_counts_agree_and_everything_is_named(engine: Engine, lake: Lake, contract: Contract) -> None:
    lake.deliver("a.csv", DELIVERY)
    checked = run(engine, contract, lake)
    found = {(line.batch, line.check_id): line for line in checked.lines}
    assert {name: line.failed for (batch, name), line in found.items() if batch == "candidates"} == {
        "person_there": 1, "person_number": 1, "price_type": 1, "positive": 1,
    }  # fmt: skip
    assert all(line.success and line.failed == line.observed for line in checked.lines if line.batch == "quarantine")
    assert found["published", "positive"].success
    assert "masked" in (found["published", "person_number"].not_run or "")
    assert "source's text" in (found["published", "price_type"].not_run or "")
    assert found["table", "enough"].success
    assert found["table", "by_hand"].not_run == "text for people"
    assert len(results(engine, lake)) == len(checked.lines)
    assert checked.docs
    assert (checked.docs / "index.html").is_file()


def test_what_has_not_changed_is_not_checked_again(sail: Engine, lake: Lake, contract: Contract) -> None:
    lake.deliver("a.csv", DELIVERY)
    run(sail, contract, lake)
    assert run(sail, contract, lake, 2).unchanged
    lake.deliver("b.csv", "person,price\n45678,-3\n")  # goes to quarantine: silver stays as it is
    again = run(sail, contract, lake, 3)
    assert not again.unchanged
    assert {line.check_id: line.failed for line in again.candidates}["positive"] == 2


def test_a_row_lost_from_quarantine_is_found(sail: Engine, lake: Lake, contract: Contract) -> None:
    lake.deliver("a.csv", DELIVERY)
    ingest(sail, contract, lake.settings)
    refine(sail, contract, lake.settings)
    path = lake.settings.table_path(Layer.QUARANTINE, "things")
    sail.overwrite(path, sail.read(path).where("_rules NOT LIKE '%positive%'"))
    for _ in range(2):  # and it stays found: a failure is never taken for the last success
        with pytest.raises(QualityError, match="positive: suite 1, quarantine 0") as caught:
            check(sail, lake.settings, contract)
        assert "levee replay things" in (caught.value.fix or "")
    assert [row["success"] for row in results(sail, lake) if row["batch"] == "quarantine"].count(False) == 4


def test_where_retention_took_rows_out_nothing_is_compared(sail: Engine, lake: Lake, contract: Contract) -> None:
    lake.deliver("a.csv", DELIVERY)
    run(sail, contract, lake)
    metrics = added(list(recorded_batches(sail, lake.settings, "things").values()))
    compared = agreement(contract, metrics, None)
    assert [line.check_id for line in compared] == [rule.id for rule in rules(contract)]
    assert {(line.success, line.not_run) for line in compared} == {
        (None, "retention has taken rows out of bronze or quarantine")
    }


def test_a_bad_row_in_silver_is_found(sail: Engine, lake: Lake, contract: Contract) -> None:
    lake.deliver("a.csv", DELIVERY)
    ingest(sail, contract, lake.settings)
    refine(sail, contract, lake.settings)
    assert {line.read for line in check(sail, lake.settings, contract).lines if line.batch == "published"} == {
        "pass",
        None,
    }
    path = lake.settings.table_path(Layer.SILVER, "things")
    rows = sail.read(path)
    worse = rows.selectExpr(*(f"CAST(-price AS DECIMAL(9,2)) AS {n}" if n == "price" else n for n in rows.columns))
    sail.overwrite(path, worse)
    with pytest.raises(QualityError, match=r"does not hold its contract: positive"):
        check(sail, lake.settings, contract)
    lake.deliver("b.csv", "person,price\n45678,3\n")  # and it stays found: nobody but silver's tasks is trusted
    with pytest.raises(QualityError, match=r"does not hold its contract: positive"):
        run(sail, contract, lake, 2)


def test_a_check_on_the_table_says_no(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    lake.deliver("a.csv", DELIVERY)
    with pytest.raises(QualityError, match=r"does not hold its contract: enough"):
        run(sail, make_contract(PERSON, PRICE, quality=[{**ENOUGH, "mustBeGreaterThan": 2}]), lake)


def test_a_warning_is_counted_and_lets_through(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    warning = {**PRICE["quality"][0], "severity": "warning"}
    lake.deliver("a.csv", "person,price\n12345,-1\n23456,1\n")
    checked = run(sail, make_contract(PERSON, {**PRICE, "quality": [warning]}, quality=[ENOUGH]), lake)
    assert {line.batch for line in checked.lines if line.success is False} == {"candidates", "published"}


def test_nothing_delivered_is_nothing_to_check(sail: Engine, lake: Lake, contract: Contract) -> None:
    checked = run(sail, contract, lake)
    assert (checked.lines, checked.unchanged) == ((), False)


def test_no_personal_value_leaves_bronze_and_quarantine(sail: Engine, lake: Lake, contract: Contract) -> None:
    lake.deliver("a.csv", DELIVERY)
    run(sail, contract, lake)
    kept = {"landing", "bronze", "quarantine"}
    for path in (path for path in lake.folder.rglob("*") if path.is_file()):
        if path.relative_to(lake.folder).parts[0] not in kept:
            content = path.read_bytes()
            assert not any(value in content for value in (b"98765", b"Mustermann", b"87654")), path


def test_where_checkpoints_is_a_bucket_there_are_no_docs(lake: Lake, contract: Contract) -> None:
    from pipelines.quality.task import _docs

    settings = replace(lake.settings, roots={**lake.settings.roots, Layer.CHECKPOINTS: "s3://levee-checkpoints"})
    assert _docs(settings, contract) is None
