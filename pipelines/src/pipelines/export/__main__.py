"""``python -m pipelines.export --format FORM [--dialect D] --out DIR CONTRACT ...``: contracts for other tools."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.contracts import contract_files, load_contract
from pipelines.errors import PipelineError
from pipelines.export import DIALECTS, FORMATS, export


def main(argv: Sequence[str] | None = None) -> int:
    """Write one file a contract: ``<out>/<domain>/<dataset><suffix>``."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.export", description=__doc__, allow_abbrev=False)
    parser.add_argument("contracts", nargs="+", type=Path, metavar="CONTRACT", help="files, or folders of them")
    parser.add_argument("--format", required=True, choices=FORMATS, help="what they are written as")
    parser.add_argument("--dialect", default="spark", choices=DIALECTS, help="of sql-ddl")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="where the files go")
    options = parser.parse_args(argv)
    try:
        for path in contract_files(options.contracts):
            contract = load_contract(path)
            file = options.out / contract.domain / f"{contract.dataset}{FORMATS[options.format].suffix}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(export(contract, options.format, options.dialect), encoding="utf-8")
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
