"""``levee quarantine``: work through the records that a contract's rules rejected."""

from __future__ import annotations

import json as json_text
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from levee import runner
from levee.cli import panels
from levee.cli.console import answer, errors
from levee.cli.data import show_run, terms
from levee.cli.options import ConfirmCost, Dataset, Engine, EnvOption, Folder, JsonFile
from levee.cli.scope import deployed
from levee.errors import UsageError
from levee.report import quarantine as report

Record = Annotated[str, typer.Argument(metavar="ID", help="The record, by its id in `levee quarantine list`.")]


class Shown(StrEnum):
    """Which records are listed."""

    OPEN = "open"
    CORRECTED = "corrected"
    REPLAYED = "replayed"
    WAIVED = "waived"
    ALL = "all"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = panels.group(
        app,
        "quarantine",
        panels.CARE,
        help_="Rejected records: look, correct, replay, waive.",
        example="levee quarantine list sales.cdnow",
    )
    panels.command(group, list_, example="levee quarantine list sales.cdnow --rule sales_type", name="list")
    panels.command(group, show, example="levee quarantine show sales.cdnow 0123456789abcdef")
    panels.command(
        group,
        correct,
        example="levee quarantine correct sales.cdnow 0123456789abcdef --set date=19970101 --reason typing",
    )
    panels.command(group, replay, example="levee quarantine replay sales.cdnow --env local")
    panels.command(group, waive, example='levee quarantine waive sales.cdnow --rule date_type --reason "test orders"')


def list_(
    dataset: Dataset,
    *,
    rule: Annotated[str | None, typer.Option("--rule", metavar="ID", help="Only what breaks this rule.")] = None,
    state: Annotated[
        Shown | None, typer.Option("--state", help="Only what stands so; open and corrected where absent.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Records shown at most.")] = 50,
    env: EnvOption = "local",
    data_engine: Engine = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Count rejected records by rule and state, and list them; nothing of what they say is shown."""
    asked = {"rule": rule, "state": state, "limit": limit}
    told = _asked("list", dataset, env, cwd, data_engine=data_engine, asked=asked)
    answer(told, json).print(report.listed(told))
    return 0


def show(
    dataset: Dataset,
    record: Record,
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Personal fields and the raw record too; kept in audit.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", metavar="WHY", help="Why; --raw asks for it.")] = None,
    env: EnvOption = "local",
    data_engine: Engine = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Show one record: its fields, personal ones masked, the rules it breaks, when it came, what was done about it."""
    if raw and not reason:
        raise UsageError("a raw record is shown only for a reason, which is kept", fix="add --reason WHY")
    asked = {"id": record, "raw": raw, "reason": reason}
    told = _asked("show", dataset, env, cwd, data_engine=data_engine, asked=asked)
    answer(told, json).print(report.shown(told))
    return 0


def correct(
    dataset: Dataset,
    record: Record,
    *,
    fields: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="A source field as it should be; may be repeated."),
    ] = None,
    set_file: Annotated[
        str | None,
        typer.Option(
            "--set-file",
            metavar="FILE",
            help="Fields as a JSON object of texts, `-` for standard input; personal ones.",
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="WHY", help="Why; kept.")] = None,
    env: EnvOption = "local",
    data_engine: Engine = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Deliver a record as it should have been; `levee quarantine replay`, or the next run, takes it in."""
    asked = {
        "id": record,
        "fields": dict(_field(text) for text in fields or ()),
        "private_fields": _private_fields(set_file) if set_file else {},
        "reason": reason,
    }
    if not asked["fields"] and not asked["private_fields"]:
        raise UsageError("nothing is corrected", fix="add --set FIELD=VALUE, or --set-file FILE")
    told = _asked("correct", dataset, env, cwd, data_engine=data_engine, asked=asked)
    answer(told, json).print(
        f"corrected  {told['id']} is delivered as {told['file']}\nnext       levee quarantine replay {dataset}",
        soft_wrap=True,
    )
    return 0


def replay(
    dataset: Dataset,
    *,
    env: EnvOption = "local",
    data_engine: Engine = None,
    confirm_cost: ConfirmCost = False,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Take corrections in, judge every record of the dataset again, and build what depends on it."""
    scoped, plan = deployed(env, cwd)
    result = runner.replay(
        plan,
        dataset,
        root=scoped.project.root,
        engine=data_engine,
        terms=terms(scoped, confirmed=confirm_cost),
        console=errors,
        intake=True,
    )
    show_run(result, json)
    result.raise_if_failed()
    return 0


def waive(
    dataset: Dataset,
    records: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="The records, by their ids.")] = None,
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="WHY", help="Why they may stay where they are; kept.")],
    rule: Annotated[
        str | None, typer.Option("--rule", metavar="ID", help="Every open record that breaks this rule, instead.")
    ] = None,
    env: EnvOption = "local",
    data_engine: Engine = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Say that rejected records may stay rejected; your name and the reason are kept."""
    if bool(records) == (rule is not None):
        raise UsageError("say which records are waived", fix="give their ids, or --rule ID")
    asked = {"ids": records or [], "rule": rule, "reason": reason}
    told = _asked("waive", dataset, env, cwd, data_engine=data_engine, asked=asked)
    answer(told, json).print(f"waived  {len(told['ids'])} records")
    return 0


def _asked(
    verb: str, dataset: str, env: str, cwd: Path, *, data_engine: Engine, asked: dict[str, Any]
) -> dict[str, Any]:
    scoped, plan = deployed(env, cwd)
    return runner.quarantine(
        plan, dataset, verb, root=scoped.project.root, asked=asked, engine=data_engine, console=errors
    )


def _field(text: str) -> tuple[str, str]:
    """Take FIELD=VALUE apart.

    Raises:
        UsageError: It is not so; the text, which may be a person's, is not repeated.
    """
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise UsageError("--set is FIELD=VALUE", fix="write it so; FIELD= for an empty field")
    return name, value


def _private_fields(place: str) -> dict[str, str]:
    """Read fields from a file, or from standard input.

    Raises:
        UsageError: It is no JSON object of texts; nothing of it is repeated.
    """
    text = sys.stdin.read() if place == "-" else Path(place).read_text(encoding="utf-8")
    try:
        found = json_text.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise UsageError("--set-file is no JSON object of texts", where=place, fix='write {"FIELD": "VALUE"}')
    return found
