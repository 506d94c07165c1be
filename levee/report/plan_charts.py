"""The charts of the plan: the resource graph by cloud, and what the rules said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from levee.plan import Level, Op, Plan, Violation
from levee.report.chart import Chart, literal
from levee.report.graph import Lane, Node, Picture, layout, shown
from levee.report.naming import OPS, cloud, plural, short_type

_ROW: Final = 21
_HUB: Final = 5
_COLOURED: Final = frozenset({"aws", "azure-native", "gcp", "databricks", "kubernetes"})

_VERDICTS: Final = (
    ("mandatory", "✗ mandatory", "--mandatory"),
    ("advisory", "! advisory", "--advisory"),
    ("not evaluated", "? not evaluated", "--unsure"),
    ("exempt", "○ exempt", "--exempt"),
)


def resource_graph(plan: Plan) -> Chart:
    """Every resource in its cloud's lane, with what it needs to its left."""
    picture = layout(plan)
    chart = Chart(
        "resource-graph",
        "Nothing is provisioned",
        empty=f"The stack has no resources. Bring it up: levee up {plan.stack}",
        wide=True,
    )
    if not picture.nodes:
        return chart
    marks = _marks(plan)
    figure = {
        "data": [
            _edges(picture, far=False),
            _edges(picture, far=True),
            _lit(),
            *(_lane_nodes(picture, lane, marks) for lane in picture.lanes),
        ],
        "layout": {
            "xaxis": {"visible": False, "range": [-1.2, picture.columns + 0.6], "fixedrange": True},
            "yaxis": {"visible": False, "range": [picture.rows - 0.2, -1.9], "fixedrange": True},
            "annotations": [*(_lane_title(lane) for lane in picture.lanes), *_hubs(picture)],
            "hovermode": "closest",
            "margin": {"l": 8, "r": 8, "t": 4, "b": 4},
            "showlegend": False,
        },
    }
    return Chart(
        id=chart.id,
        finding=_graph_finding(picture),
        note="A dot is a resource, larger the more others need it; a line leads from what is needed, at its left, to "
        "what needs it. A red square breaks a rule. Point at one to see what it is and its lines.",
        figure=figure,
        height=round(_ROW * (picture.rows + 2)),
        header=("Cloud", "Type", "Resources", "Needed by most"),
        rows=_graph_rows(picture),
        wide=True,
        min_width=min(1000, 24 * picture.columns),
    )


def _graph_finding(picture: Picture) -> str:
    largest = max(picture.lanes, key=lambda lane: lane.size)
    text = f"{plural(len(picture.nodes), 'resource')} on {plural(len(picture.lanes), 'provider')}"
    if len(picture.lanes) > 1:
        text += f", most on {cloud(largest.package)} ({largest.size:,})"
    hub = max(picture.nodes, key=lambda n: n.dependents)
    if hub.dependents:
        text += f"; {hub.resource.name} is needed by {hub.dependents:,} others"
    return text


def _marks(plan: Plan) -> dict[str, list[str]]:
    marks: dict[str, list[str]] = {}
    for violation in plan.violations:
        marks.setdefault(violation.urn, []).append(f"{violation.level.value}: {violation.policy}")
    return marks


def _edges(picture: Picture, *, far: bool) -> dict[str, Any]:
    """The lines inside the lanes, or those between them, which are fainter."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for needed, needing in picture.edges:
        if far == (needed.resource.package == needing.resource.package):
            continue
        xs += [needed.x, needing.x, None]
        ys += [needed.y, needing.y, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": xs,
        "y": ys,
        "line": {"width": 0.8, "color": "--edge-far" if far else "--edge"},
        "hoverinfo": "skip",
    }


def _lit() -> dict[str, Any]:
    """Empty; the page fills it with the lines of the dot that is pointed at."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [],
        "y": [],
        "line": {"width": 1.6, "color": "--text"},
        "hoverinfo": "skip",
    }


def _lane_nodes(picture: Picture, lane: Lane, marks: dict[str, list[str]]) -> dict[str, Any]:
    nodes = [n for n in picture.nodes if n.resource.package == lane.package]
    broken = [bool(marks.get(n.resource.urn)) for n in nodes]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": cloud(lane.package),
        "x": [n.x for n in nodes],
        "y": [n.y for n in nodes],
        "marker": {
            "size": [min(16, 8 + 1.6 * n.dependents**0.5) for n in nodes],
            "color": ["--mandatory" if bad else _lane_colour(lane.package) for bad in broken],
            "symbol": [_symbol(n, broken=bad) for n, bad in zip(nodes, broken, strict=True)],
            "opacity": 1,
            "line": {
                "width": [1.5 if bad else 1 for bad in broken],
                "color": ["--text" if bad else "--surface" for bad in broken],
            },
        },
        "text": [_hover(n, marks.get(n.resource.urn, [])) for n in nodes],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _symbol(node: Node, *, broken: bool) -> str:
    if broken:
        return "square"
    return "diamond" if node.resource.op in (Op.REPLACE, Op.DELETE) else "circle"


def _hubs(picture: Picture) -> list[dict[str, Any]]:
    """In each lane the name of the dot that most others need."""
    hubs = [
        max((n for n in picture.nodes if n.resource.package == lane.package), key=lambda n: n.dependents)
        for lane in picture.lanes
    ]
    return [
        {
            "text": literal(n.resource.name),
            "x": n.x,
            "y": n.y,
            "xanchor": "left",
            "yanchor": "bottom",
            "xshift": 7,
            "yshift": 3,
            "showarrow": False,
            "font": {"size": 11, "color": "--text"},
            "bgcolor": "--surface",
            "opacity": 0.88,
            "borderpad": 1,
        }
        for n in hubs
        if n.dependents >= _HUB
    ]


def _hover(node: Node, broken: Sequence[str]) -> str:
    resource = node.resource
    kind = literal(f"{cloud(resource.package)} {short_type(resource.type)}")
    lines = [f"<b>{literal(resource.name)}</b>", kind, OPS[resource.op][1]]
    if resource.source:
        lines.append(literal(str(resource.source)))
    lines.append(f"needed by {node.dependents}")
    return "<br>".join([*lines, *broken])


def _lane_title(lane: Lane) -> dict[str, Any]:
    return {
        "text": f"<b>{cloud(lane.package)}</b>  {lane.size:,}",
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": lane.top - 1.25,
        "yanchor": "middle",
        "showarrow": False,
        "font": {"color": "--text", "size": 13},
    }


def _lane_colour(package: str) -> str:
    return f"--cloud-{package}" if package in _COLOURED else "--cloud-other"


def _graph_rows(picture: Picture) -> Sequence[Sequence[str]]:
    rows: list[tuple[str, str, str, str]] = []
    for lane in picture.lanes:
        by_type: dict[str, list[Node]] = {}
        for node in picture.nodes:
            if node.resource.package == lane.package:
                by_type.setdefault(short_type(node.resource.type), []).append(node)
        for name, nodes in sorted(by_type.items()):
            hub = max(nodes, key=lambda n: n.dependents)
            needed = f"{hub.resource.name} ({hub.dependents:,})" if hub.dependents else ""
            rows.append((cloud(lane.package), name, f"{len(nodes):,}", needed))
    return rows


def policy_verdicts(plan: Plan, rule_count: int) -> Chart:
    """Findings by rule, stacked by how they are taken."""
    chart_id = "policy-verdicts"
    counts = _verdict_counts(plan)
    if not counts:
        resources = plural(len(shown(plan)), "resource")
        return Chart(
            chart_id,
            f"Every rule is kept: {plural(rule_count, 'rule')} over {resources}",
            empty="Nothing is broken, nothing was left undecided and nothing is exempt.",
        )
    rules = sorted(counts, key=lambda rule: ([-counts[rule].get(word, 0) for word, _, _ in _VERDICTS], rule))
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": rules[::-1],
            "x": [counts[rule].get(word, 0) for rule in rules[::-1]],
            "text": [f"{counts[rule][word]:,}" if counts[rule].get(word) else "" for rule in rules[::-1]],
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textangle": 0,
            "textfont": {"color": "--on-bar"},
            "marker": {"color": colour},
            "hovertemplate": "%{y}: %{x:,} " + word + "<extra></extra>",
        }
        for word, name, colour in _VERDICTS
        if any(counts[rule].get(word) for rule in rules)
    ]
    figure = {
        "data": traces,
        "layout": {
            "barmode": "stack",
            "xaxis": {"visible": False, "fixedrange": True},
            "yaxis": {"automargin": True, "ticksuffix": "  ", "type": "category", "showgrid": False},
            "legend": {"orientation": "h", "y": -0.02, "yanchor": "top", "x": 0, "traceorder": "normal"},
            "showlegend": True,
            "margin": {"l": 8, "r": 8, "t": 4, "b": 36},
            "bargap": 0.35,
        },
    }
    return Chart(
        id=chart_id,
        finding=_verdict_finding(plan),
        note="Resources by rule. What is not evaluated is not passed: its value comes only with the update.",
        figure=figure,
        height=max(140, 30 * len(rules) + 64),
        header=("Rule", *(word.capitalize() for word, _, _ in _VERDICTS)),
        rows=[(rule, *(f"{counts[rule].get(word, 0):,}" for word, _, _ in _VERDICTS)) for rule in rules],
        wide=True,
    )


def _verdict_counts(plan: Plan) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}

    def count(violations: Iterable[Violation], word: str = "") -> None:
        for violation in violations:
            kind = word or ("advisory" if violation.level is Level.ADVISORY else "mandatory")
            of_rule = counts.setdefault(violation.policy, {})
            of_rule[kind] = of_rule.get(kind, 0) + 1

    count(plan.violations)
    count(plan.not_evaluated, "not evaluated")
    count(plan.exempt, "exempt")
    return counts


def _verdict_finding(plan: Plan) -> str:
    mandatory = sum(v.level is not Level.ADVISORY for v in plan.violations)
    advisory = len(plan.violations) - mandatory
    parts = [
        f"{plural(mandatory, 'mandatory violation')} block this stack" if mandatory else "No mandatory rule is broken"
    ]
    if mandatory == 1:
        parts = ["1 mandatory violation blocks this stack"]
    if advisory:
        parts.append(f"{advisory:,} advisory")
    if plan.not_evaluated:
        parts.append(f"{len(plan.not_evaluated):,} not evaluated")
    if plan.exempt:
        parts.append(f"{len(plan.exempt):,} exempt")
    return "; ".join(parts)
