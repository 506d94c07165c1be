"""Which domains run where, with their contracts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from levee.environment import Domain as Settings
from levee.environment import Environment
from levee.errors import UsageError
from pipelines.contracts import Classification, Domain, Layer, load_domain

_RAW = frozenset({Layer.LANDING, Layer.BRONZE, Layer.QUARANTINE})
"""Layers that hold rows as they came, with personal data in clear."""


@dataclass(frozen=True)
class Chosen:
    """A domain, what the environment says of it, and the sources it ingests here."""

    domain: Domain
    settings: Settings
    sources: tuple[str, ...] | None


def load(environment: Environment, sources: Mapping[str, Sequence[str]] | None = None) -> tuple[Chosen, ...]:
    """Read the contracts of every domain that the environment runs.

    Args:
        environment: The environment.
        sources: Sources by domain for this stack alone (config ``levee:sources``), in place of the environment's.

    Raises:
        UsageError: ``levee:sources`` names a domain that does not run here.
    """
    override = dict(sources or {})
    for name in override.keys() - environment.domains.keys():
        raise UsageError(
            f"levee:sources names the domain {name!r}, which does not run in {environment.name}",
            fix=f"name one of: {', '.join(environment.domains) or 'none'}",
        )
    return tuple(
        Chosen(load_domain(name), settings, tuple(override[name]) if name in override else settings.sources)
        for name, settings in environment.domains.items()
    )


def on(cloud: str, domains: Iterable[Chosen]) -> tuple[Chosen, ...]:
    """Those of the domains that live on one cloud."""
    return tuple(chosen for chosen in domains if chosen.settings.cloud == cloud)


def classes(domains: Iterable[Chosen], otherwise: str) -> dict[Layer, str]:
    """Data class of each store: the highest of what lies in it, where silver and gold hold personal data masked.

    Args:
        domains: The domains that live in the lake.
        otherwise: Class of a store that no domain uses.
    """
    contracts = [contract for chosen in domains for contract in chosen.domain.contracts]
    raw = max((contract.classification for contract in contracts), key=_rank, default=None)
    columns = [column for contract in contracts for column in contract.columns if column.masking is None]
    published = max((column.classification for column in columns), key=_rank, default=None)
    return {layer: (raw if layer in _RAW else published) or otherwise for layer in Layer}


def _rank(classification: Classification) -> int:
    return classification.rank
