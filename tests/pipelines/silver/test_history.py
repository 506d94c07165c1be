"""Histories in silver: SCD 1, 2 and 4, deletes, snapshots, what is counted, and what order does not change."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract
from pipelines.contracts.domain import Domain
from pipelines.engine import Engine
from pipelines.errors import ContractError, QualityError
from pipelines.maintain.tables import plan
from pipelines.quality.task import check
from pipelines.settings import Layer
from pipelines.silver import surrogate
from pipelines.silver.refine import SilverResult, refine

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

HEADER = "id,at,name,note\n"
COLUMNS: tuple[dict[str, Any], ...] = (
    {"name": "id", "logicalType": "string", "required": True},
    {"name": "at", "logicalType": "date", "required": True},
    {"name": "name", "logicalType": "string"},
    {"name": "note", "logicalType": "string"},
)
TIMED = {"businessKey": ["id"], "effectiveFrom": "at", "tracked": ["name"]}
VERSION = ("id", "name", "note", "_version", "_valid_from", "_valid_to", "_is_current", "_is_deleted")


def key_of(name: str, *columns: str) -> dict[str, Any]:
    """A surrogate key."""
    properties = [{"property": "surrogateKey", "value": {"of": columns}}]
    return {"name": name, "logicalType": "integer", "physicalType": "bigint", "customProperties": properties}


def day(number: int) -> datetime:
    return datetime(2026, 1, number)


def run(engine: Engine, contract: Contract, lake: Lake, *, again: bool = False) -> SilverResult:
    told = replace(lake.settings, started=datetime.now(UTC))
    ingest(engine, contract, told)
    return refine(engine, contract, told, again=again)


def test_a_version_a_change_and_late_ones_in_their_place(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(*COLUMNS, history=TIMED | {"type": 2})
    lake.deliver("1.csv", HEADER + "1,2026-01-02,one,a\n1,2026-01-08,eight,d\n")
    first = run(sail, contract, lake)
    assert lake.rows(sail, Layer.SILVER, *VERSION) == [
        ("1", "eight", "d", 2, day(8), None, True, False),
        ("1", "one", "a", 1, day(2), day(8), False, False),
    ]
    lake.deliver("2.csv", HEADER + "1,2026-01-04,four,b\n1,2026-01-06,four,c\n1,2026-01-08,eight,d\n")
    second = run(sail, contract, lake)
    assert lake.rows(sail, Layer.SILVER, *VERSION) == [
        ("1", "eight", "d", 3, day(8), None, True, False),
        ("1", "four", "c", 2, day(4), day(8), False, False),
        ("1", "one", "a", 1, day(2), day(4), False, False),
    ]
    counts = [(r.rows, r.silver, r.superseded, r.duplicates, r.quarantine) for r in (first, second)]
    assert counts == [(2, 2, 0, 0, 0), (3, 1, 1, 1, 0)]  # the note of the 6th is taken into the 4th's version


def test_current_rows_beside_their_versions(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(*COLUMNS, history=TIMED | {"type": 4})
    lake.deliver("1.csv", HEADER + "1,2026-01-02,one,a\n2,2026-01-02,two,a\n1,2026-01-08,eight,d\n")
    run(sail, contract, lake)
    assert lake.rows(sail, Layer.SILVER, "id", "name", "_is_deleted") == [("1", "eight", False), ("2", "two", False)]
    path = lake.settings.table_path(Layer.SILVER, "things_history")
    versions = sail.read(path).select("id", "name", "_version", "_is_current").collect()
    assert {tuple(row) for row in versions} == {("1", "one", 1, False), ("1", "eight", 2, True), ("2", "two", 1, True)}


def test_a_record_that_a_corrected_rule_rejects_leaves_the_history(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    lake.deliver("1.csv", HEADER + "1,2026-01-02,one,a\n1,2026-01-04,bad,b\n")
    lake.deliver("2.csv", HEADER + "1,2026-01-06,six,c\n")
    run(sail, make_contract(*COLUMNS, history=TIMED | {"type": 2}), lake)
    rule = {"id": "good", "type": "custom", "engine": "levee", "implementation": {"row": "name <> 'bad'"}}
    result = run(sail, make_contract(*COLUMNS, quality=[rule], history=TIMED | {"type": 2}), lake, again=True)
    assert (result.silver, result.quarantine) == (2, 1)
    assert lake.rows(sail, Layer.SILVER, *VERSION) == [
        ("1", "one", "a", 1, day(2), day(6), False, False),
        ("1", "six", "c", 2, day(6), None, True, False),
    ]


def test_rows_lost_on_the_way_to_the_history_are_noticed(
    sail: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = make_contract(*COLUMNS, history=TIMED | {"type": 2})
    lake.deliver("1.csv", HEADER + "1,2026-01-02,one,a\n2,2026-01-02,two,b\n")
    whole = Engine.replace_keys
    monkeypatch.setattr(
        Engine, "replace_keys", lambda self, path, rows, *more: whole(self, path, rows.where("id = 1"), *more)
    )
    with pytest.raises(QualityError, match="2 records read, 1 accounted for"):
        run(sail, contract, lake)
    monkeypatch.undo()
    assert run(sail, contract, lake).silver == 2


def test_a_run_beside_this_one_is_not_overwritten(
    sail: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run commits changes of the same key, and tells it, between what this one reads and what it writes."""
    contract = make_contract(*COLUMNS, history=TIMED | {"type": 2})
    lake.deliver("1.csv", HEADER + "1,2026-01-02,one,a\n")
    whole = Engine.replace_keys
    others = iter([None])

    def beside(engine: Engine, *arguments: Any) -> None:
        if next(others, "none left") is None:
            lake.deliver("2.csv", HEADER + "1,2026-01-04,four,b\n")
            ingest(sail, contract, lake.run(2))
            refine(sail, contract, lake.run(2))
        whole(engine, *arguments)

    monkeypatch.setattr(Engine, "replace_keys", beside)
    run(sail, contract, lake)
    assert lake.rows(sail, Layer.SILVER, *VERSION) == [
        ("1", "four", "b", 2, day(4), None, True, False),
        ("1", "one", "a", 1, day(2), day(4), False, False),
    ]


# Change feeds

FEED = {"format": "jsonl", "envelope": "debezium"}
THINGS = (COLUMNS[0], {"name": "name", "logicalType": "string", "required": True})


def events(*changes: tuple[int, str, str, str | None]) -> str:
    """A delivery of Debezium's envelopes: sequence (and day), operation, key, value."""
    lines = []
    for sequence, op, key, name in changes:
        row = {"id": key, "name": name} if name else {"id": key}
        source = {"lsn": sequence, "ts_ms": int((day(1) + timedelta(days=sequence - 1)).timestamp() * 1000)}
        image = {"before": row, "after": None} if op == "d" else {"before": None, "after": row}
        lines.append(json.dumps({**image, "op": op, "source": source}))
    return "".join(f"{line}\n" for line in lines)


def of_feed(make_contract: MakeContract, **history: Any) -> Contract:
    return make_contract(*THINGS, ingestion=FEED, history={"businessKey": ["id"], **history})


CHANGES = ("id", "_op", "_sequence")
KEY_OF_A, KEY_OF_B, KEY_OF_C = 3709225625740740165, 8836848090508565499, 7880114227853082864
"""The first 63 bits of the SHA-256 of `1,a`, and so on: the text's length, then the text."""


def changes_of(engine: Engine, lake: Lake) -> list[tuple[Any, ...]]:
    path = lake.settings.table_path(Layer.SILVER, "things_changes")
    return sorted(tuple(row) for row in engine.read(path).select(*CHANGES).collect())


def test_a_feed_on_both_engines(engine: Engine, lake: Lake, make_contract: MakeContract) -> None:
    """Late, repeated and deleted: versions, current rows and their surrogate keys are the same on every engine."""
    contract = make_contract(
        *THINGS,
        key_of("thing_key", "id"),
        ingestion=FEED,
        history={"type": 4, "businessKey": ["id"]},
    )
    lake.deliver(
        "1.jsonl", events((1, "c", "a", "one"), (5, "u", "a", "five"), (2, "c", "b", "two"), (4, "d", "b", None))
    )
    run(engine, contract, lake)
    lake.deliver(
        "2.jsonl", events((3, "u", "a", "three"), (5, "u", "a", "five"), (9, "d", "c", None), (6, "r", "b", "two"))
    )
    lake.deliver("3.jsonl", events((8, "c", "c", "older than its delete"), (7, "u", "a", "five")))
    result = run(engine, contract, lake)
    assert (result.rows, result.silver, result.superseded, result.duplicates) == (6, 4, 1, 1)
    assert lake.rows(engine, Layer.SILVER, "thing_key", "id", "name", "_is_deleted", "_deleted_at") == [
        (KEY_OF_A, "a", "five", False, None),
        (KEY_OF_C, "c", "older than its delete", True, day(9)),
        (KEY_OF_B, "b", "two", False, None),
    ]
    path = lake.settings.table_path(Layer.SILVER, "things_history")
    shown = ("thing_key", "id", "_version", "name", "_valid_from", "_valid_to", "_is_current", "_is_deleted")
    assert sorted(tuple(row) for row in engine.read(path).select(*shown).collect()) == sorted(
        [
            (KEY_OF_A, "a", 1, "one", day(1), day(3), False, False),
            (KEY_OF_A, "a", 2, "three", day(3), day(5), False, False),
            (KEY_OF_A, "a", 3, "five", day(5), None, True, False),
            (KEY_OF_B, "b", 1, "two", day(2), day(4), False, True),
            (KEY_OF_B, "b", 2, "two", day(6), None, True, False),
            (KEY_OF_C, "c", 1, "older than its delete", day(8), day(9), False, True),
        ]
    )


def test_a_hard_delete_leaves_nothing_but_its_tombstone(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = of_feed(make_contract, type=2, deletes="hard")
    lake.deliver("1.jsonl", events((1, "c", "a", "one"), (3, "u", "a", "three"), (1, "c", "b", "stays")))
    run(sail, contract, lake)
    lake.deliver("2.jsonl", events((4, "d", "a", None)))
    assert run(sail, contract, lake).superseded == 1
    assert lake.rows(sail, Layer.SILVER, "id") == [("b",)]
    assert changes_of(sail, lake) == [("a", "d", 4), ("b", "c", 1)]
    lake.deliver("3.jsonl", events((2, "u", "a", "late"), (6, "c", "a", "again")))
    run(sail, contract, lake)
    assert lake.rows(sail, Layer.SILVER, "id", "name", "_version", "_valid_from") == [
        ("a", "again", 1, day(6)),
        ("b", "stays", 1, day(1)),
    ]
    assert changes_of(sail, lake) == [("a", "c", 6), ("a", "d", 4), ("b", "c", 1)]


def test_without_a_history_only_the_latest_change_is_kept(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    contract = of_feed(make_contract, type=1, deletes="none")
    lake.deliver("1.jsonl", events((1, "c", "a", "one"), (3, "u", "a", "three"), (4, "d", "a", None)))
    assert run(sail, contract, lake).superseded == 2
    assert lake.rows(sail, Layer.SILVER, "id", "name", "_is_deleted") == [("a", "three", False)]
    assert changes_of(sail, lake) == [("a", "d", 4), ("a", "u", 3)]


def test_a_delete_is_judged_by_its_key_alone(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = of_feed(make_contract, type=1, deletes="soft")
    lake.deliver("1.jsonl", events((1, "c", "a", "one"), (2, "d", "a", None), (3, "c", "b", None)) + KEYLESS + MESSAGES)
    result = run(sail, contract, lake)
    assert (result.rows, result.silver, result.superseded, result.quarantine) == (6, 1, 1, 2)
    assert result.rules == {"name_required": 1, "delete_unkeyed": 1}
    assert [(batch.messages, batch.duplicates, batch.balanced) for batch in result.batches] == [(2, 0, True)]


MESSAGES = 'null\n{"op": "m", "message": {"prefix": "p"}}\n'
"""Kafka's tombstone, and a message of the source's: about no row."""
KEYLESS = json.dumps({"before": {"name": "?"}, "after": None, "op": "d", "source": {"lsn": 9, "ts_ms": 0}}) + "\n"


def test_a_feed_without_a_history_is_refused(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(*THINGS, ingestion=FEED)
    lake.deliver("1.jsonl", events((1, "c", "a", "one")))
    with pytest.raises(ContractError, match="nothing says what the changes and deletes of the feed do"):
        run(sail, contract, lake)


# Snapshots


def at(lake: Lake, name: str, number: int) -> None:
    """Date a delivery."""
    stamp = (day(number) - datetime(1970, 1, 1)).total_seconds()
    os.utime(Path(lake.settings.deliveries("things")) / name, (stamp, stamp))


def test_snapshots_that_shrink_come_again_and_are_incomplete(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    history = {"type": 2, "businessKey": ["id"], "deliveries": "snapshots", "snapshot": "^([0-9]+)"}
    contract = make_contract(*THINGS, history=history)
    shots = {"1.csv": "a,x\nb,y\n", "2.csv": "a,x\n", "3.csv": "a,x\nb,y\n", "4-0.csv": "a,x\n", "4-1.csv": "b,\n"}
    for number, (name, rows) in enumerate(shots.items(), start=1):
        lake.deliver(name, "id,name\n" + rows)
        at(lake, name, number)
        run(sail, contract, lake)  # the third has the first one's bytes, the record of b in the fourth is rejected
    shown = ("id", "_version", "name", "_valid_from", "_valid_to", "_is_deleted")
    assert lake.rows(sail, Layer.SILVER, *shown) == [
        ("a", 1, "x", day(1), None, False),
        ("b", 1, "y", day(1), day(2), True),
        ("b", 2, "y", day(3), None, False),
    ]
    lake.deliver("5.csv", "id,name\n")
    at(lake, "5.csv", 9)
    run(sail, contract, lake)
    assert [row for row in lake.rows(sail, Layer.SILVER, *shown) if row[4] == day(9)] == [
        ("a", 1, "x", day(1), day(9), True),
        ("b", 2, "y", day(3), day(9), True),
    ]


# The law, over whole tables

EVENT = st.tuples(st.integers(1, 9), st.sampled_from("cud"), st.sampled_from("ab"), st.sampled_from("xy"))


def text_of(kind: str, rows: Sequence[tuple[Any, ...]]) -> str:
    if kind == "feed":
        return events(*((sequence, op, key, None if op == "d" else name) for sequence, op, key, name in rows))
    if kind == "snapshots":
        return "id,name\n" + "".join(f"{key},{name}\n" for key, name in {row[2]: row[3] for row in rows}.items())
    return HEADER + "".join(f"{key},2026-01-0{number},{name},{note}\n" for number, _, key, name in rows for note in "m")


LAWS: dict[str, tuple[tuple[dict[str, Any], ...], dict[str, Any]]] = {
    "feed": (THINGS, {"ingestion": FEED, "history": {"type": 2, "businessKey": ["id"], "deletes": "hard"}}),
    "columns": (COLUMNS, {"history": {**TIMED, "type": 4, "orderBy": ["name"]}}),
    "snapshots": (THINGS, {"history": {"type": 2, "businessKey": ["id"], "deliveries": "snapshots"}}),
}
NOT_TOLD = {"_file", "_file_sha256", "_line", "_copies", "_batch_id", "_ingested_at", "_run_id"}
"""What depends on which of identical records came first, and when."""


def told(engine: Engine, lake: Lake, contract: Contract) -> list[list[tuple[Any, ...]]]:
    """The rows of every table that readers see."""
    paths = [lake.settings.table_path(Layer.SILVER, name) for name in contract.silver_tables[:-1]]
    return [
        sorted((tuple(row) for row in frame.select(*sorted(set(frame.columns) - NOT_TOLD)).collect()), key=repr)
        for frame in map(engine.read, paths)
    ]


def law(
    sail: Engine, make_contract: MakeContract, make_lake: Callable[[], Lake], kind: str, data: st.DataObject
) -> None:
    """Deliver a few files at once to one lake, and one after another in any order, some again, to the other."""
    columns, custom = LAWS[kind]
    contract = make_contract(*columns, **custom)
    contents = data.draw(st.lists(st.lists(EVENT, min_size=1, max_size=4), min_size=3, max_size=4))
    suffix = "jsonl" if kind == "feed" else "csv"
    files = {f"{number}.{suffix}": text_of(kind, rows) for number, rows in enumerate(contents, start=1)}
    together, apart = make_lake(), make_lake()
    for number, (name, content) in enumerate(files.items(), start=1):
        together.deliver(name, content)
        at(together, name, number)
    run(sail, contract, together)
    arrival = data.draw(st.permutations(list(enumerate(files, start=1))))
    for number, name in [*arrival, data.draw(st.sampled_from(arrival))]:
        apart.deliver(name, files[name])
        at(apart, name, number)
        if data.draw(st.booleans()):
            run(sail, contract, apart)
    run(sail, contract, apart, again=data.draw(st.booleans()))
    assert told(sail, apart, contract) == told(sail, together, contract)


LAW = settings(
    deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("kind", LAWS)
@settings(LAW, max_examples=2)
@given(data=st.data())
def test_any_split_in_any_order_with_any_repetition_tells_the_same(
    sail: Engine, make_contract: MakeContract, make_lake: Callable[[], Lake], kind: str, data: st.DataObject
) -> None:
    law(sail, make_contract, make_lake, kind, data)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", LAWS)
@settings(LAW, max_examples=40)
@given(data=st.data())
def test_many_splits_tell_the_same(
    sail: Engine, make_contract: MakeContract, make_lake: Callable[[], Lake], kind: str, data: st.DataObject
) -> None:
    law(sail, make_contract, make_lake, kind, data)


# Late records and surrogate keys


@pytest.mark.parametrize(("policy", "counts"), [("accept", (3, 0)), ("quarantine", (2, 1))])
def test_late_records_are_counted_and_stay_late_in_a_replay(
    sail: Engine, lake: Lake, make_contract: MakeContract, policy: str, counts: tuple[int, int]
) -> None:
    contract = make_contract(*COLUMNS, lateness={"column": "at", "allowed": "P2D", "policy": policy})
    lake.deliver("1.csv", HEADER + "1,2026-01-02,one,a\n2,2026-01-10,two,a\n3,2999-01-01,a wrong clock,a\n")
    assert run(sail, contract, lake).rules == {}
    lake.deliver("2.csv", HEADER + "4,2026-01-09,in time,a\n5,2026-01-08,just,a\n6,2026-01-07,late,a\n")
    result = run(sail, contract, lake)
    assert (result.silver, result.quarantine, result.rules) == (*counts, {"late": 1})
    replayed = run(sail, contract, lake, again=True)
    assert (replayed.quarantine, replayed.rules) == (counts[1], {"late": 1})


def test_two_keys_that_share_a_surrogate_fail_the_batch(
    sail: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = make_contract(*COLUMNS, key_of("key", "id", "at"))
    monkeypatch.setattr(surrogate, "BITS", 1)
    lake.deliver("1.csv", HEADER + "1,2026-01-02,one,a\n1,2026-01-02,two,a\n")
    assert run(sail, contract, lake).silver == 2
    lake.deliver("2.csv", HEADER + "2,2026-01-02,one,a\n3,2026-01-02,one,a\n")
    with pytest.raises(QualityError, match="2 keys of id, at share the surrogate"):
        run(sail, contract, lake)
    assert lake.rows(sail, Layer.SILVER, "id") == [("1",), ("1",)]


def test_a_surrogate_is_made_of_the_pseudonym_of_a_masked_column(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    masking = {"classification": "personal", "customProperties": [{"property": "masking", "value": {"method": "hash"}}]}
    contract = make_contract(COLUMNS[0] | masking, COLUMNS[2], key_of("key", "id"))
    lake.deliver("1.csv", "id,name\n1,one\n")
    run(sail, contract, lake)
    ((pseudonym, key),) = lake.rows(sail, Layer.SILVER, "id", "key")
    digest = hashlib.sha256(f"{len(pseudonym)},{pseudonym}".encode()).hexdigest()
    assert key == int(digest[:16], 16) >> 4 << 3 | int(digest[15], 16) % 8


# Readers


def test_quality_and_maintenance_see_current_rows_and_every_table(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    """A key of two versions is unique, for checks are about what holds now; and each table is cared for."""
    unique = COLUMNS[0] | {"unique": True, "primaryKey": True}
    enough = {"id": "enough", "metric": "rowCount", "mustBe": 2}
    contract = make_contract(unique, *COLUMNS[1:], quality=[enough], history=TIMED | {"type": 2})
    lake.deliver("1.csv", HEADER + "1,2026-01-02,one,a\n1,2026-01-04,four,a\n2,2026-01-02,two,a\n,2026-01-02,none,a\n")
    run(sail, contract, lake)
    found = {
        line.check_id: line.success for line in check(sail, lake.settings, contract).lines if line.batch == "table"
    }
    assert found == {"enough": True, "id_unique": True, "primary_key": True}
    domain = Domain("test", lake.folder, (contract,), ())
    cared = {Path(care.path).name: care.expired for care in plan(lake.settings, domain) if care.layer is Layer.SILVER}
    assert set(cared) == {"things", "things_changes"}
