"""A YAML file with the place of every key: so that an error can name the line."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from pipelines.errors import ContractError


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed contract file.

    Attributes:
        path: The file, for messages.
        tree: Its mapping, with ruamel's positions.
    """

    path: str
    tree: CommentedMap

    @classmethod
    def read(cls, path: Path) -> Document:
        """Parse a file (YAML 1.2).

        Raises:
            ContractError: it cannot be read, is no YAML, names a key twice, or is no mapping.
        """
        return cls.parse(read_text(path), str(path))

    @classmethod
    def parse(cls, text: str, path: str) -> Document:
        """Parse a text; `path` is what messages call it.

        Raises:
            ContractError: it is no YAML, names a key twice, or is no mapping.
        """
        try:
            tree = YAML(typ="rt").load(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"{path}:{mark.line + 1}" if mark else path
            raise ContractError(f"not YAML: {error.problem or error.context}", where=where) from None
        if not isinstance(tree, CommentedMap):
            raise ContractError("a contract is a mapping that starts with `apiVersion: v3.1.0`", where=path)
        return cls(path, tree)

    def plain(self) -> dict[str, Any]:
        """The tree as JSON has it: plain dicts, lists and scalars, dates as ISO 8601 text."""
        plain = _plain(self.tree)
        assert isinstance(plain, dict)
        return plain

    def where(self, *path: str | int) -> str:
        """Return ``file:line`` of the deepest part of `path` that the file has."""
        node: Any = self.tree
        line = 0
        for part in path:
            if isinstance(node, CommentedMap) and part in node:
                line = node.lc.key(part)[0]
            elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                line = node.lc.item(part)[0]
            else:
                break
            node = node[part]
        return f"{self.path}:{line + 1}"

    def custom_property(self, name: str) -> tuple[str | int, ...]:
        """Return the path of the value of a custom property that the contract has."""
        properties = self.plain()["customProperties"]
        index = next(number for number, item in enumerate(properties) if item.get("property") == name)
        return ("customProperties", index, "value")

    def error(self, message: str, *path: str | int, fix: str | None = None) -> ContractError:
        """An error about the element at `path`."""
        return ContractError(message, where=self.where(*path), fix=fix)

    def complaints(self, error: ValidationError, model: type[BaseModel]) -> list[ContractError]:
        """Each of pydantic's complaints with its line, unknown keys first, those with the nearest valid one."""
        told = sorted(error.errors(include_url=False), key=lambda item: item["type"] != "extra_forbidden")
        found: dict[tuple[str, str | None], ContractError] = {}
        for item in told:
            one = self._complaint(item["type"], item["msg"], item["loc"], model)
            found.setdefault((one.message, one.where), one)
        return list(found.values())

    def _complaint(
        self, kind: str, message: str, location: tuple[str | int, ...], model: type[BaseModel]
    ) -> ContractError:
        dotted = ".".join(str(part) for part in location)
        if kind != "extra_forbidden":
            return self.error(f"{dotted}: {message}", *location)
        key = str(location[-1])
        return self.error(
            f"unknown key {key!r} in {dotted}", *location, fix=nearest(key, _keys_at(model, location[:-1]))
        )


def read_text(path: Path) -> str:
    """Return what is in a contract's file.

    Raises:
        ContractError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ContractError("there is no such contract", where=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(f"the contract cannot be read: {error}", where=str(path)) from error


def nearest(key: str, names: Sequence[str]) -> str:
    """Say which of `names` was probably meant, or list them."""
    close = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    return f"did you mean `{close[0]}`?" if close else f"valid: {', '.join(sorted(names))}"


def _keys_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    current = model
    for part in location:
        if isinstance(part, int):
            continue
        for name, field in current.model_fields.items():
            if (field.alias or name) == part and (inner := _inner_model(field.annotation)):
                current = inner
    return [field.alias or name for name, field in current.model_fields.items()]


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for part in getattr(annotation, "__args__", ()) if (m := _inner_model(part))), None)


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    if isinstance(node, date):
        return node.isoformat()
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):  # ruamel's scalar classes carry formatting
        if isinstance(node, kind):
            return kind(node)
    return str(node)
