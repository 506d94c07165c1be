"""What a contract may say of histories, surrogate keys and late records; and the order of deliveries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.contracts.extensions import History
from pipelines.errors import ContractError
from pipelines.silver.lateness import watermarks
from pipelines.silver.turns import Delivered, turns

if TYPE_CHECKING:
    from conftest import MakeContract

COLUMNS: tuple[dict[str, Any], ...] = (
    {"name": "id", "logicalType": "string", "required": True},
    {"name": "at", "logicalType": "date", "required": True},
    {"name": "name", "logicalType": "string"},
    {"name": "rate", "logicalType": "number", "physicalType": "double"},
)
KEYED = {"type": 2, "businessKey": ["id"]}
FEED = {"format": "jsonl", "envelope": "debezium"}


def surrogate(name: str = "key", *of: str, **more: Any) -> dict[str, Any]:
    properties = [{"property": "surrogateKey", "value": {"of": of or ("id",)}}]
    return {"name": name, "logicalType": "integer", "physicalType": "bigint", "customProperties": properties} | more


@pytest.mark.parametrize(
    ("complaint", "columns", "custom"),
    [
        ("'idd', which there is not", (), {"history": {"type": 1, "businessKey": ["idd"]}}),
        ("name tells changes apart and may be null", (), {"history": KEYED | {"businessKey": ["name"]}}),
        ("no date or timestamp", (), {"history": KEYED | {"effectiveFrom": "id"}}),
        ("never changes", (), {"history": KEYED | {"tracked": ["id"]}}),
        ("the order of the envelope's sequence", (), {"history": KEYED | {"orderBy": ["at"]}, "ingestion": FEED}),
        ("the order of their names", (), {"history": KEYED | {"orderBy": ["at"], "deliveries": "snapshots"}}),
        ("a full snapshot or has the changes", (), {"history": KEYED | {"deliveries": "snapshots"}, "ingestion": FEED}),
        (
            "history needs former snapshots",
            (),
            {"history": KEYED | {"deliveries": "snapshots"}, "redelivery": {"policy": "replace"}},
        ),
        ("2 groups", (), {"history": KEYED | {"snapshot": "(a)(b)"}}),
        ("is a bigint", (surrogate(physicalType="int"),), {}),
        ("nothing else is asked of it", (surrogate(required=True),), {}),
        ("the text of rate, a double, in different ways", (surrogate("key", "rate"),), {}),
        ("made of one, key", (surrogate(), surrogate("other", "key")), {}),
        ("lateness.column is name", (), {"lateness": {"column": "name", "allowed": "P1D"}}),
        ("no duration", (), {"lateness": {"column": "at", "allowed": "2 days"}}),
    ],
)
def test_what_does_not_fit_is_refused(
    make_contract: MakeContract, complaint: str, columns: tuple[dict[str, Any], ...], custom: dict[str, Any]
) -> None:
    with pytest.raises(ContractError, match=complaint.replace("(", "[(]")):
        make_contract(*COLUMNS, *columns, **custom)


@pytest.mark.parametrize(
    ("kind", "tables", "current"),
    [
        (1, ("things", "things_changes"), "NOT _is_deleted"),
        (2, ("things", "things_changes"), "_is_current"),
        (4, ("things", "things_history", "things_changes"), "NOT _is_deleted"),
    ],
)
def test_tables_and_current_rows(make_contract: MakeContract, kind: int, tables: tuple[str, ...], current: str) -> None:
    contract = make_contract(*COLUMNS, history=KEYED | {"type": kind})
    assert (contract.silver_tables, contract.current_rows) == (tables, current)
    plain = make_contract(*COLUMNS)
    assert (plain.silver_tables, plain.current_rows) == (("things",), None)


DAY = datetime(2026, 1, 1, tzinfo=UTC)


def on(name: str, number: int, sha: str) -> Delivered:
    return Delivered(name, int((DAY + timedelta(days=number)).timestamp()) * 10**9, sha)


def history(**more: Any) -> History:
    return History.model_validate({"type": 2, "businessKey": ["id"], "deliveries": "snapshots", **more})


def test_files_of_one_folder_are_a_snapshot_and_a_name_that_comes_again_is_the_next() -> None:
    found = {on("b/1", 3, "b1"), on("a/2", 1, "a2"), on("a/1", 1, "a1"), on("b/1", 9, "a1")}
    told = turns(found, history(snapshot="^(.*)/"), incomplete={"b1"})
    assert [(turn.file_sha256, turn.snapshot, turn.next_complete) for turn in told] == [
        ("a1", 0, 2), ("a2", 0, 2), ("b1", 1, 2), ("a1", 2, None),
    ]  # fmt: skip
    assert [turn.at for turn in told] == [DAY + timedelta(days=number) for number in (1, 1, 3, 9)]


def test_a_column_may_say_since_when_a_snapshot_holds_and_time_does_not_run_backwards() -> None:
    found = {on("1", 5, "x"), on("2", 6, "y"), on("3", 7, "empty")}
    told = turns(found, history(effectiveFrom="at"), effective={"x": DAY, "y": DAY - timedelta(days=1)})
    assert [turn.at for turn in told] == [DAY, DAY, DAY]
    assert [turn.next_complete for turn in told] == [1, 2, None]


def test_a_watermark_is_of_what_came_before() -> None:
    days = [DAY + timedelta(days=number) for number in range(4)]
    found = watermarks([days[2], None, days[1], days[3]], timedelta(days=1))
    assert found == [None, days[1], days[1], days[1]]
