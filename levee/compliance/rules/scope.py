"""What a check sees: a resource, or an item in it, in its graph; and the values at property paths.

A path is dotted wire names (camelCase); ``[*]`` stands for each item of a list or each value of a map:
``spec.template.spec.containers[*].securityContext.privileged``. Every path that a rule reads is checked against the
provider SDK's own types by ``tests/levee/compliance/rules``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from levee.compliance.graph import Graph
from levee.compliance.rule import Facts
from levee.plan import SECRET, UNKNOWN, Resource

EACH: Final = "*"
"""The step that stands for every item."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value found at a path.

    Attributes:
        path: The path with its indices, ``ingress[0].cidrBlocks[1]``; where a value on the way is unknown, up to there.
        value: The JSON value; ``None`` where it is absent.
    """

    path: str
    value: Any

    @property
    def undecidable(self) -> bool:
        """Whether nobody can say what it is: known only after the update, or a secret."""
        return is_undecidable(self.value)

    @property
    def empty(self) -> bool:
        """Whether nothing is given: absent, or empty of its kind."""
        return self.value is None or self.value in ("", [], {})


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a check looks.

    Attributes:
        resource: The resource judged.
        graph: Its stack; empty for a check that does not ask it.
        facts: What else may be known.
        root: The resource's inputs, or the item of them that ``each`` is at.
        prefix: The path of ``root``; empty for the inputs.
    """

    resource: Resource
    graph: Graph
    facts: Facts
    root: Any
    prefix: str = ""

    @classmethod
    def of(cls, resource: Resource, graph: Graph, facts: Facts) -> Scope:
        """The scope of a whole resource."""
        return cls(resource, graph, facts, resource.inputs)

    def read(self, path: str) -> Iterator[Value]:
        """The values at a path: one for a plain path (absent: ``None``), one an item where it holds ``[*]``."""
        return _walk(self.root, steps(path), self.prefix)

    def one(self, path: str) -> Value:
        """The value at a path without ``[*]``."""
        return next(self.read(path))

    def at(self, value: Value) -> Scope:
        """The scope of an item."""
        return replace(self, root=value.value, prefix=value.path)

    def references(self, value: Value) -> tuple[Resource, ...]:
        """The resources from which the property that holds this value takes it; the engine knows no nearer."""
        return self.graph.references(self.resource, value.path.partition(".")[0].partition("[")[0])


def is_undecidable(value: Any) -> bool:
    """Whether the value is one of the plan's two sentinels."""
    return isinstance(value, str) and value in (UNKNOWN, SECRET)


@cache
def steps(path: str) -> tuple[str, ...]:
    """``containers[*].name`` as ``("containers", "*", "name")``."""
    return tuple(path.replace("[*]", f".{EACH}").strip(".").split("."))


def _walk(value: Any, rest: Sequence[str], path: str) -> Iterator[Value]:
    if not rest or is_undecidable(value):
        yield Value(path, value)
        return
    step, *further = rest
    if step == EACH:
        for key, item in _items(value):
            yield from _walk(item, further, f"{path}[{key}]")
        return
    inner = value.get(step) if isinstance(value, Mapping) else None
    yield from _walk(inner, further, f"{path}.{step}" if path else step)


def _items(value: Any) -> Iterator[tuple[int | str, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield from enumerate(value)
