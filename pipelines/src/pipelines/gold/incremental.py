"""Which models can be built from new batches alone, and the SQL that does it; nothing here runs.

Two forms of SQL can, because what a new batch changes is known without looking at the rest:

* rows: SELECTs from one table each, joined by UNION ALL, whose every row comes from one row. New rows are added;
* groups: one SELECT from one table, grouped by the primary key. Groups that a new batch has a row of are made anew.

Both need inputs whose rows say which batch they came with: sources, and models of the first form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlglot import exp, tokenize
from sqlglot.tokens import Token, TokenType

from pipelines import sql
from pipelines.contracts.domain import Domain
from pipelines.contracts.model import Contract
from pipelines.errors import ContractError
from pipelines.gold.query import DIALECT, Query, Read, line_of, query

BATCH: Final = "_batch_id"
"""Column that says which batch a row came with."""
TOUCHED: Final = "_touched"
"""Alias of the keys of groups that new rows belong to."""

_BEYOND: Final = (
    exp.CTE,
    exp.Explode,
    exp.Having,
    exp.Join,
    exp.Lateral,
    exp.Limit,
    exp.Order,
    exp.SetOperation,
    exp.Subquery,
    exp.Window,
)
"""What makes rows depend on others, or be more or fewer than those that were read."""
_ROWS: Final = "a row for a row: SELECT from one table, WHERE, UNION ALL"
_GROUPS: Final = "groups of one table: SELECT from it, WHERE, GROUP BY the primary key"


@dataclass(frozen=True, slots=True)
class Rows:
    """A model that makes a row of a row.

    Attributes:
        text: Its SQL with `BATCH` as one more column: the input's name, and the batch that the row came with.
    """

    text: Query


@dataclass(frozen=True, slots=True)
class Groups:
    """A model that makes a row of a group.

    Attributes:
        read: The one table that it reads.
        key: SQL over the input by column of the primary key.
    """

    read: Read
    key: dict[str, str]

    def touched(self, new: str) -> str:
        """Return SQL of the keys that rows of the view `new` belong to."""
        keys = ", ".join(f"{value} AS {sql.name(f'_k{n}')}" for n, value in enumerate(self.key.values()))
        return f"SELECT DISTINCT {keys} FROM {sql.name(new)} AS {sql.name(self.read.alias)}"

    def rows(self, view: str, touched: str) -> str:
        """Return SQL of the rows of `view` whose group is in the view `touched`."""
        on = " AND ".join(f"({value}) <=> {TOUCHED}.`_k{n}`" for n, value in enumerate(self.key.values()))
        joined = f"LEFT SEMI JOIN {sql.name(touched)} AS {TOUCHED} ON {on}"
        return f"SELECT * FROM {sql.name(view)} AS {sql.name(self.read.alias)} {joined}"


def shape(domain: Domain, model: Contract, parsed: Query) -> Rows | Groups:
    """Tell how an incremental model is built.

    Raises:
        ContractError: its SQL has neither form, or an input has no batches.
    """
    for contract in domain.inputs(model):
        if not _has_batches(domain, contract):
            raise parsed.error(
                f"{model.dataset} is incremental and reads {contract.reference}, whose rows know no batch",
                next(read.line for read in parsed.reads if read.table == contract.reference),
                "write `materialisation: full`, or read what that table is made of",
            )
    selects = list(_selects(parsed.tree))
    if any(select.args.get("group") for select in selects):
        return _groups(model, parsed, selects)
    _check(model, parsed, selects, _ROWS)
    return Rows(_with_batches(parsed))


def _has_batches(domain: Domain, contract: Contract) -> bool:
    if contract.model is None:
        return contract.history is None  # with one, the rows of an old batch change with what comes later
    return contract.model.materialisation == "incremental" and isinstance(
        shape(domain, contract, query(contract)), Rows
    )


def _selects(tree: exp.Query) -> Iterator[exp.Select]:
    if isinstance(tree, exp.SetOperation):
        for side in (tree.this, tree.expression):
            yield from _selects(side)
    elif isinstance(tree, exp.Select):
        yield tree


def _check(model: Contract, parsed: Query, selects: list[exp.Select], form: str) -> None:
    """Refuse whatever makes a row depend on others than its own (or its group's)."""
    strange = [node for node in parsed.tree.walk() if _reaches_beyond(node, rows=form == _ROWS)]
    if strange or len(parsed.reads) != len(selects):
        what = strange[0].key.upper() if strange else "a query without a table"
        raise parsed.error(
            f"{model.dataset} is incremental, and {what} lets a new batch change other rows than its own",
            line_of(strange[0]) if strange else None,
            f"write `materialisation: full`, or {form}",
        )


def _reaches_beyond(node: exp.Expr, *, rows: bool) -> bool:
    if isinstance(node, exp.Union):
        return bool(node.args.get("distinct"))
    if isinstance(node, exp.Distinct):
        return isinstance(node.parent, exp.Select)
    return isinstance(node, _BEYOND) or (rows and isinstance(node, exp.AggFunc))


def _groups(model: Contract, parsed: Query, selects: list[exp.Select]) -> Groups:
    _check(model, parsed, selects, _GROUPS)
    if len(selects) != 1:
        raise parsed.error(f"{model.dataset} is incremental, and unites groups", None, f"write {_GROUPS}")
    (select,) = selects
    grouped = [part.sql(DIALECT) for part in select.args["group"].expressions]
    key = {}
    for projection, text in zip(select.expressions, _projections(parsed), strict=True):
        if projection.unalias().sql(DIALECT) in grouped:
            key[projection.alias_or_name] = text
    if sorted(key) != sorted(model.primary_key) or len(grouped) != len(key):
        raise parsed.error(
            f"{model.dataset} is incremental, is grouped by {', '.join(grouped)}, and has the primary key "
            f"{', '.join(model.primary_key) or 'nothing'}",
            line_of(select.args["group"]),
            "GROUP BY what the columns of the primary key are, and nothing else",
        )
    return Groups(parsed.reads[0], {name: key[name] for name in model.primary_key})


def _top(parsed: Query) -> Iterator[Token]:
    """Tokens that stand in no parentheses."""
    depth = 0
    for token in tokenize(parsed.text, dialect=DIALECT):
        depth -= token.token_type is TokenType.R_PAREN
        if depth == 0:
            yield token
        depth += token.token_type is TokenType.L_PAREN


def _projections(parsed: Query) -> Iterator[str]:
    """The text of each column of a flat SELECT, without its alias."""
    tokens = list(_top(parsed))
    ends = [token for token in tokens if token.token_type in (TokenType.COMMA, TokenType.FROM)]
    start = next(token.end + 1 for token in tokens if token.token_type is TokenType.SELECT)
    for end in ends:
        inside = [token for token in tokens if start <= token.start < end.start]
        alias = next((token for token in inside if token.token_type is TokenType.ALIAS), None)
        yield parsed.text[start : alias.start if alias else end.start].strip()
        if end.token_type is TokenType.FROM:
            return
        start = end.end + 1


def _with_batches(parsed: Query) -> Query:
    """The query with the batch as one more column of every SELECT."""
    froms = [token.start for token in _top(parsed) if token.token_type is TokenType.FROM]
    changes = {}
    for start, read in zip(froms, parsed.reads, strict=True):
        batch = f"{sql.name(read.alias)}.{BATCH}"
        changes[start] = (start, f", concat({sql.text(read.table + ':')}, {batch}) AS {BATCH} ")
    text = parsed.spliced(changes)
    moved = []
    for read in parsed.reads:
        shift = sum(len(new) for start, (_, new) in changes.items() if start < read.start)
        moved.append(Read(read.table, read.alias, read.named, read.start + shift, read.end + shift, read.line))
    return Query(parsed.path, text, parsed.tree, tuple(moved))


__all__ = ["BATCH", "ContractError", "Groups", "Rows", "shape"]
