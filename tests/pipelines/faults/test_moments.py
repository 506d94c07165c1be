"""A hundred random moments: killed there and run on, the small lake is as if nothing had happened.

A moment is drawn from a seed: one of the failpoints that a phase reaches, each time that it does, or a time between its
beginning and its end. Every phase of a lake is killed once, is begun again by a new process as a scheduler would, and
then compared, before the next one begins; so what is compared in the end has been killed in every phase.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
import pytest

from tests.pipelines.faults.conftest import Passed, Undisturbed
from tests.pipelines.faults.small_lake import SUBJECT
from tests.pipelines.faults.town import PHASES, Host, Worker, alerts, reached, state, unbalanced, without_orphans

SEED: Final = 20261122
MOMENTS: Final = int(os.environ.get("LEVEE_MOMENTS", "100"))
TELLING: Final = ("alerts.recorded", "alerts.sent")
"""Killed after one of these nobody knows whether the message has come: it comes again, and says so."""


@dataclass(frozen=True)
class Moment:
    """When a phase is to die: at a failpoint, ``NAME:N``, or after some seconds."""

    failpoint: str = ""
    after: float | None = None


def drawn(chance: random.Random, passed: Passed, seconds: float) -> Moment:
    """Draw a moment of a phase that takes so many seconds."""
    at, later = chance.random(), chance.random() < 0.5
    if later:
        return Moment(after=at * seconds)
    number = int(at * len(passed.reached))
    name = passed.reached[number]
    return Moment(failpoint=f"{name}:{passed.reached[: number + 1].count(name)}")


@dataclass
class Sweep:
    """Moments that were hit, each with the failpoint behind which it was, by phase.

    Attributes:
        host: The lakes' surroundings.
        hit: How often each point was, by phase; ``@`` before it where the clock chose the moment.
        missed: Moments that came after the phase's end.
        quickest: The least seconds that a phase has taken, where a moment missed it: a busy machine is not always so.
    """

    host: Host
    hit: dict[str, Counter[str]] = field(default_factory=lambda: {phase: Counter() for phase in PHASES})
    missed: int = 0
    quickest: dict[str, float] = field(default_factory=dict)

    @property
    def hits(self) -> int:
        """Moments that were hit."""
        return sum(points.total() for points in self.hit.values())

    def kill(self, worker: Worker, phase: str, moment: Moment) -> str | None:
        """Do a phase that dies at a moment; return the failpoint behind which it was, ``None`` where it ended."""
        known, clock = len(reached(worker.lake)), time.monotonic()
        if worker.do(phase, failpoint=moment.failpoint, after=moment.after):
            self.missed += 1
            self.quickest[phase] = time.monotonic() - clock
            return None
        behind = (reached(worker.lake)[known:] or ["its beginning"])[-1]
        self.hit[phase][behind if moment.failpoint else f"@{behind}"] += 1
        return behind

    def told(self) -> str:
        """What was hit, a line a phase."""
        lines = [f"{self.hits} moments hit, {self.missed} came after the end of their phase (@: by the clock)"]
        for phase, points in self.hit.items():
            named = ", ".join(f"{point} {times}" if times > 1 else point for point, times in sorted(points.items()))
            lines.append(f"  {phase:<13} {points.total():>3}  {named}")
        return "\n".join(lines)


def holding(lake: Path, value: str) -> list[str]:
    """Files of a lake in which a value is, as bytes or in a column."""
    found = []
    for path in lake.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if data[:4] == b"PAR1":
                data += repr(pq.ParquetFile(path).read().to_pylist()).encode()
            if value.encode() in data:
                found.append(str(path.relative_to(lake)))
    return found


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_moments(undisturbed_town: Undisturbed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance, sweep = random.Random(SEED), Sweep(undisturbed_town.host)
    number = 0
    while sweep.hits < MOMENTS:
        number += 1
        lake = tmp_path / f"lake-{number}" / "lake"
        killed_in_every_phase(undisturbed_town, lake, chance, sweep)
        shutil.rmtree(lake)
    with capsys.disabled():
        print(f"\nseed {SEED}, {number} lakes: {sweep.told()}")
    assert all(points.total() for points in sweep.hit.values())


def killed_in_every_phase(town: Undisturbed, lake: Path, chance: random.Random, sweep: Sweep) -> None:
    """Do all phases on one lake, each of them killed once."""
    twice = 0
    workers = [Worker(town.host, lake), Worker(town.host, lake)]
    for phase, passed in town.phases.items():
        moment = drawn(chance, passed, sweep.quickest.get(phase, passed.seconds))
        behind = sweep.kill(workers[0].ready(), phase, moment)
        if behind is not None:
            workers = [workers[1], Worker(town.host, lake)]
            assert workers[0].ready().do(phase, again=True), workers[0].said.read_text()
        twice += behind in TELLING
        assert state(lake) == passed.after, f"{phase}, killed at {moment} behind {behind}, seed {SEED}"
    for worker in workers:
        worker.ready().close()
    assert unbalanced(lake) == []
    assert holding(lake, SUBJECT) == []
    told = alerts(town.host.told[lake.parent.name])
    assert told.keys() == alerts(town.host.told["undisturbed"]).keys()
    assert all(len(messages) == 1 for messages in told.values()), "a message came under two ids"
    assert sum(sum(messages) - 1 for messages in told.values()) <= twice, "a message came twice"
    before = state(lake)
    assert without_orphans(lake) > 0
    assert state(lake) == before
