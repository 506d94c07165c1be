"""How the quality of a dataset looks: in a terminal, and as Markdown for a ticket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

BARS: Final = "▁▂▃▄▅▆▇█"
NOTHING: Final = "·"
"""Stands in a trend for what was not counted."""
_NUMBERS: Final = ("records", "quarantined", "share", "newest", "shown", "now", "observed")
_FOLDS: Final = ("says", "why", "result")
_OF: Final = {"table": "the table", "newest": "the newest batch", "quarantine": "quarantine", "held": "a held batch"}
_AGREE: Final = "quarantine"
"""Of what a check is that compares a rule's count with quarantine's rows."""


@dataclass(frozen=True, slots=True)
class Part:
    """One table of the answer.

    Attributes:
        columns: Their names.
        rows: Texts.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sparkline(values: Sequence[float | None]) -> str:
    """Draw numbers as bars, from nought to the greatest of them; a point for what there is not."""
    most = max((value for value in values if value is not None), default=0) or 1
    return "".join(
        NOTHING if value is None else BARS[min(len(BARS) - 1, int(max(value, 0) / most * len(BARS)))]
        for value in values
    )


def shown(told: Mapping[str, Any]) -> RenderableType:
    """The last batches, the rules that they broke, the checks, and the commands that show the rows."""
    found: list[RenderableType] = [Text(_head(told))]
    for title, part in _parts(told):
        found += [Text(f"\n{title}", "bold"), *([_table(part)] if part.rows else [])]
    if commands := _commands(told):
        found.append(Text("\n".join(["", "next", *(f"  {one}" for one in commands)]), no_wrap=True, overflow="ignore"))
    return Group(*found)


def markdown(told: Mapping[str, Any]) -> str:
    """The same as Markdown."""
    lines = [f"### Quality of {_head(told)}"]
    for title, part in _parts(told):
        lines += ["", f"**{title}**"]
        if part.rows:
            lines += ["", _line(part.columns), _line(["---"] * len(part.columns)), *map(_line, part.rows)]
    if commands := _commands(told):
        lines += ["", "```sh", *commands, "```"]
    return "\n".join(lines) + "\n"


def _head(told: Mapping[str, Any]) -> str:
    name = f"{told['domain']}.{told['dataset']}"
    if told["evaluated_at"] is None:
        return f"{name}: its quality task has not run yet"
    return (
        f"{name}: contract {told['contract_version']}, checked {_minute(told['evaluated_at'])} in run {told['run_id']}"
    )


def _parts(told: Mapping[str, Any]) -> Iterator[tuple[str, Part]]:
    taken = [one for one in told["batches"] if "held" not in one]
    trend = sparkline([one["quarantined"] / one["records"] if one["records"] else None for one in taken])
    yield f"batches: {len(taken)}, the newest last; quarantined {trend}", _batches(taken)
    if held := _held(told):
        rows = tuple((one["batch_id"], one["held"]) for one in held)
        yield f"held: {len(held)} batches, nothing of them is published", Part(("batch", "why"), rows)
    broken = [one for one in told["rules"] if one["quarantined"] or any(one["broken"])]
    kept = len(told["rules"]) - len(broken)
    counts = f"rules: {len(broken)} broken, {kept} kept by all of these records"
    yield f"{counts} (of the newest batch, of all shown, in quarantine now)", _rules(broken, taken)
    agree = [one for one in told["checks"] if one["of"] == _AGREE and one["success"]]
    others = [one for one in told["checks"] if one not in agree]
    failed = sum(one["success"] is False for one in others)
    yield f"checks: {failed} failed; quarantine has what was counted for {len(agree)} rules", _checks(others)


def _batches(taken: Sequence[Mapping[str, Any]]) -> Part:
    rows = [
        (
            one["batch_id"],
            _minute(one["at"]),
            f"{one['records']:,}",
            f"{one['quarantined']:,}",
            _share(one["quarantined"], one["records"]),
        )
        for one in taken
    ]
    return Part(("batch", "taken in (UTC)", "records", "quarantined", "share"), tuple(rows))


def _rules(broken: Sequence[Mapping[str, Any]], batches: Sequence[Mapping[str, Any]]) -> Part:
    rows = []
    for one in broken:
        shares = [
            None if count is None or not batch["records"] else count / batch["records"]
            for count, batch in zip(one["broken"], batches, strict=True)
        ]
        counted = [count for count in one["broken"] if count is not None]
        newest = one["broken"][-1] if one["broken"] else None
        rows.append(
            (
                one["rule"],
                one["on_failure"] or "no rule of the contract now",
                "" if newest is None else f"{newest:,}",
                f"{sum(counted):,}" if counted else "",
                sparkline(shares),
                f"{one['quarantined']:,}",
                one["description"] or "",
            )
        )
    return Part(("rule", "severity", "newest", "shown", "trend", "now", "says"), tuple(rows))


def _checks(checks: Iterable[Mapping[str, Any]]) -> Part:
    rows = []
    for one in checks:
        result = {True: "holds", False: "FAILED", None: f"not run: {one['not_run']}"}[one["success"]]
        past = "".join({True: "✓", False: "✗", None: NOTHING}[each["success"]] for each in one["history"])
        observed = "" if one["observed"] is None else f"{one['observed']:,.6g}"
        rows.append(
            (one["check"], _OF[one["of"]], one["on_failure"] or "", result, observed, past, one["description"] or "")
        )
    return Part(("check", "of", "severity", "result", "observed", "trend", "says"), tuple(rows))


def _held(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in told["batches"] if "held" in one]


def _commands(told: Mapping[str, Any]) -> list[str]:
    looks = [one["look"] for one in told["rules"] if one["look"]]
    name = f"{told['domain']}.{told['dataset']}"
    held = [f"levee replay {name} --accept {one['batch_id']} --reason WHY" for one in _held(told)]
    return [*looks, *([f"levee quarantine show {name} ID"] if looks else []), *held]


def _table(part: Part) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in part.columns:
        folds = name in _FOLDS
        justify = "right" if name in _NUMBERS else "left"
        table.add_column(name, justify=justify, overflow="fold", no_wrap=not folds, min_width=14 if folds else None)
    for row in part.rows:
        failed = "FAILED" in row
        table.add_row(*(Text(cell, "red" if failed and cell == "FAILED" else "") for cell in row))
    return table


def _line(cells: Iterable[str]) -> str:
    escaped = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else ""


def _minute(time: str | None) -> str:
    return (time or "")[:16].replace("T", " ")
