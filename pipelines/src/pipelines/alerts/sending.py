"""Sends messages: over TLS, without redirects, within bounds; no error and no log line has a secret in it."""

from __future__ import annotations

import json
import logging
import smtplib
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, stop_after_delay
from tenacity.wait import wait_exponential_jitter

from pipelines.alerts import forms
from pipelines.alerts.facts import Alert
from pipelines.contracts.extensions.alerts import Alerts, Email, Slack, Teams, Webhook
from pipelines.errors import PipelineError
from pipelines.extract.web import PASSING, is_safe
from pipelines.secret_references import SecretReference

log = logging.getLogger("levee.alerts")

ATTEMPTS: Final = 3
TIMEOUT: Final = 5.0
"""Seconds that a channel has for each step: to accept a connection, to answer."""
PATIENCE: Final = 20.0
"""Seconds that the end of a task waits for all of its channels."""
THREAD: Final = "levee-alerts"
_SPEAKING: Final = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")
"""Loggers that write a request's whole URL."""

Parcel = tuple[str, Alerts, Alert, bool]
"""Channel, its terms, what it is told, and whether it may have been told before."""


class ChannelError(PipelineError):
    """A channel did not take a message; says nothing of its URL."""


class PassingError(ChannelError):
    """The same, and it may at the next attempt."""


class _NoUrls(logging.Filter):
    """Keeps what httpx says of our requests out of every log: a webhook's URL is a secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.threadName is None or not record.threadName.startswith(THREAD)


_NO_URLS: Final = _NoUrls()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message.

    Attributes:
        sent: Whether the channel took it.
        said: What came back, or why it failed; in a few words of ours.
    """

    sent: bool
    said: str


def send_all(parcels: Sequence[Parcel], patience: float = PATIENCE) -> list[Outcome]:
    """Send parcels, each channel's in order and the channels side by side; say of each what came back.

    A channel that does not end in time is left behind: its thread dies with the process.
    """
    for name in _SPEAKING:
        logging.getLogger(name).addFilter(_NO_URLS)
    outcomes = [Outcome(sent=False, said="it did not end in time")] * len(parcels)
    until = time.monotonic() + patience
    threads = []
    for channel in dict.fromkeys(parcel[0] for parcel in parcels):
        chosen = [place for place, parcel in enumerate(parcels) if parcel[0] == channel]
        thread = threading.Thread(
            target=_send_in_order, args=(parcels, chosen, until, outcomes), name=f"{THREAD}-{channel}", daemon=True
        )
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0))
    return list(outcomes)


def _send_in_order(parcels: Sequence[Parcel], chosen: Sequence[int], until: float, outcomes: list[Outcome]) -> None:
    for place in chosen:
        if time.monotonic() > until:
            return
        _, terms, alert, repeated = parcels[place]
        try:
            outcomes[place] = Outcome(sent=True, said=send(terms, alert, repeated=repeated))
        except Exception as error:  # noqa: BLE001 - an alert never fails a run; the caller counts it
            # What a library says may quote the URL.
            said = error.message if isinstance(error, PipelineError) else type(error).__name__
            outcomes[place] = Outcome(sent=False, said=said)


def send(terms: Alerts, alert: Alert, *, repeated: bool) -> str:
    """Send one message, and return what came back, in a few words of ours.

    Raises:
        PipelineError: the channel does not take it, or its secret is not there.
    """
    trying = Retrying(
        stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(PATIENCE / 2),
        wait=wait_exponential_jitter(initial=0.1, max=2, jitter=0.2),
        retry=retry_if_exception_type(PassingError),
        reraise=True,
    )
    return trying(_once(terms, alert, repeated))


def _once(terms: Alerts, alert: Alert, repeated: bool) -> Callable[[], str]:
    match terms.way:
        case Slack(url=url):
            return partial(_post, url, _json(forms.slack(alert, repeated=repeated)), {})
        case Teams(url=url):
            return partial(_post, url, _json(forms.teams(alert, repeated=repeated)), {})
        case Webhook() as way:
            body = _json(forms.cloud_event(alert, repeated=repeated))
            return partial(_post, way.url, body, _signed(way, alert, body))
        case Email() as way:
            return partial(_mail, way, alert, repeated)


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True).encode()


def _signed(way: Webhook, alert: Alert, body: bytes) -> dict[str, str]:
    now = int(datetime.now(UTC).timestamp())
    try:
        signature = forms.signature(_secret(way.key).encode(), alert.id, now, body)
    except ValueError:
        raise ChannelError("the signing key begins with whsec_ and is not base64", where=way.key) from None
    return {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": alert.id,
        "webhook-timestamp": str(now),
        "webhook-signature": signature,
    }


def _post(reference: str, body: bytes, headers: dict[str, str]) -> str:
    try:
        url = httpx.URL(_secret(reference))
    except httpx.InvalidURL:
        raise ChannelError(f"what {reference} holds is no URL") from None
    if not is_safe(url):
        raise ChannelError(f"the URL in {reference} is neither https nor of this machine")
    try:
        with httpx.Client(timeout=TIMEOUT, follow_redirects=False) as client:
            response = client.post(url, content=body, headers={"Content-Type": "application/json", **headers})
    except httpx.TransportError as error:
        raise PassingError(f"the channel cannot be reached ({type(error).__name__})") from None
    if response.status_code in PASSING:
        raise PassingError(f"the channel answered {response.status_code}")
    if not response.is_success:
        raise ChannelError(f"the channel answered {response.status_code}")
    return f"the channel answered {response.status_code}"


def _mail(way: Email, alert: Alert, repeated: bool) -> str:
    server = urlsplit(_secret(way.server))
    if server.scheme != "smtp" or not server.hostname:
        raise ChannelError(f"what {way.server} holds is not smtp://USER:PASSWORD@HOST:PORT")
    message = forms.mail(alert, way.sender, way.to, repeated=repeated)
    try:
        with smtplib.SMTP(server.hostname, server.port or 587, timeout=TIMEOUT) as smtp:
            smtp.starttls(context=ssl.create_default_context())
            if server.username:
                smtp.login(unquote(server.username), unquote(server.password or ""))
            refused = smtp.send_message(message, way.sender, way.to)
    except ssl.SSLError as error:
        raise ChannelError(f"the mail server's TLS is not trusted ({error.reason or type(error).__name__})") from None
    except smtplib.SMTPResponseException as error:
        kind = PassingError if 400 <= error.smtp_code < 500 else ChannelError
        raise kind(f"the mail server answered {error.smtp_code}") from None
    except smtplib.SMTPRecipientsRefused:
        raise ChannelError("the mail server refuses the recipients") from None
    except smtplib.SMTPNotSupportedError:
        raise ChannelError("the mail server offers no STARTTLS, or no login that is known") from None
    except OSError as error:  # smtplib's other errors are OSErrors, too
        raise PassingError(f"the mail server cannot be reached ({type(error).__name__})") from None
    if refused:  # the others have it: sending it again would tell them twice
        log.warning("the mail server refuses %d of %d recipients", len(refused), len(way.to))
    return f"the mail server took it for {len(way.to) - len(refused)} of {len(way.to)} recipients"


def _secret(reference: str) -> str:
    return SecretReference.parse(reference).read().decode()
