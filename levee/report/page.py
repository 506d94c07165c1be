"""The page: one HTML file that needs nothing else, neither network nor server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final

from plotly.offline import get_plotlyjs

from levee.compliance import RULES
from levee.files import write_whole
from levee.plan import Level, Plan, Violation, logical_name
from levee.report import fidelity, markup
from levee.report.chart import share, short_money
from levee.report.data_charts import data_charts
from levee.report.graph import shown
from levee.report.naming import OPS, cloud, cloud_order, plural, seconds, short_type
from levee.report.plan_charts import policy_verdicts, resource_graph
from levee.report.summary import Check, Summary, parse_summary

_MOST_FINDINGS: Final = 500


def write(
    plan: Plan,
    summary: Mapping[str, Any] | None,
    path: Path,
    *,
    environment: str,
    domain: str = "sales",
    now: datetime | None = None,
) -> Path:
    """Write the report.

    Args:
        plan: The stack, deployed or previewed, with its verdicts.
        summary: JSON of ``python -m pipelines.summary``; ``None`` where nothing ran yet.
        path: The HTML file; its folder is made.
        environment: The environment's name.
        domain: The domain that the commands in empty charts name.
        now: Time of writing; the clock's where it is not given.

    Returns:
        ``path``.

    Raises:
        EngineError: The summary has another shape.
    """
    page = render(plan, parse_summary(summary), environment=environment, domain=domain, now=now or datetime.now(UTC))
    write_whole(path, page)
    return path


def render(plan: Plan, summary: Summary, *, environment: str, domain: str, now: datetime) -> str:
    """The whole page as HTML."""
    run_command = f"levee run {domain} --env {environment}"
    charts_of_plan = (resource_graph(plan), policy_verdicts(plan, len(RULES)))
    charts_of_data = data_charts(summary, run_command)
    charts = (*charts_of_plan, *charts_of_data)
    graph, verdicts = charts_of_plan
    body = "\n".join(
        (
            _header(plan, summary, environment),
            "<main>",
            markup.section("The data", [*(markup.figure(c) for c in charts_of_data), _checks(summary)]),
            markup.section("The runs", [_runs(summary, run_command)]),
            markup.section("What the rules say", [markup.figure(verdicts), _findings(plan)]),
            markup.section("What is provisioned", [markup.figure(graph)]),
            markup.section("How far to believe it", [markup.card(*section) for section in fidelity.sections(plan)]),
            _remarks(plan),
            "</main>",
            _footer(plan, now),
        )
    )
    figures = {c.id: c.figure for c in charts if c.figure is not None}
    scripts = (
        f'<script type="application/json" id="figures">{markup.script_json(figures)}</script>\n'
        f"<script>{get_plotlyjs()}</script>\n<script>\n{markup.asset('page.js')}</script>"
    )
    return markup.document(f"Levee: {environment}", body, scripts, styles=("page.css",))


@dataclass(frozen=True, slots=True)
class _Tile:
    label: str
    number: str
    detail: str
    tone: str = ""


def _header(plan: Plan, summary: Summary, environment: str) -> str:
    tiles = "".join(
        f'<div class="tile"><dt>{escape(t.label)}</dt><dd>'
        f'<span class="number {t.tone}">{markup.unbroken(t.number)}</span>'
        f'<span class="detail">{escape(t.detail)}</span></dd></div>'
        for t in (*_plan_tiles(plan), *_data_tiles(summary))
    )
    where = "on the simulated clouds" if plan.offline else "on the real clouds"
    return (
        f'<header><h1><span class="brand">Levee</span> {escape(environment)}</h1>'
        f'<p class="sub">Project {escape(plan.project)}, stack {escape(plan.stack)}, '
        f"{escape(plan.operation)} {where}</p>"
        f'<dl class="tiles">{tiles}</dl></header>'
    )


def _plan_tiles(plan: Plan) -> Iterable[_Tile]:
    resources = shown(plan)
    packages = sorted({r.package for r in resources}, key=cloud_order)
    names = ", ".join(cloud(p) for p in packages[:3]) + (f" and {len(packages) - 3} more" if len(packages) > 3 else "")
    yield _Tile("Resources", f"{len(resources):,}", names or "nothing is provisioned")
    mandatory = sum(v.level is not Level.ADVISORY for v in plan.violations)
    rest = [
        plural(count, word, word)
        for count, word in (
            (len(plan.violations) - mandatory, "advisory"),
            (len(plan.not_evaluated), "not evaluated"),
            (len(plan.exempt), "exempt"),
        )
        if count
    ]
    if mandatory:
        yield _Tile("Rules", f"✗ {mandatory:,}", ", ".join(["mandatory violations", *rest]), "bad")
    else:
        yield _Tile("Rules", "✓ kept", ", ".join(rest) or f"{len(RULES)} rules", "warn" if rest else "good")


def _data_tiles(summary: Summary) -> Iterable[_Tile]:
    if summary.is_empty:
        yield _Tile("Data", "none yet", "no run has left tables")
        return
    read = sum(s.read for s in summary.splits)
    clean = sum(s.clean for s in summary.splits)
    held = sum(s.quarantined for s in summary.splits)
    yield _Tile("Clean rows", f"{clean:,}", f"{share(clean, read)} of {read:,} read")
    yield _Tile("In quarantine", f"{held:,}", f"{share(held, read)} of what was read", "warn" if held else "good")
    totals: dict[str, Any] = {}
    months: dict[str, set[str]] = {}
    for amount in summary.by_month:
        totals[amount.currency] = totals.get(amount.currency, 0) + amount.revenue
        months.setdefault(amount.dataset, set()).add(amount.label)
    if totals:
        money = " + ".join(short_money(total, currency) for currency, total in sorted(totals.items()))
        spans = [f"{name}: {plural(len(labels), 'month')}" for name, labels in sorted(months.items())]
        yield _Tile("Revenue", money, "; ".join(spans), "long" if len(totals) > 1 else "")


def _findings(plan: Plan) -> str:
    groups = (
        ("✗ mandatory", "bad", [v for v in plan.violations if v.level is not Level.ADVISORY]),
        ("! advisory", "warn", [v for v in plan.violations if v.level is Level.ADVISORY]),
        ("? not evaluated", "", list(plan.not_evaluated)),
        ("○ exempt", "", list(plan.exempt)),
    )
    rows = [(word, tone, violation) for word, tone, violations in groups for violation in violations]
    if not rows:
        return ""
    body = "".join(_finding_row(plan, *row) for row in rows[:_MOST_FINDINGS])
    more = f"<p>and {len(rows) - _MOST_FINDINGS:,} more</p>" if len(rows) > _MOST_FINDINGS else ""
    return (
        f'<div class="card wide"><h3>{plural(len(rows), "finding")}, the worst first</h3>'
        '<div class="scroll findings" tabindex="0" role="region" aria-label="Findings"><table><thead><tr>'
        f"{markup.heads(('Verdict', 'Rule', 'Resource', 'What and how to mend it'))}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{more}</div>"
    )


def _finding_row(plan: Plan, word: str, tone: str, violation: Violation) -> str:
    resource = plan.by_urn.get(violation.urn)
    name = resource.name if resource else logical_name(violation.urn) or "the stack"
    kind = f" {escape(short_type(resource.type))}" if resource else ""
    where = f'<span class="where">{escape(str(violation.source))}</span>' if violation.source else ""
    return (
        f'<tr><td><span class="tag {tone}">{escape(word)}</span></td><td><code>{escape(violation.policy)}</code></td>'
        f"<td><b>{escape(name)}</b>{kind}{where}</td><td>{markup.with_code(violation.message)}</td></tr>"
    )


def _counted(check: Check) -> tuple[str, str]:
    """Rows that a check saw and that broke it; of one that was not run nothing is known."""
    return ("", "") if check.success is None else (f"{check.rows:,}", f"{check.failed:,}")


def _runs(summary: Summary, run_command: str) -> str:
    if not summary.runs:
        empty = markup.with_command(f"No run is recorded. Run it: {run_command}")
        return f'<div class="card wide"><p class="empty">{empty}</p></div>'
    runs = sorted(summary.runs, key=lambda r: r.started, reverse=True)
    rows = [
        (
            r.started[:19].replace("T", " "),
            r.task,
            r.dataset,
            r.status,
            r.engine,
            f"{r.rows:,}" if r.rows else "",
            seconds(r.seconds),
            _rate(r.rows, r.seconds),
        )
        for r in runs
    ]
    header = ("Started (UTC)", "Task", "Dataset", "State", "Engine", "Rows", "Time", "Rows/s")
    last = [r for r in runs if r.run_id == runs[0].run_id]
    failed = [r.task for r in last if r.status == "failed"]
    title = f"The last run did {plural(len(last), 'task')} in {seconds(sum(r.seconds for r in last))}"
    title += f"; {', '.join(failed)} failed" if failed else ""
    return markup.card(title, header, rows)


def _checks(summary: Summary) -> str:
    if not summary.checks:
        return ""
    failed = [c for c in summary.checks if c.success is False]
    unknown = [c for c in summary.checks if c.success is None]
    count = plural(len(summary.checks), "check")
    title = f"Every check of the contracts holds ({len(summary.checks):,})"
    if failed:
        title = f"{len(failed)} of {count} of the contracts fail"
    if unknown:
        held = len(summary.checks) - len(failed) - len(unknown)
        title = f"{held} of {count} of the contracts hold, {len(failed)} fail, {len(unknown)} could not be run"
    words = {True: "✓ holds", False: "✗ fails", None: "? not run"}
    order = {False: 0, None: 1, True: 2}
    rows = [
        (words[c.success], c.dataset, c.name, *_counted(c), c.remark)
        for c in sorted(summary.checks, key=lambda c: (order[c.success], c.dataset, c.name))
    ]
    table = markup.table(("Result", "Dataset", "Check", "Rows", "Broken by", "Observed"), rows)
    shown_open = " open" if failed or unknown else ""
    return (
        f'<div class="card wide" id="quality"><h3>{title}</h3><p class="sub">Checks judge everything that was read; '
        "rows that break one stand in quarantine, never in the tables.</p>"
        f"<details{shown_open}><summary>Every check</summary>{table}</details></div>"
    )


def _rate(rows: int, took: float) -> str:
    return f"{rows / took:,.0f}" if took and rows else ""


def _remarks(plan: Plan) -> str:
    changed = [f"{OPS[r.op][1]} {r.name}" for r in shown(plan) if r.replacement_unknown]
    invented = [f"{lookup.token}: {lookup.reason or 'answered without a cloud'}" for lookup in plan.invented_lookups]
    remarks = [
        *plan.notes,
        *(f"Invented lookup: {text}" for text in invented),
        *(f"Replacement unknown: {text}" for text in changed),
    ]
    if not remarks:
        return ""
    items = "".join(f"<li>{markup.with_code(text)}</li>" for text in remarks)
    return markup.section("To know", [f'<div class="card wide"><ul class="notes">{items}</ul></div>'])


def _footer(plan: Plan, now: datetime) -> str:
    took = f", engine {seconds(plan.seconds)}" if plan.seconds else ""
    return (
        f"<footer>Written {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC by Levee{took}. "
        f"Write it anew: <code>levee report {escape(plan.stack)}</code></footer>"
    )
