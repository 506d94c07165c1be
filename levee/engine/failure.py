"""From what a failed engine said to one error: what happened, the program's line, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from levee.engine import program_failure
from levee.engine.cli_process import Finished
from levee.engine.dependencies import install_command
from levee.engine.failed_run import FailedRun, MissingConfigError, ProgramError, own_frames
from levee.engine.join import Events
from levee.engine.notes import Notes
from levee.engine.project import Project
from levee.engine.watch import CIRCLE
from levee.errors import EngineError, GateError, LeveeError
from levee.plan import FilledConfig, Resource, Urn

_NO_NEWS: Final = frozenset({"preview failed", "update failed", "resource deletion failed"})
_ENGINE_GONE: Final = "resource monitor shut down"
"""What a program's next call meets once the engine has given up, whatever made it."""

_MISSING_CONFIG: Final = re.compile(r"[Mm]issing required configuration variable '([^']+)'")
_PROTECTED: Final = re.compile(r'resource "(urn:pulumi:[^"]+)"')
_MISSING_PLUGIN: Final = re.compile(r"no resource plugin 'pulumi-resource-([\w-]+)")
_MISSING_PROPERTY: Final = re.compile(r"[Mm]issing required property '([\w.]+)'")
_TWICE: Final = re.compile(r"Duplicate resource URN '([^']+)'")
VIOLATES_PLAN: Final = " violates plan: "
"""What the engine says of a step beyond its plan; then come values, of secrets too."""

_VIOLATES: Final = re.compile(
    rf"resource (?P<urn>urn:pulumi:\S+){VIOLATES_PLAN}(?P<why>[\w ]+)(?:: [-+~]+(?P<property>\w+))?"
)
_CYCLE: Final = re.compile(
    r"circular dependency involving a resource of type (?P<type>\S+) named (?P<name>.+?)\.$", re.MULTILINE
)


def diagnose(
    project: Project,
    stack: str,
    finished: Finished,
    *,
    events: Events,
    notes: Notes,
    graph: Sequence[Resource],
    filled: Sequence[FilledConfig] = (),
    offline: bool = True,
) -> LeveeError:
    """The error to raise for a run that failed for another reason than a mandatory rule.

    Args:
        project: What was run.
        stack: Its stack.
        finished: How the CLI ended.
        events: What the engine said.
        notes: What the program's host wrote down.
        graph: What it had registered by then.
        filled: The configuration that was invented for this run.
        offline: Whether stand-ins answered.
    """
    errors = [("", told) for told in _complaints(notes)] or _causes(events)
    if not errors:
        said = finished.stderr.strip() or finished.stdout.strip() or f"exit code {finished.code}"
        return EngineError(_with_faults(f"the engine failed: {said[-2000:]}", notes), fix="levee doctor")
    text = "\n".join(dict.fromkeys(message for _, message in errors))
    run = FailedRun(project, stack, text, errors, events, notes, graph, filled, offline)
    for reading in _READINGS:
        if error := reading(run):
            return error
    if any(step.failed for step in events.steps.values()):
        on = f"levee up {stack} goes on from there; what was made is in the state"
        return EngineError(_with_faults(text, notes), where=run.where, fix=on)
    fix = program_failure.refused_placeholder(run, text) or ("mend that line" if notes.complaints else None)
    return ProgramError(text, where=run.where, fix=fix)


def _causes(events: Events) -> Sequence[tuple[str, str]]:
    """The errors that say why: no headline, and no call that met an engine gone already where anything else is said."""
    said = [(urn, text) for urn, text in events.errors if text not in _NO_NEWS]
    return [(urn, text) for urn, text in said if _ENGINE_GONE not in text] or said


def _complaints(notes: Notes) -> Sequence[str]:
    """What is wrong with the program's text; the first has its place in the error's, the others name their own."""
    return [f"{c.source}: {c.message}" if n and c.source else c.message for n, c in enumerate(notes.complaints)]


def hanging(project: Project, stack: str, patience: float, stacks: Path) -> ProgramError:
    """The error of a run that was ended because nothing happened any more.

    Args:
        project: What was run.
        stack: Its stack.
        patience: Seconds that it was given.
        stacks: What the program wrote down of its threads when it was ended; it may be absent or empty.
    """
    said = stacks.read_text(encoding="utf-8", errors="replace") if stacks.exists() else ""
    # The innermost comes first here, other than in a traceback.
    own = own_frames(project, said.rsplit("most recent call first", 1)[-1])
    doing = "hangs there" if own else "waits for something that never comes"
    return ProgramError(
        f"the program {doing}: nothing happened for {patience:g} s, so it was ended; the state of {stack!r} is whole",
        where=own[0] if own else str(project.main),
        fix="mend what it waits for, or give it more time: --timeout SECONDS (0: no end)",
    )


def _missing_config(run: FailedRun) -> LeveeError | None:
    """A key that the program requires and nobody has set."""
    if not (missing := _MISSING_CONFIG.search(run.text)):
        return None
    where = run.where or str(run.project.file)
    key = missing[1] if ":" in missing[1] else f"{run.project.name}:{missing[1]}"
    return MissingConfigError(key, run.stack, where, secret="--secret" in run.text)


def _no_package(run: FailedRun) -> LeveeError | None:
    """A provider that no stand-in plays, for its SDK is not there; a Python program fails at its import already."""
    missing = _MISSING_PLUGIN.search(run.text)
    if not (missing and run.offline):
        return None
    sdk = f"pulumi-{missing[1]}"
    return ProgramError(
        f"the program uses the package {missing[1]!r}; its types are read from its Python SDK, which is not installed",
        where=run.where or str(run.project.file),
        fix=install_command(run.project, sdk),
    )


def _left_unset(run: FailedRun) -> LeveeError | None:
    """A property that a resource needs, of a key that the program asked for as if it could do without."""
    if not (lacking := _MISSING_PROPERTY.search(run.text)):
        return None
    wanted = _letters(lacking[1].rsplit(".", 1)[-1])
    key = next((key for key in run.notes.unset if _letters(key.rsplit(":", 1)[-1]) == wanted), None)
    return MissingConfigError(key, run.stack, str(run.notes.unset[key]), secret=False) if key else None


def _letters(name: str) -> str:
    """A name however it is spelled: ``publicKey``, ``public_key`` and ``public-key`` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _twice(run: FailedRun) -> LeveeError | None:
    """Two resources of one name."""
    if not (found := _TWICE.search(run.text)):
        return None
    urn = Urn.parse(found[1])
    first, second = run.notes.twice.get((urn.type, urn.name), (None, run.notes.refused.get((urn.type, urn.name))))
    before = f", first at {first}" if first else ""
    return ProgramError(
        f"two resources of type {urn.type} are called {urn.name!r}{before}",
        where=str(second) if second else run.where,
        fix="give one of them another name" + (" (the loop makes each name once)" if first == second else ""),
    )


def _circular(run: FailedRun) -> LeveeError | None:
    """Resources that wait for each other."""
    fix = "take one `depends_on`, `parent` or output away from the circle"
    if CIRCLE in run.text:
        waiting = [line.strip() for line in run.text.split(CIRCLE, 1)[1].splitlines() if line.startswith("  ")]
        first = waiting[0].rpartition(" at ")[2]
        if len(waiting) == 1:
            waits = f"{waiting[0].rpartition(' at ')[0]} waits for a value that never comes"
            return ProgramError(waits, where=first, fix="give the future that it waits for a result, or do without it")
        return ProgramError(f"circular dependency: each waits for another: {'; '.join(waiting)}", where=first, fix=fix)
    if not (found := _CYCLE.search(run.text)):
        return None
    return ProgramError(
        f"circular dependency: {found['type']} {found['name']!r} waits for what waits for it",
        where=str(run.notes.begun.get((found["type"], found["name"])) or run.where),
        fix=fix,
    )


def _protected(run: FailedRun) -> LeveeError | None:
    """What the engine may not delete."""
    if "protected" not in run.text:
        return None
    kept = sorted(set(_PROTECTED.findall(run.text)) or {urn for urn, _ in run.errors if urn})
    more = f" and {len(kept) - 3} more" if len(kept) > 3 else ""
    names = ", ".join(Urn.parse(urn).name for urn in kept[:3]) + more
    return GateError(
        f"protected, so not deleted: {names or run.text.splitlines()[0]}",
        where=run.where,
        fix=f"levee destroy {run.stack} --unprotect, or take `protect` away in the program",
    )


def _violates_plan(run: FailedRun) -> LeveeError | None:
    """The engine's own refusal to go beyond the update plan that it was given."""
    if not (violated := _VIOLATES.search(run.text)):
        return None
    name = Urn.parse(violated["urn"]).name
    first = f", {violated['property']} first" if violated["property"] else ""
    return GateError(
        f"{name} departs from the plan that was saved a moment ago: {violated['why']}{first}",
        where=run.where or violated["urn"],
        fix="take what changes by itself (a clock, a random value) out of the program",
    )


_READINGS: Final[Sequence[Callable[[FailedRun], LeveeError | None]]] = (
    _violates_plan,  # first: its text must not be quoted
    program_failure.no_sdk,
    program_failure.left,
    _circular,
    _left_unset,
    _missing_config,
    _no_package,
    program_failure.raised,
    _twice,
    _protected,
)


def _with_faults(text: str, notes: Notes) -> str:
    """What the engine said, with the injected faults that it cannot name: a killed provider says nothing."""
    told = [said for said in dict.fromkeys(notes.faults) if f"[{said.partition(' (')[0]}: " not in text]
    return "\n".join((text, *told))
