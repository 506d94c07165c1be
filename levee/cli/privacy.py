"""``levee erase`` and ``levee privacy``: personal data of a deployed domain."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from levee import runner
from levee.cli import panels
from levee.cli.console import answer, errors
from levee.cli.options import Domain, Engine, EnvOption, Folder, JsonFile, Yes
from levee.cli.scope import deployed
from levee.errors import UsageError

_SUBJECT: Final = re.compile(r"(?P<type>[a-z][a-z0-9_]*)=(?P<where>-|env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    panels.command(
        app,
        erase,
        example="levee erase sales --subject shop_customer=- --requested-by dpo --yes < FILE",
        panel=panels.CARE,
    )
    group = panels.group(
        app,
        "privacy",
        panels.CARE,
        help_="Personal data: what left the raw zone, another masking key, proof.",
        example="levee privacy scan sales",
    )
    panels.command(group, scan, example="levee privacy scan sales --env local")
    panels.command(group, rotate, example="levee privacy rotate sales --env local")
    panels.command(
        group,
        reveal,
        example="levee privacy reveal sales crm.phone --tokens FILE --output FILE --requested-by me --reason why",
    )
    panels.command(group, verify, example="levee privacy verify sales certificate.json --env local")


def erase(
    domain: Domain,
    *,
    subject: Annotated[
        str,
        typer.Option(
            "--subject",
            metavar="TYPE=WHERE",
            help="Kind of person by the contracts' dataSubject, and where the value is that names this one: `-` for "
            "standard input, `env:NAME` or `file:/PATH`; never the value itself.",
        ),
    ],
    requested_by: Annotated[str, typer.Option("--requested-by", metavar="WHO", help="Who asks; in the certificate.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; in the certificate.")] = "GDPR, article 17",
    yes: Yes = False,
    env: EnvOption = "local",
    data_engine: Engine = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Erase one person from every layer, for good: files, tables, their history and logs; write a certificate."""
    kind, where = _subject(subject)
    if where == "-" and not yes:
        raise UsageError("standard input is the value, so nobody can be asked there", fix="add --yes")
    secret = sys.stdin.read().strip() if where == "-" else None
    if not yes:
        typer.confirm(f"Erase one {kind} from every layer of {domain} in {env}?", abort=True, err=True)
        typer.confirm(
            "Former versions of these tables go too, and nothing brings them back. Go on?", abort=True, err=True
        )
    request = {"subject_type": kind, "value": where, "requested_by": requested_by, "reason": reason}
    told = _asked("erase", domain, env, cwd, data_engine, request=request, secret=secret)
    out = answer(told, json)
    for one in told["removed"]:
        out.print(f"{one['layer']:<11} {one['rows']:>9,} rows  {one['from']}", soft_wrap=True)
    search = told["search"]
    out.print(f"searched    {search['files']:>9,} files, {search['bytes']:,} bytes: the value is in none")
    out.print(f"certificate {told['erasure_id']} is in the audit store, under {domain}/erasures")
    return 0


def scan(
    domain: Domain,
    *,
    env: EnvOption = "local",
    data_engine: Engine = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Search every file outside landing, bronze and quarantine for raw values of masked columns."""
    told = _asked("scan", domain, env, cwd, data_engine)
    out = answer(told, json)
    out.print(
        f"{told['values']:,} values of {', '.join(told['columns'])} are in none of {told['files']:,} files "
        f"({told['bytes']:,} bytes)",
        soft_wrap=True,
    )
    for column, why in told["left_out"].items():
        out.print(f"not looked for: {column}: {why}", soft_wrap=True)
    return 0


def rotate(
    domain: Domain,
    *,
    env: EnvOption = "local",
    data_engine: Engine = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Mask silver anew, from bronze, with the masking key that is set now, and build gold again."""
    told = _asked("rotate", domain, env, cwd, data_engine)
    done = f"masked anew: {', '.join(told['rotated'])}" if told["rotated"] else "nothing to do: the key is the same"
    answer(told, json).print(done)
    return 0


def reveal(
    domain: Domain,
    column: Annotated[str, typer.Argument(metavar="DATASET.COLUMN", help="A column that is masked by tokens.")],
    *,
    tokens: Annotated[Path, typer.Option("--tokens", metavar="FILE", help="The tokens, one a line.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where token and value go, tab between; mode 0600.")
    ],
    requested_by: Annotated[str, typer.Option("--requested-by", metavar="WHO", help="Who asks; kept in audit.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in audit.")],
    env: EnvOption = "local",
    data_engine: Engine = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Write the values that tokens stand for into a file; who asked, and why, is kept in audit."""
    dataset, _, name = column.rpartition(".")
    places = {"tokens": str(tokens.resolve()), "to": str(output.resolve())}
    request = {"dataset": dataset, "column": name, "requested_by": requested_by, "reason": reason, **places}
    told = _asked("reveal", domain, env, cwd, data_engine, request=request)
    answer(told, json).print(f"{told['revealed']} of {told['asked']} tokens are in {told['to']}", soft_wrap=True)
    return 0


def verify(
    domain: Domain,
    certificate: Annotated[Path, typer.Argument(metavar="FILE", help="The certificate of an erasure, JSON.")],
    *,
    env: EnvOption = "local",
    data_engine: Engine = None,
    cwd: Folder = Path(),
    json: JsonFile = None,
) -> int:
    """Check that a certificate is as it was written, and that the search which it tells of found nothing."""
    request = {"certificate": str(certificate.resolve())}
    told = _asked("verify", domain, env, cwd, data_engine, request=request)
    answer(told, json).print(f"the certificate of erasure {told['erasure_id']} holds")
    return 0


def _asked(
    verb: str,
    domain: str,
    env: str,
    cwd: Path,
    data_engine: Engine,
    *,
    request: dict[str, str] | None = None,
    secret: str | None = None,
) -> dict[str, Any]:
    scoped, plan = deployed(env, cwd)
    root = scoped.project.root
    return runner.privacy(
        plan, domain, verb, root=root, request=request, secret=secret, engine=data_engine, console=errors
    )


def _subject(text: str) -> tuple[str, str]:
    """Take TYPE=WHERE apart.

    Raises:
        UsageError: It is not so; what stands after the sign, which may be a person, is not repeated.
    """
    match = _SUBJECT.fullmatch(text)
    if match is None:
        raise UsageError(
            "--subject is TYPE=WHERE, and WHERE is `-`, `env:NAME` or `file:/PATH`: never the value itself",
            fix="write the value to standard input and give `TYPE=-`",
        )
    return match["type"], match["where"]
