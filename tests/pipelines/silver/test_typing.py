"""Every engine reads the same texts as the same values, and refuses the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pipelines.contracts.model import Column
from pipelines.engine import Engine
from pipelines.errors import ContractError
from pipelines.silver.typing import date_pattern, typed

if TYPE_CHECKING:
    from conftest import MakeContract

READ: list[tuple[str, str | None, str, Any]] = [
    ("string", None, " as is ", " as is "),
    ("int", None, "17", 17),
    ("int", None, " +17 ", 17),
    ("int", None, "-0", 0),
    ("int", None, "17.0", None),
    ("int", None, "2147483648", None),
    ("int", None, "1e3", None),
    ("bigint", None, "2147483648", 2147483648),
    ("bigint", None, "9223372036854775808", None),
    ("decimal(18,3)", None, "0.001", Decimal("0.001")),
    ("decimal(18,3)", None, ".5", Decimal("0.500")),
    ("decimal(18,3)", None, "5.", Decimal("5.000")),
    ("decimal(18,3)", None, "1.2300", Decimal("1.230")),
    ("decimal(18,3)", None, "1.2345", None),
    ("decimal(18,3)", None, "1e3", None),
    ("decimal(18,3)", None, "1,5", None),
    ("decimal(5,2)", None, "1000.00", None),
    ("double", None, "1e3", 1000.0),
    ("double", None, "-.5", -0.5),
    ("double", None, "NaN", None),
    ("double", None, "Infinity", None),
    ("boolean", None, "TRUE", True),
    ("boolean", None, "false", False),
    ("boolean", None, "yes", None),
    ("date", None, "2011-02-28", date(2011, 2, 28)),
    ("date", None, "2011-02-30", None),
    ("date", None, "2011-2-28", None),
    ("date", "dd/MM/yyyy", "28/02/2011", date(2011, 2, 28)),
    ("date", "d.M.yyyy", "1.2.2011", date(2011, 2, 1)),
    ("date", "yyyyMMdd", "20110228", date(2011, 2, 28)),
    ("date", "dd/MM/yyyy", "2011-02-28", None),
    ("timestamp", None, "2011-02-28T10:20:30Z", datetime(2011, 2, 28, 10, 20, 30)),
    ("timestamp", None, "2011-02-28 10:20:30.5", datetime(2011, 2, 28, 10, 20, 30, 500000)),
    ("timestamp", None, "2011-02-28T10:20:30+02:00", datetime(2011, 2, 28, 8, 20, 30)),
    ("timestamp", None, "2011-02-28 25:00:00", None),
    ("timestamp", None, "10:20", None),
    ("timestamp", "M/d/yyyy H:mm", "2/28/2011 8:05", datetime(2011, 2, 28, 8, 5)),
    ("timestamp", "yyyy-MM-dd HH:mm:ss", "2011-02-28 08:05:09", datetime(2011, 2, 28, 8, 5, 9)),
    ("timestamp", "yyyyMMdd'T'HHmm", "20110228T0805", datetime(2011, 2, 28, 8, 5)),
]


@pytest.fixture
def column(make_contract: MakeContract) -> Column:
    return make_contract({"name": "x", "logicalType": "string"}).columns[0]


def test_every_engine_reads_the_same(engine: Engine, column: Column) -> None:
    texts = engine.frame(pa.table({"x": [text for _, _, text, _ in READ]}))
    kinds = sorted({(kind, pattern) for kind, pattern, _, _ in READ}, key=repr)
    frame = texts.selectExpr(
        "x", *(f"{typed(replace(column, type=kind, format=p))} AS c{n}" for n, (kind, p) in enumerate(kinds))
    )
    rows = {row["x"]: row for row in frame.collect()}
    for kind, pattern, text, expected in READ:
        value = rows[text][f"c{kinds.index((kind, pattern))}"]
        if isinstance(value, datetime) and value.tzinfo:
            value = value.astimezone(UTC).replace(tzinfo=None)
        assert value == expected, (kind, pattern, text)


def test_patterns_that_are_not_read_are_refused() -> None:
    with pytest.raises(ContractError, match="'MMM'"):
        date_pattern("dd-MMM-yyyy", "x")
    with pytest.raises(ContractError, match="has no year"):
        date_pattern("HH:mm", "x")
    with pytest.raises(ContractError, match="the day twice"):
        date_pattern("dd d yyyy", "x")


def test_types_that_are_not_read_are_refused(column: Column) -> None:
    with pytest.raises(ContractError, match="map<string,int>"):
        typed(replace(column, type="map<string,int>"))


def test_several_sources_want_an_expression(column: Column) -> None:
    with pytest.raises(ContractError, match="no transformLogic"):
        typed(replace(column, sources=("a", "b")))
