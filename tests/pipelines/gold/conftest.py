"""A lake whose silver holds a few rows, and the settings of a task on it."""

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.contracts import Layer
from pipelines.engine import Engine
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.settings import RunSettings

SILVER = pa.schema(
    [
        ("customer_id", pa.string()),
        ("country", pa.string()),
        ("ordered_at", TIMESTAMP),
        ("quantity", pa.int32()),
        ("amount", pa.decimal128(18, 3)),
        ("currency", pa.string()),
    ]
)


def row(customer: str, day: str, quantity: int, amount: str, **more: Any) -> dict[str, Any]:
    at = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
    values = {"customer_id": customer, "ordered_at": at, "quantity": quantity, "amount": Decimal(amount)}
    return {"country": "France", "currency": "GBP", **values, **more}


SOLD = [
    row("a", "2011-01-01", 2, "10.001"),
    row("a", "2011-01-31T23:59:59.999999", 1, "5.250"),
    row("b", "2011-02-01", 4, "30.000", country="Spain"),
    row("b", "2011-02-28", 1, "0.001", country="Spain"),
    row("c", "2011-04-01", 1, "9.990"),
]


@pytest.fixture
def sold() -> list[dict[str, Any]]:
    """Sales in January, February and April."""
    return [*SOLD]


@pytest.fixture
def silver_schema() -> pa.Schema:
    """Columns of silver that gold reads."""
    return SILVER


@pytest.fixture
def settings(tmp_path: Path) -> RunSettings:
    roots = [f"--{layer}={tmp_path}/lake/{layer}" for layer in Layer]
    return RunSettings.parse(["--domain=sales", "--sources=online_retail", *roots], {"LEVEE_RUN_ID": "run-1"})


Fill = Callable[..., None]


@pytest.fixture
def fill(sail: Engine, settings: RunSettings) -> Fill:
    """Write silver (and as many bronze rows) of a dataset; every engine reads what Sail wrote."""

    def fill(rows: Sequence[dict[str, Any]], dataset: str = "online_retail", schema: pa.Schema = SILVER) -> None:
        table = pa.Table.from_pylist(list(rows), schema=schema)
        for layer in (Layer.SILVER, Layer.BRONZE):
            path = settings.table_path(layer, dataset)
            sail.ensure(path, schema)
            if rows:
                sail.overwrite(path, sail.frame(table))

    return fill
