"""A plan as a JSON document: what ``--json FILE`` writes, under a schema with a version of its own.

The document is ``{"version": 1, "project", "stack", "operation", "offline", "summary": {...}, "resources": [...],
"violations": [...], "not_evaluated": [...], "invented_lookups": [...], "filled_config": [...], "outputs", "notes",
"seconds"}``; the whole schema is in ``docs/reference/plan.schema.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from levee.errors import UsageError
from levee.files import write_whole
from levee.plan.model import SCHEMA_VERSION, Plan, Summary

_PLAN = TypeAdapter(Plan)
_SUMMARY = TypeAdapter(Summary)


def to_document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values; equal plans give equal documents."""
    return {
        "version": SCHEMA_VERSION,
        "summary": _SUMMARY.dump_python(plan.summary, mode="json"),
        **_PLAN.dump_python(plan, mode="json"),
    }


def from_document(document: Any, *, where: str = "") -> Plan:
    """The plan that a document holds.

    Raises:
        UsageError: Another version, or not a plan.
    """
    if not isinstance(document, dict) or document.get("version") != SCHEMA_VERSION:
        found = document.get("version") if isinstance(document, dict) else type(document).__name__
        raise UsageError(
            f"not a plan of version {SCHEMA_VERSION}: found {found!r}",
            where=where or None,
            fix="write it anew: levee preview ENV --json FILE",
        )
    try:
        return _PLAN.validate_python({k: v for k, v in document.items() if k not in {"version", "summary"}})
    except ValidationError as wrong:
        first = wrong.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UsageError(f"not a plan: {place}: {first['msg']}", where=where or None) from wrong


def write(plan: Plan, path: Path) -> None:
    """Write the document; a reader sees the old file or the whole new one."""
    write_whole(path, json.dumps(to_document(plan), indent=2, sort_keys=False) + "\n")


def read(path: Path) -> Plan:
    """Read a document.

    Raises:
        UsageError: It cannot be read or is no plan.
    """
    try:
        return from_document(json.loads(path.read_text(encoding="utf-8")), where=str(path))
    except (OSError, ValueError) as wrong:
        raise UsageError(f"not JSON: {wrong}", where=str(path), fix="levee preview ENV --json FILE") from wrong


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document."""
    plan = _PLAN.json_schema(mode="serialization")
    summary = _SUMMARY.json_schema(mode="serialization")
    definitions = {**plan.pop("$defs", {}), **summary.pop("$defs", {}), "Summary": summary}
    plan["properties"] = {
        "version": {"const": SCHEMA_VERSION, "title": "Version"},
        "summary": {"$ref": "#/$defs/Summary"},
        **plan["properties"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Levee plan",
        **{k: v for k, v in plan.items() if k not in {"title", "required"}},
        "required": ["version", "summary", *plan.get("required", [])],
        "$defs": definitions,
    }
