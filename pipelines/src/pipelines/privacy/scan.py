"""Whether a personal value has left the zone in which raw values may lie: a search of every file outside of it.

The raw zone is landing, bronze and quarantine: what was delivered, as it came, with no grant to any reader. Everything
else (silver, gold, checkpoints with Data Docs, audit) is searched, file by file, former versions and logs included, for
every value that bronze has in a column whose mask leaves nothing of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from pipelines.contracts.domain import Domain
from pipelines.errors import QualityError
from pipelines.privacy.keys import read_key
from pipelines.privacy.methods import mask_one
from pipelines.privacy.needles import SHORTEST, Vocabulary, stumps
from pipelines.privacy.search import Found, search
from pipelines.settings import Layer, RunSettings
from pipelines.silver.typing import typed

if TYPE_CHECKING:
    from pipelines.contracts.model import Column, Contract
    from pipelines.engine import Engine

RAW_ZONE: Final = frozenset({Layer.LANDING, Layer.BRONZE, Layer.QUARANTINE})
"""Layers in which raw personal values may lie."""
COVERING: Final = frozenset({"hash", "token", "redact"})
"""Methods that leave nothing of a value; of the others a part stays in silver by intent, and cannot be told."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan looked for, where, and what it found.

    Attributes:
        columns: Columns whose values were looked for, as ``dataset.column``.
        left_out: Personal columns that were not, with the reason.
        values: Different values that were looked for.
        short: Values of fewer than `SHORTEST` characters, which are everywhere by chance.
        found: The search's result.
    """

    columns: tuple[str, ...]
    left_out: dict[str, str]
    values: int
    short: int
    found: Found

    def raise_if_found(self) -> None:
        """Fail where a raw value has left the raw zone, or nobody can tell.

        Raises:
            QualityError: it has, or a file could not be read; the values themselves are not repeated.
        """
        if self.found.found:
            first = self.found.finds[0]
            places = ", ".join(sorted({f"{find.column or 'text'} of {find.file}" for find in self.found.finds})[:5])
            raise QualityError(
                f"raw personal values are outside the raw zone in {self.found.found} places: {places}",
                where=first.file,
                fix="find what writes them, mend it, replay the dataset, and let `maintain` or an erasure take "
                "former versions",
            )
        if unread := self.found.unread:
            raise QualityError(
                f"{len(unread)} files outside the raw zone cannot be read to their end, so nobody knows what they hold",
                where=unread[0],
                fix="`levee run` again and let `maintain` take what a killed run left, or take the files away",
            )


def scan(engine: Engine, settings: RunSettings, domain: Domain, also: Iterable[str] = ()) -> Scan:
    """Search a domain's files outside the raw zone for the raw values of its personal columns.

    Args:
        engine: The open engine.
        settings: Where the stores are.
        domain: The domain.
        also: Folders beside the lake that are searched too, such as the logs of runs.
    """
    personal = [(contract, column) for contract in domain.sources for column in contract.personal_columns]
    searched = [(contract, column) for contract, column in personal if _is_covered(column)]
    values: set[str] = set()
    for contract, column in searched:
        values |= raw_values(engine, settings, contract, column)
    long = {value for value in values if len(value) >= SHORTEST}
    names = {name for _, column in personal for name in (column.name, *column.sources)}
    rights = _Rights(engine, settings, domain, frozenset(long))
    roots = [settings.path(layer, domain.name) for layer in settings.roots if layer not in RAW_ZONE]
    cut = {stump for value in long for stump in stumps(value)}
    found = search(
        [*roots, *also],
        Vocabulary(sorted(long)),
        rights,
        numbers=dict.fromkeys(roots, names),
        in_logs=Vocabulary(sorted(cut)) if cut else None,
    )
    left_out = {
        f"{contract.dataset}.{column.name}": f"{column.masking.method} leaves a part of a value by intent"
        for contract, column in personal
        if column.masking is not None and not _is_covered(column)
    }
    columns = tuple(f"{contract.dataset}.{column.name}" for contract, column in searched)
    return Scan(columns, left_out, len(long), len(values) - len(long), found)


def raw_values(engine: Engine, settings: RunSettings, contract: Contract, column: Column) -> set[str]:
    """Return the different values of a column as bronze has them, read as silver reads them."""
    path = settings.table_path(Layer.BRONZE, contract.dataset)
    if not engine.exists(path):
        return set()
    rows = engine.read(path).where("_parse_error IS NULL").selectExpr(f"CAST({typed(column)} AS STRING) AS value")
    return {value for value in rows.distinct().toArrow()["value"].to_pylist() if value}


def _is_covered(column: Column) -> bool:
    return bool(column.sources) and column.masking is not None and column.masking.method in COVERING


class _Rights:
    """Where a value stands by right: in a column that is nobody's and has it of its own, or as another one's token."""

    def __init__(self, engine: Engine, settings: RunSettings, domain: Domain, values: Collection[str]) -> None:
        self._settings, self._values = settings, values
        self._own: dict[str, frozenset[str]] = {}
        self._read = partial(raw_values, engine, settings)
        self._columns: dict[str, list[tuple[Contract, Column]]] = {}
        for contract in domain.sources:
            for column in contract.columns:
                self._columns.setdefault(column.name, []).append((contract, column))

    def __call__(self, _file: str, value: str, column: str, cell: bytes) -> bool:
        return cell == value.encode() and value in self._of(column)

    def _of(self, column: str) -> frozenset[str]:
        """The values that stand in a column by right, of those that are looked for."""
        if column not in self._own:
            self._own[column] = frozenset(value for found in self._found(column) for value in found)
        return self._own[column]

    def _found(self, name: str) -> Iterator[Collection[str]]:
        for contract, column in self._columns.get(name, ()):
            if column.masking is None and column.sources:
                yield self._read(contract, column) & set(self._values)
            elif column.masking is not None and column.masking.method == "token":
                key = read_key(self._settings.pseudonym_key)
                yield {made for value in self._values if (made := mask_one(value, column.masking, key))}
