"""From what a failed engine said to one error: what happened, the program's line, and what to do next."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from levee.engine.cli_process import Finished
from levee.engine.dependencies import OLD_SETUPTOOLS, distribution, install_command, installed_version
from levee.engine.join import Events
from levee.engine.notes import Notes
from levee.engine.program import LEFT, NO_SDK
from levee.engine.project import Project
from levee.engine.watch import CIRCLE
from levee.errors import EngineError, GateError, LeveeError, UsageError
from levee.plan import SECRET, FilledConfig, Resource, Urn

_NO_NEWS: Final = frozenset({"preview failed", "update failed", "resource deletion failed"})
_ENGINE_GONE: Final = "resource monitor shut down"
"""What a program's next call meets once the engine has given up, whatever made it."""

_MISSING_CONFIG: Final = re.compile(r"[Mm]issing required configuration variable '([^']+)'")
_OWN_ERROR: Final = re.compile(
    r"(?:levee|pipelines)\.[\w.]*Error: (?P<message>.+?)(?:\n  at  (?P<where>.+?))?(?:\n  fix (?P<fix>.+))?", re.DOTALL
)
"""An error of ours as it prints itself (``LeveeError.__str__``, ``PipelineError.__str__``)."""

_PROTECTED: Final = re.compile(r'resource "(urn:pulumi:[^"]+)"')
_MISSING_PLUGIN: Final = re.compile(r"no resource plugin 'pulumi-resource-([\w-]+)")
_RESOURCE_NAMED: Final = re.compile(r"([\w.:/-]+) resource '([^']+)' has a problem")
_MISSING_MODULE: Final = re.compile(r"No module named '([^']+)'")
_MISSING_NAME: Final = re.compile(r"cannot import name '([^']+)' from '([\w.]+)'")
_MISSING_KEY: Final = re.compile(r"KeyError: '(\w[\w.-]*)'")
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
_ENUMERATED: Final = re.compile(
    r"(?:must|should|has to) be (?:one of|either|in)|allowed|valid (?:values|options)|expected one of", re.IGNORECASE
)


class ProgramError(UsageError):
    """The Pulumi program, or what it asks for, is wrong: it raised, or a provider refused its inputs."""


class MissingConfigError(ProgramError):
    """The program requires a key that nobody has set.

    Attributes:
        key: The full key.
        secret: Whether it asked for a secret.
    """

    def __init__(self, key: str, stack: str, where: str | None, *, secret: bool) -> None:
        flag = "--secret " if secret else ""
        super().__init__(
            f"the program requires the configuration {key!r}, which nobody has set",
            where=where,
            fix=f"pulumi config set {flag}{key} VALUE --stack {stack}, for one run --config {key}=VALUE, "
            "or let Levee invent it: --fill-config",
        )
        self.key = key
        self.secret = secret


@dataclass(frozen=True)
class _Case:
    """All there is to say why.

    Attributes:
        project: What was run.
        stack: Its stack.
        text: Every error of the engine, joined.
        errors: The same with the URN that each concerns, or an empty one.
        events: What the engine said.
        notes: What the program's host wrote down; gives a refused resource its line.
        graph: What had been registered by then; gives a failed resource its line.
        filled: The configuration that was invented.
    """

    project: Project
    stack: str
    text: str
    errors: Sequence[tuple[str, str]]
    events: Events
    notes: Notes
    graph: Sequence[Resource]
    filled: Sequence[FilledConfig]

    @property
    def unsent(self) -> str | None:
        """The line of the first resource that had not reached the engine: what an error of the SDK is mostly about."""
        return next((str(source) for source in self.notes.begun.values()), None)

    @property
    def where(self) -> str | None:
        """The line that registered the first resource that is complained of, else the traceback's."""
        told = next((str(c.source) for c in self.notes.complaints if c.source), None)
        complained_of = told or self.place([urn for urn, _ in self.errors if urn]) or self._of_component
        return complained_of or _last_own_frame(self.project, self.text)

    @property
    def _of_component(self) -> str | None:
        """The line of a component that could not be constructed: the engine names it by type and name alone."""
        named = _RESOURCE_NAMED.search(self.text)
        source = self.notes.refused.get((named[1], named[2])) if named else None
        return str(source) if source else None

    def place(self, urns: Sequence[str]) -> str | None:
        """The line that registered the first of those resources, else its URN."""
        known = {r.urn: r.source for r in self.graph if r.source is not None}
        for text in urns:
            urn = Urn.parse(text)
            refused = self.notes.refused.get((urn.type, urn.name)) or self.notes.named.get(urn.name)
            if source := known.get(text) or refused:
                return str(source)
        return urns[0] if urns else None


def diagnose(
    project: Project,
    stack: str,
    finished: Finished,
    *,
    events: Events,
    notes: Notes,
    graph: Sequence[Resource],
    filled: Sequence[FilledConfig] = (),
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
    """
    errors = [("", told) for told in _complaints(notes)] or _causes(events)
    if not errors:
        said = finished.stderr.strip() or finished.stdout.strip() or f"exit code {finished.code}"
        return EngineError(_with_faults(f"the engine failed: {said[-2000:]}", notes), fix="levee doctor")
    text = "\n".join(dict.fromkeys(message for _, message in errors))
    case = _Case(project, stack, text, errors, events, notes, graph, filled)
    for reading in _READINGS:
        if error := reading(case):
            return error
    if any(step.failed for step in events.steps.values()):
        on = f"levee up {stack} goes on from there; what was made is in the state"
        return EngineError(_with_faults(text, notes), where=case.where, fix=on)
    fix = _refused_placeholder(case, text) or ("mend that line" if notes.complaints else None)
    return ProgramError(text, where=case.where, fix=fix)


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
    own = _own_frames(project, said.rsplit("most recent call first", 1)[-1])
    doing = "hangs there" if own else "waits for something that never comes"
    return ProgramError(
        f"the program {doing}: nothing happened for {patience:g} s, so it was ended; the state of {stack!r} is whole",
        where=own[0] if own else str(project.main),
        fix="mend what it waits for, or give it more time: --timeout SECONDS (0: no end)",
    )


def _missing_config(case: _Case) -> LeveeError | None:
    """A key that the program requires and nobody has set."""
    if not (missing := _MISSING_CONFIG.search(case.text)):
        return None
    where = case.where or str(case.project.file)
    key = missing[1] if ":" in missing[1] else f"{case.project.name}:{missing[1]}"
    return MissingConfigError(key, case.stack, where, secret="--secret" in case.text)


def _no_package(case: _Case) -> LeveeError | None:
    """A provider that no stand-in plays, for its SDK is not there; a Python program fails at its import already."""
    if not (missing := _MISSING_PLUGIN.search(case.text)):
        return None
    sdk = f"pulumi-{missing[1]}"
    return ProgramError(
        f"the program uses the package {missing[1]!r}; its types are read from its Python SDK, which is not installed",
        where=case.where or str(case.project.file),
        fix=install_command(case.project, sdk),
    )


def _left_unset(case: _Case) -> LeveeError | None:
    """A property that a resource needs, of a key that the program asked for as if it could do without."""
    if not (lacking := _MISSING_PROPERTY.search(case.text)):
        return None
    wanted = _letters(lacking[1].rsplit(".", 1)[-1])
    key = next((key for key in case.notes.unset if _letters(key.rsplit(":", 1)[-1]) == wanted), None)
    return MissingConfigError(key, case.stack, str(case.notes.unset[key]), secret=False) if key else None


def _letters(name: str) -> str:
    """A name however it is spelled: ``publicKey``, ``public_key`` and ``public-key`` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _no_sdk(case: _Case) -> LeveeError | None:
    """An interpreter that cannot even begin."""
    if NO_SDK not in case.text:
        return None
    reason = case.text.split(NO_SDK, 1)[1].strip().splitlines()[0]
    too_old = "Descriptors cannot be created directly" in reason
    return ProgramError(
        f"the program's Python lacks the Pulumi SDK: {reason}"
        if not too_old
        else "the program's Pulumi SDK is too old for the protobuf beside it",
        where=str(case.project.interpreter),
        fix=install_command(case.project, "'protobuf<3.21'" if too_old else None),
    )


def _twice(case: _Case) -> LeveeError | None:
    """Two resources of one name."""
    if not (found := _TWICE.search(case.text)):
        return None
    urn = Urn.parse(found[1])
    first, second = case.notes.twice.get((urn.type, urn.name), (None, case.notes.refused.get((urn.type, urn.name))))
    before = f", first at {first}" if first else ""
    return ProgramError(
        f"two resources of type {urn.type} are called {urn.name!r}{before}",
        where=str(second) if second else case.where,
        fix="give one of them another name" + (" (the loop makes each name once)" if first == second else ""),
    )


def _circular(case: _Case) -> LeveeError | None:
    """Resources that wait for each other."""
    fix = "take one `depends_on`, `parent` or output away from the circle"
    if CIRCLE in case.text:
        waiting = [line.strip() for line in case.text.split(CIRCLE, 1)[1].splitlines() if line.startswith("  ")]
        first = waiting[0].rpartition(" at ")[2]
        if len(waiting) == 1:
            waits = f"{waiting[0].rpartition(' at ')[0]} waits for a value that never comes"
            return ProgramError(waits, where=first, fix="give the future that it waits for a result, or do without it")
        return ProgramError(f"circular dependency: each waits for another: {'; '.join(waiting)}", where=first, fix=fix)
    if not (found := _CYCLE.search(case.text)):
        return None
    return ProgramError(
        f"circular dependency: {found['type']} {found['name']!r} waits for what waits for it",
        where=str(case.notes.begun.get((found["type"], found["name"])) or case.where),
        fix=fix,
    )


def _raised(case: _Case) -> LeveeError | None:
    """What was raised, at the last frame of the traceback that lies in the project."""
    if "unhandled exception" not in case.text:
        return None
    where = _last_own_frame(case.project, case.text) or case.unsent or str(case.project.main)
    last = _exception(case.text)
    if own := _OWN_ERROR.fullmatch(last):
        return ProgramError(own["message"], where=own["where"] or where, fix=own["fix"])
    if lacking := _not_imported(case, last, where):
        return lacking
    fix = _refused_placeholder(case, last) or _unanswered(case, last) or "mend that line"
    return ProgramError(f"the program raised {last}", where=where, fix=fix)


def _not_imported(case: _Case, said: str, where: str) -> LeveeError | None:
    """A module that is not there, or a name in one that is there in another version."""
    if missing := _MISSING_MODULE.search(said):
        module = missing[1]
    elif name := _MISSING_NAME.search(said):
        module = f"{name[2]}.{name[1]}"
    else:
        return None
    package = distribution(module)
    if package == OLD_SETUPTOOLS:
        return ProgramError(
            "an SDK of the program is so old that it needs `pkg_resources`, which setuptools 81 no longer has",
            where=where,
            fix=install_command(case.project, OLD_SETUPTOOLS),
        )
    if version := installed_version(case.project, package):
        older = f"'{package}<{version.split('.')[0]}'"
        return ProgramError(
            f"the program, made for another version, imports {module!r}, which {package} {version} lacks",
            where=where,
            fix=f"{install_command(case.project, older)}, or whichever version it was written for",
        )
    if not missing:
        return None  # a name that the program's own module lacks
    return ProgramError(
        f"the program imports {module!r}, which its Python does not have",
        where=where,
        fix=install_command(case.project, package),
    )


def _refused_placeholder(case: _Case, said: str) -> str | None:
    """What to do where the program or a provider does not like a value that was invented."""
    suspects = [f for f in case.filled if _mentions(said, f)]
    if not case.filled or not (suspects or _ENUMERATED.search(said)):
        return None
    named = suspects[0] if len(suspects) == 1 else None
    key = named.key if named else "KEY"
    values = ", ".join(f"{f.key}={f.value}" for f in suspects or case.filled)[:400]
    only = " takes certain values only" if _ENUMERATED.search(said) else " does not take an invented value"
    return f"the program{only}: --config {key}=VALUE, or pulumi config set {key} VALUE (invented were {values})"


def _unanswered(case: _Case, said: str) -> str | None:
    """What to do where a program looks for a key in a map that nobody but the cloud, or ``lookups.yaml``, can fill."""
    if not (missing := _MISSING_KEY.fullmatch(said)):
        return None
    for lookup in case.notes.invented:
        maps = [name for name, value in lookup.answer.items() if isinstance(value, Mapping) and missing[1] not in value]
        if maps:
            answer = f"{{function: '{lookup.token}', result: {{{maps[0]}: {{{missing[1]}: VALUE}}}}}}"
            return (
                f"mend that line; or, if it reads the answer at {lookup.source}, which was invented and of which only "
                f"you know {', '.join(maps)}: `lookups: [{answer}]` in {case.project.root / 'lookups.yaml'}"
            )
    return None


def _mentions(said: str, filled: FilledConfig) -> bool:
    name = filled.key.rsplit(":", 1)[-1]
    value = str(filled.value)
    in_value = value != SECRET and len(value) > 1 and re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", said)
    return bool(in_value or re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said))


def _left(case: _Case) -> LeveeError | None:
    """A program that called ``sys.exit``."""
    if LEFT not in case.text:
        return None
    said = case.text[case.text.index(LEFT) :].splitlines()[0]
    return ProgramError(said, where=case.where, fix="leave with 0 or not at all where all is well")


def _protected(case: _Case) -> LeveeError | None:
    """What the engine may not delete."""
    if "protected" not in case.text:
        return None
    kept = sorted(set(_PROTECTED.findall(case.text)) or {urn for urn, _ in case.errors if urn})
    more = f" and {len(kept) - 3} more" if len(kept) > 3 else ""
    names = ", ".join(Urn.parse(urn).name for urn in kept[:3]) + more
    return GateError(
        f"protected, so not deleted: {names or case.text.splitlines()[0]}",
        where=case.where,
        fix=f"levee destroy {case.stack} --unprotect, or take `protect` away in the program",
    )


def _violates_plan(case: _Case) -> LeveeError | None:
    """The engine's own refusal to go beyond the update plan that it was given."""
    if not (violated := _VIOLATES.search(case.text)):
        return None
    name = Urn.parse(violated["urn"]).name
    first = f", {violated['property']} first" if violated["property"] else ""
    return GateError(
        f"{name} departs from the plan that was saved a moment ago: {violated['why']}{first}",
        where=case.where or violated["urn"],
        fix="take what changes by itself (a clock, a random value) out of the program",
    )


_READINGS: Final[Sequence[Callable[[_Case], LeveeError | None]]] = (
    _violates_plan,  # first: its text must not be quoted
    _no_sdk,
    _left,
    _circular,
    _left_unset,
    _missing_config,
    _no_package,
    _raised,
    _twice,
    _protected,
)


def _with_faults(text: str, notes: Notes) -> str:
    """What the engine said, with the injected faults that it cannot name: a killed provider says nothing."""
    told = [said for said in dict.fromkeys(notes.faults) if f"[{said.partition(' (')[0]}: " not in text]
    return "\n".join((text, *told))


def _exception(text: str) -> str:
    """A traceback's exception with the whole of its message: from the first unindented line after the last frame."""
    lines = text.strip().splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    after = lines[frames[-1] + 1 :] if frames else lines
    start = next((number for number, line in enumerate(after) if line[:1].strip()), len(after) - 1)
    return "\n".join(after[start:]).rstrip()


def _last_own_frame(project: Project, text: str) -> str | None:
    """``file:line`` of a traceback's last frame in the project, or ``None``."""
    own = _own_frames(project, text)
    return own[-1] if own else None


def _own_frames(project: Project, text: str) -> list[str]:
    """``file:line`` of the frames in the project, in the text's order: a frame of an SDK helps nobody."""
    frames = re.findall(r'File "([^"]+)", line (\d+)', text)
    inside = f"{project.root}{os.sep}"
    return [f"{file}:{line}" for file, line in frames if file.startswith(inside) and "/site-packages/" not in file]
