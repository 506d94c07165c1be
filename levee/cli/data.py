"""``levee run|replay|report``: the data plane of a deployed environment."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from levee import engine, report, runner
from levee.cli.console import errors, human, write_json
from levee.cli.options import Folder, JsonFile
from levee.cli.scope import Scope, kept_plan, scope
from levee.engine import Operation
from levee.errors import UsageError
from levee.plan import Plan, document
from levee.report import terminal

EnvOption = Annotated[str, typer.Option("--env", metavar="ENV", help="The environment whose deployed job runs.")]


class Layer(StrEnum):
    """Where a run may start."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


class DataEngine(StrEnum):
    """What runs the job here."""

    SAIL = "sail"
    SPARK = "spark"


Engine = Annotated[
    DataEngine | None, typer.Option("--engine", help="The embedded engine; LEVEE_ENGINE, else sail, where absent.")
]


ConfirmCost = Annotated[
    bool,
    typer.Option(
        "--confirm-cost", help="Let it run though it may exceed the month's budget; your name is recorded with it."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: levee run sales --env local --from silver")(run)
    app.command(epilog="Example: levee replay sales.online_retail --env local")(replay)
    app.command(name="report", epilog="Example: levee report local")(write_report)


def run(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain, such as sales.")],
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
    scoped = scope(env, cwd, None, online=False)
    result = runner.run(
        _deployed(scoped),
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
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The dataset, as DOMAIN.NAME or NAME.")],
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

    With --accept a batch that a check or the circuit breaker holds is published as it is; who and why goes into the
    ledger.
    """
    if (accept is None) != (reason is None):
        raise UsageError("a held batch goes on only with a reason", fix="give both --accept BATCH and --reason WHY")
    scoped = scope(env, cwd, None, online=False)
    result = runner.replay(
        _deployed(scoped),
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
    env: Annotated[str, typer.Argument(metavar="ENV", help="The environment.")] = "local",
    *,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Where; .levee/ENV/report.html where absent.")
    ] = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Write one self-contained page: what is provisioned, what the rules said, what the tables hold."""
    scoped = scope(env, cwd, None, online=False)
    folder = scoped.project.root / ".levee" / env
    plan = _verdicts(scoped, _deployed(scoped))
    summary = runner.summary(plan, root=scoped.project.root, console=errors)
    path = report.write(plan, summary, to or folder / "report.html", environment=env)
    if json:
        write_json({"version": 1, "report": str(path)}, json)
    human(json).print(f"report  {path}", soft_wrap=True)
    return 0


def show_run(result: runner.RunResult, json: Path | None) -> None:
    """Print what became of each task, or write it as JSON."""
    document_ = result.json()
    if json:
        write_json(document_, json)
    human(json).print(terminal.run_table(document_))


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


def _deployed(scoped: Scope) -> Plan:
    return engine.deployed(scoped.project.root, scoped.stack)
