"""The charts of what became of the rows: clean against quarantined, and the rules that reject."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from levee.report.chart import Chart, bar_height, bars, share
from levee.report.summary import Split, Summary

_TOP: Final = 12


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
        height=bar_height(len(rules)),
        header=("Rule", "Dataset", "Rows"),
        rows=[(r.rule, r.dataset, f"{r.rows:,}") for r in rules],
    )
