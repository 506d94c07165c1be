"""What a person sees in a terminal: the resource tree, the verdicts of the rules, and how a run went.

Every renderable stays readable at 80 columns and says with a sign and a word what colour says too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from levee.plan import TERRAFORM, FilledConfig, Level, Op, Plan, Resource, Violation, logical_name
from levee.report.graph import shown
from levee.report.naming import OPS, cloud, cloud_order, plural, seconds, short_type

_OP_STYLES: Final[Mapping[Op, str]] = {
    Op.CREATE: "green",
    Op.IMPORT: "green",
    Op.UPDATE: "yellow",
    Op.REPLACE: "bold magenta",
    Op.DELETE: "bold red",
    Op.READ: "cyan",
    Op.REFRESH: "cyan",
    Op.SAME: "dim",
}
_NAMED_OPS: Final = frozenset({Op.UPDATE, Op.REPLACE, Op.DELETE})
_SHOWN: Final = 6
_ADVICE: Final = 25
_TASK_MARKS: Final = {
    "succeeded": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "skipped": ("–", "yellow"),
    "running": ("…", "cyan"),
    "waiting": ("·", "dim"),
}


def resource_tree(plan: Plan) -> Tree:
    """Counts by cloud and type; what is updated, replaced or deleted also by name."""
    counted = shown(plan)
    where = "" if plan.operation == TERRAFORM else ", simulated cloud" if plan.offline else ", real cloud"
    tree = Tree(
        Text.assemble((f"{plan.project} ", "dim"), (plan.stack, "bold"), (f"  {plan.operation}{where}", "dim")),
        guide_style="dim",
    )
    if not counted:
        tree.add(Text("no resources", style="dim"))
    width = min(44, max((len(short_type(r.type)) for r in counted), default=0))
    for package, of_package in _grouped(counted, lambda r: r.package, cloud_order):
        branch = tree.add(Text.assemble((cloud(package), "bold"), f"  {len(of_package):,}  ", _ops(of_package)))
        for token, of_type in _grouped(of_package, lambda r: r.type, lambda token: (short_type(token), token)):
            line = Text.assemble(short_type(token).ljust(width), f" {len(of_type):>5,}  ", _ops(of_type))
            leaf = branch.add(line)
            if plan.operation != "destroy":
                _add_named(leaf, of_type)
    return tree


def _add_named(branch: Tree, resources: Sequence[Resource]) -> None:
    named = [r for r in resources if r.op in _NAMED_OPS]
    for resource in named[:_SHOWN]:
        sign, word = OPS[resource.op]
        text = Text.assemble((f"{sign} {word} ", _OP_STYLES[resource.op]), resource.name)
        keys = resource.replace_keys or resource.diff
        if keys:
            text.append(f"  {', '.join(keys)}", style="dim")
        if resource.replacement_unknown:
            text.append("  replacement unknown", style="yellow")
        branch.add(text)
    if len(named) > _SHOWN:
        branch.add(Text(f"and {len(named) - _SHOWN:,} more", style="dim"))


def verdicts(plan: Plan) -> Table:
    """Broken rules, what could not be decided and what is exempt; the same complaint about many resources once.

    Every mandatory rule that is broken is shown, of the rest the first few, and how many more there are.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True, leading=1)
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Rule, what it says, and of which resources", overflow="fold", ratio=1)
    findings = list(_findings(plan))
    blocking = sum(finding.blocks for finding in findings)
    for finding in findings[: blocking + _ADVICE]:
        table.add_row(Text(finding.word, style=finding.style), finding.detail(plan))
    more = len(findings) - blocking - _ADVICE
    if more > 0:
        table.add_row("", Text(f"and {more:,} more that block nothing: --json has them all", style="dim"))
    if not findings:
        table.add_row(Text("✓", style="green"), Text("every rule is kept"))
    return table


@dataclass(frozen=True, slots=True)
class _Finding:
    """Violations that say the same of several resources."""

    word: str
    style: str
    policy: str
    message: str
    violations: tuple[Violation, ...]
    blocks: bool = False

    def detail(self, plan: Plan) -> Text:
        text = Text.assemble((self.policy, "bold"), "\n", self.message)
        named = [v for v in self.violations if v.urn]
        for violation in named[:_SHOWN]:
            resource = plan.by_urn.get(violation.urn)
            text.append("\n").append(resource.name if resource else logical_name(violation.urn), style="bold")
            if resource:
                text.append(f"  {short_type(resource.type)}", style="dim")
            if violation.source:
                text.append(f"  {violation.source}", style="cyan")
        if len(named) > _SHOWN:
            text.append(f"\nand {len(named) - _SHOWN:,} more", style="dim")
        return text


def _findings(plan: Plan) -> Iterator[_Finding]:
    mandatory = [v for v in plan.violations if v.level is not Level.ADVISORY]
    advisory = [v for v in plan.violations if v.level is Level.ADVISORY]
    groups = (
        ("✗ mandatory", "bold red", mandatory),
        ("! advisory", "yellow", advisory),
        ("? not evaluated", "magenta", plan.not_evaluated),
        ("○ exempt", "cyan", plan.exempt),
    )
    for word, style, violations in groups:
        said: dict[tuple[str, str], list[Violation]] = {}
        for violation in violations:
            said.setdefault((violation.policy, violation.message), []).append(violation)
        for (policy, message), alike in sorted(said.items()):
            yield _Finding(word, style, policy, message, tuple(alike), blocks=violations is mandatory)


def filled_line(filled: FilledConfig) -> Text:
    """One value that was invented because nobody had set it: what, for which key, where it was asked for."""
    value = filled.value if isinstance(filled.value, str) else json.dumps(filled.value)
    first = value.splitlines()[0] if value else "''"
    return Text.assemble(
        ("filled ", "yellow"),
        (filled.key, "bold"),
        f" = {first[:40]}{'…' if len(value) > 40 or first != value else ''}",
        (f"  {filled.kind}, {filled.why}" if filled.why else f"  {filled.kind}", "dim"),
        (f"  {filled.source}" if filled.source else "", "cyan"),
    )


def summary_line(plan: Plan) -> Text:
    """One line: what there is, what changes, what the rules say, how long it took."""
    counted = plan.summary
    text = Text.assemble((plural(counted.resources, "resource"), "bold"), "  ")
    text.append_text(_ops_of({Op(op): count for op, count in counted.by_op.items()}, words=True))
    levels = counted.violations_by_level
    mandatory = sum(count for level, count in levels.items() if level != Level.ADVISORY)
    pieces: list[tuple[str, str]] = []
    if mandatory:
        pieces.append((f"✗ {plural(mandatory, 'mandatory violation')}", "bold red"))
    if levels.get(Level.ADVISORY):
        pieces.append((f"! {levels[Level.ADVISORY]:,} advisory", "yellow"))
    if counted.not_evaluated:
        pieces.append((f"? {counted.not_evaluated:,} not evaluated", "magenta"))
    if plan.exempt:
        pieces.append((f"○ {len(plan.exempt):,} exempt", "cyan"))
    if not pieces and plan.operation in ("preview", "up"):
        pieces.append(("✓ every rule kept", "green"))
    if plan.invented_lookups:
        pieces.append((plural(len(plan.invented_lookups), "invented lookup"), "yellow"))
    if plan.seconds:
        pieces.append((seconds(plan.seconds), "dim"))
    for piece, style in pieces:
        text.append("  ·  ", style="dim").append(piece, style=style)
    return text


def run_table(result: Mapping[str, Any]) -> RenderableType:
    """How each task of a run went.

    Args:
        result: ``levee.runner.RunResult.json()``: ``domain``, ``env``, ``engine``, ``run_id``, ``seconds`` and
            ``tasks`` with ``key``, ``state``, ``seconds``, ``attempts``, ``done``, ``unit``, ``error``, ``because``.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Task", no_wrap=True)
    table.add_column("State", no_wrap=True)
    table.add_column("Done", justify="right", no_wrap=True)
    table.add_column("Time", justify="right", no_wrap=True)
    remarks: list[Text] = []
    for task in result["tasks"]:
        mark, style = _TASK_MARKS.get(task["state"], ("?", "yellow"))
        done = f"{task['done']:,.0f} {task['unit']}".rstrip() if task["done"] else ""
        took = seconds(task["seconds"]) if task["seconds"] else ""
        table.add_row(task["key"], Text(f"{mark} {task['state']}", style=style), done, took)
        if remark := _remark(task):
            remarks.append(Text.assemble((task["key"], "bold"), "  ", remark))
    title = Text.assemble(
        (str(result["domain"]), "bold"),
        (f" in {result['env']} on {result['engine']}  run {result['run_id']}  ", "dim"),
        (seconds(float(result["seconds"])), "bold"),
    )
    return Group(title, table, *remarks)


def _remark(task: Mapping[str, Any]) -> Text:
    parts: list[tuple[str, str]] = []
    if task["attempts"] > 1:
        parts.append((f"{task['attempts']} attempts", "yellow"))
    if error := task.get("error"):
        parts.append((str(error["message"]), "red" if task["state"] == "failed" else "yellow"))
    if task["because"]:
        parts.append((f"not run: {', '.join(task['because'])} failed", "dim"))
    return Text("; ").join(Text(text, style=style) for text, style in parts)


def _ops(resources: Iterable[Resource]) -> Text:
    counts: dict[Op, int] = {}
    for resource in resources:
        counts[resource.op] = counts.get(resource.op, 0) + 1
    return _ops_of(counts)


def _ops_of(counts: Mapping[Op, int], *, words: bool = False) -> Text:
    text = Text()
    for op, (sign, word) in OPS.items():
        if counts.get(op):
            text.append(" " if text else "")
            text.append(f"{sign}{counts[op]:,}{f' {word}' if words else ''}", style=_OP_STYLES[op])
    return text


def _grouped(resources: Sequence[Resource], key: Any, order: Any) -> Iterator[tuple[str, list[Resource]]]:
    groups: dict[str, list[Resource]] = {}
    for resource in resources:
        groups.setdefault(key(resource), []).append(resource)
    for name in sorted(groups, key=order):
        yield name, groups[name]
