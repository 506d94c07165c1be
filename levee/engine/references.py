"""Other stacks' outputs, for a program's stack references: from a file, and from this project's own offline stacks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from levee.engine.project import read_yaml
from levee.engine.workspace import Workspace
from levee.errors import UsageError
from levee.plan import STACK_TYPE
from levee.wire import SECRET_SIGNATURE, SIGNATURE

Answers = Mapping[str, Mapping[str, Any]]
"""Stack name to ``{"from": <file>, "outputs": {...}, "secret_output_names": [...]}``."""


def gather(path: Path | None, workspace: Workspace) -> Answers:
    """What can be answered: the file's stacks first, then those that this project has brought up offline.

    Args:
        path: YAML, ``{stack: {output: value}}`` or ``{stack: {outputs: {...}, secret: [names]}}``.
        workspace: The stack that asks.

    Raises:
        UsageError: The file is not that.
    """
    return {**_own_stacks(workspace), **_given(path)}


def _given(path: Path | None) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for name, outputs in (read_yaml(path) if path is not None else {}).items():
        if not isinstance(outputs, dict):
            raise UsageError(f"stack {name!r} needs a mapping of outputs", where=str(path), fix="write `output: value`")
        named = set(outputs) <= {"outputs", "secret"}
        values, secret = (outputs.get("outputs", {}), outputs.get("secret", [])) if named else (outputs, [])
        if not isinstance(values, dict) or not isinstance(secret, list):
            raise UsageError(
                f"stack {name!r} needs a mapping of `outputs` and a list of `secret` names",
                where=str(path),
                fix="outputs: {NAME: VALUE}, secret: [NAME]",
            )
        answers[name] = {"from": str(path), "outputs": values, "secret_output_names": secret}
    return answers


def _own_stacks(workspace: Workspace) -> dict[str, Any]:
    """Each stack keeps a backend of its own, so the engine of one does not find another. A secret stays in its own."""
    answers: dict[str, Any] = {}
    project = workspace.project
    for folder in sorted((project.root / ".levee").glob("*/state")):
        other = Workspace(project, folder.parent.name)
        if other.stack == workspace.stack or not other.checkpoint.exists():
            continue
        outputs = next((r.get("outputs") or {} for r in other.resources() if r["type"] == STACK_TYPE), {})
        secret = [name for name, value in outputs.items() if _holds_secret(value)]
        answers[f"{project.name}/{other.stack}"] = {
            "from": str(other.checkpoint.relative_to(project.root)),
            "outputs": {k: f"placeholder-{k}" if k in secret else v for k, v in outputs.items()},
            "secret_output_names": secret,
        }
    return answers


def _holds_secret(value: object) -> bool:
    if isinstance(value, dict):
        return value.get(SIGNATURE) == SECRET_SIGNATURE or any(map(_holds_secret, value.values()))
    return isinstance(value, list) and any(map(_holds_secret, value))
