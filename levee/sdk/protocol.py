"""Pulumi's protocol stubs, without the rest of the SDK where nobody needs it.

``import pulumi.runtime.proto`` runs ``pulumi/__init__.py``: the whole SDK, 0.3 s. The processes of the stand-in and of
the policy packs need the generated stubs only, so :func:`lean` puts bare packages in their parents' places before the
first import.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


def lean() -> None:
    """Make ``pulumi`` and ``pulumi.runtime`` bare packages; only for a process that uses nothing else of them."""
    if "pulumi" in sys.modules:
        return
    spec = find_spec("pulumi")
    if spec is None or spec.submodule_search_locations is None:
        return
    folder = Path(next(iter(spec.submodule_search_locations)))
    for name, path in (("pulumi", folder), ("pulumi.runtime", folder / "runtime")):
        module = ModuleType(name)
        module.__path__ = [str(path)]
        sys.modules[name] = module
