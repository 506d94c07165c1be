"""The tools that Levee itself needs on a machine: uv and the pinned Pulumi CLI."""

from levee.toolchain.pulumi import ensure_pulumi, pinned_version
from levee.toolchain.uv import uv_path

__all__ = ["ensure_pulumi", "pinned_version", "uv_path"]
