"""One start of the CLI with the program, its language host and, offline, the stand-ins."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from levee import places
from levee.engine import references, runtimes, standins
from levee.engine.activity import Activity
from levee.engine.cli_process import Finished
from levee.engine.event_stream import EventStream
from levee.engine.language_host import Program
from levee.engine.project import Project
from levee.engine.session import OFFLINE_PATIENCE, Operation, Options, Session
from levee.engine.workspace import dump_yaml


def run(session: Session, operation: Operation, before: Sequence[Mapping[str, Any]]) -> Finished:
    """Run the engine with the program, offline among stand-ins.

    What the three leave is in the session's files: ``events``, ``program_notes``, ``standin_notes``.

    Args:
        session: The stack and how to run.
        operation: What to do.
        before: Of a destroy: the resources in the state.
    """
    options = session.options
    with ExitStack() as running:
        ports = running.enter_context(_standins(session)) if options.offline else {}
        environment = session.environment(_attached(session, ports) if options.offline else {})
        client, end_program = running.enter_context(runtimes.serving(session, _program(session, environment, ports)))
        activity = Activity(patience(options), options.on_event)
        stream = running.enter_context(EventStream(session.events, activity.listen))
        return session.cli(
            *_arguments(session, operation, stream.address),
            *client,
            *(["--run-program"] if any(map(_has_delete_hook, before)) else []),
            environment=environment,
            hangs=activity.hangs,
            end_program=end_program,
        )


def _standins(session: Session) -> AbstractContextManager[Mapping[str, int]]:
    """The stand-ins of every package that the program's interpreter has, with their ports."""
    workspace = session.workspace
    return standins.attached(
        session.project.site_packages,
        cloud=workspace.cloud,
        log=session.standin_notes,
        errors_to=workspace.folder / "logs" / "standin.stderr",
        cache=places.cache() / "sdk",
        stack=session.stack,
        program=_program_folder(session.project),
        state=workspace.checkpoint,
        faults=session.options.faults,
        lookups=_lookups(session),
    )


def _attached(session: Session, ports: Mapping[str, int]) -> dict[str, str]:
    """The variables by which engine and packs find the stand-ins and the program's SDKs."""
    return {
        "LEVEE_SITE_PACKAGES": str(session.project.site_packages),
        "PULUMI_DEBUG_PROVIDERS": ",".join(f"{name}:{port}" for name, port in ports.items()),
    }


def _program(session: Session, environment: Mapping[str, str], ports: Mapping[str, int]) -> Program:
    """The program as its language host starts it."""
    options, project = session.options, session.project
    return Program(
        root=project.root,
        interpreter=project.interpreter,
        environment={**environment, **options.program_environment},
        prefix=options.hold((session.program_notes, session.program_stacks)) if options.hold else (),
        references=references.gather(options.references, session.workspace) if options.offline else {},
        secrets=session.secrets,
        notes=session.program_notes,
        debug=options.debug,
        offline=options.offline,
        deployed=session.workspace.deployed,
        standins=ports,
        stacks=session.program_stacks,
        fill_config=options.fill_config,
        placeholders=session.workspace.placeholders,
    )


def patience(options: Options) -> float:
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
        if options.offline and options.throwaway:
            arguments += ["--skip-preview"]
    if operation.from_program:
        config = session.scratch / "pack-config.json"
        config.write_text(json.dumps(dict(options.pack_config)))
        for pack in options.packs:
            arguments += ["--policy-pack", str(pack.resolve()), "--policy-pack-config", str(config)]
        if options.update_plan is not None:
            kept = str(options.update_plan.absolute())
            arguments += ["--save-plan" if operation is Operation.PREVIEW else "--plan", kept]
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
