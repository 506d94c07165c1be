"""Gold's SQL, made ready for an engine: the sources' silver in union, under one name.

A SQL file names its input ``{{ silver }}``. What stands there when it runs is a subquery over the silver tables of the
sources that feed the table: the contract's inputs and one more column, ``dataset``, the name of the source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pipelines.contracts.document import nearest
from pipelines.contracts.model import Contract
from pipelines.errors import ContractError
from pipelines.quality import sql

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def query(table: Contract) -> str:
    """Read the SQL file of a gold contract, without its comments.

    Raises:
        ContractError: it names a placeholder that there is not, or no input at all.
    """
    assert table.gold is not None, "a gold contract has a gold section"
    path = table.path.parent / table.gold.sql
    lines = path.read_text("utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        for name in _PLACEHOLDER.findall(line):
            if name != "silver":
                raise ContractError(
                    f"there is no {{{{ {name} }}}} to put into SQL",
                    where=f"{path}:{number}",
                    fix=nearest(name, ["silver"]),
                )
    text = "\n".join(line for line in lines if not line.lstrip().startswith("--")).strip().rstrip(";")
    if not _PLACEHOLDER.search(text):
        raise ContractError("the SQL reads no silver", where=str(path), fix="select FROM {{ silver }}")
    return text


def render(table: Contract, feeds: Sequence[Contract], reference: Callable[[Contract], str]) -> str:
    """Write the SQL of a gold table over the silver of `feeds`.

    Args:
        table: The gold contract.
        feeds: Source contracts, at least one, each with every input that the table needs.
        reference: How the engine calls the silver table of a contract in SQL.

    Raises:
        ContractError: sources disagree about the type of an input; a union would widen it silently.
    """
    assert table.gold is not None, "a gold contract has a gold section"
    for name in table.gold.inputs:
        types = {source.column(name).type: source for source in feeds}
        if len(types) > 1:
            raise ContractError(
                f"{table.dataset} needs {name}, and its sources have it as {', '.join(sorted(types))}",
                where=str(feeds[-1].path),
                fix=f"give {name} one physicalType in {', '.join(source.dataset for source in feeds)}",
            )
    columns = ", ".join(sql.name(name) for name in table.gold.inputs)
    parts = [f"SELECT {sql.text(source.dataset)} AS `dataset`, {columns} FROM {reference(source)}" for source in feeds]
    union = " UNION ALL ".join(parts)
    return _PLACEHOLDER.sub(lambda _: f"({union}) AS `silver`", query(table))
