"""``levee preview|up|refresh|destroy``: the engine's operations on one environment."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from levee.cli import comparison, github, panels, standing
from levee.cli.console import human, say, write_json
from levee.cli.options import (
    Config,
    Faults,
    FillConfig,
    Folder,
    JsonFile,
    Online,
    References,
    StackName,
    Target,
    Timeout,
    Yes,
)
from levee.cli.scope import Scope, kept_plan, options, perform, scope
from levee.engine import Operation, Options
from levee.errors import UsageError
from levee.plan import Plan, document
from levee.report import cost, fidelity, terminal
from levee.review import approval, departures, program_files


def register(app: typer.Typer) -> None:
    """Add the commands."""
    panels.command(app, preview, panel=panels.PROVISION, example="levee preview dev --fill-config --json plan.json")
    panels.command(app, up, panel=panels.PROVISION, example="levee up local")
    panels.command(app, refresh, panel=panels.PROVISION, example="levee refresh prod --offline --expect-no-changes")
    panels.command(app, destroy, panel=panels.PROVISION, example="levee destroy dev --offline")


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
    chosen = replace(
        options(scoped, config, references=references, fill_config=fill_config, timeout=timeout), faults=faults
    )
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
    chosen = replace(options(scoped, config, timeout=timeout), dry_run=dry_run)
    plan = _perform(Operation.REFRESH, scoped, chosen, json)
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
    yes: Yes = False,
    timeout: Timeout = None,
) -> int:
    """Delete everything that the stack made. Protected resources refuse."""
    scoped = scope(env, cwd, stack, online=online)
    if not scoped.offline and not yes and not typer.confirm(f"Destroy the real stack {scoped.stack}?"):
        raise UsageError("not destroyed", fix=f"levee destroy {scoped.stack} --online --yes")
    chosen = replace(options(scoped, config, timeout=timeout), unprotect=unprotect)
    return int(_perform(Operation.DESTROY, scoped, chosen, json).blocked)


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
    """Run an operation, keep its plan, and tell of it; ``None`` for ``json`` writes none."""
    plan = perform(operation, scoped, chosen)
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
        say(cost.summary_line(priced), human(json))
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
    say(terminal.summary_line(plan), output)
    if line := fidelity.believe_line(plan):
        say(line, output)
