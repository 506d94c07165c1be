"""Looks after tables by hand: ``python -m pipelines.maintain files|audit|restore|repair --domain ... --json FILE``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.contracts import Contract, Domain, load_domain
from pipelines.errors import PipelineError, UsageError
from pipelines.maintain.names import TableName
from pipelines.settings import Layer, RunSettings

VERBS = ("files", "audit", "restore", "repair")


def main(argv: Sequence[str] | None = None) -> int:
    """Do it and write what was found to the file that ``--json`` names."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.maintain", description=__doc__, allow_abbrev=False)
    parser.add_argument("--verb", choices=VERBS, required=True, help="what is done")
    parser.add_argument("--name", help="the table, LAYER.DATASET; every one for files")
    parser.add_argument("--as-of", metavar="TIME", help="ISO 8601, UTC where it has no zone")
    parser.add_argument("--version-number", type=int, metavar="N", help="version to restore")
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where the answer goes")
    options, rest = parser.parse_known_args(argv)
    try:
        settings = RunSettings.parse(rest, task="maintain")
        answer = _answer(settings, load_domain(settings.domain), options)
        options.json.write_text(json.dumps(answer, indent=1), encoding="utf-8")
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _answer(settings: RunSettings, domain: Domain, options: argparse.Namespace) -> dict[str, Any]:
    from pipelines.engine import Engine
    from pipelines.maintain.audit import audit
    from pipelines.maintain.report import report
    from pipelines.maintain.restore import repair, restore

    engine = Engine.open(settings.engine)
    if options.verb == "files":
        return {"domain": domain.name, "tables": report(engine, settings, domain)}
    if not options.name:
        raise UsageError("no table is named", fix="pass --name LAYER.DATASET")
    name = TableName.parse(options.name)
    at = None if options.as_of is None else moment(options.as_of)
    if options.verb == "audit":
        return audit(engine, settings, name, at).plain()
    if options.verb == "repair":
        known = None if name.layer is Layer.CHECKPOINTS else _contract(domain, name)
        done = repair(engine, settings, known, name)
    else:
        if (at is None) == (options.version_number is None):
            raise UsageError("say what to go back to", fix="pass one of --version-number N and --as-of TIME")
        done = restore(engine, settings, _contract(domain, name), name, version=options.version_number, at=at)
    return asdict(done)


def _contract(domain: Domain, name: TableName) -> Contract:
    return domain.contract(name.dataset)


def moment(text: str) -> datetime:
    """Read a time, UTC where it has no zone.

    Raises:
        UsageError: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time", fix="write e.g. 2026-11-20T10:00Z") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


if __name__ == "__main__":
    sys.exit(main())
