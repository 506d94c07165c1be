"""Tests of models: rows given to each input, the rows that are to come out; ``<model>.test.yaml`` beside the SQL.

The SQL runs as it does in a build, over tables that hold just the given rows. A column that a row does not name is
null; of the result only the columns are compared that the expected rows name. Texts are cast to the contract's types,
doubles are equal within 1e-9, and the order of rows says nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from pydantic import Field, ValidationError

from pipelines import sql
from pipelines.contracts.document import Document, nearest
from pipelines.contracts.domain import Domain
from pipelines.contracts.model import Contract
from pipelines.contracts.odcs import Model, Scalar
from pipelines.contracts.shown import Shown
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.errors import ContractError
from pipelines.gold.checks import check_model
from pipelines.gold.frames import contract_columns, empty, named
from pipelines.gold.members import completed
from pipelines.gold.query import query

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.engine import Engine

SUFFIX: Final = ".test.yaml"
TOLERANCE: Final = 1e-9

_TYPES: Final[Mapping[str, pa.DataType]] = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": TIMESTAMP,
    "binary": pa.binary(),
}
Row = Mapping[str, Scalar]
_Rows = list[dict[str, Any]]


class Case(Model):
    """One test of one model."""

    name: str = Field(description="What is shown, snake_case.")
    description: str | None = Field(default=None, description="Why it is so, for readers.")
    given: dict[str, list[dict[str, Scalar]]] = Field(
        default_factory=dict, description="Rows by input; an input that is not named is empty."
    )
    expect: tuple[dict[str, Scalar], ...] = Field(strict=False, description="The rows that are to come out.")


class Cases(Model):
    """A test file."""

    tests: tuple[Case, ...] = Field(min_length=1, strict=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a test found.

    Attributes:
        model: The model, ``gold.revenue_by_month``.
        case: Name of the test.
        missing: Expected rows that did not come out.
        unexpected: Rows that came out and were not expected.
        seconds: How long it took.
    """

    model: str
    case: str
    missing: tuple[Mapping[str, Any], ...]
    unexpected: tuple[Mapping[str, Any], ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether just the expected rows came out."""
        return not self.missing and not self.unexpected


def tests_file(model: Contract) -> Path:
    """Where the tests of a model are, if it has any."""
    assert model.model is not None, "a derived table has a model"
    return model.path.parent / f"{Path(model.model.sql).stem}{SUFFIX}"


def cases(domain: Domain, model: Contract) -> tuple[Case, ...]:
    """Read the tests of a model; none where it has no file.

    Raises:
        ContractError: the file is wrong, or names what the contracts do not have; with its line.
    """
    path = tests_file(model)
    if not path.is_file():
        return ()
    document = Document.read(path)
    try:
        found = Cases.model_validate(document.plain()).tests
    except ValidationError as error:
        raise document.complaints(error, Cases)[0] from None
    inputs = {table.reference: table for table in domain.reads(model)}
    for number, case in enumerate(found):
        for name, rows in case.given.items():
            if name not in inputs:
                raise document.error(
                    f"{model.dataset} does not read {name}",
                    "tests",
                    number,
                    "given",
                    name,
                    fix=nearest(name, list(inputs)),
                )
            _check_names(document, inputs[name], rows, "tests", number, "given", name)
        _check_names(document, model, case.expect, "tests", number, "expect")
    return found


def run_case(engine: Engine, domain: Domain, model: Contract, case: Case) -> Outcome:
    """Run one test.

    Raises:
        ContractError: the model is wrong, or a value is none of its column's type.
    """
    started = time.perf_counter()
    check_model(domain, model)
    where = f"{tests_file(model)}, test {case.name}"
    views = {
        read.reference: named(_input(engine, read, case.given.get(read.reference, ()), where))
        for read in domain.reads(model)
    }
    text = completed(domain, model, query(model).over(views), {name: sql.name(view) for name, view in views.items()})
    frame = engine.sql(text).selectExpr(*contract_columns(model))
    compared = list(dict.fromkeys(name for row in case.expect for name in row)) or [c.name for c in model.columns]
    found = frame.select(*compared).toArrow().to_pylist()
    expected = table(model, case.expect, where).select(compared).to_pylist()
    missing, unexpected = _difference(expected, found)
    seconds = time.perf_counter() - started
    return Outcome(model.reference, case.name, tuple(missing), tuple(unexpected), seconds)


def _input(engine: Engine, read: Shown, rows: Sequence[Row], where: str) -> DataFrame:
    return engine.frame(table(read, rows, where)) if rows else empty(engine, read)


def table(contract: Contract | Shown, rows: Sequence[Row], where: str) -> pa.Table:
    """Return rows as a table with a contract's columns, or a reader's, and types; what a row does not name is null.

    Raises:
        ContractError: a value is none of its column's type.
    """
    columns = {}
    for column in contract.columns:
        texts = [_text(row.get(column.name)) for row in rows]
        try:
            columns[column.name] = pa.array(texts, pa.string()).cast(arrow_type(column.type))
        except pa.ArrowInvalid as error:
            raise ContractError(
                f"{contract.reference}.{column.name} is {column.type}: {str(error).splitlines()[0]}", where=where
            ) from None
    return pa.table(columns)


def arrow_type(type_: str) -> pa.DataType:
    """Return the Arrow type of a contract's Spark SQL type."""
    if type_.startswith("decimal("):
        precision, scale = type_.removeprefix("decimal(").rstrip(")").split(",")
        return pa.decimal128(int(precision), int(scale))
    return _TYPES[type_]


def _text(value: Scalar) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _check_names(document: Document, contract: Contract | Shown, rows: Sequence[Row], *path: str | int) -> None:
    names = [column.name for column in contract.columns]
    for number, row in enumerate(rows):
        for name in row:
            if name not in names:
                raise document.error(
                    f"{contract.reference} has no column {name!r}", *path, number, name, fix=nearest(name, names)
                )


def _difference(expected: _Rows, found: _Rows) -> tuple[_Rows, _Rows]:
    """Rows of each side that the other has not, as multisets."""
    left = list(found)
    missing = []
    for row in expected:
        at = next((n for n, other in enumerate(left) if _same(row, other)), None)
        if at is None:
            missing.append(row)
        else:
            del left[at]
    return missing, left


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(
        math.isclose(value, other[name], rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        if isinstance(value, float) and isinstance(other[name], float)
        else value == other[name]
        for name, value in one.items()
    )
