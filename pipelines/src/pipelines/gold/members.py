"""Unknown members: the row that a dimension has beside those of its SQL, and the keys of facts that refer to it.

Both are written around the author's SQL, so that engines, tests and the export to dbt run one and the same text; its
lines stay where they are, for the messages of an engine.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines import sql
from pipelines.contracts.domain import Domain
from pipelines.contracts.model import Column, Contract
from pipelines.contracts.odcs import Scalar

FACTS = "levee_facts"
"""Alias of the author's SQL."""


def completed(domain: Domain, model: Contract, text: str, tables: Mapping[str, str]) -> str:
    """Return a model's SQL with its unknown member, and with keys of members that there are; itself without either.

    Args:
        domain: The domain.
        model: Contract of the model.
        text: Its SQL.
        tables: SQL that stands for each dimension's name, by reference.
    """
    assert model.model is not None, "a derived table has a model"
    if model.model.dimensions:
        text = _keyed(domain, model, model.model.dimensions, text, tables)
    return _with_unknown(model, text)


def unknown_member(model: Contract) -> dict[str, str] | None:
    """Return SQL of the unknown member of a dimension, by column; ``None`` where the model asks for none.

    Raises:
        ContractError: a value is none of its column's type.
    """
    if model.model is None or (member := model.model.unknown_member) is None:
        return None
    values = {**member.values, model.primary_key[0]: member.key}
    return {
        column.name: _literal(values.get(column.name), column, f"{model.path}, unknownMember")
        for column in model.columns
    }


def _keyed(domain: Domain, model: Contract, dimensions: Mapping[str, str], text: str, tables: Mapping[str, str]) -> str:
    known = {contract.reference: contract for contract in domain.inputs(model)}
    columns = {column.name: f"{FACTS}.{sql.name(column.name)}" for column in model.columns}
    joins = []
    for number, (column, table) in enumerate(dimensions.items()):
        (key,), member = known[table].primary_key, unknown_member(known[table])
        assert member is not None, "a dimension has an unknown member"
        found = f"levee_dimension_{number}"
        joins.append(
            f"LEFT JOIN (SELECT {sql.name(key)} AS found FROM {tables[table]} AS members) AS {found} "
            f"ON {FACTS}.{sql.name(column)} = {found}.found"
        )
        columns[column] = f"coalesce({found}.found, {member[key]})"
    chosen = ", ".join(f"{value} AS {sql.name(name)}" for name, value in columns.items())
    return f"SELECT {chosen} FROM ({text}\n) AS {FACTS} {' '.join(joins)}"


def _with_unknown(model: Contract, text: str) -> str:
    if (member := unknown_member(model)) is None:
        return text
    columns = ", ".join(sql.name(name) for name in member)
    values = ", ".join(f"{value} AS {sql.name(name)}" for name, value in member.items())
    return f"SELECT {columns} FROM ({text}\n) AS {FACTS} UNION ALL SELECT {values}"


def _literal(value: Scalar, column: Column, where: str) -> str:
    said = "NULL" if value is None else sql.literal(value, column.type, where)
    return f"CAST({said} AS {column.type})"


__all__ = ["completed", "unknown_member"]
