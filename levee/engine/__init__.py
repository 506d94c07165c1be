"""The real Pulumi engine, offline through stand-in providers or online through the real plugins, by one code path.

The names below are imported when they are first asked for: the stand-in's process runs inside this package too, and
must not pay for what starts it (0.3 s).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from levee.engine.failed_run import ProgramError
    from levee.engine.project import Project
    from levee.engine.run import deployed, destroy, perform, preview, refresh, up
    from levee.engine.session import Operation, Options
    from levee.engine.stacks import choose_stack, find_project, stack_names
    from levee.engine.workspace import Workspace

__all__ = [
    "Operation",
    "Options",
    "ProgramError",
    "Project",
    "Workspace",
    "choose_stack",
    "deployed",
    "destroy",
    "find_project",
    "perform",
    "preview",
    "refresh",
    "stack_names",
    "up",
]

_HOMES: Final = {
    "Operation": "session",
    "Options": "session",
    "ProgramError": "failed_run",
    "Project": "project",
    "Workspace": "workspace",
    "choose_stack": "stacks",
    "find_project": "stacks",
    "stack_names": "stacks",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'run')}"), name)
