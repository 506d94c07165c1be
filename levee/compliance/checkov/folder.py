"""A folder of Terraform's own language as a ``Plan``, read by Checkov's parser: Python has no other that is whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from levee.compliance.checkov.worker import shared
from levee.errors import UsageError
from levee.plan import UNKNOWN, Plan, Source
from levee.terraform.hcl import values_of
from levee.terraform.plan_file import Block, address_of, to_plan

_REFERENCE: Final = re.compile(r"\b[a-z][a-z0-9]*_[a-z0-9_]+\.[A-Za-z_][\w-]*\.[a-z_]\w*")
_UNRESOLVED: Final = re.compile(r"^(?:var|local|data|module|each|count)\.|\$\{")


def read(path: Path, stack: str) -> Plan:
    """Read every ``.tf`` file below a folder; variables with a default are filled in, modules are followed locally.

    Args:
        path: The folder.
        stack: Whose rules it is judged by.

    Raises:
        UsageError: There is no Terraform, or a file cannot be parsed; with file, line and what was expected there.
        CheckovError: Checkov could not be asked.
    """
    answer = shared().ask({"parse": str(path.resolve())})
    if unread := answer["errors"]:
        file, why = next(iter(unread.items()))
        where = f"{file}:{why['line']}" if why["line"] else file
        raise UsageError(
            f"not Terraform's language: {why['said']}", where=where, fix=f"terraform -chdir={path} validate"
        )
    if not answer["resources"]:
        fix = "name a folder with .tf files in it, or a plan's JSON"
        raise UsageError("no Terraform resource is written here", where=str(path), fix=fix)
    return to_plan(path.resolve().name, stack, [_block(given, path.resolve()) for given in answer["resources"]])


def _block(given: Mapping[str, Any], root: Path) -> Block:
    values = {name: value for name, value in values_of(given["config"]).items() if not name.endswith("_")}
    references = {name: tuple(dict.fromkeys(_references(value))) for name, value in values.items()}
    source = Source(str(Path(given["file"]).relative_to(root)), given["line"])
    known = {name: _known(value) for name, value in values.items()}
    return Block(given["address"], given["type"], known, {n: r for n, r in references.items() if r}, source=source)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
    elif isinstance(value, str):
        yield from (address for found in _REFERENCE.findall(value) if (address := address_of(found)))


def _known(value: Any) -> Any:
    """The value with every expression in it, which only Terraform could evaluate, unknown."""
    if isinstance(value, dict):
        return {name: _known(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_known(inner) for inner in value]
    if isinstance(value, str) and (_REFERENCE.fullmatch(value) or _UNRESOLVED.search(value)):
        return UNKNOWN
    return value
