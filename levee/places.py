"""Where Levee keeps things and finds what it ships: in its checkout, or, installed as a wheel, in the user's cache.

=================  ===========================  ==========================================
what               in a checkout                installed alone
=================  ===========================  ==========================================
the Pulumi CLI     ``<checkout>/.levee/bin``    ``<cache>/levee/bin``
what was read of   ``<checkout>/.levee/cache``  ``<cache>/levee/cache``
the SDKs
shipped files      ``<checkout>/tools/...``     ``levee/_shipped/...`` inside the wheel
=================  ===========================  ==========================================

``<cache>`` is ``LEVEE_HOME``, else what the system has for it: ``XDG_CACHE_HOME`` or ``~/.cache`` (XDG Base Directory
0.8), on macOS ``~/Library/Caches``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent


def checkout() -> Path | None:
    """The checkout that this code runs in, or ``None`` where it was installed."""
    root = _PACKAGE.parent
    return root if (root / "tools" / "pulumi" / "go.mod").is_file() else None


def home() -> Path:
    """The folder for what is kept between runs and belongs to no project."""
    if root := checkout():
        return root / ".levee"
    if named := os.environ.get("LEVEE_HOME"):
        return Path(named).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "levee"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "levee"


def cache() -> Path:
    """The folder for what can be derived anew: what was read of the SDKs, byte code."""
    return Path(os.environ.get("LEVEE_CACHE") or home() / "cache")


def shipped(name: str) -> Path:
    """A file or folder of ours, by its path in the checkout; the wheel carries it too."""
    return (checkout() or _PACKAGE / "_shipped") / name
