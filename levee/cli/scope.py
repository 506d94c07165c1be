"""What a command works on: the project, the stack, its environment, and how the engine is run on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from levee import compliance
from levee import engine as pulumi
from levee.cli import standing
from levee.cli.console import engine_progress
from levee.engine import Operation, Options, Project, Workspace, choose_stack, find_project
from levee.environment import Environment, describes
from levee.errors import UsageError
from levee.plan import Plan


@dataclass(frozen=True)
class Scope:
    """What a command works on."""

    project: Project
    stack: str
    environment: Environment | None
    offline: bool


def scope(given: str | None, cwd: Path, stack: str | None, *, online: bool) -> Scope:
    """Find the project and read its environment.

    Raises:
        UsageError: There is no such project or environment, or an offline one was asked to go online.
    """
    project = find_project(cwd)
    env = choose_stack(project, given or stack)
    environment = Environment.load(project.root, env) if describes(project.config_dir) else None
    if environment is not None and environment.offline and online:
        raise UsageError(
            f"environment {env!r} is always offline",
            where=str(project.stack_config(env)),
            fix=f"leave --online away, or set `offline: false` in {project.stack_config(env).name}",
        )
    return Scope(project, stack or env, environment, offline=not online)


def deployed(env: str, cwd: Path) -> tuple[Scope, Plan]:
    """Find the project, and what is up of an environment; no cloud is asked.

    Raises:
        UsageError: There is no such project or environment, or it was never brought up.
    """
    scoped = scope(env, cwd, None, online=False)
    return scoped, pulumi.deployed(scoped.project.root, scoped.stack)


def options(
    scoped: Scope,
    config: list[str] | None,
    *,
    references: Path | None = None,
    fill_config: bool = False,
    timeout: float | None = None,
) -> Options:
    """The engine's options for a scope: the merged pack runs on every preview and up.

    Args:
        scoped: The scope.
        config: What ``--config`` gave.
        references: What ``--references`` gave.
        fill_config: Whether values that nobody has set are invented.
        timeout: Seconds of silence after which a run is ended; ``None`` for the engine's own choice.

    Raises:
        UsageError: A value of ``--config`` is not K=V, or the environment speaks of a rule that there is not.
    """
    return Options(
        offline=scoped.offline,
        config=given_config(config),
        packs=(compliance.merged_pack(),),
        pack_config=standing.pack_config(scoped.environment, scoped.project, scoped.stack, offline=scoped.offline),
        references=references,
        fill_config=fill_config,
        timeout=timeout,
    )


def given_config(items: list[str] | None) -> dict[str, str]:
    """What ``--config K=V`` gave, by key.

    Raises:
        UsageError: One is not of that form.
    """
    given: dict[str, str] = {}
    for item in items or []:
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise UsageError(f"--config {item!r} is not K=V", fix=f"--config {key or 'KEY'}=VALUE")
        given[key] = value
    return given


def perform(operation: Operation, scoped: Scope, chosen: Options) -> Plan:
    """Run an operation of the engine, and show how far it is."""
    where = "simulated cloud" if scoped.offline else "real cloud"
    with engine_progress(f"{operation.value} {scoped.stack} ({where})") as listener:
        return pulumi.perform(operation, scoped.project.root, scoped.stack, replace(chosen, on_event=listener))


def kept_plan(scoped: Scope, operation: Operation) -> Path:
    """Where the last plan of an operation is kept, for the report and for who wants to look again."""
    return Workspace(scoped.project, scoped.stack).folder / "plans" / f"{operation.value}.json"
