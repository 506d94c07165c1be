"""Whether a personal value has left the zone in which raw values may lie: a search of every file outside of it.

The raw zone is landing, bronze and quarantine: what was delivered, as it came, with no grant to any reader. Everything
else (silver, gold, checkpoints with Data Docs, audit) is searched, file by file, former versions and logs included, for
every value that bronze has in a column whose mask leaves nothing of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from pipelines.contracts.domain import Domain
from pipelines.errors import QualityError
from pipelines.gold.lineage import Lineage, lineage
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


def _columns(domain: Domain) -> Iterator[tuple[Contract, Column]]:
    return ((contract, column) for contract in domain.sources for column in contract.columns)


def _is_covered(column: Column) -> bool:
    return bool(column.sources) and column.masking is not None and column.masking.method in COVERING


class _Rights:
    """Where a value stands by right: in what a column that is nobody's delivered as a whole, or as another one's token.

    A cell is what was delivered where a source column has just this text, whatever else is in the text (an article may
    be called "SET 10 CARDS 17080"), and a column of a model where it comes from such a column.
    """

    def __init__(self, engine: Engine, settings: RunSettings, domain: Domain, values: Collection[str]) -> None:
        self._settings, self._domain, self._values = settings, domain, values
        self._vocabulary = Vocabulary(sorted(values))
        self._own: dict[str, frozenset[str]] = {}
        self._read = partial(raw_values, engine, settings)

    @cached_property
    def _origins(self) -> dict[str, set[tuple[str, str]]]:
        """The sources' columns whose values a column of a name may have, whatever its table."""
        trace, found = _Trace(self._domain), dict[str, set[tuple[str, str]]]()
        for contract in self._domain.contracts:
            for column in contract.columns:
                found.setdefault(column.name, set()).update(trace(contract.reference, column.name))
        return found

    def __call__(self, _file: str, _value: str, column: str, cell: bytes) -> bool:
        return cell.decode("utf-8", "replace") in self._of(column)

    def _of(self, column: str) -> frozenset[str]:
        """The texts that stand in a column by right, of those that have a value in them."""
        if column not in self._own:
            self._own[column] = frozenset(text for found in self._found(column) for text in found)
        return self._own[column]

    def _found(self, name: str) -> Iterator[Collection[str]]:
        columns = {(source.reference, column.name): (source, column) for source, column in _columns(self._domain)}
        for origin in sorted(self._origins.get(name, set()) & columns.keys()):
            contract, column = columns[origin]
            if column.masking is None and column.sources:
                yield {text for text in self._read(contract, column) if any(self._vocabulary.found(text.encode()))}
            elif column.masking is not None and column.masking.method == "token":
                key = read_key(self._settings.pseudonym_key)
                yield {made for value in self._values if (made := mask_one(value, column.masking, key))}


class _Trace:
    """The columns of sources whose values a column has, as references and names; a source's column is its own."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._contracts = {contract.reference: contract for contract in domain.contracts}
        self._lineage: dict[str, Lineage] = {}

    def __call__(self, reference: str, column: str) -> frozenset[tuple[str, str]]:
        contract = self._contracts[reference]
        if contract.model is None:
            return frozenset({(reference, column)})
        if reference not in self._lineage:
            self._lineage[reference] = lineage(self._domain, contract)
        edges = self._lineage[reference].columns.get(column, ())
        return frozenset().union(*(self(edge.table, edge.column) for edge in edges if edge.type == "DIRECT"))
