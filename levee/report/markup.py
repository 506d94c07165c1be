"""Pieces of HTML: text, tables, charts, cards, sections. Every text is escaped here."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any, Final

from levee.report.chart import Chart

_DOCUMENT: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{css}</style>
</head>
<body>
{body}
{scripts}
</body>
</html>
"""
_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'{scripts}; style-src 'unsafe-inline'; img-src data: blob:"
)


def document(title: str, body: str, scripts: str, *, styles: Sequence[str], script_sources: str = "") -> str:
    """A whole page, which asks no server for anything.

    Args:
        title: Text.
        body: HTML.
        scripts: HTML of its scripts.
        styles: Assets with its styles.
        script_sources: Where scripts may come from beside the page itself, as a content security policy says it.
    """
    policy = _POLICY.format(scripts=f" {script_sources}" if script_sources else "")
    css = "".join(asset(style) for style in styles)
    return _DOCUMENT.format(policy=policy, title=escape(title), css=css, body=body, scripts=scripts)


def section(title: str, cards: Sequence[str]) -> str:
    """Cards under a heading; nothing where there are none."""
    return (
        f'<section><h2>{escape(title)}</h2><div class="charts">{"".join(cards)}</div></section>' if any(cards) else ""
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose cells are text; columns that hold only numbers stand right."""
    numeric = {index for index in range(1, len(header)) if _is_numeric([row[index] for row in rows])}
    head = "".join(f'<th scope="col"{_right(i, numeric)}>{escape(name)}</th>' for i, name in enumerate(header))
    body = "".join(
        f"<tr>{''.join(f'<td{_right(i, numeric)}>{escape(cell)}</td>' for i, cell in enumerate(row))}</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def heads(names: Sequence[str]) -> str:
    """The cells of a table's head."""
    return "".join(f'<th scope="col">{escape(name)}</th>' for name in names)


def _right(index: int, numeric: set[int]) -> str:
    return ' class="num"' if index in numeric else ""


def _is_numeric(cells: Sequence[str]) -> bool:
    """Whether a column holds numbers, and some."""
    return any(cells) and all(map(_is_number, cells))


def _is_number(cell: str) -> bool:
    return not cell or cell.lstrip("-£$€")[:1].isdigit()


def card(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A wide card with a table."""
    return f'<div class="card wide"><h3>{escape(title)}</h3>{table(header, rows)}</div>'


def unbroken(text: str) -> str:
    """Escaped text in which a line never ends between a number and its unit."""
    return re.sub(r"(?<=\d) (?=[Mk%]\b|%)", "\u00a0", escape(text))


def with_command(text: str) -> str:
    """Escaped text whose part after the last ``: `` is a command."""
    before, colon, command = text.rpartition(": ")
    return f"{escape(before)}: <code>{escape(command)}</code>" if colon else escape(text)


def with_code(text: str) -> str:
    """Escaped text with `code` in backticks as code."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))


def figure(chart: Chart) -> str:
    """A chart with its finding above and its numbers as a table below."""
    wide = ' class="wide"' if chart.wide or chart.figure is None else ""
    note = f"<p>{escape(chart.note)}</p>" if chart.note else ""
    caption = f'<figcaption><h3 id="{chart.id}-title">{unbroken(chart.finding)}</h3>{note}</figcaption>'
    if chart.figure is None:
        empty = f'<p class="empty">{with_command(chart.empty)}</p>'
        return f'<figure{wide} data-empty="{chart.id}">{caption}{empty}</figure>'
    drawing = (
        f'<div class="chart" id="{chart.id}" role="img" aria-labelledby="{chart.id}-title" '
        f'style="height:{chart.height}px;min-width:{chart.min_width}px"></div>'
    )
    if chart.min_width:
        drawing = f'<div class="pan" tabindex="0" role="region" aria-label="{escape(chart.finding)}">{drawing}</div>'
    return f"<figure{wide}>{caption}{drawing}{_table_of(chart)}</figure>"


def _table_of(chart: Chart) -> str:
    if not chart.rows:
        return ""
    return f"<details><summary>The numbers as a table</summary>{table(chart.header, chart.rows)}</details>"


def script_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def asset(name: str) -> str:
    """The text of a style sheet or script of ours."""
    return (files("levee.report") / "assets" / name).read_text(encoding="utf-8")
