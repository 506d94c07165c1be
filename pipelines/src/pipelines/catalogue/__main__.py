"""``python -m pipelines.catalogue --domain D [the job's parameters] --json FILE``: a domain for its catalogue."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.catalogue import SCHEMA, Records, described
from pipelines.contracts import load_domain
from pipelines.errors import PipelineError
from pipelines.settings import RunSettings

_NOTHING: dict[str, Any] = {"state": None, "quality": [], "batches": [], "sample": None}
SAMPLE = 8


def main(argv: Sequence[str] | None = None) -> int:
    """Write the document of ``pipelines.catalogue``; without roots of layers, what the contracts say alone."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.catalogue", description=__doc__, allow_abbrev=False)
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where it goes")
    parser.add_argument("--domains", type=Path, metavar="DIR", help="folder of domains; the wheel's own by default")
    parser.add_argument("--sample", type=int, default=SAMPLE, metavar="N", help="rows of silver that are shown")
    parser.add_argument("--sensitive", action="store_true", help="show confidential and masked columns, too")
    options, rest = parser.parse_known_args(argv)
    try:
        settings = RunSettings.parse(rest, task="catalogue")
        domain = load_domain(settings.domain, options.domains)
        records = _records(settings, options.sample, options.sensitive) if settings.roots else None
        tables = [
            {**described(domain, contract), **(records.of(contract) if records else _NOTHING)}
            for contract in domain.contracts
        ]
        options.json.write_text(json.dumps({"schema": SCHEMA, "domain": domain.name, "tables": tables}), "utf-8")
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"the catalogue cannot be written: {error.strerror}\n  at  {error.filename}\n")
        return PipelineError.exit_code
    return 0


def _records(settings: RunSettings, sample: int, sensitive: bool) -> Records:
    from pipelines.engine import Engine

    return Records(Engine.open(settings.engine), settings, sample, sensitive=sensitive)


if __name__ == "__main__":
    sys.exit(main())
