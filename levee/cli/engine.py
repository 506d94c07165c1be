"""``levee preview|up|refresh|destroy``: the engine's operations on one environment."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from levee import compliance
from levee import engine as pulumi
from levee.cli import comparison, github, standing
from levee.cli.console import JsonFile, engine_progress, human, write_json
from levee.engine import Operation, Options, Project, Workspace, choose_stack, find_project
from levee.environment import Environment, describes
from levee.errors import UsageError
from levee.plan import Plan, document
from levee.report import cost, fidelity, terminal
from levee.review import approval, departures, program_files

Target = Annotated[
    str | None,
    typer.Argument(metavar="ENV", help="The environment or stack; the only one there is, else dev, where absent."),
]
Online = Annotated[
    bool,
    typer.Option(
        "--online/--offline",
        help="Use the real providers and your own Pulumi backend, or stand-in providers and a simulated cloud.",
    ),
]
Folder = Annotated[Path, typer.Option("--cwd", metavar="DIR", help="The Pulumi project's folder, or one below it.")]
StackName = Annotated[
    str | None, typer.Option("--stack", metavar="NAME", help="The stack, where it is not called ENV.")
]
Config = Annotated[
    list[str] | None,
    typer.Option("--config", "-c", metavar="K=V", help="A configuration value for this run; repeatable."),
]
FillConfig = Annotated[
    bool,
    typer.Option("--fill-config", help="Invent typed values for configuration that nobody has set, and list them."),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0,
        help="End a run whose program and engine do nothing for so long; 0: never. Offline 300, online never.",
    ),
]
Faults = Annotated[
    Path | None, typer.Option("--faults", metavar="FILE", help="Faults to inject (docs/reference/faults.md).")
]
References = Annotated[
    Path | None,
    typer.Option("--references", metavar="FILE", help="Other stacks' outputs, {stack: {output: value}} in YAML."),
]


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


def options(scoped: Scope, config: list[str] | None = None, **more: object) -> Options:
    """The engine's options for a scope: the merged pack runs on every preview and up."""
    return Options(
        offline=scoped.offline,
        config=given_config(config),
        packs=(compliance.merged_pack(),),
        pack_config=standing.pack_config(scoped.environment, scoped.project, scoped.stack, offline=scoped.offline),
        **more,  # ty: ignore[invalid-argument-type]
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


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: levee preview dev --fill-config --json plan.json")(preview)
    app.command(epilog="Example: levee up local")(up)
    app.command(epilog="Example: levee refresh prod --offline --expect-no-changes")(refresh)
    app.command(epilog="Example: levee destroy dev --offline")(destroy)


def preview(
    env: Target = None,
    *,
    online: Online = False,
    cwd: Folder = Path(),
    stack: StackName = None,
    config: Config = None,
    fill_config: FillConfig = False,
    json: JsonFile = None,
    references: References = None,
    timeout: Timeout = None,
    compare_online: Annotated[
        bool,
        typer.Option(
            "--compare-online", help="Preview for real as well, and print what differs; 1 where the steps do."
        ),
    ] = False,
    approve: Annotated[
        Path | None,
        typer.Option(
            "--approve", metavar="FILE", help="Write what is approved with it, for `levee up ENV --plan FILE`."
        ),
    ] = None,
) -> int:
    """Show what would change and which rule it breaks, without changing anything."""
    if compare_online and approve:
        raise UsageError("--approve and --compare-online do not go together", fix="leave one of them away")
    scoped = scope(env, cwd, stack, online=online or compare_online)
    chosen = options(scoped, config, references=references, fill_config=fill_config, timeout=timeout)
    if compare_online:
        return comparison.compare(scoped.project.root, scoped.stack, chosen, json)
    code = _code(scoped, approve) if approve else None  # before the program can write there
    plan = _perform(Operation.PREVIEW, scoped, chosen, json)
    if approve and code and not plan.blocked:
        approved = approval.approval(plan, code)
        approval.write(approved, approve)
        human(json).print(f"approved {approved.digest[:12]}: {escape(str(approve))}", soft_wrap=True)
        if plan.invented_lookups:
            open_questions = "what was invented departs from the cloud's own answer: answer it in lookups.yaml"
            human(json).print(f"[yellow]note[/] {open_questions}", soft_wrap=True)
    return int(plan.blocked)


def up(
    env: Target = None,
    *,
    online: Online = False,
    cwd: Folder = Path(),
    stack: StackName = None,
    config: Config = None,
    fill_config: FillConfig = False,
    json: JsonFile = None,
    references: References = None,
    faults: Faults = None,
    timeout: Timeout = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan", metavar="FILE", help="Apply only what was approved: a file of `levee preview --approve`."
        ),
    ] = None,
) -> int:
    """Preview, check the rules, then provision; a broken mandatory rule stops it before anything is made."""
    scoped = scope(env, cwd, stack, online=online)
    chosen = options(scoped, config, references=references, faults=faults, fill_config=fill_config, timeout=timeout)
    if plan is not None:
        return int(_as_approved(scoped, chosen, plan, json).blocked)
    return int(_perform(Operation.UP, scoped, chosen, json).blocked)


def refresh(
    env: Target = None,
    *,
    online: Online = False,
    cwd: Folder = Path(),
    stack: StackName = None,
    config: Config = None,
    json: JsonFile = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what differs; leave the state as it is.")
    ] = False,
    expect_no_changes: Annotated[
        bool, typer.Option("--expect-no-changes", help="Exit with 1 if the cloud differs from the state.")
    ] = False,
    timeout: Timeout = None,
) -> int:
    """Ask the cloud what really is there, and say what was changed behind the engine's back."""
    scoped = scope(env, cwd, stack, online=online)
    plan = _perform(Operation.REFRESH, scoped, options(scoped, config, dry_run=dry_run, timeout=timeout), json)
    return int(expect_no_changes and plan.changes)


def destroy(
    env: Target = None,
    *,
    online: Online = False,
    cwd: Folder = Path(),
    stack: StackName = None,
    config: Config = None,
    json: JsonFile = None,
    unprotect: Annotated[
        bool, typer.Option("--unprotect", help="Lift the protection of every resource first.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask; needed online where nobody can be asked.")
    ] = False,
    timeout: Timeout = None,
) -> int:
    """Delete everything that the stack made. Protected resources refuse."""
    scoped = scope(env, cwd, stack, online=online)
    if not scoped.offline and not yes and not typer.confirm(f"Destroy the real stack {scoped.stack}?"):
        raise UsageError("not destroyed", fix=f"levee destroy {scoped.stack} --online --yes")
    return int(
        _perform(Operation.DESTROY, scoped, options(scoped, config, unprotect=unprotect, timeout=timeout), json).blocked
    )


def kept_plan(scoped: Scope, operation: Operation) -> Path:
    """Where the last plan of an operation is kept, for the report and for who wants to look again."""
    return Workspace(scoped.project, scoped.stack).folder / "plans" / f"{operation.value}.json"


def _as_approved(scoped: Scope, chosen: Options, file: Path, json: Path | None) -> Plan:
    """Save Pulumi's update plan, and apply exactly that where it is what was approved; else apply nothing.

    Raises:
        GateError: Something departs from what was approved, or from the saved plan while it is applied.
    """
    approved = approval.read(file, scoped.project.name, scoped.stack)
    code = _code(scoped, file)
    departures.refuse(departures.of_code(approved.code, code), file, scoped.stack)  # before it runs
    with tempfile.TemporaryDirectory(prefix="levee-") as folder:
        planned = replace(chosen, update_plan=Path(folder) / "update-plan.json")
        plan = _perform(Operation.PREVIEW, scoped, planned, None)
        if plan.blocked:
            if json:
                write_json(document.to_document(plan), json)
            return plan
        departures.refuse(departures.of_plan(approved, approval.approval(plan, code)), file, scoped.stack)
        return _perform(Operation.UP, scoped, planned, json)


def _code(scoped: Scope, file: Path) -> approval.Code:
    """What runs and what judges."""
    files = program_files.of_checkout(scoped.project.root, besides=program_files.beside(file))
    return approval.Code.of(scoped.project, files)


def _perform(operation: Operation, scoped: Scope, chosen: Options, json: Path | None) -> Plan:
    where = "simulated cloud" if scoped.offline else "real cloud"
    with engine_progress(f"{operation.value} {scoped.stack} ({where})") as listener:
        plan = pulumi.perform(operation, scoped.project.root, scoped.stack, replace(chosen, on_event=listener))
    document.write(plan, kept_plan(scoped, operation))
    if json:
        write_json(document.to_document(plan), json)
    if github.active():
        github.write(github.of_plan(plan, scoped.project.root))
    show(plan, human(json))
    if (
        operation in {Operation.PREVIEW, Operation.UP}
        and (priced := standing.month(scoped.environment, plan)).resources
    ):
        human(json).print(cost.summary_line(priced))
    return plan


def show(plan: Plan, output: Console) -> None:
    """Print a plan as a person reads it."""
    output.print(terminal.resource_tree(plan))
    if plan.violations or plan.not_evaluated:
        output.print(terminal.verdicts(plan))
    for lookup in plan.invented_lookups:
        output.print(
            f"[yellow]invented[/] {escape(lookup.token)}  [dim]{escape(str(lookup.source or ''))}[/]", soft_wrap=True
        )
    for filled in plan.filled_config:
        output.print(terminal.filled_line(filled), soft_wrap=True)
    for note in plan.notes:
        output.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)
    output.print(terminal.summary_line(plan))
    if line := fidelity.believe_line(plan):
        output.print(line, soft_wrap=True)
