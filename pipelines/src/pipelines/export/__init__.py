"""Contracts in the forms that other tools read: SQL DDL, JSON Schema, Avro, Great Expectations, plain ODCS.

What is exported is the *published* table: silver for a source, the table itself for what is built of it. A rule about a
masked column's values is no promise about its pseudonyms, so it is left out, and named.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pipelines.contracts import Contract
from pipelines.errors import UsageError
from pipelines.export.avro import avro_schema
from pipelines.export.ddl import DIALECTS, ddl
from pipelines.export.expectations import suite
from pipelines.export.json_schema import json_schema
from pipelines.export.odcs import odcs


@dataclass(frozen=True, slots=True)
class Format:
    """One form.

    Attributes:
        suffix: How its files end, after the dataset's name.
        write: The text of a contract in it; the second argument is the SQL dialect.
        description: One line for readers.
    """

    suffix: str
    write: Callable[[Contract, str], str]
    description: str


FORMATS: Final[Mapping[str, Format]] = {
    "great-expectations": Format(
        ".suite.json", lambda contract, _: _json(suite(contract)), "a Great Expectations 1.x suite"
    ),
    "sql-ddl": Format(".sql", ddl, f"CREATE TABLE with its constraints; dialects {', '.join(DIALECTS)}"),
    "json-schema": Format(
        ".schema.json", lambda contract, _: _json(json_schema(contract)), "JSON Schema 2020-12 of one row"
    ),
    "avro": Format(".avsc", lambda contract, _: _json(avro_schema(contract)), "an Avro 1.12 record"),
    "odcs": Format(".odcs.yaml", lambda contract, _: odcs(contract), "ODCS v3.1.0, with every default written out"),
}
"""The forms by the name that `levee contracts export --format` has for them."""


def export(contract: Contract, form: str, dialect: str = "spark") -> str:
    """One contract in one form.

    Args:
        contract: The contract.
        form: One of `FORMATS`.
        dialect: One of `DIALECTS`; counts for ``sql-ddl`` alone.

    Raises:
        UsageError: there is no such form or dialect.
    """
    if form not in FORMATS:
        raise UsageError(f"there is no form {form!r}", fix=f"use one of {', '.join(FORMATS)}")
    return FORMATS[form].write(contract, dialect)


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
