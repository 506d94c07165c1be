"""How a budget of runs looks in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

SHOWN: Final = 10
"""Decisions that are shown, the newest."""
_STYLES: Final = {
    "allowed": "green",
    "confirmed": "yellow",
    "warned": "yellow",
    "overspent": "yellow",
    "asked": "bold red",
    "refused": "bold red",
    "stopped": "bold red",
}


def table(reports: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Each budget with its sums, and the newest decisions."""
    if not reports:
        return Text("nothing has run yet")
    return Group(*(part for report in reports for part in (_sums(report), _decisions(report["decisions"]))))


def _sums(report: Mapping[str, Any]) -> Table:
    shown = Table(box=box.SIMPLE, title=f"{report['cost_centre']}, {report['month']}", title_justify="left")
    shown.add_column("", no_wrap=True)
    shown.add_column("US dollars", justify="right", no_wrap=True)
    shown.add_column("")
    shown.add_row("budget", _usd(report["budget_usd"]), f"{report['source']}; policy {report['policy']}")
    shown.add_row("spent", _usd(report["spent_usd"]), _runs(report))
    shown.add_row("left", _usd(report["left_usd"]), "")
    over = Decimal(report["forecast_usd"]) > Decimal(report["budget_usd"])
    said = Text("over the budget", style="bold red") if over else Text("within the budget", style="green")
    shown.add_row("forecast", _usd(report["forecast_usd"]), said)
    return shown


def _runs(report: Mapping[str, Any]) -> str:
    unpriced = report["runs_without_a_price"]
    by_domain = ", ".join(f"{domain} {_usd(sum_)}" for domain, sum_ in report["spent_by_domain"].items())
    return f"{report['runs']} task runs" + (f", {unpriced} without a price" if unpriced else "") + f": {by_domain}"


def _decisions(rows: Iterable[Mapping[str, Any]]) -> RenderableType:
    newest = list(rows)[:SHOWN]
    if not newest:
        return Text("  no decisions yet", style="dim")
    shown = Table(box=box.SIMPLE, title="newest decisions", title_justify="left")
    for column in ("at (UTC)", "run of", "verdict", "expected"):
        shown.add_column(column, no_wrap=column != "run of")
    shown.add_column("why")
    for row in newest:
        expected = "unknown" if row["expected_usd"] is None else _usd(row["expected_usd"])
        verdict = Text(row["verdict"], style=_STYLES.get(row["verdict"], ""))
        shown.add_row(row["decided_at"][:19], f"{row['task']} {row['dataset']}", verdict, expected, row["reason"])
    return shown


def _usd(text: str) -> str:
    """Cents, or as many places as a smaller sum needs to be told from nothing."""
    amount = Decimal(text)
    if not amount or abs(amount) >= Decimal("0.01"):
        return f"{amount.quantize(Decimal('0.01')):,}"
    return f"{amount.quantize(Decimal('1e-6')).normalize():f}"
