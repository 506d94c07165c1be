"""Reads an environment file, and says where in it something is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from levee.errors import UsageError

FOLDER: Final = "environments"
"""``stackConfigDir`` of Pulumi.yaml."""

KEY: Final = "levee:environment"
"""The one config value that a stack has."""

_STACK_KEYS: Final = frozenset({"config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt"})
"""What Pulumi itself allows at the top of a stack's config file (sdk/go/common/workspace, ``ProjectStack``)."""

Path_ = tuple[int | str, ...]


@dataclass(frozen=True)
class Source:
    """The value of ``levee:environment``, and what is needed to tell where in the file a part of it stands."""

    value: Mapping[str, Any]
    file: str
    name: str
    line: int | None

    @classmethod
    def without_file(cls, name: str, value: Mapping[str, Any]) -> Source:
        """A value that came by Pulumi's config, where no line is known."""
        return cls(value, f"{FOLDER}/Pulumi.{name}.yaml", name, None)

    def where(self, path: Sequence[int | str]) -> str:
        """``file:line`` of the deepest part of ``path`` that the file holds, or the file and the path."""
        if self.line is None:
            return f"{self.file} ({'.'.join(str(part) for part in path)})" if path else self.file
        line, node = self.line, self.value
        for part in path:
            if isinstance(node, CommentedMap) and part in node:
                line = node.lc.key(part)[0]
            elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                line = node.lc.item(part)[0]
            else:
                break
            node = node[part]
        return f"{self.file}:{line + 1}"


def path_of(project_root: Path, name: str) -> Path:
    """Where the file of an environment lies."""
    return project_root / FOLDER / f"Pulumi.{name}.yaml"


def names(project_root: Path) -> tuple[str, ...]:
    """The environments that the project has, sorted."""
    files = (project_root / FOLDER).glob("Pulumi.*.yaml")
    return tuple(sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in files))


def describes(config_dir: Path) -> bool:
    """Whether a folder of stack configurations holds environments of this model, and not a stranger's stacks."""
    return any(f"{KEY}:" in file.read_text("utf-8") for file in config_dir.glob("Pulumi.*.yaml"))


def read(project_root: Path, name: str) -> Source:
    """Parse the YAML and find the value; its content is the model's business.

    Raises:
        UsageError: Unknown environment, unreadable or wrong YAML, or no ``levee:environment`` in it.
    """
    path = path_of(project_root, name)
    file = f"{FOLDER}/{path.name}"
    valid = names(project_root)
    if name not in valid:
        near = difflib.get_close_matches(name, valid, n=1)
        raise UsageError(
            f"unknown environment {name!r}; there are: {', '.join(valid) or 'none'}",
            where=str(project_root / FOLDER),
            fix=f"use {near[0]!r}" if near else f"name one of them, or write {file}",
        )
    found = document(path, file)
    for key in found:
        if key not in _STACK_KEYS:
            raise _unknown(str(key), _STACK_KEYS, f"{file}:{found.lc.key(key)[0] + 1}")
    config = found.get("config")
    value = config.get(KEY) if isinstance(config, CommentedMap) else None
    if not isinstance(config, CommentedMap) or not isinstance(value, CommentedMap):
        raise UsageError(
            f"no settings under config, {KEY}", where=f"{file}:1", fix=f"write `config:`, below it `{KEY}:`"
        )
    source = Source(value, file, name, config.lc.key(KEY)[0])
    _refuse_bare_dates(value, (), source)
    return source


def document(path: Path, file: str) -> CommentedMap:
    """Parse a YAML file of settings, with the line of every key.

    Args:
        path: The file.
        file: What errors call it.

    Raises:
        UsageError: It cannot be read, is no YAML, or holds no mapping; with file and line.
    """
    try:
        parsed = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", where=file, fix="name a file that is there") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UsageError(
            f"not YAML: {error.problem or error.context}",
            where=f"{file}:{mark.line + 1}" if mark else file,
            fix="correct the line; nested values are indented by spaces",
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"not YAML: {error}", where=file, fix="save the file as UTF-8 YAML") from None
    if not isinstance(parsed, CommentedMap):
        raise UsageError(
            "the file holds no settings", where=f"{file}:1", fix="write keys and values, as its page shows"
        )
    return parsed


def refusal(error: ValidationError, model: type[BaseModel], source: Source) -> UsageError:
    """Turn what pydantic found into one error: the first finding with its line, the others counted and named."""
    # A misspelt key is also a missing one: the spelling is what to mend, so it comes first.
    findings = sorted(error.errors(include_url=False), key=lambda finding: finding["type"] != "extra_forbidden")
    first = findings[0]
    path: Path_ = first["loc"]
    path += tuple(first.get("ctx", {}).get("at", ()))
    dotted = ".".join(str(part) for part in path)
    if first["type"] == "extra_forbidden":
        refused = _unknown(dotted, _fields(model, path[:-1]), source.where(path), key=str(path[-1]))
    elif first["type"] == "missing":
        refused = UsageError(
            f"{dotted} is missing", where=source.where(path[:-1]), fix=f"add `{path[-1]}`: {_description(model, path)}"
        )
    else:
        fix = f"{dotted}: {_description(model, path)}" if path else "correct the environment file"
        refused = UsageError(f"{dotted}: {_sentence(first)}", where=source.where(path), fix=fix)
    if len(findings) == 1:
        return refused
    others = "; ".join(".".join(str(part) for part in finding["loc"]) for finding in findings[1:])
    return UsageError(
        f"{refused.message} (and {len(findings) - 1} more: {others})", where=refused.where, fix=refused.fix
    )


def _sentence(finding: Any) -> str:
    text = str(finding["msg"])
    return f"{text[0].lower()}{text[1:]}, not {finding['input']!r}" if _is_scalar(finding["input"]) else text


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _unknown(dotted: str, valid: Sequence[str] | frozenset[str], where: str, *, key: str | None = None) -> UsageError:
    near = difflib.get_close_matches(key or dotted, sorted(valid), n=1, cutoff=0.5)
    listed = ", ".join(sorted(valid))
    return UsageError(
        f"unknown key {dotted!r}",
        where=where,
        fix=f"write {near[0]!r} (there are: {listed})" if near else f"remove it; there are: {listed}",
    )


def _refuse_bare_dates(node: Any, path: Path_, source: Source) -> None:
    # Pulumi's own YAML reader turns a bare date into a timestamp, which its config cannot hold.
    if isinstance(node, date):
        raise UsageError(
            f"{'.'.join(str(part) for part in path)}: a date must be quoted",
            where=source.where(path),
            fix=f'write "{node.isoformat()[:10]}" with its quotes',
        )
    pairs = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ()
    for part, child in pairs:
        _refuse_bare_dates(child, (*path, part), source)


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation may hold: itself, an optional's, a mapping's values or a tuple's items."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, UnionType, tuple) or get_args(annotation):
        return [model for part in get_args(annotation) for model in _models(part)]
    return []


def _walk(model: type[BaseModel], path: Path_) -> tuple[type[BaseModel], Path_]:
    """The model in which ``path`` ends, and what of the path is left below its last field."""
    current, rest = model, path
    while rest:
        field = current.model_fields.get(str(rest[0]))
        inner = _models(field.annotation) if field else []
        if not field or not inner:
            break
        # A mapping or a tuple of models takes one part more: its key or its index.
        steps = 1 if _is_model_or_optional(field.annotation) else 2
        if len(rest) < steps:
            break
        current, rest = inner[0], rest[steps:]
    return current, rest


def _is_model_or_optional(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return get_origin(annotation) in (Union, UnionType)


def _fields(model: type[BaseModel], path: Path_) -> frozenset[str]:
    fields = frozenset(_walk(model, path)[0].model_fields)
    return fields - {"name"} if not path else fields


def _description(model: type[BaseModel], path: Path_) -> str:
    owner, rest = _walk(model, path[:-1])
    field = owner.model_fields.get(str(rest[0] if rest else path[-1]))
    return field.description if field and field.description else "see docs/reference/environments.md"
