"""What changes in the data contracts, and whether a reader of the table may fail or see what it must not.

Breaking: a dataset or column that goes, a type that holds less or something else, a key that changes, nulls where there
were none, a classification that is lowered, a mask that is taken off, a retention that is shortened. The rest is
compatible: a column more, a wider type, a stricter promise.

Types are Spark SQL's; what widens without loss: Spark SQL reference, "ANSI compliance", store assignment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from levee.errors import UsageError
from levee.review import grants
from levee.review.model import ContractChange, Securables
from pipelines.contracts import Column, Contract, ContractError, Layer, load_contract, schema_name

_SUFFIX: Final = ".odcs.yaml"
_WIDER: Final[Mapping[str, Sequence[str]]] = {
    "tinyint": ("smallint", "int", "bigint", "double"),
    "smallint": ("int", "bigint", "double"),
    "int": ("bigint", "double"),
    "float": ("double",),
    "date": ("timestamp",),
}
_WHOLE_DIGITS: Final = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_DECIMAL: Final = re.compile(r"decimal\((\d+),(\d+)\)")


@dataclass(frozen=True, slots=True)
class _Said:
    what: str
    breaking: bool


def read(root: Path) -> Mapping[str, Contract]:
    """Every contract below a folder, by its file relative to that.

    Raises:
        UsageError: A contract is wrong; with file and line.
    """
    found: dict[str, Contract] = {}
    for path in sorted(root.rglob(f"*{_SUFFIX}")):
        try:
            found[path.relative_to(root).as_posix()] = _read(path, path.read_bytes() if path.is_file() else b"")
        except ContractError as wrong:
            raise UsageError(wrong.message, where=wrong.where, fix=wrong.fix) from wrong
    return found


@cache
def _read(path: Path, _content: bytes) -> Contract:
    """One contract; most are the same on both sides, and to read one takes some 13 ms."""
    return load_contract(path)


def compare(
    base: Mapping[str, Contract], head: Mapping[str, Contract], securables: Sequence[Securables] = ()
) -> tuple[ContractChange, ...]:
    """The differences between two sets of contracts, the breaking first.

    Args:
        base: The base's contracts by file.
        head: The head's.
        securables: What the environments reviewed have in Unity Catalog.
    """
    before = {_name(c): (file, c) for file, c in base.items()}
    after = {_name(c): (file, c) for file, c in head.items()}
    changes: list[ContractChange] = []
    for name in sorted({*before, *after}):
        (old_file, old), (file, new) = before.get(name, ("", None)), after.get(name, ("", None))
        known = [c for _, c in before.values()] + [c for _, c in after.values()]
        gold = tuple(_gold_of(known, new or old))
        held = grants.touched(securables, _published(new or old, gold))
        changes += [ContractChange(name, file or old_file, s.what, s.breaking, gold, held) for s in _said(old, new)]
    return tuple(sorted(changes, key=lambda c: (not c.breaking, c.dataset)))


def _name(contract: Contract) -> str:
    return f"{contract.domain}.{contract.dataset}"


def _gold_of(contracts: Sequence[Contract], contract: Contract | None) -> Iterator[str]:
    """Gold tables of the domain that need columns of the dataset, before or after the change."""
    if contract is None or contract.layer == "gold":
        return
    columns = {c.name for known in contracts if _name(known) == _name(contract) for c in known.columns}
    tables = {
        known.dataset
        for known in contracts
        if known.domain == contract.domain and known.gold and columns.issuperset(known.gold.inputs)
    }
    yield from sorted(tables)


def _published(contract: Contract | None, gold: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Schema name to the tables in it that readers see of the dataset."""
    if contract is None:
        return {}
    if contract.layer == "gold":
        return {schema_name(contract.domain, Layer.GOLD): (contract.dataset,)}
    tables = {Layer.SILVER: (contract.dataset,), Layer.GOLD: tuple(gold)}
    return {schema_name(contract.domain, layer): names for layer, names in tables.items() if names}


def _said(old: Contract | None, new: Contract | None) -> Iterator[_Said]:
    if old is None or new is None:
        yield _Said("new dataset", breaking=False) if old is None else _Said("dataset removed", breaking=True)
        return
    if old.digest == new.digest:
        return
    told = list(_of_contract(old, new))
    yield from told or [_Said("edited; the published table stays as it is", breaking=False)]
    if any(s.breaking for s in told) and _major(old.version) == _major(new.version):
        only = f"goes only from {old.version} to" if old.version != new.version else "stays"
        yield _Said(f"breaking, and the version {only} {new.version}", breaking=True)


def _of_contract(old: Contract, new: Contract) -> Iterator[_Said]:
    before, after = {c.name: c for c in old.columns}, {c.name: c for c in new.columns}
    for name in [*before, *(name for name in after if name not in before)]:
        yield from _of_column(name, before.get(name), after.get(name))
    if old.primary_key != new.primary_key:
        yield _Said(f"primary key: {_listed(old.primary_key)} becomes {_listed(new.primary_key)}", breaking=True)
    if old.retention_days != new.retention_days:
        shorter = new.retention_days is not None and (
            old.retention_days is None or new.retention_days < old.retention_days
        )
        yield _Said(f"retention: {_days(old.retention_days)} becomes {_days(new.retention_days)}", breaking=shorter)
    if old.digest != new.digest and old.gold and new.gold and old.gold == new.gold and before == after:
        yield _Said("its SQL or its promises change", breaking=False)


def _of_column(name: str, old: Column | None, new: Column | None) -> Iterator[_Said]:
    if old is None or new is None:
        yield _Said(f"column {name} added", breaking=False) if new else _Said(f"column {name} removed", breaking=True)
        return
    if old.type != new.type:
        wider = widens(old.type, new.type)
        verb = "widened" if wider else "narrowed" if widens(new.type, old.type) else "changed"
        yield _Said(f"column {name}: type {verb} from {old.type} to {new.type}", breaking=not wider)
    if old.required != new.required:
        yield _Said(
            f"column {name}: null is {'no longer allowed' if new.required else 'allowed now'}",
            breaking=not new.required,
        )
    if old.classification is not new.classification:
        lowered = new.classification.rank < old.classification.rank
        verb = "lowered" if lowered else "raised"
        yield _Said(
            f"column {name}: classification {verb} from {old.classification} to {new.classification}", breaking=lowered
        )
    if old.pseudonymisation != new.pseudonymisation:
        bare = new.pseudonymisation is None
        yield _Said(
            f"column {name}: {'no longer masked' if bare else 'masked' if not old.pseudonymisation else 'masked anew'}",
            breaking=old.pseudonymisation is not None,
        )


def widens(old: str, new: str) -> bool:
    """Whether every value of the old Spark SQL type is one of the new."""
    if old == new or new in _WIDER.get(old, ()):
        return True
    target = _DECIMAL.fullmatch(new)
    if target is None:
        return False
    whole, scale = int(target[1]) - int(target[2]), int(target[2])
    if source := _DECIMAL.fullmatch(old):
        return int(source[1]) - int(source[2]) <= whole and int(source[2]) <= scale
    return old in _WHOLE_DIGITS and _WHOLE_DIGITS[old] <= whole


def _major(version: str) -> str:
    return version.partition(".")[0]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _days(days: int | None) -> str:
    return "for ever" if days is None else f"{days:,} days"
