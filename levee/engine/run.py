"""One operation on one stack, from the project on disk to the ``Plan``."""

from __future__ import annotations

import errno
import re
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from levee.engine import assembly, join, launch, required, runtimes, upkeep, yaml_program
from levee.engine.cli_process import Finished
from levee.engine.dependencies import install_command
from levee.engine.failed_run import MissingConfigError
from levee.engine.failure import VIOLATES_PLAN, diagnose, hanging
from levee.engine.notes import Notes, read_notes
from levee.engine.project import Project
from levee.engine.session import Operation, Options, Session
from levee.engine.stacks import choose_stack, find_project
from levee.engine.workspace import Workspace
from levee.errors import EngineError, UsageError
from levee.plan import SECRET, FilledConfig, Plan
from levee.toolchain import ensure_pulumi

_CHANGES: Final = frozenset({Operation.UP, Operation.REFRESH, Operation.DESTROY})


@contextmanager
def _session(folder: Path, stack: str, options: Options, *, runs_program: bool) -> Generator[Session]:
    project = Project.load(folder)
    if not stack or not re.fullmatch(r"[\w./-]+", stack):
        raise UsageError(f"{stack!r} is not a stack's name", fix="use letters, digits, `-`, `_` and `.`")
    _check(project, options)
    workspace = Workspace(project, stack, aside=options.state is not None)
    pulumi = options.pulumi or ensure_pulumi(project.root if (project.root / "tools/pulumi").is_dir() else None)
    with workspace.locked(), tempfile.TemporaryDirectory(prefix="levee-") as scratch:
        session = Session(workspace, options, pulumi, Path(scratch))
        runtimes.require(project, session.environment()["PATH"], pulumi)
        for secret in workspace.prepare(_required(session) if runs_program else options.config, _held(options)):
            session.secrets[secret.key] = secret.value
            if secret.placeholder:
                session.notes.append(f"secret {secret.key} stands as {secret.value!r}: only its cloud key opens it")
        try:
            yield session
        finally:
            if workspace.aside:
                shutil.rmtree(workspace.folder, ignore_errors=True)


def _held(options: Options) -> Sequence[str]:
    """What a dynamic provider is started by."""
    return options.hold(()) if options.hold else ()


def _check(project: Project, options: Options) -> None:
    """Refuse what cannot work before anything is built or started.

    Raises:
        UsageError: The program, its interpreter or a file that was named is not there.
    """
    entry = project.main / "__main__.py" if project.main.is_dir() else project.main
    script = project.main.with_name(f"{project.main.name}.py")
    if project.runtime == runtimes.OURS and not entry.exists() and not script.exists():
        raise UsageError("there is no program", where=str(entry), fix="write it there, or name its folder: `main:`")
    if not project.interpreter.exists():
        raise UsageError("no such interpreter", where=str(project.interpreter), fix=install_command(project))
    for flag, file in (
        ("--references", options.references),
        ("--lookups", options.lookups),
        ("--faults", options.faults),
    ):
        if file is not None and not file.is_file():
            raise UsageError(f"{flag} names no file", where=str(file), fix=f"{flag} FILE, or leave it away")


def _required(session: Session) -> dict[str, str]:
    """This run's configuration with what ``Pulumi.yaml`` demands; the secrets of that go to the program alone.

    Raises:
        UsageError: A demanded key is not set and may not be filled.
    """
    given = dict(session.options.config)
    document, secrets = session.workspace.configuration(given)
    lacking = required.missing(session.project, {*document["config"], *(secret.key for secret in secrets)})
    if lacking and not session.options.fill_config:
        raise required.refusal(lacking, session.project, session.stack)
    for demand in lacking:
        _answer(session, *required.fill(demand))
    return given | session.answers


def _answer(session: Session, text: str, told: FilledConfig) -> None:
    """Keep what was invented for one key."""
    (session.secrets if told.value == SECRET else session.answers)[told.key] = text
    session.filled.append(told)


def _until_satisfied(session: Session, operation: Operation) -> Plan:
    """Run, and with ``fill_config`` run again with each key that a program lacked.

    A Python program is answered while it runs; one in another language only says what it lacks and ends.
    """
    while True:
        try:
            return _perform(session, operation)
        except MissingConfigError as missing:
            if not session.options.fill_config or missing.key in {told.key for told in session.filled}:
                raise
            _answer(session, *required.fill(required.Required(missing.key, "string", missing.secret, None)))
            session.workspace.prepare({**session.options.config, **session.answers}, _held(session.options))


def perform(operation: Operation, folder: Path, stack: str, options: Options) -> Plan:
    """Run an operation of the real engine.

    Args:
        operation: What to do.
        folder: The project's folder, where ``Pulumi.yaml`` is.
        stack: The stack's name.
        options: How.

    Returns:
        The graph with what was found. Mandatory violations stop an update before it changes anything and are in
        ``violations``; they are not raised.

    Raises:
        UsageError: The project, its configuration or its program is wrong.
        EngineError: The engine, a provider or a tool failed.
    """
    try:
        destroying = operation is Operation.DESTROY and not options.dry_run
        with _session(folder, stack, options, runs_program=operation.from_program) as session:
            if options.offline:
                upkeep.ensure_stack(session, create=operation.from_program)
                upkeep.free_lock(session)
                if options.state is not None:
                    upkeep.begin_with(session, options.state)
                upkeep.settle(session, creating=operation.from_program, destroying=destroying)
            if destroying and options.unprotect:
                upkeep.unprotect(session)
            return _until_satisfied(session, operation)
    except OSError as failed:
        if failed.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise EngineError(
            "no space left on the disk; the state is as the last whole write left it",
            where=str(failed.filename or folder),
            fix=f"free some space, then levee {operation.value} {stack}",
        ) from failed


def real_state(folder: Path, stack: str, options: Options) -> str:
    """The state that the user's own backend holds, its secrets open: JSON for :attr:`Options.state`, never for a disk.

    Raises:
        UsageError: There is no such backend, stack or key.
    """
    with _session(folder, stack, options, runs_program=False) as session:
        exported = session.cli("stack", "export", "--show-secrets", "--stack", stack)
    if exported.code != 0:
        said = exported.stderr.strip().removeprefix("error: ")
        login = "PULUMI_ACCESS_TOKEN" in said or "pulumi login" in said
        raise UsageError(
            f"the real state of stack {stack!r} cannot be read: {said}",
            fix="pulumi login" if login else f"pulumi stack select {stack}, or pulumi stack init {stack}",
        )
    return exported.stdout


def deployed(folder: Path, stack: str, options: Options | None = None) -> Plan:
    """The stack as it was last deployed, read from its state without asking any cloud.

    Raises:
        UsageError: The stack was never brought up.
    """
    with _session(folder, stack, options or Options(), runs_program=False) as session:
        upkeep.ensure_stack(session, create=False)
        notes = yaml_program.located(Notes(), session.project, session.events, "")
        return assembly.plan_of(session, session.resources(), join.Events(), notes, operation="deployed", seconds=0.0)


def _perform(session: Session, operation: Operation) -> Plan:
    options = session.options
    before = session.resources() if operation is Operation.DESTROY else []
    finished = launch.run(session, operation, before)
    events = join.read_events(session.events, updating=operation in _CHANGES and not options.dry_run)
    notes = read_notes(session.standin_notes, session.program_notes)
    notes = yaml_program.located(notes, session.project, session.events, finished.stderr)
    _keep_logs(session, operation)
    if operation is Operation.PREVIEW:
        states = assembly.previewed(finished)
    else:
        states = session.resources()
        if options.offline:
            notes = _confirmed(session, states, notes, failed=finished.code != 0)
        left = {state["urn"] for state in states}
        states += [state for state in before if state["urn"] not in left]
    plan = assembly.plan_of(session, states, events, notes, operation=operation.value, seconds=finished.seconds)
    _raise_if_failed(session, finished, events, notes, plan)
    if not (options.offline and operation.from_program):
        return plan  # nothing is checked in a refresh or a destroy
    return assembly.with_fidelity(plan, session, notes)


def _confirmed(session: Session, states: Sequence[Mapping[str, Any]], notes: Notes, *, failed: bool) -> Notes:
    """Tell the simulated cloud what the state holds; what it says of the rest belongs to the faults of a failed run."""
    said = upkeep.confirm(session, states)
    if failed:
        return replace(notes, faults=(*notes.faults, *said))
    session.notes.extend(note for note in said if note not in session.notes)
    return notes


def _keep_logs(session: Session, operation: Operation) -> None:
    """Keep the last run's logs of each operation, for who wants to look closer; but no secret that the engine tells."""
    kept = session.workspace.folder / "logs" / operation.value
    kept.mkdir(parents=True, exist_ok=True)
    for log in session.scratch.glob("*.jsonl"):
        with log.open(encoding="utf-8") as lines, (kept / log.name).open("w", encoding="utf-8") as copy:
            copy.writelines(line for line in lines if VIOLATES_PLAN not in line)


def _raise_if_failed(session: Session, finished: Finished, events: join.Events, notes: Notes, plan: Plan) -> None:
    if finished.interrupted:
        raise EngineError(
            "interrupted; the step in hand was finished and the state is whole",
            fix=f"levee up {session.stack} goes on from there",
        )
    if finished.hung:
        raise hanging(session.project, session.stack, launch.patience(session.options), session.program_stacks)
    if finished.code == 0 or plan.blocked:
        return
    raise diagnose(
        session.project,
        session.stack,
        finished,
        events=events,
        notes=notes,
        graph=plan.resources,
        filled=plan.filled_config,
        offline=plan.offline,
    )


def _bound(operation: Operation) -> Callable[..., Plan]:
    def bound(path: str | Path = ".", stack: str | None = None, options: Options | None = None, **more: Any) -> Plan:
        project = find_project(Path(path))
        return perform(operation, project.root, choose_stack(project, stack), replace(options or Options(), **more))

    bound.__name__ = bound.__qualname__ = operation.value
    bound.__doc__ = f"""``{operation.value}`` of a project's stack, in one call: ``{operation.value}("infra", "dev")``.

    Args:
        path: The project's folder, or one below it.
        stack: The stack; the only one there is, else ``dev``, where it is not given.
        options: How; :class:`levee.engine.Options`.
        more: The options' fields as keywords, which go before ``options``.

    Raises:
        UsageError: As :func:`perform`.
        EngineError: As :func:`perform`.
    """
    return bound


preview = _bound(Operation.PREVIEW)
up = _bound(Operation.UP)
refresh = _bound(Operation.REFRESH)
destroy = _bound(Operation.DESTROY)
