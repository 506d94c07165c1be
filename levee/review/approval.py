"""What was approved, as a file: the program, who judged it, what it asks for and what the rules said; and its digest.

An offline plan cannot bind a real update: Pulumi compares inputs as the provider has checked them, with the defaults
that only the real one knows. So the *program's* inputs are fixed: those properties that the program itself registered.

What is fixed of a property is its value; where it is made of another resource's outputs, the resources that it is made
of, since the cloud gives the value. A secret is only known to be one. No value that the plan has not is in the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Self

from pydantic import TypeAdapter, ValidationError

from levee.engine import Project
from levee.errors import GateError, UsageError
from levee.files import write_whole
from levee.plan import STACK_TYPE, Op, Plan, Resource, Urn, Verdict
from levee.review import program_files
from levee.sdk.installed import PLUGIN_FILE, sdks

SCHEMA_VERSION: Final = 1
"""Raised by one with every change that an old reader would misread."""

_HASH_CHARACTERS: Final = 64
_REFERENCE: Final = "pulumi:pulumi:StackReference"
_DESTROYING: Final = frozenset({Op.REPLACE, Op.DELETE})


@dataclass(frozen=True, slots=True)
class Code:
    """What runs and what judges, known before anything runs.

    Attributes:
        files: SHA-256 of the project's files by path.
        levee: Version and SHA-256 of the Levee whose rules judge.
        packages: Version of every provider SDK that the program can import, by import name.
    """

    files: Mapping[str, str]
    levee: str
    packages: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, project: Project, files: Mapping[str, str]) -> Self:
        """The code of a project.

        Args:
            project: The project.
            files: Its files' digests (``levee.review.program_files``).
        """
        return cls(files, f"{version('levee')} {program_files.levee_digest()}", _packages(project))


@dataclass(frozen=True, slots=True)
class Registration:
    """What the program asks of one resource.

    Attributes:
        type: The type token.
        provider: URN of its provider, which the engine names by its version; empty for a component.
        inputs: What the program set by itself, by property.
        made_of: What it made of other resources: property to their URNs.
    """

    type: str
    provider: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    made_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class Judgement:
    """What a rule said against a resource, or with an empty ``urn`` against the whole stack."""

    policy: str
    urn: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Approval:
    """What was approved.

    Attributes:
        project: The Pulumi project's name.
        stack: The stack's name.
        code: What ran and what judged.
        resources: What the program asks for, by URN.
        destroys: URNs of what would be deleted or replaced.
        judgements: What the rules said against it.
    """

    project: str
    stack: str
    code: Code
    resources: Mapping[str, Registration]
    destroys: tuple[str, ...] = ()
    judgements: tuple[Judgement, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON: equal approvals have equal digests, in whatever order they were found."""
        canonical = json.dumps(_ADAPTER.dump_python(self, mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


_ADAPTER: Final = TypeAdapter(Approval)


def approval(plan: Plan, code: Code) -> Approval:
    """What is approved with a plan.

    Args:
        plan: A preview.
        code: What it was a preview of.
    """
    asked = [r for r in plan.resources if r.op is not Op.DELETE and not _engines_own(r)]
    said = (
        *(Judgement(v.policy, v.urn, Verdict.FAILED) for v in plan.violations),
        *(Judgement(v.policy, v.urn, Verdict.EXEMPT) for v in plan.exempt),
        *(Judgement(v.policy, v.urn, Verdict.NOT_EVALUATED) for v in plan.not_evaluated),
    )
    return Approval(
        project=plan.project,
        stack=plan.stack,
        code=code,
        resources={r.urn: _registration(r) for r in sorted(asked, key=lambda r: r.urn)},
        destroys=tuple(sorted(r.urn for r in plan.resources if r.op in _DESTROYING)),
        judgements=tuple(sorted(set(said))),
    )


def write(approved: Approval, path: Path) -> None:
    """Write the file: ``{"version": 1, "digest": ..., "approved": {...}}``."""
    document = {
        "version": SCHEMA_VERSION,
        "digest": approved.digest,
        "approved": _ADAPTER.dump_python(approved, mode="json"),
    }
    write_whole(path, json.dumps(document, indent=2, sort_keys=True) + "\n")


def read(path: Path, project: str, stack: str) -> Approval:
    """Read the file.

    Args:
        path: The file.
        project: The project that it must be of.
        stack: The stack that it must be of.

    Raises:
        UsageError: It is no such file, or of another version of it.
        GateError: It was changed since it was written, or approves something else.
    """
    again = f"levee preview {stack} --approve {path}"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        found, written = document["version"], document["digest"]
        if found != SCHEMA_VERSION:
            raise UsageError(
                f"an approval of version {found!r}, this Levee reads {SCHEMA_VERSION}", where=str(path), fix=again
            )
        approved = _ADAPTER.validate_python(document["approved"])
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise UsageError(f"not an approval: {_why(wrong)}", where=str(path), fix=again) from wrong
    if approved.digest != written:
        raise GateError("the approval was changed since it was written", where=str(path), fix=again)
    if (approved.project, approved.stack) != (project, stack):
        other = f"{approved.project}/{approved.stack}"
        raise GateError(f"the approval is of {other}, not of {project}/{stack}", where=str(path), fix=again)
    return approved


def _why(wrong: Exception) -> str:
    match wrong:
        case OSError():
            return wrong.strerror or str(wrong)
        case KeyError(args=[name]):
            return f"it has no {name!r}"
        case ValidationError():
            first = wrong.errors()[0]
            return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(wrong)


def _engines_own(resource: Resource) -> bool:
    """The stack itself, and providers that the program has not registered."""
    by_default = resource.is_provider and (resource.name == "default" or resource.name.startswith("default_"))
    return by_default or resource.type == STACK_TYPE


def _registration(resource: Resource) -> Registration:
    """The program's own part of a resource: the engine keeps the dependencies of just the properties it was given."""
    inputs: dict[str, Any] = {}
    made_of: dict[str, tuple[str, ...]] = {}
    for name, urns in sorted(resource.property_dependencies.items()):
        # What another stack gives is a value that was agreed upon; offline no resource stands for that stack.
        others = sorted({urn for urn in urns if Urn.parse(urn).type != _REFERENCE})
        if others:
            made_of[name] = tuple(others)
        elif name in resource.inputs:
            inputs[name] = _programs(resource.inputs[name])
    return Registration(resource.type, resource.provider.rpartition("::")[0], inputs, made_of)


def _programs(value: Any) -> Any:
    """A value without what a provider's check adds inside it; a file is its content, wherever it lies."""
    if isinstance(value, list):
        return [_programs(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if _is_file(value):
        return {"hash": value["hash"]}
    defaults = value.get("__defaults")
    added = {"__defaults", *(defaults if isinstance(defaults, Collection) else ())}
    return {key: _programs(item) for key, item in value.items() if key not in added}


def _is_file(value: Mapping[str, Any]) -> bool:
    """Whether that is an asset or archive, as a plan has it."""
    content = value.get("hash")
    known = value.keys() <= {"hash", "path", "uri", "text", "assets"}
    return known and isinstance(content, str) and len(content) == _HASH_CHARACTERS


def _packages(project: Project) -> dict[str, str]:
    if project.runtime != "python":
        return {}
    return dict(sorted(_versions(project.site_packages)))


def _versions(site_packages: Path) -> Iterator[tuple[str, str]]:
    for name, folder in sdks(site_packages).items():
        file = folder / PLUGIN_FILE
        plugin = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        yield name, str(plugin.get("version", "unknown"))
