"""The SQL file of a model, parsed and held against what its contract says of it; nothing here runs.

The author's text is what engines run: sqlglot reads it and never writes it. Table names are replaced where they stand,
so an engine's message has the file's own lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from pipelines import sql
from pipelines.contracts.document import nearest
from pipelines.contracts.model import Contract
from pipelines.errors import ContractError

DIALECT: Final = "spark"
"""What models are written in; Databricks SQL has the same names for all that they may use."""

NON_DETERMINISTIC: Final = (
    exp.CurrentDate,
    exp.CurrentTime,
    exp.CurrentTimestamp,
    exp.CurrentUser,
    exp.Rand,
    exp.Randn,
    exp.Shuffle,
    exp.Uuid,
)
"""Functions that say something else at every call."""
NON_DETERMINISTIC_NAMES: Final = frozenset(
    {"now", "localtimestamp", "monotonically_increasing_id", "spark_partition_id", "input_file_name", "randstr"}
)
"""The same, of those that sqlglot has no class for."""
ORDERLESS: Final = (exp.First, exp.Last, exp.AnyValue)
"""Aggregates that take any row of a group; as window functions they have an order."""


@dataclass(frozen=True, slots=True)
class Read:
    """One place at which the SQL names a table.

    Attributes:
        table: The table, ``silver.online_retail``.
        alias: What columns may be qualified by.
        named: Whether the author gave the alias.
        start: Offset of the name in the text.
        end: Offset after it.
        line: Its line, from 1.
    """

    table: str
    alias: str
    named: bool
    start: int
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class Query:
    """A model's SQL.

    Attributes:
        path: The file.
        text: Its text, without a closing semicolon.
        tree: What sqlglot makes of it.
        reads: Where it names tables, in the text's order.
    """

    path: Path
    text: str
    tree: exp.Query
    reads: tuple[Read, ...]

    def over(self, views: Mapping[str, str]) -> str:
        """Return the text with another name in place of each table's.

        Args:
            views: Name of a view by table.
        """
        return self.spliced({read.start: self.named(read, views[read.table]) for read in self.reads})

    def named(self, read: Read, view: str) -> tuple[int, str]:
        """What stands in place of a table's name: where it ends, and the view under the name that columns know."""
        return read.end, sql.name(view) if read.named else f"{sql.name(view)} AS {sql.name(read.alias)}"

    def spliced(self, changes: Mapping[int, tuple[int, str]]) -> str:
        """Return the text with pieces replaced: by the offset of each, its end and the new text."""
        text, at = "", 0
        for start, (end, new) in sorted(changes.items()):
            text += self.text[at:start] + new
            at = end
        return text + self.text[at:]

    def error(self, message: str, line: int | None, fix: str | None = None) -> ContractError:
        """An error at a line of the file."""
        return ContractError(message, where=f"{self.path}:{line}" if line else str(self.path), fix=fix)


def query(model: Contract) -> Query:
    """Read and parse the SQL of a model.

    Raises:
        ContractError: it is not one SELECT, reads other tables than its contract's inputs, selects ``*``, or calls
            what says something else every time; with file and line.
    """
    assert model.model is not None, "a derived table has a model"
    path = model.path.parent / model.model.sql
    text = path.read_text("utf-8").rstrip().removesuffix(";")
    tree = _parsed(path, text)
    parsed = Query(path, text, tree, tuple(_reads(path, tree)))
    _check_inputs(parsed, model)
    _check_stars(parsed)
    if not model.model.non_deterministic:
        _check_determinism(parsed)
    return parsed


def line_of(node: exp.Expr) -> int | None:
    """The line of the first name in a piece of SQL; ``None`` where it has none."""
    lines = [int(part.meta["line"]) for part in node.walk() if "line" in part.meta]
    return min(lines, default=None)


def _parsed(path: Path, text: str) -> exp.Query:
    try:
        statements = sqlglot.parse(text, dialect=DIALECT)
    except (ParseError, TokenError) as error:
        first = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
        where = f"{path}:{first['line']}" if first.get("line") else str(path)
        said = first.get("description") or str(error).splitlines()[0]
        raise ContractError(f"the SQL cannot be read: {said}", where=where) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        kinds = ", ".join(statement.key.upper() for statement in statements if statement) or "nothing"
        raise ContractError(
            f"a model is one SELECT, and this is {kinds}",
            where=str(path),
            fix="write the one query whose rows are the table; Levee creates and replaces the table",
        )
    for node in statements[0].find_all(exp.DML, exp.DDL, exp.Into):
        if not isinstance(node, exp.Query):
            raise ContractError(f"a model only reads, and this has {node.key.upper()}", where=str(path))
    return statements[0]


def _reads(path: Path, tree: exp.Query) -> Iterator[Read]:
    common = {cte.alias for cte in tree.find_all(exp.CTE)}
    found = []
    for table in tree.find_all(exp.Table):
        if not table.db and table.name in common:
            continue
        line = line_of(table)
        if table.catalog or table.db not in ("silver", "gold") or not isinstance(table.this, exp.Identifier):
            raise ContractError(
                f"a model reads tables of its domain, and this is {table.sql(DIALECT)}",
                where=f"{path}:{line}" if line else str(path),
                fix="name a table `silver.NAME` or `gold.NAME`, without quotes",
            )
        start, end = table.args["db"].meta["start"], table.this.meta["end"] + 1
        found.append(
            Read(f"{table.db}.{table.name}", table.alias or table.name, bool(table.alias), start, end, line or 1)
        )
    yield from sorted(found, key=lambda read: read.start)


def _check_inputs(parsed: Query, model: Contract) -> None:
    assert model.model is not None, "a derived table has a model"
    inputs = model.model.inputs
    for read in parsed.reads:
        if read.table not in inputs:
            raise parsed.error(
                f"the SQL of {model.dataset} reads {read.table}, and its contract's inputs do not say so",
                read.line,
                f"add it to `inputs` in {model.path}, or: {nearest(read.table, list(inputs))}",
            )
    known = {read.table for read in parsed.reads} | set(model.model.dimensions.values())
    if unread := [name for name in inputs if name not in known]:
        raise parsed.error(
            f"{model.dataset} has the input {unread[0]}, and its SQL does not read it",
            None,
            f"take it out of `inputs` in {model.path}",
        )


def _check_stars(parsed: Query) -> None:
    for star in parsed.tree.find_all(exp.Star):
        if not isinstance(star.parent, exp.Count):
            raise parsed.error(
                "SELECT * takes whatever a table comes to have",
                line_of(star) or line_of(star.find_ancestor(exp.Select) or parsed.tree),
                "name the columns: a new one is published when the contract has it",
            )


def _check_determinism(parsed: Query) -> None:
    for node in parsed.tree.walk():
        name = node.name.lower() if isinstance(node, exp.Anonymous) else node.key
        if (
            isinstance(node, NON_DETERMINISTIC)
            or (isinstance(node, exp.Anonymous) and name in NON_DETERMINISTIC_NAMES)
            or (isinstance(node, ORDERLESS) and node.find_ancestor(exp.Window) is None)
            or (isinstance(node, exp.StrToUnix) and node.this is None)
            or (isinstance(node, exp.Limit) and not (node.parent and node.parent.args.get("order")))
        ):
            said = "LIMIT without ORDER BY" if isinstance(node, exp.Limit) else f"{node.sql(DIALECT)}"
            raise parsed.error(
                f"{said} may give other rows at every run",
                line_of(node) or line_of(node.parent or parsed.tree),
                "take the value from a column; or write `nonDeterministic: true` in the contract's `model`",
            )
