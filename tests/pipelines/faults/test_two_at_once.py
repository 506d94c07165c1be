"""Two runs do the same at the same time, under one name as a job that was started twice: one would have been enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipelines.faults.conftest import Undisturbed
from tests.pipelines.faults.town import Worker, alerts, copied, state, unbalanced


@pytest.mark.slow
@pytest.mark.parametrize(
    "phase", ["bronze", "silver", "gold", "later bronze", "later silver", "later gold", "maintain", "recover"]
)
def test_two_at_once(undisturbed_town: Undisturbed, tmp_path: Path, phase: str) -> None:
    passed = undisturbed_town.phases[phase]
    lake = copied(passed.before, tmp_path / f"two-{phase.replace(' ', '-')}" / "lake")
    workers = [Worker(undisturbed_town.host, lake) for _ in range(2)]
    for worker in workers:
        worker.ready()
    for worker in workers:
        worker.begin(phase, "the-run")
    assert [worker.ended() for worker in workers] == [True, True]
    for worker in workers:
        worker.close()
    assert state(lake) == passed.after
    assert unbalanced(lake) == []
    told = alerts(undisturbed_town.host.told.get(lake.parent.name, []))
    assert told.keys() == ({("levee.alert.recovered", "readings")} if phase == "recover" else set())
