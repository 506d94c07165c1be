"""What each environment is made of, resource by resource, against the snapshot of the last review.

A snapshot has one resource a line, so that a review reads what changed as a diff. Where a change is meant, the command
that the failure prints writes the snapshots anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from levee.environment import names
from levee.plan import SECRET, UNKNOWN, Plan, Resource, Urn

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent / "snapshots"
VARIABLE = "LEVEE_WRITE_SNAPSHOTS"
CONTENT_TAG = "wheel-content"
COMMAND = f"{VARIABLE}=1 .venv/bin/pytest -n0 tests/stacks/test_snapshots.py"


@pytest.mark.parametrize("name", names(ROOT))
def test_an_environment_is_what_was_reviewed(name: str, preview: Any) -> None:
    found, path = snapshot(preview(name)), FOLDER / f"{name}.json"
    if os.environ.get(VARIABLE):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    known = path.read_text(encoding="utf-8") if path.is_file() else ""
    if found != known:
        pytest.fail(
            f"{name} is not what {path.name} says:\n{_difference(known, found)}\nmeant? {COMMAND}", pytrace=False
        )


def snapshot(plan: Plan) -> str:
    """The plan as JSON, a resource a line, sorted by URN; what only a cloud knows is marked so."""
    lines = [json.dumps(_entry(resource), sort_keys=True) for resource in _made(plan)]
    return "[\n" + ",\n".join(sorted(lines)) + "\n]\n"


def _made(plan: Plan) -> list[Resource]:
    return [resource for resource in plan.resources if resource.custom]


def _entry(resource: Resource) -> dict[str, Any]:
    urn = Urn.parse(resource.urn)
    entry: dict[str, Any] = {"0": f"{urn.name} {urn.type}", "inputs": _readable(resource.inputs)}
    if CONTENT_TAG in (tags := entry["inputs"].get("tags") or {}):
        tags[CONTENT_TAG] = "<content>"  # of the wheel: every line of its code would make a new snapshot
    if resource.provider:
        entry["provider"] = Urn.parse(resource.provider.rsplit("::", 1)[0]).name
    if resource.protect:
        entry["protect"] = True
    return entry


def _readable(value: Any) -> Any:
    match value:
        case dict():
            return {key: _readable(inner) for key, inner in value.items() if key != "__defaults"}
        case list() | tuple():
            return [_readable(inner) for inner in value]
        case str():
            return _document(value.replace(UNKNOWN, "<unknown>").replace(SECRET, "<secret>"))
    return value


def _document(text: str) -> Any:
    """JSON inside a string is shown as JSON: a policy document is there to be read."""
    return {"json": json.loads(text)} if text.startswith('{"') else text


def _difference(known: str, found: str) -> str:
    before, after = set(known.splitlines()), set(found.splitlines())
    gone = [f"- {line[:300]}" for line in sorted(before - after)]
    new = [f"+ {line[:300]}" for line in sorted(after - before)]
    return "\n".join([*gone, *new][:40])
