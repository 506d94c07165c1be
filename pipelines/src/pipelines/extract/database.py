"""PostgreSQL through SQLAlchemy Core: connections, one consistent snapshot, and errors without the password."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import quoted_name
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from pipelines.bronze.formats.values import text_of
from pipelines.contracts.document import nearest
from pipelines.contracts.extensions.extraction import Jdbc
from pipelines.contracts.odcs import Server
from pipelines.errors import PipelineError, SchemaError, UsageError
from pipelines.secret_references import SecretReference

CONNECT_SECONDS = 10
_FINAL = re.compile(r"authentication failed|no password supplied|does not exist|permission denied|no pg_hba.conf entry")
"""What a server says that it will say again."""
_AS_TEXT = (
    *("interval", "json", "jsonb", "inet", "cidr", "xml", "money", "bit", "varbit", "tsvector"),
    *("int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange"),
)
"""Types that are taken as the server prints them."""

Values = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Slice:
    """Which rows of a table are read.

    Attributes:
        watermark: Column with bounds, both included; ``None`` for all rows.
        low: Least value; ``None`` for no bound.
        high: Greatest value.
        column: Column by whose ranges the table is cut.
        since: Least value of the range; ``None`` in the first, which has the nulls too.
        until: Value before which the range ends; ``None`` in the last.
    """

    watermark: str | None = None
    low: Any = None
    high: Any = None
    column: str | None = None
    since: Any = None
    until: Any = None

    def condition(self) -> sa.ColumnElement[bool]:
        """The rows as SQL."""
        terms: list[sa.ColumnElement[bool]] = []
        if self.watermark is not None:
            marked = _column(self.watermark)
            terms += [] if self.low is None else [marked >= self.low]
            terms += [] if self.high is None else [marked <= self.high]
        if self.column is not None:
            cut = _column(self.column)
            terms += [] if self.since is None else [cut >= self.since]
            if self.until is not None:
                before = cut < self.until
                terms.append(sa.or_(before, cut.is_(None)) if self.since is None else before)
        return sa.and_(sa.true(), *terms)


class Database:
    """A PostgreSQL database, and one table of it.

    Args:
        server: Where it is.
        jdbc: What of it is read, by whom.
    """

    def __init__(self, server: Server, jdbc: Jdbc) -> None:
        self._jdbc = jdbc
        self._schema = server.schema_
        self._table = sa.table(quoted_name(jdbc.table, quote=True), schema=_quoted(server.schema_))
        self.where = f"postgresql://{server.host}:{server.port}/{server.database}, table {jdbc.table}"
        url = sa.URL.create(
            "postgresql+psycopg",
            username=SecretReference.parse(jdbc.user).read().decode(),
            password=SecretReference.parse(jdbc.password).read().decode(),
            host=server.host,
            port=server.port,
            database=server.database,
        )
        options = (
            f"-c statement_timeout={jdbc.statement_timeout_seconds * 1000} -c timezone=UTC "
            "-c datestyle=ISO -c intervalstyle=iso_8601 -c default_transaction_read_only=on"
        )
        self._engine = sa.create_engine(
            url,
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="REPEATABLE READ",
            connect_args={"options": options, "connect_timeout": CONNECT_SECONDS, "application_name": "levee"},
        )
        event.listen(self._engine, "connect", lambda connection, _: _read_as_text(connection))

    @contextmanager
    def snapshot(self) -> Generator[Snapshot]:
        """Hold the database as it is now, for every connection that joins.

        Raises:
            PipelineError: the database cannot be reached, or a query fails.
            UsageError: it refuses the user, or what is asked of it.
        """
        with self._in_plain_words(), self._connected() as connection:
            name = connection.scalar(sa.text("SELECT pg_export_snapshot()"))
            yield Snapshot(self, connection, str(name))

    @contextmanager
    def joined(self, snapshot: str) -> Generator[sa.Connection]:
        """Connect once more, to an exported snapshot."""
        with self._in_plain_words(), self._connected() as connection:
            # The name is the server's own: digits and dashes.
            connection.execute(sa.text(f"SET TRANSACTION SNAPSHOT '{snapshot}'"))
            yield connection

    def select(self, columns: Sequence[sa.ColumnElement[Any]]) -> sa.Select[*tuple[Any, ...]]:
        """Ask for columns of the table."""
        return sa.select(*columns).select_from(self._table)

    @property
    def schema(self) -> str | None:
        """Schema of the table; ``None`` for the user's own."""
        return self._schema

    @property
    def table(self) -> str:
        """The table."""
        return self._jdbc.table

    @property
    def block_rows(self) -> int:
        """Rows that a connection holds in memory."""
        return self._jdbc.block_rows

    @contextmanager
    def _connected(self) -> Generator[sa.Connection]:
        connect = Retrying(
            stop=stop_after_attempt(self._jdbc.connect_attempts),
            wait=wait_exponential_jitter(multiplier=0.2, max=10),
            retry=retry_if_exception(_may_pass),
            reraise=True,
        )
        with connect(self._engine.connect) as connection:
            yield connection

    @contextmanager
    def _in_plain_words(self) -> Generator[None]:
        try:
            yield
        except exc.SQLAlchemyError as error:
            said = _said(error)
            kind = UsageError if _FINAL.search(said) else PipelineError
            raise kind(f"the database failed: {said}", where=self.where, fix=_mend(error, self._jdbc)) from error


class Snapshot:
    """One state of a database, which several connections may read.

    Args:
        database: The database.
        connection: The connection that exported the snapshot; it must stay open.
        name: Name of the snapshot.
    """

    def __init__(self, database: Database, connection: sa.Connection, name: str) -> None:
        self._database, self._connection, self._name = database, connection, name

    def types(self) -> dict[str, sa.types.TypeEngine[Any]]:
        """Columns of the table with their types.

        Raises:
            SchemaError: there is no table; with the nearest one.
        """
        inspector = sa.inspect(self._connection)
        database = self._database
        try:
            columns = inspector.get_columns(database.table, schema=database.schema)
        except exc.NoSuchTableError:
            names = [*inspector.get_table_names(database.schema), *inspector.get_view_names(database.schema)]
            raise SchemaError(
                f"there is no table or view {database.table} that the user can see",
                where=database.where,
                fix=nearest(database.table, names),
            ) from None
        return {column["name"]: column["type"] for column in columns}

    def key(self) -> tuple[str, ...]:
        """Columns of the table's primary key; none of a view."""
        found = sa.inspect(self._connection).get_pk_constraint(self._database.table, schema=self._database.schema)
        return tuple(found["constrained_columns"])

    def required(self) -> frozenset[str]:
        """Columns that the table says are never null."""
        columns = sa.inspect(self._connection).get_columns(self._database.table, schema=self._database.schema)
        return frozenset(column["name"] for column in columns if not column["nullable"])

    def range_of(self, column: str, within: Slice) -> tuple[Any, Any]:
        """Least and greatest value of a column in a slice."""
        asked = self._database.select((sa.func.min(_column(column)), sa.func.max(_column(column))))
        least, greatest = self._connection.execute(asked.where(within.condition())).one()
        return least, greatest

    def has_null(self, column: str) -> bool:
        """Whether a column is null in some row."""
        asked = self._database.select((_column(column),)).where(_column(column).is_(None)).limit(1)
        return self._connection.execute(asked).first() is not None

    def rows(self, columns: Sequence[str], within: Slice) -> Iterator[list[Values]]:
        """Read a slice over a connection of its own, block by block through a server's cursor.

        Args:
            columns: What is read.
            within: The slice.
        """
        database = self._database
        with database.joined(self._name) as connection:
            streamed = connection.execution_options(yield_per=database.block_rows)
            result = streamed.execute(database.select([_column(name) for name in columns]).where(within.condition()))
            for block in result.partitions():
                yield [dict(zip(columns, map(text_of, row), strict=True)) for row in block]


def differences(fields: Mapping[str, str], table: Mapping[str, sa.types.TypeEngine[Any]]) -> list[str]:
    """Say how a table differs from what a contract reads of it, a line a difference.

    Args:
        fields: Type that each source field is cast to, as it is; ``string`` for what an expression reads.
        table: The table's columns.
    """
    found = []
    for name, kind in fields.items():
        if name not in table:
            found.append(f"- {name}: {kind} in the contract, absent from the table")
        elif not isinstance(table[name], (sa.String, *_FITTING.get(kind.partition("(")[0], (sa.types.TypeEngine,)))):
            found.append(f"~ {name}: {kind} in the contract, {str(table[name]).lower()} in the table")
    return found


_FITTING: Mapping[str, tuple[type[sa.types.TypeEngine[Any]], ...]] = {
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint"), (sa.Integer,)),
    "decimal": (sa.Numeric, sa.Integer),
    "float": (sa.Numeric, sa.Float, sa.Integer),
    "double": (sa.Numeric, sa.Float, sa.Integer),
    "boolean": (sa.Boolean,),
    "date": (sa.Date,),
    "timestamp": (sa.DateTime, sa.Date),
}
"""The database's types whose text a type of silver reads; texts are read by every type, and a string reads all."""


def _column(name: str) -> sa.ColumnClause[Any]:
    return sa.column(quoted_name(name, quote=True))


def _quoted(name: str | None) -> quoted_name | None:
    return None if name is None else quoted_name(name, quote=True)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, exc.OperationalError) and not _FINAL.search(str(error.orig))


def _said(error: exc.SQLAlchemyError) -> str:
    said = str(error.orig) if isinstance(error, exc.DBAPIError) else str(error)
    return said.strip().splitlines()[0] if said.strip() else type(error).__name__


def _mend(error: exc.SQLAlchemyError, jdbc: Jdbc) -> str:
    said = _said(error)
    if "statement timeout" in said:
        return f"raise statementTimeoutSeconds ({jdbc.statement_timeout_seconds}), or read fewer rows by `partitions`"
    if "authentication failed" in said or "no password" in said:
        return f"look at what {jdbc.user} and {jdbc.password} hold"
    if "permission denied" in said:
        return f"grant SELECT on {jdbc.table} to the user"
    return "see that the database is up and the contract's server is right, then run again: nothing was landed"


def _read_as_text(connection: Any) -> None:
    """Take what Python has no value for as the server prints it: infinity, dates before Christ, exact intervals."""
    from psycopg.types import datetime as times
    from psycopg.types.string import TextLoader

    for name in _AS_TEXT:
        connection.adapters.register_loader(name, TextLoader)
    for name, loader in (
        ("date", times.DateLoader),
        ("time", times.TimeLoader),
        ("timetz", times.TimetzLoader),
        ("timestamp", times.TimestampLoader),
        ("timestamptz", times.TimestamptzLoader),
    ):
        connection.adapters.register_loader(name, _or_text(loader))


def _or_text(loader: type[Any]) -> type[Any]:
    """A loader that gives the text of what it cannot load."""
    import psycopg

    class OrText(loader):
        def load(self, data: Any) -> Any:
            try:
                return super().load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return OrText


__all__ = ["Database", "Slice", "Snapshot", "differences"]
