"""From what a failed engine said to one error: what happened, the program's line, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from levee.engine.cli_process import Finished
from levee.engine.join import Events, Notes
from levee.engine.project import Project
from levee.errors import EngineError, GateError, LeveeError, UsageError
from levee.plan import Resource, Urn

_NO_NEWS: Final = frozenset({"preview failed", "update failed", "resource deletion failed"})
_MISSING_CONFIG: Final = re.compile(r"Missing required configuration variable '([^']+)'")
_OWN_ERROR: Final = re.compile(
    r"(?:levee|pipelines)\.[\w.]*Error: (?P<message>.+?)(?:\n  at  (?P<where>.+?))?(?:\n  fix (?P<fix>.+))?", re.DOTALL
)
"""An error of ours as it prints itself (``LeveeError.__str__``, ``PipelineError.__str__``)."""

_PROTECTED: Final = re.compile(r'resource "(urn:pulumi:[^"]+)"')
_MISSING_MODULE: Final = re.compile(r"No module named '([^']+)'")


class ProgramError(UsageError):
    """The Pulumi program, or what it asks for, is wrong: it raised, or a provider refused its inputs."""


def diagnose(
    project: Project, stack: str, finished: Finished, *, events: Events, notes: Notes, graph: Sequence[Resource]
) -> LeveeError:
    """The error to raise for a run that failed for another reason than a mandatory rule.

    Args:
        project: What was run.
        stack: Its stack.
        finished: How the CLI ended.
        events: What the engine said.
        notes: What the program's host wrote down; gives a refused resource its line.
        graph: What it had registered by then; gives a failed resource its line.
    """
    errors = [(urn, text) for urn, text in events.errors if text not in _NO_NEWS]
    if not errors:
        said = finished.stderr.strip() or finished.stdout.strip() or f"exit code {finished.code}"
        return EngineError(f"the engine failed: {said[-2000:]}", fix="levee doctor")
    text = "\n".join(dict.fromkeys(message for _, message in errors))
    if "unhandled exception" in text:
        return _raised(project, text)
    where = _place([urn for urn, _ in errors if urn], notes, graph) or _last_own_frame(project, text)
    if "protected" in text:
        kept = sorted(set(_PROTECTED.findall(text)) or {urn for urn, _ in errors if urn})
        names = ", ".join(Urn.parse(urn).name for urn in kept[:3]) + (
            f" and {len(kept) - 3} more" if len(kept) > 3 else ""
        )
        return GateError(
            f"protected, so not deleted: {names or text.splitlines()[0]}",
            where=where,
            fix=f"levee destroy {stack} --unprotect, or take `protect` away in the program",
        )
    if missing := _MISSING_CONFIG.search(text):
        return ProgramError(text.splitlines()[0], where=where, fix=f"--config {missing[1]}=VALUE")
    if any(step.failed for step in events.steps.values()):
        return EngineError(text, where=where, fix=f"levee up {stack} goes on from there; what was made is in the state")
    return ProgramError(text, where=where)


def _place(urns: Sequence[str], notes: Notes, graph: Sequence[Resource]) -> str | None:
    """The line that registered the first resource of those, else its URN."""
    known = {r.urn: r.source for r in graph if r.source is not None}
    for text in urns:
        urn = Urn.parse(text)
        if source := known.get(text) or notes.refused.get((urn.type, urn.name)):
            return str(source)
    return urns[0] if urns else None


def _raised(project: Project, text: str) -> ProgramError:
    """What was raised, at the last frame of the traceback that lies in the project."""
    where = _last_own_frame(project, text)
    last = _exception(text)
    if own := _OWN_ERROR.fullmatch(last):
        return ProgramError(own["message"], where=own["where"] or where, fix=own["fix"])
    if missing := _MISSING_CONFIG.search(text):
        return ProgramError(last, where=where, fix=f"--config {missing[1]}=VALUE")
    if missing := _MISSING_MODULE.search(text):
        package = missing[1].split(".")[0]
        return ProgramError(last, where=where, fix=f"{project.interpreter} -m pip install {package}")
    return ProgramError(f"the program raised {last}", where=where, fix="mend that line")


def _exception(text: str) -> str:
    """A traceback's exception with the whole of its message: from the first unindented line after the last frame."""
    lines = text.strip().splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    after = lines[frames[-1] + 1 :] if frames else lines
    start = next((number for number, line in enumerate(after) if line[:1].strip()), len(after) - 1)
    return "\n".join(after[start:]).rstrip()


def _last_own_frame(project: Project, text: str) -> str | None:
    """``file:line`` of a traceback's last frame in the project, else of its last frame, else ``None``."""
    frames = re.findall(r'File "([^"]+)", line (\d+)', text)
    own = [f for f in frames if f[0].startswith(str(project.root)) and "/site-packages/" not in f[0]]
    return ":".join((own or frames)[-1]) if frames else None
