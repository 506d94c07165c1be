"""What changes in the data contracts, and who may use the tables that it changes: `levee contracts diff` with grants.

What is breaking, and why, is the wheel's own table (``pipelines.contracts.DIFF_RULES``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from levee.errors import UsageError
from levee.review import grants
from levee.review.model import ContractChange, Securables
from pipelines.contracts import (
    Contract,
    ContractError,
    Difference,
    Layer,
    differences,
    gold_fed,
    load_contract,
    schema_name,
)

SUFFIX: Final = ".odcs.yaml"


def read(root: Path) -> Mapping[str, Contract]:
    """Every contract below a folder, by its file relative to that.

    Raises:
        UsageError: A contract is wrong; with file and line.
    """
    found: dict[str, Contract] = {}
    for path in sorted(root.rglob(f"*{SUFFIX}")):
        found[path.relative_to(root).as_posix()] = read_one(path)
    return found


def read_one(path: Path) -> Contract:
    """One contract; most are the same on both sides, and to read one takes some 13 ms.

    Raises:
        UsageError: It is wrong; with file and line.
    """
    try:
        return _read(path, path.read_bytes() if path.is_file() else b"")
    except ContractError as wrong:
        raise UsageError(wrong.message, where=wrong.where, fix=wrong.fix) from wrong


@cache
def _read(path: Path, _content: bytes) -> Contract:
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
    known = [*base.values(), *head.values()]
    by_name = {f"{contract.domain}.{contract.dataset}": contract for contract in known}
    return tuple(
        _change(difference, by_name[difference.dataset], known, securables) for difference in differences(base, head)
    )


def _change(
    difference: Difference, contract: Contract, known: Sequence[Contract], securables: Sequence[Securables]
) -> ContractChange:
    gold = gold_fed(known, contract)
    return ContractChange(
        dataset=difference.dataset,
        file=difference.file,
        what=difference.what,
        breaking=difference.breaking,
        gold=gold,
        grants=grants.touched(securables, _published(contract, gold)),
    )


def _published(contract: Contract, gold: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Schema name to the tables in it that readers see of the dataset."""
    if contract.layer == "gold":
        return {schema_name(contract.domain, Layer.GOLD): (contract.dataset,)}
    tables = {Layer.SILVER: (contract.dataset,), Layer.GOLD: tuple(gold)}
    return {schema_name(contract.domain, layer): names for layer, names in tables.items() if names}
