"""Looks after the tables of a deployed stack: what they are made of and cost, who made them, and taking them back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from levee import cost
from levee.cost import Basis, usage
from levee.errors import UsageError
from levee.plan import Plan, Resource
from levee.runner.ask import ask, places
from levee.runner.dataenv import ensure_data_env
from levee.runner.job import Job, job_of, jobs_of
from levee.runner.surroundings import Surroundings, refusals

_MODULE: Final = "pipelines.maintain"
_STORES: Final = {
    "aws:s3/bucket:Bucket": "bucket",
    "gcp:storage/bucket:Bucket": "name",
    "azure-native:storage:StorageAccount": "accountName",
}
"""What holds tables, by its type, and the input with its name."""
_PLACE: Final = re.compile(r"\w+://(?:[^/@]+@)?(?P<name>[^/.]+)")
_GB: Final = 10**9


def tables(plan: Plan, *, root: Path, console: Console | None = None) -> tuple[dict[str, Any], ...]:
    """Every table of the deployed domains (``pipelines.maintain.report``), with what its storage costs.

    Returns:
        One a table: the report's fields, ``domain``, and ``usd_a_month`` of what is stored now, ``usd_a_month_before``
        and ``usd_a_month_after`` the last care; ``None`` where there is no price or no measure.

    Raises:
        LeveeError: The stack is not up, or the wheel cannot read the tables.
    """
    found: list[dict[str, Any]] = []
    for job in jobs_of(plan):
        answer = _ask(plan, job, ["--verb=files"], root=root, console=console)
        rates = {layer: a_gigabyte(plan, url) for layer, url in places(job).items() if "://" in url}
        for table in answer["tables"]:
            layer = table["table"].partition(".")[0]
            cared = table["cared"] or {}
            found.append(
                {
                    "domain": job.domain,
                    **table,
                    "usd_a_month": _usd(table["stored_bytes"], rates.get(layer)),
                    **{
                        f"usd_a_month_{when}": _usd(cared.get(f"stored_bytes_{when}"), rates.get(layer))
                        for when in ("before", "after")
                    },
                }
            )
    return tuple(found)


def audit(plan: Plan, table: str, as_of: str | None, *, root: Path, console: Console | None = None) -> dict[str, Any]:
    """Who made each version of a table, and what it was at a time (``pipelines.maintain.audit``).

    Args:
        plan: The deployed stack.
        table: ``[DOMAIN.]LAYER.DATASET``.
        as_of: ISO 8601; now where absent.
        root: The checkout.
        console: Where progress goes; standard error where absent.

    Raises:
        LeveeError: There is no such table, or it was not there at the time.
    """
    job, name = _named(plan, table)
    arguments = ["--verb=audit", f"--name={name}", *([f"--as-of={as_of}"] if as_of else [])]
    return {"domain": job.domain, **_ask(plan, job, arguments, root=root, console=console)}


def restore(
    plan: Plan,
    table: str,
    *,
    version: int | None,
    as_of: str | None,
    repair: bool,
    root: Path,
    console: Console | None = None,
) -> dict[str, Any]:
    """Take a table back to a version or a time, or out of a damaged log (``pipelines.maintain.restore``).

    Args:
        plan: The deployed stack.
        table: ``[DOMAIN.]LAYER.DATASET``.
        version: Number of the version; exactly one of this, `as_of` and `repair` is given.
        as_of: ISO 8601.
        repair: Take the entries that cannot be read out of the log.
        root: The checkout.
        console: Where progress goes; standard error where absent.

    Raises:
        UsageError: Not exactly one of the three is given.
        LeveeError: The wheel refused.
    """
    if (version is not None) + (as_of is not None) + repair != 1:
        raise UsageError("say what to go back to", fix="pass one of --version N, --as-of TIME and --repair")
    job, name = _named(plan, table)
    back = [f"--version-number={version}"] if version is not None else [f"--as-of={as_of}"]
    arguments = ["--verb=repair"] if repair else ["--verb=restore", *back]
    found = _ask(plan, job, [*arguments, f"--name={name}"], root=root, console=console)
    return {"domain": job.domain, **found}


def a_gigabyte(plan: Plan, url: str) -> Decimal | None:
    """US dollars a month of a gigabyte (10^9 bytes) in the store under a URL; ``None`` where it has no price."""
    store = _store(plan, url)
    if store is None:
        return None
    catalogue = cost.shipped()
    one = {"types": {store.type: {"storage_gb": 1}}}
    said = usage.parse(one, catalogue, lambda path: ".".join(map(str, path)))
    (priced,) = cost.price_resources([store], catalogue, said, project=plan.project, stack=plan.stack).resources
    # Its other lines, of requests and other tiers, ask for usage that nobody gave.
    charged = [line.monthly_usd.expected for line in priced.lines if line.basis is Basis.USAGE and line.monthly_usd]
    return sum(charged, Decimal(0)) or None


def _store(plan: Plan, url: str) -> Resource | None:
    place = _PLACE.match(url)
    for resource in plan.resources:
        key = _STORES.get(resource.type)
        if place and key and resource.inputs.get(key) == place["name"]:
            return resource
    return None


def _usd(stored: int | None, rate: Decimal | None) -> str | None:
    return None if stored is None or rate is None else str(round(Decimal(stored) / _GB * rate, 9))


def _named(plan: Plan, table: str) -> tuple[Job, str]:
    parts = table.split(".")
    jobs: Sequence[Job] = jobs_of(plan)
    if len(parts) == 3:
        return job_of(plan, parts[0]), ".".join(parts[1:])
    if len(parts) != 2 or len(jobs) != 1:
        raise UsageError(
            f"{table!r} names no table of one domain",
            where=plan.stack,
            fix=f"write DOMAIN.LAYER.DATASET, with a domain of {', '.join(job.domain for job in jobs)}",
        )
    return jobs[0], table


def _ask(plan: Plan, job: Job, arguments: Sequence[str], *, root: Path, console: Console | None) -> Mapping[str, Any]:
    console = console or Console(stderr=True)
    around = replace(Surroundings(root.resolve(), plan.stack), volumes=job.volumes)
    again = f"levee run {job.domain} --env {around.env}"
    with refusals(around, again=again):
        prepared = ensure_data_env(around.root, around.engine, console)
        with console.status(f"Looking at the tables of {job.domain}"):
            return ask(_MODULE, job, around, prepared, arguments, fix=again)
