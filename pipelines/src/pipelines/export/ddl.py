"""CREATE TABLE of the published table: types, NOT NULL, keys, CHECKs, comments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from pipelines.contracts import Contract, schema_name
from pipelines.contracts.model import Column
from pipelines.errors import UsageError
from pipelines.export.published import nullable, of_values, promises

_DECIMAL: Final = re.compile(r"decimal\((\d+),(\d+)\)")
_IDENTIFIER: Final = 63
"""Characters of a name that PostgreSQL keeps."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a database spells things.

    Attributes:
        quote: What names stand between.
        types: Its name of a Spark SQL type, where it differs.
        inline: Whether keys and CHECKs stand in CREATE TABLE, and comments in statements of their own.
        keys: Whether it takes PRIMARY KEY.
        using: What follows the columns.
        translated: sqlglot's name of the dialect that predicates are translated to; ``None`` for Spark's own.
        backslash: Whether a backslash in a string is an escape.
    """

    quote: str = '"'
    types: Mapping[str, str] = field(default_factory=dict)
    inline: bool = True
    keys: bool = True
    using: str = ""
    translated: str | None = None
    backslash: bool = False


_SQL_TYPES: Final = {
    "string": "text",
    "tinyint": "smallint",
    "int": "integer",
    "float": "real",
    "double": "double precision",
    "timestamp": "timestamp with time zone",
    "binary": "bytea",
}
DIALECTS: Final[Mapping[str, Dialect]] = {
    "spark": Dialect("`", inline=False, keys=False, using="\nUSING DELTA", backslash=True),
    "databricks": Dialect("`", inline=False, using="\nUSING DELTA", backslash=True),
    "postgres": Dialect(types=_SQL_TYPES, translated="postgres"),
    "duckdb": Dialect(types={**_SQL_TYPES, "binary": "blob"}, translated="duckdb"),
}
"""The dialects by name; each is executed by its own database in the tests."""


def ddl(contract: Contract, dialect: str) -> str:
    """The statements that make the table with what the contract promises of it.

    Args:
        contract: The contract.
        dialect: One of `DIALECTS`.

    Raises:
        UsageError: there is no such dialect.
        ContractError: a check cannot be compiled; with its line.
    """
    if dialect not in DIALECTS:
        raise UsageError(f"there is no dialect {dialect!r}", fix=f"use one of {', '.join(DIALECTS)}")
    return _Writer(contract, DIALECTS[dialect]).text()


class _Writer:
    """Writes one contract in one dialect."""

    def __init__(self, contract: Contract, dialect: Dialect) -> None:
        self.contract = contract
        self.dialect = dialect
        self.schema = self._name(schema_name(contract.domain, contract.published))
        self.table = f"{self.schema}.{self._name(contract.dataset)}"
        self.promises = promises(contract)

    def text(self) -> str:
        statements = [f"CREATE SCHEMA IF NOT EXISTS {self.schema}", self._create(), *self._after()]
        return "\n".join([*self._remarks(), *(f"{statement};" for statement in statements)]) + "\n"

    def _remarks(self) -> Iterator[str]:
        yield f"-- {self.contract.domain}.{self.contract.dataset} {self.contract.version}, made from its data contract."
        for rule, reason in self.promises.others:
            yield f"-- not promised: {rule}, for {reason}."
        if not self.dialect.keys and self.contract.primary_key:
            yield f"-- primary key ({', '.join(self.contract.primary_key)}): the quality task checks it."

    def _create(self) -> str:
        parts = [self._column(column) for column in self.contract.columns]
        if self.dialect.keys and self.contract.primary_key:
            keys = ", ".join(map(self._name, self.contract.primary_key))
            named = f"CONSTRAINT {self._name(self.contract.dataset + '_pk')} PRIMARY KEY ({keys})"
            parts.append(named)
        if self.dialect.inline:
            parts += [f"UNIQUE ({self._name(column.name)})" for column in self.contract.columns if column.unique]
            parts += [f"CONSTRAINT {self._name(name)} CHECK ({predicate})" for name, predicate in self._checks()]
        body = ",\n".join(f"  {part}" for part in parts)
        comment = "" if self.dialect.inline else self._comment(self.contract.description, "\n")
        return f"CREATE TABLE IF NOT EXISTS {self.table} (\n{body}\n){self.dialect.using}{comment}"

    def _column(self, column: Column) -> str:
        null = "" if nullable(self.contract, column) else " NOT NULL"
        comment = "" if self.dialect.inline else self._comment(column.description, " ")
        return f"{self._name(column.name)} {self._type(column.type)}{null}{comment}"

    def _comment(self, text: str, before: str) -> str:
        return f"{before}COMMENT {self._text(text)}" if text else ""

    def _after(self) -> Iterator[str]:
        if not self.dialect.inline:
            for name, predicate in self._checks():
                yield f"ALTER TABLE {self.table} ADD CONSTRAINT {self._name(name)} CHECK ({predicate})"
            return
        if self.contract.description:
            yield f"COMMENT ON TABLE {self.table} IS {self._text(self.contract.description)}"
        for column in self.contract.columns:
            if column.description:
                place = f"{self.table}.{self._name(column.name)}"
                yield f"COMMENT ON COLUMN {place} IS {self._text(column.description)}"

    def _checks(self) -> Iterator[tuple[str, str]]:
        translated = _translator(self.dialect.translated)
        for rule in self.promises.kept:
            if of_values(rule):
                yield rule.id[:_IDENTIFIER], translated(rule.predicate)

    def _type(self, spark: str) -> str:
        if match := _DECIMAL.fullmatch(spark):
            return f"{'numeric' if self.dialect.types else 'decimal'}({match[1]},{match[2]})"
        return self.dialect.types.get(spark, spark)

    def _name(self, name: str) -> str:
        quote = self.dialect.quote
        return f"{quote}{name.replace(quote, quote * 2)}{quote}"

    def _text(self, text: str) -> str:
        if self.dialect.backslash:
            return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
        return "'" + text.replace("'", "''") + "'"


def _translator(dialect: str | None) -> Callable[[str], str]:
    if dialect is None:
        return lambda predicate: predicate
    import sqlglot

    return lambda predicate: sqlglot.transpile(predicate, read="spark", write=dialect)[0]
