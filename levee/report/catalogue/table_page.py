"""One table's page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from levee.report import markup
from levee.report.catalogue import charts
from levee.report.catalogue.drawing import column_flow, table_flow
from levee.report.catalogue.model import Commit, DomainCatalogue, Table
from levee.report.chart import Chart
from levee.report.naming import plural

_KEPT = "for ever"


def body(table: Table, domain: DomainCatalogue, history: Sequence[Commit], now: datetime) -> str:
    """Everything between the page's head and its scripts."""
    tables = {one.reference: one for one in domain.tables}
    sections = (
        markup.section("Columns", [_columns(table)]),
        markup.section("Lineage", [*_lineage(table, tables)]),
        markup.section("Rules", [_rules(table)]),
        markup.section("Quality", [markup.figure(chart) for chart in drawn(table)]),
        markup.section("Sample", [_sample(table)]),
        markup.section("Who and how long", [_people(table), _promises(table)]),
        markup.section("Changes of the contract", [_history(table, history)]),
    )
    return "\n".join((_header(table, domain.domain, now), "<main>", *sections, "</main>"))


def drawn(table: Table) -> tuple[Chart, ...]:
    """The page's charts; a table that is built of others has no batches of its own."""
    return (charts.batches(table), charts.quality(table)) if table.source else ()


def _header(table: Table, domain: str, now: datetime) -> str:
    tiles = "".join(
        f'<div class="tile"><dt>{escape(label)}</dt><dd><span class="number long {tone}">{escape(number)}</span>'
        f'<span class="detail">{escape(detail)}</span></dd></div>'
        for label, number, detail, tone in _tiles(table, now)
    )
    back = f'<nav><a href="../index.html">All tables</a> / {escape(domain)} / {escape(table.layer)}</nav>'
    said = "".join(
        f"<p><b>{word}</b> {escape(text)}</p>"
        for word, text in (("Purpose", table.purpose), ("Usage", table.usage), ("Limits", table.limitations))
        if text
    )
    return (
        f'<header>{back}<h1><span class="brand">{escape(domain)}.</span>{escape(table.name)}</h1>'
        f'<p class="sub">{escape(table.description)}</p><div class="words">{said}</div>'
        f'<dl class="tiles">{tiles}</dl></header>'
    )


def _tiles(table: Table, now: datetime) -> Iterator[tuple[str, str, str, str]]:
    tone = "warn" if table.classification in ("confidential", "personal", "restricted") else ""
    masked = sum(column.masking is not None for column in table.columns)
    yield (
        "Classification",
        table.classification,
        f"{plural(masked, 'column')} masked" if masked else "nothing masked",
        tone,
    )
    yield "Version", table.version, table.status, "warn" if table.status in ("deprecated", "retired") else ""
    yield "Owner", table.owner or "nobody", ", ".join(table.contacts) or "no contact", "" if table.owner else "bad"
    if table.state is None:
        yield "Rows", "none yet", "no run has left this table here", ""
        return
    held = f"{table.state.quarantined:,} in quarantine" if table.source else "computed from its inputs"
    yield "Rows", f"{table.state.rows:,}", held, ""
    good = table.state.status == "succeeded"
    yield "Freshness", _ago(table.state.last_run, now), f"the last run {table.state.status}", "good" if good else "bad"


def _ago(at: str, now: datetime) -> str:
    then = datetime.fromisoformat(at)
    seconds = (now - (then if then.tzinfo else then.replace(tzinfo=UTC))).total_seconds()
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{plural(int(seconds // size), word)} ago"
    return "just now"


def _columns(table: Table) -> str:
    rows = [
        (
            column.name,
            column.type,
            ", ".join(_marks(column.key, column.required, column.unique)),
            column.classification,
            column.masking or "",
            column.made,
            column.description,
        )
        for column in table.columns
    ]
    heads = ("Column", "Type", "Key and nulls", "Classification", "Masked by", "Made from", "Meaning")
    return f'<div class="card wide whole">{markup.table(heads, rows)}</div>'


def _marks(key: int | None, required: bool, unique: bool) -> Iterator[str]:
    if key is not None:
        yield f"key {key}"
    if required:
        yield "required"
    if unique:
        yield "unique"


def _lineage(table: Table, tables: Mapping[str, Table]) -> Iterator[str]:
    yield _panned("Tables", table_flow(table, tables), "")
    columns = column_flow(table)
    if columns:
        whole = [f"{edge.table}.{edge.column} ({edge.subtype.lower()})" for edge in table.edges if edge.to is None]
        note = f"Every row depends on {', '.join(dict.fromkeys(whole))}." if whole else ""
        yield _panned("Columns", columns, note)


def _panned(title: str, drawing: str, note: str) -> str:
    said = f"<p>{escape(note)}</p>" if note else ""
    return (
        f'<figure class="wide"><figcaption><h3>{escape(title)}</h3>{said}</figcaption>'
        f'<div class="pan" tabindex="0" role="region" aria-label="Lineage: {escape(title.lower())}">{drawing}</div>'
        "</figure>"
    )


def _rules(table: Table) -> str:
    rows = [(rule.id, rule.on, rule.on_failure, rule.dimension, rule.description) for rule in table.rules]
    if not rows:
        return '<div class="card wide"><p class="empty">The contract has no rule.</p></div>'
    heads = ("Rule", "On", "When broken", "Dimension", "Meaning")
    return f'<div class="card wide">{markup.table(heads, rows)}</div>'


def _sample(table: Table) -> str:
    if table.layer != "silver":
        return ""
    if table.sample is None:
        said = "There is no row to show: no run has left this table here, or no sample was asked for."
        return f'<div class="card wide"><p class="empty">{said}</p></div>'
    rows = [["null" if cell is None else cell for cell in row] for row in table.sample.rows]
    shown = markup.table(table.sample.columns, rows) if table.sample.columns else ""
    left = f"Not shown, as too sensitive: {', '.join(table.sample.left_out)}." if table.sample.left_out else ""
    return (
        f'<div class="card wide"><p class="sub">{plural(len(rows), "row")} of silver, masked. {escape(left)}</p>'
        f"{shown}</div>"
    )


def _people(table: Table) -> str:
    rows = [("owner", table.owner or "nobody", "")]
    rows += [("contact", contact, "") for contact in table.contacts]
    rows += [(f"role, {role.access}" if role.access else "role", role.role, role.description) for role in table.roles]
    return f'<div class="card">{markup.table(("What", "Who", "Meaning"), rows)}</div>'


def _promises(table: Table) -> str:
    rows = [(sla.property, sla.value, sla.schedule) for sla in table.sla]
    for layer, days in table.retention.items():
        rows.append((f"kept in {layer}", f"{days:,} days" if days is not None else _KEPT, ""))
    return f'<div class="card">{markup.table(("Promise", "Value", "Schedule"), rows)}</div>'


def _history(table: Table, history: Sequence[Commit]) -> str:
    if not history:
        return f'<div class="card wide"><p class="empty">Git knows no change of {escape(table.file)}.</p></div>'
    rows = [(commit.day, commit.subject, commit.id) for commit in history]
    return (
        f'<div class="card wide"><h3>{escape(table.file)}</h3>{markup.table(("Day", "Change", "Commit"), rows)}</div>'
    )
