"""The order of deliveries, where it is the order of changes: which comes when, and what a full snapshot ends.

It is made of names, modification times and contents, which the ledger has: not of when bronze took a delivery in. A
content that came again under another name, or at another time, has two turns: a small table that changed and changed
back is delivered with the same bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from pipelines.contracts.extensions import History
from pipelines.ledger import Entry, Status, latest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Delivered:
    """A content under a name at a time.

    Attributes:
        file: Name of the delivery.
        modified: When the file was modified, nanoseconds since 1970, UTC.
        file_sha256: Its content.
    """

    file: str
    modified: int
    file_sha256: str

    @classmethod
    def of(cls, entry: Entry) -> Delivered:
        """What an entry of the ledger tells of."""
        return cls(entry.file, entry.modified, entry.file_sha256)


@dataclass(frozen=True, slots=True)
class Turn:
    """A delivery's place in the order.

    Attributes:
        file_sha256: Its content.
        delivery: Number of the delivery, from 0.
        snapshot: Number of the snapshot that it belongs to, from 0; its own number where deliveries are changes.
        at: Since when what it says holds, UTC; never before the turn before it.
        next_complete: Number of the next snapshot without rejected records: a key that this snapshot has and the next
            ones lack was deleted there; ``None`` where there is none yet.
        next_complete_at: Since when that one holds.
    """

    file_sha256: str
    delivery: int
    snapshot: int
    at: datetime
    next_complete: int | None = None
    next_complete_at: datetime | None = None


def delivered(entries: Sequence[Entry]) -> set[Delivered]:
    """Return every content that stands, with each name and time that it came under.

    Args:
        entries: Bronze's ledger of one dataset, oldest first.
    """
    standing = {sha for sha, entry in latest(entries).items() if entry.status in (Status.COMMITTED, Status.EXPIRED)}
    return {
        Delivered.of(entry)
        for entry in entries
        if entry.status in (Status.COMMITTED, Status.REPEATED) and entry.file_sha256 in standing
    }


def turns(
    found: Iterable[Delivered],
    history: History,
    *,
    incomplete: Collection[str] = (),
    effective: Mapping[str, datetime] | None = None,
) -> tuple[Turn, ...]:
    """Put deliveries in order: by name, then by modification time.

    Args:
        found: The deliveries.
        history: Whether they are snapshots, and which files are one.
        incomplete: Contents of which records are in quarantine: their snapshots tell of no deletes.
        effective: Since when a content holds, where a column says so; else since its modification.
    """
    ordered, snapshots = _numbered(sorted(found), history)
    times = [
        (effective or {}).get(one.file_sha256, _EPOCH)
        if effective is not None
        else _EPOCH + timedelta(microseconds=one.modified // 1000)
        for one in ordered
    ]
    at: dict[int, datetime] = {}
    for number, time in zip(snapshots, accumulate(times, max), strict=True):
        at[number] = max(time, at.get(number, time))
    lacking = {number for number, one in zip(snapshots, ordered, strict=True) if one.file_sha256 in incomplete}
    ends: dict[int, int | None] = {}
    following: int | None = None
    for number in sorted(at, reverse=True):
        ends[number] = following
        following = following if number in lacking else number
    found_ends = [ends[number] if history.deliveries == "snapshots" else None for number in snapshots]
    return tuple(
        Turn(one.file_sha256, n, number, at[number], end, None if end is None else at[end])
        for n, (one, number, end) in enumerate(zip(ordered, snapshots, found_ends, strict=True))
    )


def _numbered(found: Sequence[Delivered], history: History) -> tuple[list[Delivered], list[int]]:
    """Return deliveries in their order, each with the number of its snapshot.

    Where a name comes with several contents, its first is of the first snapshot of that name, and so on.
    """
    if history.deliveries == "changes":
        return list(found), list(range(len(found)))
    times = Counter[str]()
    keyed: list[tuple[str, int, Delivered]] = []
    for one in found:
        match = re.search(history.snapshot, one.file)
        keyed.append((match[1] if match else one.file, times[one.file], one))
        times[one.file] += 1
    keyed.sort()
    numbers = {key: number for number, key in enumerate(dict.fromkeys((name, time) for name, time, _ in keyed))}
    return [one for *_, one in keyed], [numbers[name, time] for name, time, _ in keyed]


__all__ = ["Delivered", "Turn", "delivered", "turns"]
