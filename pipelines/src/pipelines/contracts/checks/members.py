"""Dimensions and the keys that facts refer to them by: what one contract says of them, and what two of them must."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pipelines.contracts.document import Document, nearest
from pipelines.contracts.model import Contract
from pipelines.errors import ContractError

INTEGERS = ("tinyint", "smallint", "int", "bigint")
"""Types of a key that may be that of an unknown member."""
Complaints = Iterator[tuple[str, str]]
"""What is wrong, and the edit that mends it."""


def check_members(contract: Contract, document: Document) -> None:
    """Check the unknown member of a dimension, and the keys of a fact table.

    Raises:
        ContractError: they do not fit the rest of the contract; with the line.
    """
    for complaint, fix in (*_unknown_member(contract), *_dimensions(contract)):
        raise document.error(complaint, "customProperties", fix=fix)


def check_dimensions(known: Mapping[str, Contract], where: Callable[[Contract], str]) -> None:
    """Check what models say of the tables that they read: their unknown members, their versions.

    Args:
        known: The contracts of a domain by what SQL calls their tables; every input is among them.
        where: ``file:line`` of a model's inputs.

    Raises:
        ContractError: a dimension has no unknown member, or a source keeps no versions; with the line.
    """
    for contract in known.values():
        model = contract.model
        for name in model.history if model else ():
            history = known[name].history
            if history is None or history.type == 1:
                raise ContractError(
                    f"{contract.reference} asks for every version of {name}, which keeps none",
                    where=where(contract),
                    fix=f"take it out of `history`, or give {name} a history of type 2 or 4 in {known[name].path}",
                )
        for column, name in model.dimensions.items() if model else ():
            other = known[name].model
            if other is None or other.unknown_member is None:
                raise ContractError(
                    f"{contract.reference}.{column} is a key of {name}, which has no unknown member",
                    where=where(contract),
                    fix=f"add `unknownMember: {{key: -1}}` to `model` in {known[name].path}"
                    if other
                    else "make a model of gold that selects from it, with an `unknownMember`, and refer to that",
                )


def _unknown_member(contract: Contract) -> Complaints:
    model = contract.model
    if model is None or model.unknown_member is None:
        return
    values, keys = model.unknown_member.values, contract.primary_key
    names = [column.name for column in contract.columns]
    if len(keys) != 1 or contract.column(keys[0]).type not in INTEGERS:
        yield "an unknown member wants a primary key of one integer column", "set `primaryKey: true` on one bigint"
        return
    for name in values:
        if name not in names:
            yield f"unknownMember.values names the column {name!r}, which there is not", nearest(name, names)
    if keys[0] in values:
        yield f"{keys[0]} of the unknown member is its `key`", f"take {keys[0]} out of its `values`"
    for column in contract.columns:
        if column.required and column.name not in keys and values.get(column.name) is None:
            fix = f"add `{column.name}: ...` to unknownMember.values, or let it be null"
            yield f"column {column.name} is required, and the unknown member has none", fix
    if model.materialisation != "full":
        yield "a dimension with an unknown member is built in full", "set `materialisation: full` in its model"
    if contract.k_anonymity:
        fix = "publish a table without the unknown member, made of this one"
        yield "an unknown member is alone in its group, which kAnonymity would not let pass", fix


def _dimensions(contract: Contract) -> Complaints:
    model = contract.model
    if model is None or not model.dimensions:
        return
    names = [column.name for column in contract.columns]
    for column, table in model.dimensions.items():
        if column not in names:
            yield f"dimensions names the column {column!r}, which there is not", nearest(column, names)
        elif contract.column(column).type not in INTEGERS:
            yield f"column {column} is a key of {table} and no integer", "write `physicalType: bigint`"
        if table not in model.inputs:
            yield f"{column} is a key of {table}, which is no input", f"add {table} to `inputs`"
        if table in model.optional:
            yield f"{column} is a key of {table}, which may be absent", f"take {table} out of `optional`"
    if model.materialisation != "full":
        fix = "set `materialisation: full` in its model"
        yield "keys of dimensions change with these, so the table is built in full", fix


__all__ = ["check_dimensions", "check_members"]
