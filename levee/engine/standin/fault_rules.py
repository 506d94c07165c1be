"""The rules of faults, as a person writes them: ``docs/reference/faults.md``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal, get_args

from levee.engine.standin import rules_file
from levee.errors import UsageError

Action = Literal["throttle", "fail", "slow", "kill", "partial", "eventual", "quota", "timeout"]
Operation = Literal["check", "diff", "create", "read", "update", "delete", "invoke"]
SECONDS: Final[Mapping[str, float]] = {"slow": 1.0, "throttle": 0.05, "eventual": 0.0, "timeout": 0.0}
"""What an action waits where a rule does not say."""
_REFERENCE: Final = "see docs/reference/faults.md"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        action: What happens.
        operation: The call it applies to; of ``eventual`` the call that does not find the resource.
        type: Glob over type tokens (function tokens for ``invoke``).
        urn: Glob over URNs.
        nth: Apply to the n-th matching call only, counted from 1 over the process; 0 applies to all.
        times: Apply at most so often, 0 for no limit; of ``eventual`` so often to each resource.
        seconds: How long ``slow`` waits, ``timeout`` hangs, ``eventual`` stays, or the first back-off takes.
        absorb: How many refusals of one call the provider itself retries, with back-off.
        limit: How many of a type ``quota`` allows in one account and region.
        message: What the failure says.
        after: Apply after the cloud has done what was asked.
        preview: Whether previews are affected too.
    """

    action: Action
    operation: Operation = "create"
    type: str = "*"
    urn: str = "*"
    nth: int = 0
    times: int = 0
    seconds: float | None = None
    absorb: int = 0
    limit: int = 0
    message: str = ""
    after: bool = False
    preview: bool = False

    @property
    def wait(self) -> float:
        """``seconds``, or what the action waits where nothing is said."""
        return SECONDS.get(self.action, 0.0) if self.seconds is None else self.seconds


def load(path: Path) -> list[Rule]:
    """Read a rules file.

    Raises:
        UsageError: It is not YAML, or a rule has an unknown key or value; with file and line.
    """
    return [_rule(rule, where) for rule, where in rules_file.items(path, "faults", what="fault rules", see=_REFERENCE)]


_WANTED: Final[Mapping[str, type | tuple[type, ...]]] = {
    "nth": int,
    "times": int,
    "absorb": int,
    "limit": int,
    "seconds": (int, float),
    "after": bool,
    "preview": bool,
}
_CALLS: Final[Mapping[str, tuple[str, ...]]] = {
    "partial": ("create", "update"),
    "eventual": ("create", "update", "read"),
    "quota": ("create",),
}
"""The operations of actions that not every call can meet."""


def _rule(data: Any, where: str) -> Rule:
    known = {f.name: f for f in fields(Rule)}
    if not isinstance(data, Mapping) or "action" not in data:
        raise UsageError("a rule needs an `action`", where=where, fix=f"action: {' | '.join(get_args(Action))}")
    for key, value in data.items():
        if key not in known:
            raise UsageError(f"unknown key {key!r}", where=where, fix=f"known keys: {', '.join(known)}")
        choices = {"action": get_args(Action), "operation": get_args(Operation)}.get(key)
        if choices and value not in choices:
            raise UsageError(f"unknown {key} {value!r}", where=where, fix=f"one of: {', '.join(choices)}")
        wanted = _WANTED.get(key, str)
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise UsageError(f"wrong value for {key}: {value!r}", where=where, fix=_REFERENCE)
    rule = Rule(**data)
    calls = _CALLS.get(rule.action)
    if calls and rule.operation not in calls:
        raise UsageError(
            f"{rule.action} never meets {rule.operation!r}", where=where, fix=f"operation: {' | '.join(calls)}"
        )
    if rule.action == "quota" and "limit" not in data:
        raise UsageError("a quota needs a `limit`", where=where, fix="limit: 5")
    return rule
