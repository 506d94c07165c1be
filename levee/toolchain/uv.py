"""Where uv is: on PATH, or where ``tools/uv`` installed it."""

from __future__ import annotations

import shutil
from pathlib import Path

from levee.errors import UsageError


def uv_path(root: Path) -> Path:
    """The checkout's uv: its ``tools/uv`` where there is one (it knows which version will do), else PATH's.

    Raises:
        UsageError: There is none.
    """
    ours = root / "tools" / "uv"
    if ours.is_file():
        return ours
    if found := shutil.which("uv"):
        return Path(found)
    raise UsageError("uv is missing", where=str(root), fix="python3 -m pip install uv")
