"""Silver on both engines: what goes where, every record accounted for, and order and reruns that do not count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import deltalake
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelines.batches import Batch, batches_path
from pipelines.bronze.ingest import ingest
from pipelines.engine import Engine
from pipelines.errors import PipelineError, QualityError
from pipelines.ledger import Ledger, Status
from pipelines.settings import Layer
from pipelines.silver import refine as silver
from pipelines.silver.deliveries import Deliveries
from pipelines.silver.refine import refine
from pipelines.silver.refinement import Refinement

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

HEADER = "id,name,price\n"


class KilledError(Exception):
    """Stands for the end of the process."""


POSITIVE = {
    "id": "price_positive",
    "type": "custom",
    "engine": "levee",
    "implementation": {"row": "price > 0"},
}


def test_every_record_is_somewhere(engine: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(quality=[POSITIVE])
    lake.deliver("a.csv", HEADER + "1,one,1.50\n1,one,1.50\nx,bad,-1\n3,three,\n4,ragged\n")
    sha = lake.deliver("b.csv", HEADER + "1,one,1.50\n,nobody,0\nx,bad,-1\n")
    ingest(engine, contract, lake.settings)
    result = refine(engine, contract, lake.settings)
    assert (result.rows, result.silver, result.duplicates, result.quarantine) == (8, 2, 3, 3)
    assert lake.rows(engine, Layer.SILVER, "id", "name", "price", "_copies") == [
        (1, "one", Decimal("1.50"), 3),
        (3, "three", None, 1),
    ]
    rejected = {
        bytes(raw): (set(rules.split(",")), batch)
        for raw, rules, batch in lake.rows(engine, Layer.QUARANTINE, "_raw", "_rules", "_batch_id")
    }
    assert {raw: rules for raw, (rules, _) in rejected.items()} == {
        b"x,bad,-1\n": {"id_type", "id_required", "price_positive"},
        b",nobody,0\n": {"id_required", "price_positive"},
        b"4,ragged\n": {"parse_ragged"},
    }
    assert {batch for _, batch in rejected.values()} == {result.batches[0].batch_id}
    assert result.rules == {"id_type": 1, "id_required": 2, "price_positive": 2, "parse_ragged": 1}
    assert sha in {row[0] for row in lake.rows(engine, Layer.QUARANTINE, "_file_sha256")}
    recorded = engine.rows(batches_path(lake.settings)).to_pylist()
    assert [(row["rows"], row["accounted"], row["balanced"]) for row in recorded] == [(8, 8, True)]


def test_again_changes_nothing(engine: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(quality=[POSITIVE])
    lake.deliver("a.csv", HEADER + "1,one,1\n1,one,1\n2,two,-2\n")
    ingest(engine, contract, lake.settings)
    refine(engine, contract, lake.settings)
    before = [lake.rows(engine, layer) for layer in (Layer.SILVER, Layer.QUARANTINE)]
    assert refine(engine, contract, lake.run(2)).batches == []
    replayed = refine(engine, contract, lake.run(3), again=True)
    assert (replayed.rows, replayed.silver, replayed.duplicates, replayed.quarantine) == (3, 1, 1, 1)
    assert [lake.rows(engine, layer) for layer in (Layer.SILVER, Layer.QUARANTINE)] == before


def test_a_corrected_contract_takes_rows_out_of_quarantine_and_a_stricter_one_into_it(
    engine: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    lake.deliver("a.csv", HEADER + "1,one,1\n2,two,-2\n")
    strict = make_contract(quality=[POSITIVE])
    ingest(engine, strict, lake.settings)
    refine(engine, strict, lake.settings)
    assert lake.rows(engine, Layer.SILVER, "id") == [(1,)]
    refine(engine, make_contract(), lake.run(2), again=True)
    assert lake.rows(engine, Layer.SILVER, "id") == [(1,), (2,)]
    assert lake.rows(engine, Layer.QUARANTINE, "_line") == []
    refine(engine, make_contract(quality=[POSITIVE]), lake.run(3), again=True)
    assert lake.rows(engine, Layer.SILVER, "id") == [(1,)]
    assert lake.rows(engine, Layer.QUARANTINE, "_rules") == [("price_positive",)]


def test_a_row_keeps_its_age_through_a_replay(engine: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(quality=[POSITIVE])
    lake.deliver("a.csv", HEADER + "1,one,1\n2,two,-2\n")
    ingest(engine, contract, lake.settings)
    (taken,) = {row[0] for row in lake.rows(engine, Layer.BRONZE, "_ingested_at")}
    refine(engine, contract, lake.settings)
    refine(engine, contract, lake.run(2), again=True)
    for layer in (Layer.SILVER, Layer.QUARANTINE):
        assert lake.rows(engine, layer, "_ingested_at") == [(taken,)]


def test_later_batches_leave_the_files_of_earlier_ones(engine: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(quality=[POSITIVE])
    paths = [lake.settings.table_path(layer, "things") for layer in (Layer.SILVER, Layer.QUARANTINE)]
    files = []
    for number in (1, 2):
        lake.deliver(f"{number}.csv", HEADER + f"{number},x,1\n{number},x,-1\n")
        ingest(engine, contract, lake.run(number))
        refine(engine, contract, lake.run(number))
        files.append([set(deltalake.DeltaTable(path).file_uris()) for path in paths])
    assert all(before < after for before, after in zip(*files, strict=True))
    assert lake.rows(engine, Layer.SILVER, "id") == [(1,), (2,)]


def test_more_rules_than_one_verdict_holds(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    many = [
        {"id": f"not_{n}", "type": "custom", "engine": "levee", "implementation": {"row": f"id <> {n}"}}
        for n in range(130)
    ]
    contract = make_contract(quality=many)
    lake.deliver("a.csv", HEADER + "0,first,1\n61,last of one,1\n62,first of two,1\n129,last,1\n130,good,1\nx,no,1\n")
    ingest(sail, contract, lake.settings)
    refine(sail, contract, lake.settings)
    assert lake.rows(sail, Layer.SILVER, "id") == [(130,)]
    assert {rules for (rules,) in lake.rows(sail, Layer.QUARANTINE, "_rules")} == {
        "not_0", "not_61", "not_62", "not_129", "id_type,id_required",
    }  # fmt: skip


def test_a_repeat_in_a_later_delivery_is_a_duplicate(engine: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(quality=[POSITIVE])
    lake.deliver("a.csv", HEADER + "1,one,1\n2,two,-2\n")
    ingest(engine, contract, lake.settings)
    refine(engine, contract, lake.settings)
    lake.deliver("b.csv", HEADER + "1,one,1\n2,two,-2\n2,two,-2\n3,three,3\n")
    ingest(engine, contract, lake.run(2))
    result = refine(engine, contract, lake.run(2))
    assert (result.rows, result.silver, result.duplicates, result.quarantine) == (4, 1, 3, 0)
    assert result.batches[0].accounted == 4
    assert lake.rows(engine, Layer.SILVER, "id") == [(1,), (3,)]


def test_the_best_row_of_a_business_key_stays(engine: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(history={"type": 1, "businessKey": ["id"], "orderBy": ["price"]})
    lake.deliver("a.csv", HEADER + "1,old,1\n1,new,2\n1,new,2\n2,only,1\n3,null,\n")
    ingest(engine, contract, lake.settings)
    first = refine(engine, contract, lake.settings)
    assert (first.rows, first.silver, first.superseded, first.duplicates) == (5, 3, 1, 1)
    lake.deliver("b.csv", HEADER + "1,late,1\n2,better,9\n3,there,1\n4,fresh,1\n")
    ingest(engine, contract, lake.run(2))
    second = refine(engine, contract, lake.run(2))
    assert (second.rows, second.silver, second.superseded, second.duplicates) == (4, 3, 1, 0)
    assert lake.rows(engine, Layer.SILVER, "id", "name") == [(1, "new"), (2, "better"), (3, "there"), (4, "fresh")]
    kept = ("id", "name", "price", "_file", "_line", "_row_hash")  # not the batch, which is one now
    before = lake.rows(engine, Layer.SILVER, *kept)
    refine(engine, contract, lake.run(3), again=True)
    assert lake.rows(engine, Layer.SILVER, *kept) == before


def test_identical_rows_may_be_kept(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(deduplication={"identicalRows": "keep"})
    lake.deliver("a.csv", HEADER + "1,one,1\n1,one,1\n")
    ingest(sail, contract, lake.settings)
    assert refine(sail, contract, lake.settings).silver == 2


def test_a_replaced_delivery_leaves_and_its_repeats_come_back(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    contract = make_contract(redelivery={"policy": "replace"})
    lake.deliver("a.csv", HEADER + "1,one,1\n")
    lake.deliver("b.csv", HEADER + "1,one,1\n2,two,2\n")
    ingest(sail, contract, lake.settings)
    refine(sail, contract, lake.settings)
    lake.deliver("a.csv", HEADER + "9,nine,9\n")
    ingest(sail, contract, lake.run(2))
    refine(sail, contract, lake.run(2))
    assert lake.rows(sail, Layer.SILVER, "id") == [(1,), (2,), (9,)]


def test_a_run_killed_between_the_batches_of_a_replacement_is_made_good(
    engine: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = make_contract(redelivery={"policy": "replace"})
    leaving = lake.deliver("a.csv", HEADER + "1,eins,1\n")
    assert leaving < lake.deliver("b.csv", HEADER + "1,eins,1\n2,two,2\n")  # a's row is the one kept
    ingest(engine, contract, lake.settings)
    refine(engine, contract, lake.settings)
    lake.deliver("a.csv", HEADER + "9,nine,9\n")
    ingest(engine, contract, lake.run(2))
    monkeypatch.setattr(silver, "BATCH_FILES", 1)
    run = Refinement.run
    alive = iter([True])

    def dies_in_the_second(batch: Refinement) -> Batch:
        if not next(alive, False):
            raise KilledError
        return run(batch)

    monkeypatch.setattr(Refinement, "run", dies_in_the_second)
    with pytest.raises(PipelineError):
        refine(engine, contract, lake.run(2))
    monkeypatch.undo()
    refine(engine, contract, lake.run(3))
    assert lake.rows(engine, Layer.SILVER, "id") == [(1,), (2,), (9,)]
    assert refine(engine, contract, lake.run(4)).batches == []


def test_a_delivery_may_leave_and_none_come(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract()
    sha = lake.deliver("a.csv", HEADER + "1,one,1\n")
    ingest(sail, contract, lake.settings)
    refine(sail, contract, lake.settings)
    ledger = Ledger(sail, lake.settings)
    (taken,) = ledger.entries(Layer.BRONZE, "things")
    bronze = lake.settings.table_path(Layer.BRONZE, "things")
    sail.replace_where(bronze, sail.read(bronze).limit(0), "_file_sha256", [sha])
    ledger.add([replace(taken, status=Status.SUPERSEDED, recorded_at=datetime.now(UTC))])
    result = refine(sail, contract, lake.run(2))
    assert [(batch.files, batch.rows, batch.balanced) for batch in result.batches] == [(0, 0, True)]
    assert lake.rows(sail, Layer.SILVER) == []
    assert refine(sail, contract, lake.run(3)).batches == []


def test_a_rule_may_stop_the_batch(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    stopping = POSITIVE | {"customProperties": [{"property": "onFailure", "value": "failBatch"}]}
    contract = make_contract(quality=[stopping])
    lake.deliver("a.csv", HEADER + "1,one,1\n2,two,-2\n")
    ingest(sail, contract, lake.settings)
    (held,) = refine(sail, contract, lake.settings).held
    assert "price_positive is broken in 1 records" in held.message
    assert lake.rows(sail, Layer.SILVER) == []


def test_a_warning_is_counted_and_the_row_stays(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    warning = POSITIVE | {"customProperties": [{"property": "onFailure", "value": "warn"}]}
    contract = make_contract(quality=[warning])
    lake.deliver("a.csv", HEADER + "1,one,1\n2,two,-2\n")
    ingest(sail, contract, lake.settings)
    result = refine(sail, contract, lake.settings)
    assert (result.silver, result.quarantine, result.rules) == (2, 0, {"price_positive": 1})


def test_lost_rows_are_noticed(
    sail: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = make_contract()
    lake.deliver("a.csv", HEADER + "1,one,1\n2,two,2\n")
    ingest(sail, contract, lake.settings)
    write = Deliveries.write  # a writer that loses a row
    monkeypatch.setattr(
        Deliveries,
        "write",
        lambda self, path, rows, staged=None: write(self, path, rows.limit(1)),
    )
    with pytest.raises(QualityError, match="2 records read, 1 accounted for"):
        refine(sail, contract, lake.settings)
    monkeypatch.undo()
    assert refine(sail, contract, lake.run(2)).silver == 2  # it was not entered in the ledger


def test_without_bronze(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    with pytest.raises(PipelineError, match="there is no bronze table of things"):
        refine(sail, make_contract(), lake.settings)


records = st.lists(
    st.tuples(st.sampled_from("1234x"), st.sampled_from("ab"), st.sampled_from(["1", "-1"])), max_size=12
)


@settings(
    max_examples=6,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(first=records, second=records)
def test_one_batch_or_two_publish_the_same(
    sail: Engine,
    make_contract: MakeContract,
    make_lake: Callable[[], Lake],
    first: list[tuple[str, ...]],
    second: list[tuple[str, ...]],
) -> None:
    contract = make_contract(quality=[POSITIVE])
    files = {n: HEADER + "".join(",".join(r) + "\n" for r in rows) for n, rows in (("a.csv", first), ("b.csv", second))}
    together, apart = (make_lake() for _ in range(2))
    for name, content in files.items():
        together.deliver(name, content)
        apart.deliver(name, content)
        ingest(sail, contract, apart.settings)
        refine(sail, contract, apart.settings)
    ingest(sail, contract, together.settings)
    refine(sail, contract, together.settings)
    for layer, columns in (
        (Layer.SILVER, ("id", "name", "price", "_row_hash")),
        (Layer.QUARANTINE, ("_row_hash", "_rules")),
    ):
        assert together.rows(sail, layer, *columns) == apart.rows(sail, layer, *columns)
