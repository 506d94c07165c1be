"""How far to believe a plan, for terminal and page: what was checked, invented, and left to the provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from levee.plan import CheckReach, Plan, TypeFidelity
from levee.report.naming import cloud, cloud_order, plural, short_type

_SHOWN = 6
_FACTS = "replacement facts"
_TOLD_BY_VALUE = frozenset({"enums", "unknown properties"})
"""Checks whose gaps are told by what was given, not by the property that could hold it."""


def believe_line(plan: Plan) -> Text | None:
    """One line under an offline plan; ``None`` where the real providers answered or nothing was checked."""
    fidelity = plan.fidelity
    if not plan.offline or not (fidelity.types or fidelity.not_evaluated):
        return None
    reach = fidelity.reach()
    typed, given = reach.get("types", (0, 0))
    pieces = [f"{typed:,} of {plural(given, 'input')} checked against {plural(len(fidelity.types), 'type')}"]
    decided, concerned = reach.get(_FACTS, (0, 0))
    if concerned:
        pieces.append(f"what a change replaces is known of {decided:,}")
    if invented := _invented(plan):
        pieces.append(f"invented: {', '.join(invented)}")
    if fidelity.not_evaluated:
        pieces.append(f"{plural(len(fidelity.not_evaluated), 'resource')} not evaluated")
    pieces.append("quotas, permissions and taken names only the provider knows")
    return Text.assemble(("how far to believe it  ", "bold"), ("; ".join(pieces), "dim"))


def _invented(plan: Plan) -> list[str]:
    counts = (
        (len(plan.invented_lookups), "lookup"),
        (len(plan.filled_config), "config value"),
        (len(plan.fidelity.placeholders), "placeholder"),
    )
    return [plural(count, word) for count, word in counts if count]


def sections(plan: Plan) -> Iterator[tuple[str, Sequence[str], Sequence[tuple[str, ...]]]]:
    """The whole report as tables: title, header, rows; empty ones are left out."""
    fidelity = plan.fidelity
    rows = [
        (
            cloud(t.package),
            short_type(t.type),
            f"{t.resources:,}",
            f"{t.given:,}",
            "; ".join(map(_said, filter(_concerns, t.checks))),
        )
        for t in sorted(fidelity.types, key=lambda t: (cloud_order(t.package), short_type(t.type)))
    ]
    if rows:
        yield "What is checked", ("Provider", "Type", "Resources", "Inputs given", "Decided of the inputs given"), rows
    invented = [
        *(
            (short_type(t.type), f"{plural(len(t.invented), 'computed output')}: {_few(t.invented)}")
            for t in _computing(plan)
        ),
        *((x.token, f"{x.source or 'no line'}: {x.reason or 'no cloud was asked'}") for x in plan.invented_lookups),
        *((x.key, f"{x.source or 'no line'}: {x.value} ({x.kind})") for x in plan.filled_config),
        *(("placeholder", said) for said in fidelity.placeholders),
    ]
    if invented:
        yield "What is invented", ("Of", "What"), invented
    left = [
        *((short_type(t.type), said) for t in fidelity.types for said in _let_pass(t)),
        *((short_type(n.type), f"{n.urn.rsplit('::', 1)[-1]}: {n.why}") for n in fidelity.not_evaluated),
        *(("everything", said) for said in fidelity.only_the_provider),
    ]
    if left:
        yield "What only the real provider can say", ("Of", "What"), left


def tables(plan: Plan) -> RenderableType:
    """The whole report for a terminal of 80 columns."""
    shown: list[RenderableType] = []
    for title, header, rows in sections(plan):
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for name in header:
            number = name in {"Resources", "Inputs given"}
            table.add_column(name, justify="right" if number else "left", overflow="fold", no_wrap=number)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        shown += [table, Text()]
    return Group(*shown)


def _computing(plan: Plan) -> list[TypeFidelity]:
    return [t for t in plan.fidelity.types if t.invented]


def _concerns(check: CheckReach) -> bool:
    return check.given > 0


def _said(check: CheckReach) -> str:
    return f"{check.name} {check.given - check.let_pass:,}/{check.given:,}"


def _let_pass(type_: TypeFidelity) -> Iterator[str]:
    if type_.replacement_unknown:
        yield f"whether the change of {_few(type_.replacement_unknown)} replaces it"
    if type_.open_values:
        yield f"values beyond the SDK's list: {_few(type_.open_values)}"
    if type_.unchecked:
        yield f"properties that the type does not have: {_few(type_.unchecked)}"
    for check in type_.checks:
        if check.undecided and check.name == _FACTS:
            yield f"whether a later change of {_few(check.undecided)} would replace it"
        elif check.undecided and check.name not in _TOLD_BY_VALUE:
            yield f"{check.name}: {_few(check.undecided)}"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
