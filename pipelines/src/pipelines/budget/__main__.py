"""``python -m pipelines.budget --domain NAME ... --json FILE``: the budget of the job's cost centre, this month."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipelines.errors import PipelineError, UsageError
from pipelines.settings import RunSettings


def main(argv: Sequence[str] | None = None) -> int:
    """Write the report to the file that ``--json`` names."""
    from pipelines.budget.report import read
    from pipelines.engine import Engine

    parser = argparse.ArgumentParser(prog="python -m pipelines.budget", description=__doc__, allow_abbrev=False)
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where the report goes")
    options, rest = parser.parse_known_args(argv)
    try:
        settings = RunSettings.parse(rest, task="budget")
        if settings.budget is None:
            raise UsageError("the job has no budget", fix="levee up ENV: a deployed job is told it (--budget JSON)")
        found = read(Engine.open(settings.engine), settings, settings.budget, datetime.now(UTC))
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
