"""Which alerts a channel is told: severe enough, not told before, not too many an hour; and once that all is well.

Pure functions of what was told before (`pipelines.alerts.record`).
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pipelines.alerts.facts import Alert, Event
from pipelines.alerts.record import Message, State
from pipelines.contracts.extensions.alerts import SEVERITIES, Alerts, Severity

HOUR: Final = timedelta(hours=1)
LEFT_AFTER: Final = timedelta(minutes=10)
"""A message that is pending for so long was left by a run that died; of the same task it was in any case."""
_IN_A_SUMMARY: Final = 10
"""Groups of messages that a summary names."""


def left(told: Iterable[Message], alert: Alert, now: datetime) -> list[Message]:
    """Return the messages that a run which died did not send; one of the same task is no longer at work.

    Args:
        told: What the channel was told.
        alert: The present run, as a recovery that may have nothing to tell (`Alert.dataset`, `Alert.task`).
        now: The time, UTC.
    """
    return [
        message
        for message in told
        if message.state is State.PENDING
        and (
            (message.alert.dataset, message.alert.task) == (alert.dataset, alert.task)
            or message.recorded_at < now - LEFT_AFTER
        )
    ]


def planned(
    told: Sequence[Message], channel: str, terms: Alerts, found: Sequence[Alert], *, well: Alert | None, now: datetime
) -> list[Message]:
    """Return what is to be recorded: messages to send (`State.PENDING`), and those that wait or are summed up.

    Args:
        told: What the channel was told, oldest first.
        channel: Its name.
        terms: Its terms.
        found: What is wrong after the run.
        well: The recovery that a run which succeeded may tell of; ``None`` of one that failed.
        now: The time, UTC.
    """
    open_ = still_open(told)
    again = timedelta(hours=terms.again_after_hours)
    # To either side: where the clock went back, what was told lies ahead.
    known = {key for key, alert in open_.items() if abs(now - alert.at) < again}
    fresh = [new for alert in found if severe(alert, terms.minimum_severity) and (new := unknown(alert, known))]
    if well is not None and (recovered := recovery(well, open_, found)):
        fresh.append(recovered)
    room = terms.an_hour - sum(
        message.state in (State.PENDING, State.SENT) and abs(now - message.alert.at) < HOUR for message in told
    )
    waiting = [message for message in told if message.state is State.WAITING]
    entries: list[Message] = []
    if waiting and room > 0:
        room -= 1
        entries.append(Message(channel, summary(waiting, now), State.PENDING, now))
        entries += [replace(message, state=State.SUMMED_UP, recorded_at=now) for message in waiting]
    for place, alert in enumerate(fresh):
        entries.append(Message(channel, alert, State.PENDING if place < room else State.WAITING, now))
    return entries


def still_open(told: Iterable[Message]) -> dict[str, Alert]:
    """Return what was told and has not recovered, by its key; told oldest first."""
    found: dict[str, Alert] = {}
    for message in told:
        if message.state is State.FAILED:
            continue
        for key in message.alert.keys:
            if message.alert.event is Event.RECOVERED:
                found.pop(key, None)
            else:
                found[key] = message.alert
    return found


def severe(alert: Alert, least: Severity) -> bool:
    """Whether an alert is at least so severe."""
    return SEVERITIES.index(alert.severity) >= SEVERITIES.index(least)


def unknown(alert: Alert, known: Iterable[str]) -> Alert | None:
    """Return what of an alert was not told before; ``None`` where all of it was."""
    known = set(known)
    keys = tuple(key for key in alert.keys if key not in known)
    if not keys:
        return None
    rules = tuple(rule for rule, key in zip(alert.rules, alert.keys, strict=False) if key in keys)
    return alert.model_copy(update={"keys": keys, "rules": rules})


def recovery(well: Alert, open_: dict[str, Alert], found: Iterable[Alert]) -> Alert | None:
    """Return the recovery of what the same task was told to be wrong and no longer is; ``None`` where nothing was."""
    wrong = {key for alert in found for key in alert.keys}
    over = {
        key: alert
        for key, alert in open_.items()
        if (alert.dataset, alert.task) == (well.dataset, well.task) and key not in wrong
    }
    if not over:
        return None
    severity = max((alert.severity for alert in over.values()), key=SEVERITIES.index)
    names = sorted({f"{alert.event} of {alert.run_id}" for alert in over.values()})
    summary = f"the task {well.task} has succeeded; over is: {', '.join(names)}"
    return well.model_copy(update={"severity": severity, "summary": summary, "keys": tuple(sorted(over))})


def summary(waiting: Sequence[Message], now: datetime) -> Alert:
    """Make one alert of those that were too many."""
    first = waiting[0].alert
    counted = Counter((each.alert.dataset, each.alert.event) for each in waiting).most_common()
    named = ", ".join(f"{event} of {dataset}: {count}" for (dataset, event), count in counted[:_IN_A_SUMMARY])
    others = f" and {len(counted) - _IN_A_SUMMARY} other groups" if len(counted) > _IN_A_SUMMARY else ""
    return first.model_copy(
        update={
            "id": str(uuid.uuid5(uuid.UUID(first.id), Event.SUMMED_UP)),
            "event": Event.SUMMED_UP,
            "severity": max((each.alert.severity for each in waiting), key=SEVERITIES.index),
            "at": now,
            "summary": f"{len(waiting)} alerts were more than the channel's limit ({named}{others})",
            "rules": (),
            "meaning": "",
            "commands": (),
            "purposes": (),
            "keys": (),
        }
    )
