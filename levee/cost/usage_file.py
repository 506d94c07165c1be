"""Reads a usage file."""

from __future__ import annotations

from pathlib import Path

from levee.cost.catalogue import Catalogue
from levee.cost.usage import Usage, parse
from levee.environment import Environment, load


def read(path: Path, catalogue: Catalogue) -> Usage:
    """Read a usage file.

    Raises:
        UsageError: It cannot be read, is no YAML, or says something that nothing reads; with file and line.
    """
    document = load.document(path, str(path))
    return parse(document, catalogue, load.Source(document, str(path), "", 0).where)


def of_environment(environment: Environment, catalogue: Catalogue) -> Usage:
    """What an environment's file says of usage.

    Raises:
        UsageError: It says something that nothing reads; with the file and the key.
    """
    where = f"environments/Pulumi.{environment.name}.yaml"
    said = environment.usage.model_dump(mode="json")
    return parse(said, catalogue, lambda path: f"{where}: usage.{'.'.join(map(str, path))}")
