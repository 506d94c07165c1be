"""Lineage as SVG: tables from left to right, and columns against the columns that they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from levee.report.catalogue.model import Table

_BOX: Final = 196
_HIGH: Final = 46
_ACROSS: Final = 40
"""Between tables: six of them side by side, from source to the second gold, fit a window of 1,100 px at `_LEAST`."""
_BETWEEN: Final = 192
"""Between a table's columns and those that they come from: room for many lines."""
_DOWN: Final = 16
_ROW: Final = 24
_HEAD: Final = 30
_LEAST: Final = 0.7
"""How far a drawing shrinks before it is panned."""
_SIGNS: Final = 25
"""Characters of a name that fit into a box."""


@dataclass(frozen=True, slots=True)
class Node:
    """One box of the flow of tables.

    Attributes:
        id: Names it in edges.
        label: Its name.
        kind: What it is, small below the name.
        href: Its page; empty where it has none.
        current: Whether the page is about it.
    """

    id: str
    label: str
    kind: str
    href: str = ""
    current: bool = False


def table_flow(table: Table, tables: Mapping[str, Table]) -> str:
    """What a table is made of and what is made of it, from source to gold.

    Args:
        table: The table.
        tables: Every table of the domain by reference.
    """
    nodes: list[Node] = []
    edges: list[tuple[str, str]] = []
    for one in related(table, tables):
        if one.source:
            nodes.append(Node(f"source.{one.name}", one.origin or one.name, "source"))
            nodes.append(Node(f"bronze.{one.name}", one.name, "bronze, as delivered"))
            edges += [(f"source.{one.name}", f"bronze.{one.name}"), (f"bronze.{one.name}", one.reference)]
        current = one.reference == table.reference
        nodes.append(Node(one.reference, one.name, one.layer, "" if current else one.page, current))
        edges += [(name, one.reference) for name in one.inputs]
    known = {node.id for node in nodes}
    return _flow(nodes, [edge for edge in edges if known.issuperset(edge)])


def related(table: Table, tables: Mapping[str, Table]) -> list[Table]:
    """The table with all that it comes from, and all that comes from it."""
    readers: dict[str, list[str]] = {}
    for one in tables.values():
        for name in one.inputs:
            readers.setdefault(name, []).append(one.reference)
    above = _reached(table.reference, {name: one.inputs for name, one in tables.items()})
    below = _reached(table.reference, readers)
    return [one for reference, one in tables.items() if reference in above | below]


def _reached(start: str, steps: Mapping[str, Sequence[str]]) -> set[str]:
    found, left = {start}, [start]
    while left:
        for name in steps.get(left.pop(), ()):
            if name not in found:
                found.add(name)
                left.append(name)
    return found


def _flow(nodes: Sequence[Node], edges: Sequence[tuple[str, str]]) -> str:
    columns = _placed(nodes, edges)
    tallest = max(len(column) for column in columns)
    height = tallest * (_HIGH + _DOWN) + _DOWN
    places: dict[str, tuple[float, float]] = {}
    for x, column in enumerate(columns):
        top = (height - len(column) * (_HIGH + _DOWN) + _DOWN) / 2
        for y, node in enumerate(column):
            places[node.id] = (x * (_BOX + _ACROSS) + 2, top + y * (_HIGH + _DOWN))
    width = len(columns) * (_BOX + _ACROSS) - _ACROSS + 4
    lines = [
        _line(places[a][0] + _BOX, places[a][1] + _HIGH / 2, places[b][0], places[b][1] + _HIGH / 2, "edge")
        for a, b in edges
    ]
    boxes = [_box(node, *places[node.id]) for column in columns for node in column]
    said = "; ".join(f"{a} feeds {b}" for a, b in edges)
    return _svg(width, height, f"Lineage of tables: {said}", [*lines, *boxes])


def _placed(nodes: Sequence[Node], edges: Sequence[tuple[str, str]]) -> list[list[Node]]:
    """The boxes by column: each right of all that it is made of."""
    place = dict.fromkeys((node.id for node in nodes), 0)
    for _ in nodes:  # as many rounds as the longest way could have steps
        for a, b in edges:
            place[b] = max(place[b], place[a] + 1)
    columns: list[list[Node]] = [[] for _ in range(max(place.values(), default=0) + 1)]
    for node in nodes:
        columns[place[node.id]].append(node)
    return columns


def _box(node: Node, x: float, y: float) -> str:
    drawn = (
        f'<rect class="{"box current" if node.current else "box"}" x="{x:.0f}" y="{y:.0f}" width="{_BOX}" '
        f'height="{_HIGH}" rx="8"/>'
        f'<text class="name" x="{x + 12:.0f}" y="{y + 20:.0f}">{_short(node.label)}</text>'
        f'<text class="kind" x="{x + 12:.0f}" y="{y + 36:.0f}">{escape(node.kind)}</text>'
        f"<title>{escape(node.label)}</title>"
    )
    return f'<a href="{escape(node.href)}">{drawn}</a>' if node.href else f"<g>{drawn}</g>"


def column_flow(table: Table) -> str:
    """Each column of a table against those whose values it is made of; empty where nothing is known."""
    direct = [edge for edge in table.edges if edge.to and edge.table != table.reference]
    if not direct:
        return ""
    sources: dict[str, dict[str, None]] = {}
    for edge in direct:
        sources.setdefault(edge.table, {})[edge.column] = None
    left, right = _BOX + 2, _BOX + 2 + _BETWEEN
    starts, boxes, y = {}, [], 2.0
    for name, columns in sources.items():
        boxes.append(_group(name, columns, 2, y))
        for place, column in enumerate(columns):
            starts[name, column] = y + _HEAD + place * _ROW + _ROW / 2
        y += _HEAD + len(columns) * _ROW + _DOWN
    names = [column.name for column in table.columns]
    boxes.append(_group(table.reference, names, right, 2, current=True))
    ends = {name: 2 + _HEAD + place * _ROW + _ROW / 2 for place, name in enumerate(names)}
    lines = [
        _line(left, starts[edge.table, edge.column], right, ends[edge.to], f"edge {edge.type.lower()}")
        for edge in direct
        if edge.to in ends
    ]
    height = max(y, 2 + _HEAD + len(names) * _ROW) + _DOWN
    said = "; ".join(f"{edge.to} from {edge.table}.{edge.column} ({edge.subtype.lower()})" for edge in direct)
    return _svg(right + _BOX + 2, height, f"Lineage of columns: {said}", [*lines, *boxes])


def _group(title: str, names: Iterable[str], x: float, y: float, *, current: bool = False) -> str:
    names = list(names)
    rows = "".join(
        f'<text class="column" x="{x + 12:.0f}" y="{y + _HEAD + place * _ROW + 16:.0f}">{_short(name)}'
        f"<title>{escape(name)}</title></text>"
        for place, name in enumerate(names)
    )
    high = _HEAD + len(names) * _ROW + 6
    return (
        f'<g><rect class="{"box current" if current else "box"}" x="{x:.0f}" y="{y:.0f}" width="{_BOX}" '
        f'height="{high}" rx="8"/><text class="name" x="{x + 12:.0f}" y="{y + 20:.0f}">{_short(title)}</text>{rows}</g>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    middle = (x1 + x2) / 2
    way = f"M{x1:.0f} {y1:.0f}C{middle:.0f} {y1:.0f} {middle:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    return f'<path class="{kind}" d="{way}"/>'


def _short(text: str) -> str:
    return escape(text if len(text) <= _SIGNS else f"{text[: _SIGNS - 1]}…")


def _svg(width: float, height: float, said: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="lineage" role="img" aria-label="{escape(said)}" '
        f'style="max-width:{width:.0f}px;min-width:{width * _LEAST:.0f}px" viewBox="0 0 {width:.0f} {height:.0f}" xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )
