"""What a plan costs, for the terminal: the dearest first, and nothing without an amount left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from levee.cost import Basis, CostReport, Line, Range, ResourceCost, usd
from levee.report.naming import plural, short_type

_WIDE: Final = 90
"""Columns from which quantities and unit prices have columns of their own; else they stand below their component."""

_SHOWN: Final = 20
_NAMED: Final = 6
_STYLES: Final[Mapping[Basis, str]] = {Basis.ASSUMED: "yellow", Basis.UNPRICED: "bold red", Basis.UNKNOWN: "magenta"}
_WHY: Final[Mapping[Basis, str]] = {
    Basis.USAGE_MISSING: "depend on usage that nobody gave: levee cost ENV --usage FILE",
    Basis.UNKNOWN: "depend on a value that is not known before the update, or not in this plan",
    Basis.UNPRICED: "have no list price of that size in the catalogue",
}


def summary_line(report: CostReport, before: CostReport | None = None) -> Text:
    """One line: what a month costs, its range, the change, and how much has no amount."""
    month = report.monthly_usd
    pieces = [f"{usd(month.expected)} a month"]
    if not month.fixed:
        pieces.append(f"{usd(month.low)} to {usd(month.high)}")
    if before is not None:
        pieces.append(f"{_signed(month.expected - before.monthly_usd.expected)} against what is deployed")
    missing = len(report.unresolved)
    if missing:
        pieces.append(f"{plural(missing, 'line')} without an amount")
    if report.unpriced:
        pieces.append(f"{plural(len(report.unpriced), 'type')} not in the catalogue")
    return Text.assemble(("cost  ", "bold"), "; ".join(pieces))


def tables(report: CostReport, before: CostReport | None = None, *, width: int) -> RenderableType:
    """The whole report.

    Args:
        report: What the plan costs.
        before: What is deployed now, where anything is.
        width: Columns of the terminal.
    """
    parts: list[RenderableType] = [_resources(report, wide=width >= _WIDE)]
    for title, groups in (("capability", report.by_capability), ("cost centre", report.by_cost_centre)):
        if len(groups) > 1 or any(groups):
            parts.append(_groups(title, groups))
    parts.extend(_left_out(report))
    parts.append(summary_line(report, before))
    return Group(*parts)


def _resources(report: CostReport, *, wide: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("resource and component", overflow="fold")
    of_quantity = ("quantity", "unit price") if wide else ()
    for heading in (*of_quantity, "a month", "low to high"):
        table.add_column(heading, justify="right", no_wrap=True)
    blank = ("",) * len(of_quantity)
    for resource in report.resources[:_SHOWN]:
        month = resource.monthly_usd
        table.add_row(_heading(resource), *blank, Text(usd(month.expected), style="bold"), _spread(month))
        for line in resource.lines:
            if line.basis is not Basis.USAGE_MISSING:
                table.add_row(*_cells(line, wide=wide))
        asking = sum(line.basis is Basis.USAGE_MISSING for line in resource.lines)
        if asking:
            table.add_row(
                Text(f"  {plural(asking, 'line')} by usage", style="dim"), *blank, Text("not given", "dim"), ""
            )
    rest = report.resources[_SHOWN:]
    if rest:
        amount = sum((resource.monthly_usd.expected for resource in rest), Decimal(0))
        table.add_row(Text(f"and {len(rest):,} more", style="dim"), *blank, Text(usd(amount), style="dim"), "")
    return table


def _heading(resource: ResourceCost) -> Text:
    return Text.assemble((resource.name, "bold"), (f"  {short_type(resource.type)}", "dim"))


def _cells(line: Line, *, wide: bool) -> Sequence[Text | str]:
    style = _STYLES.get(line.basis, "")
    mark = f" ({line.basis.value})" if line.basis in _STYLES and line.basis.priced else ""
    quantity = f"{_number(line.quantity)} {line.unit}" if line.quantity else ""
    price = f"${line.unit_price_usd.normalize():f}" if line.unit_price_usd is not None else ""
    month = line.monthly_usd
    amount = Text(usd(month.expected) if month else line.basis.value, style=style)
    name, spread = Text.assemble(f"  {line.name}", (mark, style)), _spread(month) if month else ""
    if wide:
        return name, quantity, price, amount, spread
    of_quantity = " at ".join(filter(None, (quantity, price)))
    return name.append(f"\n    {of_quantity}", "dim") if of_quantity else name, amount, spread


def _groups(title: str, groups: Mapping[str, Range]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"by {title}")
    table.add_column("a month", justify="right")
    table.add_column("low to high", justify="right")
    for name, amount in groups.items():
        table.add_row(name or f"no {title}", usd(amount.expected), _spread(amount))
    return table


def _left_out(report: CostReport) -> Iterator[Text]:
    by_basis = Counter(line.basis for _, line in report.unresolved)
    for basis, why in _WHY.items():
        if by_basis[basis]:
            yield Text.assemble((f"{plural(by_basis[basis], 'line')} ", _STYLES.get(basis, "dim")), why)
    if report.unpriced:
        names = [f"{token} ({len(urns)})" for token, urns in report.unpriced.items()]
        yield Text.assemble(("not in the catalogue  ", "bold red"), ", ".join(names))
    if report.free:
        names = [short_type(token) for token in report.free]
        shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more types" if len(names) > _NAMED else "")
        yield Text.assemble(("known to be free  ", "dim"), f"{sum(report.free.values()):,}: {shown}")
    said = Counter(line.note for resource in report.resources for line in resource.lines if line.note and line.source)
    for note, count in said.most_common():
        if not note.startswith("usage: "):
            yield Text.assemble((f"{plural(count, 'line')} ", "dim"), note)
    for note in report.notes:
        yield Text.assemble(("note  ", "yellow"), note)


def _spread(amount: Range) -> str:
    """The range in whole dollars; nothing where it has none."""
    return "" if amount.fixed else f"${round(amount.low):,} to ${round(amount.high):,}"


def _number(quantity: Range) -> str:
    return f"{round(quantity.expected, 2).normalize():,f}"


def _signed(amount: Decimal) -> str:
    return f"+{usd(amount)}" if amount >= 0 else usd(amount)
