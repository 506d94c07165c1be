"""Which tables a domain has, what care each wants, and giving it: OPTIMIZE, ZORDER BY, VACUUM.

A table that nobody has written since its last care is left alone, so that running twice rewrites nothing. Where a care
was given is kept in the table ``maintenance``; a run that dies before it is written cares again, which is safe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.contracts.domain import Domain
from pipelines.contracts.model import Contract
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.runs import recorded
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine

RECORD = "maintenance"
"""Table under checkpoints: the last care of each table."""
_RECORD_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("version", pa.int64()),
        ("optimized", pa.bool_()),
        ("z_order_by", pa.list_(pa.string())),
        ("vacuum_hours", pa.int64()),
        ("run_id", pa.string()),
        ("cared_at", TIMESTAMP),
    ]
)


@dataclass(frozen=True, slots=True)
class Care:
    """What one table wants.

    Attributes:
        path: Where it is.
        layer: Its layer.
        name: Its name.
        optimize: Compact small files.
        z_order_by: Columns that rows are clustered by; only where the published columns are, in silver and gold.
        vacuum_hours: Files that left the table so long ago go.
    """

    path: str
    layer: Layer
    name: str
    optimize: bool
    z_order_by: tuple[str, ...]
    vacuum_hours: int


@dataclass(frozen=True, slots=True)
class Cared:
    """What was done to one table.

    Attributes:
        care: What it wanted.
        before: Its version before.
        after: Its version after; the same where nothing had changed since the last care.
        unchanged: Nobody had written it since, so it was left alone.
    """

    care: Care
    before: int
    after: int
    unchanged: bool


def plan(settings: RunSettings, domain: Domain) -> tuple[Care, ...]:
    """List the tables of the job's sources and gold with the care that their contracts ask for."""
    sources = domain.choose(settings.sources)
    wanted = [
        _care(settings, contract, layer)
        for contract in sources
        for layer in (Layer.BRONZE, Layer.SILVER, Layer.QUARANTINE)
    ]
    wanted.extend(_care(settings, contract, Layer.GOLD) for contract in domain.gold_tables(sources))
    return tuple(wanted)


def maintain(
    engine: Engine, settings: RunSettings, domain: Domain, report: Callable[[int, int], None] | None = None
) -> tuple[Cared, ...]:
    """Care for every table of `plan` that exists.

    Args:
        engine: The open engine.
        settings: Roots, domain and sources.
        domain: The domain.
        report: Called with tables done and tables in all.
    """
    record = settings.record_path(RECORD)
    last = _last_versions(engine, record)
    found = [(care, engine.version(care.path)) for care in plan(settings, domain) if engine.exists(care.path)]
    done = [Cared(care, version, version, unchanged=True) for care, version in found if last.get(care.path) == version]
    due = [(care, version) for care, version in found if last.get(care.path) != version]
    for dataset in dict.fromkeys(care.name for care, _ in due):
        with recorded(engine, settings, "maintain", domain.contract(dataset)):
            cared = [_give(engine, care, version) for care, version in due if care.name == dataset]
            rows = [_row(settings, one) for one in cared]
            engine.append(record, pa.Table.from_pylist(rows, schema=_RECORD_SCHEMA))
        done.extend(cared)
        if report:
            report(len(done), len(found))
    return tuple(done)


def _give(engine: Engine, care: Care, before: int) -> Cared:
    if care.optimize:
        engine.optimize(care.path, care.z_order_by)
    engine.vacuum(care.path, care.vacuum_hours)
    return Cared(care, before, engine.version(care.path), unchanged=False)


def _care(settings: RunSettings, contract: Contract, layer: Layer) -> Care:
    published = layer in (Layer.SILVER, Layer.GOLD)
    return Care(
        path=settings.table_path(layer, contract.dataset),
        layer=layer,
        name=contract.dataset,
        optimize=contract.maintenance.optimize,
        z_order_by=contract.maintenance.z_order_by if published else (),
        vacuum_hours=contract.maintenance.vacuum_hours,
    )


def _last_versions(engine: Engine, record: str) -> dict[str, int]:
    if not engine.exists(record):
        return {}
    rows = sorted(engine.rows(record, ["path", "version", "cared_at"]).to_pylist(), key=lambda row: row["cared_at"])
    return {row["path"]: row["version"] for row in rows}


def _row(settings: RunSettings, cared: Cared) -> dict[str, object]:
    return {
        "path": cared.care.path,
        "version": cared.after,
        "optimized": cared.care.optimize,
        "z_order_by": list(cared.care.z_order_by),
        "vacuum_hours": cared.care.vacuum_hours,
        "run_id": settings.run_id,
        "cared_at": datetime.now(UTC),
    }
