"""What the catalogue shows of every domain, asked of the wheel; with the tables of a deployed stack that has run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from levee.plan import Plan
from levee.runner.ask import ask
from levee.runner.dataenv import DataEnv, ensure_data_env
from levee.runner.job import jobs_of
from levee.runner.surroundings import Surroundings, refusals
from levee.runner.wheel import call
from pipelines.contracts import domain_names

_MODULE: Final = "pipelines.catalogue"


def catalogue(
    root: Path,
    *,
    plan: Plan | None,
    domains: Path | None = None,
    sample: int,
    sensitive: bool,
    console: Console | None = None,
) -> list[dict[str, Any]]:
    """The documents of ``python -m pipelines.catalogue``, one a domain.

    Args:
        root: The checkout.
        plan: The deployed stack; ``None`` for what contracts say alone.
        domains: Folder of domains that no stack has deployed; the wheel's own where absent.
        sample: Rows of silver that are shown.
        sensitive: Whether samples show confidential and masked columns, too.
        console: Where progress goes; standard error where absent.

    Raises:
        LeveeError: The wheel refused a contract, or cannot read the tables.
    """
    console = console or Console(stderr=True)
    shown = [f"--sample={sample}", *(["--sensitive"] if sensitive else [])]
    around = Surroundings(root.resolve(), plan.stack if plan else "")
    prepared = ensure_data_env(around.root, around.engine, console)
    found: dict[str, dict[str, Any]] = {}
    if plan is not None and (around.folder / "runs").is_dir():
        with refusals(around, again="levee contracts docs"):
            for job in jobs_of(plan):
                again = f"levee run {job.domain} --env {around.env}, then levee contracts docs"
                with console.status(f"Reading the tables of {job.domain}"):
                    found[job.domain] = ask(_MODULE, job, around, prepared, shown, fix=again)
    for name in domain_names(domains):
        if name not in found:
            where = [f"--domains={domains.resolve()}"] if domains else []
            found[name] = _contracts_alone(prepared, [f"--domain={name}", *where])
    return [found[name] for name in sorted(found)]


def _contracts_alone(prepared: DataEnv, arguments: Sequence[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="levee-catalogue-") as scratch:
        file = Path(scratch) / "catalogue.json"
        call(prepared, _MODULE, [*arguments, "--json", str(file)])
        return json.loads(file.read_bytes())
