"""Arrow schemas and Spark schemas, each as the other: tables are declared in Arrow, frames speak Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

TIMESTAMP = pa.timestamp("us", tz="UTC")
"""Spark's and Delta's ``timestamp``: an instant, microseconds."""


def from_arrow_schema(schema: pa.Schema) -> StructType:
    """Return the Spark schema of an Arrow schema; every column is nullable."""
    from pyspark.sql.types import StructField, StructType

    return StructType([StructField(field.name, _spark_type(field.type), nullable=True) for field in schema])


def to_arrow_schema(schema: StructType) -> pa.Schema:
    """Return the Arrow schema of a Spark schema; every column is nullable, timestamps are UTC."""
    from pyspark.sql.pandas.types import to_arrow_type

    return pa.schema([pa.field(f.name, to_arrow_type(f.dataType, timezone="UTC")) for f in schema.fields])


def _spark_type(kind: pa.DataType):  # noqa: ANN202 - a type of the extra
    from pyspark.sql.pandas.types import from_arrow_type

    return from_arrow_type(kind, prefer_timestamp_ntz=False)
