"""Which alerts are told: once, severe enough, not too many, and once that all is well."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.alerts.facts import Alert, Event
from pipelines.alerts.planning import left, planned
from pipelines.alerts.record import Message, State
from pipelines.contracts.extensions.alerts import Alerts

if TYPE_CHECKING:
    from tests.pipelines.alerts.conftest import MakeAlert

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def terms(**told: Any) -> Alerts:
    return Alerts.model_validate({"slack": {"url": "env:HOOK"}, **told})


def plan(told: list[Message], *found: Alert, well: Alert | None = None, **asked: Any) -> list[Message]:
    return planned(told, "owners", terms(**asked), found, well=well, now=NOW)


def sent(alert: Alert, state: State = State.SENT) -> Message:
    return Message("owners", alert, state, alert.at)


def test_what_was_told_is_not_told_again(make_alert: MakeAlert) -> None:
    before = sent(make_alert(at=NOW - timedelta(hours=2)))
    alert = make_alert(at=NOW)

    assert plan([before], alert) == []
    assert [new.alert.keys for new in plan([before], alert, againAfterHours=1)] == [alert.keys]
    assert [new.state for new in plan([], alert)] == [State.PENDING]


@pytest.mark.parametrize("state", [State.PENDING, State.SUMMED_UP])
def test_what_is_on_its_way_is_told(make_alert: MakeAlert, state: State) -> None:
    assert plan([sent(make_alert(at=NOW), state)], make_alert(at=NOW)) == []


def test_what_failed_is_told_again(make_alert: MakeAlert) -> None:
    assert len(plan([sent(make_alert(at=NOW), State.FAILED)], make_alert(at=NOW))) == 1


def test_a_new_rule_is_told_alone(make_alert: MakeAlert) -> None:
    old = make_alert(at=NOW, keys=("things/enough",))

    (new,) = plan([sent(old)], make_alert(at=NOW))

    assert [rule.id for rule in new.alert.rules] == ["price_positive"]
    assert new.alert.keys == ("things/price_positive",)


def test_less_severe_ones_go_elsewhere(make_alert: MakeAlert) -> None:
    alerts = [make_alert(severity=severity, keys=(severity,)) for severity in ("warning", "error", "critical")]

    assert [new.alert.severity for new in plan([], *alerts, minimumSeverity="error")] == ["error", "critical"]


def test_a_recovery_is_told_once_and_what_breaks_again_is_told(make_alert: MakeAlert) -> None:
    broken = make_alert(at=NOW - timedelta(hours=2))
    well = make_alert(event=Event.RECOVERED, at=NOW - timedelta(hours=1), keys=("-",), rules=())

    (recovered,) = plan([sent(broken)], well=well)

    assert recovered.alert.keys == tuple(sorted(broken.keys))
    assert recovered.alert.severity == "error"
    assert recovered.alert.event is Event.RECOVERED
    told = [sent(broken), replace(recovered, state=State.SENT)]
    assert plan(told, well=well) == []
    assert len(plan(told, make_alert(at=NOW))) == 1


def test_another_task_and_what_is_still_broken_recover_nothing(make_alert: MakeAlert) -> None:
    broken = make_alert(at=NOW)
    well = make_alert(event=Event.RECOVERED, keys=("-",), rules=())

    assert plan([sent(broken)], well=well.model_copy(update={"task": "silver"})) == []
    assert plan([sent(broken)], broken, well=well) == []
    assert plan([], well=well) == []


def test_more_than_the_limit_is_summed_up_in_one_message_when_there_is_room(make_alert: MakeAlert) -> None:
    alerts = [make_alert(id=make_alert().id[:-2] + f"{number:02}", keys=(str(number),), at=NOW) for number in range(5)]

    entries = plan([], *alerts, anHour=2)
    assert [entry.state for entry in entries] == [State.PENDING] * 2 + [State.WAITING] * 3
    told = [replace(entry, state=State.SENT) if entry.state is State.PENDING else entry for entry in entries]
    assert plan(told, anHour=2) == []

    before = NOW - timedelta(hours=2)
    later = [replace(one, recorded_at=before, alert=one.alert.model_copy(update={"at": before})) for one in told]
    summary, *summed = plan(later, anHour=2)

    assert summary.state is State.PENDING
    assert summary.alert.event is Event.SUMMED_UP
    assert "3 alerts" in summary.alert.summary
    assert "quality_failed of things: 3" in summary.alert.summary
    assert [entry.state for entry in summed] == [State.SUMMED_UP] * 3
    assert plan([*later[:2], summary, *summed], anHour=2) == []


def test_a_pending_message_was_left_by_a_run_that_died(make_alert: MakeAlert) -> None:
    present = make_alert()
    same = sent(make_alert(at=NOW), State.PENDING)
    other = sent(make_alert(at=NOW, dataset="others"), State.PENDING)
    old = replace(other, recorded_at=NOW - timedelta(hours=1))

    assert left([same, other, old, sent(make_alert(at=NOW))], present, NOW) == [same, old]


def test_a_clock_that_went_back_silences_no_channel_and_repeats_nothing(make_alert: MakeAlert) -> None:
    ahead = sent(make_alert(at=NOW + timedelta(hours=3)))  # told before the clock was set back

    assert plan([ahead], make_alert(at=NOW)) == []
    assert [new.state for new in plan([ahead], make_alert(at=NOW, keys=("new",)), anHour=1)] == [State.PENDING]
    assert len(plan([ahead], make_alert(at=NOW), againAfterHours=2)) == 1
