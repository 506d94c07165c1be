"""What this machine has and lacks for Levee, and the command that mends each lack.

``make up`` runs this module before anything is installed, by whichever Python 3 there is: at import it takes the
standard library only, and syntax that an old Python 3 can still read.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from levee import places

if TYPE_CHECKING:
    from rich.table import Table

PYTHON = (3, 11)
GO = (1, 21)
GIBIBYTE = 2**30
DISK_FRESH = 8.0
"""GiB that a first `make test` takes: both environments 2.5, the CLI's build 3, tools' caches, tables."""
DISK_WARM = 2.0
"""GiB once the CLI and the environments are there."""


class State(Enum):
    """What a check found."""

    OK = "ok"
    OPTIONAL = "optional"
    """Absent, and only the named part goes without it."""
    MISSING = "missing"
    """Absent, and Levee cannot work."""


@dataclass(frozen=True)
class Check:
    """One row of the table.

    Attributes:
        name: What was looked for.
        state: What was found.
        found: The version or place, or what is wrong.
        fix: The command that mends it; empty where all is well.
    """

    name: str
    state: State
    found: str
    fix: str = ""


def checks(root: Path) -> list[Check]:
    """Everything that Levee needs of a machine, in the order in which ``make up`` needs it.

    Args:
        root: The checkout.
    """
    if places.checkout() is None:
        # An installed Levee previews and provisions other people's programs: it has no tests and no data of its own.
        return [_python(), _disk(root), *_pulumi(root)]
    own = [_git(), _java(), _chromium(), _checkov(root), _data(root)]
    return [_python(), _uv(root), _disk(root), *_pulumi(root), *own]


def missing(found: list[Check]) -> list[Check]:
    """The rows without which Levee cannot work."""
    return [check for check in found if check.state is State.MISSING]


def _said(*command: str) -> str | None:
    """The first line that a command prints; ``None`` where it does not run."""
    try:
        answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    lines = answer.stdout.decode(errors="replace").strip().splitlines()
    return lines[0] if lines else None


def _numbers(text: str) -> tuple[int, int]:
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def _python() -> Check:
    here = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == PYTHON:
        return Check("python", State.OK, here)
    other = shutil.which("python3.11")
    if other:
        return Check("python", State.OK, f"{_said(other, '--version') or ''} ({other})".removeprefix("Python "))
    return Check("python", State.MISSING, f"{here}, wanted 3.11", "apt-get install python3.11 python3.11-venv")


def _uv(root: Path) -> Check:
    for uv in (shutil.which("uv"), str(root / ".levee" / "uv" / "bin" / "uv")):
        version = uv and _said(uv, "--version")
        if version:
            return Check("uv", State.OK, f"{version.split()[1]} ({uv})")
    return Check("uv", State.MISSING, "absent", "tools/uv --version")


def _disk(root: Path) -> Check:
    needed = DISK_WARM if (root / ".levee" / "bin" / "pulumi").exists() else DISK_FRESH
    free = shutil.disk_usage(root).free / GIBIBYTE
    if free >= needed:
        return Check("disk", State.OK, f"{free:.0f} GiB free")
    mend = f"free some on the file system of {root} (`make clean`, `uv cache clean`, `go clean -cache -modcache`)"
    return Check("disk", State.MISSING, f"{free:.1f} GiB free, {needed:.0f} needed", mend)


def pinned(root: Path) -> str:
    """The Pulumi version of ``pyproject.toml``, read without the environment that it describes.

    Outside a checkout of Levee it is the version of the installed SDK.
    """
    project = root / "pyproject.toml"
    found = re.search(r'"pulumi==([^"]+)"', project.read_text(encoding="utf-8")) if project.is_file() else None
    if found:
        return found.group(1)
    try:
        return importlib.metadata.version("pulumi")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _pulumi(root: Path) -> list[Check]:
    """The CLI, and Go where the CLI must still be had."""
    wanted = pinned(root)
    remark = ""
    home = root / ".levee" if places.checkout() else places.home()
    for cli in (shutil.which("pulumi"), str(home / "bin" / "pulumi")):
        version = cli and _said(cli, "version")
        if version and version.lstrip("v") == wanted:
            return [Check("pulumi", State.OK, f"{wanted} ({cli}){remark}"), _go(needed=False)]
        if version:
            remark = f"; {version} ({cli}) is not used"
    go = _go(needed=True)
    if go.state is State.OK:
        return [Check("pulumi", State.OK, f"{wanted} will be installed or built{remark}"), go]
    mend = "make up" if places.checkout() else "levee preview"
    return [Check("pulumi", State.OPTIONAL, f"{wanted} is absent{remark}", mend), go]


def _go(*, needed: bool) -> Check:
    version = _said("go", "version")
    if version and _numbers(version) >= GO:
        return Check("go", State.OK, version.split()[2].lstrip("go"))
    found = f"{version.split()[2]} is too old" if version else "absent"
    if not needed:
        return Check("go", State.OK, f"{found}, not needed: the Pulumi CLI is there")
    mend = f"install Go {GO[0]}.{GO[1]} or newer (go.dev/doc/install): the Pulumi CLI is built with it"
    return Check("go", State.MISSING, found, mend)


def _git() -> Check:
    version = _said("git", "--version")
    if version:
        return Check("git", State.OK, version.split()[-1])
    return Check("git", State.OPTIONAL, "absent: the source links of reports", "apt-get install git")


def _java() -> Check:
    version = _said("java", "-version")
    if version and _numbers(version) >= (17, 0):
        return Check("java", State.OK, version)
    found = f"{version or 'absent'}: the tests of the spark engine need Java 17"
    return Check("java", State.OPTIONAL, found, "apt-get install openjdk-17-jre-headless")


def _chromium() -> Check:
    path = os.environ.get("LEVEE_CHROMIUM") or shutil.which("chromium")
    if path:
        return Check("chromium", State.OK, path)
    return Check("chromium", State.OPTIONAL, "absent: the test of the report's page", "apt-get install chromium")


def _checkov(root: Path) -> Check:
    """Its own environment, as ``levee.compliance.checkov.worker`` looks for it."""
    python = root / "tools" / "checkov" / ".venv" / "bin" / "python"
    if python.exists():
        return Check("checkov", State.OK, str(python.parent.parent))
    return Check("checkov", State.OPTIONAL, "absent: policy_packs/checkov and `levee check`", "make checkov")


def _data(root: Path) -> Check:
    folder = os.environ.get("LEVEE_DATA")
    if folder is None:
        return Check("LEVEE_DATA", State.OK, "not set: sales runs on the packaged sample")
    if (root / folder).is_dir():
        return Check("LEVEE_DATA", State.OK, folder)
    return Check("LEVEE_DATA", State.MISSING, f"{folder} is no folder", "unset LEVEE_DATA, or name the data's folder")


def plain(found: list[Check]) -> str:
    """The table as text, for the time before rich is there."""
    rows = [(c.name, c.state.value, c.found + (f"; fix: {c.fix}" if c.fix else "")) for c in found]
    return "\n".join(f"{name:<12}{state:<10}{rest}" for name, state, rest in rows)


def table(found: list[Check]) -> Table:
    """The same for a terminal."""
    from rich.table import Table  # absent before the first `uv sync`

    result = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "what", "found", "mend"):
        result.add_column(heading)
    marks = {State.OK: "[green]✓[/]", State.OPTIONAL: "[yellow]○[/]", State.MISSING: "[red]✗[/]"}
    for check in found:
        result.add_row(marks[check.state], check.name, check.found, check.fix)
    return result


def main() -> int:
    """Print what is missing, or one line where nothing is; the exit code is 2 where Levee cannot work."""
    found = checks(Path(__file__).resolve().parents[1])
    lacking = missing(found)
    if lacking:
        sys.stderr.write(f"This machine cannot run Levee yet:\n{plain(lacking)}\n")
        return 2
    without = [c for c in found if c.state is State.OPTIONAL]
    sys.stderr.write("This machine has all that Levee needs.\n")
    if without:
        sys.stderr.write(plain(without) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
