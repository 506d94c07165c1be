"""``levee check``: the rules of a company's Pulumi, held against its Terraform."""

from __future__ import annotations

import sysconfig
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from levee import compliance, places
from levee.cli.console import human, write_json
from levee.cli.options import Folder, JsonFile
from levee.compliance.catalogue import CHECKOV, pack_rules
from levee.compliance.checkov import folder
from levee.compliance.rule import Rule
from levee.compliance.tagging import Places
from levee.cost import spending
from levee.engine import find_project
from levee.environment import Environment
from levee.plan import Level, Plan, Verdict, Violation, document
from levee.report import terminal
from levee.sdk import Sdk
from levee.terraform import plan_file

_MANAGER = "terraform"
"""What may stand in the tag that names the manager, beside what manages Pulumi's resources."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: levee check plan.json --env prod")(check)


def check(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="`terraform show -json` of a plan, or a folder of .tf files.")
    ],
    *,
    env: Annotated[
        str | None,
        typer.Option("--env", "-e", metavar="ENV", help="Whose levels and exemptions hold; else the rules' own."),
    ] = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Hold Terraform against tagging, budgets, compliance and Checkov; 1 where a mandatory rule is broken."""
    environment = Environment.load(find_project(cwd).root, env) if env else None
    stack = env or "terraform"
    plan = folder.read(path, stack) if path.is_dir() else plan_file.read(path, stack)
    judged = judge(plan, environment)
    if json:
        write_json(document.to_document(judged), json)
    console = human(json)
    console.print(terminal.resource_tree(judged))
    console.print(terminal.verdicts(judged))
    console.print(terminal.summary_line(judged))
    return 1 if judged.blocked else 0


def judge(plan: Plan, environment: Environment | None) -> Plan:
    """The plan with what the rules say of it: everything that the merged pack holds, and Checkov's checks."""
    rules = tuple({rule.id: rule for rule in (*compliance.rules_for(environment), *pack_rules(CHECKOV))}.values())
    settings = compliance.Settings.from_config(rules, _config(environment, rules))
    where = Places(Sdk(Path(sysconfig.get_path("purelib")), places.cache() / "sdk"))
    outcomes = compliance.evaluate(plan, rules, settings, where, datetime.now(UTC).date(), spending=spending)
    said: dict[Verdict, list[Violation]] = {verdict: [] for verdict in Verdict}
    for outcome in outcomes:
        level = outcome.level if outcome.verdict is Verdict.FAILED else Level.ADVISORY
        resource = plan.by_urn.get(outcome.urn)
        source = resource.source if resource else None
        violation = Violation(outcome.rule.pack, outcome.rule.id, level, outcome.message, outcome.urn, source)
        said[outcome.verdict].append(violation)
    return replace(
        plan,
        violations=tuple(said[Verdict.FAILED]),
        exempt=tuple(said[Verdict.EXEMPT]),
        not_evaluated=tuple(said[Verdict.NOT_EVALUATED]),
    )


def _config(environment: Environment | None, rules: tuple[Rule, ...]) -> dict[str, Any]:
    config = compliance.pack_config(environment) if environment else {}
    managers = next(rule for rule in rules if rule.id == "tagging-values").defaults["managed_by"]
    entry = dict(config.get("tagging-values", {}))
    return {**config, "tagging-values": {**entry, "managed_by": [*entry.get("managed_by", managers), _MANAGER]}}
