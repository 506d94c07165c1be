"""What is done for the user around a run: the stack is made, and what a run that died left behind is put right."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from levee.engine.project import read_yaml
from levee.engine.session import Session
from levee.engine.standin.cloud import Record, SimulatedCloud
from levee.engine.workspace import runs_pulumi
from levee.errors import EngineError, UsageError
from levee.plan import Urn
from levee.sdk import package_of

_PATIENCE_SECONDS: Final = 30.0
_LOCAL: Final = frozenset({"random", "tls", "command", "time", "local"})
"""Packages whose resources are in no cloud: what is not in the state is nowhere."""
_WAITS: Final = "the next up takes it up again (from a real cloud: `pulumi import`)"
_REMOVED: Final = "removed from the simulated cloud"


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
        raise EngineError(
            f"the stack could not be made: {made.stderr.strip()}",
            where=str(session.workspace.state),
            fix="levee doctor",
        )


def begin_with(session: Session, state: str) -> None:
    """Give the offline stack a state from elsewhere; its secrets, which are open in the text, touch no disk.

    Args:
        session: A run in a workspace of its own.
        state: What ``pulumi stack export --show-secrets`` prints.

    Raises:
        EngineError: The engine does not take it.
    """
    document = json.loads(state)
    deployment = document.get("deployment") or {}
    # It is for the key of this workspace to close the secrets again.
    deployment["secrets_providers"] = {
        "type": "passphrase",
        "state": {"salt": read_yaml(session.workspace.config)["encryptionsalt"]},
    }
    deployment.pop("pending_operations", None)
    taken = session.cli("stack", "import", "--force", "--stack", session.stack, stdin=json.dumps(document))
    if taken.code != 0:
        raise EngineError(
            f"the real state cannot be previewed offline: {taken.stderr.strip()}",
            where=session.stack,
            fix=f"pulumi refresh --stack {session.stack}, then again",
        )


def free_lock(session: Session) -> None:
    """Do what ``pulumi cancel`` is for, where a run that died left Pulumi's lock.

    Our own lock is held, so the only other holder can be an engine that outlived its run: it is given time to end.
    The backend's attribute files, which an engine that was killed leaves torn and which nobody needs, go first.

    Raises:
        EngineError: It still runs, or the lock cannot be taken away.
    """
    for sidecar in session.workspace.state.rglob("*.attrs"):
        sidecar.unlink()
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


def settle(session: Session, *, creating: bool, destroying: bool) -> None:
    """Put right what a run left behind that was cut off: operations that it had begun, resources it never wrote down.

    A pending operation is cleared from the state; the next update does it again. A resource that was created and that
    the state does not know is taken up again by the next create of its URN, under the same name and id, so that nothing
    is there twice; a destroy removes it. Both are said.

    Args:
        session: The run, before its engine starts.
        creating: The run is a preview or an update.
        destroying: The run is a destroy.

    Raises:
        EngineError: The state cannot be written.
    """
    pending = b'"pending_operations"' in session.workspace.checkpoint.read_bytes()
    begun = _clear_pending(session) if pending else frozenset()
    if not session.workspace.cloud.exists():
        return
    with SimulatedCloud(session.workspace.cloud) as cloud:
        waiting = cloud.unconfirmed()
        waiting = [*waiting, *(r for r in cloud.resources() if r.urn in begun and r not in waiting)]
        if not waiting:
            return
        held = _held(session.workspace.resources())
        cloud.confirm(record for record in waiting if _is_held(record, held))
        for orphan in waiting:
            if _is_held(orphan, held):
                continue
            if destroying or package_of(orphan.type) in _LOCAL:
                cloud.put(replace(orphan, removed=True))
                cloud.confirm([orphan])
            else:
                cloud.offer(orphan)
            if package_of(orphan.type) not in _LOCAL:
                becomes = "taken up again by this run" if creating else _REMOVED if destroying else _WAITS
                session.notes.append(_tell(orphan, becomes))


def confirm(session: Session, states: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Note in the simulated cloud which of the resources that were made the state holds.

    Args:
        session: The run, after its engine ended.
        states: The resources in the stack's state.

    Returns:
        One sentence for each resource that the state does not hold.
    """
    with SimulatedCloud(session.workspace.cloud) as cloud:
        waiting = cloud.unconfirmed()
        held = _held(states) if waiting else frozenset()
        cloud.confirm(record for record in waiting if _is_held(record, held))
    return tuple(_tell(r, _WAITS) for r in waiting if not _is_held(r, held) and package_of(r.type) not in _LOCAL)


def _clear_pending(session: Session) -> frozenset[str]:
    """Clear the pending operations; the URNs whose creation was among them."""
    state = session.export()
    pending = state.get("deployment", {}).pop("pending_operations", None) or []
    if not pending:
        return frozenset()
    written = session.scratch / "state.json"
    written.write_text(json.dumps(state), encoding="utf-8")
    imported = session.cli("stack", "import", "--stack", session.stack, "--file", str(written))
    if imported.code != 0:
        raise EngineError(
            f"the state cannot be written: {imported.stderr.strip()}",
            where=str(session.workspace.state),
            fix=f"levee doctor, or begin anew: rm -r {session.workspace.folder}",
        )
    begun = ", ".join(sorted(f"{p['type']} {Urn.parse(p['resource']['urn']).name}" for p in pending))
    session.notes.append(f"a run that died left {len(pending)} operations pending, now cleared: {begun}")
    return frozenset(p["resource"]["urn"] for p in pending if p["type"] == "creating")


def _held(states: Iterable[Mapping[str, Any]]) -> frozenset[tuple[str, str]]:
    """What the state holds: its URNs and its types, each with the id."""
    return frozenset((key, s["id"]) for s in states if s.get("id") for key in (s["urn"], s["type"]))


def _is_held(record: Record, held: frozenset[tuple[str, str]]) -> bool:
    return (record.urn, record.id) in held or (record.type, record.id) in held


def _tell(orphan: Record, becomes: str) -> str:
    what = f"{Urn.parse(orphan.urn).name} ({orphan.type} {orphan.id!r})"
    return f"{what} is in the cloud, and a run that was cut off never wrote it down: {becomes}"


def unprotect(session: Session) -> None:
    """Lift the engine's protection of every resource.

    Raises:
        EngineError: The state cannot be written.
    """
    lifted = session.cli("state", "unprotect", "--all", "--yes", "--stack", session.stack)
    if lifted.code != 0:
        raise EngineError(f"the protection could not be lifted: {lifted.stderr.strip()}", fix="pulumi state unprotect")
