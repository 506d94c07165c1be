"""The outbox: in order, bounded, counting what is lost, and leaving alone who fails."""

from __future__ import annotations

import threading

import pytest

from pipelines.observe import outbox
from pipelines.observe.outbox import IN_A_ROW, LEFT_ALONE, Outbox


def fails() -> None:
    raise ConnectionError("nobody there")


def test_messages_are_delivered_in_order_and_waited_for() -> None:
    box, got = Outbox(), list[int]()
    for number in range(50):
        box.send("here", lambda number=number: got.append(number))
    assert box.drain()
    assert got == list(range(50))
    assert box.failures() == {}


def test_nothing_sent_is_nothing_to_wait_for() -> None:
    assert Outbox().drain(0)


def test_a_destination_that_fails_is_left_alone_for_a_minute_and_the_others_are_not() -> None:
    now, tries, got = [0.0], list[str](), list[str]()
    box = Outbox(clock=lambda: now[0])

    def failing() -> None:
        tries.append("tried")
        fails()

    for _ in range(IN_A_ROW + 2):
        box.send("broken", failing)
        box.send("whole", lambda: got.append("delivered"))
    box.drain()
    assert (len(tries), len(got)) == (IN_A_ROW, IN_A_ROW + 2)
    assert box.failures() == {"broken": IN_A_ROW + 2}
    now[0] = LEFT_ALONE
    box.send("broken", lambda: tries.append("mended"))
    box.drain()
    assert tries[-1] == "mended"


def test_what_nobody_takes_in_time_is_not_waited_for() -> None:
    box, release = Outbox(), threading.Event()

    def hang() -> None:
        release.wait(60)

    box.send("hangs", hang)
    assert not box.drain(0.05)
    release.set()
    assert box.drain()


def test_more_than_may_wait_is_lost_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "WAITING", 2)
    box, begun, release = Outbox(), threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        release.wait(60)

    box.send("hangs", hang)
    assert begun.wait(60)
    for _ in range(5):
        box.send("hangs", lambda: None)
    assert box.failures() == {"hangs": 3}
    release.set()
    assert box.drain()
