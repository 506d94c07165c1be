"""``levee preview --compare-online``: the offline preview beside the real one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from levee.cli.console import engine_progress, human, write_json
from levee.engine import Options, comparison
from levee.report import comparison as report


def compare(root: Path, stack: str, chosen: Options, json: Path | None) -> int:
    """Run both previews and print what differs.

    Returns:
        1 where they would take different steps, else 0.
    """
    with engine_progress(f"preview {stack} (real, then simulated cloud)") as listener:
        found = comparison.compare(root, stack, replace(chosen, on_event=listener))
    if json:
        write_json(found.to_document(), json)
    output = human(json)
    for renderable in report.renderables(found):
        output.print(renderable, soft_wrap=True)
    return int(found.differs)
