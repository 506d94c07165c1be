"""``levee check``: the rules of a company's Pulumi, held against its Terraform."""

from __future__ import annotations

import sysconfig
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from importlib.metadata import version
from json import dumps
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final

import typer

from levee import compliance
from levee.cli import panels
from levee.cli.console import errors, human, write_json, write_texts
from levee.cli.options import Folder, JsonFile
from levee.compliance.catalogue import CHECKOV, pack_rules
from levee.compliance.checkov import folder
from levee.compliance.rule import Rule
from levee.compliance.tagging import Places
from levee.cost import spending
from levee.engine import find_project
from levee.environment import Environment
from levee.errors import UsageError
from levee.plan import Level, Plan, document
from levee.report import terminal
from levee.review import junit, sarif
from levee.review.findings import findings
from levee.review.model import EnvironmentReview
from levee.review.trees import Repository
from levee.terraform import plan_file

_MANAGER = "terraform"
"""What may stand in the tag that names the manager, beside what manages Pulumi's resources."""


class Format(StrEnum):
    """What a check is written as, beside JSON."""

    SARIF = "sarif"
    JUNIT = "junit"


FILES: Final[Mapping[Format, str]] = {Format.SARIF: "check.sarif", Format.JUNIT: "check.junit.xml"}
"""What each is called in ``--output``; beside them is always :data:`WHOLE`."""

WHOLE: Final = "check.json"

_FORMATS: Final = f"What to write, too: {', '.join(Format)}; repeatable; with --output both, else to standard output."


def register(app: typer.Typer) -> None:
    """Add the command."""
    panels.command(app, check, example="levee check plan.json --env prod", panel=panels.REVIEW)


def check(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="`terraform show -json` of a plan, or a folder of .tf files.")
    ],
    *,
    env: Annotated[
        str | None,
        typer.Option("--env", "-e", metavar="ENV", help="Whose levels and exemptions hold; else the rules' own."),
    ] = None,
    formats: Annotated[
        list[Format] | None,
        typer.Option("--format", metavar="NAME", help=_FORMATS),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="The folder to write to, the JSON too.")
    ] = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Hold Terraform against tagging, budgets, compliance and Checkov; 1 where a mandatory rule is broken."""
    environment = Environment.load(find_project(cwd).root, env) if env else None
    stack = env or "terraform"
    plan = folder.read(path, stack) if path.is_dir() else plan_file.read(path, stack)
    rules = tuple({rule.id: rule for rule in (*compliance.rules_for(environment), *pack_rules(CHECKOV))}.values())
    settings = compliance.Settings.from_config(rules, _config(environment, rules))
    today = datetime.now(UTC).date()
    types = Places.installed(Path(sysconfig.get_path("purelib")))
    judged = compliance.judged(plan, compliance.evaluate(plan, rules, settings, types, today, spending=spending))
    chosen = formats or (list(Format) if to else [])
    if chosen:
        on = [rule for rule in rules if settings.levels[rule.id] is not Level.DISABLED]
        reviewed, file = _reviewed(judged, on, today, path)
        write_texts(((FILES[one], _written(reviewed, one, file)) for one in dict.fromkeys(chosen)), to)
    for whole in (json, to / WHOLE if to else None):
        if whole:
            write_json(document.to_document(judged), whole)
    console = errors if chosen and to is None else human(json)
    console.print(terminal.resource_tree(judged))
    console.print(terminal.verdicts(judged))
    console.print(terminal.summary_line(judged))
    return 1 if judged.blocked else 0


def _reviewed(judged: Plan, rules: Sequence[Rule], today: date, path: Path) -> tuple[EnvironmentReview, str]:
    """What the writers of ``levee review`` take: an environment without a base, and a file that was read."""
    place = _in_repository(path)
    within = place if path.is_dir() else place.parent
    by_id = {rule.id: rule for rule in rules}
    found, _ = findings(None, judged, rules=by_id, accepted={}, today=today, folder=within)
    file = next((within / resource.source.file for resource in judged.resources if resource.source), place)
    return EnvironmentReview(judged.stack, judged, findings=found, rules=rules), str(file)


def _written(reviewed: EnvironmentReview, one: Format, file: str) -> str:
    match one:
        case Format.SARIF:
            run = sarif.Run(version("levee"), int(reviewed.blocked), file, compared=False)
            return dumps(sarif.log([reviewed], run), indent=2) + "\n"
        case Format.JUNIT:
            return junit.suites([reviewed], "levee check")


def _in_repository(path: Path) -> PurePosixPath:
    """A file or folder as its repository has it; where it lies in none, from the folder where Levee was started."""
    within = path if path.is_dir() else path.parent
    try:
        root = Repository.around(within).root
    except UsageError:
        root = Path.cwd()
    whole = path.resolve()
    return PurePosixPath(whole.relative_to(root) if whole.is_relative_to(root) else whole.name)


def _config(environment: Environment | None, rules: Sequence[Rule]) -> dict[str, Any]:
    config = compliance.pack_config(environment) if environment else {}
    managers = next(rule for rule in rules if rule.id == "tagging-values").defaults["managed_by"]
    entry = dict(config.get("tagging-values", {}))
    return {**config, "tagging-values": {**entry, "managed_by": [*entry.get("managed_by", managers), _MANAGER]}}
