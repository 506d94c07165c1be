"""Data contracts in a terminal: what changes between two versions, and what the linter says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from levee.report.naming import plural
from pipelines.contracts import Difference, Impact, LintFinding, LintLevel

_IMPACTS: Final[Mapping[Impact, tuple[str, str]]] = {
    Impact.BREAKING: ("✗ breaking", "bold red"),
    Impact.NON_BREAKING: ("✓ non-breaking", "green"),
    Impact.DOCUMENTATION: ("· documentation", "dim"),
}
_LEVELS: Final[Mapping[LintLevel, tuple[str, str]]] = {
    LintLevel.ERROR: ("✗ error", "bold red"),
    LintLevel.WARNING: ("! warning", "yellow"),
}


def difference_table(differences: Sequence[Difference]) -> Table:
    """One row a change, the worst first: what changes, why that is so judged, and whom it hits."""
    table = _table("Impact", "Dataset", "Change, why it is so judged, and whom it hits")
    for one in differences:
        word, style = _IMPACTS[one.impact]
        detail = Text.assemble((one.what, "bold"), "\n", one.rule.reason, (f"  {one.rule.id}", "dim"))
        if one.breaking and (hit := hits(one)):
            detail.append("\n").append(f"hits {hit}", style="yellow")
        table.add_row(Text(word, style=style), one.dataset, detail)
    return table


def hits(one: Difference) -> str:
    """Who reads what changes: gold tables, then roles; empty where nobody is known to."""
    return ", ".join([*(f"gold {table}" for table in one.gold), *(f"role {role}" for role in one.roles)])


def difference_line(differences: Sequence[Difference]) -> Text:
    """The sum in one sentence."""
    if not differences:
        return Text("the contracts are the same", style="green")
    counts = [(impact, sum(one.impact is impact for one in differences)) for impact in Impact]
    said = ", ".join(f"{count:,} {impact}" for impact, count in counts if count)
    if any(one.unannounced for one in differences):
        return Text(f"{said}; readers were not told: raise the version's major number", style="bold red")
    return Text(said)


def lint_table(findings: Sequence[LintFinding]) -> Table:
    """One row a finding, by file and line."""
    table = _table("Level", "What was found, where, and what mends it")
    for one in findings:
        word, style = _LEVELS[one.rule.level]
        detail = Text.assemble((one.message, "bold"), (f"  {one.rule.id}", "dim"), "\n", f"{one.file}:{one.line}")
        detail.append("\n").append(one.fix, style="cyan")
        table.add_row(Text(word, style=style), detail)
    return table


def lint_line(findings: Sequence[LintFinding], files: int) -> Text:
    """The sum in one sentence."""
    errors = sum(one.rule.level is LintLevel.ERROR for one in findings)
    said = f"{plural(files, 'contract')}: {plural(errors, 'error')}, {plural(len(findings) - errors, 'warning')}"
    return Text(said, style="bold red" if errors else "yellow" if findings else "green")


def _table(*heads: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True, leading=1)
    for head in heads[:-1]:
        table.add_column(head, no_wrap=True)
    table.add_column(heads[-1], overflow="fold", ratio=1)
    return table
