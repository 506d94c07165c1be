"""How tables, their versions and a restore look in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.filesize import decimal as size
from rich.table import Table
from rich.text import Text


def tables(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """A line a table: rows, files, what is stored, what that costs, and its last care."""
    if not rows:
        return Text("there is no table yet")
    shown = Table(box=box.SIMPLE, show_footer=True, pad_edge=False)
    total = sum((Decimal(row["usd_a_month"]) for row in rows if row["usd_a_month"] is not None), Decimal(0))
    shown.add_column("table", "all", overflow="fold")  # where it is narrow, names and care are broken, never a number
    for column, footer in (
        ("rows", f"{sum(row['rows'] for row in rows):,}"),
        ("files", f"{sum(row['files'] for row in rows):,}"),
        ("small", f"{sum(row['small_files'] or 0 for row in rows):,}"),
        ("size", size(sum(row["bytes"] for row in rows))),
        ("stored", size(sum(row["stored_bytes"] or 0 for row in rows))),
        ("USD/month", _usd(total)),
        ("kept", ""),
    ):
        shown.add_column(column, footer, justify="right", no_wrap=True)
    shown.add_column("last care (UTC): files, stored, USD/month")
    for row in rows:
        shown.add_row(
            f"{row['domain']}.{row['table']}",
            f"{row['rows']:,}",
            f"{row['files']:,}",
            _known(row["small_files"]),
            size(row["bytes"]),
            "?" if row["stored_bytes"] is None else size(row["stored_bytes"]),
            _usd(row["usd_a_month"]),
            f"{row['vacuum_hours'] / 24:g} d",
            _care(row),
        )
    notes = [
        "small: files below 16 MiB; stored: with the files of earlier versions, which VACUUM takes after the days kept",
        *_unread(rows),
    ]
    return Group(shown, Text("\n".join(notes), style="dim"))


def _unread(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a query of a table must read whole, for want of statistics."""
    found = [(row["table"], row["without_statistics"]) for row in rows if row["without_statistics"]]
    return [f"files without statistics: {', '.join(f'{table} {number}' for table, number in found)}"] if found else []


def audit(found: Mapping[str, Any]) -> RenderableType:
    """Each version of a table with who made it; the columns that it had."""
    shown = Table(box=box.SIMPLE, title=f"{found['domain']}.{found['table']}", title_justify="left")
    shown.add_column("version", justify="right")
    shown.add_column("at (UTC)", no_wrap=True)
    shown.add_column("operation", no_wrap=True)
    shown.add_column("rows", justify="right")
    shown.add_column("run", overflow="fold")
    shown.add_column("who")
    shown.add_column("contract", no_wrap=True)
    for version in found["versions"]:
        authors = version["authors"]
        shown.add_row(
            str(version["version"]),
            version["at"][:19].replace("T", " "),
            version["operation"],
            _known(version["rows"]),
            "\n".join(f"{author['run_id']} {author['task']}" for author in authors)
            or Text("not a run", style="yellow"),
            "\n".join(author["actor"] for author in authors) or version["user"] or "?",
            "\n".join(f"{author['contract_version']} {author['contract_digest'][:8]}" for author in authors),
        )
    columns = ", ".join(f"{column['name']} {column['type']}" for column in found["columns"])
    return Group(shown, Text(f"as of version {found['as_of']}: {columns}", style="dim"))


def restored(found: Mapping[str, Any], env: str) -> RenderableType:
    """What a restore did, and the command that puts right what it undid."""
    lines = [f"{table}: version {before} is as {after} was" for table, (before, after) in found["tables"].items()]
    if found["set_aside"]:
        lines.append(f"set aside from the log: {', '.join(found['set_aside'])}")
    undone = found["undone"]
    many = "1 delivery is" if len(undone) == 1 else f"{len(undone)} deliveries are"
    lines.append(f"{many} done again by: levee run {found['domain']} --env {env}")
    return Text("\n".join(lines))


def _known(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def _care(row: Mapping[str, Any]) -> str:
    cared = row["cared"]
    if cared is None:
        return "never"
    at = cared["at"][:16].replace("T", " ")
    if cared["files_before"] is None:
        return at
    changes = [f"{cared['files_before']:,} to {cared['files_after']:,}"]
    if cared["stored_bytes_before"] is not None:
        changes.append(f"{size(cared['stored_bytes_before'])} to {size(cared['stored_bytes_after'])}")
    if row["usd_a_month_before"] is not None:
        changes.append(f"{_usd(row['usd_a_month_before'])} to {_usd(row['usd_a_month_after'])}")
    return f"{at}: {', '.join(changes)}"


def _usd(amount: str | Decimal | None) -> str:
    """US dollars, two places that tell where the sum is small."""
    if amount is None:
        return "?"
    exact = Decimal(amount)
    if not exact or exact >= 1:
        return f"{exact:,.2f}"
    return f"{exact:.{1 - exact.adjusted()}f}"
