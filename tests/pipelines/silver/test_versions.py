"""The law of histories: any split of the changes into batches, in any order, with any repetition, tells the same.

What a history is stands here once more, in plain Python and in another way than silver does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.engine import Engine
from pipelines.engine.arrow_types import from_arrow_schema
from pipelines.silver.turns import Delivered, turns
from pipelines.silver.versions import Versions, history_of

if TYPE_CHECKING:
    from conftest import MakeContract

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS: tuple[dict[str, Any], ...] = (
    {"name": "id", "logicalType": "string", "required": True},
    {"name": "at", "logicalType": "timestamp", "required": True},
    {"name": "tracked", "logicalType": "string"},
    {"name": "other", "logicalType": "string"},
)
DELETES = ("none", "soft", "hard")


@dataclass(frozen=True, order=True)
class Change:
    """One change of a key; changes compare in their order.

    Attributes:
        key: Business key.
        order: Place in the order.
        at: Since when it holds by its own word.
        delete: Whether it is a tombstone.
        tracked: Value of the tracked columns.
        other: Value of the others.
    """

    key: str
    order: tuple[Any, ...]
    at: int
    delete: bool = False
    tracked: str = ""
    other: str = ""


@dataclass
class Version:
    """One version of a key."""

    tracked: str
    other: str
    valid_from: int
    valid_to: int | None = None
    deleted: bool = False


def versions(changes: Iterable[Change], deletes: str, *, corrects: bool) -> dict[str, list[Version]]:
    """Walk through each key's changes, first to last.

    Args:
        changes: In any order, with any repetition.
        deletes: `none`, `soft` or `hard`.
        corrects: A change corrects another one of the same time.
    """
    found: dict[str, list[Version]] = {}
    for key, mine in groupby(sorted(set(changes)), key=lambda change: change.key):
        walked = list(mine)
        if corrects:
            walked = list({change.at: change for change in walked}.values())
        told = _walk(walked, deletes)
        if told:
            found[key] = told
    return found


def _walk(changes: Sequence[Change], deletes: str) -> list[Version]:
    told: list[Version] = []
    now = 0
    for change in changes:
        now = max(now, change.at)
        alive = bool(told) and not told[-1].deleted
        if change.delete:
            if alive and deletes != "none":
                told[-1].valid_to, told[-1].deleted = now, True
            if deletes == "hard":
                told, now = [], change.at
        elif alive and told[-1].tracked == change.tracked:
            told[-1].other = change.other
        else:
            if alive:
                told[-1].valid_to = now
            told.append(Version(change.tracked, change.other, now))
    return told


def latest(changes: Iterable[Change], deletes: str) -> dict[str, tuple[str, str, int | None]]:
    """Return each key's last row, and when it was deleted; times count from the last change that is no delete."""
    found = {}
    for key, mine in groupby(sorted(set(changes)), key=lambda change: change.key):
        last: Change | None = None
        deleted: int | None = None
        now = 0
        for change in mine:
            if not change.delete:
                last, deleted, now = change, None, change.at
            elif deletes != "none":
                now = max(now, change.at)
                deleted = now if deleted is None else deleted
                last = None if deletes == "hard" else last
        if last:
            found[key] = (last.tracked, last.other, deleted)
    return found


def settled(changes: Iterable[Change], type_: int, deletes: str) -> set[Change]:
    """Return the changes that may be forgotten."""
    gone: set[Change] = set()
    known = sorted(set(changes))
    for change in known:
        later = [other for other in known if other.key == change.key and other > change]
        if deletes == "hard" and any(other.delete for other in later):
            gone.add(change)
        if type_ == 1 and any(not other.delete for other in later):
            gone.add(change)
    return gone


feed = st.lists(
    st.builds(
        lambda key, sequence, at, delete, tracked, other: Change(
            key, (sequence, f"{delete}{tracked}{other}{at}"), at, delete, *(("", "") if delete else (tracked, other))
        ),
        st.sampled_from("ab"),
        st.integers(1, 8),
        st.integers(1, 5),
        st.booleans(),
        st.sampled_from("xy"),
        st.sampled_from("mn"),
    ),
    max_size=10,
)
"""Changes of a CDC feed, whose clock may run backwards, and several of which may have one sequence."""


@st.composite
def batched(draw: st.DrawFn) -> tuple[list[Change], list[list[Change]]]:
    """Changes, and the same ones in batches, in any order, some of them again."""
    changes = draw(feed)
    again = draw(st.lists(st.sampled_from(changes), max_size=4)) if changes else []
    shuffled = draw(st.permutations([*changes, *again]))
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=4)))
    return changes, [shuffled[i:j] for i, j in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]


@settings(max_examples=600, deadline=None)
@given(drawn=batched(), deletes=st.sampled_from(DELETES))
def test_batches_may_forget_what_is_settled(drawn: tuple[list[Change], list[list[Change]]], deletes: str) -> None:
    changes, batches = drawn
    for type_ in (1, 2):
        kept: set[Change] = set()
        for batch in batches:
            kept |= set(batch)
            kept -= settled(kept, type_, deletes)
        assert latest(kept, deletes) == latest(changes, deletes)
        if type_ == 2:
            assert versions(kept, deletes, corrects=False) == versions(changes, deletes, corrects=False)


def frame_of(engine: Engine, changes: Sequence[Change], *, cdc: bool) -> Any:
    """The changes as silver keeps them."""
    rows = [
        {
            "id": change.key,
            "at": EPOCH + timedelta(days=change.at),
            "tracked": change.tracked,
            "other": change.other,
            "_file": "f",
            "_file_sha256": "s",
            "_line": number,
            "_copies": 1,
            "_row_hash": change.order[-1],
            "_op": "d" if change.delete else "u",
            "_sequence": change.order[0],
            "_changed_at": EPOCH + timedelta(days=change.at),
            "_batch_id": "b",
            "_ingested_at": EPOCH,
            "_run_id": "r",
        }
        for number, change in enumerate(sorted(set(changes), key=lambda change: hash((change.order, change.key))))
    ]
    stamp = pa.timestamp("us", tz="UTC")
    kinds = {"at": stamp, "_line": pa.int64(), "_copies": pa.int64(), "_sequence": pa.int64(), "_changed_at": stamp}
    names = [
        "id", "at", "tracked", "other", "_file", "_file_sha256", "_line", "_copies", "_row_hash",
        *(("_op", "_sequence", "_changed_at") if cdc else ()), "_batch_id", "_ingested_at", "_run_id",
    ]  # fmt: skip
    kinds["_ingested_at"] = stamp
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in names])
    table = pa.Table.from_pylist([{name: row[name] for name in names} for row in rows], schema=schema)
    return engine.spark.createDataFrame(table, from_arrow_schema(schema))


def days(at: datetime | None) -> int | None:
    return None if at is None else (at.replace(tzinfo=UTC) - EPOCH).days


def told(plan: Versions, other: str = "other") -> dict[str, list[Version]]:
    columns = ("id", "tracked", other, "_valid_from", "_valid_to", "_is_deleted", "_version", "_is_current", "_copies")
    found: dict[str, list[Version]] = {}
    for row in sorted(plan.versions().select(*columns).collect(), key=lambda row: (row["id"], row["_version"])):
        mine = found.setdefault(row["id"], [])
        assert row["_version"] == len(mine) + 1
        assert row["_is_current"] == (row["_valid_to"] is None)
        start, end = days(row["_valid_from"]), days(row["_valid_to"])
        assert start is not None
        mine.append(Version(row["tracked"], row[other], start, end, row["_is_deleted"]))
    return found


def everything(engine: Engine, contract: Any, changes: Sequence[Change], *, cdc: bool) -> None:
    """Hold what silver tells of changes against the model."""
    deletes, type_ = contract.history.deletes, contract.history.type
    plan = Versions.of(contract, frame_of(engine, changes, cdc=cdc), ())
    if type_ == 1:
        found = {row["id"]: (row["tracked"], row["other"], days(row["_deleted_at"])) for row in plan.latest().collect()}
        assert found == latest(changes, deletes)
    else:
        assert told(plan) == versions(changes, deletes, corrects=not cdc)
    forgotten = plan.settled()
    lines = dict(enumerate(sorted(set(changes), key=lambda change: hash((change.order, change.key)))))
    gone = set() if forgotten is None else {lines[row["_line"]] for row in forgotten.collect()}
    assert gone == (settled(changes, type_, deletes) if forgotten is not None else set())


@pytest.mark.parametrize("deletes", DELETES)
@pytest.mark.parametrize("type_", [1, 2])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=feed)
def test_sail_tells_what_the_model_tells(
    sail: Engine, make_contract: MakeContract, type_: int, deletes: str, changes: list[Change]
) -> None:
    history = {"type": type_, "businessKey": ["id"], "tracked": ["tracked"], "deletes": deletes}
    contract = make_contract(*COLUMNS, ingestion={"format": "jsonl", "envelope": "debezium"}, history=history)
    everything(sail, contract, changes, cdc=True)


timed = st.lists(
    st.builds(
        lambda key, at, tracked, other, digest: Change(key, (at, other, digest + tracked), at, False, tracked, other),
        st.sampled_from("ab"),
        st.integers(1, 5),
        st.sampled_from("xy"),
        st.sampled_from("mn"),
        st.sampled_from("123"),
    ),
    max_size=10,
)
"""Changes that say themselves since when they hold; of two of one time the later by `other`, then by hash, counts."""


@pytest.mark.parametrize("type_", [1, 2])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=timed)
def test_business_time_orders_changes_and_corrects_those_of_its_own_time(
    sail: Engine, make_contract: MakeContract, type_: int, changes: list[Change]
) -> None:
    history = {"type": type_, "businessKey": ["id"], "effectiveFrom": "at", "orderBy": ["other"]}
    contract = make_contract(*COLUMNS, history=history | {"tracked": ["tracked"]})
    everything(sail, contract, changes, cdc=False)


Snapshot = tuple[bool, Mapping[str, str]]
"""Whether all of its records were good, and the value of each key."""
snapshots = st.lists(st.tuples(st.booleans(), st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"))))


def spelt_out(shots: Sequence[Snapshot]) -> list[Change]:
    """Snapshots as changes: what a complete one lacks was deleted."""
    changes: list[Change] = []
    for day, (complete, values) in enumerate(shots):
        changes += [Change(key, (day,), day, False, value) for key, value in values.items()]
        lacking = {change.key for change in changes} - values.keys()
        changes += [Change(key, (day,), day, delete=True) for key in lacking if complete]
    return changes


@pytest.mark.parametrize("deletes", DELETES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shots=snapshots)
def test_a_key_that_a_complete_snapshot_lacks_is_deleted(
    sail: Engine, make_contract: MakeContract, deletes: str, shots: list[Snapshot]
) -> None:
    history = {"type": 2, "businessKey": ["id"], "deliveries": "snapshots", "deletes": deletes}
    contract = make_contract(COLUMNS[0], COLUMNS[2], history=history)
    contents = {str(shot): shot for shot in shots}
    rows = [
        {"id": key, "tracked": value, "_file_sha256": name, "_line": line, "_row_hash": f"{key}{value}", "_run_id": ""}
        for name, (_, values) in contents.items()
        for line, (key, value) in enumerate(values.items())
    ]
    kinds = {"_line": pa.int64(), "_copies": pa.int64(), "_ingested_at": pa.timestamp("us", tz="UTC")}
    names = ("id", "tracked", "_file", "_file_sha256", "_line", "_copies", "_row_hash", "_batch_id", "_ingested_at")
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in (*names, "_run_id")])
    changes = sail.spark.createDataFrame(pa.Table.from_pylist(rows, schema=schema), from_arrow_schema(schema))
    found = [
        Delivered(f"{day:03}.csv", int((EPOCH + timedelta(days=day)).timestamp()) * 10**9, str(shot))
        for day, shot in enumerate(shots)
    ]
    order = turns(found, history_of(contract), incomplete={str(shot) for shot in shots if not shot[0]})
    plan = Versions.of(contract, changes, order)
    assert told(plan, other="_run_id") == versions(spelt_out(shots), deletes, corrects=False)
