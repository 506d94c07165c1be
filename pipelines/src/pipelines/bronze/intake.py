"""What lies in the landing folder, sorted by what the ledger knows: new, a repeat, no delivery, in another's place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.bronze.inspection import Delivery
from pipelines.bronze.storage import StoredFile
from pipelines.errors import SchemaError
from pipelines.ledger import Entry, Status, latest
from pipelines.quarantine.files import RejectedFile
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pipelines.contracts.model import Contract

HOLDING = (Status.COMMITTED, Status.REPEATED)
"""Events after which a name holds a content."""


class Intake:
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
        # What a name holds may have come under another one.
        self._holds = {entry.file: entry.file_sha256 for entry in entries if entry.status in HOLDING}
        # What an erasure left of a delivery's file says nothing that its rows do not.
        self._remainders = {entry.file_sha256 for entry in entries if entry.status is Status.ERASED} - last.keys()
        self._superseded: dict[str, set[str]] = {}
        # A file that was rejected by another contract is looked at again.
        self._known = {
            (entry.file, entry.size, entry.modified)
            for entry in entries
            if (entry.status is not Status.REJECTED or entry.contract_digest == contract.digest)
            and not _is_undone(last, entry)
        }
        self.quarantined: list[RejectedFile] = []
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

    def sort(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Return the deliveries to commit; the others go into `quarantined`, `rejected` and `repeated`."""
        accepted: dict[str, Delivery] = {}
        repeated: list[Delivery] = []
        remainders: list[Delivery] = []
        for delivery in deliveries:
            if delivery.problem:
                self.quarantined.append(RejectedFile.of(delivery, self._contract, self._settings))
                self.rejected.append(self._entry(delivery, Status.REJECTED, 0, "", delivery.problem))
            elif delivery.sha256 in self._remainders:
                remainders.append(delivery)
            elif delivery.sha256 in self._committed or delivery.sha256 in accepted:
                repeated.append(delivery)
            else:
                accepted[delivery.sha256] = delivery
        self.repeated = [self._entry(delivery, Status.REPEATED, 0, "") for delivery in (*repeated, *remainders)]
        if self._contract.redelivery.policy == "refuse":
            self._refuse(accepted.values())
        if self._contract.redelivery.policy == "replace":
            self._supersede([*accepted.values(), *repeated])
        return list(accepted.values())

    def unread(self, files: Iterable[StoredFile]) -> list[tuple[str, str]]:
        """Return name and reason of the landing folder's files that were rejected since a delivery was committed.

        A run that could read nothing fails, and the runs after it that find nothing else fail likewise: a scheduler's
        second attempt must not turn it into a success.
        """
        before = [self._unread.get((stored.name, stored.size, stored.modified)) for stored in files]
        found = [(entry.file, entry.detail or "") for entry in before if entry is not None]
        return [*((rejected.file, rejected.reason) for rejected in self.quarantined), *found]

    def superseded(self, batch: Sequence[Delivery]) -> list[str]:
        """Return the contents that a batch takes the place of, by the contract's policy."""
        return self._displaced_by(delivery.stored.name for delivery in batch)

    @property
    def displaced(self) -> list[str]:
        """Contents that leave because their name holds now what is there already, under another name."""
        return self._displaced_by(entry.file for entry in self.repeated)

    def _displaced_by(self, names: Iterable[str]) -> list[str]:
        return sorted(set().union(*(self._superseded.get(name, set()) for name in names)))

    def _supersede(self, deliveries: Sequence[Delivery]) -> None:
        """Find what each delivery takes the place of: what its name has had, but for what another name still holds."""
        now = {delivery.stored.name: delivery.sha256 for delivery in deliveries}
        held = set((self._holds | now).values())
        taken: set[str] = set()
        for name in now:
            had = self._by_name.get(name, set()) | {self._holds.get(name, "")}
            self._superseded[name] = (had & self._standing.keys()) - held - taken
            taken |= self._superseded[name]

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


def _is_undone(last: Mapping[str, Entry], entry: Entry) -> bool:
    return entry.file_sha256 in last and last[entry.file_sha256].status is Status.UNDONE
