"""Telemetry of a test goes nowhere but where the test says, and nothing of it is lost from one test to the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipelines.observe import job as of_job
from pipelines.observe import lineage, otlp, outbox, telemetry


@dataclass
class Receiver:
    """What was received.

    Attributes:
        status: What it answers.
        url: Where it listens.
        got: Path, headers and body of each request.
    """

    status: int = 200
    url: str = ""
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def bodies(self, path: str) -> list[bytes]:
        """Bodies of the requests to a path."""
        return [body for at, _, body in self.got if at == path]


@contextmanager
def listening(status: int = 200) -> Generator[Receiver]:
    """Listen while the block runs."""
    receiver = Receiver(status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((self.path, dict(self.headers), body))
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


Receiving = Callable[..., AbstractContextManager[Receiver]]


@pytest.fixture
def receiving() -> Receiving:
    """A receiver on the loopback address, while a block runs."""
    return listening


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> outbox.Outbox:
    """An outbox of the test's own."""
    for name in (lineage.URL, lineage.KEY, "OTEL_EXPORTER_OTLP_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    own = outbox.Outbox()
    for module in (lineage, otlp, telemetry, of_job):
        monkeypatch.setattr(module, "OUTBOX", own)
    return own
