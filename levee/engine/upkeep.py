"""What is done for the user around a run: the stack is made, and what a run that died left behind is put right."""

from __future__ import annotations

import json
import time
from typing import Final

from levee.engine.session import Session
from levee.engine.standin.cloud import SimulatedCloud
from levee.engine.workspace import runs_pulumi
from levee.errors import EngineError, UsageError

_PATIENCE_SECONDS: Final = 30.0


def ensure_stack(session: Session, *, create: bool) -> None:
    """Make the offline stack where there is none.

    Raises:
        UsageError: There is none and ``create`` is false.
        EngineError: It cannot be made.
    """
    if not session.options.offline or session.workspace.checkpoint.exists():
        return
    if not create:
        raise UsageError(
            f"stack {session.stack!r} is not up: nothing was provisioned yet",
            where=str(session.workspace.folder),
            fix=f"levee up {session.stack}",
        )
    made = session.cli("stack", "init", session.stack, "--secrets-provider", "passphrase")
    if made.code != 0:
        raise EngineError(f"the stack could not be made: {made.stderr.strip()}", where=str(session.workspace.state))


def free_lock(session: Session) -> None:
    """Do what ``pulumi cancel`` is for, where a run that died left Pulumi's lock.

    Our own lock is held, so the only other holder can be an engine that outlived its run: it is given time to end.

    Raises:
        EngineError: It still runs, or the lock cannot be taken away.
    """
    patience = time.monotonic() + _PATIENCE_SECONDS
    while (pid := session.workspace.pulumi_lock()) is not None and runs_pulumi(pid):
        if time.monotonic() > patience:
            raise EngineError(f"an engine still works on stack {session.stack!r} (process {pid})", fix=f"kill {pid}")
        time.sleep(0.2)
    if pid is None:
        return
    freed = session.cli("cancel", "--yes", "--stack", session.stack)
    if freed.code != 0:
        raise EngineError(
            f"a run that died left its lock: {freed.stderr.strip()}",
            where=str(session.workspace.state),
            fix=f"rm -r {session.workspace.state}/.pulumi/locks",
        )
    session.notes.append(f"freed the lock that process {pid or 'unknown'} left when it died (pulumi cancel)")


def settle_pending(session: Session) -> None:
    """Clear the operations that a killed run left pending, and roll back in the simulated cloud what it half made.

    The state does not know what such a create made; the engine would warn of it for ever.

    Raises:
        EngineError: The state cannot be written.
    """
    if '"pending_operations"' not in session.workspace.checkpoint.read_text(encoding="utf-8"):
        return
    state = session.export()
    pending = state.get("deployment", {}).pop("pending_operations", None) or []
    if not pending:
        return
    known = {resource["urn"] for resource in state["deployment"].get("resources") or []}
    half_made = {p["resource"]["urn"] for p in pending if p["type"] == "creating"} - known
    with SimulatedCloud(session.workspace.cloud) as cloud:
        for record in list(cloud.resources()):
            if record.urn in half_made and not record.removed:
                cloud.remove(record.urn)
    written = session.scratch / "state.json"
    written.write_text(json.dumps(state), encoding="utf-8")
    imported = session.cli("stack", "import", "--stack", session.stack, "--file", str(written))
    if imported.code != 0:
        raise EngineError(f"the state cannot be written: {imported.stderr.strip()}", where=str(session.workspace.state))
    names = ", ".join(sorted(p["resource"]["urn"].rsplit("::", 1)[-1] for p in pending))
    session.notes.append(f"a run that died left {len(pending)} operations pending, now cleared: {names}")


def unprotect(session: Session) -> None:
    """Lift the engine's protection of every resource.

    Raises:
        EngineError: The state cannot be written.
    """
    lifted = session.cli("state", "unprotect", "--all", "--yes", "--stack", session.stack)
    if lifted.code != 0:
        raise EngineError(f"the protection could not be lifted: {lifted.stderr.strip()}", fix="pulumi state unprotect")
