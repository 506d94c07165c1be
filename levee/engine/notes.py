"""What the program's host and the stand-ins wrote down during a run, read into one value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from levee.engine.join import clean, records
from levee.plan import UNKNOWN, FilledConfig, InventedLookup, Source, logical_name


@dataclass(frozen=True)
class Complaint:
    """One error that a language host found in the program's own text."""

    message: str
    source: Source | None


@dataclass(frozen=True)
class Notes:
    """What stand-ins and language host wrote down.

    Attributes:
        invented: Lookups answered without a cloud.
        references: Stack references answered from a file, and assets that were not to be had, one sentence each.
        unknown_replacements: URNs whose update may be a replacement.
        faults: Injected faults that took effect, one sentence each.
        filled: Configuration that nobody has set and that was invented, by key.
        assumed: What the stand-ins took for a provider's configuration that nobody has set, by key.
        opaque: By URN, why nobody has looked into a component.
        not_run: Commands, builds and pulls that nobody did, one sentence a type.
        refused: Where the program registered what a provider refused, by type and name.
        begun: Where the program made what had not reached the engine when it failed, by type and name.
        named: Where a program in YAML writes each resource, by name.
        complaints: What the language host of a program in YAML found wrong with it.
        twice: The first and the last place of a type and name that a failed program made more than once.
        unset: Where the program asked for a key that nobody has set, and that it could do without, by key.
    """

    invented: tuple[InventedLookup, ...] = ()
    references: tuple[str, ...] = ()
    unknown_replacements: frozenset[str] = frozenset()
    faults: tuple[str, ...] = ()
    filled: tuple[FilledConfig, ...] = ()
    assumed: Mapping[str, str] = field(default_factory=dict)
    opaque: Mapping[str, str] = field(default_factory=dict)
    not_run: tuple[str, ...] = ()
    refused: Mapping[tuple[str, str], Source] = field(default_factory=dict)
    begun: Mapping[tuple[str, str], Source] = field(default_factory=dict)
    named: Mapping[str, Source] = field(default_factory=dict)
    complaints: tuple[Complaint, ...] = ()
    twice: Mapping[tuple[str, str], tuple[Source, Source]] = field(default_factory=dict)
    unset: Mapping[str, Source] = field(default_factory=dict)


def read_notes(standin_log: Path, program_notes: Path) -> Notes:
    """Read both logs and give every invented lookup the line of the program that asked."""
    program = _ProgramNotes()
    for note in records(program_notes):
        program.take(note, Source(**note["source"]))
    standin = _StandinNotes(program)
    for note in records(standin_log):
        standin.take(note)
    return Notes(
        invented=tuple(standin.invented.values()),
        references=tuple(dict.fromkeys(program.references)),
        unknown_replacements=frozenset(standin.unknown),
        faults=tuple(standin.faults),
        filled=tuple(program.filled.values()),
        assumed=standin.assumed,
        opaque=standin.opaque,
        not_run=standin.not_run,
        refused=program.refused,
        begun=program.begun,
        twice=program.twice,
        unset=program.unset,
    )


class _ProgramNotes:
    """What the program's process wrote."""

    def __init__(self) -> None:
        self.places: dict[str, list[Source]] = {}
        self.references: list[str] = []
        self.missing: list[InventedLookup] = []
        self.refused: dict[tuple[str, str], Source] = {}
        self.begun: dict[tuple[str, str], Source] = {}
        self.twice: dict[tuple[str, str], tuple[Source, Source]] = {}
        self.unset: dict[str, Source] = {}
        self.filled: dict[str, FilledConfig] = {}

    def take(self, note: Mapping[str, Any], source: Source) -> None:
        kind = note["kind"]
        if kind == "invoke":
            self.places.setdefault(note["token"], []).append(source)
        elif kind == "read":
            self.places.setdefault(f"{note['token']} {note['id']}", []).append(source)
        elif kind == "filled_config":
            # The preview of an update asks first, and its answer counts: the update's own is the same.
            self.filled.setdefault(note["key"], _filled(note, source))
        elif kind == "stack_reference":
            self.references.append(f"stack reference {note['name']!r} at {source} answered from {note['from']}")
        elif kind == "asset":
            what = f"{note['uri']} is not fetched offline" if note["uri"] else f"{note['path']} does not exist"
            self.references.append(f"{what}: a text stands for it in {note['resource']!r} at {source}")
        elif kind == "missing_output":
            self.missing.append(_missing_output(note, source))
        else:
            self._of_failure(kind, note, source)

    def _of_failure(self, kind: str, note: Mapping[str, Any], source: Source) -> None:
        if kind == "refused":
            self.refused[note["type"], note["name"]] = source
        elif kind == "begun":
            self.begun[note["type"], note["name"]] = source
        elif kind == "unset":
            self.unset.setdefault(note["key"], source)
        elif kind == "twice":
            self.twice[note["type"], note["name"]] = (source, Source(**note["again"]))


class _StandinNotes:
    """What the stand-ins wrote."""

    def __init__(self, program: _ProgramNotes) -> None:
        self._places = program.places
        self.invented = {_question(lookup): lookup for lookup in program.missing}
        self.unknown: set[str] = set()
        self.faults: list[str] = []
        self.assumed: dict[str, str] = {}
        self.opaque: dict[str, str] = {}
        self._not_run: dict[tuple[str, str], dict[str, None]] = {}

    @property
    def not_run(self) -> tuple[str, ...]:
        """One sentence a type and reason."""
        return tuple(f"{token} {', '.join(names)}: {reason}" for (token, reason), names in self._not_run.items())

    def take(self, note: Mapping[str, Any]) -> None:
        kind = note["kind"]
        if kind == "invented_lookup":
            args = note.get("args", {})
            waiting = self._places.get(f"{note['token']} {args.get('id')}") or self._places.get(note["token"], [])
            lookup = InventedLookup(
                token=note["token"],
                args=clean(args),
                answer=clean(note.get("answer", {})),
                source=waiting.pop(0) if waiting else None,
                reason=note.get("reason", ""),
            )
            # An update asks once in its preview and once for real: one question, one line.
            self.invented.setdefault(_question(lookup), lookup)
        elif kind == "replacement_unknown":
            self.unknown.add(note["urn"])
        elif kind == "invented_config":
            self.assumed[note["name"]] = str(note["value"])
        elif kind == "not_evaluated":
            self.opaque[note["urn"]] = note["reason"]
        elif kind == "not_run":
            names = self._not_run.setdefault((note["type"], note["reason"]), {})
            names[logical_name(note["urn"])] = None
        elif kind == "fault":
            self.faults.append(note.get("message", json.dumps(note)))


def _question(lookup: InventedLookup) -> str:
    return json.dumps([lookup.token, lookup.args], sort_keys=True, default=str)


def _missing_output(note: Mapping[str, Any], source: Source) -> InventedLookup:
    """An output of a stack that nobody gave: unknown in a preview, a placeholder in an update."""
    value = UNKNOWN if note["value"] is None else note["value"]
    return InventedLookup(
        token="pulumi:pulumi:StackReference",
        args={"name": note["stack"], "output": note["output"]},
        answer={note["output"]: value},
        source=source,
        reason=f"no outputs of stack {note['stack']!r} are given: --references FILE",
    )


def _filled(note: Mapping[str, Any], source: Source) -> FilledConfig:
    return FilledConfig(key=note["key"], value=note["value"], kind=note["type"], why=note["why"], source=source)
