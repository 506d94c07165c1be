"""Sending: signed, encrypted, tried again, bounded; no secret in an error or a log."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.alerts import forms, sending
from pipelines.alerts.sending import Outcome
from pipelines.contracts.extensions.alerts import Alerts
from pipelines.errors import PipelineError

if TYPE_CHECKING:
    from tests.pipelines.alerts.conftest import MakeAlert, Post, Receiver

OK = Outcome(sent=True, said="the channel answered 200")
TOKEN = "T0KEN-in-the-path"
MAIL = {"email": {"server": "env:MAIL", "from": "levee@example.org", "to": ["a@example.org", "b@example.org"]}}


def terms(way: str, **told: Any) -> Alerts:
    return Alerts.model_validate({way: {"url": "env:HOOK", **told}})


@pytest.fixture
def hook(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    monkeypatch.setenv("HOOK", f"{receiver.url}/services/{TOKEN}")
    return receiver


@pytest.mark.parametrize(("way", "form"), [("slack", forms.slack), ("teams", forms.teams)])
def test_a_webhook_gets_its_form(hook: Receiver, make_alert: MakeAlert, way: str, form: Any) -> None:
    sending.send(terms(way), make_alert(), repeated=False)

    ((path, headers, body),) = hook.got
    assert path == f"/services/{TOKEN}"
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == form(make_alert(), repeated=False)


def test_a_cloud_event_is_signed(hook: Receiver, make_alert: MakeAlert, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "a key")
    sending.send(terms("webhook", key="env:KEY"), make_alert(), repeated=False)

    ((_, headers, body),) = hook.got
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert headers["webhook-id"] == json.loads(body)["id"] == make_alert().id
    expected = forms.signature(b"a key", make_alert().id, int(headers["webhook-timestamp"]), body)
    assert headers["webhook-signature"] == expected


def test_what_passes_is_tried_again(hook: Receiver, make_alert: MakeAlert) -> None:
    hook.answers = [503, 429]
    sending.send(terms("slack"), make_alert(), repeated=False)
    assert len(hook.got) == 3

    hook.answers = [500, 500, 500]
    with pytest.raises(sending.PassingError, match="500"):
        sending.send(terms("slack"), make_alert(), repeated=False)
    assert len(hook.got) == 6


@pytest.mark.parametrize("status", [404, 307])
def test_what_does_not_pass_is_not_and_no_redirect_is_followed(
    hook: Receiver, make_alert: MakeAlert, status: int
) -> None:
    hook.answers = [status]

    with pytest.raises(sending.ChannelError, match=str(status)) as raised:
        sending.send(terms("slack"), make_alert(), repeated=False)

    assert len(hook.got) == 1
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("url", ["http://hooks.example.org/{}", "ftp://localhost/{}", "http://[{}", "{}"])
def test_what_is_not_encrypted_is_not_asked(make_alert: MakeAlert, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HOOK", url.format(TOKEN))

    with pytest.raises(PipelineError) as raised:
        sending.send(terms("slack"), make_alert(), repeated=False)

    assert TOKEN not in str(raised.value)


def test_no_log_has_the_url(hook: Receiver, make_alert: MakeAlert, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    assert sending.send_all([("owners", terms("slack"), make_alert(), False)]) == [OK]

    assert len(hook.got) == 1
    assert TOKEN not in caplog.text


def test_who_does_not_answer_is_left_behind(hook: Receiver, make_alert: MakeAlert) -> None:
    hook.release.clear()

    assert sending.send_all([("owners", terms("slack"), make_alert(), False)], patience=0.1) == [
        Outcome(sent=False, said="it did not end in time")
    ]


def test_each_channel_has_its_own_outcome(hook: Receiver, make_alert: MakeAlert) -> None:
    parcels = [
        ("broken", Alerts.model_validate({"slack": {"url": "env:NOT_THERE"}}), make_alert(), False),
        ("owners", terms("slack"), make_alert(), True),
    ]

    lacking, told = sending.send_all(parcels)

    assert told == OK
    assert not lacking.sent
    assert "NOT_THERE" in lacking.said


def test_mail_is_encrypted_before_anything_is_said(
    post: Post, make_alert: MakeAlert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL", post.url)
    sending.send(Alerts.model_validate(MAIL), make_alert(), repeated=False)

    ((sender, to, message),) = post.got
    assert (sender, to) == ("levee@example.org", ["a@example.org", "b@example.org"])
    assert message["Subject"] == make_alert().title
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert post.said[False] == ["EHLO", "STARTTLS"]
    assert {"AUTH", "MAIL", "DATA"} <= set(post.said[True])


def test_a_recipient_that_is_refused_is_counted(
    post: Post, make_alert: MakeAlert, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MAIL", post.url)
    post.refused = {"a@example.org"}

    said = sending.send(Alerts.model_validate(MAIL), make_alert(), repeated=False)

    assert said == "the mail server took it for 1 of 2 recipients"
    assert "refuses 1 of 2 recipients" in caplog.text
    assert [to for _, to, _ in post.got] == [["b@example.org"]]


def test_a_certificate_that_nobody_vouches_for_is_refused(
    post: Post, make_alert: MakeAlert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL", post.url)
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(sending.ChannelError, match="not trusted"):
        sending.send(Alerts.model_validate(MAIL), make_alert(), repeated=False)

    assert post.got == []
    assert post.said == {False: ["EHLO", "STARTTLS"], True: []}


def test_without_tls_nothing_is_said(plain_post: Post, make_alert: MakeAlert, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL", plain_post.url)

    with pytest.raises(sending.ChannelError, match="STARTTLS"):
        sending.send(Alerts.model_validate(MAIL), make_alert(), repeated=False)

    assert not {"AUTH", "MAIL", "DATA"} & set(plain_post.said[False])


def test_a_wrong_password_is_in_no_error(post: Post, make_alert: MakeAlert, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL", post.url.replace("s3cret", "wr0ng"))

    with pytest.raises(sending.ChannelError, match="535") as raised:
        sending.send(Alerts.model_validate(MAIL), make_alert(), repeated=False)

    assert "wr0ng" not in str(raised.value)
