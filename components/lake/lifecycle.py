"""What happens to objects as they age, before any cloud's words for it.

Landing files are immutable, so they cool, freeze and expire by age. Bronze, silver, gold, quarantine and checkpoints
(ledger, runs, verdicts) hold Delta tables: the oldest file may be one that the newest version still reads, so **no live
object of theirs ever expires by age or is locked**; contracts' retention is enforced there by the `maintain` task
(DELETE and VACUUM), and storage only removes what was replaced. Their tiering goes by access, to tiers that read at
once. Audit holds evidence, one object a task run and never a table: it is locked, and expires a day after its lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipelines.contracts import Layer

TABLES = frozenset(layer for layer in Layer if layer.holds_tables)
"""Layers that hold Delta tables."""

LOCKED = frozenset({Layer.AUDIT})
"""Layers whose objects cannot be changed or deleted before their time."""

_STAY = 30
"""Days that an object lies, and is paid for, in a tier before the next is worth its move."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a lake must know of a dataset.

    Attributes:
        domain: Domain it belongs to.
        name: Name of the dataset.
        landing_days: Days that its delivered files stay; ``None`` for ever.
    """

    domain: str
    name: str
    landing_days: int | None = None

    @property
    def prefix(self) -> str:
        """Where its files lie in the landing store."""
        return f"{self.domain}/{self.name}/"


@dataclass(frozen=True, slots=True)
class Ageing:
    """Ages, in days, at which objects change their place.

    Attributes:
        cool_after_days: Age at which landing files go to the infrequent-access tier; at least 30.
        cold_after_days: Age at which they go to the archive tier that reads at once; at least 30 days later.
        noncurrent_days: Days that a replaced or deleted version stays.
        audit_days: Days that audit records stay, locked.
        log_days: Days that access logs stay.
    """

    cool_after_days: int = 30
    cold_after_days: int = 120
    noncurrent_days: int = 30
    audit_days: int = 365
    log_days: int = 90

    def __post_init__(self) -> None:
        """Refuse ages that a cloud would.

        S3 moves nothing to STANDARD_IA before it is 30 days old, nor on from there sooner than 30 days later. Azure's
        cool tier and Nearline take younger objects, and bill 30 days in either case. Sources: Amazon S3 User Guide,
        "Constraints and considerations for transitions"; Azure Storage, "Access tiers for blob data"; Cloud Storage,
        "Storage classes".

        Raises:
            ValueError: A tier is asked for too early.
        """
        if self.cool_after_days < _STAY or self.cold_after_days < self.cool_after_days + _STAY:
            raise ValueError(
                f"cool_after_days {self.cool_after_days} and cold_after_days {self.cold_after_days}: "
                f"the first must be at least {_STAY}, the second {_STAY} more"
            )


@dataclass(frozen=True, slots=True)
class Rule:
    """One lifecycle rule.

    Attributes:
        name: Identity of the rule in its store.
        prefixes: What it applies to; empty for everything.
        cool_after_days: Age for the infrequent-access tier, or ``None``.
        cold_after_days: Age for the archive tier that reads at once, or ``None``.
        expire_after_days: Age at which a live object is removed, or ``None``.
        noncurrent_days: Days after which a replaced version is removed, or ``None``.
        by_access: Whether the provider moves objects between tiers by how they are used.
    """

    name: str
    prefixes: tuple[str, ...] = ()
    cool_after_days: int | None = None
    cold_after_days: int | None = None
    expire_after_days: int | None = None
    noncurrent_days: int | None = None
    by_access: bool = False


def rules(layer: Layer, ageing: Ageing, datasets: Iterable[Dataset] = ()) -> tuple[Rule, ...]:
    """The lifecycle of one store.

    Args:
        layer: The store.
        ageing: Ages of the environment.
        datasets: Datasets whose landing files expire; other layers do not look at them.

    Returns:
        Rules with names that are unique in the store; those of datasets with equal retention are one.
    """
    housekeeping = Rule("housekeeping", noncurrent_days=ageing.noncurrent_days, by_access=layer in TABLES)
    match layer:
        case Layer.LANDING:
            return (housekeeping, *_deliveries(ageing, datasets))
        case Layer.AUDIT:
            # One day more than the lock, so that no rule ever asks for what the lock refuses.
            cold = _before(ageing.cold_after_days, ageing.audit_days)
            expire = ageing.audit_days + 1
            return (Rule("records", cold_after_days=cold, expire_after_days=expire, noncurrent_days=expire),)
        case _:
            return (housekeeping,)


def _deliveries(ageing: Ageing, datasets: Iterable[Dataset]) -> Iterable[Rule]:
    for days, prefixes in _by_retention(datasets).items():
        yield Rule(
            f"deliveries-{days}-days" if days else "deliveries-for-ever",
            prefixes=prefixes,
            cool_after_days=_before(ageing.cool_after_days, days),
            cold_after_days=_before(ageing.cold_after_days, days),
            expire_after_days=days,
        )


def _by_retention(datasets: Iterable[Dataset]) -> Mapping[int | None, tuple[str, ...]]:
    groups: dict[int | None, tuple[str, ...]] = {}
    for dataset in sorted(datasets, key=lambda dataset: (dataset.landing_days or 0, dataset.prefix)):
        groups[dataset.landing_days] = (*groups.get(dataset.landing_days, ()), dataset.prefix)
    return groups


def _before(age: int, expiry: int | None) -> int | None:
    """An age for a tier, unless objects are gone before they stayed as long as every tier bills at least."""
    return age if expiry is None or age + _STAY <= expiry else None
