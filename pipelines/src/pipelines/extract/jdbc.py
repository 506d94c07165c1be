"""A table of a database as files: the whole of it, or what is new by a watermark, in ranges read side by side."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from pipelines.contracts.extensions.extraction import Jdbc, overlap_of
from pipelines.contracts.model import Contract
from pipelines.errors import SchemaError
from pipelines.extract import bounds
from pipelines.extract.database import Database, Slice, Snapshot, differences
from pipelines.extract.landing import Landed
from pipelines.extract.records import Event
from pipelines.extract.source import Source, emptied

log = logging.getLogger(__name__)

WHOLE = "snapshot-"
"""How the names of a whole table's files begin."""


def extract_table(source: Source) -> list[Landed]:
    """Land what is new of a table, or the whole of it.

    Raises:
        SchemaError: the table is not what the contract says, or rows have no watermark.
        PipelineError: the database failed.
    """
    jdbc = source.extraction.jdbc
    assert jdbc is not None, "the caller goes by the kind"
    database = Database(source.server, jdbc)
    with database.snapshot() as snapshot:
        types = snapshot.types()
        _check(source.contract, jdbc, types, database.where)
        if jdbc.mode == "full":
            return _whole(source, jdbc, snapshot)
        return _new(source, jdbc, snapshot, database.where)


def fields_of(contract: Contract) -> dict[str, str]:
    """Type that each source field is cast to as it is; ``string`` where an expression or a pattern reads it."""
    fields = dict.fromkeys(contract.source_fields, "string")
    for column in contract.columns:
        if column.expression is None and column.format is None and len(column.sources) == 1:
            fields[column.sources[0]] = column.type
    return fields


def _check(contract: Contract, jdbc: Jdbc, types: Mapping[str, Any], where: str) -> None:
    found = differences(fields_of(contract), types)
    asked = [name for name in (jdbc.watermark, jdbc.partition_column) if name is not None]
    found += [f"- {name}: named by extraction.jdbc, absent from the table" for name in asked if name not in types]
    if found:
        raise SchemaError(
            "the table is not what the contract says:\n" + "\n".join(f"    {line}" for line in found),
            where=f"{where} by {contract.path}",
            fix="change the contract (`levee contracts diff` says what that breaks), or ask the table's owner",
        )


def _whole(source: Source, jdbc: Jdbc, snapshot: Snapshot) -> list[Landed]:
    within = Slice(column=jdbc.partition_column)
    slices = _slices(within, _cuts(jdbc, snapshot, within))
    plan = source.extracts.plan({})
    names = [f"{WHOLE}{number:05d}" for number in range(len(slices))]
    staged = _staged(source, jdbc, snapshot, names, slices)
    source.landing.publish(staged)
    landed = [*staged, *emptied(source, WHOLE, names)]
    source.extracts.landed(plan, {}, landed, whole=True)
    return landed


def _new(source: Source, jdbc: Jdbc, snapshot: Snapshot, where: str) -> list[Landed]:
    assert jdbc.watermark is not None, "an incremental extraction has one"
    if snapshot.has_null(jdbc.watermark):
        raise SchemaError(
            f"rows without {jdbc.watermark} would never be read",
            where=where,
            fix="make the column NOT NULL, or read a view that fills it",
        )
    plan = source.extracts.unfinished or _plan(source, jdbc, snapshot, where)
    if plan is None:
        return []
    position = plan.position
    within = Slice(
        jdbc.watermark, bounds.decode(position["low"]), bounds.decode(position["high"]), jdbc.partition_column
    )
    slices = _slices(within, [bounds.decode(cut) for cut in position["cuts"]])
    stem = f"{plan.stem}{bounds.label(within.low)}-{bounds.label(within.high)}"
    staged = _staged(source, jdbc, snapshot, [f"{stem}-{number:05d}" for number in range(len(slices))], slices)
    before = source.extracts.finished
    digests = [file.sha256 for file in staged]
    end = {**position, "digests": digests}
    if before is not None and dict(before.position) == end:
        source.landing.discard(staged)
        source.extracts.landed(plan, end, whole=True)
        return []
    source.landing.publish(staged)
    source.extracts.landed(plan, end, staged, whole=True)
    return staged


def _plan(source: Source, jdbc: Jdbc, snapshot: Snapshot, where: str) -> Event | None:
    """Fix the range of a new extraction: from where the last one ended, less the overlap, to what is there now."""
    assert jdbc.watermark is not None, "an incremental extraction has one"
    _, high = snapshot.range_of(jdbc.watermark, Slice())
    if high is None:
        log.info("%s has no rows", where)
        return None
    before = source.extracts.finished
    low = None
    if before is not None:
        ended = bounds.decode(before.position["high"])
        high = max(high, ended)  # rows may have been deleted
        low = bounds.less(ended, overlap_of(jdbc.overlap), where)
    within = Slice(jdbc.watermark, low, high, jdbc.partition_column)
    return source.extracts.plan(
        {
            "low": bounds.encode(low),
            "high": bounds.encode(high),
            "cuts": [bounds.encode(cut) for cut in _cuts(jdbc, snapshot, within)],
        }
    )


def _cuts(jdbc: Jdbc, snapshot: Snapshot, within: Slice) -> list[bounds.Bound]:
    """Bounds between the ranges that are read side by side."""
    if jdbc.partition_column is None:
        return []
    return bounds.cut(*snapshot.range_of(jdbc.partition_column, within), jdbc.partitions)


def _slices(within: Slice, cuts: Sequence[bounds.Bound]) -> list[Slice]:
    """Cut a slice into ranges; every row is in exactly one, rows without a value in the first."""
    edges: list[bounds.Bound | None] = [None, *cuts, None]
    return [
        Slice(within.watermark, within.low, within.high, within.column, since, until)
        for since, until in pairwise(edges)
    ]


def _staged(
    source: Source, jdbc: Jdbc, snapshot: Snapshot, names: Sequence[str], slices: Sequence[Slice]
) -> list[Landed]:
    """Write each slice into a file, several at once; one that fails ends the others."""
    fields = source.contract.source_fields

    def stage(name: str, within: Slice) -> Landed:
        return source.landing.stage(name, snapshot.rows(fields, within), fields)

    with ThreadPoolExecutor(jdbc.concurrency) as pool:
        try:
            return list(pool.map(stage, names, slices))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


__all__ = ["extract_table", "fields_of"]
