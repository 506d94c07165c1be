"""What a contract says of alerts, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipelines.errors import ContractError

if TYPE_CHECKING:
    from tests.pipelines.conftest import MakeContract

SLACK = {"slack": {"url": "env:HOOK"}}


def channel(name: str, value: Any, custom: str = "alerts") -> dict[str, Any]:
    return {"channel": name, "tool": "slack", "customProperties": [{"property": custom, "value": value}]}


def test_channels_by_name(make_contract: MakeContract) -> None:
    support = [channel("a", SLACK), {"channel": "people"}, channel("b", {**SLACK, "anHour": 3})]

    assert {name: alerts.an_hour for name, alerts in make_contract(support=support).alerts.items()} == {"a": 20, "b": 3}
    assert make_contract().alerts == {}


@pytest.mark.parametrize(
    ("support", "said"),
    [
        ([channel("a", SLACK), channel("a", SLACK)], "two channels with alerts are called a"),
        ([channel("a", {})], "exactly one of"),
        ([channel("a", {**SLACK, "teams": {"url": "env:HOOK"}})], "exactly one of"),
        ([channel("a", {"slack": {"url": "https://hooks.example.org/T/B/X"}})], "alerts.slack.url"),
        ([channel("a", {**SLACK, "minimumSeverity": "loud"})], "minimumSeverity"),
        ([channel("a", {"email": {"server": "env:M", "from": "a@b.c\nBcc: d@e.f", "to": ["a@b.c"]}})], "email.from"),
        ([channel("a", SLACK, "alarms")], "unknown custom property 'alarms'"),
    ],
)
def test_what_is_refused(make_contract: MakeContract, support: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ContractError, match=said):
        make_contract(support=support)
