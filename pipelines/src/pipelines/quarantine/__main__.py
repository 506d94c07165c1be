"""``python -m pipelines.quarantine --domain NAME ... VERB --request FILE --json ANSWER``: one task, and its answer."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.contracts import load_domain
from pipelines.errors import PipelineError
from pipelines.quarantine.tasks import VERBS
from pipelines.settings import RunSettings


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; an error is told on standard error, with its exit code."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.quarantine", description=__doc__, allow_abbrev=False)
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where the answer goes")
    options, parameters = parser.parse_known_args(argv)
    try:
        settings = RunSettings.parse(parameters, task=options.verb)
        answer = VERBS[options.verb](settings, load_domain(settings.domain))
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    options.json.write_text(json.dumps(answer, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main())
