"""What people are shown of a plan and of a run: in the terminal, and as one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from levee.plan import Plan


def write(plan: Plan, summary: Mapping[str, Any] | None, path: Path, *, environment: str) -> Path:
    """Write the report of an environment; see :func:`levee.report.page.write`.

    The page and Plotly are loaded only here, since the terminal needs neither.
    """
    from levee.report import page

    return page.write(plan, summary, path, environment=environment)


__all__ = ["write"]
