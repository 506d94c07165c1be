"""The collapsed diffs at the end of the comment: every input that differs, resource by resource."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from levee.plan import Op
from levee.report.naming import plural
from levee.review.escape import code, fence, length, shorten, visible
from levee.review.model import Change, EnvironmentReview

WHOLE: Final = "the whole is in `review.json`, beside this comment's artefact"
"""Where the reader finds what was cut."""

_VALUE: Final = 160
_FRAME: Final = 2 * _VALUE + 40
"""Of a block of diffs: its fences, which are longer than the longest line of backticks, and its end."""

_MOST_LINES: Final = 40
_SIGNS: Final = {Op.CREATE: "+", Op.IMPORT: "+", Op.DELETE: "-", Op.UPDATE: "!", Op.REPLACE: "!"}


def diffs(environments: Sequence[EnvironmentReview], room: int) -> Iterator[str]:
    """One block an environment, cut where the room is spent; what is left out is counted.

    Args:
        environments: The environments.
        room: Characters that there are for all of them.
    """
    left_out = 0
    for environment in environments:
        opening = f"<details><summary>Diff of {code(environment.name, 60)}</summary>\n\n"
        frame = length(opening) + _FRAME
        shown: list[str] = []
        for change in environment.changes:
            lines = _diff(change) if room > _VALUE else []
            needed = sum(length(line) + 1 for line in lines) + (0 if shown else frame)
            if not lines or needed > room:
                left_out += 1
                continue
            room -= needed
            shown += lines
        if shown:
            yield f"{opening}{fence(shown)}\n\n</details>"
    if left_out:
        yield f"and {plural(left_out, 'diff')} more; {WHOLE}."


def _diff(change: Change) -> list[str]:
    sign = _SIGNS[change.op]
    lines = [f"{sign} {_line(change.resource.type)} {_line(change.resource.name)}"]
    for prop in change.properties[:_MOST_LINES]:
        before, after = _beside(prop.before or "", prop.after or "")
        if prop.before is not None:
            lines.append(f"-   {_line(prop.path)}: {before}")
        if prop.after is not None:
            lines.append(f"+   {_line(prop.path)}: {after}")
    if len(change.properties) > _MOST_LINES:
        lines.append(f"    and {len(change.properties) - _MOST_LINES:,} more properties")
    return lines


def _beside(before: str, after: str) -> tuple[str, str]:
    """Two values as they are shown: where they are long, from shortly before they differ."""
    same = next((place for place, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), 0)
    start = same - _VALUE // 4
    if max(len(before), len(after)) <= _VALUE or start <= 0:
        return _line(before), _line(after)
    return _line(f"…{before[start:]}"), _line(f"…{after[start:]}")


def _line(text: str) -> str:
    """One value of a diff. Long runs of backticks would need a longer fence than there is room for."""
    return shorten(visible(text), _VALUE)
