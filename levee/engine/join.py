"""From what the engine leaves behind to a ``Plan``.

Three sources, joined by URN, because none has everything: the preview's JSON (or after an update the exported state)
knows dependencies and source lines, the event stream knows outputs, violations and what became of each step, and the
notes of the stand-ins and of the language host know which lookups were invented and where they were made.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from levee.plan import (
    SECRET,
    UNKNOWN,
    Level,
    Op,
    Resource,
    Source,
    Verdict,
    Violation,
    logical_name,
    read_message,
)
from levee.wire import OUTPUT_SIGNATURE, SECRET_SIGNATURE, SIGNATURE, UNKNOWNS

_OPS: Final[Mapping[str, Op]] = {
    "same": Op.SAME,
    "create": Op.CREATE,
    "update": Op.UPDATE,
    "delete": Op.DELETE,
    "replace": Op.REPLACE,
    "create-replacement": Op.REPLACE,
    "delete-replaced": Op.REPLACE,
    "discard-replaced": Op.REPLACE,
    "read": Op.READ,
    "read-replacement": Op.READ,
    "discard": Op.DELETE,
    "refresh": Op.SAME,
    "import": Op.IMPORT,
    "import-replacement": Op.REPLACE,
    "remove-pending-replace": Op.DELETE,
}
"""``pkg/resource/deploy/step.go``; a refresh that found nothing is the same."""


@dataclass
class Step:
    """What the engine did, or would do, with one URN."""

    op: Op = Op.SAME
    diff: tuple[str, ...] = ()
    replace_keys: tuple[str, ...] = ()
    old: Mapping[str, Any] | None = None
    outputs: Mapping[str, Any] | None = None
    failed: bool = False


@dataclass
class Events:
    """The events of one run, read once.

    Attributes:
        steps: By URN; of an update the steps that were carried out, not those its own preview announced.
        findings: What the packs reported, by verdict, in their order; packs run in the preview of an update and again
            in the update itself, and the same finding counts once.
        errors: Error messages with the URN they concern, or an empty one.
        warnings: The same for warnings.
    """

    steps: dict[str, Step] = field(default_factory=dict)
    findings: dict[Verdict, dict[Violation, None]] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)


def clean(value: Any) -> Any:
    """A property value without the engine's wire forms: secrets and unknowns become their one sign each.

    Assets and archives keep their hash and path.
    """
    if isinstance(value, str):
        return UNKNOWN if value in UNKNOWNS else value
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        signature = value.get(SIGNATURE)
        if signature == SECRET_SIGNATURE:
            return SECRET
        if signature == OUTPUT_SIGNATURE:
            return SECRET if value.get("secret") else clean(value.get("value", UNKNOWN))
        return {key: clean(item) for key, item in value.items() if key != SIGNATURE}
    return value


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a JSON-lines file; a torn last line is what a killed writer leaves and carries nothing."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield json.loads(line)


def read_events(path: Path, *, updating: bool) -> Events:
    """Read the events that one operation left.

    Args:
        path: JSON lines, ``sdk/go/common/apitype/events.go``.
        updating: The run was meant to change something: steps of its preview are then left out, unless the preview
            was all that happened.
    """
    planned, carried_out = Events(), Events()
    for event in records(path):
        _take(event, planned, carried_out)
    if not updating or not carried_out.steps:
        return planned
    carried_out.findings = planned.findings
    carried_out.errors = planned.errors
    carried_out.warnings = planned.warnings
    return carried_out


def _take(event: Mapping[str, Any], planned: Events, carried_out: Events) -> None:
    if step := event.get("resourcePreEvent"):
        _begin(planned if step.get("planning") else carried_out, step["metadata"])
    elif step := event.get("resOutputsEvent"):
        _finish(planned if step.get("planning") else carried_out, step["metadata"])
    elif step := event.get("resOpFailedEvent"):
        metadata = step["metadata"]
        carried_out.steps.setdefault(metadata["urn"], Step(_OPS.get(metadata["op"], Op.SAME))).failed = True
    elif found := event.get("policyEvent"):
        verdict, message = read_message(_plain(found["message"]))
        violation = Violation(
            pack=found["policyPackName"],
            policy=found["policyName"],
            level=Level(found["enforcementLevel"]),
            message=message,
            urn=found.get("resourceUrn", ""),
        )
        planned.findings.setdefault(verdict, {})[violation] = None
    elif said := event.get("diagnosticEvent"):
        into = {"error": planned.errors, "warning": planned.warnings}.get(said["severity"])
        message = _plain(said["message"])
        if into is not None and message and not said.get("ephemeral") and (said.get("urn", ""), message) not in into:
            into.append((said.get("urn", ""), message))


def _begin(events: Events, metadata: Mapping[str, Any]) -> None:
    op = _OPS.get(metadata["op"], Op.SAME)
    step = events.steps.setdefault(metadata["urn"], Step(op))
    if step.op is not Op.REPLACE:
        step.op = op
    _note_diff(step, metadata)


def _finish(events: Events, metadata: Mapping[str, Any]) -> None:
    step = events.steps.setdefault(metadata["urn"], Step(_OPS.get(metadata["op"], Op.SAME)))
    # A refresh is announced as such and ends as what it found: same, update or delete.
    if step.op is Op.SAME and metadata["op"] in {"update", "delete"}:
        step.op = _OPS[metadata["op"]]
        _note_diff(step, metadata)
    new = metadata.get("new")
    if new is not None:
        step.outputs = new.get("outputs") or {}


def _note_diff(step: Step, metadata: Mapping[str, Any]) -> None:
    step.diff = tuple(metadata.get("detailedDiff") or metadata.get("diffs") or step.diff)
    step.replace_keys = tuple(metadata.get("keys") or step.replace_keys)
    step.old = metadata.get("old") or step.old


def _plain(text: str) -> str:
    """Without the engine's colour markers and terminal codes."""
    return re.sub(r"<\{%.*?%\}>|\x1b\[[0-9;]*m", "", text).strip()


class Sources:
    """Turns the engine's ``project:///<path>#<line>`` into places relative to the project.

    Args:
        engine_root: The folder that the engine took for the project's.
        root: The project's own folder.
    """

    def __init__(self, engine_root: Path, root: Path) -> None:
        self._engine_root = engine_root
        self._root = root
        self._seen: dict[str, Source | None] = {}

    def __call__(self, position: str | None) -> Source | None:
        """The place, or ``None`` where the engine knows none or it lies in an SDK's own code."""
        if not position:
            return None
        if position not in self._seen:
            self._seen[position] = self._read(position)
        return self._seen[position]

    def _read(self, position: str) -> Source | None:
        path, _, fragment = position.removeprefix("project:///").removeprefix("file://").partition("#")
        absolute = os.path.normpath(self._engine_root / path)
        line = fragment.split(",")[0]
        if "/site-packages/" in absolute or not line.isdigit():
            return None
        inside = absolute.startswith(f"{self._root}{os.sep}")
        return Source(os.path.relpath(absolute, self._root) if inside else absolute, int(line))


def resources(
    states: Iterable[Mapping[str, Any]], events: Events, sources: Sources, unknown_replacements: frozenset[str]
) -> tuple[Resource, ...]:
    """The graph: every state, with what the events say of it, then what only the events know (what was deleted).

    Args:
        states: Resource states as the preview's JSON and the exported state write them.
        events: The run's events.
        sources: Reads source positions.
        unknown_replacements: URNs of updates that the real provider might turn into replacements.
    """
    found: dict[str, Resource] = {}
    for state in states:
        urn = state["urn"]
        if state.get("delete"):
            continue
        step = events.steps.get(urn, Step())
        found[urn] = _resource(state, step, sources, unknown=urn in unknown_replacements)
    for urn, step in events.steps.items():
        if urn not in found and step.op is Op.DELETE and step.old is not None:
            found[urn] = _resource({**step.old, "urn": urn}, step, sources, unknown=False)
    return tuple(found.values())


def _resource(state: Mapping[str, Any], step: Step, sources: Sources, *, unknown: bool) -> Resource:
    outputs = state.get("outputs") or step.outputs or {}
    return Resource(
        urn=state["urn"],
        type=state["type"],
        name=logical_name(state["urn"]),
        op=step.op,
        custom=bool(state.get("custom", bool(state.get("id")))),
        id=clean(state.get("id") or ""),
        inputs=clean(state.get("inputs") or {}),
        outputs=clean(outputs),
        parent=state.get("parent") or None,
        provider=state.get("provider") or "",
        dependencies=tuple(state.get("dependencies") or ()),
        property_dependencies={k: tuple(v or ()) for k, v in (state.get("propertyDependencies") or {}).items()},
        protect=bool(state.get("protect")),
        source=sources(_position(state)),
        diff=step.diff,
        replace_keys=step.replace_keys,
        replacement_unknown=unknown and step.op is Op.UPDATE,
    )


def _position(state: Mapping[str, Any]) -> str | None:
    """Where it was registered; of a component that its provider constructs only the stack trace tells."""
    frames = state.get("stackTrace") or [{}]
    return state.get("sourcePosition") or frames[0].get("sourcePosition")


def opaque(reasons: Mapping[str, str], graph: Sequence[Resource]) -> tuple[Violation, ...]:
    """What no rule has seen the inside of: components that only their provider's own program can construct.

    Args:
        reasons: Why, by URN; or by the end of a URN (type and name), where the provider was not told the URN.
        graph: The resources.
    """
    by_urn = {resource.urn: resource.source for resource in graph}
    known = {key: whose(key, by_urn) for key in reasons}
    return tuple(
        Violation(
            pack="levee",
            policy="children-not-evaluated",
            level=Level.ADVISORY,
            message=reason,
            urn=known[key],
            source=by_urn.get(known[key]),
        )
        for key, reason in reasons.items()
    )


def whose(key: str, urns: Collection[str]) -> str:
    """The URN that a stand-in's note is about, which may say its end only; empty where the graph has none."""
    return key if key in urns else next((urn for urn in urns if urn.endswith((f"${key}", f"::{key}"))), "")


def findings(events: Events, verdict: Verdict, graph: Sequence[Resource]) -> tuple[Violation, ...]:
    """What the packs found with that verdict, each with the source line of its resource."""
    by_urn = {resource.urn: resource.source for resource in graph}
    return tuple(replace(found, source=by_urn.get(found.urn)) for found in events.findings.get(verdict, ()))
