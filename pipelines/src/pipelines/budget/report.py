"""What a cost centre's budget looks like this month: limit, spent, forecast, decisions. Pure but for `read`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from pipelines.budget import spending
from pipelines.budget.record import TABLE
from pipelines.budget.terms import Budget
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine

SCHEMA: Final = 1
PACE: Final = timedelta(days=7)
"""The forecast goes on as the last so many days went."""
_DAY: Final = timedelta(days=1)
_CENT: Final = Decimal("1e-9")


def forecast(rows: Iterable[Mapping[str, Any]], cost_centre: str, now: datetime) -> Decimal:
    """What the month will have cost at its end, US dollars: what is spent, and each day left as the last seven were.

    Where the cost centre has run for less than seven days, the days since its first run (at least one) are the pace.

    Args:
        rows: Run records.
        cost_centre: Whose.
        now: The time, UTC.
    """
    priced = [row for row in rows if row["cost_centre"] == cost_centre and row["cost_usd"] is not None]
    already = spending.spent(priced, cost_centre, now)
    if not priced:
        return already
    first = min(row["started_at"] for row in priced)
    days = max(min(now - first, PACE), _DAY)
    lately = sum((row["cost_usd"] for row in priced if row["started_at"] > now - days), Decimal(0))
    left = max(_next_month(now) - now, timedelta())
    return (already + lately * Decimal(left / days)).quantize(_CENT)


def report(
    budget: Budget, by_domain: Mapping[str, list[dict[str, Any]]], decisions: Iterable[Mapping[str, Any]], now: datetime
) -> dict[str, Any]:
    """The document that ``levee budget`` shows, schema 1; money is text, exact.

    Args:
        budget: The limit.
        by_domain: Run records of each domain under these checkpoints.
        decisions: Of the job's domain; the newest come first.
        now: The time, UTC.
    """
    rows = [row for found in by_domain.values() for row in found]
    since = spending.month_start(now)
    this_month = [row for row in rows if row["cost_centre"] == budget.cost_centre and row["started_at"] >= since]
    already = spending.spent(rows, budget.cost_centre, now)
    newest = sorted(decisions, key=lambda row: row["decided_at"], reverse=True)
    return {
        "schema": SCHEMA,
        "month": f"{now:%Y-%m}",
        "cost_centre": budget.cost_centre,
        "policy": budget.policy,
        "source": budget.source,
        "budget_usd": f"{budget.monthly_usd:f}",
        "spent_usd": f"{already:f}",
        "left_usd": f"{max(budget.monthly_usd - already, Decimal(0)):f}",
        "forecast_usd": f"{forecast(rows, budget.cost_centre, now):f}",
        "spent_by_domain": {
            domain: f"{spending.spent(found, budget.cost_centre, now):f}"
            for domain, found in by_domain.items()
            if found
        },
        "runs": len(this_month),
        "runs_without_a_price": sum(row["cost_usd"] is None for row in this_month),
        "decisions": [{name: _text(value) for name, value in row.items()} for row in newest],
    }


def read(engine: Engine, settings: RunSettings, budget: Budget, now: datetime) -> dict[str, Any]:
    """Read the records, and make the report of them."""
    by_domain = {domain: spending.read(engine, settings, domain) for domain in spending.domains(settings)}
    decided = engine.rows(settings.path(Layer.CHECKPOINTS, settings.domain, TABLE)).to_pylist()
    return report(budget, by_domain, decided, now)


def _next_month(now: datetime) -> datetime:
    return spending.month_start(spending.month_start(now) + timedelta(days=32))


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, datetime) else value
