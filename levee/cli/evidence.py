"""``levee evidence``: what an auditor is given, and how it is verified."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from levee import compliance, places
from levee import evidence as papers
from levee.cli import panels
from levee.cli.console import human, write_json
from levee.cli.options import Config, FillConfig, Folder, JsonFile, References, StackName, Timeout
from levee.cli.scope import Scope, options, perform, scope
from levee.compliance.tagging import Places
from levee.cost import spending
from levee.engine import Operation
from levee.errors import UsageError
from levee.evidence import Assessment, Framework
from levee.plan import Plan

VERIFY: Final = "verify"
_VERSION: Final = 1
_PUBLIC_HALF: Final = "openssl pkey -in {} -pubout -out public.pem"

_ALL: Final = "all"
Wanted = StrEnum("Wanted", {"ALL": _ALL} | {framework.name: framework.value for framework in Framework})
"""What ``--framework`` takes: one of the frameworks, or all of them."""

_EVERY: Final = Wanted(_ALL)
_WHOSE: Final = f"Whose requirements to answer: {', '.join(Framework)} or {_ALL}."


def register(app: typer.Typer) -> None:
    """Add the command."""
    panels.command(
        app, evidence, example="levee evidence prod --framework hipaa --output evidence.zip", panel=panels.REVIEW
    )


def evidence(
    env: Annotated[str, typer.Argument(metavar="ENV", help="The environment; or `verify`, to check FILE.")],
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="With `verify`: the evidence to check.")] = None,
    *,
    framework: Annotated[Wanted, typer.Option("--framework", metavar="NAME", help=_WHOSE)] = _EVERY,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="Ed25519 key in PEM: the private one that signs, with `verify` the public one that must have signed.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file to write; else evidence-ENV.zip.")
    ] = None,
    cwd: Folder = Path(),
    stack: StackName = None,
    config: Config = None,
    fill_config: FillConfig = False,
    references: References = None,
    timeout: Timeout = None,
    json: JsonFile = None,
) -> int:
    """Preview offline and write what the rules say of every requirement: OSCAL, a page, the plan, all signed."""
    if env == VERIFY:
        if output is not None or framework != _ALL:
            raise UsageError("--framework and --output are for making evidence", fix="levee evidence verify FILE")
        return _verify(file, key, json)
    if file is not None:
        raise UsageError(f"{file} is one argument too many", fix=f"levee evidence {env} --output {file}")
    scoped = scope(env, cwd, stack, online=False)
    chosen = options(scoped, config, references=references, fill_config=fill_config, timeout=timeout)
    console = human(json)
    signer = _signer(key or places.home() / "keys" / "evidence.pem", console)  # before the engine works for nothing
    assessment = _assessed(perform(Operation.PREVIEW, scoped, chosen), scoped, _frameworks(framework))
    to = output or Path(f"evidence-{scoped.stack}.zip")
    summary, said = papers.summary(assessment), papers.fingerprint(signer.public_key())
    papers.write(to, papers.files(assessment), summary, signer)
    if json:
        write_json({"version": _VERSION, "file": str(to), "signed_by": said, **summary}, json)
    console.print(_table(assessment))
    console.print(f"{escape(str(to))}, signed by {said}", soft_wrap=True)
    return 0


def _frameworks(wanted: str) -> tuple[Framework, ...]:
    return tuple(Framework) if wanted == _ALL else (Framework(wanted),)


def _signer(private: Path, console: Console) -> Ed25519PrivateKey:
    """The key that signs; one that is made is told, with what a verifier needs of it."""
    if not private.exists():
        made = f"a key is made, {private}; who verifies needs its public half: {_PUBLIC_HALF.format(private)}"
        console.print(f"[yellow]note[/] {escape(made)}", soft_wrap=True)
    return papers.signing_key(private)


def _assessed(plan: Plan, scoped: Scope, frameworks: Sequence[Framework]) -> Assessment:
    """What the rules of the plan's environment say of it now, by the SDKs of its own program."""
    rules = compliance.rules_for(scoped.environment)
    settings = compliance.Settings.from_config(rules, compliance.pack_config(scoped.environment))
    types = Places.installed(scoped.project.site_packages)
    now = datetime.now(UTC)
    outcomes = compliance.evaluate(plan, rules, settings, types, now.date(), spending=spending)
    return papers.assess(plan, rules, outcomes, frameworks, now)


def _verify(file: Path | None, key: Path | None, json: Path | None) -> int:
    if file is None:
        raise UsageError("which file?", fix="levee evidence verify evidence-prod.zip --key public.pem")
    found = papers.verify(file, papers.public_key(key) if key else None)
    if json:
        write_json({"version": _VERSION, "file": str(file), "signed_by": found.fingerprint, **found.about}, json)
    console = human(json)
    of = f"{found.about.get('project')}/{found.about.get('stack')}, {found.about.get('made_at')}"
    console.print(f"[green]✓[/] {escape(f'{file} is whole: {of}')}", soft_wrap=True)
    console.print(f"  signed by {found.fingerprint}{', the key given' if key else ''}", soft_wrap=True)
    if key is None:
        unknown = "whose key that is, nothing says: compare it with the signer's, or give --key public.pem"
        console.print(f"[yellow]note[/] {unknown}", soft_wrap=True)
    return 0


def _table(assessment: Assessment) -> Table:
    table = Table(box=None)
    table.add_column("framework", no_wrap=True)
    for status in papers.Status:
        table.add_column(status.value, justify="right")
    for framework, counts in assessment.counts.items():
        table.add_row(framework.text.standard, *(str(counts[status]) for status in papers.Status))
    return table
