"""How rejected records look in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

_WIDTHS: Final = {"id": 16, "seen (UTC)": 16}
"""Columns that are never broken."""


def listed(told: Mapping[str, Any]) -> RenderableType:
    """What was counted by rule and state, and a line a record."""
    if not told["counts"]:
        return Text(f"nothing of {told['dataset']} is in quarantine")
    counts = _table("rule", "state", "rows")
    for one in told["counts"]:
        counts.add_row(one["rule"], one["state"], f"{one['rows']:,}")
    if not told["records"]:
        return Group(counts, Text("none of them is asked for; --state all shows every one"))
    records = _table("id", "state", "rules", "where", "copies", "times", "seen (UTC)")
    for one in told["records"]:
        records.add_row(
            one["id"],
            one["state"],
            "\n".join(one["rules"]),
            f"{one['file']}:{one['line']}",
            f"{one['copies']:,}",
            f"{one['occurrences']:,}",
            "\n".join(dict.fromkeys((_minute(one["first_seen"]), _minute(one["last_seen"])))),
        )
    return Group(counts, records, *([Text("there are more; --limit shows them")] if told["more"] else []))


def shown(told: Mapping[str, Any]) -> RenderableType:
    """One record: where it is, its fields, its rules, when it came and what was done about it."""
    fields, rules = _table("field", "value"), _table("rule", "says")
    for name, value in told["fields"].items():
        fields.add_row(Text(name), Text("null", "dim") if value is None else Text(value))
    for one in told["rules"]:
        rules.add_row(Text(one["rule"]), Text(one["description"]))
    came, done = _table("came", "at (UTC)"), _table("state", "by", "at (UTC)", "why", "correction")
    for one in told["occurrences"]:
        came.add_row(Text(f"{one['file']}:{one['line']}"), _minute(one["at"]))
    for one in told["history"]:
        texts = (one["state"], one["actor"], _minute(one["at"]), one["reason"] or "", one["correction"] or "")
        done.add_row(*map(Text, texts))
    head = f"{told['id']} is {told['state']}: {told['file']}:{told['line']}, contract {told['contract_version']}"
    raw = [Text("personal fields are masked; --raw --reason WHY shows them")] if told["masked"] else [Text(told["raw"])]
    return Group(Text(head), fields, *raw, rules, came, *([done] if told["history"] else []))


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in columns:
        justify = "right" if column in ("rows", "copies", "times") else "left"
        table.add_column(
            column, justify=justify, overflow="fold", no_wrap=column in _WIDTHS, min_width=_WIDTHS.get(column)
        )
    return table


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")
