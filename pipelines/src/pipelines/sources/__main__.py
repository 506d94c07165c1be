"""``python -m pipelines.sources fetch NAME --to FOLDER``: lay a source's deliveries down in a landing folder."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.errors import PipelineError
from pipelines.sources import SOURCES, default_setting, find, land


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; prints one line, or one JSON object with ``--json``."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.sources", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name every source and say whether this machine can fetch it")
    fetch = commands.add_parser("fetch", help="fetch one", epilog="example: fetch cdnow --to landing/sales/cdnow")
    fetch.add_argument("name", nargs="?", help="name of the source; by default the first that can be fetched here")
    fetch.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="landing folder of the dataset")
    fetch.add_argument("--cache", type=Path, default=Path(".levee/sources"), metavar="FOLDER", help="for packages")
    fetch.add_argument("--if-available", action="store_true", help="do nothing where this machine cannot fetch it")
    fetch.add_argument("--json", action="store_true", help="print {source, folder, available, new, kept, bytes}")
    options = parser.parse_args(argv)
    try:
        if options.command == "list":
            for source in SOURCES:
                note = "" if source.available(os.environ) else "  (not on this machine)"
                sys.stdout.write(f"{source.setting}: {source.provenance}{note}\n")
            return 0
        name = options.name or default_setting()
        if options.if_available and not find(name).available(os.environ):
            summary = {"source": name, "folder": str(options.to), "available": False, "new": 0, "kept": 0, "bytes": 0}
            sys.stdout.write((json.dumps(summary) if options.json else f"{name}: not on this machine") + "\n")
            return 0
        return _fetch(name, options.to, options.cache, as_json=options.json)
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def _fetch(name: str, folder: Path, cache: Path, *, as_json: bool) -> int:
    def show(file: str, count: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{count} deliveries, {file}")

    landed = land(find(name).deliveries(os.environ, cache), folder, show)
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    counts = {"new": landed.new, "kept": landed.kept, "bytes": landed.size}
    summary = {"source": name, "folder": str(folder), "available": True, **counts}
    line = f"{name}: {landed.new} new deliveries, {landed.kept} already there, {landed.size:,} bytes in {folder}"
    sys.stdout.write((json.dumps(summary) if as_json else line) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
