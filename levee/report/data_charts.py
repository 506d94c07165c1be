"""The charts of the data: sales over time, clean against quarantined, the rules, countries and customers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from levee.report.chart import Chart, bars, money, share, short_money
from levee.report.naming import plural
from levee.report.summary import Amount, Split, Summary

_TOP: Final = 12
_PSEUDONYM: Final = 10
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def data_charts(summary: Summary, run_command: str) -> Sequence[Chart]:
    """Every chart of the data, in the order of the page; before the first run, one that says so.

    Args:
        summary: What the runs left.
        run_command: What fills the charts.
    """
    if summary.is_empty:
        return (Chart("data", "No data yet", empty=f"Nothing has run here. Run it: {run_command}", wide=True),)
    builders: tuple[Callable[[Summary, str], Chart], ...] = (
        sales_over_time,
        clean_and_quarantined,
        quarantine_by_rule,
        revenue_by_country,
        revenue_by_customer,
    )
    return tuple(build(summary, f"The runs left nothing to show here. Run it: {run_command}") for build in builders)


def sales_over_time(summary: Summary, empty: str) -> Chart:
    """Revenue by month, one bar a month and one colour a currency."""
    amounts = sorted(summary.by_month, key=lambda a: a.label)
    chart = Chart("sales-over-time", "Sales over time", empty=empty, wide=True)
    if not amounts:
        return chart
    series = _by_series(amounts)
    traces = [
        {
            "type": "bar",
            "name": name,
            "x": [a.label for a in group],
            "y": [float(a.revenue) for a in group],
            "text": [short_money(a.revenue, a.currency) for a in group],
            "hovertext": [f"{_month(a.label)}: {money(a.revenue, a.currency)}" for a in group],
            "hovertemplate": "%{hovertext}<extra></extra>",
            "marker": {"color": f"--series-{index % 5}"},
            "textposition": "outside" if len(group) <= 16 else "none",
            "textangle": 0,
            "cliponaxis": False,
        }
        for index, (name, group) in enumerate(series)
    ]
    layout = {
        "xaxis": {"type": "date", "tickformat": "%b<br>%Y", "dtick": _tick(len(series[0][1])), "showgrid": False},
        "yaxis": {"tickformat": "~s", "rangemode": "tozero", "nticks": 5, "showgrid": True},
        "bargap": 0.22,
        "margin": {"l": 48, "r": 12, "t": 22, "b": 40},
        "showlegend": len(series) > 1,
    }
    return Chart(
        id=chart.id,
        finding=_sales_finding(series),
        note="Revenue by calendar month of the order; the first and the last month may be cut by the data's own ends.",
        figure={"data": traces, "layout": layout, "narrow": {"xaxis": {"dtick": "M3"}, "text": False}},
        header=("Month", "Dataset", "Revenue"),
        rows=[(_month(a.label), a.dataset, money(a.revenue, a.currency)) for a in amounts],
        wide=True,
    )


def _sales_finding(series: Sequence[tuple[str, Sequence[Amount]]]) -> str:
    found = []
    for name, group in series:
        best = max(group, key=lambda a: a.revenue)
        total = _sum(group)
        of = f" ({name})" if len(series) > 1 else ""
        found.append(
            f"Sales peaked in {_month(best.label)} at {short_money(best.revenue, best.currency)}; "
            f"{short_money(total, best.currency)} over {plural(len(group), 'month')}{of}"
        )
    return "; ".join(found)


def clean_and_quarantined(summary: Summary, empty: str) -> Chart:
    """Where every row went, one stacked bar a dataset."""
    splits = [s for s in summary.splits if s.read]
    chart = Chart("clean-vs-quarantined", "Clean against quarantined", empty=empty, height=150)
    if not splits:
        return chart
    parts = (
        ("clean", "--clean", [s.clean for s in splits]),
        ("identical duplicates", "--duplicate", [s.duplicates for s in splits]),
        ("quarantined", "--quarantined", [s.quarantined for s in splits]),
    )
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": [s.dataset for s in splits],
            "x": counts,
            "text": [_split_label(count, s) for count, s in zip(counts, splits, strict=True)],
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textfont": {"color": "--on-bar"},
            "marker": {"color": colour},
            "hovertext": [
                f"{count:,} {name} ({share(count, s.read)})" for count, s in zip(counts, splits, strict=True)
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
        for name, colour, counts in parts
    ]
    layout = {
        "barmode": "stack",
        "xaxis": {"visible": False, "range": [0, max(s.read for s in splits)]},
        "yaxis": {
            "automargin": True,
            "ticksuffix": "  ",
            "type": "category",
            "showgrid": False,
            "visible": len(splits) > 1,
        },
        "margin": {"l": 8, "r": 8, "t": 4, "b": 36},
        "legend": {"orientation": "h", "y": -0.08, "yanchor": "top", "x": 0, "traceorder": "normal"},
        "showlegend": True,
        "bargap": 0.3,
    }
    return Chart(
        id=chart.id,
        finding=_split_finding(splits),
        note="Every row that was read is in exactly one part; duplicates are identical in every column.",
        figure={"data": traces, "layout": layout},
        height=100 + 56 * len(splits),
        header=("Dataset", "Read", "Clean", "Duplicates", "Quarantined"),
        rows=[(s.dataset, f"{s.read:,}", f"{s.clean:,}", f"{s.duplicates:,}", f"{s.quarantined:,}") for s in splits],
    )


def _split_label(count: int, split: Split) -> str:
    return f"{count:,}<br>{share(count, split.read)}" if count / split.read > 0.1 else ""


def _split_finding(splits: Sequence[Split]) -> str:
    read = sum(s.read for s in splits)
    held = sum(s.quarantined for s in splits)
    if not held:
        return f"No row is quarantined: all {read:,} rows keep every rule"
    return f"{share(sum(s.clean for s in splits), read)} of {read:,} rows are clean; {held:,} wait in quarantine"


def quarantine_by_rule(summary: Summary, empty: str) -> Chart:
    """Quarantined rows by the rule that they break."""
    rules = sorted(summary.rules, key=lambda r: (-r.rows, r.rule))[:_TOP]
    chart = Chart("quarantine-by-rule", "Quarantine by rule", empty=empty)
    if not rules:
        return Chart(chart.id, "No rule rejected a row", empty="Every row kept every rule of its contract.")
    held = sum(s.quarantined for s in summary.splits)
    several = len({r.dataset for r in rules}) > 1
    return Chart(
        id=chart.id,
        finding=f"{rules[0].rule} rejects most: {rules[0].rows:,} rows, {share(rules[0].rows, held)} of the quarantine",
        note="A row counts under every rule that it breaks, so the bars add up to more than the quarantine holds.",
        figure=bars(
            [f"{r.rule} ({r.dataset})" if several else r.rule for r in rules],
            [r.rows for r in rules],
            [f"{r.rows:,}" for r in rules],
            hover=[f"{r.rows:,} rows ({share(r.rows, held)} of the quarantine)" for r in rules],
            colour="--quarantined",
        ),
        height=_bar_height(len(rules)),
        header=("Rule", "Dataset", "Rows"),
        rows=[(r.rule, r.dataset, f"{r.rows:,}") for r in rules],
    )


def revenue_by_country(summary: Summary, empty: str) -> Chart:
    """The countries that bring most."""
    chart = Chart("revenue-by-country", "Revenue by country", empty=empty)
    if not summary.by_country:
        return Chart(chart.id, chart.finding, empty="The source names no countries.")
    ranking = _rank(summary.by_country)
    best = ranking.top[0]
    finding = f"{best.label} brings {share(best.revenue, ranking.total)} of revenue"
    finding += f"; {ranking.count:,} countries buy" if ranking.count > 1 else ""
    return _revenue_chart(Chart(chart.id, finding, header=("Country",)), ranking, "--series-0", lambda a: a.label)


def revenue_by_customer(summary: Summary, empty: str) -> Chart:
    """The customers that bring most, by pseudonym."""
    chart = Chart("revenue-by-customer", "Revenue by customer", empty=empty)
    if not summary.by_customer:
        return chart
    ranking = _rank(summary.by_customer, summary.by_month)
    who = "The best customer brings" if len(ranking.top) == 1 else f"The {len(ranking.top)} best customers bring"
    finding = f"{who} {share(_sum(ranking.top), ranking.total)} of revenue"
    head = Chart(chart.id, finding, header=("Customer (pseudonym)",))
    return _revenue_chart(head, ranking, "--series-1", lambda a: _shortened(a.label))


def _shortened(pseudonym: str) -> str:
    return pseudonym[:_PSEUDONYM] + ("…" if len(pseudonym) > _PSEUDONYM else "")


def _revenue_chart(head: Chart, ranking: _Ranking, colour: str, label: Callable[[Amount], str]) -> Chart:
    top, total = ranking.top, ranking.total
    return replace(
        head,
        note=ranking.note,
        figure=bars(
            [label(a) for a in top],
            [float(a.revenue) for a in top],
            [short_money(a.revenue, a.currency) for a in top],
            hover=[f"{money(a.revenue, a.currency)} ({share(a.revenue, total)})" for a in top],
            colour=colour,
        ),
        height=_bar_height(len(top)),
        header=(*head.header, "Revenue", "Share"),
        rows=[(a.label, money(a.revenue, a.currency), share(a.revenue, total)) for a in top],
    )


@dataclass(frozen=True, slots=True)
class _Ranking:
    """The largest amounts of the dataset and currency with most of them; others cannot be added to it."""

    top: Sequence[Amount]
    total: Decimal
    count: int
    note: str


def _rank(amounts: Sequence[Amount], whole: Sequence[Amount] = ()) -> _Ranking:
    """Rank the amounts; ``whole`` holds the same dataset's whole revenue where ``amounts`` may be cut short."""
    series = sorted(_by_series(amounts), key=lambda named: -len(named[1]))
    name, group = series[0]
    top = sorted(group, key=lambda a: (-a.revenue, a.label))[:_TOP]
    total = _sum(dict(_by_series(whole)).get(name, ())) or _sum(group)
    cut = f"The {len(top)} largest." if whole else f"The {len(top)} largest of {len(group):,}."
    notes = [cut] if len(group) > len(top) else []
    if len(series) > 1:
        notes.append(f"Of {name}; {', '.join(other for other, _ in series[1:])} cannot be added to it.")
    return _Ranking(top, total, len(group), " ".join(notes))


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


def _tick(months: int) -> str:
    return "M1" if months <= 18 else "M3" if months <= 48 else "M12"


def _bar_height(bars_shown: int) -> int:
    return max(120, 26 * bars_shown + 16)
