"""The real Pulumi engine, offline through stand-in providers or online through the real plugins, by one code path."""

from levee.engine.failure import ProgramError
from levee.engine.project import Project
from levee.engine.run import Operation, Options, deployed, destroy, perform, preview, refresh, up
from levee.engine.workspace import Workspace

__all__ = [
    "Operation",
    "Options",
    "ProgramError",
    "Project",
    "Workspace",
    "deployed",
    "destroy",
    "perform",
    "preview",
    "refresh",
    "up",
]
