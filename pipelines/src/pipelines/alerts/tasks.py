"""What is asked of a domain's channels, as tasks: which there are, and whether they are reached; answered for JSON."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pipelines.alerts.facts import KINDS, Alert, Event
from pipelines.alerts.record import Message, messages
from pipelines.alerts.sending import send_all
from pipelines.contracts import Contract, Domain
from pipelines.contracts.catalogue import entries
from pipelines.contracts.document import nearest
from pipelines.contracts.extensions.alerts import Alerts, Email, Webhook
from pipelines.engine import Engine
from pipelines.errors import PipelineError, UsageError
from pipelines.request import Request, read_request
from pipelines.secret_references import SecretReference
from pipelines.settings import RunSettings

Answer = dict[str, Any]


class Trial(Request):
    """The request of a test."""

    channel: str | None = None


def listed(settings: RunSettings, domain: Domain) -> Answer:
    """Say which channels the domain's contracts have, whether their secrets are here, and what each was told last."""
    told = messages(Engine.open(settings.engine, entries(settings, domain)), settings)
    last = {(message.channel, message.alert.dataset): message for message in told}  # oldest first
    return {
        "channels": [
            {
                "channel": name,
                "dataset": contract.dataset,
                "way": way_of(terms),
                "minimum_severity": terms.minimum_severity,
                "environments": list(terms.environments),
                "told_here": not terms.environments or settings.environment in terms.environments,
                "again_after_hours": terms.again_after_hours,
                "an_hour": terms.an_hour,
                "samples": terms.samples,
                "secrets": {reference: _is_there(reference) for reference in references(terms)},
                "last": _last(last.get((name, contract.dataset))),
            }
            for contract, name, terms in _channels(domain)
        ]
    }


def tried(settings: RunSettings, domain: Domain) -> Answer:
    """Send a message that says it is a test to every channel, or to one, and say what came back.

    It is sent whatever severity and environments the channel asks for, counts for nothing, and is not recorded.

    Raises:
        UsageError: the domain has no channel, or none of that name.
    """
    asked = read_request(settings, Trial).channel
    channels = list(_channels(domain))
    names = sorted({name for _, name, _ in channels})
    if not names:
        raise UsageError(
            f"no contract of {domain.name} has a channel that is told anything",
            where=str(domain.folder),
            fix="add an entry with the custom property `alerts` to a contract's `support`",
        )
    if asked is not None and asked not in names:
        raise UsageError(f"{domain.name} has no channel {asked!r}", where=str(domain.folder), fix=nearest(asked, names))
    # Contracts that share a channel by its name may each have terms of their own for it.
    chosen = {(name, terms): contract for contract, name, terms in channels if asked in (None, name)}
    parcels = [(name, terms, trial(settings, contract), False) for (name, terms), contract in chosen.items()]
    outcomes = send_all(parcels)
    return {
        "channels": [
            {"channel": name, "dataset": alert.dataset, "way": way_of(terms), "sent": one.sent, "said": one.said}
            for (name, terms, alert, _), one in zip(parcels, outcomes, strict=True)
        ]
    }


def trial(settings: RunSettings, contract: Contract) -> Alert:
    """Make the message of a test."""
    kind = KINDS[Event.TEST]
    return Alert(
        id=str(uuid.uuid4()),
        event=Event.TEST,
        severity=kind.severity,
        at=datetime.now(UTC),
        environment=settings.environment,
        domain=settings.domain,
        dataset=contract.dataset,
        task=Event.TEST,
        run_id=settings.run_id,
        contract_version=contract.version,
        owner=contract.owner,
        summary="A test message of Levee's, sent by hand.",
        meaning=kind.meaning,
    )


def way_of(terms: Alerts) -> str:
    """How a channel is told: ``slack``, ``teams``, ``email`` or ``webhook``."""
    return type(terms.way).__name__.lower()


def references(terms: Alerts) -> tuple[str, ...]:
    """Where a channel's secrets are."""
    match terms.way:
        case Email(server=server):
            return (server,)
        case Webhook(url=url, key=key):
            return (url, key)
        case way:
            return (way.url,)


def _channels(domain: Domain) -> Iterator[tuple[Contract, str, Alerts]]:
    for contract in sorted(domain.contracts, key=lambda contract: contract.dataset):
        for name, terms in contract.alerts.items():
            yield contract, name, terms


def _is_there(reference: str) -> bool:
    try:
        return bool(SecretReference.parse(reference).read())
    except PipelineError:
        return False


def _last(message: Message | None) -> dict[str, Any] | None:
    if message is None:
        return None
    event, run = message.alert.event.value, message.alert.run_id
    return {
        "event": event,
        "state": message.state.value,
        "at": message.recorded_at,
        "run_id": run,
        "detail": message.detail,
    }


VERBS: Final[Mapping[str, Callable[[RunSettings, Domain], Answer]]] = {"list": listed, "test": tried}
"""Every task by its name on the command line."""
