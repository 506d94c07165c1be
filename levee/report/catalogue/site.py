"""The site: an index with search, a page a table, and one copy of Plotly beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final

from plotly.offline import get_plotlyjs

from levee.files import write_whole
from levee.report import markup
from levee.report.catalogue import table_page
from levee.report.catalogue.model import Commit, DomainCatalogue, Table
from levee.report.naming import plural

_PLOTLY: Final = "plotly.min.js"


def write(
    domains: Sequence[DomainCatalogue], folder: Path, history: Mapping[str, Sequence[Commit]], now: datetime
) -> Path:
    """Write the site.

    Args:
        domains: What is shown.
        folder: Where; what is there already is written over.
        history: Changes of each contract, by its file below the folder of domains.
        now: Time of writing.

    Returns:
        The index.
    """
    foot = f"Written {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC by <code>levee contracts docs</code>."
    charted = False
    for domain in domains:
        for table in domain.tables:
            figures = {chart.id: chart.figure for chart in table_page.drawn(table) if chart.figure is not None}
            body = table_page.body(table, domain, history.get(table.file, ()), now)
            page = _page(f"{domain.domain}.{table.name}", body, foot, _drawing(figures) if figures else "")
            write_whole(folder / domain.domain / table.page, page)
            charted |= bool(figures)
    if charted:
        write_whole(folder / _PLOTLY, get_plotlyjs())
    index = folder / "index.html"
    script = f"<script>\n{markup.asset('search.js')}</script>"
    write_whole(index, _page("Data catalogue", _index(domains), foot, script))
    return index


def _drawing(figures: Mapping[str, Any]) -> str:
    """The scripts of a page with charts."""
    return (
        f'<script type="application/json" id="figures">{markup.script_json(figures)}</script>\n'
        f'<script src="../{_PLOTLY}"></script>\n<script>\n{markup.asset("page.js")}</script>'
    )


def _page(title: str, body: str, foot: str, scripts: str) -> str:
    return markup.document(
        title,
        f"{body}\n<footer>{foot}</footer>",
        scripts,
        styles=("page.css", "catalogue.css"),
        script_sources="'self' file:",
    )


def _index(domains: Sequence[DomainCatalogue]) -> str:
    tables = sum(len(domain.tables) for domain in domains)
    sections = "".join(_domain(domain) for domain in domains)
    return (
        '<header><h1><span class="brand">Levee</span> data catalogue</h1>'
        f'<p class="sub">{plural(tables, "table")} in {plural(len(domains), "domain")}</p>'
        '<label class="search">Search tables and columns<input type="search" id="search" autofocus></label></header>'
        f'<main>{sections}<p class="empty" id="nothing" hidden>No table has that.</p></main>'
    )


def _domain(domain: DomainCatalogue) -> str:
    layers = (
        ("Sources", [table for table in domain.tables if table.source]),
        ("Made in silver", [table for table in domain.tables if not table.source and table.layer == "silver"]),
        ("Gold", [table for table in domain.tables if table.layer == "gold"]),
    )
    parts = "".join(
        f'<h3>{word}</h3><div class="tables">{"".join(_card(domain.domain, table) for table in tables)}</div>'
        for word, tables in layers
        if tables
    )
    return f'<section class="domain"><h2>{escape(domain.domain)}</h2>{parts}</section>'


def _card(domain: str, table: Table) -> str:
    words = " ".join((table.name, table.title, table.description, table.owner, *(c.name for c in table.columns)))
    rows = f"{table.state.rows:,} rows" if table.state else "no rows here"
    facts = f"{table.classification} · {plural(len(table.columns), 'column')} · {rows}"
    return (
        f'<a class="card table" href="{escape(f"{domain}/{table.page}")}" data-words="{escape(words.lower())}">'
        f"<b>{escape(table.name)}</b><span>{escape(table.description)}</span>"
        f'<span class="where">{escape(facts)}</span></a>'
    )
