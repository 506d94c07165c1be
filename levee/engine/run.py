"""One operation on one stack, from the project on disk to the ``Plan``."""

from __future__ import annotations

import errno
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from levee import places
from levee.engine import fidelity, join, references, required, runtimes, standins, upkeep
from levee.engine.activity import Activity
from levee.engine.cli_process import Finished
from levee.engine.dependencies import install_command
from levee.engine.event_stream import EventStream
from levee.engine.failure import MissingConfigError, diagnose, hanging
from levee.engine.language_host import Program
from levee.engine.notes import Notes, read_notes
from levee.engine.project import Project
from levee.engine.session import OFFLINE_PATIENCE, Options, Session, json_in
from levee.engine.stacks import choose_stack, find_project
from levee.engine.workspace import Workspace, dump_yaml
from levee.errors import EngineError, UsageError
from levee.plan import SECRET, FilledConfig, Op, Plan, Verdict
from levee.toolchain import ensure_pulumi


class Operation(StrEnum):
    """The engine's operations on a stack."""

    PREVIEW = "preview"
    UP = "up"
    REFRESH = "refresh"
    DESTROY = "destroy"


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
        for secret in workspace.prepare(_required(session) if runs_program else options.config):
            session.secrets[secret.key] = secret.value
            if secret.placeholder:
                session.notes.append(f"secret {secret.key} stands as {secret.value!r}: only its cloud key opens it")
        try:
            yield session
        finally:
            if workspace.aside:
                shutil.rmtree(workspace.folder, ignore_errors=True)


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
            session.workspace.prepare({**session.options.config, **session.answers})


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
        runs_program = operation in {Operation.PREVIEW, Operation.UP}
        with _session(folder, stack, options, runs_program=runs_program) as session:
            if options.offline:
                upkeep.ensure_stack(session, create=runs_program)
                upkeep.free_lock(session)
                if options.state is not None:
                    upkeep.begin_with(session, options.state)
                upkeep.settle(
                    session,
                    creating=operation in {Operation.PREVIEW, Operation.UP},
                    destroying=operation is Operation.DESTROY and not options.dry_run,
                )
            if operation is Operation.DESTROY and options.unprotect and not options.dry_run:
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
        return _plan(session, session.resources(), join.Events(), Notes(), operation="deployed", seconds=0.0)


def _perform(session: Session, operation: Operation) -> Plan:
    options, workspace = session.options, session.workspace
    events_path, program_notes = session.scratch / "events.jsonl", session.scratch / "program.jsonl"
    standin_log = session.scratch / "standin.jsonl"
    before = session.resources() if operation is Operation.DESTROY else []
    with ExitStack() as running:
        extra: dict[str, str] = {}
        ports: Mapping[str, int] = {}
        if options.offline:
            ports = running.enter_context(
                standins.attached(
                    session.project.site_packages,
                    cloud=workspace.cloud,
                    log=standin_log,
                    errors_to=workspace.folder / "logs" / "standin.stderr",
                    cache=places.cache() / "sdk",
                    stack=session.stack,
                    program=_program_folder(session.project),
                    state=workspace.checkpoint,
                    faults=options.faults,
                    lookups=_lookups(session),
                )
            )
            extra["LEVEE_SITE_PACKAGES"] = str(session.project.site_packages)
            extra["PULUMI_DEBUG_PROVIDERS"] = ",".join(f"{name}:{port}" for name, port in ports.items())
        environment = session.environment(extra)
        program = Program(
            root=session.project.root,
            interpreter=session.project.interpreter,
            environment={**environment, **options.program_environment},
            prefix=options.program_prefix,
            references=references.gather(options.references, workspace) if options.offline else {},
            secrets=session.secrets,
            notes=program_notes,
            debug=options.debug,
            offline=options.offline,
            deployed=workspace.deployed,
            standins=ports,
            fill_config=options.fill_config,
            stacks=session.scratch / "stacks.txt",
        )
        client, end_program = running.enter_context(runtimes.serving(session, program))
        activity = Activity(_patience(options), options.on_event)
        stream = running.enter_context(EventStream(events_path, activity.listen))
        finished = session.cli(
            *_arguments(session, operation, stream.address),
            *client,
            *(["--run-program"] if any(map(_has_delete_hook, before)) else []),
            environment=environment,
            hangs=activity.hangs,
            end_program=end_program,
        )
    changes = operation in _CHANGES and not options.dry_run
    events = join.read_events(events_path, updating=changes)
    notes = read_notes(standin_log, program_notes)
    _keep_logs(session, operation)
    if operation is Operation.PREVIEW:
        plan = _previewed(session, finished, events, notes)
    else:
        states = session.resources()
        if options.offline and finished.code != 0:
            notes = replace(notes, faults=(*notes.faults, *upkeep.confirm(session, states)))
        elif options.offline:
            session.notes.extend(n for n in upkeep.confirm(session, states) if n not in session.notes)
        if operation is Operation.DESTROY:
            left = {state["urn"] for state in states}
            states += [state for state in before if state["urn"] not in left]
        plan = _plan(session, states, events, notes, operation=operation.value, seconds=finished.seconds)
    _raise_if_failed(session, finished, events, notes, plan)
    if not options.offline or operation not in {Operation.PREVIEW, Operation.UP}:
        return plan  # nothing is checked in a refresh or a destroy
    stands_in = (*(n for n in session.notes if n.startswith("secret ")), *notes.references, *_assumed(session, notes))
    return replace(plan, fidelity=fidelity.of(plan.resources, standin_log, notes.opaque, stands_in))


def _patience(options: Options) -> float:
    """Seconds of silence that a run is given: a real cloud may be slow, a stand-in never is."""
    if options.timeout is not None:
        return options.timeout
    return OFFLINE_PATIENCE if options.offline else 0.0


def _arguments(session: Session, operation: Operation, events: str) -> list[str]:
    options = session.options
    arguments = [operation.value, "--stack", session.stack, "--event-log", events]
    if operation is Operation.PREVIEW:
        arguments += ["--json", "--show-sames"]
    elif options.dry_run:
        arguments += ["--preview-only"]
    else:
        arguments += ["--yes", "--suppress-progress"]
    if operation in {Operation.PREVIEW, Operation.UP}:
        config = session.scratch / "pack-config.json"
        config.write_text(json.dumps(dict(options.pack_config)))
        for pack in options.packs:
            arguments += ["--policy-pack", str(pack.resolve()), "--policy-pack-config", str(config)]
    if not options.offline:
        arguments += ["--config-file", str(_online_config(session))]
    return arguments


def _has_delete_hook(state: Mapping[str, Any]) -> bool:
    """Whether only the running program can delete that resource."""
    return not {"BeforeDelete", "AfterDelete"}.isdisjoint(state.get("resourceHooks") or ())


def _online_config(session: Session) -> Path:
    """The stack's own configuration, or a copy that has this run's values in it."""
    source = session.project.stack_config(session.stack)
    if not session.options.config and source.exists():
        return source
    document, _ = session.workspace.configuration(session.options.config)
    copy = session.scratch / source.name
    copy.write_text(dump_yaml(document), encoding="utf-8")
    return copy


def _program_folder(project: Project) -> Path:
    """The folder that the program runs in."""
    return project.main if project.main.is_dir() else project.main.parent


def _lookups(session: Session) -> Path | None:
    if session.options.lookups is not None:
        return session.options.lookups
    beside = session.project.root / "lookups.yaml"
    return beside if beside.exists() else None


def _keep_logs(session: Session, operation: Operation) -> None:
    """Keep the last run's logs of each operation, for who wants to look closer."""
    kept = session.workspace.folder / "logs" / operation.value
    kept.mkdir(parents=True, exist_ok=True)
    for log in session.scratch.glob("*.jsonl"):
        shutil.copyfile(log, kept / log.name)


def _previewed(session: Session, finished: Finished, events: join.Events, notes: Notes) -> Plan:
    digest = json_in(finished.stdout)
    states = [step.get("newState") or step.get("oldState") for step in digest.get("steps", [])]
    by_urn = {state["urn"]: state for state in states if state is not None}
    return _plan(session, list(by_urn.values()), events, notes, operation="preview", seconds=finished.seconds)


def _plan(
    session: Session,
    states: Sequence[Mapping[str, Any]],
    events: join.Events,
    notes: Notes,
    *,
    operation: str,
    seconds: float,
) -> Plan:
    sources = join.Sources(session.folder, session.project.root)
    graph = join.resources(states, events, sources, notes.unknown_replacements)
    outputs = next((r.outputs for r in graph if r.type == "pulumi:pulumi:Stack" and r.op is not Op.DELETE), {})
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


def _raise_if_failed(session: Session, finished: Finished, events: join.Events, notes: Notes, plan: Plan) -> None:
    if finished.interrupted:
        raise EngineError(
            "interrupted; the step in hand was finished and the state is whole",
            fix=f"levee up {session.stack} goes on from there",
        )
    if finished.hung:
        raise hanging(session.project, session.stack, _patience(session.options), session.scratch / "stacks.txt")
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
