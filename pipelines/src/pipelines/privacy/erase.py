"""Erasure of one person from every layer (GDPR, article 17), with a certificate.

The order makes it safe to be killed anywhere: bronze, which alone says where the person is, is written last of the
tables; what each step is about to remove is entered first. Running the same erasure again finishes it.

1. The subject goes on the list of those that bronze does not take in again (:mod:`pipelines.privacy.suppression`).
2. Bronze is read for the records that are about the subject or hold the value.
3. Landing files are written anew without them.
4. Silver, its history and quarantine lose the rows that came from them, and those under the subject's masks.
5. Bronze loses them; the ledger is told how many records its deliveries have left, so that the count law holds.
6. The vault forgets the subject's tokens; what is made of silver is built again.
7. Every version of these tables but the newest goes, with the log that tells of them, and what killed runs have left.
8. Every file of the lake is searched for the value, and the certificate says what was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipelines.bronze.folders import content_of
from pipelines.bronze.formats.form import BrokenError
from pipelines.bronze.forms import form_of, ingestion_of
from pipelines.bronze.span import Span
from pipelines.bronze.storage import StoredFile
from pipelines.engine import care
from pipelines.engine.scratch import sweep
from pipelines.errors import PipelineError, QualityError
from pipelines.evidence import keep
from pipelines.failpoints import failpoint
from pipelines.gold.build import build, holding_path
from pipelines.ledger import Entry, Ledger, Status, latest
from pipelines.privacy import removal
from pipelines.privacy.certificate import KIND, signed
from pipelines.privacy.deliveries import Rewritten, put, rewritten
from pipelines.privacy.erasure_record import ErasureRecord, Removal
from pipelines.privacy.keys import key_id, read_key, subject_hash
from pipelines.privacy.lake_files import absolute, lake_files, read_cells
from pipelines.privacy.methods import mask_one
from pipelines.privacy.needles import ENCODINGS, Needle, stumps
from pipelines.privacy.search import Found, search
from pipelines.privacy.subjects import SubjectColumns, datasets_of
from pipelines.privacy.suppression import suppress
from pipelines.privacy.traces import COINCIDENCE, MENTION, SUBJECT, Trace, subject_value, traces
from pipelines.privacy.vault import forget
from pipelines.secret_references import SecretReference
from pipelines.settings import Layer, RunSettings
from pipelines.silver.refinement import staging_path
from pipelines.storage import open_file

if TYPE_CHECKING:
    from pipelines.contracts.domain import Domain
    from pipelines.engine import Engine


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """Who is to be erased, and who asks.

    Attributes:
        subject_type: Kind of subject, as contracts call it.
        value: Where the value is that names the subject; workers read it there too.
        requested_by: Who asks.
        reason: Why.
        also: Folders beside the lake that are searched too, such as the logs of runs.
    """

    subject_type: str
    value: SecretReference
    requested_by: str
    reason: str = "GDPR, article 17"
    also: tuple[str, ...] = ()


def erase(engine: Engine, settings: RunSettings, domain: Domain, request: ErasureRequest) -> dict[str, Any]:
    """Erase one subject and return the certificate.

    Raises:
        UsageError: no contract of the domain has subjects of the type.
        PipelineError: the key or the value cannot be read, or a file of the landing folder that holds the value was
            never taken in.
        QualityError: the search found the value; the certificate that says where is written.
    """
    return _Erasure(engine, settings, domain, request).run()


@dataclass(frozen=True, slots=True)
class Others:
    """A dataset in which the value names somebody else.

    Attributes:
        tables: Its tables that hold raw values.
        names: The columns that name its subjects, and the source fields that they are made from.
        records: Its records, byte by byte, in which the value stands for one of them.
    """

    tables: tuple[str, ...]
    names: frozenset[str]
    records: tuple[bytes, ...]

    def has(self, file: str, column: str) -> bool:
        """Whether a file's column is one of its own."""
        return column in self.names and any(file.startswith(f"{absolute(table)}/") for table in self.tables)


class _Erasure:
    """One erasure on its way."""

    def __init__(self, engine: Engine, settings: RunSettings, domain: Domain, request: ErasureRequest) -> None:
        self._engine, self._settings, self._domain, self._request = engine, settings, domain, request
        self._subjects = datasets_of(domain, request.subject_type)
        self._key = read_key(settings.pseudonym_key)
        self._value = subject_value(request.value)
        self._needle = Needle((self._value,))
        hashed = subject_hash(self._key, request.subject_type, self._value)
        self._record = ErasureRecord(engine, settings, request.subject_type, hashed)
        self._hash = hashed
        self._ledger = Ledger(engine, settings)
        self._since = datetime.now(UTC)  # who started this process sees to it that nobody else writes

    def run(self) -> dict[str, Any]:
        self._record.begin()
        suppress(self._engine, self._settings, self._request.subject_type, self._record.id, subjects=[self._value])
        failpoint("erase.suppressed")
        found = {
            subject.contract.dataset: traces(
                self._engine, self._path(Layer.BRONZE, subject), subject, self._request.value
            )
            for subject in self._subjects
        }
        leaving = [trace for group in found.values() for trace in group if trace.leaves]
        suppress(
            self._engine,
            self._settings,
            self._request.subject_type,
            self._record.id,
            records=[trace.raw for trace in leaving if trace.why != SUBJECT and trace.raw],
        )
        for subject in self._subjects:
            self._clean_landing(subject, [trace for trace in found[subject.contract.dataset] if trace.leaves])
        self._clean_tables(found)
        for subject in self._subjects:
            self._tell_ledger(subject)
        self._forget_tokens()
        self._build_gold()
        purged = self._purge()
        rightful = [trace.raw for group in found.values() for trace in group if not trace.leaves]
        return self._certify(leaving, purged, self._search(rightful))

    # Steps

    def _clean_landing(self, subject: SubjectColumns, leaving: Sequence[Trace]) -> None:
        """Write every file that holds the value without the records that leave."""
        dataset = subject.contract.dataset
        if Layer.LANDING not in self._settings.roots:
            return
        folder = self._settings.deliveries(dataset)
        raws: dict[str, list[bytes]] = {}
        by_name: dict[str, list[bytes]] = {}
        for trace in leaving:
            raws.setdefault(trace.file_sha256, []).append(trace.raw)
            by_name.setdefault(trace.file, []).append(trace.raw)  # one that an erasure has written anew before
        entries = self._ledger.entries(Layer.BRONZE, dataset)
        known = {entry.file_sha256: entry for entry in entries}
        fields = subject.contract.source_fields
        form = form_of(subject.contract, ingestion_of(subject.contract))
        for path, size in lake_files(folder):
            name = path[len(folder) :].lstrip("/")
            sha = content_of(_sha256(path), name, fields)
            leave = raws.get(sha)
            if leave is None and not self._holds(path, subject):
                continue
            if sha not in known:
                raise PipelineError(
                    "a file that was never taken in holds the subject's value",
                    where=name,
                    fix=f"let it be taken in (`levee run {self._settings.domain}`) or take it away, then erase again",
                )
            leave = by_name.get(name, []) if leave is None else leave
            with TemporaryFile() as scratch:
                change = rewritten(StoredFile(path, name, size, 0), leave, form, scratch)
                self._put(dataset, change, known[sha], content_of(change.sha256, name, fields))

    def _put(self, dataset: str, change: Rewritten, entry: Entry, content: str) -> None:
        """Enter what is about to become of a file, then do it.

        Args:
            dataset: The dataset.
            change: What becomes of it.
            entry: The ledger's word on the file as it was.
            content: Name of its new content.
        """
        name = change.stored.name
        self._record.plan(Removal(Layer.LANDING.value, f"{dataset}/{name}", change.records, 0, (entry.file_sha256,)))
        failpoint("erase.before_rewriting")
        alias = replace(
            entry,
            file=name,
            file_sha256=content,
            size=change.size,
            modified=0,
            status=Status.ERASED,
            rows=0,
            run_id=self._settings.run_id,
            recorded_at=datetime.now(UTC),
            detail=f"what erasure {self._record.id} left of {entry.file_sha256}",
        )
        self._ledger.add([alias] if change.content is not None else [])
        put(change)
        failpoint("erase.rewritten")

    def _holds(self, path: str, subject: SubjectColumns) -> bool:
        """Whether the value is in a file; of one that cannot be read to its end the search tells."""
        try:
            return any(
                next(self._needle.found(b"\n".join(cells.values)), None) for cells in read_cells(path, subject.names)
            )
        except BrokenError:
            return False

    def _clean_tables(self, found: dict[str, list[Trace]]) -> None:
        """Take the rows out of silver, its history and quarantine, then out of bronze."""
        leaving = [trace for group in found.values() for trace in group if trace.leaves]
        places = (
            pa.table(
                {
                    "_file_sha256": pa.array([trace.file_sha256 for trace in leaving], pa.string()),
                    "_line": pa.array([trace.line for trace in leaving], pa.int64()),
                }
            )
            .group_by(list(removal.LINEAGE))
            .aggregate([])
        )
        masks: dict[str, str] = {}
        for subject in self._subjects:
            masks |= subject.masks(self._value, self._key)
        ordered = sorted(self._tables(), key=lambda table: table[0] is Layer.BRONZE)
        for layer, path in ordered:
            if layer is Layer.GOLD:
                continue
            what, kept = removal.doomed(self._engine, layer, path, places, masks)
            if kept is None:
                continue
            self._record.plan(Removal(layer.value, path, what.rows, what.version, what.deliveries))
            failpoint("erase.before_commit")
            removal.remove(self._engine, what, kept)
            failpoint("erase.committed")

    def _tell_ledger(self, subject: SubjectColumns) -> None:
        """Enter how many records are left of the deliveries that lost some."""
        bronze = self._path(Layer.BRONZE, subject)
        touched = {sha for one in self._record.removals() if one.target == bronze for sha in one.deliveries}
        if not touched:
            return
        rows = self._engine.among(self._engine.read(bronze), "_file_sha256", sorted(touched))
        left = {row[0]: row[1] for row in rows.groupBy("_file_sha256").count().collect()}
        last = latest(self._ledger.entries(Layer.BRONZE, subject.contract.dataset))
        self._ledger.add(
            [
                replace(
                    last[sha],
                    status=Status.ERASED,
                    rows=left.get(sha, 0),
                    run_id=self._settings.run_id,
                    recorded_at=datetime.now(UTC),
                    detail=f"erasure {self._record.id}: {last[sha].rows - left.get(sha, 0)} records",
                )
                for sha in sorted(touched)
                if sha in last and last[sha].rows != left.get(sha, 0)
            ]
        )
        failpoint("erase.recorded")

    def _forget_tokens(self) -> None:
        """Take the subject's tokens out of the vault."""
        for subject in self._subjects:
            tokens = {
                column.name: masked
                for column in subject.columns
                if column.masking is not None
                and column.masking.method == "token"
                and (masked := mask_one(self._value, column.masking, self._key)) is not None
            }
            forget(self._engine, self._settings, subject.contract.dataset, tokens, self._since)
        failpoint("erase.forgotten")

    def _build_gold(self) -> None:
        chosen = self._domain.choose(self._settings.sources)
        for model in self._domain.buildable(chosen):
            if self._engine.exists(self._settings.table_path(model.published, model.dataset)):
                build(self._engine, self._settings, self._domain, model)
        failpoint("erase.built")

    def _purge(self) -> dict[str, tuple[Layer, int, int]]:
        """Forget every version but the newest: layer, files deleted and the version after, by table."""
        for subject in self._subjects:
            sweep(staging_path(self._settings, subject.contract.dataset))
        sweep(holding_path(self._settings))
        purged = {}
        for layer, path in self._tables():
            deleted = care.purge(self._engine, path, self._since)
            purged[path] = (layer, deleted, self._engine.version(path))
            failpoint("erase.purged")
        return purged

    def _search(self, rightful: Sequence[bytes]) -> Found:
        codes = frozenset[str]().union(*(subject.codes for subject in self._subjects))
        names = frozenset[str]().union(*(subject.names for subject in self._subjects))
        value = self._value.encode()

        others = [other for other in self._others() if other.records]

        def by_right(file: str, _value: str, column: str, cell: bytes) -> bool:
            return cell == value and (column in codes or any(other.has(file, column) for other in others))

        roots = [self._settings.root(layer) for layer in self._settings.roots]
        wanted = [raw for raw in (*rightful, *chain.from_iterable(other.records for other in others)) if raw]
        cut = tuple(stumps(self._value))
        return search(
            [*roots, *self._request.also],
            self._needle,
            by_right,
            rightful=wanted,
            numbers=dict.fromkeys(roots, names),
            in_logs=Needle(cut) if cut else None,
        )

    def _others(self) -> Iterator[Others]:
        """Datasets about subjects of other types, who may be called the same: two shops number their customers."""
        raw = [layer for layer in (Layer.BRONZE, Layer.QUARANTINE) if layer in self._settings.roots]
        for contract in self._domain.sources:
            if contract.data_subject is None or contract.data_subject.type == self._request.subject_type:
                continue
            subject = SubjectColumns(contract)
            found = traces(self._engine, self._path(Layer.BRONZE, subject), subject, self._request.value)
            yield Others(
                tuple(self._settings.table_path(layer, contract.dataset) for layer in raw),
                subject.names,
                tuple(trace.raw for trace in found if trace.why in (SUBJECT, COINCIDENCE)),
            )

    def _certify(
        self, leaving: Sequence[Trace], purged: dict[str, tuple[Layer, int, int]], found: Found
    ) -> dict[str, Any]:
        removed = self._record.removals()
        facts = {
            "version": 1,
            "erasure_id": self._record.id,
            "domain": self._settings.domain,
            "subject": {
                "type": self._request.subject_type,
                "keyed_hash": self._hash,
                "key_id": key_id(self._key),
            },
            "requested_by": self._request.requested_by,
            "performed_by": self._engine.actor(),
            "reason": self._request.reason,
            "began_at": self._record.began().isoformat(),
            "ended_at": datetime.now(UTC).isoformat(),
            "runs": list(self._record.runs()),
            "engine": self._engine.name.value,
            "removed": [
                {"layer": one.layer, "from": one.target, "rows": one.rows, "version_before": one.version}
                for one in removed
            ],
            "mentions_of_others": sum(trace.why == MENTION for trace in leaving),
            "purged": [
                {"layer": layer.value, "table": path, "version": version, "files_deleted": deleted}
                for path, (layer, deleted, version) in sorted(purged.items())
            ],
            "search": {
                "files": found.files,
                "bytes": found.bytes,
                "encodings": list(ENCODINGS),
                "found": found.found,
                "unread": found.unread,
                "where": [f"{find.file} {find.column} ({find.form})" for find in found.finds],
                "coincidences": found.coincidences,
            },
        }
        certificate = signed(facts, self._key)
        place = keep(self._settings, KIND, self._record.id, certificate)
        failpoint("erase.certified")
        if found.unread:
            raise QualityError(
                f"{len(found.unread)} files cannot be read to their end, so nobody knows what they hold; the first: "
                f"{found.unread[0]}",
                where=place,
                fix="the certificate names them; take them away, then run the erasure again",
            )
        if found.found:
            raise QualityError(
                f"the subject's value is still in {found.found} places, the first: {found.finds[0].file}",
                where=place,
                fix="the certificate names them; take them away, then run the erasure again",
            )
        self._record.certify()
        return certificate

    # Inside

    def _tables(self) -> Sequence[tuple[Layer, str]]:
        datasets = [subject.contract.dataset for subject in self._subjects]
        return tuple(removal.tables(self._settings, self._domain, datasets))

    def _path(self, layer: Layer, subject: SubjectColumns) -> str:
        return self._settings.table_path(layer, subject.contract.dataset)


def _sha256(path: str) -> str:
    with open_file(path) as raw:
        return Span(raw).sha256()


__all__ = ["ErasureRequest", "erase"]
