"""A cost report as a JSON document: what ``levee cost --json`` writes. Amounts are decimal strings in US dollars."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from levee.cost.model import CENT, HOURS_PER_MONTH, CostReport, Line, Range, ResourceCost

VERSION: Final = 1


def to_document(report: CostReport, before: CostReport | None = None) -> dict[str, Any]:
    """The report as JSON values; equal reports give equal documents.

    Args:
        report: What the plan costs.
        before: What is deployed now; without it there is no ``before`` and no ``change``.
    """
    return {
        "version": VERSION,
        "project": report.project,
        "stack": report.stack,
        "currency": "USD",
        "hours_per_month": HOURS_PER_MONTH,
        "monthly_usd": _cents(report.monthly_usd),
        "before_usd": _cents(before.monthly_usd) if before else None,
        "change_usd": _cents(report.monthly_usd - before.monthly_usd) if before else None,
        "by_component": _groups(report.by_component),
        "by_capability": _groups(report.by_capability),
        "by_cost_centre": _groups(report.by_cost_centre),
        "resources": [_resource(resource) for resource in report.resources],
        "unpriced": {token: list(urns) for token, urns in report.unpriced.items()},
        "free": dict(report.free),
        "notes": list(report.notes),
    }


def _groups(groups: Mapping[str, Range]) -> dict[str, Any]:
    return {name: _cents(amount) for name, amount in groups.items()}


def _resource(resource: ResourceCost) -> dict[str, Any]:
    return {
        "urn": resource.urn,
        "type": resource.type,
        "name": resource.name,
        "component": resource.component,
        "capability": resource.capability,
        "cost_centre": resource.cost_centre,
        "monthly_usd": _cents(resource.monthly_usd),
        "lines": [_line(line) for line in resource.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "unit": line.unit,
        "basis": line.basis.value,
        "quantity": _range(line.quantity) if line.quantity else None,
        "unit_price_usd": _plain(line.unit_price_usd) if line.unit_price_usd is not None else None,
        "monthly_usd": _cents(line.monthly_usd) if line.monthly_usd else None,
        "source": line.source,
        "as_of": line.as_of,
        "note": line.note,
    }


def _cents(amount: Range) -> dict[str, str]:
    return _range(Range(amount.low.quantize(CENT), amount.expected.quantize(CENT), amount.high.quantize(CENT)))


def _range(amount: Range) -> dict[str, str]:
    return {"low": _plain(amount.low), "expected": _plain(amount.expected), "high": _plain(amount.high)}


def _plain(value: Decimal) -> str:
    return f"{value:f}"
