"""The small lake, done once without a fault: what it is before and after each phase, and how it got there."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.faults.town import PHASES, Host, Worker, alerts, copied, hosting, reached, state


@dataclass(frozen=True)
class Passed:
    """A phase that nothing disturbed.

    Attributes:
        before: A copy of the lake before it.
        after: What the lake held after it.
        reached: The failpoints that it reached, in order.
        seconds: How long it took.
    """

    before: Path
    after: Mapping[str, Any]
    reached: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Undisturbed:
    """The small lake without a fault.

    Attributes:
        host: Its surroundings.
        phases: Each phase by its name, in order.
    """

    host: Host
    phases: Mapping[str, Passed]


@pytest.fixture(scope="session")
def undisturbed_town(tmp_path_factory: pytest.TempPathFactory) -> Generator[Undisturbed]:
    """Do every phase once."""
    with undisturbed(tmp_path_factory.mktemp("town")) as town:
        yield town


@contextmanager
def undisturbed(folder: Path) -> Generator[Undisturbed]:
    """Do every phase once, each in a process of its own as a scheduler would; serve while the block runs."""
    lake = folder / "undisturbed" / "lake"
    passed: dict[str, Passed] = {}
    with hosting(folder) as host:
        worker = Worker(host, lake)
        for number, phase in enumerate(PHASES):
            before, known = copied(lake, folder / "before" / str(number)), len(reached(lake))
            following = Worker(host, lake)
            worker.ready()
            clock = time.monotonic()
            assert worker.do(phase), worker.said.read_text()
            seconds = time.monotonic() - clock
            worker.close()
            passed[phase] = Passed(before, state(lake), tuple(reached(lake)[known:]), seconds)
            worker = following
        worker.ready().close()
        told = alerts(host.told["undisturbed"])
        assert told == {("levee.alert.task_failed", "readings"): [1], ("levee.alert.recovered", "readings"): [1]}
        yield Undisturbed(host, passed)
