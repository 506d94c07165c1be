"""``levee run DOMAIN`` and ``levee replay DATASET``: the deployed stack's job, on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from levee.errors import UsageError
from levee.plan import Plan
from levee.runner.dataenv import DataEnv, engine_of, ensure_data_env
from levee.runner.execute import run_job
from levee.runner.job import Job, job_of, job_with
from levee.runner.replay import replay_job
from levee.runner.result import RunResult
from levee.runner.surroundings import Surroundings, refusals
from levee.runner.terms import Terms
from pipelines.contracts import wheel_content


def run(
    plan: Plan,
    domain: str,
    *,
    root: Path,
    engine: str | None = None,
    from_layer: str | None = None,
    terms: Terms | None = None,
    console: Console | None = None,
) -> RunResult:
    """Run the job that the deployed stack holds for ``domain``, with its own entry points and parameters.

    Running it again after any end, ``kill -9`` included, gives what one undisturbed run gives: the tasks see to that,
    and no lock of this module outlives its process.

    Args:
        plan: The deployed stack (``levee.engine.deployed``).
        domain: Whose job to run.
        root: The checkout.
        engine: ``sail`` or ``spark``; ``LEVEE_ENGINE`` where absent, else ``sail``.
        from_layer: Start at this layer; what lies before it counts as done.
        terms: What the environment says now of what it may cost; not looked at where absent.
        console: Where progress goes; standard error where absent.

    Returns:
        What became of each task; a failed task does not raise here (``RunResult.raise_if_failed``).

    Raises:
        UsageError: The stack is not up, or holds no such job.
        EngineError: Another run is at work, or the data environment cannot be made.
    """
    console = console or Console(stderr=True)
    job = job_of(plan, domain)
    if from_layer:
        job = job.starting_at(from_layer)
    return _run(job, _surroundings(job, plan, root, engine, terms), console)


def replay(
    plan: Plan,
    dataset: str,
    *,
    root: Path,
    engine: str | None = None,
    terms: Terms | None = None,
    console: Console | None = None,
    acceptance: Mapping[str, str] | None = None,
    intake: bool = False,
) -> RunResult:
    """Judge a dataset's quarantined rows again after its contract was corrected, and rebuild what depends on it.

    Args:
        plan: The deployed stack.
        dataset: ``DOMAIN.NAME``, or ``NAME`` where only one deployed domain has it.
        root: The checkout.
        engine: As for ``run``.
        terms: As for ``run``.
        console: As for ``run``.
        acceptance: As for ``replay_job``.
        intake: As for ``replay_job``.

    Raises:
        UsageError: The stack is not up, no deployed job has that dataset, or more than one has.
        EngineError: As for ``run``.
    """
    console = console or Console(stderr=True)
    job, name = job_with(plan, dataset)
    replaying = replay_job(job, name, acceptance, intake=intake)
    return _run(replaying, _surroundings(job, plan, root, engine, terms), console)


def _surroundings(job: Job, plan: Plan, root: Path, engine: str | None, terms: Terms | None) -> Surroundings:
    told = terms.variables(job) if terms else {}
    return Surroundings(root.resolve(), plan.stack, engine_of(engine), job.volumes, told)


def _run(job: Job, around: Surroundings, console: Console) -> RunResult:
    with refusals(around, again=f"levee run {job.domain} --env {around.env}"):
        prepared = ensure_data_env(around.root, around.engine, console)
        _same_wheel(job, prepared, around.env)
        return run_job(job, around, prepared, console)


def _same_wheel(job: Job, prepared: DataEnv, env: str) -> None:
    """Refuse to run another wheel than the one that the job was deployed with: another version, or other content."""
    for task in job.tasks:
        if task.wheel and task.wheel != prepared.wheel.name:
            raise UsageError(
                f"the stack's job runs {task.wheel}, this checkout builds {prepared.wheel.name}",
                where=job.urn,
                fix=f"levee up {env}, or check out the deployed release",
            )
    here = wheel_content(prepared.wheel) if job.content else ""
    if here != job.content:
        raise UsageError(
            f"code or contracts have changed since the stack {env} was brought up: its job was made from "
            f"{job.content}, this checkout builds {here}",
            where=job.urn,
            fix=f"levee up {env}, then run again",
        )
