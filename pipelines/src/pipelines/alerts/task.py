"""Tells of a task run that has ended: what is wrong, and once that it is well again; never fails or hangs the run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipelines.alerts import findings
from pipelines.alerts.facts import HELD, Alert, Event
from pipelines.alerts.planning import left, planned
from pipelines.alerts.record import Message, State, messages, record
from pipelines.alerts.sending import Outcome, send_all
from pipelines.errors import PipelineError
from pipelines.failpoints import failpoint
from pipelines.observe.facts import Ended
from pipelines.observe.outbox import OUTBOX

if TYPE_CHECKING:
    from pipelines.contracts.extensions.alerts import Alerts
    from pipelines.engine import Engine

log = logging.getLogger("levee.alerts")

_RECORDING: Final = threading.Lock()
"""Tasks of one process look at the record, and write into it, one after another."""


def tell(engine: Engine, ended: Ended, error: PipelineError | None) -> None:
    """Tell the dataset's channels how a task run ended, where there is anything to tell.

    What cannot be told is counted with the run's telemetry failures and logged.

    Args:
        engine: The open engine.
        ended: The run.
        error: Why it failed; ``None`` where it succeeded.
    """
    try:
        _tell(engine, ended, error)
    except Exception as problem:  # noqa: BLE001 - an alert never fails a run; it is counted
        OUTBOX.lost("alerts", f"{type(problem).__name__}: {problem}")


def _tell(engine: Engine, ended: Ended, error: PipelineError | None) -> None:
    settings = ended.run.settings
    channels = {
        name: terms
        for name, terms in ended.run.contract.alerts.items()
        if not terms.environments or settings.environment in terms.environments
    }
    if not channels:
        return
    found = findings.found(engine, ended, error)
    present = findings.alert(ended, Event.RECOVERED, "", ())
    with _RECORDING:
        now = datetime.now(UTC)
        told = messages(engine, settings)
        repeated = [message for name in channels for message in left(_of(told, name), present, now)]
        entries = list(_entries(told, channels, found, None if error else present, now))
        record(engine, settings, entries)
    new = [entry for entry in entries if entry.state is State.PENDING]
    if not (repeated or new):
        return
    failpoint("alerts.recorded")
    sending = [*((message, True) for message in repeated), *((message, False) for message in new)]
    shown = _with_samples(engine, ended, error, {message: channels[message.channel].samples for message in new})
    parcels = [
        (message.channel, channels[message.channel], shown.get(message, message.alert), again)
        for message, again in sending
    ]
    outcomes = send_all(parcels)
    failpoint("alerts.sent")
    now = datetime.now(UTC)
    done = [_ended(message, outcome, now) for (message, _), outcome in zip(sending, outcomes, strict=True)]
    record(engine, settings, done)
    for message in done:
        if message.state is State.FAILED:
            OUTBOX.lost(f"alerts-{message.channel}", message.detail)
        else:
            log.info("told %s: %s", message.channel, message.alert.title)


def _with_samples(
    engine: Engine, ended: Ended, error: PipelineError | None, new: Mapping[Message, int]
) -> dict[Message, Alert]:
    """The alerts with examples, where they have any to show; without, a message is sent all the same.

    Args:
        engine: The open engine.
        ended: The run.
        error: Why it failed.
        new: How many each message may show.
    """
    wanted = {m: most for m, most in new.items() if most and m.alert.event in HELD}
    if not wanted:
        return {}
    from pipelines.alerts.samples import samples  # it imports what silver is made with

    shown: dict[Message, Alert] = {}
    try:
        alerts = {message.alert.id: message.alert for message in wanted}.values()
        found = {alert.id: samples(engine, ended, alert, error, max(wanted.values())) for alert in alerts}
    except Exception as problem:  # noqa: BLE001 - it may quote the data, so its class is told; and counted
        OUTBOX.lost("alerts-samples", type(problem).__name__)
        return {}
    for message, most in wanted.items():
        shown[message] = message.alert.model_copy(update={"samples": found[message.alert.id][:most]})
    return shown


def _entries(
    told: list[Message], channels: dict[str, Alerts], found: list[Alert], well: Alert | None, now: datetime
) -> Iterator[Message]:
    for name, terms in channels.items():
        yield from planned(_of(told, name), name, terms, found, well=well, now=now)


def _of(told: list[Message], channel: str) -> list[Message]:
    return [message for message in told if message.channel == channel]


def _ended(message: Message, outcome: Outcome, now: datetime) -> Message:
    state, why = (State.SENT, None) if outcome.sent else (State.FAILED, outcome.said)
    return replace(message, state=state, recorded_at=now, detail=why)
