"""Bronze's table: commits of deliveries, each once, whatever a run that was killed has left and whoever writes beside.

A delivery that the table has nothing of is put beside the others, which costs what it adds; to replace, engines write
more than they must. So the table is looked at first: once a run where nobody else writes. What tells of a killed run
is that the table has more rows than the ledger's deliveries; where rows may also leave (policy ``replace``) their
number says nothing, and the contents are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipelines.errors import PipelineError
from pipelines.ledger import Ledger, Status, latest
from pipelines.settings import Layer

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

QUIET_ATTEMPTS = 10
"""Times a batch is written again because another writer committed to the same table meanwhile."""
STANDING = (Status.COMMITTED, Status.EXPIRED)


class BronzeTable:
    """The bronze table of one dataset, as one run knows it."""

    def __init__(self, engine: Engine, path: str, contract: Contract, ledger: Ledger) -> None:
        self._engine, self._path, self._ledger, self._dataset = engine, path, ledger, contract.dataset
        self._standing: set[str] = set()
        self._there: dict[str, set[str]] = {}
        self._look(by_count=contract.redelivery.policy != "replace")

    @property
    def version(self) -> int:
        """The newest version that this run has read or written: another run's rows may come twice in later ones."""
        return self._version

    def commit(self, rows: DataFrame, deliveries: Mapping[str, str], leaving: Sequence[str]) -> None:
        """Commit deliveries, in place of whatever the table has of them.

        Args:
            rows: Their rows.
            deliveries: Their contents, each with its name.
            leaving: Contents whose rows leave in the same commit.

        Raises:
            PipelineError: others wrote the table again and again.
        """
        names = set(deliveries.values())
        for _ in range(QUIET_ATTEMPTS):
            before = self._version
            # A killed run's delivery that was replaced before it could be entered is known by its name alone.
            orphans = [sha for sha, files in self._there.items() if sha not in self._standing and files & names]
            stale = {*leaving, *orphans, *(deliveries.keys() & self._there.keys())}
            if stale:
                replaced = sorted(stale | deliveries.keys())
                self._engine.replace_where(self._path, rows, "_file_sha256", replaced, asserted=sorted(deliveries))
            else:
                self._engine.insert(self._path, rows)
            self._version = self._engine.version(self._path)
            if self._version <= before + 1:  # Sail makes no commit of nothing
                self._standing |= deliveries.keys()
                self._there = {sha: files for sha, files in self._there.items() if sha not in stale}
                return
            self._look(by_count=False)  # finds this batch's own rows too, and the next attempt replaces them
        raise PipelineError(
            "other runs wrote the table all the time", where=self._path, fix="let one run end, then run this again"
        )

    def _look(self, *, by_count: bool) -> None:
        """Learn what the table has, of its newest version or a later one."""
        self._version = self._engine.version(self._path)
        last = latest(self._ledger.entries(Layer.BRONZE, self._dataset))
        committed = {sha: entry for sha, entry in last.items() if entry.status is Status.COMMITTED}
        self._standing |= {sha for sha, entry in last.items() if entry.status in STANDING}
        if by_count and self._engine.count(self._path) == sum(entry.rows for entry in committed.values()):
            self._there = {sha: {entry.file} for sha, entry in committed.items()}
            return
        rows = self._engine.read(self._path, self._engine.version(self._path))
        counted = rows.groupBy("_file_sha256", "_file").count().collect()
        self._there = {}
        have: dict[str, int] = {}
        for sha, file, count in counted:
            self._there.setdefault(sha, set()).add(file)
            have[sha] = have.get(sha, 0) + count
        # Two runs at once put a delivery there twice, and the one that was to mend it was killed.
        if doubled := sorted(sha for sha, entry in committed.items() if have.get(sha, 0) > entry.rows):
            once = self._engine.among(rows, "_file_sha256", doubled).dropDuplicates(["_file_sha256", "_line"])
            self._engine.replace_where(self._path, once, "_file_sha256", doubled)
            self._version = self._engine.version(self._path)
