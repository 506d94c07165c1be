"""Faults by rule: what a cloud does on a bad day, on demand.

The rules are YAML, described in ``docs/reference/faults.md``.
"""

from __future__ import annotations

import fnmatch
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal, get_args

from levee.engine.standin.journal import Journal
from levee.errors import UsageError

Action = Literal["throttle", "fail", "slow", "kill"]
Operation = Literal["check", "diff", "create", "read", "update", "delete", "invoke"]

_MESSAGES: Final = {
    "throttle": "ThrottlingException: Rate exceeded",
    "fail": "InternalError: injected by a fault rule",
}


class FaultError(Exception):
    """The injected failure; its text is what the engine shows."""

    def __init__(self, action: Action, message: str) -> None:
        super().__init__(message)
        self.action = action


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        action: ``throttle`` and ``fail`` refuse the call, ``slow`` delays it, ``kill`` ends the stand-in's process.
        operation: The call it applies to.
        type: Glob over type tokens (function tokens for ``invoke``).
        urn: Glob over URNs.
        nth: Apply to the n-th matching call only, counted from 1 over the process; 0 applies to all.
        times: Apply at most so often; 0 for no limit.
        seconds: How long ``slow`` waits.
        message: What the failure says.
        preview: Whether previews are affected too.
    """

    action: Action
    operation: Operation = "create"
    type: str = "*"
    urn: str = "*"
    nth: int = 0
    times: int = 0
    seconds: float = 1.0
    message: str = ""
    preview: bool = False


class Faults:
    """Applies rules, counting the calls that match each.

    Args:
        rules: The rules, applied in order.
        journal: Every fault that is applied is written there.
        sleep: How to wait.
        kill: How to end the process.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        journal: Journal,
        *,
        sleep: Callable[[float], None] = time.sleep,
        kill: Callable[[], None] | None = None,
    ) -> None:
        self._rules = rules
        self._journal = journal
        self._sleep = sleep
        self._kill = kill or (lambda: os.kill(os.getpid(), signal.SIGKILL))
        self._lock = threading.Lock()
        self._seen = [0] * len(rules)
        self._applied = [0] * len(rules)

    def apply(self, operation: Operation, token: str, urn: str = "", *, preview: bool = False) -> None:
        """Do what the rules say of this call.

        Raises:
            FaultError: A rule refuses the call.
        """
        for index, rule in enumerate(self._rules):
            if not _matches(rule, operation, token, urn, preview=preview) or not self._due(index, rule):
                continue
            self._journal.write("fault", action=rule.action, operation=operation, type=token, urn=urn, rule=index)
            if rule.action == "slow":
                self._sleep(rule.seconds)
            elif rule.action == "kill":
                self._kill()
            else:
                raise FaultError(rule.action, rule.message or _MESSAGES[rule.action])

    def _due(self, index: int, rule: Rule) -> bool:
        with self._lock:
            self._seen[index] += 1
            if rule.nth and self._seen[index] != rule.nth:
                return False
            if rule.times and self._applied[index] >= rule.times:
                return False
            self._applied[index] += 1
            return True


def _matches(rule: Rule, operation: Operation, token: str, urn: str, *, preview: bool) -> bool:
    return (
        rule.operation == operation
        and (rule.preview or not preview)
        and fnmatch.fnmatchcase(token, rule.type)
        and fnmatch.fnmatchcase(urn, rule.urn)
    )


def load_yaml(path: Path, what: str, reference: str) -> Any:
    """Parse a YAML file that a person wrote.

    Raises:
        UsageError: It cannot be read or is not YAML.
    """
    from ruamel.yaml import YAML, YAMLError  # 70 ms that a run without rules does not pay

    try:
        return YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError) as error:
        raise UsageError(f"cannot read {what}: {error}", where=str(path), fix=f"see {reference}") from error


def load(path: Path) -> list[Rule]:
    """Read a rules file.

    Raises:
        UsageError: It is not YAML, or a rule has an unknown key or value; with file and rule.
    """
    data = load_yaml(path, "the fault rules", "docs/reference/faults.md")
    rules = data.get("faults") if isinstance(data, dict) else data
    if not isinstance(rules, list):
        raise UsageError("no list of rules", where=str(path), fix="put the rules under `faults:`")
    return [_rule(rule, f"{path}, rule {number}") for number, rule in enumerate(rules, 1)]


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
        wanted = {"nth": int, "times": int, "seconds": (int, float), "preview": bool}.get(key, str)
        if not isinstance(value, wanted) or (isinstance(value, bool) and key != "preview"):
            raise UsageError(f"wrong value for {key}: {value!r}", where=where, fix="see docs/reference/faults.md")
    return Rule(**data)
