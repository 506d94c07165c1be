"""What a batch is measured by beside its rules, and what a measurement is.

A measure is a number of a record, added up in the same pass that judges the records: an amount for a reconciliation,
the bin of a value for a distribution, a time for freshness.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

MeasureKind = Literal["sum", "max", "bin"]
MetricKind = Literal["records", "malformed", "rule", "nulls", "sum", "max", "bin", "repeated", "version"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of a record.

    Attributes:
        id: The check that asks for it.
        kind: ``sum``: added up; ``max``: the greatest; ``bin``: counted by its value, 0 to `bins` - 1.
        value: SQL over a candidate row: a number, or null where the record says nothing.
        bins: How many bins.
    """

    id: str
    kind: MeasureKind
    value: str
    bins: int = 0

    @property
    def digest(self) -> str:
        """Digest of what is measured: numbers of another definition are not added to these."""
        return digest_of(f"{self.kind} {self.bins} {self.value}")

    def parts(self, column: str) -> tuple[tuple[int, str], ...]:
        """Number each aggregate that the measure is made of, and its SQL over the column that holds the value."""
        if self.kind != "bin":
            return ((0, f"{self.kind}({column})"),)
        return tuple((n, f"coalesce(sum(CASE WHEN {column} = {n} THEN 1 ELSE 0 END), 0)") for n in range(self.bins))


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a batch, of the records that were accepted and of those that were rejected.

    Attributes:
        kind: ``records`` and ``malformed``: records; ``rule``: records that broke the rule; ``nulls``: records without
            a value; ``sum``, ``max``, ``bin``: of the measure; ``repeated``: of the rule or sum, what is in the tables
            by an identical record of another batch; ``version``: of silver, after the batch and before.
        subject: The rule, column or check; empty for records.
        part: Number of the bin.
        definition: Digest of the rule's predicate or the measure's value: what is not of one definition is not added.
        accepted: Of the records that went on to silver; ``None`` where none says anything.
        rejected: Of the well-formed records that went to quarantine, for ``malformed`` of the others.
    """

    kind: MetricKind
    subject: str
    part: int
    definition: str
    accepted: Decimal | None
    rejected: Decimal | None

    @property
    def total(self) -> Decimal:
        """Of all records."""
        return (self.accepted or Decimal(0)) + (self.rejected or Decimal(0))


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics of a batch, or of several added up.

    Attributes:
        items: The metrics.
    """

    items: tuple[Metric, ...]

    def find(self, kind: MetricKind, subject: str = "", part: int = 0) -> Metric | None:
        """Return the metric of that name; ``None`` where it was not counted."""
        return next((m for m in self.items if (m.kind, m.subject, m.part) == (kind, subject, part)), None)

    def count(self, kind: MetricKind, subject: str = "") -> int:
        """Return a count of all records.

        Raises:
            KeyError: it was not counted.
        """
        if (found := self.find(kind, subject)) is None:
            raise KeyError(f"{kind} {subject}".strip())
        return int(found.total)

    @property
    def judged(self) -> int:
        """Well-formed records."""
        return self.count("records")

    @property
    def records(self) -> int:
        """All records, malformed ones too."""
        return self.judged + self.count("malformed")

    @property
    def quarantined(self) -> int:
        """Records that go to quarantine, malformed ones too."""
        found = self.find("records")
        return int((found.rejected if found else None) or 0) + self.count("malformed")

    @property
    def broken(self) -> dict[str, int]:
        """Records by rule that they broke, where there are any."""
        return {m.subject: int(m.total) for m in self.items if m.kind == "rule" and m.total}

    def bins(self, subject: str, definition: str | None = None) -> tuple[int, ...]:
        """Accepted records by bin of a measure, of one definition where it is given; empty where there are none."""
        found = sorted((m for m in self.items if (m.kind, m.subject) == ("bin", subject)), key=lambda m: m.part)
        if definition is not None:
            found = [metric for metric in found if metric.definition == definition]
        return tuple(int(m.accepted or 0) for m in found)


def added(batches: Sequence[Metrics]) -> Metrics:
    """Add batches up: counts and sums are added, of maxima the greatest counts.

    What is not of one definition in every batch is left out: it was never counted of all of them.
    """
    named: dict[tuple[MetricKind, str, int, str], list[Metric]] = {}
    for batch in batches:
        for metric in batch.items:
            named.setdefault((metric.kind, metric.subject, metric.part, metric.definition), []).append(metric)
    return Metrics(
        tuple(
            _merged(found)
            for (kind, *_), found in named.items()
            if kind == "repeated" or len(found) == len(batches)  # only a batch that repeats something has the former
        )
    )


def digest_of(text: str) -> str:
    """Name a definition by its text: 64 bits of SHA-256, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _merged(found: Sequence[Metric]) -> Metric:
    first = found[0]
    merge = max if first.kind in ("max", "version") else sum

    def side(values: list[Decimal]) -> Decimal | None:
        return Decimal(merge(values)) if values else None

    return Metric(
        first.kind,
        first.subject,
        first.part,
        first.definition,
        side([m.accepted for m in found if m.accepted is not None]),
        side([m.rejected for m in found if m.rejected is not None]),
    )
