"""From what one run left (events, states, notes) to its ``Plan``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from levee.engine import fidelity, join, yaml_program
from levee.engine.cli_process import Finished
from levee.engine.notes import Notes
from levee.engine.session import Session, json_in
from levee.errors import EngineError
from levee.plan import STACK_TYPE, FilledConfig, Op, Plan, Verdict


def previewed(finished: Finished) -> list[Mapping[str, Any]]:
    """The states that a preview prints, the last of each resource.

    Raises:
        EngineError: It ended well, and printed none.
    """
    digest = json_in(finished.stdout)
    if finished.code == 0 and not (digest or finished.interrupted or finished.hung):
        raise EngineError("the engine printed no preview", fix="levee preview again; should it stay so, report it")
    states = [step.get("newState") or step.get("oldState") for step in digest.get("steps", [])]
    return list({state["urn"]: state for state in states if state is not None}.values())


def plan_of(
    session: Session,
    states: Sequence[Mapping[str, Any]],
    events: join.Events,
    notes: Notes,
    *,
    operation: str,
    seconds: float,
) -> Plan:
    """The plan of one run.

    Args:
        session: The stack and how it was run.
        states: Resource states as the preview's JSON and the exported state write them.
        events: What the engine told.
        notes: What stand-ins and program left.
        operation: What was done.
        seconds: How long it took.
    """
    sources = join.Sources(session.folder, session.project.root)
    graph = join.resources(states, events, sources, notes.unknown_replacements)
    if session.project.runtime == yaml_program.RUNTIME:
        graph = yaml_program.placed(graph, notes)
    outputs = next((r.outputs for r in graph if r.type == STACK_TYPE and r.op is not Op.DELETE), {})
    return Plan(
        project=session.project.name,
        stack=session.stack,
        operation=operation,
        offline=session.options.offline,
        resources=graph,
        violations=join.findings(events, Verdict.FAILED, graph),
        exempt=join.findings(events, Verdict.EXEMPT, graph),
        not_evaluated=(*join.findings(events, Verdict.NOT_EVALUATED, graph), *join.opaque(notes.opaque, graph)),
        invented_lookups=notes.invented,
        filled_config=_filled(session, notes),
        outputs=outputs,
        notes=(
            *session.notes,
            *notes.references,
            *_assumed(session, notes),
            *notes.faults,
            *notes.not_run,
            *_warnings(events),
        ),
        seconds=seconds,
    )


def with_fidelity(plan: Plan, session: Session, notes: Notes) -> Plan:
    """The plan with what was checked, type by type, and what stands for what nobody could give."""
    stands_in = (*(n for n in session.notes if n.startswith("secret ")), *notes.references, *_assumed(session, notes))
    return replace(plan, fidelity=fidelity.of(plan.resources, session.standin_notes, notes.opaque, stands_in))


def _filled(session: Session, notes: Notes) -> tuple[FilledConfig, ...]:
    """What was invented: of ``Pulumi.yaml``'s demands, of the program's questions, and of a provider's needs."""
    told = [*session.filled, *notes.filled]
    if session.options.fill_config:
        known = {filled.key for filled in told}
        told += [
            FilledConfig(key, value, kind=key.rsplit(":", 1)[-1], why="a real provider would insist on it")
            for key, value in notes.assumed.items()
            if key not in known
        ]
    return tuple(told)


def _assumed(session: Session, notes: Notes) -> list[str]:
    """What the stand-ins took for granted, where that is not listed as filled."""
    if session.options.fill_config:
        return []
    return [
        f"{key} is not set and a real provider would insist on it: took {value} (pulumi config set {key} {value})"
        for key, value in notes.assumed.items()
    ]


def _warnings(events: join.Events) -> list[str]:
    """What the engine warned of; how it finds our own scripts is no news to anyone."""
    return [text for _, text in events.warnings if "from $PATH at" not in text]
