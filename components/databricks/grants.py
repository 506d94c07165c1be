"""Who may do what in the catalogue: derived from the roles of the contracts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pipelines.contracts import Contract, Domain, Layer

SCHEMAS: Final = tuple(layer for layer in Layer if layer.holds_tables)
"""Layers that have tables, hence a schema a domain."""

_READ: Final = ("USE_SCHEMA", "SELECT")
_WRITE: Final = (*_READ, "MODIFY", "CREATE_TABLE")
_PRIVILEGES: Final = {"read": _READ, "write": _WRITE, "readWrite": _WRITE}

_SHOWN: Final[Mapping[str, tuple[Layer, ...]]] = {
    "source": (Layer.SILVER, Layer.GOLD),
    "silver": (Layer.SILVER, Layer.GOLD),
    "gold": (Layer.GOLD,),
}
"""What a contract of that kind publishes: a source's bronze and quarantine hold raw rows and are shown to nobody."""


def of_schema(domain: Domain, layer: Layer) -> dict[str, tuple[str, ...]]:
    """Privileges by group on the schema of one layer, groups sorted.

    Args:
        domain: The domain; a role of a contract of sources or silver reaches silver and gold, one of gold alone.
        layer: The layer.

    Raises:
        ValueError: A role asks for an access that Unity Catalog has no privileges for.
    """
    found: dict[str, tuple[str, ...]] = {}
    for contract in domain.contracts:
        if layer in _SHOWN[contract.layer]:
            for group, privileges in _roles(contract):
                found[group] = max(found.get(group, ()), privileges, key=len)
    return dict(sorted(found.items()))


def readers(domains: Iterable[Domain]) -> tuple[str, ...]:
    """Every group that some contract names, sorted."""
    return tuple(sorted({group for domain in domains for item in domain.contracts for group, _ in _roles(item)}))


def _roles(contract: Contract) -> Iterable[tuple[str, tuple[str, ...]]]:
    for role in contract.standard.roles:
        access = role.access or "read"
        if access not in _PRIVILEGES:
            valid = ", ".join(_PRIVILEGES)
            raise ValueError(f"{contract.path}: role {role.role} has access {access!r}; write one of {valid}")
        yield role.role, _PRIVILEGES[access]
