"""An alert as Slack, Microsoft Teams, mail and CloudEvents want it; pure functions.

Sources: Slack, Block Kit reference (header, section, context: limits of characters and blocks) and "Formatting text for
app surfaces" (escapes); Microsoft, "Create incoming webhooks with Workflows" and the Adaptive Cards schema 1.4;
CloudEvents 1.0.2, JSON event format; Standard Webhooks 1.0 (signature).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
from collections.abc import Iterable, Mapping, Sequence
from email.message import EmailMessage
from itertools import zip_longest
from typing import Any, Final

from pipelines.alerts.facts import Alert, BrokenRule, Event, Sample
from pipelines.contracts.extensions.alerts import Severity

RULES_SHOWN: Final = 10
"""Rules that a message names; the others are counted."""
HEADER: Final = 150
SECTION: Final = 3000
"""Characters that Slack takes in a header and in a section."""
REPEATED: Final = "The run that found it died: this may be told a second time."
SAMPLES: Final = "For example (masked):"
_COLOURS: Final[Mapping[Severity, str]] = {"warning": "Warning", "error": "Attention", "critical": "Attention"}
"""Of Adaptive Cards."""
WHSEC: Final = "whsec_"
"""Prefix of a Standard Webhooks key in base64."""


def slack(alert: Alert, *, repeated: bool) -> dict[str, Any]:
    """The body for an incoming webhook of Slack."""
    fields = [_mrkdwn(f"*{label}*\n{_escaped(value)}") for label, value in _facts(alert)]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(alert.title, HEADER)}},
        _section(_escaped("\n".join(_said(alert)))),
        {"type": "section", "fields": fields},
    ]
    if alert.rules:
        blocks.append(_section("\n".join(f"• {_escaped(line)}" for line in _rules(alert.rules))))
    if alert.samples:
        # Plain: nothing of the data is taken for a link, a mention or a format.
        lines = "\n".join([SAMPLES, *(f"• {line}" for line in told(alert.samples))])
        blocks.append({"type": "section", "text": {"type": "plain_text", "text": _cut(lines, SECTION), "emoji": False}})
    if alert.commands:
        blocks.append(_section("\n".join(f"{_escaped(to)}: `{_escaped(run)}`" for to, run in _steps(alert))))
    if repeated:
        blocks.append({"type": "context", "elements": [_mrkdwn(REPEATED)]})
    return {"text": _escaped(f"{alert.title}: {_cut(alert.summary, HEADER)}"), "blocks": blocks}


def teams(alert: Alert, *, repeated: bool) -> dict[str, Any]:
    """The body for a webhook of Workflows in Teams: one Adaptive Card 1.4."""
    colour = "Good" if alert.event is Event.RECOVERED else _COLOURS[alert.severity]
    body: list[dict[str, Any]] = [
        _text(alert.title, size="Large", weight="Bolder", color=colour),
        *(_text(said) for said in _said(alert)),
        {"type": "FactSet", "facts": [{"title": label, "value": value} for label, value in _facts(alert)]},
    ]
    body += [_text(f"- {line}", spacing="Small") for line in _rules(alert.rules)]
    if alert.samples:
        body += [_text(SAMPLES, weight="Bolder"), *(_run(f"- {line}") for line in told(alert.samples))]
    for to, run in _steps(alert):
        body += [_text(to, isSubtle=True), _text(run, fontType="Monospace", spacing="None")]
    body += [_text(REPEATED, isSubtle=True)] if repeated else []
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def mail(alert: Alert, sender: str, to: Sequence[str], *, repeated: bool) -> EmailMessage:
    """The message, as text and as HTML."""
    message = EmailMessage()
    message["Subject"] = " ".join(alert.title.split())
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Date"] = alert.at
    message["Message-ID"] = f"<{alert.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers by machines
    rules = list(_rules(alert.rules))
    facts = _facts(alert)
    note = [REPEATED] if repeated else []
    examples = list(told(alert.samples))
    lines = [*_said(alert), "", *(f"{label}: {value}" for label, value in facts)]
    lines += ["", *(f"- {line}" for line in rules)] if rules else []
    lines += ["", SAMPLES, *(f"- {line}" for line in examples)] if examples else []
    lines += ["", *(f"{to}:\n    {run}" for to, run in _steps(alert))] if alert.commands else []
    message.set_content("\n".join([*lines, *note]) + "\n")
    rows = "".join(f"<tr><th align=left>{_html(label)}</th><td>{_html(value)}</td></tr>" for label, value in facts)
    said = "".join(f"<p>{_html(line)}</p>" for line in _said(alert))
    commands = "".join(f"<p>{_html(to)}:</p><pre>{_html(run)}</pre>" for to, run in _steps(alert))
    page = f"{said}<table>{rows}</table>{_items(rules)}"
    page += (
        (f"<p>{SAMPLES}</p>{_items(examples)}" if examples else "")
        + commands
        + "".join(f"<p>{line}</p>" for line in note)
    )
    message.add_alternative(f"<!doctype html><html lang=en><body>{page}</body></html>\n", subtype="html")
    return message


def cloud_event(alert: Alert, *, repeated: bool) -> dict[str, Any]:
    """A CloudEvent in structured mode; `id` and `source` tell a repeat."""
    data = alert.model_dump(mode="json", exclude={"id", "at", "keys"})
    return {
        "specversion": "1.0",
        "id": alert.id,
        "source": f"/levee/{alert.domain}/runs/{alert.run_id}",
        "type": f"levee.alert.{alert.event}",
        "subject": f"{alert.task} {alert.domain}.{alert.dataset}",
        "time": alert.at.isoformat(),
        "datacontenttype": "application/json",
        "data": {**data, "repeated": repeated},
    }


def signature(key: bytes, identity: str, timestamp: int, body: bytes) -> str:
    """The value of the header ``webhook-signature``: HMAC-SHA256 over id, time and body.

    Raises:
        ValueError: the key begins with ``whsec_`` and the rest is not base64.
    """
    text = key.decode(errors="replace")
    secret = base64.b64decode(text.removeprefix(WHSEC), validate=True) if text.startswith(WHSEC) else key
    signed = f"{identity}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def _said(alert: Alert) -> list[str]:
    """What is wrong, and what that means."""
    return [alert.summary, *([alert.meaning] if alert.meaning else [])]


def _steps(alert: Alert) -> list[tuple[str, str]]:
    """What to do next: what for, and the command."""
    purposes = [text[:1].upper() + text[1:] for text in alert.purposes]
    return list(zip_longest(purposes[: len(alert.commands)], alert.commands, fillvalue="Next"))


def _facts(alert: Alert) -> list[tuple[str, str]]:
    told = {
        "Severity": alert.severity,
        "Dataset": f"{alert.domain}.{alert.dataset}",
        "Owner": alert.owner,
        "Environment": alert.environment,
        "Task": alert.task,
        "Run": alert.run_id,
        "Contract": alert.contract_version,
        "Found": f"{alert.at:%Y-%m-%d %H:%M:%S} UTC",
    }
    return [(label, value) for label, value in told.items() if value is not None]


def _rules(rules: Sequence[BrokenRule]) -> Iterable[str]:
    for rule in rules[:RULES_SHOWN]:
        counted = "" if rule.failed is None else f": {rule.failed} rows" + (f" of {rule.rows}" if rule.rows else "")
        fields = f" (fields {', '.join(rule.fields)})" if rule.fields else ""
        yield f"{rule.id}{counted}{fields}" + (f", {_cut(rule.says, 200)}" if rule.says else "")
    if len(rules) > RULES_SHOWN:
        yield f"and {len(rules) - RULES_SHOWN} more"


def told(samples: Iterable[Sample]) -> Iterable[str]:
    """Write samples as lines."""
    for one in samples:
        like = f" ({one.records} records like this)" if one.records > 1 else ""
        fields = ", ".join(f"{name}={value}" for name, value in one.fields.items())
        yield f"{one.file}, line {one.line}{like} breaks {', '.join(one.rules)}" + (f": {fields}" if fields else "")


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(_cut(text, SECTION))}


def _mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def _text(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": _cut(text, SECTION), "wrap": True, **style}


def _run(text: str) -> dict[str, Any]:
    """A text that is shown as it is: no Markdown in what the data says."""
    run = {"type": "TextRun", "text": _cut(text, SECTION)}
    return {"type": "RichTextBlock", "inlines": [run], "spacing": "Small"}


def _items(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{_html(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _html(text: str) -> str:
    return html.escape(text)
