"""Which input columns each column of a model comes from: a function of its contract, its SQL, its inputs' contracts.

The words are OpenLineage's (facet ``columnLineage`` 1-2-0): a value comes from a ``DIRECT`` input (``IDENTITY``,
``TRANSFORMATION``, ``AGGREGATION``), and an ``INDIRECT`` one decides about it (``CONDITIONAL``, ``WINDOW``) or about
every row (``JOIN``, ``FILTER``, ``GROUP_BY``, ``SORT``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from sqlglot import exp
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema

from pipelines.contracts.domain import Domain
from pipelines.contracts.model import Contract
from pipelines.contracts.shown import Shown
from pipelines.errors import ContractError
from pipelines.gold.query import DIALECT, Query, query

Type = Literal["DIRECT", "INDIRECT"]
Subtype = Literal[
    "IDENTITY", "TRANSFORMATION", "AGGREGATION", "CONDITIONAL", "WINDOW", "JOIN", "FILTER", "GROUP_BY", "SORT"
]

_STRENGTH: Final[Mapping[str, int]] = {"IDENTITY": 0, "TRANSFORMATION": 1, "AGGREGATION": 2}
_COUNTS: Final = (exp.Count, exp.CountIf, exp.ApproxDistinct)
_CLAUSES: Final[Mapping[str, Subtype]] = {
    "where": "FILTER",
    "having": "FILTER",
    "qualify": "FILTER",
    "group": "GROUP_BY",
    "order": "SORT",
}


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """One input column of an output column, or of every row.

    Attributes:
        table: The input, ``silver.online_retail``.
        column: Its column.
        type: ``DIRECT``: its value goes in; ``INDIRECT``: it decides.
        subtype: How.
        masking: The value does not show, as only its occurrences are counted.
    """

    table: str
    column: str
    type: Type
    subtype: Subtype
    masking: bool = False


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a model's columns come from.

    Attributes:
        columns: Edges by output column, in the contract's order.
        dataset: Edges that decide which rows there are, and their order.
        types: Spark SQL type of each output column as far as sqlglot can tell; ``UNKNOWN`` where it cannot.
    """

    columns: Mapping[str, tuple[Edge, ...]]
    dataset: tuple[Edge, ...]
    types: Mapping[str, exp.DataType]


def lineage(domain: Domain, model: Contract) -> Lineage:
    """Trace the columns of a model to its inputs' columns.

    Args:
        domain: The domain, whose contracts say what columns the inputs have.
        model: Contract of the model.

    Raises:
        ContractError: the SQL is no model (`query`), names a column that its inputs' contracts do not have, or has
            other columns than its contract.
    """
    parsed = query(model)
    tree = _qualified(parsed, {table.reference: table for table in domain.reads(model)})
    root = build_scope(tree)
    assert root is not None, "a SELECT has a scope"
    names = [column.name for column in model.columns]
    given = [select.alias_or_name for select in tree.selects]
    if sorted(names) != sorted(given):
        raise parsed.error(
            f"the SQL of {model.dataset} gives {', '.join(given)}; its contract has {', '.join(names)}",
            None,
            f"make the SELECT list and the properties in {model.path} the same",
        )
    tracer = _Tracer()
    return Lineage(
        columns={
            name: _sorted([*tracer.output(root, given.index(name)), *_known_keys(domain, model, name)])
            for name in names
        },
        dataset=_sorted(edge for scope in root.traverse() for edge in tracer.deciding(scope)),
        types={name: select.type or exp.DataType.build("unknown") for name, select in _typed(tree, names)},
    )


def _known_keys(domain: Domain, model: Contract, column: str) -> Iterator[Edge]:
    """The keys of the dimension that decide whether a fact keeps its own."""
    table = model.model.dimensions.get(column) if model.model else None
    for contract in domain.inputs(model):
        if contract.reference == table:
            yield Edge(table, contract.primary_key[0], "INDIRECT", "CONDITIONAL")


def _sorted(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    return tuple(sorted(set(edges)))


def _typed(tree: exp.Query, names: list[str]) -> Iterator[tuple[str, exp.Expr]]:
    by_name = {select.alias_or_name: select for select in tree.selects}
    yield from ((name, by_name[name]) for name in names)


def _qualified(parsed: Query, inputs: Mapping[str, Shown]) -> exp.Query:
    """The tree with every column's table, typed.

    Raises:
        ContractError: there is no such column; with its line.
    """
    tables: dict[str, dict[str, dict[str, str]]] = {}
    for table in inputs.values():
        columns = {column.name: column.type for column in table.columns}
        tables.setdefault(table.contract.published.value, {})[table.contract.dataset] = columns
    schema = MappingSchema({**tables}, dialect=DIALECT)
    try:
        tree = qualify(parsed.tree.copy(), schema=schema, dialect=DIALECT, quote_identifiers=False)
        return annotate_types(tree, schema=schema, dialect=DIALECT)
    except OptimizeError as error:
        said, _, place = str(error).partition(" Line: ")
        line = int(place.split(",")[0]) if place else None
        names = ", ".join(inputs)
        raise parsed.error(
            said.rstrip("."), line, f"the columns that there are stand in the contracts of {names}"
        ) from None
    except SqlglotError as error:
        raise parsed.error(f"the SQL cannot be understood: {error}", None) from None


@dataclass(slots=True)
class _Tracer:
    """Follows columns through the scopes of one query to its tables."""

    _known: dict[tuple[int, int], frozenset[Edge]] = field(default_factory=dict)

    def output(self, scope: Scope, index: int) -> frozenset[Edge]:
        """Edges of the `index`-th column that a scope gives."""
        key = (id(scope), index)
        if key not in self._known:
            self._known[key] = frozenset()  # a recursive common table expression adds nothing to itself
            self._known[key] = frozenset(self._output(scope, index))
        return self._known[key]

    def deciding(self, scope: Scope) -> Iterator[Edge]:
        """Edges of the columns that decide which rows a scope gives."""
        select = scope.expression
        for clause, subtype in _CLAUSES.items():
            if part := select.args.get(clause):
                yield from self._indirect(scope, part, subtype)
        for join in select.args.get("joins") or ():
            if on := join.args.get("on"):
                yield from self._indirect(scope, on, "JOIN")

    def _output(self, scope: Scope, index: int) -> Iterator[Edge]:
        if scope.set_operation_scopes:
            for part in scope.set_operation_scopes:
                yield from self.output(part, index)
            return
        projection = _selects(scope)[index].unalias()
        for column in _columns_of(scope, projection):
            how = _how(column, projection)
            yield from (_through(how, origin) for origin in self._origins(scope, column))
        for nested in scope.subquery_scopes:
            if nested.expression.find_ancestor(exp.Select) is scope.expression and _within(nested, projection):
                yield from (_through(_how(nested.expression, projection), edge) for edge in self.output(nested, 0))

    def _indirect(self, scope: Scope, part: exp.Expr, subtype: Subtype) -> Iterator[Edge]:
        for column in _columns_of(scope, part):
            for origin in self._origins(scope, column):
                yield replace(origin, type="INDIRECT", subtype=subtype)

    def _origins(self, scope: Scope, column: exp.Column) -> Iterable[Edge]:
        source = scope.sources.get(column.table)
        if source is None and scope.parent is not None:  # a correlated subquery
            return self._origins(scope.parent, column)
        if isinstance(source, Scope):
            names = [select.alias_or_name for select in _selects(source)]
            return self.output(source, names.index(column.name))
        if isinstance(source, exp.Table):
            return (Edge(f"{source.db}.{source.name}", column.name, "DIRECT", "IDENTITY"),)
        return ()


def _selects(scope: Scope) -> list[exp.Expr]:
    return scope.expression.selects if isinstance(scope.expression, exp.Query) else []


def _columns_of(scope: Scope, part: exp.Expr) -> Iterator[exp.Column]:
    """Columns of a piece of a scope's own query, those of queries inside left out."""
    inside = {id(nested.expression) for nested in scope.subquery_scopes}
    for node in part.walk(prune=lambda node: id(node) in inside):
        if isinstance(node, exp.Column):
            yield node


def _within(nested: Scope, projection: exp.Expr) -> bool:
    node: exp.Expr | None = nested.expression
    while node is not None:
        if node is projection:
            return True
        node = node.parent
    return False


def _how(node: exp.Expr, projection: exp.Expr) -> Edge:
    """How a piece of a projection goes into it, as an edge without a place."""
    how = Edge("", "", "DIRECT", "IDENTITY" if node is projection else "TRANSFORMATION")
    while node is not projection:
        above = node.parent
        assert above is not None, "a projection's parts lie below it"
        if isinstance(above, exp.Window) and node.arg_key in ("partition_by", "order"):
            return replace(how, type="INDIRECT", subtype="WINDOW")
        condition = "expression" if isinstance(above, exp.Filter) else "this"
        if isinstance(above, exp.If | exp.Case | exp.Filter) and node.arg_key == condition:
            return replace(how, type="INDIRECT", subtype="CONDITIONAL")
        if isinstance(above, exp.AggFunc):
            how = replace(how, subtype="AGGREGATION", masking=how.masking or isinstance(above, _COUNTS))
        node = above
    return how


def _through(outer: Edge, inner: Edge) -> Edge:
    """An input of an input."""
    masking = outer.masking or inner.masking
    if outer.type == "INDIRECT":
        return replace(inner, type=outer.type, subtype=outer.subtype, masking=masking)
    if inner.type == "INDIRECT" or _STRENGTH[inner.subtype] > _STRENGTH[outer.subtype]:
        return replace(inner, masking=masking)
    return replace(inner, subtype=outer.subtype, masking=masking)


__all__ = ["ContractError", "Edge", "Lineage", "lineage"]
