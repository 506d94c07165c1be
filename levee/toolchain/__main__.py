"""``python -m levee.toolchain``: make sure that the pinned Pulumi CLI is there, and print where."""

from __future__ import annotations

import sys
from pathlib import Path

from levee.errors import LeveeError
from levee.toolchain import ensure_pulumi


def main() -> int:
    """Find, install or build the CLI for the checkout in the working folder."""
    try:
        sys.stdout.write(f"{ensure_pulumi(Path.cwd())}\n")
    except LeveeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
