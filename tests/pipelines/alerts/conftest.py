"""Receivers of alerts on the loopback address: one of HTTP, one of mail with STARTTLS; and an alert to send."""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tenacity import wait_none

from pipelines.alerts import sending, task
from pipelines.alerts.facts import Alert, BrokenRule, Event
from pipelines.observe.outbox import Outbox

PASSWORD = "s3cret-passw0rd"


@dataclass
class Receiver:
    """A web server that keeps what it gets.

    Attributes:
        answers: Status codes of the next answers; 200 when there are no more.
        release: Cleared while it answers nothing.
        url: Where it listens.
        got: Path, headers and body of each request.
    """

    answers: list[int] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.release.set()


@pytest.fixture
def receiver() -> Generator[Receiver]:
    """A web server."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            kept.release.wait()
            status = kept.answers.pop(0) if kept.answers else 200
            self.send_response(status)
            if status == 307:
                self.send_header("Location", f"{kept.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield kept
        finally:
            kept.release.set()
            server.shutdown()
            thread.join()


@dataclass
class Post:
    """A mail server that keeps what it gets.

    Attributes:
        url: What a reference to it holds.
        tls: Whether it offers STARTTLS.
        got: Sender, recipients and message of each mail.
        said: Commands that it was told before TLS, and after.
        refused: Recipients that it does not take.
    """

    url: str = ""
    tls: ssl.SSLContext | None = None
    got: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    said: dict[bool, list[str]] = field(default_factory=lambda: {False: [], True: []})
    refused: set[str] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak SMTP (RFC 5321, 3207, 4954) with one client."""
        encrypted, sender, to = False, "", []

        def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        say("220 localhost")
        try:
            while line := (await reader.readline()).decode().strip():
                verb, _, rest = line.partition(" ")
                self.said[encrypted].append(verb.upper())
                match verb.upper():
                    case "EHLO":
                        offered = "AUTH PLAIN" if encrypted else "STARTTLS" if self.tls else "SIZE"
                        say(f"250-localhost\r\n250 {offered}")
                    case "STARTTLS" if self.tls:
                        say("220 go ahead")
                        await writer.drain()
                        await writer.start_tls(self.tls)
                        encrypted = True
                    case "AUTH":
                        good = base64.b64decode(rest.partition(" ")[2]) == f"\0robot\0{PASSWORD}".encode()
                        say("235 welcome" if good else "535 no")
                    case "MAIL":
                        sender = rest.partition("<")[2].partition(">")[0]
                        say("250 well")
                    case "RCPT":
                        name = rest.partition("<")[2].partition(">")[0]
                        to += [] if name in self.refused else [name]
                        say("550 nobody here" if name in self.refused else "250 well")
                    case "DATA":
                        say("354 go on")
                        data = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n")
                        self.got.append((sender, to, message_from_bytes(data, policy=policy.default)))
                        say("250 taken")
                    case "QUIT":
                        say("221 bye")
                        break
                    case _:
                        say("502 no such command")
                await writer.drain()
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass  # the client has gone: what it sent until then is what the test looks at
        finally:
            writer.transport.abort()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert, private


@contextmanager
def posting(post: Post) -> Generator[Post]:
    """Take mail while the block runs."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(post.serve, "localhost", 0))
    post.url = f"smtp://robot:{PASSWORD}@localhost:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def end() -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        yield post
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def post(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Generator[Post]:
    """A mail server whose certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with posting(Post(tls=context)) as taking:
        yield taking


@pytest.fixture
def plain_post() -> Generator[Post]:
    """A mail server without TLS."""
    with posting(Post()) as taking:
        yield taking


@pytest.fixture(autouse=True)
def outbox(monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """Counts of the test's own; and no pause between two attempts."""
    own = Outbox()
    monkeypatch.setattr(task, "OUTBOX", own)
    monkeypatch.setattr(sending, "wait_exponential_jitter", lambda **_: wait_none())
    return own


MakeAlert = Callable[..., Alert]


@pytest.fixture
def make_alert() -> MakeAlert:
    """Make an alert about two rules."""

    def make(**changed: Any) -> Alert:
        alert = Alert(
            id="6f6c0b1e-6f0a-5c7e-9b3e-6c65766565aa",
            event=Event.QUALITY_FAILED,
            severity="error",
            at=datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
            environment="prod",
            domain="sales",
            dataset="things",
            task="quality",
            run_id="run-1",
            contract_version="1.2.0",
            owner="sales-data",
            summary="things does not hold its contract: <price> & more",
            rules=(
                BrokenRule(id="price_positive", failed=12, rows=100, fields=("price",), says="price is above 0"),
                BrokenRule(id="enough", says="1000 rows at least"),
            ),
            meaning="Do not build on it.",
            commands=("levee replay sales.things --env prod",),
            purposes=("judge it again",),
            keys=("things/price_positive", "things/enough"),
        )
        return alert.model_copy(update=changed)

    return make
