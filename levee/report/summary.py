"""What the data plane tells the report: the JSON of ``python -m pipelines.summary``, parsed once.

Every list may be empty (nothing ran yet, or a source has no countries); a shape that is none of ours is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from levee.errors import EngineError

SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class Amount:
    """Revenue under one label: a month (ISO date of its first day), a country or a customer.

    Attributes:
        label: What it is the revenue of.
        revenue: In ``currency``, exact.
        currency: ISO 4217 code, or empty where the source states none.
        dataset: The contract it comes from.
    """

    label: str
    revenue: Decimal
    currency: str
    dataset: str


@dataclass(frozen=True, slots=True)
class Split:
    """Where the rows of one dataset went; ``read`` is the sum of the other three."""

    dataset: str
    clean: int
    duplicates: int
    quarantined: int

    @property
    def read(self) -> int:
        """Rows that came in."""
        return self.clean + self.duplicates + self.quarantined


@dataclass(frozen=True, slots=True)
class RuleCount:
    """Quarantined rows that break one rule; a row counts under every rule that it breaks."""

    dataset: str
    rule: str
    rows: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a task, for the table."""

    run_id: str
    task: str
    status: str
    dataset: str
    engine: str
    started: str
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Check:
    """The newest result of one check of a contract.

    Attributes:
        dataset: The contract's dataset.
        name: Id of the check.
        success: Whether it holds; ``None`` where it could not be run.
        rows: Rows that it looked at.
        failed: Rows that break it.
        remark: What it observed, or why it was not run.
    """

    dataset: str
    name: str
    success: bool | None
    rows: int
    failed: int
    remark: str


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that the page shows of the data."""

    by_month: tuple[Amount, ...] = ()
    by_country: tuple[Amount, ...] = ()
    by_customer: tuple[Amount, ...] = ()
    splits: tuple[Split, ...] = ()
    rules: tuple[RuleCount, ...] = ()
    checks: tuple[Check, ...] = ()
    runs: tuple[Run, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no run has left anything to show."""
        return not (self.by_month or self.splits)


def parse_summary(data: Mapping[str, Any] | None) -> Summary:
    """The summary as values.

    Args:
        data: The parsed JSON; ``None`` where nothing ran yet.

    Raises:
        EngineError: Another schema, or a field is missing or of another type.
    """
    if data is None:
        return Summary()
    if data.get("schema") != SCHEMA:
        raise EngineError(
            f"the summary of the data has schema {data.get('schema')!r}, this report reads {SCHEMA}",
            fix="make up builds wheel and toolkit from the same checkout",
        )
    try:
        return Summary(
            by_month=_amounts(data["sales_over_time"], "month"),
            by_country=_amounts(data["revenue_by_country"], "country"),
            by_customer=_amounts(data["revenue_by_customer"], "customer_id"),
            splits=tuple(_split(row) for row in data["clean_vs_quarantined"]),
            rules=tuple(RuleCount(row["dataset"], row["rule"], int(row["rows"])) for row in data["quarantine_by_rule"]),
            checks=tuple(_check(row) for row in data["quality"]),
            runs=tuple(_run(row) for row in data["runs"]),
        )
    except (KeyError, TypeError, ValueError, InvalidOperation) as wrong:
        raise EngineError(
            f"the summary of the data cannot be read: {type(wrong).__name__} {wrong}",
            fix="levee run DOMAIN writes it anew",
        ) from wrong


def _amounts(rows: Iterable[Mapping[str, Any]], label: str) -> tuple[Amount, ...]:
    return tuple(
        Amount(str(row[label]), Decimal(str(row["revenue"])), str(row.get("currency") or ""), str(row["dataset"]))
        for row in rows
    )


def _split(row: Mapping[str, Any]) -> Split:
    return Split(str(row["dataset"]), int(row["silver"]), int(row["duplicates"]), int(row["quarantined"]))


def _check(row: Mapping[str, Any]) -> Check:
    success = row["success"]
    if success is not None and not isinstance(success, bool):
        raise TypeError(f"success is {success!r}")
    return Check(
        dataset=str(row["dataset"]),
        name=str(row["check"]),
        success=success,
        rows=int(row["rows"] or 0),
        failed=int(row["failed"] or 0),
        remark=str(row["not_run"] or row["observed"] or ""),
    )


def _run(row: Mapping[str, Any]) -> Run:
    return Run(
        run_id=str(row["run_id"]),
        task=str(row["task"]),
        status=str(row["status"]),
        dataset=str(row["dataset"] or ""),
        engine=str(row["engine"]),
        started=str(row["started_at"]),
        rows=int(row["rows"] or 0),
        seconds=float(row["seconds"]),
    )
