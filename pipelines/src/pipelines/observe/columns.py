"""From which columns a column is made: landing to bronze to silver by the contract, gold by its SQL.

Types and subtypes are those of OpenLineage's column lineage facet 1-2-0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp

from pipelines.contracts.model import Column, Contract
from pipelines.errors import ContractError
from pipelines.gold.lineage import Edge
from pipelines.gold.lineage import lineage as of_model
from pipelines.observe.facts import TaskRun
from pipelines.settings import Layer


@dataclass(frozen=True, slots=True)
class Origin:
    """A column that another is made from.

    Attributes:
        layer: Layer of its table.
        dataset: Its table.
        column: Its name.
        type: ``DIRECT`` where values are made of it, ``INDIRECT`` where it decides which.
        subtype: ``IDENTITY``, ``TRANSFORMATION``, ``CONDITIONAL``, ...
        masking: Whether the original value cannot be read from the result.
        description: The SQL, where there is one.
    """

    layer: Layer
    dataset: str
    column: str
    type: str = "DIRECT"
    subtype: str = "IDENTITY"
    masking: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a table comes from.

    Attributes:
        columns: Origins by column of the table.
        rows: Columns that decide which rows there are.
    """

    columns: Mapping[str, tuple[Origin, ...]]
    rows: tuple[Origin, ...] = ()


def lineage(run: TaskRun, layer: Layer) -> Lineage:
    """Column lineage of what the task writes to a layer; without columns where nothing is known."""
    if run.contract.model is not None:
        return _of_model(run)
    if layer is Layer.BRONZE:
        return _of_bronze(run.contract)
    if layer is Layer.SILVER and run.task in ("silver", "replay"):
        return _of_silver(run.contract)
    return Lineage({})


def _of_model(run: TaskRun) -> Lineage:
    """By the model's SQL (`pipelines.gold.lineage`)."""
    if run.domain is None:
        return Lineage({})
    try:
        traced = of_model(run.domain, run.contract)
    except ContractError:  # the run itself fails by it, and says so
        return Lineage({})
    columns = {name: tuple(_origin(edge) for edge in edges) for name, edges in traced.columns.items()}
    return Lineage(columns, tuple(_origin(edge) for edge in traced.dataset))


def _origin(edge: Edge) -> Origin:
    layer, _, dataset = edge.table.partition(".")
    return Origin(Layer(layer), dataset, edge.column, edge.type, edge.subtype, edge.masking)


def _of_bronze(contract: Contract) -> Lineage:
    return Lineage(
        {name: (Origin(Layer.LANDING, contract.dataset, name),) for name in contract.source_fields},
    )


def _of_silver(contract: Contract) -> Lineage:
    found: dict[str, tuple[Origin, ...]] = {}
    typed: dict[str, Column] = {}
    for column in contract.columns:
        origins = _derived(column, found) if column.derived else _made(column, contract)
        masked = column in contract.personal_columns
        found[column.name] = tuple(_masked(origin) for origin in origins) if masked else origins
        typed[column.name] = column
    return Lineage(found)


def _made(column: Column, contract: Contract) -> tuple[Origin, ...]:
    """Of source fields: as they are, or by an expression over them."""
    if column.expression is None:
        return tuple(Origin(Layer.BRONZE, contract.dataset, name) for name in column.sources)
    deciding = _used(column.expression)
    return tuple(
        Origin(Layer.BRONZE, contract.dataset, name, *deciding[name], description=column.expression)
        for name in column.sources
        if name in deciding
    )


def _derived(column: Column, known: Mapping[str, tuple[Origin, ...]]) -> tuple[Origin, ...]:
    """Of typed columns before it: of what these are made of."""
    found: dict[tuple[str, str], Origin] = {}
    for name, (type_, subtype) in _used(column.expression or "NULL").items():
        for origin in known.get(name, ()):
            kind = type_ if origin.type == "DIRECT" else origin.type
            made = Origin(
                origin.layer, origin.dataset, origin.column, kind, subtype, origin.masking, column.expression or ""
            )
            found.setdefault((origin.column, kind), made)
    return tuple(found.values())


def _masked(origin: Origin) -> Origin:
    subtype = "TRANSFORMATION" if origin.subtype == "IDENTITY" else origin.subtype
    return Origin(origin.layer, origin.dataset, origin.column, origin.type, subtype, True, origin.description)


@lru_cache(maxsize=4096)
def _used(expression: str) -> Mapping[str, tuple[str, str]]:
    """Columns of a Spark SQL expression, each with how it is used; what both decides and gives a value gives it."""
    found: dict[str, tuple[str, str]] = {}
    tree = sqlglot.parse_one(expression, dialect="spark")
    for node in tree.find_all(exp.Column):
        decides = _is_condition(node)
        use = ("INDIRECT", "CONDITIONAL") if decides else ("DIRECT", _subtype(tree, node))
        if not decides or node.name not in found:
            found[node.name] = use
    return found


def _subtype(tree: exp.Expr, node: exp.Column) -> str:
    return "IDENTITY" if tree is node else "TRANSFORMATION"


def _is_condition(node: exp.Expr) -> bool:
    """Whether it stands in the condition of an IF or a CASE, whose outcome another expression gives."""
    child, parent = node, node.parent
    while parent is not None:
        if isinstance(parent, exp.If) and child.arg_key == "this":
            return True
        child, parent = parent, parent.parent
    return False
