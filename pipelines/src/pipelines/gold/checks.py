"""What a model's SQL and the contracts say about each other, before any data is touched: columns, types, secrecy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sqlglot import exp

from pipelines.contracts.domain import Domain
from pipelines.contracts.model import Classification, Column, Contract
from pipelines.contracts.shown import Shown
from pipelines.errors import ContractError
from pipelines.gold.incremental import shape
from pipelines.gold.lineage import Edge, Lineage, lineage
from pipelines.gold.members import unknown_member
from pipelines.gold.query import query
from pipelines.quality.checks import table_checks
from pipelines.quality.rules import rules

_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset({"STRING", "TEXT", "VARCHAR", "CHAR"}),
    "boolean": frozenset({"BOOLEAN"}),
    "date": frozenset({"DATE"}),
    "timestamp": frozenset({"TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPLTZ"}),
    "integer": frozenset({"TINYINT", "SMALLINT", "INT", "BIGINT"}),
    "number": frozenset({"DECIMAL", "DOUBLE", "FLOAT"}),
    "binary": frozenset({"BINARY", "VARBINARY"}),
}
_WIDENS: Final[Mapping[str, frozenset[str]]] = {"integer": frozenset({"number"})}
"""What a value may become without losing anything."""
_SECRET: Final = (Classification.PERSONAL, Classification.RESTRICTED)


def check_model(domain: Domain, model: Contract) -> Lineage:
    """Hold a model's SQL against its contract and its inputs' contracts.

    Returns:
        Where its columns come from.

    Raises:
        ContractError: a check cannot be compiled, or the SQL is no model, names what there is not, gives another type
            than the contract says, shows a personal column that is not masked, or cannot be built incrementally though
            the contract says so.
    """
    rules(model)
    table_checks(model)
    unknown_member(model)
    traced = lineage(domain, model)
    for column in model.columns:
        _check_type(model, column, traced.types[column.name])
    inputs = {table.reference: table for table in domain.reads(model)}
    for column in model.columns:
        _check_secrecy(model, column, traced.columns[column.name], inputs)
    if model.model and model.model.materialisation == "incremental":
        shape(domain, model, query(model))
    return traced


def _kind(name: str) -> str | None:
    return next((kind for kind, names in _KINDS.items() if name in names), None)


def _check_type(model: Contract, column: Column, given: exp.DataType) -> None:
    wanted, found = _kind(column.type.split("(")[0].upper()), _kind(given.this.name)
    if found is None or found == wanted or wanted in _WIDENS.get(found, ()):
        return
    raise ContractError(
        f"{model.dataset}.{column.name} is {column.type} by its contract, and its SQL gives {given.sql('spark')}",
        where=str(model.path),
        fix=f"write CAST(... AS {column.type}) where the loss is meant, or correct the contract",
    )


def _check_secrecy(model: Contract, column: Column, edges: tuple[Edge, ...], inputs: Mapping[str, Shown]) -> None:
    for edge in _shown(edges):
        contract = inputs[edge.table].contract
        source = inputs[edge.table].column(edge.column)
        if source.classification not in _SECRET:
            continue
        path = f"{edge.table}.{edge.column} -> {model.reference}.{column.name} ({edge.subtype})"
        masked = contract.model is not None or source in contract.personal_columns
        if not masked:
            raise ContractError(
                f"a {source.classification} column that is not masked would be shown: {path}",
                where=str(model.path),
                fix=f"say in {contract.path} how {edge.column} is masked, or leave {column.name} out of the SELECT",
            )
        least = Classification.CONFIDENTIAL  # a pseudonym still singles a person out
        if column.classification.rank < least.rank and edge.subtype != "AGGREGATION":
            raise ContractError(
                f"{column.name} is {column.classification} and shows a {source.classification} column: {path}",
                where=str(model.path),
                fix=f"write `classification: {least}` for {column.name}, or a higher one",
            )


def _shown(edges: tuple[Edge, ...]) -> Iterator[Edge]:
    """The inputs whose values can be seen in the output."""
    yield from (edge for edge in edges if edge.type == "DIRECT" and not edge.masking)
