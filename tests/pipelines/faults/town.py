"""What the tests of the small lake share: its surroundings, its worker, and what a lake holds when all is done."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import deltalake
import pyarrow as pa

from pipelines.failpoints import REACHED, VARIABLE
from pipelines.ledger import Status
from pipelines.settings import Layer
from tests.pipelines.faults.phases import PHASES
from tests.pipelines.faults.small_lake import NAME, PARCELS, write_domain

ROOT: Final = Path(__file__).parents[3]
OF_A_RUN: Final = {"_ingested_at", "_run_id", "_batch_id", "rejected_at", "run_id"}
"""Columns in which two runs may differ: times, runs, and how deliveries were cut into batches."""


@dataclass
class Host:
    """The REST source and the alerts' channel, on this machine, and the contracts that name them.

    Attributes:
        domains: Folder of the domains.
        url: Where both listen.
        told: Alerts by the lake that they are about, each a CloudEvent.
    """

    domains: Path
    url: str = ""
    told: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


@contextmanager
def hosting(folder: Path) -> Generator[Host]:
    """Serve while the block runs."""
    host = Host(folder / "domains")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            start = int(parse_qs(urlsplit(self.path).query)["from"][0])
            self._answer(json.dumps(PARCELS[start : start + 3]).encode())

        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            host.told.setdefault(self.path.strip("/"), []).append(event)
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        host.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            write_domain(host.domains, host.url)
            yield host
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Worker:
    """A process that does phases on one lake.

    Attributes:
        host: The lake's surroundings.
        lake: The lake.
        process: The process.
        opened: It has said that its session is open.
    """

    host: Host
    lake: Path
    process: subprocess.Popen[str] = field(init=False)
    opened: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.lake.mkdir(parents=True, exist_ok=True)
        secrets = {"HOOK": f"{self.host.url}/{self.lake.parent.name}", "HOOK_KEY": "a key", "NO_PROXY": "*"}
        with self.said.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.pipelines.faults.town_worker", str(self.lake), str(self.host.domains)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, VARIABLE: "", REACHED: str(self.lake.with_name("reached")), **secrets},
            )

    @property
    def said(self) -> Path:
        """What the lake's workers wrote to standard error."""
        return self.lake.with_name("said")

    def ready(self) -> Worker:
        """Wait until the session is open."""
        if not self.opened:
            assert self._line() == "ready", self.said.read_text()
        self.opened = True
        return self

    def do(self, phase: str, *, again: bool = False, failpoint: str = "", after: float | None = None) -> bool:
        """Do a phase; return whether it ended, or died on the way.

        Args:
            phase: Its name.
            again: It was begun before, and did not end.
            failpoint: Where to die.
            after: Seconds until it is killed.
        """
        self.begin(phase, f"{phase}-{time.time_ns():x}", again=again, failpoint=failpoint)
        timer = threading.Timer(after, self.kill) if after is not None else None
        if timer:
            timer.start()
        ended = self.ended()
        if timer:
            timer.cancel()
            timer.join()
        return ended

    def begin(self, phase: str, run: str, *, again: bool = False, failpoint: str = "") -> None:
        """Begin a phase in a run of that name."""
        asked = {"phase": phase, "run": run, "again": again, "failpoint": failpoint}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()

    def ended(self) -> bool:
        """Wait for the end of the phase that was begun; return whether there was one, or it died on the way."""
        if self._line() == "done":
            return True
        died = self.end()
        assert died == -signal.SIGKILL, self.said.read_text()
        return False

    def kill(self) -> None:
        """End it as the loss of its machine would."""
        self.process.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Nobody asks any more."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.stdin = None
        assert self.end() == 0, self.said.read_text()

    def end(self) -> int:
        """Let it end; return its exit code."""
        with self.process as process:
            try:
                process.communicate(timeout=60)
            except BaseException:
                process.kill()  # leaving the block waits for its end
                raise
        return process.returncode

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def reached(lake: Path) -> list[str]:
    """The failpoints that the lake's workers have reached, in order."""
    file = lake.with_name("reached")
    return file.read_text().splitlines() if file.exists() else []


def copied(lake: Path, to: Path) -> Path:
    """Copy a lake; files of tables are never changed, so they are linked, but the logs' entries may be torn."""
    shutil.copytree(lake, to, copy_function=shutil.copy2)
    return to


# What a lake holds


def state(lake: Path) -> dict[str, Any]:
    """What the small lake holds, by name: rows of tables, and what its records come to; nothing of when and by whom."""
    found: dict[str, Any] = {}
    for layer in (Layer.BRONZE, Layer.SILVER, Layer.QUARANTINE, Layer.GOLD):
        for path in sorted((lake / layer.value / NAME).glob("*")):
            found[f"{layer.value}.{path.name}"] = _digest(_rows(path), OF_A_RUN)
    records = lake / "checkpoints" / NAME
    found["vault"] = _digest(_rows(records / "vault"), {"sealed"})
    found["deliveries"] = _last_words(_rows(records / "ledger"))
    found["quarantine"] = _states(_rows(records / "quarantine_states"))
    found["certificates"] = {row["subject_hash"] for row in _rows(records / "erasures") if row["event"] == "certified"}
    found["landing"] = {
        str(path.relative_to(lake)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (lake / "landing").rglob("*")
        if path.is_file()
    }
    found["other files"] = _others(lake)
    return found


def unbalanced(lake: Path) -> list[dict[str, Any]]:
    """Batches for which the count law does not hold."""
    rows = _rows(lake / "checkpoints" / NAME / "batches")
    return [row for row in rows if not row["balanced"]]


def without_orphans(lake: Path) -> int:
    """Delete every file of a table that its newest version does not name; return how many there were."""
    gone = 0
    for log in list(lake.rglob("_delta_log")):
        table = log.parent
        named = {Path(uri.removeprefix("file://")) for uri in deltalake.DeltaTable(table).file_uris()}
        for path in table.rglob("*"):
            if path.is_file() and log not in path.parents and path not in named:
                path.unlink()
                gone += 1
    return gone


def _rows(path: Path) -> list[dict[str, Any]]:
    if not deltalake.DeltaTable.is_deltatable(str(path)):
        return []
    return pa.table(deltalake.DeltaTable(path).to_pyarrow_table()).to_pylist()


def _digest(rows: list[dict[str, Any]], without: set[str]) -> tuple[int, str]:
    """Number of rows, and a hash of the multiset of rows."""
    texts = sorted(repr(sorted((name, value) for name, value in row.items() if name not in without)) for row in rows)
    return len(rows), hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _last_words(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], tuple[str, int]]:
    """Status and records of each delivery in each layer, by the ledger's last word."""
    last: dict[tuple[str, str, str], tuple[str, int]] = {}
    for row in sorted(rows, key=lambda row: row["sequence"]):
        place = (row["layer"], row["dataset"], row["file_sha256"])
        if row["status"] == Status.ERASED:
            if place in last:
                last[place] = (last[place][0], row["rows"])
        elif row["status"] != Status.REPEATED:
            last[place] = (row["status"], row["rows"])
    return last


def _states(rows: list[dict[str, Any]]) -> dict[str, tuple[str, str | None]]:
    ordered = sorted(rows, key=lambda row: row["sequence"])
    return {row["quarantine_id"]: (row["state"], row["correction"]) for row in ordered}


def _others(lake: Path) -> Counter[str]:
    """Files that are of no table, and that no run may leave behind: none that a run which died has left."""
    tables = {log.parent for log in lake.rglob("_delta_log")}
    return Counter(
        re.sub(r"[0-9a-f-]{8,}", "*", str(path.relative_to(lake)))
        for layer in Layer
        if layer not in (Layer.LANDING, Layer.AUDIT)
        for path in (lake / layer.value).rglob("*")
        if path.is_file() and not tables & set(path.parents)
    )


def alerts(told: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[int]]:
    """How many messages a channel was told, by kind and dataset; each with how often it came."""
    times = Counter((event["type"], event["data"]["dataset"], event["id"]) for event in told)
    found: dict[tuple[str, str], list[int]] = {}
    for (kind, dataset, _), count in times.items():
        found.setdefault((kind, dataset), []).append(count)
    return found


__all__ = [
    "PHASES",
    "Host",
    "Worker",
    "alerts",
    "copied",
    "hosting",
    "reached",
    "state",
    "unbalanced",
    "without_orphans",
]
