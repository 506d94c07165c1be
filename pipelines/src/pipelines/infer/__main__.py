"""``python -m pipelines.infer SOURCE --domain D --dataset N``: print a first contract of a source."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipelines.contracts import contract_errors
from pipelines.errors import ContractError, PipelineError
from pipelines.infer import infer
from pipelines.infer.read import read

ROWS = 100_000


def main(argv: Sequence[str] | None = None) -> int:
    """Print the contract; errors go to standard error."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.infer", description=__doc__, allow_abbrev=False)
    parser.add_argument("source", help="a file, a folder, or postgresql://HOST:PORT/DATABASE/SCHEMA.TABLE")
    parser.add_argument("--domain", required=True, help="domain of the dataset")
    parser.add_argument("--dataset", required=True, help="its name")
    parser.add_argument("--user", metavar="REF", help="reference to a database's user: env:NAME or file:/path")
    parser.add_argument("--password", metavar="REF", help="reference to its password")
    parser.add_argument("--rows", type=int, default=ROWS, help="the most records that are read")
    options = parser.parse_args(argv)
    login = {name: value for name in ("user", "password") if (value := getattr(options, name))}
    try:
        sample = read(options.source, options.rows, login)
        text = infer(sample, options.domain, options.dataset).text
        _check(text)
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(text)
    return 0


def _check(text: str) -> None:
    """Read the contract as the loader will."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "inferred.odcs.yaml"
        path.write_text(text, encoding="utf-8")
        for error in contract_errors(path):
            raise ContractError(f"what was inferred is no contract: {error.message}", fix=error.fix)


if __name__ == "__main__":
    sys.exit(main())
