"""A source into a sample: files and folders by bronze's own forms, tables of PostgreSQL by the extractor's reader."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pipelines.bronze.folders import HIVE_NULL
from pipelines.bronze.formats.form import BrokenError, Form, Kind, Look
from pipelines.bronze.formats.octets import Text
from pipelines.bronze.forms import FORMS
from pipelines.bronze.parser import parse_stream
from pipelines.contracts.extensions import Ingestion
from pipelines.contracts.extensions.ingestion import COMPRESSED, SUFFIXES
from pipelines.errors import PipelineError, UsageError
from pipelines.infer.sample import Sample
from pipelines.infer.sniff import sniff

HEAD_BYTES: Final = 1 << 20
_SCHEMES: Final = ("postgresql", "postgres")
_DECIMAL: Final = re.compile(r"decimal[0-9]*\((\d+), ?(\d+)\)")
_WIDTH: Final = {
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int": "int",
    "uint8": "smallint",
    "uint16": "int",
}
"""Spark SQL types of whole numbers by the file's; any other is a bigint."""


def read(source: str, rows: int, login: Mapping[str, str]) -> Sample:
    """Read up to so many records of a source.

    Args:
        source: A file, a folder, or ``postgresql://HOST:PORT/DATABASE/SCHEMA.TABLE``.
        rows: The most records.
        login: References to ``user`` and ``password``, for a database.

    Raises:
        UsageError: the source is not there, is empty, or is of no form that bronze reads.
        PipelineError: it cannot be read.
    """
    if urlsplit(source).scheme in _SCHEMES:
        return _table(source, rows, login)
    path = Path(source)
    if path.is_dir():
        return _files(path, _deliveries(path), rows)
    if path.is_file():
        return _files(path.parent, [path], rows)
    raise UsageError(
        "there is no such source", where=source, fix="name a file, a folder or a table's postgresql:// URL"
    )


# files ----------------------------------------------------------------------------------------------------------


def _deliveries(folder: Path) -> list[Path]:
    """The files of the form that most of them have; what writers mark as unfinished is left out."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not any(part.startswith((".", "_")) for part in relative.parts) and (form := _form(path)):
            found.setdefault(form, []).append(path)
    if not found:
        endings = ", ".join(ending for endings in SUFFIXES.values() for ending in endings)
        raise UsageError(f"there is no file of a form that bronze reads ({endings})", where=str(folder))
    return max(found.values(), key=len)


def _form(path: Path) -> str | None:
    name = path.name.lower()
    return next(
        (
            form
            for form, endings in SUFFIXES.items()
            for ending in endings
            for packed in COMPRESSED
            if name.endswith(ending + packed)
        ),
        None,
    )


def _files(folder: Path, paths: Sequence[Path], rows: int) -> Sample:
    first = paths[0]
    form = _form(first) or "csv"
    told = _ingestion(first, form, several=len(paths) > 1)
    try:
        look = _look(first, told)
        partitions = list(dict.fromkeys(name for path in paths for name in _told(path.relative_to(folder))))
        fields = [*look.columns, *(name for name in partitions if name not in look.columns)]
        values, whole = _values(folder, paths, _made(told, tuple(fields)), rows)
    except (BrokenError, OSError, EOFError) as error:
        raise PipelineError(f"it cannot be read as {form}: {error}", where=str(first)) from error
    types = {name: _spark(kind) for name, kind in look.columns.items() if kind is not None}
    if not values or not next(iter(values.values())):
        raise UsageError("it has no record, so nothing can be inferred", where=str(first))
    origin = f"{first.name}" if len(paths) == 1 else f"{len(paths):,} files of {folder.name}"
    known = {name: kind for name, kind in types.items() if kind is not None}
    return Sample(values, known, told, whole, origin)


def _ingestion(path: Path, form: str, *, several: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"format": form}
    if form == "csv":
        head, complete = _head(path)
        try:
            dialect = sniff(head, complete=complete)
        except ValueError as error:
            raise UsageError(f"it is no text: {error}", where=str(path)) from error
        told |= {"encoding": dialect.encoding, "delimiter": dialect.delimiter, "header": dialect.header}
        if dialect.header == "none":
            told["names"] = dialect.names
    if _form(path) is None:
        told["glob"] = f"*{path.suffix}" if path.suffix else ("*" if several else path.name)
    return told


def _head(path: Path) -> tuple[bytes, bool]:
    with path.open("rb") as raw:
        head = Text().open(raw).read(HEAD_BYTES)
        return head, len(head) < HEAD_BYTES


def _made(told: Mapping[str, Any], fields: tuple[str, ...], **more: Any) -> Form:
    """The form that bronze will read the files by."""
    form, parts = FORMS[told["format"]]
    ingestion = Ingestion.model_validate({key: value for key, value in told.items() if key != "names"})
    keys = {key: value for part in parts for key, value in part(ingestion).items()}
    return form(fields=fields, **keys, **more)


def _look(path: Path, told: Mapping[str, Any]) -> Look:
    if "names" in told:
        return Look(dict.fromkeys(told["names"]), whole=True)
    with path.open("rb") as raw:
        return _made(told, (), drift="fail").look(raw)


def _values(folder: Path, paths: Sequence[Path], form: Form, rows: int) -> tuple[dict[str, list[str | None]], bool]:
    found: dict[str, list[str | None]] = {name: [] for name in form.fields}
    left = rows
    for path in paths:
        with path.open("rb") as raw:
            for batch in parse_stream(raw, path.relative_to(folder).as_posix(), "", form):
                if left <= 0:
                    return found, False
                taken = batch.slice(0, left)
                left -= taken.num_rows
                for name in found:
                    found[name] += taken.column(name).to_pylist()
                if taken.num_rows < batch.num_rows:
                    return found, False
    return found, True


def _told(relative: Path) -> Iterator[str]:
    """Fields that the folders of a delivery tell, as Hive and Spark write them."""
    for part in PurePosixPath(relative).parts[:-1]:
        name, equals, value = part.partition("=")
        if equals and value != HIVE_NULL:
            yield unquote(name)


def _spark(kind: Kind) -> str | None:
    """The Spark SQL type of a column in a file that has types; ``None`` where its texts must tell."""
    if kind.logical == "integer":
        return _WIDTH.get(kind.text, "bigint")
    if kind.logical == "number":
        match = _DECIMAL.search(kind.text)
        return f"decimal({match[1]},{match[2]})" if match else "double"
    return kind.logical if kind.logical in ("boolean", "date", "timestamp") else None


# tables ---------------------------------------------------------------------------------------------------------


def _table(source: str, rows: int, login: Mapping[str, str]) -> Sample:
    from pipelines.contracts.extensions.extraction import Jdbc
    from pipelines.contracts.odcs import Server
    from pipelines.extract.database import Database, Slice

    url = urlsplit(source)
    database, _, name = url.path.strip("/").partition("/")
    schema, _, table = name.rpartition(".")
    if url.password or not (url.hostname and database and table) or login.keys() < {"user", "password"}:
        raise UsageError(
            "a table is named without secrets: postgresql://HOST:PORT/DATABASE/SCHEMA.TABLE, its user by reference",
            where=url.hostname,
            fix="add --user env:NAME --password env:NAME, or file:/path",
        )
    server = {
        "server": re.sub(r"[^a-z0-9_]", "_", database.lower()),
        "type": "postgresql",
        "host": unquote(url.hostname) if url.hostname.startswith("%") else url.hostname,
        "port": url.port or 5432,
        "database": database,
        **({"schema": schema} if schema else {}),
    }
    jdbc = {"table": table, "user": login["user"], "password": login["password"]}
    reader = Database(Server.model_validate(server), Jdbc.model_validate(jdbc))
    with reader.snapshot() as snapshot:
        types = snapshot.types()
        taken = list(islice((row for block in snapshot.rows(list(types), Slice()) for row in block), rows + 1))
        key, required = snapshot.key(), snapshot.required()
    if not taken:
        raise UsageError("it has no row, so nothing can be inferred", where=reader.where)
    known = {name: spark for name, kind in types.items() if (spark := _of_database(kind))}
    return Sample(
        fields={name: [row[name] for row in taken[:rows]] for name in types},
        types=known,
        ingestion={"format": "jsonl"},
        whole=len(taken) <= rows,
        origin=f"the table {table}",
        key=key,
        required=required,
        servers=(server,),
        custom={
            "extraction": {"server": server["server"], "format": "jsonl", "jdbc": {**jdbc, "mode": "full"}},
            "redelivery": {"policy": "replace"},
        },
    )


def _of_database(kind: Any) -> str | None:
    """The Spark SQL type of a database's; ``None`` where its texts must tell."""
    import sqlalchemy as sa

    match kind:
        case sa.SmallInteger():
            return "smallint"
        case sa.BigInteger():
            return "bigint"
        case sa.Integer():
            return "int"
        case sa.Float():
            return "double"
        case sa.Numeric() if kind.precision:
            return f"decimal({min(kind.precision, 38)},{kind.scale or 0})"
        case sa.Boolean():
            return "boolean"
        case sa.DateTime():
            return "timestamp"
        case sa.Date():
            return "date"
        case _:
            return None
