"""OpenLineage events of a task run and of the job run that it is part of.

Events are made with the classes of openlineage-python (`SPEC`). Each is written into the audit store, one JSON line an
object, and, where ``LEVEE_OPENLINEAGE_URL`` is set, sent there over HTTP.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final

from pipelines.evidence import keep
from pipelines.observe.facts import Ended, TaskRun
from pipelines.observe.outbox import OUTBOX
from pipelines.secret_references import SecretReference
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunEvent
    from openlineage.client.transport.http import HttpTransport

SPEC: Final = "2-0-2"
"""Version of the OpenLineage specification that the client's classes are generated from."""
URL: Final = "LEVEE_OPENLINEAGE_URL"
"""Base URL of a receiver; events go to ``<url>/api/v1/lineage``."""
KEY: Final = "LEVEE_OPENLINEAGE_KEY"
"""Reference to the receiver's API key, ``env:NAME`` or ``file:/path``, where it wants one."""
TIMEOUT: Final = 3.0
"""Seconds that a receiver has to answer."""


def emit_start(run: TaskRun) -> None:
    """Tell that a task run begins."""

    def event() -> RunEvent:
        from pipelines.observe import events

        return events.started(run)

    _emit(run.settings, f"{run.task}-{run.contract.dataset}-start", event)


def emit_end(ended: Ended) -> None:
    """Tell how a task run ended, with what it read and wrote."""
    run = ended.run
    name = f"{run.task}-{run.contract.dataset}-{'complete' if ended.error is None else 'fail'}"

    def event() -> RunEvent:
        from pipelines.observe import events

        return events.ended(ended)

    _emit(run.settings, name, event)


def emit_abort(run: TaskRun) -> None:
    """Tell that a task run was interrupted."""

    def event() -> RunEvent:
        from pipelines.observe import events

        return events.aborted(run)

    _emit(run.settings, f"{run.task}-{run.contract.dataset}-abort", event)


def emit_job(settings: RunSettings, state: str) -> None:
    """Tell that a job run begins (``START``), or how it ended (``COMPLETE``, ``FAIL``)."""

    def event() -> RunEvent:
        from pipelines.observe import events

        return events.of_job(settings, state)

    _emit(settings, f"job-{settings.domain}-{state.lower()}", event)


def _emit(settings: RunSettings, name: str, event: Callable[[], RunEvent]) -> None:
    """Have an event made, kept and sent, all in the background: the client takes a third of a second to import."""
    made: list[RunEvent] = []

    def keep_it() -> None:
        from openlineage.client.serde import Serde

        made.append(event())
        keep(settings, "openlineage", name, Serde.to_dict(made[0]))

    OUTBOX.send("openlineage-file", keep_it)
    if url := os.environ.get(URL):
        key = os.environ.get(KEY)

        def send_it() -> None:
            _http(url, key).emit(made[0] if made else event())

        OUTBOX.send("openlineage-http", send_it)


@cache
def _http(url: str, key: str | None) -> HttpTransport:
    from openlineage.client.transport.http import HttpConfig, HttpTransport

    auth = {"type": "api_key", "apiKey": SecretReference.parse(key).read().decode()} if key else {}
    told = {"url": url, "timeout": TIMEOUT, "auth": auth, "retry": {"total": 0}}
    return HttpTransport(HttpConfig.from_dict(told))
