"""What `levee alerts` asks of the wheel: which channels there are, and whether they are reached."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.alerts.tasks import listed, tried
from pipelines.contracts import Contract, Domain
from pipelines.engine import Engine
from pipelines.errors import QualityError, UsageError
from pipelines.runs import recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.pipelines.alerts.conftest import Receiver
    from tests.pipelines.conftest import Lake, MakeContract

TOKEN = "T0KEN-in-the-path"


@pytest.fixture
def hook(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """A receiver whose URL is a secret."""
    monkeypatch.setenv("HOOK", f"{receiver.url}/{TOKEN}")
    return receiver


@pytest.fixture
def contract(make_contract: MakeContract) -> Contract:
    """A dataset with a chat for prod alone, and a pager whose key nobody has set."""
    ways: dict[str, Any] = {
        "chat": {"slack": {"url": "env:HOOK"}, "environments": ["prod"]},
        "pager": {"webhook": {"url": "env:HOOK", "key": "env:NO_KEY"}, "minimumSeverity": "critical"},
    }
    support = [
        {"channel": name, "tool": "other", "customProperties": [{"property": "alerts", "value": way}]}
        for name, way in ways.items()
    ]
    return make_contract(support=support)


@pytest.fixture
def ask(lake: Lake, contract: Contract) -> Callable[..., dict[str, Any]]:
    """Test a channel, or all."""

    def call(channel: str | None = None) -> dict[str, Any]:
        file = lake.folder / "request.json"
        file.write_text(json.dumps({"channel": channel}))
        return tried(replace(lake.settings, request=file), domain(contract))

    return call


def domain(*contracts: Contract) -> Domain:
    return Domain("test", contracts[0].path.parent, contracts, ())


def test_a_test_says_what_came_back_of_each_channel(ask: Callable[..., dict[str, Any]], hook: Receiver) -> None:
    chat, pager = ask()["channels"]

    assert chat == {
        "channel": "chat",
        "dataset": "things",
        "way": "slack",
        "sent": True,
        "said": "the channel answered 200",
    }
    assert (pager["sent"], pager["said"]) == (
        False,
        "the environment variable NO_KEY with a secret is not set or empty",
    )
    ((_, _, body),) = hook.got
    text = json.loads(body)["text"]
    assert text.startswith("[test] test.things: this is a test, nothing is wrong")
    assert b"Do nothing." in body


def test_one_channel_is_tested_and_a_refusal_told_without_the_url(
    ask: Callable[..., dict[str, Any]], hook: Receiver
) -> None:
    hook.answers = [410]
    told = ask("chat")

    assert [(one["sent"], one["said"]) for one in told["channels"]] == [(False, "the channel answered 410")]
    assert TOKEN not in json.dumps(told)
    with pytest.raises(UsageError, match="test has no channel 'chart'") as wrong:
        ask("chart")
    assert "chat" in str(wrong.value.fix)


def test_a_test_is_neither_recorded_nor_counted(
    sail: Engine, lake: Lake, contract: Contract, ask: Callable[..., dict[str, Any]], hook: Receiver
) -> None:
    ask("chat")
    assert not sail.exists(lake.settings.record_path("alerts"))
    assert len(hook.got) == 1
    assert listed(lake.settings, domain(contract))["channels"][0]["last"] is None


def test_the_list_says_what_lacks_and_what_was_told_last(
    lake: Lake, sail: Engine, contract: Contract, hook: Receiver
) -> None:
    settings = replace(lake.settings, environment="prod")
    with pytest.raises(QualityError), recorded(sail, settings, "bronze", contract):
        raise QualityError("no")
    assert len(hook.got) == 1

    chat, pager = listed(replace(settings, environment="dev"), domain(contract))["channels"]
    assert (chat["told_here"], chat["secrets"], chat["minimum_severity"]) == (False, {"env:HOOK": True}, "warning")
    assert (chat["last"]["event"], chat["last"]["state"], chat["last"]["run_id"]) == ("quality_failed", "sent", "run-1")
    assert (pager["told_here"], pager["secrets"]) == (True, {"env:HOOK": True, "env:NO_KEY": False})
    assert pager["last"] is None
    assert TOKEN not in json.dumps(chat, default=str)


def test_a_domain_without_a_channel_is_told_how_to_get_one(lake: Lake, make_contract: MakeContract) -> None:
    file = lake.folder / "request.json"
    file.write_text("{}")
    with pytest.raises(UsageError, match="no contract of test has a channel") as wrong:
        tried(replace(lake.settings, request=file), domain(make_contract()))
    assert "alerts" in str(wrong.value.fix)
