"""Placeholders for the outputs of a stack that no one gave: in the *program's own* interpreter, loaded by path.

The first preview says "unknown"; an update needs values, and it and what comes after get those that the output's name
suggests (:mod:`levee.engine.placeholders`). Every output that is asked for is noted with its line.
"""

from __future__ import annotations

import json
from collections import UserDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from levee.engine.program import Notes

_SEVERAL = 3
"""How many items a list of ids has: as many as a region has zones to most programs."""


def install(pulumi: Any, request: Mapping[str, Any], notes: Notes, choose: Callable[..., Any], given: Any) -> None:
    """Make ``pulumi.StackReference`` answer for stacks whose outputs are not given.

    Args:
        pulumi: The program's SDK.
        request: The run request.
        notes: Where each question is written down.
        choose: :func:`levee.engine.placeholders.choose`.
        given: :func:`levee.engine.monitor.answer_to`.
    """
    unknown = request["unknown"]
    original = pulumi.StackReference

    class Asked(pulumi.Output):
        """The outputs of a missing stack; notes which of them the program wants."""

        stack = ""

        def __getitem__(self, key: Any) -> Any:
            note(self.stack, key)
            return super().__getitem__(key)

    def note(stack: str, key: object) -> None:
        value = None if unknown or not isinstance(key, str) else placeholder(stack, key, choose)
        record = {"kind": "missing_output", "stack": stack, "output": str(key), "value": value}
        notes.write({**record, "source": notes.caller()})

    def asked(outputs: Any, stack: str) -> Any:
        if not unknown:
            outputs = outputs.apply(lambda _: Outputs(stack, choose))
        future = outputs.future(with_unknowns=True)
        wrapped = Asked(outputs.resources(), future, outputs.is_known(), outputs.is_secret())
        wrapped.stack = stack
        return wrapped

    init = original.__init__

    def __init__(self: Any, name: str, stack_name: str | None = None, opts: Any = None) -> None:  # noqa: N807
        init(self, name, stack_name, opts)
        target = stack_name if stack_name is not None else name
        self.missing_stack = target if given(request, target) is None else ""
        if self.missing_stack:
            self.outputs = asked(self.outputs, target)

    original.__init__ = __init__
    for method in ("get_output", "require_output", "get_output_details"):
        if hasattr(original, method):
            setattr(original, method, _noting(getattr(original, method), note))


def _noting(method: Callable[..., Any], note: Callable[[str, object], None]) -> Callable[..., Any]:
    def noting(self: Any, name: Any) -> Any:
        if self.missing_stack:
            note(self.missing_stack, name)
        return method(self, name)

    return noting


class Outputs(UserDict[str, Any]):
    """Has every output, by its name."""

    def __init__(self, stack: str, choose: Callable[..., Any]) -> None:
        super().__init__()
        self._stack, self._choose = stack, choose

    def __missing__(self, key: str) -> Any:
        return placeholder(self._stack, key, self._choose)

    def __contains__(self, key: object) -> bool:
        return True


def placeholder(stack: str, key: str, choose: Callable[..., Any]) -> Any:
    """A value for an output of that name; several where the name is that of several."""
    words = key.lower().replace("-", "_")
    if "kubeconfig" in words or "kube_config" in words:
        return json.dumps(_kubeconfig(stack))
    found = choose(f"{stack}:{key}")
    if words.endswith(("ids", "arns", "names", "cidrs", "addresses", "subnets", "zones", "_ips", "groups")):
        return [choose(f"{stack}/{number}:{key}").value for number in range(_SEVERAL)]
    return found.value


def _kubeconfig(stack: str) -> dict[str, Any]:
    name = stack.rsplit("/", 1)[-1]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": "https://kubernetes.example.com"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
        "users": [{"name": name, "user": {}}],
    }
