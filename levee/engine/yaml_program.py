"""Programs in YAML: where their resources and lookups are written, and what their language host complains of.

The host of ``runtime: yaml`` tells the engine lines of its own source and not of the program's, so they are read from
the program: a resource is known by its name, a lookup by its function and what it asks for.

Source: ``pulumi/pulumi-yaml`` 1.32: ``LoadDir`` (the program's file), ``resolveToken`` (short tokens),
``ast.ResourceDecl.Name`` (a resource's own name), ``NewDiagnosticWriter`` (the text of a complaint).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from levee.engine.join import records
from levee.engine.notes import Complaint, Notes
from levee.engine.project import Project
from levee.plan import InventedLookup, Resource, Source

RUNTIME: Final = "yaml"
_FILES: Final = ("Main.json", "Main.yaml", "Pulumi.yaml")
"""The first that is there is the program."""
_DIAGNOSTIC: Final = "diagnosticEvent"
_INVOKE: Final = "fn::invoke"
_HEADLINE: Final = re.compile(r"Error: (.+)")
_PLACE: Final = re.compile(r"  on (.+) line (\d+)\b.*:")
_WHILE_IT_RAN: Final = re.compile(r"\* (?P<said>[^\n]+)\s+on (?P<file>[^\n]+) line (?P<line>\d+)\b")
_NOT_ASSIGNABLE: Final = re.compile(r"(\S+) is not assignable from ")
_QUOTED: Final = re.compile(r" *\d+: ")
_IN_ERROR: Final = re.compile(
    r"(?P<file>\S+\.(?:ya?ml|json)):(?P<line>\d+),[\d:,-]+: (?P<said>.+?);?\s*$", re.MULTILINE
)


@dataclass(frozen=True)
class Written:
    """One resource of the program."""

    name: str
    token: str
    source: Source


@dataclass(frozen=True)
class Lookup:
    """One ``fn::invoke``."""

    token: str
    arguments: Mapping[str, Any]
    source: Source

    def asks(self, invented: InventedLookup) -> bool:
        """Whether it may be what was asked: the function, and every argument that is written out."""
        return invented.token in _spellings(self.token) and all(
            invented.args.get(name) == value for name, value in self.arguments.items() if _is_literal(value)
        )


def located(notes: Notes, project: Project, events: Path, stderr: str) -> Notes:
    """The notes of a run with what only the program in YAML and its host know; those of another program as they are.

    Args:
        notes: What the run left.
        project: Whose run it was.
        events: The engine's event log, which has what the language host wrote on its standard error.
        stderr: What the CLI wrote on its own, which has what the host could not even read.
    """
    if project.runtime != RUNTIME:
        return notes
    program, file = _program(project)
    lookups = tuple(_lookups(program, file))
    resources = tuple(_resources(program, file))
    diagnostics = [event[_DIAGNOSTIC] for event in records(events) if _DIAGNOSTIC in event]
    return replace(
        notes,
        invented=tuple(_asked(invented, lookups) for invented in notes.invented),
        named={resource.name: resource.source for resource in resources},
        complaints=tuple(_of_resource(complaint, resources) for complaint in complaints(diagnostics, stderr)),
    )


def placed(graph: Iterable[Resource], notes: Notes) -> tuple[Resource, ...]:
    """The resources of a program in YAML, each with its own line.

    Args:
        graph: The resources as the engine knows them.
        notes: What :func:`located` gave.
    """
    return tuple(replace(resource, source=notes.named.get(resource.name)) for resource in graph)


def complaints(diagnostics: Iterable[Mapping[str, Any]], stderr: str) -> Iterator[Complaint]:
    """What the language host complained of: on its standard error before the program ran, else in an error.

    Args:
        diagnostics: The engine's diagnostic events.
        stderr: What the CLI wrote on its standard error.
    """
    said = {"error": stderr, "info#err": ""}
    for diagnostic in diagnostics:
        if diagnostic["severity"] in said:
            said[diagnostic["severity"]] += diagnostic["message"]
    yield from _written(said["info#err"].splitlines())
    for error in (_IN_ERROR, _WHILE_IT_RAN):
        for found in error.finditer(said["error"]):
            yield Complaint(found["said"], Source(found["file"], int(found["line"])))


def _written(lines: Iterable[str]) -> Iterator[Complaint]:
    message: list[str] = []
    source: Source | None = None
    for line in lines:
        if headline := _HEADLINE.fullmatch(line):
            if message:
                yield Complaint(": ".join(message), source)
            message, source = [headline[1]], None
        elif place := _PLACE.fullmatch(line):
            source = Source(place[1], int(place[2]))
        elif message and line.strip() and not _QUOTED.match(line):
            message.append(line.strip().rstrip(":"))
    if message:
        yield Complaint(": ".join(message), source)


def _program(project: Project) -> tuple[CommentedMap, str]:
    """The program with its lines, and its file as the project's own folder sees it; empty where it is none."""
    path = next((project.main / name for name in _FILES if (project.main / name).is_file()), project.file)
    name = str(path.relative_to(project.root)) if path.is_relative_to(project.root) else str(path)
    return _read(path), name


def _read(path: Path) -> CommentedMap:
    try:
        document = YAML(pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError):  # the language host says what is wrong with it
        return CommentedMap()
    return document if isinstance(document, CommentedMap) else CommentedMap()


def _resources(program: CommentedMap, file: str) -> Iterator[Written]:
    """Every resource, with the line of its key."""
    resources = program.get("resources")
    if not isinstance(resources, CommentedMap):
        return
    for key, written in resources.items():
        if isinstance(written, CommentedMap):
            source = Source(file, resources.lc.key(key)[0] + 1)
            yield Written(str(written.get("name") or key), str(written.get("type")), source)


def _lookups(node: Any, file: str) -> Iterator[Lookup]:
    """Every ``fn::invoke`` below a node, with its line."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from _lookups(child, file)
    asked = node.get(_INVOKE) if isinstance(node, CommentedMap) else None
    if isinstance(asked, CommentedMap) and "function" in asked:
        arguments = asked.get("arguments")
        yield Lookup(
            token=str(asked["function"]),
            arguments=arguments if isinstance(arguments, dict) else {},
            source=Source(file, node.lc.key(_INVOKE)[0] + 1),
        )


def _asked(invented: InventedLookup, lookups: Sequence[Lookup]) -> InventedLookup:
    """The answer with the line that asked, where only one can have."""
    places = {lookup.source for lookup in lookups if lookup.asks(invented)}
    return replace(invented, source=places.pop()) if len(places) == 1 else invented


def _of_resource(complaint: Complaint, resources: Sequence[Written]) -> Complaint:
    """The complaint with the line of the resource that it is about: of one that lacks a property it has none."""
    about = _NOT_ASSIGNABLE.match(complaint.message)
    if complaint.source or not about:
        return complaint
    places = {resource.source for resource in resources if about[1] in _spellings(resource.token)}
    return replace(complaint, source=places.pop()) if len(places) == 1 else complaint


def _spellings(token: str) -> frozenset[str]:
    """The tokens that a program may mean: ``aws:s3:Bucket`` is ``aws:s3/bucket:Bucket``."""
    package, *middle, name = token.split(":")
    module = middle[0] if middle else "index"
    return frozenset({token, f"{package}:{module}:{name}", f"{package}:{module}/{name[:1].lower()}{name[1:]}:{name}"})


def _is_literal(value: Any) -> bool:
    """Whether a value stands in the program as it is asked for: nothing in it is interpolated or computed."""
    if isinstance(value, dict):
        return all(not str(key).startswith("fn::") and _is_literal(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_literal, value))
    return not (isinstance(value, str) and "${" in value)
