"""Lays the resource graph out: one lane a cloud, dependencies from left to right. Pure geometry, no drawing.

The longest path from a resource without dependencies decides its column (layering of Sugiyama, Tagawa and Toda 1981,
without the crossing phase: inside a cell, resources stand by component, type and name, which a reader can follow).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final

from levee.plan import Plan, Resource
from levee.report.naming import cloud_order

_GAP: Final = 2
"""Rows between two lanes; the lower lane's title stands there."""


@dataclass(frozen=True, slots=True)
class Node:
    """One resource in the picture.

    Attributes:
        resource: The resource.
        x: Column, from 0.
        y: Row, from 0 at the top.
        dependents: How many others in the picture need it.
    """

    resource: Resource
    x: float
    y: float
    dependents: int


@dataclass(frozen=True, slots=True)
class Lane:
    """One provider package's strip.

    Attributes:
        package: The package.
        top: First row.
        rows: Its height in rows.
        size: How many resources are in it.
    """

    package: str
    top: float
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Picture:
    """The laid-out graph; an edge goes from what is needed to what needs it, where no longer way leads there."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[Node, Node], ...]
    lanes: tuple[Lane, ...]
    columns: int
    rows: int


def shown(plan: Plan) -> tuple[Resource, ...]:
    """What is drawn and counted: what exists in a cloud, without providers and components."""
    return tuple(r for r in plan.resources if r.custom and not r.is_provider and not r.type.startswith("pulumi:"))


def layout(plan: Plan) -> Picture:
    """Place every resource of the plan."""
    resources = shown(plan)
    needs = _needs(resources)
    depth = _depths(needs)
    dependents: dict[str, int] = dict.fromkeys(needs, 0)
    for needed in needs.values():
        for urn in needed:
            dependents[urn] += 1

    packages = sorted({r.package for r in resources}, key=cloud_order)
    cells: dict[tuple[str, int], list[Resource]] = {}
    for resource in resources:
        cells.setdefault((resource.package, depth[resource.urn]), []).append(resource)
    height = {p: _rows([len(c) for (package, _), c in cells.items() if package == p]) for p in packages}
    starts, columns = _column_starts(cells, height, max(depth.values(), default=-1) + 1)

    lanes: list[Lane] = []
    placed: dict[str, Node] = {}
    top = 0
    for package in packages:
        size = 0
        for column, start in enumerate(starts):
            cell = sorted(cells.get((package, column), ()), key=lambda r: (r.parent or "", r.type, r.name))
            size += len(cell)
            for index, resource in enumerate(cell):
                x, y = start + index // height[package], top + index % height[package]
                placed[resource.urn] = Node(resource, x, y, dependents[resource.urn])
        lanes.append(Lane(package, top, height[package], size))
        top += height[package] + _GAP
    direct = reduced(needs, depth)
    edges = tuple((placed[needed], placed[urn]) for urn in needs for needed in sorted(direct[urn]))
    return Picture(tuple(placed.values()), edges, tuple(lanes), columns, max(top - _GAP, 0))


def _needs(resources: Sequence[Resource]) -> dict[str, set[str]]:
    known = {r.urn for r in resources}
    needs: dict[str, set[str]] = {}
    for resource in resources:
        named = {*resource.dependencies, *(urn for urns in resource.property_dependencies.values() for urn in urns)}
        needs[resource.urn] = (named & known) - {resource.urn}
    return needs


def _depths(needs: Mapping[str, set[str]]) -> dict[str, int]:
    """Longest path to each resource; the graph has no circles, and one would end at its first closing edge."""
    depth: dict[str, int] = {}
    for start in needs:
        stack = [start]
        while stack:
            urn = stack[-1]
            depth.setdefault(urn, -1)  # being worked on
            waiting = [needed for needed in needs[urn] if needed not in depth]
            if waiting:
                stack.extend(waiting)
                continue
            depth[urn] = max((depth[needed] + 1 for needed in needs[urn]), default=0)
            stack.pop()
    return depth


def reduced(needs: Mapping[str, set[str]], depth: Mapping[str, int]) -> dict[str, set[str]]:
    """The edges that no other path implies (transitive reduction of Aho, Garey and Ullman 1972).

    Args:
        needs: URN to the URNs that it needs.
        depth: Longest path to each; what is needed is always less deep.
    """
    above: dict[str, set[str]] = {}
    direct: dict[str, set[str]] = {}
    for urn in sorted(needs, key=lambda u: depth[u]):
        implied = set().union(*(above[needed] for needed in needs[urn] if needed in above))
        direct[urn] = needs[urn] - implied
        above[urn] = implied | needs[urn]
    return direct


def _rows(cell_sizes: Sequence[int]) -> int:
    """Rows of a lane, so that its fullest cell is about three times as wide as high."""
    return max(2, min(10, ceil(sqrt(max(cell_sizes) / 3))))


def _column_starts(
    cells: Mapping[tuple[str, int], Sequence[Resource]], height: Mapping[str, int], depths: int
) -> tuple[list[int], int]:
    starts: list[int] = []
    column = 0
    for depth in range(depths):
        starts.append(column)
        widths = (ceil(len(c) / height[package]) for (package, at), c in cells.items() if at == depth)
        column += max(widths, default=0) + 1
    return starts, max(column - 1, 0)
