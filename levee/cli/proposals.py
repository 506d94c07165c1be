"""What a shell proposes for a word: the environments of this project, the domains and datasets that have contracts.

A proposal is never an error: where there is no project or a contract is refused, nothing is proposed.
"""

from __future__ import annotations

from pathlib import Path

from levee.engine import find_project, stack_names
from levee.errors import LeveeError
from pipelines.contracts import ContractError, domain_names, load_domain


def environments(incomplete: str) -> list[str]:
    """The environments of the project that the shell is in."""
    try:
        names = stack_names(find_project(Path()))
    except LeveeError:
        names = ()
    return [name for name in names if name.startswith(incomplete)]


def domains(incomplete: str) -> list[str]:
    """The domains that the wheel has."""
    return [name for name in domain_names() if name.startswith(incomplete)]


def datasets(incomplete: str) -> list[str]:
    """The sources of the domains, as DOMAIN.NAME."""
    try:
        found = [f"{name}.{source.dataset}" for name in domain_names() for source in load_domain(name).sources]
    except ContractError:
        found = []
    return [name for name in found if name.startswith(incomplete)]
