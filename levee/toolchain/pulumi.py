"""Find the Pulumi CLI of the pinned version: PATH, else ``.levee/bin``, else the official installer, else a Go build.

The pin is ``pulumi==`` in the toolkit's ``pyproject.toml``; the installed package carries it, and the SDK and the CLI
are always of one version. ``tools/pulumi/go.mod`` repeats it because Go needs it there; a test holds the two together.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

from rich.console import Console

from levee import places
from levee.errors import EngineError, UsageError
from levee.lock import exclusive
from levee.toolchain.gobuild import build

MODULE: Final = "github.com/pulumi/pulumi/pkg/v3"
INSTALLER_SECONDS: Final = 300
"""For the whole of the official installer; its first connection has ``CONNECT_SECONDS``."""
CONNECT_SECONDS: Final = 5


def pinned_version() -> str:
    """The one version of the CLI that Levee runs, such as ``3.250.0``."""
    return version("pulumi")


def ensure_pulumi(root: Path | None = None, console: Console | None = None) -> Path:
    """The path of a Pulumi CLI of exactly the pinned version; installs or builds it where there is none.

    Args:
        root: A checkout; what is installed goes to ``<root>/.levee/bin``. Without one it goes to Levee's own home.
        console: Where progress and remarks go; standard error where absent.

    Raises:
        UsageError: It must be built and Go is missing or too old, or ``tools/pulumi`` is of another version.
        EngineError: The build failed.
    """
    console = console or Console(stderr=True)
    wanted = pinned_version()
    home = root / ".levee" if root else places.home()
    kept = home / "bin" / "pulumi"
    on_path = shutil.which("pulumi")
    if on_path and Path(on_path).resolve() != kept.resolve():
        found = installed_version(Path(on_path), home)
        if found == wanted:
            return Path(on_path)
        console.print(
            f"[yellow]The pulumi on PATH ({on_path}) is {found or 'unreadable'}, this project is made for {wanted}: "
            f"using {kept.relative_to(root) if root else kept}[/]",
            soft_wrap=True,
        )
    if installed_version(kept, home) == wanted:
        return kept
    with exclusive(home / "locks" / "pulumi", doing="installing the Pulumi CLI", patience=math.inf):
        if installed_version(kept, home) != wanted and not _official(kept, wanted, console):
            _from_source((root / "tools" / "pulumi") if root else places.shipped("tools/pulumi"), kept, wanted, console)
        if (found := installed_version(kept, home)) != wanted:
            raise EngineError(f"the Pulumi CLI just installed is {found}, wanted {wanted}", fix=f"rm {kept}")
    return kept


def installed_version(binary: Path, home: Path) -> str | None:
    """The version that a CLI says it is, without the ``v``; ``None`` where there is no such CLI or it does not run.

    Asking costs a process, so the answer is remembered in ``home`` by path, size and time of the file.
    """
    try:
        stat = binary.stat()
    except OSError:
        return None
    key = f"{binary.resolve()}:{stat.st_size}:{stat.st_mtime_ns}"
    memory = home / "bin" / "versions.json"
    known = _read_json(memory)
    if key in known:
        return known[key]
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [binary, "version"], capture_output=True, text=True, timeout=60, check=True, env=environment
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = answer.stdout.strip().removeprefix("v")
    memory.parent.mkdir(parents=True, exist_ok=True)
    part = memory.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(dict([*known.items(), (key, found)][-8:])))
    part.replace(memory)
    return found


def _read_json(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):  # no memory yet, or half of one: ask again
        return {}
    return content if isinstance(content, dict) else {}


def _official(kept: Path, wanted: str, console: Console) -> bool:
    """Try Pulumi's own installer; ``False`` where it cannot be reached or fails, with a line that says so."""
    stage = kept.parent / f".official-{os.getpid()}"
    program = (
        "import socket, sys; from semver import VersionInfo; from pulumi.automation import PulumiCommand\n"
        f"socket.setdefaulttimeout({CONNECT_SECONDS})\n"
        "PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))"
    )
    try:
        with console.status(f"Installing the Pulumi CLI {wanted} with the official installer"):
            subprocess.run(
                [sys.executable, "-c", program, stage, wanted],
                check=True,
                capture_output=True,
                timeout=INSTALLER_SECONDS,
            )
        kept.parent.mkdir(parents=True, exist_ok=True)
        for file in (stage / "bin").iterdir():
            file.replace(kept.parent / file.name)
    except (OSError, subprocess.SubprocessError) as error:
        reason = "took too long" if isinstance(error, subprocess.TimeoutExpired) else "cannot be reached from here"
        console.print(f"Pulumi's official installer {reason}: building the CLI from its Go module", highlight=False)
        return False
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return True


def _from_source(module: Path, kept: Path, wanted: str, console: Console) -> None:
    required = required_by_go(module)
    if required != wanted:
        raise UsageError(
            f"tools/pulumi requires the Pulumi CLI {required}, the pulumi package is {wanted}",
            where=str(module / "go.mod"),
            fix=f"cd tools/pulumi && go get {MODULE}@v{wanted} && go mod tidy",
        )
    build(
        module,
        package=f"{MODULE}/cmd/pulumi",
        output=kept,
        defines={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": f"v{wanted}"},
        console=console,
        title=f"Building the Pulumi CLI {wanted} (some minutes, once)",
    )


def required_by_go(module: Path) -> str | None:
    """The version of the CLI's module in ``go.mod``, without the ``v``."""
    found = re.search(rf"{re.escape(MODULE)} v(\S+)", (module / "go.mod").read_text())
    return found[1] if found else None
