"""Faults by rule: what a cloud does on a bad day, on demand.

The rules are YAML, described in ``docs/reference/faults.md``. A rule comes before a call's effect in the cloud (the
default), after it (``after: true``), or instead of it; :class:`Faults` is told of each call twice, by
:meth:`Faults.before` and by :meth:`Faults.after`.
"""

from __future__ import annotations

import fnmatch
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from levee.engine.standin.clouds.fault_words import Blanks, words
from levee.engine.standin.fault_rules import SECONDS, Action, Operation, Rule
from levee.engine.standin.journal import Journal
from levee.engine.standin.values import Values, plain
from levee.wire import logical_name

_BACK_OFF: Final = 2.0
_LONGEST_WAIT_SECONDS: Final = 5.0
_HANDLES: Final = ("arn", "selfLink", "name")
_LONG_HANDLE: Final = 12
"""From this length on a handle inside a longer string (a policy's JSON, a path) is a reference too."""


class FaultError(Exception):
    """The injected failure; its text is what the engine shows."""

    def __init__(self, action: Action, message: str) -> None:
        super().__init__(message)
        self.action = action


class PartialError(FaultError):
    """The resource is there and not as it should be: the engine keeps it, and mends it in the next update.

    Attributes:
        made: What there is of it.
    """

    def __init__(self, action: Action, message: str, made: Made) -> None:
        super().__init__(action, message)
        self.made = made


@dataclass(frozen=True, slots=True)
class Call:
    """One call that the engine makes.

    Attributes:
        operation: Which.
        type: Type token; the function's of an ``invoke``.
        urn: The resource; empty for an ``invoke``.
        preview: Whether nothing is to be done.
        inputs: The resource's inputs.
        region: Where it lies.
        live: Counts the live resources of its type in its account and region.
    """

    operation: Operation
    type: str
    urn: str = ""
    preview: bool = False
    inputs: Values = field(default_factory=dict)
    region: str = ""
    live: Callable[[], int] = lambda: 0

    @property
    def name(self) -> str:
        """The logical name."""
        return logical_name(self.urn)


@dataclass(frozen=True, slots=True)
class Made:
    """What a create or an update left in the cloud."""

    id: str
    inputs: Values
    outputs: Values


@dataclass
class _Late:
    """A resource that cannot be seen yet."""

    index: int
    call: Call
    made: Made
    looks: int
    until: float

    def named_in(self, inputs: Values) -> bool:
        """Whether one of those inputs refers to the resource."""
        handles = {self.made.id, *(plain(self.made.outputs.get(name)) for name in _HANDLES)} - {None, ""}
        return any(
            text == handle or (len(handle) >= _LONG_HANDLE and handle in text)
            for text in _strings(plain(inputs))
            for handle in handles
            if isinstance(handle, str)
        )


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
        self._late: list[_Late] = []

    def before(self, call: Call) -> None:
        """Do what the rules say before the call has its effect.

        Raises:
            FaultError: A rule refuses the call; nothing was done.
        """
        if not self._rules:
            return
        self._look_for_others(call)
        for index, rule in enumerate(self._rules):
            if rule.after or rule.action in {"partial", "eventual"} or not _matches(rule, call):
                continue
            if rule.action == "quota":
                self._count(index, rule, call)
            elif rule.action == "throttle":
                self._throttle(index, rule, call)
            elif self._due(index, rule):
                self._apply(index, rule, call)

    def after(self, call: Call, made: Made | None = None) -> None:
        """Do what the rules say after the call had its effect.

        Args:
            call: The call; a preview has no effect.
            made: What a create or an update left in the cloud.

        Raises:
            PartialError: The resource is there, and the provider says that it is not as it should be.
            FaultError: It is there, and the engine never hears of it.
        """
        if call.preview:
            return
        for index, rule in enumerate(self._rules):
            if rule.action == "eventual":
                if made is not None and call.operation == "create" and _fits(rule, call) and self._due(index, rule):
                    self._hide(index, rule, call, made)
            elif (rule.after or rule.action == "partial") and _matches(rule, call) and self._due(index, rule):
                self._apply(index, rule, call, made)

    def _apply(self, index: int, rule: Rule, call: Call, made: Made | None = None) -> None:
        if rule.action == "slow":
            self._note(index, call, "delayed")
            self._sleep(rule.wait)
        elif rule.action == "kill":
            self._note(index, call, "killed")
            self._kill()
        elif rule.action == "partial" and made is not None:
            self._note(index, call, "left half made")
            said = self._says(index, words("partial", Blanks(call.type, made.id, call.region)))
            raise PartialError("partial", said, made)
        else:
            self._note(index, call, "done, and not answered" if rule.after else "refused")
            self._sleep(rule.wait)
            raise FaultError(
                rule.action, self._says(index, words(rule.action, Blanks(call.type, call.name, call.region)))
            )

    def _throttle(self, index: int, rule: Rule, call: Call) -> None:
        """Refuse each attempt of one call until the rule has had its times or the provider its patience."""
        absorbed = 0
        while self._due(index, rule):
            if absorbed == rule.absorb:
                self._note(index, call, f"refused after {absorbed} retries" if absorbed else "refused")
                raise FaultError("throttle", self._says(index, words("throttle", Blanks(call.type, call.name))))
            self._note(index, call, "refused, and tried again")
            self._back_off(rule, absorbed)
            absorbed += 1

    def _count(self, index: int, rule: Rule, call: Call) -> None:
        used = call.live()
        if used < rule.limit or ((rule.nth or rule.times) and not self._due(index, rule)):
            return
        self._note(index, call, "refused")
        blanks = Blanks(call.type, call.name, call.region, rule.limit, used)
        raise FaultError("quota", self._says(index, words("quota", blanks)))

    def _hide(self, index: int, rule: Rule, call: Call, made: Made) -> None:
        until = time.monotonic() + rule.wait if rule.wait else float("inf")
        late = _Late(index, call, made, rule.times or (1 if not rule.wait else 1 << 30), until)
        with self._lock:
            self._late.append(late)
        if rule.operation == "read" and (said := self._look_for(late, call)):
            raise PartialError("eventual", said, made)

    def _look_for_others(self, call: Call) -> None:
        """A call that refers to a resource that cannot be seen yet."""
        with self._lock:
            waiting = [late for late in self._late if self._rules[late.index].operation == call.operation]
        for late in waiting:
            refers = call.urn != late.call.urn and not call.preview and late.named_in(call.inputs)
            if refers and (said := self._look_for(late, call)):
                raise FaultError("eventual", said)

    def _look_for(self, late: _Late, call: Call) -> str:
        """Look until the resource is seen: what is said where the provider gives up first, else nothing."""
        rule = self._rules[late.index]
        absorbed = 0
        while self._is_hidden(late):
            if absorbed == rule.absorb:
                self._note(late.index, call, f"did not find {late.call.name}")
                return self._says(late.index, words("eventual", Blanks(late.call.type, late.made.id)))
            self._note(late.index, call, f"did not find {late.call.name}, and tried again")
            self._back_off(rule, absorbed)
            absorbed += 1
        return ""

    def _is_hidden(self, late: _Late) -> bool:
        """Look once; what was seen is late no more."""
        with self._lock:
            late.looks -= 1
            hidden = late.looks >= 0 and time.monotonic() < late.until
            if not hidden and late in self._late:
                self._late.remove(late)
            return hidden

    def _back_off(self, rule: Rule, retries: int) -> None:
        first = rule.wait if rule.action == "throttle" else SECONDS["throttle"]
        self._sleep(min(first * _BACK_OFF**retries, _LONGEST_WAIT_SECONDS))

    def _note(self, index: int, call: Call, outcome: str) -> None:
        action = self._rules[index].action
        self._journal.write(
            "fault",
            action=action,
            operation=call.operation,
            type=call.type,
            urn=call.urn,
            rule=index + 1,
            message=f"fault rule {index + 1} ({action}): {call.operation} of {call.name or call.type} {outcome}",
        )

    def _says(self, index: int, said: str) -> str:
        rule = self._rules[index]
        return f"{rule.message or said} [fault rule {index + 1}: {rule.action}]"

    def _due(self, index: int, rule: Rule) -> bool:
        with self._lock:
            self._seen[index] += 1
            if rule.nth and self._seen[index] != rule.nth:
                return False
            if rule.action != "eventual" and rule.times and self._applied[index] >= rule.times:
                return False
            self._applied[index] += 1
            return True


def _matches(rule: Rule, call: Call) -> bool:
    return rule.operation == call.operation and (rule.preview or not call.preview) and _fits(rule, call)


def _fits(rule: Rule, call: Call) -> bool:
    return fnmatch.fnmatchcase(call.type, rule.type) and fnmatch.fnmatchcase(call.urn, rule.urn)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
