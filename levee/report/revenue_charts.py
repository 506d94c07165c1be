"""The charts of revenue: over time, by country and by customer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from levee.report.chart import Chart, bar_height, bars, literal, money, share, short_money
from levee.report.naming import plural
from levee.report.summary import Amount, Summary

_TOP: Final = 12
_PSEUDONYM: Final = 10
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def sales_over_time(summary: Summary, empty: str) -> Chart:
    """Revenue by month, one bar a month and one strip a dataset: their years and currencies have nothing in common."""
    chart = Chart("sales-over-time", "Sales over time", empty=empty, wide=True)
    series = _by_series(sorted(summary.by_month, key=lambda a: a.label))
    if not series:
        return chart
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"bargap": 0.22, "margin": {"l": 48, "r": 12, "t": 22, "b": 40}, "showlegend": False}
    narrow: dict[str, Any] = {"axes": {}}
    titles = []
    strip = 1 / len(series)
    title_room = 0.12 * strip if len(series) > 1 else 0.0
    tick_room = 0.2 * strip if len(series) > 1 else 0.0
    for index, (name, group) in enumerate(series):
        number = "" if index == 0 else str(index + 1)
        top = 1 - index * strip
        last = index == len(series) - 1
        traces.append(_months(group, number, colour=f"--series-{index % 5}"))
        layout[f"xaxis{number}"] = {
            "type": "date",
            "tickformat": "%b<br>%Y",
            "dtick": _tick(len(group), 18),
            "showgrid": False,
            "anchor": f"y{number}",
        }
        layout[f"yaxis{number}"] = {
            "tickformat": "~s",
            "rangemode": "tozero",
            "nticks": 5,
            "domain": [top - strip + (0 if last else tick_room), top - title_room],
            "anchor": f"x{number}",
        }
        narrow["axes"][f"xaxis{number}"] = {"dtick": _tick(len(group), 6)}
        titles.append(_strip_title(name, top))
    if len(series) > 1:
        layout["annotations"] = titles
    return Chart(
        id=chart.id,
        finding=_sales_finding(series),
        note="Revenue by calendar month of the order; the first and the last month may be cut by the data's own ends.",
        figure={"data": traces, "layout": layout, "narrow": narrow},
        height=60 + 260 * len(series),
        header=("Month", "Dataset", "Revenue"),
        rows=[(_month(a.label), a.dataset, money(a.revenue, a.currency)) for _, group in series for a in group],
        wide=True,
    )


def _months(group: Sequence[Amount], number: str, *, colour: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "xaxis": f"x{number}",
        "yaxis": f"y{number}",
        "x": [a.label for a in group],
        "y": [float(a.revenue) for a in group],
        "text": [short_money(a.revenue, a.currency) for a in group],
        "hovertext": [f"{_month(a.label)}: {money(a.revenue, a.currency)}" for a in group],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"color": colour},
        "textposition": "outside" if len(group) <= 18 else "none",
        "textangle": 0,
        "constraintext": "none",
        "cliponaxis": False,
    }


def _strip_title(name: str, y: float) -> dict[str, Any]:
    return {
        "text": f"<b>{literal(name)}</b>",
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": y,
        "xanchor": "left",
        "yanchor": "top",
        "showarrow": False,
        "font": {"color": "--text"},
    }


def _sales_finding(series: Sequence[tuple[str, Sequence[Amount]]]) -> str:
    found = []
    for _, group in series:
        best = max(group, key=lambda a: a.revenue)
        what = f"{group[0].dataset} sales" if len(series) > 1 else "Sales"
        found.append(
            f"{what} peaked in {_month(best.label)} at {short_money(best.revenue, best.currency)}; "
            f"{short_money(_sum(group), best.currency)} over {plural(len(group), 'month')}"
        )
    return ". ".join(found)


def revenue_by_country(summary: Summary) -> Sequence[Chart]:
    """The countries that bring most, a chart a dataset that names countries."""
    series = _by_series(summary.by_country)
    if not series:
        return (Chart("revenue-by-country", "Revenue by country", empty="The source names no countries."),)
    charts = []
    for index, (_, group) in enumerate(series):
        ranking = _rank(group)
        best = ranking.top[0]
        finding = f"{_of(group, series)}{best.label} brings {share(best.revenue, ranking.total)} of revenue"
        finding += f"; {len(group):,} countries buy" if len(group) > 1 else ""
        head = Chart(_numbered("revenue-by-country", index), finding, note=ranking.note, header=("Country",))
        charts.append(_revenue_chart(head, ranking, "--series-0", lambda a: a.label))
    return charts


def revenue_by_customer(summary: Summary, empty: str) -> Sequence[Chart]:
    """The customers that bring most, by pseudonym, a chart a dataset; the summary holds the best of them only."""
    series = _by_series(summary.by_customer)
    if not series:
        return (Chart("revenue-by-customer", "Revenue by customer", empty=empty),)
    whole = dict(_by_series(summary.by_month))
    charts = []
    for index, (name, group) in enumerate(series):
        ranking = _rank(group, _sum(whole.get(name, ())))
        who = "best customer brings" if len(ranking.top) == 1 else f"{len(ranking.top)} best customers bring"
        finding = f"{_of(group, series) or 'The '}{who} {share(_sum(ranking.top), ranking.total)} of revenue"
        head = Chart(
            _numbered("revenue-by-customer", index), finding, note=ranking.note, header=("Customer (pseudonym)",)
        )
        charts.append(_revenue_chart(head, ranking, "--series-1", lambda a: _shortened(a.label)))
    return charts


def _of(group: Sequence[Amount], series: Sequence[object]) -> str:
    """The dataset's name before a finding, where there are several."""
    return f"{group[0].dataset}: " if len(series) > 1 else ""


def _numbered(chart_id: str, index: int) -> str:
    return chart_id if index == 0 else f"{chart_id}-{index + 1}"


def _shortened(pseudonym: str) -> str:
    return pseudonym[:_PSEUDONYM] + ("…" if len(pseudonym) > _PSEUDONYM else "")


def _revenue_chart(head: Chart, ranking: _Ranking, colour: str, label: Callable[[Amount], str]) -> Chart:
    top, total = ranking.top, ranking.total
    return replace(
        head,
        figure=bars(
            [label(a) for a in top],
            [float(a.revenue) for a in top],
            [short_money(a.revenue, a.currency) for a in top],
            hover=[f"{money(a.revenue, a.currency)} ({share(a.revenue, total)})" for a in top],
            colour=colour,
        ),
        height=bar_height(len(top)),
        header=(*head.header, "Revenue", "Share"),
        rows=[(a.label, money(a.revenue, a.currency), share(a.revenue, total)) for a in top],
    )


@dataclass(frozen=True, slots=True)
class _Ranking:
    """The largest amounts of one dataset in one currency."""

    top: Sequence[Amount]
    total: Decimal
    note: str


def _rank(group: Sequence[Amount], whole: Decimal | None = None) -> _Ranking:
    """Rank the amounts; ``whole`` is the dataset's whole revenue where ``group`` holds a part of it."""
    top = sorted(group, key=lambda a: (-a.revenue, a.label))[:_TOP]
    note = f"The {len(top)} largest." if whole else f"The {len(top)} largest of {len(group):,}."
    return _Ranking(top, whole or _sum(group), note if len(group) > len(top) else "")


def _by_series(amounts: Sequence[Amount]) -> Sequence[tuple[str, Sequence[Amount]]]:
    """Amounts that may be added and compared: one dataset in one currency."""
    groups: dict[str, list[Amount]] = {}
    for amount in amounts:
        groups.setdefault(" ".join(filter(None, (amount.dataset, amount.currency))), []).append(amount)
    return list(groups.items())


def _sum(amounts: Iterable[Amount]) -> Decimal:
    return sum((a.revenue for a in amounts), Decimal(0))


def _month(iso: str) -> str:
    year, month = iso.split("-")[:2]
    return f"{_MONTHS[int(month) - 1]} {year}"


def _tick(months: int, most: int) -> str:
    """The distance of ticks, so that there are at most that many."""
    return next((f"M{step}" for step in (1, 2, 3, 6) if months <= step * most), "M12")
