"""Bronze: deliveries of the landing folder, record by record as they came, committed a batch of deliveries at a time.

Exactly once, by content: a batch is committed (:mod:`pipelines.bronze.table`) and then entered in the ledger, so that a
run which was killed anywhere between is made good by the next one. A worker digests what it parses: a file that is
still being written fails the commit as a whole.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.bronze.drift import edits_of
from pipelines.bronze.formats.form import Form
from pipelines.bronze.forms import ingestion_of
from pipelines.bronze.inspection import Delivery, Inspector
from pipelines.bronze.intake import Intake
from pipelines.bronze.parser import CHANGED, PIECES, ChangedError, parse_deliveries
from pipelines.bronze.span import Piece
from pipelines.bronze.storage import list_files
from pipelines.bronze.table import BronzeTable
from pipelines.engine import Engine
from pipelines.engine.arrow_types import TIMESTAMP, from_arrow_schema
from pipelines.errors import PipelineError, SchemaError
from pipelines.failpoints import failpoint
from pipelines.ledger import Ledger
from pipelines.privacy.suppression import without_erased
from pipelines.progress import Progress
from pipelines.quarantine.files import RejectedFile, quarantine_files
from pipelines.runs import in_batches, recorded
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.contracts.model import Contract

log = logging.getLogger(__name__)

BATCH_FILES = 2048
BATCH_BYTES = 512 << 20
"""Deliveries of one commit: so many, or so many bytes of them, whichever comes first."""
PARTITION_BYTES = 32 << 20
"""Bytes that one task parses, roughly."""

_CHANGED = re.compile(rf"{ChangedError.__name__}\b\W+(.+?) {CHANGED}")


@dataclass(slots=True)
class BronzeResult:
    """What a bronze task did.

    Attributes:
        files: Deliveries committed.
        rows: Records of them, malformed ones included.
        malformed: Records that could not be split into fields.
        bytes: Their size.
        repeated: Files whose content had come before.
        rejected: Files that are no deliveries, with the reason; they are in the quarantine of files.
        newest: Modification time of the newest delivery committed, nanoseconds since 1970, UTC; 0 where none was.
        added: Columns of bronze that the contract lacks, each with the edit that puts it there.
    """

    files: int = 0
    rows: int = 0
    malformed: int = 0
    bytes: int = 0
    repeated: int = 0
    rejected: list[RejectedFile] = field(default_factory=list)
    newest: int = 0
    added: dict[str, str] = field(default_factory=dict)


def bronze_path(settings: RunSettings, dataset: str) -> str:
    """Where a dataset's bronze table is."""
    return settings.table_path(Layer.BRONZE, dataset)


def table_schema(form: Form) -> pa.Schema:
    """Columns of a bronze table: the source's fields as text, the record's lineage, the run's."""
    schema = form.arrow_schema
    return schema.append(pa.field("_ingested_at", TIMESTAMP)).append(pa.field("_run_id", pa.string()))


def ingest(engine: Engine, contract: Contract, settings: RunSettings) -> BronzeResult:
    """Take the landing folder's new deliveries into the dataset's bronze table.

    Raises:
        ContractError: the contract cannot be used to read files.
        SchemaError: a file that came before came again with other content and the contract refuses that, or none of
            the new files fits the contract; again and again, until such a file leaves or is read, the contract is
            another, or another delivery is committed.
        PipelineError: a file changed while it was read.
    """
    with recorded(engine, settings, "bronze", contract) as tally:
        result = BronzeResult()
        try:
            _ingest(engine, contract, settings, result)
        finally:
            tally.files, tally.rejected_files, tally.bytes = result.files, len(result.rejected), result.bytes
            tally.rows_in = tally.rows_out = result.rows
            tally.newest_delivery_at = datetime.fromtimestamp(result.newest / 1e9, UTC) if result.newest else None
            tally.drift = result.added
    return result


def _ingest(engine: Engine, contract: Contract, settings: RunSettings, result: BronzeResult) -> None:
    ingestion = ingestion_of(contract)
    inspector = Inspector.of(contract, ingestion)
    ledger = Ledger(engine, settings)
    progress = Progress(f"bronze {settings.domain}.{contract.dataset}", settings.progress)
    path = bronze_path(settings, contract.dataset)
    intake = Intake(contract, settings, ledger.entries(Layer.BRONZE, contract.dataset))
    files = list(list_files(settings.deliveries(contract.dataset), ingestion.takes))
    unseen = [stored for stored in files if not intake.knows(stored)]
    looked = inspector.inspect_all(unseen, lambda done: progress.report(done, len(unseen), "files looked at"))
    accepted = intake.sort(list(looked))
    result.repeated, result.rejected = len(intake.repeated), intake.quarantined
    quarantine_files(engine, settings, result.rejected)
    ledger.add(intake.rejected)
    _tell(contract, result, intake.unread(files), accepted)
    there = engine.schema(path).names if engine.exists(path) else []
    form = inspector.form.beside(there, (name for delivery in accepted for name in delivery.added))
    result.added = edits_of(form.added)
    for name in set(form.added) - set(there):
        log.warning("bronze of %s has the new column %r; to publish it %s", contract.dataset, name, result.added[name])
    engine.ensure(path, table_schema(form))
    table = BronzeTable(engine, path, contract, ledger) if accepted or intake.displaced else None
    total = sum(delivery.stored.size for delivery in accepted)
    for number, batch in enumerate(in_batches(batches(accepted))):
        batch_id = f"{settings.run_id}-b{number:04d}"
        superseded = intake.superseded(batch)
        failpoint("bronze.before_commit")
        with _in_plain_words(path):
            version = _commit(table, batch, _parsed(engine, batch, form, contract, settings), superseded)
        failpoint("bronze.committed")
        counted = _counts(engine, path, batch, version)
        ledger.add(intake.committed(batch, superseded, counted, batch_id))
        failpoint("bronze.recorded")
        result.files += len(batch)
        result.newest = max(result.newest, *(delivery.stored.modified for delivery in batch))
        result.rows += sum(rows for rows, _ in counted.values())
        result.malformed += sum(malformed for _, malformed in counted.values())
        result.bytes += sum(delivery.stored.size for delivery in batch)
        progress.report(result.bytes, total, "bytes")
    if intake.displaced:  # by contents that are there under another name
        _commit(table, [], engine.read(path).limit(0), intake.displaced)
    # After the commits: until then nothing has what they repeat.
    ledger.add([*intake.repeated, *intake.committed([], intake.displaced, {}, f"{settings.run_id}-repeats")])


def _commit(table: BronzeTable | None, batch: Sequence[Delivery], rows: DataFrame, superseded: Sequence[str]) -> int:
    assert table is not None, "it is looked at where there is anything to commit"
    table.commit(rows, {delivery.sha256: delivery.stored.name for delivery in batch}, superseded)
    return table.version


def batches(deliveries: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    """Cut deliveries into batches of `BATCH_FILES` or `BATCH_BYTES`; a larger delivery is a batch of its own."""
    batch: list[Delivery] = []
    size = 0
    for delivery in deliveries:
        if batch and (len(batch) >= BATCH_FILES or size + delivery.stored.size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(delivery)
        size += delivery.stored.size
    if batch:
        yield batch


def _parsed(
    engine: Engine, batch: Sequence[Delivery], form: Form, contract: Contract, settings: RunSettings
) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812 - the customary name

    sized = [(_size(delivery, piece), delivery, piece) for delivery in batch for piece in delivery.pieces]
    # Largest first: round-robin then gives every task about as many bytes.
    sized.sort(key=lambda entry: -entry[0])
    rows = [
        (delivery.stored.path, delivery.stored.name, delivery.sha256, piece.start, piece.end, piece.line, piece.sha256)
        for _, delivery, piece in sized
    ]
    pieces = pa.table([list(column) for column in zip(*rows, strict=True)], schema=PIECES)
    size = sum(delivery.stored.size for delivery in batch)
    partitions = max(1, min(len(rows), max(os.cpu_count() or 1, size // PARTITION_BYTES)))
    parsed = engine.map_arrow(
        engine.frame(pieces),
        partial(parse_deliveries, form=form),
        from_arrow_schema(form.arrow_schema),
        partitions=partitions,
    )
    parsed = without_erased(engine, parsed, contract, settings)
    return parsed.withColumn("_ingested_at", F.lit(settings.started)).withColumn("_run_id", F.lit(settings.run_id))


def _size(delivery: Delivery, piece: Piece) -> int:
    return (delivery.stored.size if piece.end is None else piece.end) - piece.start


def _counts(engine: Engine, path: str, batch: Sequence[Delivery], version: int) -> dict[str, tuple[int, int]]:
    """Count what a batch has in a version of the table: records and malformed ones, by content."""
    names = [delivery.stored.name for delivery in batch]
    within = ("_file", min(names), max(names))  # opens no files beyond these
    counted = engine.count_by(path, "_file_sha256", "_parse_error", within=within, version=version)
    return {sha: counted[sha] for sha in {delivery.sha256 for delivery in batch} & counted.keys()}


@contextmanager
def _in_plain_words(path: str) -> Generator[None]:
    """Turn a worker's `ChangedError`, which arrives in an engine's error, into an error of ours."""
    try:
        yield
    except Exception as error:
        changed = _CHANGED.search(str(error))
        if changed is None:
            raise
        raise PipelineError(
            f"{changed[1]} {CHANGED}; nothing of its batch was committed",
            where=path,
            fix="run again when it is delivered in full; give files names that begin with _ until they are",
        ) from error


def _tell(
    contract: Contract, result: BronzeResult, unread: Sequence[tuple[str, str]], accepted: Sequence[Delivery]
) -> None:
    for rejected in result.rejected:
        log.warning("%s was rejected: %s", rejected.file, rejected.reason)
    if unread and not accepted:
        file, reason = unread[0]
        raise SchemaError(
            f"no new file of {contract.dataset} could be read; the first: {reason}",
            where=f"{file} by {contract.path}",
            fix="correct the contract's columns and ingestion, or ask for the files again; take away what is no "
            "delivery; then run again",
        )


__all__ = ["BronzeResult", "batches", "bronze_path", "ingest", "table_schema"]
