"""What every table of a domain is made of: files, small ones, what is stored, and what its last care changed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipelines.contracts.catalogue import RECORDS
from pipelines.engine import care
from pipelines.maintain.tables import RECORD, RECORDS_VACUUM_HOURS, plan
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pipelines.contracts.domain import Domain
    from pipelines.engine import Engine


def report(engine: Engine, settings: RunSettings, domain: Domain) -> list[dict[str, Any]]:
    """Describe the domain's tables that there are: those of its job, then its records.

    Returns:
        One a table: ``table``, ``version``, ``rows``, the fields of :class:`pipelines.engine.care.TableFiles`,
        ``vacuum_hours``, and ``cared``: the last care's ``at`` with files and stored bytes before and after, or
        ``None``.
    """
    kept = {row["path"]: row for row in _cared(engine, settings)}
    places: list[tuple[str, str, int]] = [
        *((one.table, one.path, one.vacuum_hours) for one in plan(settings, domain)),
        *((f"{Layer.CHECKPOINTS.value}.{name}", settings.record_path(name), RECORDS_VACUUM_HOURS) for name in RECORDS),
    ]
    return [
        {
            "table": table,
            "version": engine.version(path),
            "rows": engine.count(path),
            **asdict(care.table_files(engine, path)),
            "vacuum_hours": hours,
            "cared": _care(kept.get(path)),
        }
        for table, path, hours in places
        if engine.exists(path)
    ]


def _cared(engine: Engine, settings: RunSettings) -> list[dict[str, Any]]:
    rows = engine.rows(settings.record_path(RECORD)).to_pylist()
    return sorted((row for row in rows if row["version"] >= 0), key=lambda row: row["cared_at"])


def _care(row: dict[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    measured = ("files_before", "files_after", "stored_bytes_before", "stored_bytes_after")
    return {"at": row["cared_at"].isoformat(), **{name: row.get(name) for name in measured}}
