"""``levee run|replay|report``: the data plane of a deployed environment."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from levee import report, runner
from levee.cli import panels
from levee.cli.console import answer, errors
from levee.cli.options import ConfirmCost, Dataset, Domain, Engine, Env, EnvOption, Folder, JsonFile
from levee.cli.scope import Scope, deployed, kept_plan
from levee.engine import Operation
from levee.errors import UsageError
from levee.plan import Plan, document
from levee.report import terminal


class Layer(StrEnum):
    """Where a run may start."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    panels.command(app, run, example="levee run sales --env local --from silver", panel=panels.DATA)
    panels.command(app, replay, example="levee replay sales.online_retail --env local", panel=panels.CARE)
    panels.command(app, write_report, example="levee report local", panel=panels.DATA, name="report")


def run(
    domain: Domain,
    *,
    env: EnvOption = "local",
    from_layer: Annotated[
        Layer | None, typer.Option("--from", help="Start at this layer; what is before it is done.")
    ] = None,
    data_engine: Engine = None,
    confirm_cost: ConfirmCost = False,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Run the job that the deployed stack holds, on this machine: same wheel, same entry points, same parameters."""
    scoped, plan = deployed(env, cwd)
    result = runner.run(
        plan,
        domain,
        root=scoped.project.root,
        engine=data_engine,
        from_layer=from_layer,
        terms=terms(scoped, confirmed=confirm_cost),
        console=errors,
    )
    show_run(result, json)
    result.raise_if_failed()
    return 0


def replay(
    dataset: Dataset,
    *,
    env: EnvOption = "local",
    accept: Annotated[
        str | None, typer.Option("--accept", metavar="BATCH", help="Let this held batch go on as it is, no other.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="WHY", help="Why it may; kept.")] = None,
    data_engine: Engine = None,
    confirm_cost: ConfirmCost = False,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Judge a dataset's quarantined rows again, after its contract or the source was corrected.

    With --accept a batch that a check or the circuit breaker holds is published as it is; who and why is kept.
    """
    if (accept is None) != (reason is None):
        raise UsageError("a held batch goes on only with a reason", fix="give both --accept BATCH and --reason WHY")
    scoped, plan = deployed(env, cwd)
    result = runner.replay(
        plan,
        dataset,
        root=scoped.project.root,
        engine=data_engine,
        terms=terms(scoped, confirmed=confirm_cost),
        console=errors,
        acceptance={"accept": accept, "by": runner.actor(), "reason": reason} if accept and reason else None,
    )
    show_run(result, json)
    result.raise_if_failed()
    return 0


def write_report(
    env: Env = "local",
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The page; .levee/ENV/report.html where absent."),
    ] = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Write one self-contained page: what is provisioned, what the rules said, what the tables hold."""
    scoped, plan = deployed(env, cwd)
    folder = scoped.project.root / ".levee" / env
    plan = _verdicts(scoped, plan)
    summary = runner.summary(plan, root=scoped.project.root, console=errors)
    path = report.write(plan, summary, output or folder / "report.html", environment=env)
    answer({"report": str(path)}, json).print(f"report  {path}", soft_wrap=True)
    return 0


def show_run(result: runner.RunResult, json: Path | None) -> None:
    """Print what became of each task, or write it as JSON."""
    told = result.json()
    answer(told, json).print(terminal.run_table(told))


def _verdicts(scoped: Scope, plan: Plan) -> Plan:
    """The deployed stack with what the rules said of it when it was last brought up."""
    last = kept_plan(scoped, Operation.UP)
    if not last.exists():
        return plan
    judged = document.read(last)
    return replace(
        plan,
        violations=judged.violations,
        exempt=judged.exempt,
        not_evaluated=judged.not_evaluated,
        invented_lookups=judged.invented_lookups,
        filled_config=judged.filled_config,
        fidelity=judged.fidelity,
    )


def terms(scoped: Scope, *, confirmed: bool) -> runner.Terms | None:
    """What a run of the environment may cost; ``None`` without an environment file."""
    return runner.Terms(scoped.environment, confirmed) if scoped.environment else None
