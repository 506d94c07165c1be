"""Which tables a domain has, what care each wants, and giving it: retention, compaction, clustering, vacuum.

A table that nobody has written since its last care is left alone, so that running twice rewrites nothing. Where a care
was given is kept in the table ``maintenance``; a run that dies before it is written cares again, which is safe.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.contracts.catalogue import RECORDS
from pipelines.contracts.domain import Domain
from pipelines.contracts.model import Contract
from pipelines.engine import care as deltas
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.engine.capabilities import Capability
from pipelines.engine.care import TableFiles
from pipelines.maintain import expiry
from pipelines.runs import recorded
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine

RECORD = "maintenance"
"""Table under checkpoints: every care of each table, with its files before and after."""
NOT_YET = -1
"""Version in the record of a care that has only begun."""
SCATTERED = 64
"""Files of a table of records above which it is compacted: each task run adds one."""
RECORDS_VACUUM_HOURS = 168
_FILES = ("files", "bytes", "small_files", "without_statistics", "stored_files", "stored_bytes")
_RECORD_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("version", pa.int64()),
        ("optimized", pa.bool_()),
        ("z_order_by", pa.list_(pa.string())),
        ("vacuum_hours", pa.int64()),
        ("expired_rows", pa.int64()),
        ("run_id", pa.string()),
        ("cared_at", TIMESTAMP),
        # A table that was made before these gets them with the next care.
        *((f"{name}_{when}", pa.int64()) for when in ("before", "after") for name in _FILES),
    ]
)


@dataclass(frozen=True, slots=True)
class Care:
    """What one table wants.

    Attributes:
        path: Where it is.
        layer: Its layer.
        name: Its dataset.
        optimize: Compact small files.
        cluster_by: Columns that rows are clustered by; only where the published columns are, in silver and gold.
        vacuum_hours: Files that left the table so long ago go.
        expired: SQL that is true for rows past the contract's retention; ``None`` where rows stay for ever.
    """

    path: str
    layer: Layer
    name: str
    optimize: bool
    cluster_by: tuple[str, ...]
    vacuum_hours: int
    expired: str | None

    @property
    def table(self) -> str:
        """``LAYER.TABLE``; a dataset may have several in silver."""
        return f"{self.layer.value}.{self.path.rsplit('/', 1)[-1]}"


@dataclass(frozen=True, slots=True)
class Cared:
    """What was done to one table.

    Attributes:
        care: What it wanted.
        before: Its version before.
        after: Its version after; the same where nothing had changed since the last care.
        unchanged: Nobody had written it since and no row was past its time, so it was left alone.
        expired_rows: Rows that were deleted because they were past the contract's retention.
        files_before: What it was made of; ``None`` where it was left alone.
        files_after: What it is made of now.
    """

    care: Care
    before: int
    after: int
    unchanged: bool
    expired_rows: int = 0
    files_before: TableFiles | None = None
    files_after: TableFiles | None = None


def plan(settings: RunSettings, domain: Domain) -> tuple[Care, ...]:
    """List the tables of the job's sources and gold with the care that their contracts ask for."""
    sources = domain.choose(settings.sources)
    wanted = [
        _care(settings, contract, layer, table)
        for contract in sources
        for layer in (Layer.BRONZE, Layer.SILVER, Layer.QUARANTINE)
        for table in (contract.silver_tables if layer is Layer.SILVER else [contract.dataset])
    ]
    wanted.extend(
        _care(settings, contract, contract.published, contract.dataset) for contract in domain.buildable(sources)
    )
    return tuple(wanted)


def maintain(
    engine: Engine, settings: RunSettings, domain: Domain, report: Callable[[int, int], None] | None = None
) -> tuple[Cared, ...]:
    """Care for every table of `plan` that exists, then for the domain's tables of records.

    Args:
        engine: The open engine.
        settings: Roots, domain and sources.
        domain: The domain.
        report: Called with tables done and tables in all.
    """
    record = settings.record_path(RECORD)
    last = _last_versions(engine, record)
    found = [(care, engine.version(care.path)) for care in plan(settings, domain) if engine.exists(care.path)]
    old = {care.path: expiry.count(engine, care.path, care.expired) for care, _ in found if care.expired}
    due = [(care, before) for care, before in found if old.get(care.path) or last.get(care.path) != before]
    done = [Cared(care, before, before, unchanged=True) for care, before in found if (care, before) not in due]

    def keep(cared: Sequence[Cared]) -> None:
        if cared:
            rows = [_row(settings, one) for one in cared]
            engine.append(record, pa.Table.from_pylist(rows, schema=_RECORD_SCHEMA))

    for dataset in dict.fromkeys(care.name for care, _ in due):
        with recorded(engine, settings, "maintain", domain.contract(dataset)) as tally:
            tally.not_run.extend(_lacking(engine, [care for care, _ in due if care.name == dataset]))
            mine = [(care, before, old.get(care.path, 0)) for care, before in due if care.name == dataset]
            # Kept first: whoever counts rows must know that some are gone, also where this run dies in between.
            keep(
                [
                    Cared(care, before, NOT_YET, unchanged=False, expired_rows=rows)
                    for care, before, rows in mine
                    if rows
                ]
            )
            for care, _, rows in mine:
                if rows and care.expired and care.layer is Layer.BRONZE:
                    expiry.enter(engine, settings, domain.contract(dataset), care.expired)
            cared = [_give(engine, care, before, rows) for care, before, rows in mine]
            keep([replace(one, expired_rows=0) for one in cared])
        done.extend(cared)
        if report:
            report(len(done), len(found))
    keep([_give(engine, care, engine.version(care.path), 0) for care in _scattered(engine, settings)])
    return tuple(done)


def expired_rows(engine: Engine, settings: RunSettings, path: str) -> int:
    """Count the rows that retention has ever taken out of the table at `path`."""
    rows = engine.rows(settings.record_path(RECORD), ["expired_rows"], {"path": path}).to_pylist()
    return sum(row["expired_rows"] or 0 for row in rows)


def _lacking(engine: Engine, cares: Sequence[Care]) -> list[str]:
    """What the chosen engine does in another way than Databricks would, by table."""
    clustered = [care.table for care in cares if care.optimize and care.cluster_by]
    if not clustered or engine.can(Capability.LIQUID_CLUSTERING):
        return []
    return [f"liquid clustering of {', '.join(clustered)}: needs databricks; their rows are in Z-order instead"]


def _scattered(engine: Engine, settings: RunSettings) -> list[Care]:
    """The domain's tables of records that have become many files."""
    cares = [
        Care(settings.record_path(name), Layer.CHECKPOINTS, name, True, (), RECORDS_VACUUM_HOURS, None)
        for name in RECORDS
    ]
    return [
        care for care in cares if engine.exists(care.path) and deltas.table_files(engine, care.path).files > SCATTERED
    ]


def _give(engine: Engine, care: Care, before: int, expired: int) -> Cared:
    files = deltas.table_files(engine, care.path)
    if expired and care.expired:
        expiry.expire(engine, care.path, care.expired)
    if care.optimize:
        deltas.optimize(engine, care.path, care.cluster_by)
        deltas.analyze(engine, care.path)
    deltas.vacuum(engine, care.path, care.vacuum_hours)
    return Cared(
        care,
        before,
        engine.version(care.path),
        unchanged=False,
        expired_rows=expired,
        files_before=files,
        files_after=deltas.table_files(engine, care.path),
    )


def _care(settings: RunSettings, contract: Contract, layer: Layer, table: str) -> Care:
    published = layer in (Layer.SILVER, Layer.GOLD)
    return Care(
        path=settings.table_path(layer, table),
        layer=layer,
        name=contract.dataset,
        optimize=contract.maintenance.optimize,
        cluster_by=contract.maintenance.cluster_by if published else (),
        vacuum_hours=contract.vacuum_hours,
        expired=expiry.expired(layer, contract, settings.started),
    )


def _last_versions(engine: Engine, record: str) -> dict[str, int]:
    rows = sorted(engine.rows(record, ["path", "version", "cared_at"]).to_pylist(), key=lambda row: row["cared_at"])
    return {row["path"]: row["version"] for row in rows}


def _row(settings: RunSettings, cared: Cared) -> dict[str, object]:
    files = {
        f"{name}_{when}": value
        for when, found in (("before", cared.files_before), ("after", cared.files_after))
        for name, value in (asdict(found) if found else {}).items()
    }
    return {
        "path": cared.care.path,
        "version": cared.after,
        "optimized": cared.care.optimize,
        "z_order_by": list(cared.care.cluster_by),
        "vacuum_hours": cared.care.vacuum_hours,
        "expired_rows": cared.expired_rows,
        "run_id": settings.run_id,
        "cared_at": datetime.now(UTC),
        **files,
    }
