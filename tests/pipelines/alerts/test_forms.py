"""What Slack, Teams, mail and CloudEvents get, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.alerts import forms
from pipelines.alerts.facts import BrokenRule, Event, Sample

if TYPE_CHECKING:
    from tests.pipelines.alerts.conftest import MakeAlert

FACTS = [
    ("Severity", "error"),
    ("Dataset", "sales.things"),
    ("Owner", "sales-data"),
    ("Environment", "prod"),
    ("Task", "quality"),
    ("Run", "run-1"),
    ("Contract", "1.2.0"),
    ("Found", "2026-11-22 08:30:00 UTC"),
]
TITLE = "[error] sales.things: a quality gate failed"
RULES = [
    "price_positive: 12 rows of 100 (fields price), price is above 0",
    "enough, 1000 rows at least",
]
MEANING = "Do not build on it."
PURPOSE = "Judge it again"
COMMAND = "levee replay sales.things --env prod"
SHOWN = (
    Sample(rules=("price_positive",), records=12, file="a.csv", line=3, fields={"id": "1", "price": "-3.00"}),
    Sample(rules=("malformed",), records=1, file="[b](http://b)<!channel>.csv", line=9),
)
SAMPLES = [
    "a.csv, line 3 (12 records like this) breaks price_positive: id=1, price=-3.00",
    "[b](http://b)<!channel>.csv, line 9 breaks malformed",
]


def test_slack(make_alert: MakeAlert) -> None:
    assert forms.slack(make_alert(), repeated=False) == {
        "text": f"{TITLE}: things does not hold its contract: &lt;price&gt; &amp; more",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": TITLE}},
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "text": f"things does not hold its contract: &lt;price&gt; &amp; more\n{MEANING}",
                },
            },
            {
                "type": "section",
                "fields": [{"type": "mrkdwn", "text": f"*{label}*\n{value}"} for label, value in FACTS],
            },
            {"type": "section", "text": {"type": "mrkdwn", "text": f"• {RULES[0]}\n• {RULES[1]}"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": f"{PURPOSE}: `{COMMAND}`"}},
        ],
    }


def test_slack_within_its_limits(make_alert: MakeAlert) -> None:
    rules = tuple(BrokenRule(id=f"r{number}", says="x" * 4000) for number in range(40))
    body = forms.slack(make_alert(rules=rules, summary="y" * 9000, dataset="d" * 300), repeated=True)
    sections = [block["text"]["text"] for block in body["blocks"] if block["type"] == "section" and "text" in block]

    assert len(body["blocks"]) <= 50
    assert len(body["blocks"][0]["text"]["text"]) == 150
    assert max(map(len, sections)) == 3000
    assert sections[1].endswith("and 30 more")
    assert body["blocks"][-1] == {"type": "context", "elements": [{"type": "mrkdwn", "text": forms.REPEATED}]}


def test_teams(make_alert: MakeAlert) -> None:
    def text(said: str, **style: object) -> dict[str, object]:
        return {"type": "TextBlock", "text": said, "wrap": True, **style}

    assert forms.teams(make_alert(), repeated=False) == {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [
                        text(TITLE, size="Large", weight="Bolder", color="Attention"),
                        text("things does not hold its contract: <price> & more"),
                        text(MEANING),
                        {"type": "FactSet", "facts": [{"title": label, "value": value} for label, value in FACTS]},
                        text(f"- {RULES[0]}", spacing="Small"),
                        text(f"- {RULES[1]}", spacing="Small"),
                        text(PURPOSE, isSubtle=True),
                        text(COMMAND, fontType="Monospace", spacing="None"),
                    ],
                },
            }
        ],
    }
    well = forms.teams(make_alert(event=Event.RECOVERED), repeated=False)
    assert well["attachments"][0]["content"]["body"][0]["color"] == "Good"


def test_mail(make_alert: MakeAlert) -> None:
    message = forms.mail(make_alert(), "levee@example.org", ["a@example.org", "b@example.org"], repeated=False)
    text, page = message.get_body(("plain",)), message.get_body(("html",))

    assert message.get_content_type() == "multipart/alternative"
    assert message["Subject"] == TITLE
    assert message["To"] == "a@example.org, b@example.org"
    assert message["Message-ID"] == "<6f6c0b1e-6f0a-5c7e-9b3e-6c65766565aa@example.org>"
    assert message["Date"] == "Sun, 22 Nov 2026 08:30:00 +0000"
    assert text is not None
    assert page is not None
    assert text.get_content() == "\n".join([
        "things does not hold its contract: <price> & more",
        MEANING,
        "",
        *(f"{label}: {value}" for label, value in FACTS),
        "",
        *(f"- {rule}" for rule in RULES),
        "",
        f"{PURPOSE}:",
        f"    {COMMAND}",
        "",
    ])  # fmt: skip
    assert "<p>things does not hold its contract: &lt;price&gt; &amp; more</p>" in page.get_content()
    assert f"<li>{RULES[0]}</li><li>{RULES[1]}</li></ul><p>{PURPOSE}:</p><pre>{COMMAND}</pre>" in page.get_content()


def test_cloud_event(make_alert: MakeAlert) -> None:
    event = forms.cloud_event(make_alert(), repeated=True)

    assert event == {
        "specversion": "1.0",
        "id": "6f6c0b1e-6f0a-5c7e-9b3e-6c65766565aa",
        "source": "/levee/sales/runs/run-1",
        "type": "levee.alert.quality_failed",
        "subject": "quality sales.things",
        "time": "2026-11-22T08:30:00+00:00",
        "datacontenttype": "application/json",
        "data": {
            "event": "quality_failed",
            "severity": "error",
            "environment": "prod",
            "domain": "sales",
            "dataset": "things",
            "task": "quality",
            "run_id": "run-1",
            "contract_version": "1.2.0",
            "owner": "sales-data",
            "summary": "things does not hold its contract: <price> & more",
            "rules": [
                {
                    "id": "price_positive",
                    "failed": 12,
                    "rows": 100,
                    "fields": ["price"],
                    "says": "price is above 0",
                },
                {"id": "enough", "failed": None, "rows": None, "fields": [], "says": "1000 rows at least"},
            ],
            "meaning": MEANING,
            "commands": [COMMAND],
            "purposes": ["judge it again"],
            "samples": [],
            "repeated": True,
        },
    }


def test_samples_are_shown_as_they_are(make_alert: MakeAlert) -> None:
    """No link, mention or tag comes out of what the data says."""
    alert = make_alert(samples=SHOWN)

    *_, shown, _ = forms.slack(alert, repeated=False)["blocks"]
    lines = "\n".join([forms.SAMPLES, *(f"• {line}" for line in SAMPLES)])
    assert shown == {"type": "section", "text": {"type": "plain_text", "text": lines, "emoji": False}}

    body = forms.teams(alert, repeated=False)["attachments"][0]["content"]["body"]
    runs = [block["inlines"] for block in body if block["type"] == "RichTextBlock"]
    assert runs == [[{"type": "TextRun", "text": f"- {line}"}] for line in SAMPLES]

    message = forms.mail(alert, "levee@example.org", ["a@example.org"], repeated=False)
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert "\n".join([forms.SAMPLES, *(f"- {line}" for line in SAMPLES)]) in text.get_content()
    assert page is not None
    assert "<li>[b](http://b)&lt;!channel&gt;.csv, line 9 breaks malformed</li>" in page.get_content()

    assert forms.cloud_event(alert, repeated=False)["data"]["samples"] == [
        {
            "rules": ["price_positive"],
            "records": 12,
            "file": "a.csv",
            "line": 3,
            "fields": {"id": "1", "price": "-3.00"},
        },
        {"rules": ["malformed"], "records": 1, "file": SHOWN[1].file, "line": 9, "fields": {}},
    ]


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of the specification's own libraries."""
    body = b'{"test": 2432232314}'
    key = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    signed = forms.signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signed != forms.signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265331, body)
