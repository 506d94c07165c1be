"""What the ``config:`` block of ``Pulumi.yaml`` demands of a stack, checked or filled before the engine starts.

Source: "Project level configuration" of Pulumi's documentation; ``workspace.ProjectConfigType`` of pulumi 3.250: an
entry with a ``type`` and without ``default`` or ``value`` must be set by every stack.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ruamel.yaml import YAML

from levee.engine.placeholders import Placeholder, choose
from levee.engine.project import Project, refuse_other_keys
from levee.errors import UsageError
from levee.plan import SECRET, FilledConfig, Source

_BLOCKS: Final = ("config", "configuration")
"""The second is the older one, which a program in YAML may have; its types begin with a capital."""
_KINDS: Final[Mapping[str, str]] = {"integer": "int", "number": "float", "boolean": "bool", "array": "object"}


@dataclass(frozen=True)
class Required:
    """One key that every stack must set.

    Attributes:
        key: The full key.
        type: ``string``, ``integer``, ``boolean``, ``array`` or ``object``.
        secret: Whether it is declared a secret.
        source: Its line in ``Pulumi.yaml``; ``None`` where it was the program that asked.
    """

    key: str
    type: str
    secret: bool
    source: Source | None


def is_demand(entry: Any) -> bool:
    """Whether an entry of ``config:`` only says that a value must be there."""
    return isinstance(entry, dict) and "type" in entry and not {"default", "value"} & set(entry)


def missing(project: Project, given: Collection[str]) -> tuple[Required, ...]:
    """The demands that are not met.

    Args:
        project: The project.
        given: Full keys that the stack or this run sets.
    """
    return tuple(demand for demand in _demands(project) if demand.key not in given)


def _demands(project: Project) -> Iterator[Required]:
    for block in _BLOCKS:
        config = project.document.get(block)
        if not isinstance(config, dict):
            continue
        refuse_other_keys(config, project.file)
        places = YAML(pure=True).load(project.file.read_text(encoding="utf-8"))[block].lc
        for name, entry in config.items():
            if is_demand(entry):
                key = name if ":" in name else f"{project.name}:{name}"
                source = Source(project.file.name, places.key(name)[0] + 1)
                yield Required(key, str(entry["type"]).lower(), bool(entry.get("secret")), source)


def refusal(demands: Collection[Required], project: Project, stack: str) -> UsageError:
    """The error that names every unmet demand."""
    first, *others = demands
    more = f" (and {', '.join(demand.key for demand in others)})" if others else ""
    secret = "--secret " if first.secret else ""
    assert first.source is not None
    return UsageError(
        f"stack {stack!r} lacks the configuration {first.key!r}, which Pulumi.yaml demands{more}",
        where=f"{project.root / first.source.file}:{first.source.line}",
        fix=f"pulumi config set {secret}{first.key} VALUE --stack {stack}, or let Levee invent it: --fill-config",
    )


def fill(demand: Required) -> tuple[str, FilledConfig]:
    """The configuration text of one demand, and what is told of it."""
    chosen: Placeholder = choose(demand.key, _KINDS.get(demand.type, demand.type))
    value = chosen.value
    if demand.type == "array" and not isinstance(value, list):
        value = []
    hidden = demand.secret or chosen.secret
    told = FilledConfig(
        key=demand.key,
        value=SECRET if hidden else value,
        kind=chosen.kind,
        why=f"declared as {demand.type}" if demand.source else chosen.why,
        source=demand.source,
    )
    return chosen._replace(value=value).text, told
