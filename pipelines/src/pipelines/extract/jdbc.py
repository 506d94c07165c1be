"""A table of a database as files: the whole of it, or what is new by a watermark, in ranges read side by side."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from pipelines.contracts.extensions.extraction import Jdbc, overlap_of
from pipelines.contracts.model import Contract
from pipelines.errors import SchemaError
from pipelines.extract import bounds
from pipelines.extract.database import Database, Slice, Snapshot, differences
from pipelines.extract.landing import Landed
from pipelines.extract.records import Event
from pipelines.extract.source import Source, emptied, whole_prefix

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """One table being read.

    Attributes:
        source: The source.
        jdbc: How it is read.
        snapshot: The state of the database that is read.
        columns: What of the table is read.
    """

    source: Source
    jdbc: Jdbc
    snapshot: Snapshot
    columns: tuple[str, ...]


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
        # What the contract does not know, bronze keeps by its `drift`.
        reading = Reading(source, jdbc, snapshot, tuple(dict.fromkeys((*source.contract.source_fields, *types))))
        return _whole(reading) if jdbc.mode == "full" else _new(reading, database.where)


def fields_of(contract: Contract) -> dict[str, str]:
    """Type that each source field is cast to as it is; ``string`` where an expression or a pattern reads it."""
    fields = dict.fromkeys(contract.source_fields, "string")
    for column in contract.columns:
        if column.expression is None and column.format is None and len(column.sources) == 1:
            fields[column.sources[0]] = column.type
    return fields


def _check(contract: Contract, jdbc: Jdbc, types: Mapping[str, Any], where: str) -> None:
    """Compare a table with what the contract reads of it; what the contract does not know counts where it says so."""
    fields = fields_of(contract)
    named = [name for name in (jdbc.watermark, jdbc.partition_column) if name is not None]
    found = differences(fields, types)
    found += [f"- {name}: named by extraction.jdbc, absent from the table" for name in named if name not in types]
    if contract.ingestion is not None and contract.ingestion.drift == "fail":
        strange = [name for name in types if name not in fields and name not in named]
        found += [f"+ {name}: absent from the contract, {str(types[name]).lower()} in the table" for name in strange]
    if found:
        raise SchemaError(
            "the table is not what the contract says:\n" + "\n".join(f"    {line}" for line in found),
            where=f"{where} by {contract.path}",
            fix="change the contract (`levee contracts diff` says what that breaks), or ask the table's owner",
        )


def _whole(reading: Reading) -> list[Landed]:
    source = reading.source
    within = Slice(column=reading.jdbc.partition_column)
    slices = _slices(within, _cuts(reading, within))
    plan = source.extracts.unfinished or source.extracts.plan({})
    prefix = whole_prefix(source, plan)
    names = [f"{prefix}{number:05d}" for number in range(len(slices))]
    staged = _staged(reading, names, slices)
    source.landing.publish(staged)
    landed = [*staged, *emptied(source, prefix, names)]
    source.extracts.landed(plan, {}, landed, whole=True)
    return landed


def _new(reading: Reading, where: str) -> list[Landed]:
    source, jdbc = reading.source, reading.jdbc
    assert jdbc.watermark is not None, "an incremental extraction has one"
    if reading.snapshot.has_null(jdbc.watermark):
        raise SchemaError(
            f"rows without {jdbc.watermark} would never be read",
            where=where,
            fix="make the column NOT NULL, or read a view that fills it",
        )
    plan = source.extracts.unfinished or _plan(reading, where)
    if plan is None:
        return []
    position = plan.position
    low, high = bounds.decode(position["low"]), bounds.decode(position["high"])
    within = Slice(jdbc.watermark, low, high, jdbc.partition_column)
    slices = _slices(within, [bounds.decode(cut) for cut in position["cuts"]])
    stem = f"{plan.stem}{bounds.label(low)}-{bounds.label(high)}"
    staged = _staged(reading, [f"{stem}-{number:05d}" for number in range(len(slices))], slices)
    before = source.extracts.finished
    end = {**position, "digests": [file.sha256 for file in staged]}
    if before is not None and dict(before.position) == end:
        source.landing.discard(staged)
        source.extracts.landed(plan, end, whole=True)
        return []
    source.landing.publish(staged)
    source.extracts.landed(plan, end, staged, whole=True)
    return staged


def _plan(reading: Reading, where: str) -> Event | None:
    """Fix the range of a new extraction: from where the last one ended, less the overlap, to what is there now."""
    jdbc, extracts = reading.jdbc, reading.source.extracts
    assert jdbc.watermark is not None, "an incremental extraction has one"
    _, high = reading.snapshot.range_of(jdbc.watermark, Slice())
    if high is None:
        log.info("%s has no rows", where)
        return None
    low = None
    if (before := extracts.finished) is not None:
        ended = bounds.decode(before.position["high"])
        high = max(high, ended)  # rows may have been deleted
        low = bounds.less(ended, overlap_of(jdbc.overlap), where)
    cuts = _cuts(reading, Slice(jdbc.watermark, low, high, jdbc.partition_column))
    return extracts.plan(
        {"low": bounds.encode(low), "high": bounds.encode(high), "cuts": [bounds.encode(cut) for cut in cuts]}
    )


def _cuts(reading: Reading, within: Slice) -> list[bounds.Bound]:
    """Bounds between the ranges that are read side by side."""
    if within.column is None:
        return []
    return bounds.cut(*reading.snapshot.range_of(within.column, within), reading.jdbc.partitions)


def _slices(within: Slice, cuts: Sequence[bounds.Bound]) -> list[Slice]:
    """Cut a slice into ranges; every row is in exactly one, rows without a value in the first."""
    edges: list[bounds.Bound | None] = [None, *cuts, None]
    return [replace(within, since=since, until=until) for since, until in pairwise(edges)]


def _staged(reading: Reading, names: Sequence[str], slices: Sequence[Slice]) -> list[Landed]:
    """Write each slice into a file, several at once; where one fails, no other is begun."""

    def stage(name: str, within: Slice) -> Landed:
        rows = reading.snapshot.rows(reading.columns, within)
        return reading.source.landing.stage(name, rows, reading.columns)

    with ThreadPoolExecutor(reading.jdbc.concurrency) as pool:
        try:
            return list(pool.map(stage, names, slices))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


__all__ = ["extract_table", "fields_of"]
