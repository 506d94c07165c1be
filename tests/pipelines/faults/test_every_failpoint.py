"""A process is killed at every failpoint there is, and the next one ends as if nothing had happened."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from pipelines.failpoints import FAILPOINTS
from tests.pipelines.faults.conftest import Undisturbed
from tests.pipelines.faults.town import PHASES, Worker, alerts, copied, state, unbalanced

PHASE_OF: Final = {
    "extract.planned": "extract",
    "extract.staged": "extract",
    "extract.landed": "extract",
    "extract.recorded": "extract",
    "bronze.before_commit": "bronze",
    "bronze.committed": "bronze",
    "bronze.recorded": "bronze",
    "silver.before_commit": "silver",
    "silver.staged": "silver",
    "staging.linked": "silver",
    "silver.published": "silver",
    "silver.rejected": "silver",
    "silver.before_history": "later silver",
    "silver.historised": "later silver",
    "silver.settled": "later silver",
    "silver.counted": "silver",
    "silver.held": "later silver",
    "silver.recorded": "silver",
    "quarantine.noted": "quarantine",
    "quarantine.settled": "quarantine",
    "quarantine.before_landing": "quarantine",
    "quarantine.landed": "quarantine",
    "quarantine.before_entry": "quarantine",
    "quarantine.entered": "quarantine",
    "gold.withheld": "later gold",
    "gold.before_commit": "later gold",
    "gold.committed": "later gold",
    "vault.deposited": "silver",
    "rotate.emptied": "rotate",
    "rotate.refined": "rotate",
    "restore.committed": "restore",
    "restore.told": "repair",
    "erase.suppressed": "erase",
    "erase.before_rewriting": "erase",
    "erase.rewritten": "erase",
    "erase.before_commit": "erase",
    "erase.committed": "erase",
    "erase.recorded": "erase",
    "erase.forgotten": "erase",
    "erase.built": "erase",
    "erase.purged": "erase",
    "erase.certified": "erase",
    "alerts.recorded": "fail",
    "alerts.sent": "fail",
    "budget.before_decision": "gold",
    "budget.decided": "gold",
}
"""The phase of the small lake in which a process dies at each failpoint."""


def test_every_failpoint_has_a_phase_in_which_a_process_dies_there() -> None:
    assert PHASE_OF.keys() == FAILPOINTS.keys(), "give each failpoint a phase of the small lake that reaches it"
    assert set(PHASE_OF.values()) <= PHASES.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", PHASE_OF)
def test_killed_there_the_next_run_makes_it_good(undisturbed_town: Undisturbed, tmp_path: Path, name: str) -> None:
    phase = PHASE_OF[name]
    passed = undisturbed_town.phases[phase]
    lake = copied(passed.before, tmp_path / f"at-{name}" / "lake")
    died, next_one = (Worker(undisturbed_town.host, lake) for _ in range(2))

    assert not died.ready().do(phase, failpoint=name), f"{name} was not reached"
    assert next_one.ready().do(phase, again=True), next_one.said.read_text()
    next_one.close()

    assert state(lake) == passed.after
    assert unbalanced(lake) == []
    told = alerts(undisturbed_town.host.told.get(lake.parent.name, []))
    twice = 2 if name == "alerts.sent" else 1  # nobody knows whether it has come: it comes again, under the same id
    assert told == ({("levee.alert.task_failed", "readings"): [twice]} if phase == "fail" else {})
