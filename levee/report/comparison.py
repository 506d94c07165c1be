"""The difference between an offline and a real preview, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from levee.engine.comparison import Comparison, StepDifference, ValueDifference
from levee.plan import logical_name
from levee.report.naming import plural, short_type

_MOST_VALUES: Final = 40
_EXPECTED: Final = "known only offline"
"""What the stand-in says and the real provider leaves open: told in one line."""


def renderables(found: Comparison) -> Iterator[RenderableType]:
    """What differs, the steps first; the last line says how it went."""
    for word, said in (("offline", found.failed_offline), ("real", found.failed_online)):
        if said:
            yield Text.assemble(
                (f"✗ only the {word} preview failed  " if found.differs else f"✗ {word}  ", "bold red"), said
            )
    for step in found.steps:
        yield _step(step)
    told = [v for v in found.values if v.kind != _EXPECTED]
    for value in told[:_MOST_VALUES]:
        yield _value(value)
    if len(told) > _MOST_VALUES:
        yield Text(f"and {plural(len(told) - _MOST_VALUES, 'value')} more: --json FILE", style="dim")
    yield _summary(found, len(told))


def _step(step: StepDifference) -> Text:
    name = logical_name(step.urn)
    text = Text.assemble(("✗ step  ", "bold red"), (name, "bold"), f" {short_type(step.type)}  ")
    if step.offline and step.online:
        text.append(f"offline {_keyed(step.offline, step.offline_keys)}, real {_keyed(step.online, step.online_keys)}")
    else:
        text.append(f"only offline: {step.offline}" if step.offline else f"only real: {step.online}")
    if step.said_unknown:
        text.append("; offline had said that the replacement is unknown", style="dim")
    return text.append(f"  {step.source}", style="cyan")


def _keyed(op: str, keys: tuple[str, ...]) -> str:
    return f"{op} ({', '.join(keys)})" if keys else op


def _value(value: ValueDifference) -> Text:
    name = logical_name(value.urn)
    where = f"{value.side.removesuffix('s')} {value.path}"
    return Text.assemble(
        ("! value  ", "yellow"), (name, "bold"), f" {where}: offline {value.offline!r}, real {value.online!r}"
    )


def _summary(found: Comparison, values: int) -> Text:
    if found.failed_offline and found.failed_online:
        return Text("both previews failed: nothing to compare", style="yellow")
    if found.differs:
        text = Text(f"✗ {plural(len(found.steps), 'step')} of {plural(found.resources, 'resource')} differ", "bold red")
    else:
        text = Text(f"✓ the same steps for {plural(found.resources, 'resource')}", "green")
    known = sum(v.kind == _EXPECTED for v in found.values)
    return text.append(f"  ·  {plural(values, 'value')} differ, {known:,} known only offline", style="dim")
