"""``python -m levee.engine.standin``: the stand-in providers as a process."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from levee.errors import LeveeError
from levee.sdk import protocol


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m levee.engine.standin",
        description="Serve the packages whose SDKs lie in a site-packages, against a simulated cloud.",
        epilog="example: python -m levee.engine.standin --site-packages .venv/lib/python3.11/site-packages "
        "--cloud .levee/local/cloud.sqlite --log .levee/local/standin.jsonl --packages aws,random",
    )
    parser.add_argument("mode", nargs="?", choices=["plugin"], help="serve one package as an ordinary plugin binary")
    parser.add_argument("package", nargs="?", help="the package that `plugin` serves")
    parser.add_argument("--site-packages", type=Path, required=True, help="folder that holds the provider SDKs")
    parser.add_argument("--cloud", type=Path, required=True, help="SQLite file of the simulated cloud")
    parser.add_argument("--log", type=Path, help="JSON lines: what was invented, checked, unknown or broken on purpose")
    parser.add_argument("--packages", default="", help="comma-separated packages; default: every one that is installed")
    parser.add_argument("--faults", type=Path, help="YAML of fault rules (docs/reference/faults.md)")
    parser.add_argument("--lookups", type=Path, help="YAML of the project's own lookup answers")
    parser.add_argument("--stack", default="", help="the stack's name, for messages and process lists")
    parser.add_argument(
        "--program", type=Path, default=Path(), help="folder that the program's relative paths start from"
    )
    parser.add_argument("--cache", type=Path, help="folder for parsed SDK types")
    parser.add_argument("--state", type=Path, help="the stack's state file: which components are deployed already")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the stand-in; the exit code is 0 after an orderly stop."""
    protocol.lean()
    from levee.engine.standin.server import Settings, run, run_plugin  # after lean()

    parser = _parser()
    # An engine passes its own address to a plugin; nothing is asked of it.
    arguments, _ = parser.parse_known_args(argv)
    if (arguments.mode is None) != (arguments.package is None):
        parser.error("`plugin` needs a PACKAGE")
    packages = tuple(filter(None, arguments.packages.split(",")))
    settings = Settings(
        site_packages=arguments.site_packages,
        cloud=arguments.cloud,
        log=arguments.log,
        packages=(arguments.package,) if arguments.package else packages,
        faults=arguments.faults,
        lookups=arguments.lookups,
        cache=arguments.cache,
        program=arguments.program,
        state=arguments.state,
    )
    try:
        if arguments.package:
            run_plugin(arguments.package, settings)
        else:
            run(settings)
    except LeveeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _leave(code: int) -> NoReturn:
    """End at once: Python's own way out waits for every operation that is slow on purpose."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(main())
