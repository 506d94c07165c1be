"""Existing Terraform state: a file is really read; what only a backend in a cloud could say is refused, never invented.

Source: Terraform's documentation, "State"; state format version 4 (``internal/states/statefile/version4.go`` of
hashicorp/terraform); ``pulumi-terraform`` 6, whose result holds sensitive outputs as secrets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from levee.engine.standin.values import Secret, Values
from levee.errors import LeveeError

_VERSION: Final = 4
_WRITE: Final = "write it with Terraform of today: terraform init, then terraform apply -refresh-only"
_GIVE: Final = "give its outputs in lookups.yaml (docs/reference/simulated-cloud.md), or run with --online"


class StateError(LeveeError):
    """A Terraform state that is not there, or is none."""

    exit_code = 2


def _local(args: Mapping[str, Any], program: Path) -> Values:
    path = program / (args.get("path") or "terraform.tfstate")
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise StateError(f"no Terraform state: {wrong.strerror}", where=str(path), fix="terraform apply") from None
    except ValueError as wrong:
        raise StateError(f"the Terraform state is not JSON: {wrong}", where=str(path), fix=_WRITE) from None
    version = state.get("version") if isinstance(state, dict) else None
    if version != _VERSION:
        raise StateError(f"Terraform state of version {version!r}, expected {_VERSION}", where=str(path), fix=_WRITE)
    return {"outputs": {name: _value(output) for name, output in state.get("outputs", {}).items()}}


def _value(output: Mapping[str, Any]) -> Any:
    return Secret(output["value"]) if output.get("sensitive") else output["value"]


def _remote(args: Mapping[str, Any], _program: Path) -> Values:
    names = ("bucket", "key", "storageAccountName", "containerName", "organization", "hostname")
    where = "/".join(str(args[name]) for name in names if args.get(name))
    raise StateError("a Terraform state in a cloud cannot be read offline", where=where, fix=_GIVE)


READS: Final[Mapping[str, Callable[[Mapping[str, Any], Path], Values]]] = {
    "terraform:state:getLocalReference": _local,
    "terraform:state:getS3Reference": _remote,
    "terraform:state:getAzureRMReference": _remote,
    "terraform:state:getRemoteReference": _remote,
}
"""Function token to what reads the state, given the arguments by wire name and the program's folder."""
