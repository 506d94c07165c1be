"""The offline preview beside the real one: where a credential and the plugins exist, what the stand-ins got wrong.

Both start from the same state, the real backend's; nothing is changed anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from levee.engine.project import Project
from levee.engine.run import preview, real_state
from levee.engine.session import Options
from levee.errors import LeveeError, UsageError
from levee.plan import STACK_TYPE, UNKNOWN, Op, Plan, Resource

_VERSION: Final = 1
_MISSING: Final = (
    (
        ("no resource plugin", "plugin not found", "could not load plugin", "pulumi plugin install", "get plugin"),
        "pulumi plugin install",
    ),
    (
        ("credential", "not logged in", "az login", "gcloud auth", "unauthorized", "unable to locate", "kubeconfig"),
        "log in to that cloud, as for pulumi preview",
    ),
)
"""What real providers and the engine say where there is no plugin or no credential, and what mends it."""


@dataclass(frozen=True, slots=True)
class StepDifference:
    """A resource of which the two previews would do different things.

    Attributes:
        urn: The resource.
        type: Its type token.
        offline: What the offline preview would do; empty where it does not know the resource.
        online: What the real one would do; empty likewise.
        offline_keys: The properties that force a replacement, as the stand-in has it.
        online_keys: The same as the real provider has it.
        said_unknown: The offline preview itself said that no fact decides the replacement.
        source: Where the program registered it.
    """

    urn: str
    type: str
    offline: str = ""
    online: str = ""
    offline_keys: tuple[str, ...] = ()
    online_keys: tuple[str, ...] = ()
    said_unknown: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """A property that is not the same in both previews.

    Attributes:
        urn: The resource.
        side: ``inputs`` or ``outputs``.
        path: The property, dotted.
        offline: Its value offline; ``None`` where there is none.
        online: Its value online.
        kind: ``different``, or ``known only offline`` or ``known only online`` where the other does not know it yet.
    """

    urn: str
    side: str
    path: str
    offline: Any
    online: Any
    kind: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference between an offline and a real preview.

    Attributes:
        project: The project's name.
        stack: The stack's name.
        resources: How many resources the two know together.
        steps: Different steps, resources that only one knows among them.
        values: Different inputs and outputs.
        failed_offline: What the offline preview failed with; empty where it did not.
        failed_online: What the real one failed with.
    """

    project: str
    stack: str
    resources: int = 0
    steps: tuple[StepDifference, ...] = ()
    values: tuple[ValueDifference, ...] = ()
    failed_offline: str = ""
    failed_online: str = ""

    @property
    def differs(self) -> bool:
        """Whether they would take different steps; a preview that fails alone takes none."""
        return bool(self.steps) or bool(self.failed_offline) != bool(self.failed_online)

    def to_document(self) -> dict[str, Any]:
        """The comparison as JSON values: ``{"version", "differs", "steps": [...], "values": [...], ...}``."""
        return {"version": _VERSION, "differs": self.differs, **asdict(self)}


def compare(folder: Path, stack: str, options: Options) -> Comparison:
    """Preview offline and for real, from the real state, and tell the difference.

    Args:
        folder: The project's folder.
        stack: The stack, which the user's own backend has.
        options: How to run; both previews get them.

    Raises:
        UsageError: There is no backend, stack, plugin or credential to compare with.
    """
    state = real_state(folder, stack, replace(options, offline=False))
    online = _try(folder, stack, replace(options, offline=False))
    if isinstance(online, LeveeError):
        _refuse_missing(online)
    offline = _try(folder, stack, replace(options, offline=True, state=state))
    return between(offline, online, project=Project.load(folder).name, stack=stack)


def _try(folder: Path, stack: str, options: Options) -> Plan | LeveeError:
    try:
        return preview(folder, stack, options)
    except LeveeError as failed:
        return failed


def _refuse_missing(failed: LeveeError) -> None:
    said = failed.message.lower()
    for signs, fix in _MISSING:
        if any(sign in said for sign in signs):
            raise UsageError(
                f"there is nothing to compare with: the real preview has no plugin or no credential: {failed.message}",
                where=failed.where,
                fix=f"{fix}; then again: levee preview --compare-online",
            ) from failed


def between(offline: Plan | LeveeError, online: Plan | LeveeError, *, project: str, stack: str) -> Comparison:
    """The difference between two previews, each a plan or what it failed with."""
    if isinstance(offline, LeveeError) or isinstance(online, LeveeError):
        return Comparison(project, stack, failed_offline=_said(offline), failed_online=_said(online))
    ours, theirs = _compared(offline), _compared(online)
    urns = [*ours, *(urn for urn in theirs if urn not in ours)]
    return Comparison(
        project=online.project,
        stack=online.stack,
        resources=len(urns),
        steps=tuple(step for urn in urns if (step := _step(urn, ours.get(urn), theirs.get(urn)))),
        values=tuple(
            value for urn in urns if urn in ours and urn in theirs for value in _values(ours[urn], theirs[urn])
        ),
    )


def _said(outcome: Plan | LeveeError) -> str:
    return str(outcome) if isinstance(outcome, LeveeError) else ""


def _compared(plan: Plan) -> dict[str, Resource]:
    """Providers are not compared: the stand-in's are configured less."""
    return {r.urn: r for r in plan.resources if not r.is_provider and r.type != STACK_TYPE}


def _step(urn: str, offline: Resource | None, online: Resource | None) -> StepDifference | None:
    if offline is not None and online is not None and offline.op is online.op:
        return None
    known = offline or online
    assert known is not None
    return StepDifference(
        urn=urn,
        type=known.type,
        offline=offline.op.value if offline else "",
        online=online.op.value if online else "",
        offline_keys=offline.replace_keys if offline else (),
        online_keys=online.replace_keys if online else (),
        said_unknown=bool(offline and offline.replacement_unknown and online and online.op is Op.REPLACE),
        source=str(known.source or ""),
    )


def _values(offline: Resource, online: Resource) -> Iterator[ValueDifference]:
    for side in ("inputs", "outputs"):
        ours, theirs = _flat(getattr(offline, side)), _flat(getattr(online, side))
        for path in [*ours, *(path for path in theirs if path not in ours)]:
            one, other = ours.get(path), theirs.get(path)
            if one == other:
                continue
            kind = "different"
            if path not in theirs or other == UNKNOWN:
                kind = "known only offline"
            elif path not in ours or one == UNKNOWN:
                kind = "known only online"
            yield ValueDifference(offline.urn, side, path, _readable(one), _readable(other), kind)


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping) and value:
        found: dict[str, Any] = {}
        for key, item in value.items():
            if not key.startswith("__"):
                found |= _flat(item, f"{path}.{key}" if path else key)
        return found
    return {path: value} if path else {}


def _readable(value: Any) -> Any:
    return "(unknown)" if value == UNKNOWN else value
