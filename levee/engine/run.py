"""One operation on one stack, from the project on disk to the ``Plan``."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from levee.engine import cli_process, join, standins
from levee.engine.cli_process import Finished, Listener
from levee.engine.failure import diagnose
from levee.engine.language_host import LanguageHost, Program
from levee.engine.project import Project
from levee.engine.workspace import Workspace
from levee.errors import EngineError, UsageError
from levee.plan import Op, Plan, Verdict
from levee.toolchain import ensure_pulumi


class Operation(StrEnum):
    """The engine's operations on a stack."""

    PREVIEW = "preview"
    UP = "up"
    REFRESH = "refresh"
    DESTROY = "destroy"


_CHANGES: Final = frozenset({Operation.UP, Operation.REFRESH, Operation.DESTROY})


@dataclass(frozen=True)
class Options:
    """How to run an operation; the defaults suit a plain offline run.

    Attributes:
        offline: With stand-in providers and a simulated cloud; else with the real plugins and the user's backend.
        config: Configuration of this run alone, by key.
        packs: Folders of CrossGuard policy packs.
        pack_config: What each policy is configured with, ``{policy: {"enforcementLevel": ..., ...}}``.
        references: A YAML file of other stacks' outputs, ``{stack: {output: value}}``.
        lookups: A YAML file of the project's own answers to lookups.
        faults: A YAML file of faults to inject.
        unprotect: Of a destroy: lift the engine's protection of every resource first.
        dry_run: Of a refresh or a destroy: only say what it would do.
        pulumi: The CLI; found or built where it is not given.
        environment: The environment of engine and program; the caller's where it is not given.
        on_event: Gets every engine event while it runs.
        debug: Let the SDK's debug messages reach the engine.
    """

    offline: bool = True
    config: Mapping[str, str] = field(default_factory=dict)
    packs: Sequence[Path] = ()
    pack_config: Mapping[str, Any] = field(default_factory=dict)
    references: Path | None = None
    lookups: Path | None = None
    faults: Path | None = None
    unprotect: bool = False
    dry_run: bool = False
    pulumi: Path | None = None
    environment: Mapping[str, str] | None = None
    on_event: Listener | None = None
    debug: bool = False


@dataclass
class _Session:
    """What every step of one run needs."""

    workspace: Workspace
    options: Options
    pulumi: Path
    scratch: Path
    notes: list[str] = field(default_factory=list)
    placeholders: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        return self.workspace.project

    @property
    def folder(self) -> Path:
        """Where the engine is started, the root it takes the project to have."""
        return self.workspace.engine if self.options.offline else self.project.root

    @property
    def stack(self) -> str:
        return self.workspace.stack

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        env = dict(os.environ if self.options.environment is None else self.options.environment)
        env |= {"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_DEBUG_COMMANDS": "true", "NO_COLOR": "1"}
        if self.options.offline:
            env |= self.workspace.environment()
            env.pop("PULUMI_CONFIG_PASSPHRASE", None)
            env.pop("PULUMI_ACCESS_TOKEN", None)
        env.setdefault("GOGC", "400")  # the engine's work is short and its memory small: a quarter less time on garbage
        if env.pop("PYTHONDONTWRITEBYTECODE", ""):
            # An SDK takes three times as long to import without its byte code: kept where nobody minds it.
            env.setdefault("PYTHONPYCACHEPREFIX", str(_home() / ".levee" / "cache" / "bytecode"))
        scripts = str(self.workspace.folder / "bin")
        return {**env, "PATH": f"{scripts}{os.pathsep}{env.get('PATH', '')}", **(extra or {})}

    def cli(self, *arguments: str, environment: Mapping[str, str] | None = None, **more: Any) -> Finished:
        return cli_process.run(
            [str(self.pulumi), *arguments, "--non-interactive"],
            folder=self.folder,
            environment=environment or self.environment(),
            **more,
        )


@contextmanager
def _session(folder: Path, stack: str, options: Options) -> Generator[_Session]:
    project = Project.load(folder)
    if project.runtime != "python":
        raise UsageError(
            f"the program's runtime is {project.runtime!r}; Levee runs Python programs",
            where=str(project.root / "Pulumi.yaml"),
        )
    if not stack or not re.fullmatch(r"[\w./-]+", stack):
        raise UsageError(f"{stack!r} is not a stack's name", fix="use letters, digits, `-`, `_` and `.`")
    workspace = Workspace(project, stack)
    pulumi = options.pulumi or ensure_pulumi(project.root if (project.root / "tools/pulumi").is_dir() else _home())
    with workspace.locked(), tempfile.TemporaryDirectory(prefix="levee-") as scratch:
        session = _Session(workspace, options, pulumi, Path(scratch))
        for placeholder in workspace.prepare(options.config):
            session.placeholders[placeholder.key] = placeholder.value
            session.notes.append(
                f"secret {placeholder.key} stands as {placeholder.value!r}: only its cloud key opens it"
            )
        yield session


def _home() -> Path:
    """The folder that holds ``tools/pulumi`` and the cached CLI."""
    return Path(__file__).resolve().parents[2]


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
    with _session(folder, stack, options) as session:
        if options.offline:
            _ensure_stack(session, create=operation in {Operation.PREVIEW, Operation.UP})
            _free_stale_lock(session)
        if operation is Operation.DESTROY and options.unprotect and not options.dry_run:
            _unprotect(session)
        return _perform(session, operation)


def deployed(folder: Path, stack: str, options: Options | None = None) -> Plan:
    """The stack as it was last deployed, read from its state without asking any cloud.

    Raises:
        UsageError: The stack was never brought up.
    """
    with _session(folder, stack, options or Options()) as session:
        _ensure_stack(session, create=False)
        return _plan(session, _exported(session), join.Events(), join.Notes(), operation="deployed", seconds=0.0)


def _ensure_stack(session: _Session, *, create: bool) -> None:
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


def _unprotect(session: _Session) -> None:
    lifted = session.cli("state", "unprotect", "--all", "--yes", "--stack", session.stack)
    if lifted.code != 0:
        raise EngineError(f"the protection could not be lifted: {lifted.stderr.strip()}", fix="pulumi state unprotect")


def _free_stale_lock(session: _Session) -> None:
    """Do what `pulumi cancel` is for, where the process that took Pulumi's lock has gone."""
    pid = session.workspace.stale_lock()
    if pid is None:
        return
    freed = session.cli("cancel", "--yes", "--stack", session.stack)
    if freed.code != 0:
        raise EngineError(f"a run that died left its lock: {freed.stderr.strip()}", fix="pulumi cancel")
    session.notes.append(f"freed the lock that process {pid or 'unknown'} left when it died (pulumi cancel)")


def _perform(session: _Session, operation: Operation) -> Plan:
    options, workspace = session.options, session.workspace
    events_path, program_notes = session.scratch / "events.jsonl", session.scratch / "program.jsonl"
    standin_log = session.scratch / "standin.jsonl"
    before = _exported(session) if operation is Operation.DESTROY else []
    with ExitStack() as running:
        extra: dict[str, str] = {}
        if options.offline:
            ports = running.enter_context(
                standins.attached(
                    session.project.site_packages,
                    cloud=workspace.cloud,
                    log=standin_log,
                    errors_to=workspace.folder / "logs" / "standin.stderr",
                    cache=_home() / ".levee" / "cache" / "sdk",
                    stack=session.stack,
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
            environment=environment,
            references=_references(options.references),
            placeholders=session.placeholders,
            notes=program_notes,
            debug=options.debug,
        )
        host = running.enter_context(LanguageHost(program))
        finished = session.cli(
            *_arguments(session, operation, events_path, host.port),
            environment=environment,
            event_log=events_path,
            listener=options.on_event,
        )
    changes = operation in _CHANGES and not options.dry_run
    events = join.read_events(events_path, updating=changes)
    notes = join.read_notes(standin_log, program_notes)
    _keep_logs(session, operation)
    if operation is Operation.PREVIEW:
        plan = _previewed(session, finished, events, notes)
    else:
        states = _exported(session)
        if operation is Operation.DESTROY:
            left = {state["urn"] for state in states}
            states += [state for state in before if state["urn"] not in left]
        plan = _plan(session, states, events, notes, operation=operation.value, seconds=finished.seconds)
    _raise_if_failed(session, finished, events, notes, plan)
    return plan


def _arguments(session: _Session, operation: Operation, events: Path, port: int) -> list[str]:
    options = session.options
    arguments = [operation.value, "--stack", session.stack, "--event-log", str(events)]
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
    return [*arguments, "--client", f"127.0.0.1:{port}"]


def _online_config(session: _Session) -> Path:
    """The stack's own configuration, with this run's values beside it where there are any."""
    source = session.project.stack_config(session.stack)
    if not session.options.config and source.exists():
        return source
    text = source.read_text(encoding="utf-8") if source.exists() else ""
    copy = session.scratch / source.name
    copy.write_text(text, encoding="utf-8")
    for key, value in session.options.config.items():
        given = session.cli(
            "config", "set", "--stack", session.stack, "--config-file", str(copy), "--plaintext", key, value
        )
        if given.code != 0:
            raise UsageError(f"--config {key}: {given.stderr.strip()}")
    return copy


def _lookups(session: _Session) -> Path | None:
    if session.options.lookups is not None:
        return session.options.lookups
    beside = session.project.root / "lookups.yaml"
    return beside if beside.exists() else None


def _references(path: Path | None) -> dict[str, Any]:
    """Other stacks' outputs: ``{stack: {output: value}}``, or ``{stack: {outputs: {...}, secret: [names]}}``."""
    if path is None:
        return {}
    from levee.engine.project import read_yaml

    answers: dict[str, Any] = {}
    for name, outputs in read_yaml(path).items():
        if not isinstance(outputs, dict):
            raise UsageError(f"stack {name!r} needs a mapping of outputs", where=str(path), fix="write `output: value`")
        secret = outputs.get("secret", []) if set(outputs) <= {"outputs", "secret"} else []
        values = outputs.get("outputs", {}) if set(outputs) <= {"outputs", "secret"} else outputs
        answers[name] = {"from": str(path), "outputs": values, "secret_output_names": secret}
    return answers


def _keep_logs(session: _Session, operation: Operation) -> None:
    """Keep the last run's logs of each operation, for who wants to look closer."""
    kept = session.workspace.folder / "logs" / operation.value
    kept.mkdir(parents=True, exist_ok=True)
    for log in session.scratch.glob("*.jsonl"):
        shutil.copyfile(log, kept / log.name)


def _previewed(session: _Session, finished: Finished, events: join.Events, notes: join.Notes) -> Plan:
    digest = _json(finished.stdout)
    states = [step.get("newState") or step.get("oldState") for step in digest.get("steps", [])]
    by_urn = {state["urn"]: state for state in states if state is not None}
    return _plan(session, list(by_urn.values()), events, notes, operation="preview", seconds=finished.seconds)


def _exported(session: _Session) -> list[dict[str, Any]]:
    """The resources in the stack's state."""
    exported = session.cli("stack", "export", "--stack", session.stack)
    if exported.code != 0:
        raise EngineError(f"the state cannot be read: {exported.stderr.strip()}", fix="pulumi stack export")
    return _json(exported.stdout).get("deployment", {}).get("resources") or []


def _json(text: str) -> dict[str, Any]:
    start = text.find("{")
    return json.loads(text[start:]) if start >= 0 else {}


def _plan(
    session: _Session,
    states: Sequence[Mapping[str, Any]],
    events: join.Events,
    notes: join.Notes,
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
        not_evaluated=join.findings(events, Verdict.NOT_EVALUATED, graph),
        invented_lookups=notes.invented,
        outputs=outputs,
        notes=(*session.notes, *notes.references, *notes.faults, *_warnings(events)),
        seconds=seconds,
    )


def _warnings(events: join.Events) -> list[str]:
    """What the engine warned of; how it finds our own scripts is no news to anyone."""
    return [text for _, text in events.warnings if "from $PATH at" not in text]


def _raise_if_failed(session: _Session, finished: Finished, events: join.Events, notes: join.Notes, plan: Plan) -> None:
    if finished.interrupted:
        raise EngineError(
            "interrupted; the step in hand was finished and the state is whole",
            fix=f"levee up {session.stack} goes on from there",
        )
    if finished.code == 0 or plan.blocked:
        return
    raise diagnose(session.project, session.stack, finished, events=events, notes=notes, graph=plan.resources)


def _bound(operation: Operation) -> Callable[..., Plan]:
    def bound(folder: Path, stack: str, options: Options | None = None) -> Plan:
        return perform(operation, folder, stack, options or Options())

    bound.__name__ = operation.value
    bound.__doc__ = f"``{operation.value}`` of a project's stack; see :func:`perform`."
    return bound


preview = _bound(Operation.PREVIEW)
up = _bound(Operation.UP)
refresh = _bound(Operation.REFRESH)
destroy = _bound(Operation.DESTROY)
