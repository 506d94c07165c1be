"""Bronze: deliveries of the landing folder, record by record as they came, committed a batch of deliveries at a time.

Exactly once, by content: a batch is committed with ``replaceWhere _file_sha256 IN (...)`` and then entered in the
ledger, so that a run which was killed anywhere between is made good by the next one; where the delivery was replaced
meanwhile, the rows that the ledger never knew leave by their `_file`. A worker digests what it parses: a file that is
still being written fails the commit as a whole.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.bronze.inspection import Delivery, inspect_all
from pipelines.bronze.parser import CHANGED, ChangedError, CsvFormat, parse_deliveries
from pipelines.bronze.storage import StoredFile, list_files
from pipelines.engine import Engine, is_in
from pipelines.engine.arrow_types import TIMESTAMP, from_arrow_schema
from pipelines.errors import ContractError, PipelineError, SchemaError
from pipelines.ledger import Entry, Ledger, Status, latest
from pipelines.progress import Progress
from pipelines.quarantine.files import RejectedFile, quarantine_files
from pipelines.runs import recorded
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.contracts.model import Contract

log = logging.getLogger(__name__)

BATCH_FILES = 512
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
    """

    files: int = 0
    rows: int = 0
    malformed: int = 0
    bytes: int = 0
    repeated: int = 0
    rejected: list[RejectedFile] = field(default_factory=list)


def bronze_path(settings: RunSettings, dataset: str) -> str:
    """Where a dataset's bronze table is."""
    return settings.table_path(Layer.BRONZE, dataset)


def csv_format(contract: Contract) -> CsvFormat:
    """What the parser must know of the contract.

    Raises:
        ContractError: the contract says nothing about ingestion, or what it says cannot be.
    """
    ingestion = contract.ingestion
    if ingestion is None:
        raise ContractError("the contract does not say how its files are read", where=str(contract.path))
    form = CsvFormat(
        fields=contract.source_fields,
        delimiter=ingestion.delimiter,
        quote=ingestion.quote,
        encoding=ingestion.encoding,
        header=ingestion.header,
        compression=ingestion.compression,
    )
    try:
        _ = form.codec
    except LookupError:
        raise ContractError(
            f"{form.encoding!r} is no encoding", where=str(contract.path), fix="use one of Python's, e.g. cp1252"
        ) from None
    if form.delimiter != "whitespace" and (len(form.delimiter.encode()) != 1 or len((form.quote or "").encode()) > 1):
        raise ContractError("delimiter and quote must be one ASCII character each", where=str(contract.path))
    return form


def table_schema(form: CsvFormat) -> pa.Schema:
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
    return result


def _ingest(engine: Engine, contract: Contract, settings: RunSettings, result: BronzeResult) -> None:
    form = csv_format(contract)
    ledger = Ledger(engine, settings)
    progress = Progress(f"bronze {settings.domain}.{contract.dataset}", settings.progress)
    path = bronze_path(settings, contract.dataset)
    intake = _Intake(contract, settings, ledger.entries(Layer.BRONZE, contract.dataset))
    files = list(list_files(settings.deliveries(contract.dataset), _glob(contract)))
    unseen = [stored for stored in files if not intake.knows(stored)]
    deliveries = list(inspect_all(unseen, form, lambda done: progress.report(done, len(unseen), "files looked at")))
    accepted = intake.sort(deliveries, result)
    quarantine_files(engine, settings, result.rejected)
    ledger.add(intake.rejected)
    _tell(contract, result, intake.unread(files, result), accepted)
    engine.ensure(path, table_schema(form))
    total = sum(delivery.stored.size for delivery in accepted)
    for number, batch in enumerate(batches(accepted)):
        batch_id = f"{settings.run_id}-b{number:04d}"
        superseded = intake.superseded(batch)
        frame = _parsed(engine, batch, form, settings)
        names = [delivery.sha256 for delivery in batch]
        leaving = intake.leaving(batch)
        with _in_plain_words(path):
            engine.replace_where(path, frame, "_file_sha256", [*names, *superseded], asserted=names, leaving=leaving)
        counted = _counts(engine, path, names)
        ledger.add(intake.committed(batch, superseded, counted, batch_id))
        result.files += len(batch)
        result.rows += sum(rows for rows, _ in counted.values())
        result.malformed += sum(malformed for _, malformed in counted.values())
        result.bytes += sum(delivery.stored.size for delivery in batch)
        progress.report(result.bytes, total, "bytes")
    ledger.add(intake.repeated)  # after the commit: until then nothing has what they repeat


def _glob(contract: Contract) -> str:
    return contract.ingestion.glob if contract.ingestion else "*"


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


class _Intake:
    """Sorts what lies in the landing folder by what the ledger knows."""

    def __init__(self, contract: Contract, settings: RunSettings, entries: Sequence[Entry]) -> None:
        self._contract, self._settings = contract, settings
        last = latest(entries)
        self._committed = {sha: entry for sha, entry in last.items() if entry.status is Status.COMMITTED}
        # A delivery whose rows are past their time here may still have some in silver: a newer one supersedes it too.
        self._standing = self._committed | {sha: entry for sha, entry in last.items() if entry.status is Status.EXPIRED}
        self._by_name: dict[str, set[str]] = {}
        for sha, entry in self._standing.items():
            self._by_name.setdefault(entry.file, set()).add(sha)
        # A file that was rejected by another contract is looked at again.
        self._known = {
            (entry.file, entry.size, entry.modified)
            for entry in entries
            if entry.status is not Status.REJECTED or entry.contract_digest == contract.digest
        }
        self.rejected: list[Entry] = []
        self.repeated: list[Entry] = []
        self._unread: dict[tuple[str, int, int], Entry] = {}
        for entry in entries:
            if entry.status is Status.COMMITTED:
                self._unread.clear()
            elif entry.status is Status.REJECTED and entry.contract_digest == contract.digest:
                self._unread[entry.file, entry.size, entry.modified] = entry

    def knows(self, stored: StoredFile) -> bool:
        """Whether the file was seen before, by name, size and time: it is not opened again.

        A file that is written anew with as many bytes and the same time is not noticed. An object's ETag or generation
        would tell, but Arrow's file systems do not hand them out, and a Unity Catalog volume has none.
        """
        return (stored.name, stored.size, stored.modified) in self._known

    def sort(self, deliveries: Sequence[Delivery], result: BronzeResult) -> list[Delivery]:
        """Return the deliveries to commit; the others go into `result`, `rejected` and `repeated`."""
        accepted: dict[str, Delivery] = {}
        for delivery in deliveries:
            if delivery.problem:
                result.rejected.append(RejectedFile.of(delivery, self._contract, self._settings))
                self.rejected.append(self._entry(delivery, Status.REJECTED, 0, "", delivery.problem))
            elif delivery.sha256 in self._committed or delivery.sha256 in accepted:
                result.repeated += 1
                self.repeated.append(self._entry(delivery, Status.REPEATED, 0, ""))
            else:
                accepted[delivery.sha256] = delivery
        if self._contract.redelivery.policy == "refuse":
            self._refuse(accepted.values())
        return list(accepted.values())

    def unread(self, files: Iterable[StoredFile], result: BronzeResult) -> list[tuple[str, str]]:
        """Return name and reason of the landing folder's files that were rejected since a delivery was committed.

        A run that could read nothing fails, and the runs after it that find nothing else fail likewise: a scheduler's
        second attempt must not turn it into a success.
        """
        before = [self._unread.get((stored.name, stored.size, stored.modified)) for stored in files]
        found = [(entry.file, entry.detail or "") for entry in before if entry is not None]
        return [*((rejected.file, rejected.reason) for rejected in result.rejected), *found]

    def leaving(self, batch: Sequence[Delivery]) -> str:
        """Return SQL of the rows that leave with a batch because its deliveries have their names.

        With the policy ``replace`` these are all rows; else those that the ledger does not know, of a run that was
        killed before it could enter them.
        """
        names = [delivery.stored.name for delivery in batch]
        known = sorted(set().union(*(self._by_name.get(name, set()) for name in names)))
        named = is_in("_file", names)
        if self._contract.redelivery.policy == "replace" or not known:
            return named
        return f"({named} AND NOT {is_in('_file_sha256', known)})"

    def superseded(self, batch: Sequence[Delivery]) -> list[str]:
        """Return the contents that a batch takes the place of, by the contract's policy."""
        if self._contract.redelivery.policy != "replace":
            return []
        return sorted(set().union(*(self._by_name.get(delivery.stored.name, set()) for delivery in batch)))

    def committed(
        self, batch: Sequence[Delivery], superseded: Sequence[str], counted: dict[str, tuple[int, int]], batch_id: str
    ) -> list[Entry]:
        """Return the ledger's entries for a batch."""
        entries = [
            self._entry(delivery, Status.COMMITTED, counted.get(delivery.sha256, (0, 0))[0], batch_id)
            for delivery in batch
        ]
        for sha in superseded:
            old = self._standing[sha]
            stored = StoredFile(old.file, old.file, old.size, old.modified)
            entries.append(self._entry(Delivery(stored, sha, None), Status.SUPERSEDED, old.rows, batch_id))
        return entries

    def _refuse(self, accepted: Iterable[Delivery]) -> None:
        changed = [delivery.stored.name for delivery in accepted if delivery.stored.name in self._by_name]
        if changed:
            raise SchemaError(
                f"{', '.join(changed)} came again with other content, and the contract refuses redeliveries",
                where=str(self._contract.path),
                fix="deliver under a new name, or set the contract's `redelivery` policy to append or replace",
            )

    def _entry(self, delivery: Delivery, status: Status, rows: int, batch_id: str, detail: str | None = None) -> Entry:
        return Entry(
            layer=Layer.BRONZE.value,
            dataset=self._contract.dataset,
            file=delivery.stored.name,
            file_sha256=delivery.sha256,
            size=delivery.stored.size,
            modified=delivery.stored.modified,
            status=status,
            rows=rows,
            contract_digest=self._contract.digest,
            run_id=self._settings.run_id,
            batch_id=batch_id,
            recorded_at=datetime.now(UTC),
            detail=detail,
        )


def _parsed(engine: Engine, batch: Sequence[Delivery], form: CsvFormat, settings: RunSettings) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812 - the customary name

    # Largest first: round-robin then gives every task about as many bytes.
    ordered = sorted(batch, key=lambda delivery: -delivery.stored.size)
    files = pa.table(
        {
            "path": [delivery.stored.path for delivery in ordered],
            "file": [delivery.stored.name for delivery in ordered],
            "sha256": [delivery.sha256 for delivery in ordered],
        }
    )
    size = sum(delivery.stored.size for delivery in batch)
    partitions = max(1, min(len(batch), max(os.cpu_count() or 1, size // PARTITION_BYTES)))
    parsed = engine.map_arrow(
        engine.frame(files),
        partial(parse_deliveries, form=form),
        from_arrow_schema(form.arrow_schema),
        partitions=partitions,
    )
    return parsed.withColumn("_ingested_at", F.lit(settings.started)).withColumn("_run_id", F.lit(settings.run_id))


def _counts(engine: Engine, path: str, sha256s: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Count what a batch has in the table: records and malformed ones, by content."""
    from pyspark.sql import functions as F  # noqa: N812 - the customary name

    committed = engine.read(path).where(is_in("_file_sha256", sha256s))
    counted = committed.groupBy("_file_sha256").agg(F.count("*"), F.count("_parse_error")).collect()
    return {row[0]: (row[1], row[2]) for row in counted}


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


__all__ = ["BronzeResult", "batches", "bronze_path", "csv_format", "ingest", "table_schema"]
