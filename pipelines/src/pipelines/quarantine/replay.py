"""What a replay means to the states of rejected records.

Before, the records that it is about to judge and nobody has done anything about are entered as open, so that whatever
happens later it is known that they were there. After, those that have left quarantine, or whose correction is
published, are replayed; a correction that was itself rejected leaves its record open. Both compare the tables with the
events, so a replay that was killed anywhere is made good by the next one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.bronze.ingest import bronze_path
from pipelines.failpoints import failpoint
from pipelines.ledger import Ledger, Status, latest
from pipelines.quarantine.records import ID, Quarantine
from pipelines.quarantine.states import ACTIONABLE, Event, State, States, newest, standing
from pipelines.settings import Layer, RunSettings
from pipelines.silver.plan import SilverPlan
from pipelines.silver.refine import refine
from pipelines.silver.refinement import quarantine_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine


def replayed(engine: Engine, settings: RunSettings, contract: Contract) -> None:
    """Judge every record of a dataset again by the contract as it is now, and enter what becomes of those rejected.

    Raises:
        PipelineError: as :func:`pipelines.silver.refine.refine`.
    """
    note(engine, settings, contract)
    refine(engine, contract, settings, again=True)
    settle(engine, settings, contract)


def note(engine: Engine, settings: RunSettings, contract: Contract) -> None:
    """Enter what is in quarantine, and nobody has done anything about, as open."""
    if not engine.exists(quarantine_path(settings, contract.dataset)):
        return
    states = States(engine, settings)
    last = newest(states.events(contract.dataset))
    there = Quarantine(engine, settings, contract, last).rules()
    entry = _entries(engine, settings, contract)
    fresh = [
        replace(entry, quarantine_id=name, rules=rules)
        for name, rules in sorted(there.items())
        if standing(last.get(name)) is State.OPEN and (name not in last or last[name].state is not State.OPEN)
    ]
    states.add(fresh)
    failpoint("quarantine.noted")


def settle(engine: Engine, settings: RunSettings, contract: Contract) -> None:
    """Enter what has become of open and corrected records."""
    states = States(engine, settings)
    last = newest(states.events(contract.dataset))
    waiting = {name: event for name, event in last.items() if event.state in ACTIONABLE}
    if not waiting:
        return
    there = Quarantine(engine, settings, contract, last).rules()
    corrections = {event.correction for event in waiting.values() if event.correction}
    outcomes = _outcomes(engine, settings, contract, corrections, there)
    entry = _entries(engine, settings, contract)
    events = []
    for name, event in sorted(waiting.items()):
        now = replace(entry, quarantine_id=name, rules=there.get(name, event.rules), correction=event.correction)
        rejected = outcomes.get(event.correction) if event.correction else None
        if event.state is State.CORRECTED and rejected == "":
            events.append(replace(now, state=State.REPLAYED, reason="its correction is published"))
        elif name not in there:
            events.append(replace(now, state=State.REPLAYED, reason="it is no longer in quarantine"))
        elif event.state is State.CORRECTED and rejected:
            events.append(replace(now, correction=None, reason=f"{event.correction}: {rejected}"))
    states.add(events)
    failpoint("quarantine.settled")


def _entries(engine: Engine, settings: RunSettings, contract: Contract) -> Event:
    """An event of this run, without its record."""
    at = datetime.now(UTC)
    return Event(contract.dataset, "", State.OPEN, "", engine.actor(), None, None, settings.run_id, at)


def _outcomes(
    engine: Engine, settings: RunSettings, contract: Contract, names: set[str], there: Mapping[str, str]
) -> dict[str, str]:
    """Why each correction was rejected, by its name; empty where it is published, absent where nothing is known yet.

    Args:
        engine: The open engine.
        settings: Where the tables are.
        contract: The contract.
        names: Names of the deliveries.
        there: Rules of the records that are in quarantine.
    """
    ledger = Ledger(engine, settings)
    arrived = [entry for entry in ledger.entries(Layer.BRONZE, contract.dataset) if entry.file in names]
    refined = latest(ledger.entries(Layer.SILVER, contract.dataset))
    done = {sha for sha, entry in refined.items() if entry.status in (Status.COMMITTED, Status.EXPIRED)}
    shas = {entry.file: entry.file_sha256 for entry in arrived if entry.file_sha256 in done}
    rejected = _rejected(engine, settings, contract, set(shas.values()), there) if shas else {}
    found = {name: rejected.get(sha, "") for name, sha in shas.items()}
    unread = {e.file: e.detail or "" for e in arrived if e.status is Status.REJECTED and e.file not in found}
    return found | {name: f"the file was rejected: {why}" for name, why in unread.items()}


def _rejected(
    engine: Engine, settings: RunSettings, contract: Contract, shas: set[str], there: Mapping[str, str]
) -> dict[str, str]:
    """Rules that corrections broke, by their content: looked up by their rows' hash.

    A correction that is identical to another rejected record has no row of its own.
    """
    rows = engine.among(engine.read(bronze_path(settings, contract.dataset)), "_file_sha256", sorted(shas))
    plan = SilverPlan.of(contract, settings.pseudonym_key, settings.run_id, "")
    called = plan.hashes(rows).selectExpr("_file_sha256", ID).toArrow().to_pylist()
    broken = {row["_file_sha256"]: there[row["quarantine_id"]] for row in called if row["quarantine_id"] in there}
    return {sha: f"the correction breaks {rules}" for sha, rules in broken.items()}


__all__ = ["note", "replayed", "settle"]
