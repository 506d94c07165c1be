"""A large batch is staged and its files taken over; a small one is computed anew: silver is the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.dataset as pa_dataset
import pytest

from pipelines.bronze.ingest import ingest
from pipelines.engine import Engine
from pipelines.engine.staging import Staged
from pipelines.failpoints import failpoint
from pipelines.quality.metrics import METRICS
from pipelines.settings import Layer
from pipelines.silver import refinement
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

COLUMNS: tuple[dict[str, Any], ...] = (
    {"name": "id", "logicalType": "integer", "physicalType": "int", "required": True},
    {
        "name": "name",
        "logicalType": "string",
        "classification": "personal",
        "customProperties": [{"property": "masking", "value": {"method": "token"}}],
    },
    {"name": "price", "logicalType": "number", "physicalType": "decimal(9,2)"},
    {"name": "at", "logicalType": "timestamp", "physicalType": "timestamp"},
)
CONTRACT: dict[str, Any] = {
    "quality": [
        {"id": "positive", "type": "custom", "engine": "levee", "implementation": {"row": "price > 0"}},
        {
            "id": "kept",
            "type": "custom",
            "engine": "levee",
            "implementation": {"reconciliation": {"column": "price"}},
        },
    ],
    "lateness": {"column": "at", "allowed": "P2D", "policy": "quarantine"},
}
HEADER = "id,name,price,at\n"
FIRST = HEADER + (
    "1,ann,1.50,2026-01-10 00:00:00\n1,ann,1.50,2026-01-10 00:00:00\n2,bob,-1,2026-01-10 00:00:00\n"
    "x,secretive,3,2026-01-10 00:00:00\nx,secretive,3,2026-01-10 00:00:00\n3,ann,,2026-01-01 00:00:00\n4,ragged\n"
)
LATE = HEADER + "3,ann,,2026-01-01 00:00:00\n5,cid,2,2026-01-11 00:00:00\n"
REPEATS = HEADER + "1,ann,1.50,2026-01-10 00:00:00\n6,dan,4,2026-01-12 00:00:00\n"
METRIC = ("kind", "subject", "part", "definition", "accepted", "rejected")


def refined(engine: Engine, lake: Lake, contract: Any) -> tuple[Any, ...]:
    """Take three deliveries in, one after the other; return what is in the tables, and the counts."""
    counts = []
    for number, content in enumerate((FIRST, LATE, REPEATS)):
        lake.deliver(f"{number}.csv", content)
        settings = replace(lake.run(number), started=datetime(2026, 2, 1 + number, tzinfo=UTC))
        ingest(engine, contract, settings)
        result = refine(engine, contract, settings)
        counts.append((result.silver, result.duplicates, result.quarantine, result.rules))
    metrics = engine.rows(lake.settings.record_path(METRICS), METRIC).to_pylist()
    counted = sorted(str(row) for row in metrics if row["kind"] != "version")
    return lake.rows(engine, Layer.SILVER), lake.rows(engine, Layer.QUARANTINE), counts, counted


def test_staged_or_computed_silver_is_the_same(
    sail: Engine, make_lake: Callable[[], Lake], make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = make_contract(*COLUMNS, **CONTRACT)
    computed = refined(sail, make_lake(), contract)
    adopted = []
    adopt = Staged.adopt

    def told(self: Staged, *asked: Any) -> bool:
        adopted.append(adopt(self, *asked))
        return adopted[-1]

    monkeypatch.setattr(Staged, "adopt", told)
    monkeypatch.setattr(refinement, "COMPUTED_ROWS", -1)
    lake = make_lake()
    assert refined(sail, lake, contract) == computed
    assert computed[2] == [
        (2, 2, 3, {"positive": 1, "id_type": 1, "id_required": 1, "parse_ragged": 1}),
        (1, 0, 1, {"late": 1}),
        (1, 1, 0, {}),
    ]
    assert adopted == [True, True], "of the third batch a row is there already, so the other is written"
    folder = Path(refinement.staging_path(lake.settings, "things"))
    assert list(folder.iterdir()) == [], "nothing stays of what was staged"


def test_nothing_personal_is_staged_that_silver_would_not_have(
    sail: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(refinement.staging_path(lake.settings, "things"))
    seen: list[str] = []

    def look(name: str) -> None:
        if name == "silver.staged":
            for file in folder.rglob("*.parquet"):
                seen.extend(map(str, pa_dataset.dataset(file).to_table().to_pylist()))
            seen.extend(log.read_text() for log in folder.rglob("*.json"))
        failpoint(name)

    monkeypatch.setattr(refinement, "failpoint", look)
    monkeypatch.setattr(refinement, "COMPUTED_ROWS", -1)
    lake.deliver("a.csv", FIRST)
    contract = make_contract(*COLUMNS)
    ingest(sail, contract, lake.settings)
    assert refine(sail, contract, lake.settings).quarantine
    assert any("'price': Decimal('1.50')" in text for text in seen)
    for value in ("ann", "bob", "secretive"):
        assert not any(value in text for text in seen), value


def test_what_a_killed_run_left_goes_with_the_next(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    folder = Path(refinement.staging_path(lake.settings, "things"))
    (folder / "dead").mkdir(parents=True)
    (folder / "dead.lock").touch()
    lake.deliver("a.csv", FIRST)
    contract = make_contract(*COLUMNS)
    ingest(sail, contract, lake.settings)
    refine(sail, contract, lake.settings)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("lines", ["1,ann,1,2026-01-10 00:00:00\n", "x,ann,1,2026-01-10 00:00:00\n", "2,ragged\n"])
def test_a_batch_whose_verdicts_are_all_the_same(
    sail: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch, lines: str
) -> None:
    """Sail takes a column that is the same in all rows of a file for a constant, and plans another query then."""
    monkeypatch.setattr(refinement, "COMPUTED_ROWS", -1)
    contract = make_contract(*COLUMNS)
    lake.deliver("a.csv", HEADER + lines)
    ingest(sail, contract, lake.settings)
    result = refine(sail, contract, lake.settings)
    assert (result.silver, result.quarantine) == ((1, 0) if lines.startswith("1") else (0, 1))
