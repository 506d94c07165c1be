"""What ``levee models`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.syntax import Syntax
from rich.table import Column, Table
from rich.text import Text


def listed(document: Mapping[str, Any]) -> RenderableType:
    """A row a model, in the order of building."""
    names = (Column(header, no_wrap=True) for header in ("model", "reads", "built", "tests"))
    table = Table(*names, "what", box=None, pad_edge=False)
    for model in document["models"]:
        reads = [f"{name} (optional)" if name in model["optional"] else name for name in model["inputs"]]
        tests = str(len(model["tests"])) if model["tests"] else "none"
        table.add_row(model["name"], "\n".join(reads), model["materialisation"], tests, model["description"])
    return table


def shown(model: Mapping[str, Any]) -> RenderableType:
    """A model's SQL, and where its columns come from."""
    table = Table("column", "type", "from", box=None, pad_edge=False)
    for column in model["columns"]:
        table.add_row(column["name"], column["type"], "\n".join(map(_edge, column["from"])) or "no column")
    rows = Table("which rows there are", box=None, pad_edge=False)
    for edge in model["rows"]:
        rows.add_row(_edge(edge))
    text = Syntax(model["sql"], "sql", background_color="default")
    return Group(Text(model["name"], style="bold"), text, table, rows)


def outcomes(document: Mapping[str, Any]) -> RenderableType:
    """A line a test, with the rows that differ."""
    lines: list[RenderableType] = []
    for outcome in document["tests"]:
        mark = ("✓", "green") if outcome["passed"] else ("✗", "red")
        lines.append(Text.assemble(mark, f" {outcome['model']} {outcome['case']} {outcome['seconds']:.2f} s"))
        lines += [Text(f"    missing    {_row(row)}") for row in outcome["missing"]]
        lines += [Text(f"    unexpected {_row(row)}") for row in outcome["unexpected"]]
    failed = sum(not outcome["passed"] for outcome in document["tests"])
    lines.append(Text(f"{len(document['tests'])} tests on {document['engine']}, {failed} failed"))
    if document["untested"]:
        lines.append(Text(f"without a test: {', '.join(document['untested'])}"))
    return Group(*lines)


def _edge(edge: Mapping[str, Any]) -> str:
    return f"{edge['table']}.{edge['column']} ({edge['subtype'].lower().replace('_', ' ')})"


def _row(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in row.items())
