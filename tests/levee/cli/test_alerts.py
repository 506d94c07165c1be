"""``levee alerts``: the wheel's answer in words and as JSON, and its exit codes."""

import json

import pytest
from rich.console import Console

from levee import engine, runner
from levee.cli.alerts import listed
from levee.cli.app import run

REACHED = {"channel": "chat", "dataset": "cdnow", "way": "slack", "sent": True, "said": "the channel answered 200"}
LOST = {**REACHED, "channel": "on-call", "way": "webhook", "sent": False, "said": "the channel answered 410"}


@pytest.fixture
def answered(monkeypatch):
    """Let the wheel answer so; returns what it was asked."""

    def answers(told):
        asked = []
        monkeypatch.setattr(engine, "deployed", lambda root, stack: stack)
        monkeypatch.setattr(runner, "alerts", lambda *args, **more: asked.append((*args, more["channel"])) or told)
        return asked

    return answers


def test_channels_that_are_reached_are_said(answered, capsys):
    asked = answered({"channels": [REACHED]})
    assert run(["alerts", "test", "sales", "chat"]) == 0
    assert capsys.readouterr().out == "reached      chat (slack): the channel answered 200\n"
    assert asked == [("local", "sales", "test", "chat")]


def test_one_that_is_not_reached_ends_in_an_error_after_all_are_said(answered, capsys):
    answered({"channels": [REACHED, LOST]})
    assert run(["alerts", "test", "sales"]) == 3
    told = capsys.readouterr()
    assert "not reached  on-call (webhook): the channel answered 410" in told.out
    assert "1 of 2 channels were not reached: on-call" in told.err
    assert "levee alerts list sales --env local" in " ".join(told.err.split())


def test_the_answer_is_json_too(answered, capsys):
    answered({"channels": [REACHED]})
    assert run(["alerts", "test", "sales", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"version": 1, "channels": [REACHED]}


def test_the_list_names_what_lacks():
    channel = {
        "channel": "chat", "dataset": "cdnow", "way": "slack", "minimum_severity": "error", "told_here": False,
        "secrets": {"env:CHAT": False},
        "last": {"event": "batch_held", "state": "failed", "at": "2026-11-22T08:30:00Z", "detail": "it answered 404"},
    }  # fmt: skip
    console = Console(width=200)
    with console.capture() as shown:
        console.print(listed({"channels": [channel]}))
    text = shown.get()
    assert "not set: env:CHAT" in text
    assert "error (not of this environment)" in text
    assert "batch_held failed 2026-11-22T08:30" in text
    assert "chat: it answered 404" in text
    with console.capture() as shown:
        console.print(listed({"channels": []}))
    assert "add `alerts`" in shown.get()
