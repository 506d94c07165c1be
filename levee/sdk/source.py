"""The SDK's files as text: where a class lies, and its slice, without reading the rest into the parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_TOP = re.compile(rb"^(?:class|def|async def) (\w+)|^@|^if |^else", re.MULTILINE)
_IMPORT = re.compile(r"^from (\.+)([\w.]*) import ([\w]+)(?: as (\w+))?\s*$", re.MULTILINE)
_ABSOLUTE_IMPORT = re.compile(r"^import ([\w.]+)(?: as (\w+))?\s*$", re.MULTILINE)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_HEAD_BYTES = 8192


def snake(name: str) -> str:
    """``getCallerIdentity`` to ``get_caller_identity``, ``VPCEndpoint`` to ``vpc_endpoint``."""
    return _HUMP.sub("_", name).lower()


@dataclass
class SourceFile:
    """One Python file; the offsets of its top-level names are found once, its text is read by slices."""

    path: Path
    module: str
    is_package: bool = False
    _spans: dict[str, tuple[int, int]] | None = field(default=None, repr=False)
    _aliases: dict[str, str] | None = field(default=None, repr=False)

    @property
    def spans(self) -> dict[str, tuple[int, int]]:
        """Name of each top-level class or function to the byte range of its text."""
        if self._spans is None:
            self._spans = dict(_spans(self.path.read_bytes()))
        return self._spans

    def slice(self, name: str) -> str | None:
        """The text of the class or function of that name; ``None`` where the file has none."""
        span = self.spans.get(name)
        if span is None:
            return None
        with self.path.open("rb") as file:
            file.seek(span[0])
            return file.read(span[1] - span[0]).decode("utf-8")

    @property
    def aliases(self) -> dict[str, str]:
        """Names imported at the head of the file to the absolute modules they stand for."""
        if self._aliases is None:
            with self.path.open("rb") as file:
                head = file.read(_HEAD_BYTES).decode("utf-8", errors="ignore")
            package = self.module if self.is_package else self.module.rpartition(".")[0]
            self._aliases = dict(_imports(head, package))
        return self._aliases


def _spans(text: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
    name, start = "", 0
    for match in _TOP.finditer(text):
        if name:
            yield name, (start, match.start())
        name, start = (match[1].decode() if match[1] else ""), match.start()
    if name:
        yield name, (start, len(text))


def _imports(head: str, package: str) -> Iterator[tuple[str, str]]:
    for dots, module, name, alias in _IMPORT.findall(head):
        parts = package.split(".")
        base = parts[: len(parts) - (len(dots) - 1)]
        yield alias or name, ".".join([*base, *([module] if module else []), name])
    for module, alias in _ABSOLUTE_IMPORT.findall(head):
        yield alias or module, module
