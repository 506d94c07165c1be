"""``levee alerts``: the channels that a domain's owners are told by, and whether they are reached."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from levee import runner
from levee.cli import panels
from levee.cli.console import answer, errors
from levee.cli.options import Domain, Engine, EnvOption, Folder, JsonFile
from levee.cli.scope import deployed
from levee.errors import EngineError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = panels.group(
        app,
        "alerts",
        panels.DATA,
        help_="Channels that are told what goes wrong: list them, try them.",
        example="levee alerts list sales",
    )
    panels.command(group, list_, example="levee alerts list sales --env prod", name="list")
    panels.command(group, try_, example="levee alerts test sales on-call --env local", name="test")


def list_(
    domain: Domain,
    *,
    env: EnvOption = "local",
    data_engine: Engine = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """List the channels of a domain's contracts: what each is told, whether its secrets are here, what it was told."""
    told = _asked("list", domain, env, cwd, data_engine)
    answer(told, json).print(listed(told))
    return 0


def try_(
    domain: Domain,
    channel: Annotated[
        str | None, typer.Argument(metavar="[CHANNEL]", help="One channel, by its name in the contract.")
    ] = None,
    *,
    env: EnvOption = "local",
    data_engine: Engine = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Send a message that says it is a test, with the secrets that are set here, and say what came back."""
    told = _asked("test", domain, env, cwd, data_engine, channel=channel)
    out = answer(told, json)
    for one in told["channels"]:
        mark = "reached    " if one["sent"] else "not reached"
        out.print(f"{mark}  {one['channel']} ({one['way']}): {one['said']}", soft_wrap=True, markup=False)
    if lost := [one["channel"] for one in told["channels"] if not one["sent"]]:
        raise EngineError(
            f"{len(lost)} of {len(told['channels'])} channels were not reached: {', '.join(lost)}",
            where=f"{domain} in {env}",
            fix=f"see by `levee alerts list {domain} --env {env}` whether the secrets are set here; a webhook that was "
            "taken away answers 404 or 410",
        )
    return 0


def listed(told: dict[str, Any]) -> Group | Text:
    """Show the channels."""
    if not told["channels"]:
        return Text("no contract of the domain has a channel: add `alerts` to an entry of its `support`")
    table = Table("channel", "dataset", "way", "told from", "secrets", "last told", box=None, pad_edge=False)
    for one in told["channels"]:
        lacking = [name for name, there in one["secrets"].items() if not there]
        last = one["last"]
        said = f"{last['event']} {last['state']} {str(last['at'])[:16]}" if last else "nothing yet"
        only = "" if one["told_here"] else " (not of this environment)"
        table.add_row(
            Text(one["channel"]),
            Text(one["dataset"]),
            one["way"],
            f"{one['minimum_severity']}{only}",
            Text(f"not set: {', '.join(lacking)}" if lacking else "set"),
            said,
        )
    failed = [one for one in told["channels"] if (one["last"] or {}).get("detail")]
    reasons = [Text(f"{one['channel']}: {one['last']['detail']}") for one in failed]
    return Group(table, *reasons)


def _asked(
    verb: str, domain: str, env: str, cwd: Path, data_engine: Engine, *, channel: str | None = None
) -> dict[str, Any]:
    scoped, plan = deployed(env, cwd)
    return runner.alerts(
        plan, domain, verb, root=scoped.project.root, channel=channel, engine=data_engine, console=errors
    )
