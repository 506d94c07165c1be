"""A domain: the source contracts and the gold contracts that belong together, and which gold the sources allow."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from pipelines.contracts.document import nearest
from pipelines.contracts.loader import SUFFIX, load_contract
from pipelines.contracts.model import Classification, Contract
from pipelines.errors import ContractError, UsageError
from pipelines.settings import Layer


@dataclass(frozen=True)
class Domain:
    """The contracts of one domain.

    Attributes:
        name: Name of the domain, its folder's name.
        folder: Where its files are.
        sources: Contracts of sources, by dataset name in order.
        gold: Contracts of gold tables, by table name in order.
    """

    name: str
    folder: Path
    sources: tuple[Contract, ...]
    gold: tuple[Contract, ...]

    @cached_property
    def contracts(self) -> tuple[Contract, ...]:
        """All contracts: the sources', then gold's."""
        return (*self.sources, *self.gold)

    @property
    def classification(self) -> Classification:
        """The most sensitive of its contracts' classifications."""
        return max((contract.classification for contract in self.contracts), key=lambda value: value.rank)

    def contract(self, dataset: str) -> Contract:
        """Return the contract of a dataset or gold table.

        Raises:
            UsageError: the domain has none of that name.
        """
        for contract in self.contracts:
            if contract.dataset == dataset:
                return contract
        raise UsageError(
            f"the domain {self.name} has no dataset {dataset!r}",
            where=str(self.folder),
            fix=nearest(dataset, [contract.dataset for contract in self.contracts]),
        )

    def choose(self, datasets: Collection[str] | None = None) -> tuple[Contract, ...]:
        """Return the source contracts of `datasets`, or all of them for ``None``.

        Raises:
            UsageError: one of them is not a source of this domain.
        """
        if datasets is None:
            return self.sources
        known = [contract.dataset for contract in self.sources]
        for name in sorted(datasets):
            if name not in known:
                raise UsageError(
                    f"the domain {self.name} has no source {name!r}", where=str(self.folder), fix=nearest(name, known)
                )
        return tuple(contract for contract in self.sources if contract.dataset in datasets)

    def feeds(self, table: Contract, sources: Iterable[Contract]) -> tuple[Contract, ...]:
        """Return those of `sources` whose silver has every column that the gold `table` needs."""
        needed = set(table.gold.inputs) if table.gold else set()
        return tuple(source for source in sources if needed <= {column.name for column in source.columns})

    def gold_tables(self, sources: Iterable[Contract]) -> tuple[Contract, ...]:
        """Return the gold tables that at least one of `sources` can feed."""
        chosen = tuple(sources)
        return tuple(table for table in self.gold if self.feeds(table, chosen))

    def retention_days(self, layer: Layer) -> int | None:
        """Days that the store of `layer` keeps files; ``None`` for ever.

        The longest counts that is asked for by a contract whose rows are there: gold's by the gold contracts, audit's
        by all, the others' by the sources.
        """
        writers = {Layer.GOLD: self.gold, Layer.AUDIT: self.contracts}.get(layer, self.sources)
        wanted = [contract.retention(layer) for contract in writers]
        return None if any(days is None for days in wanted) else max(days for days in wanted if days is not None)


def domains_folder() -> Path:
    """Where the domains are that the wheel ships."""
    return Path(str(files("pipelines") / "domains"))


def domain_names(root: Path | None = None) -> tuple[str, ...]:
    """Names of the domains under `root` (the wheel's own by default): folders that hold a contract."""
    folder = root or domains_folder()
    if not folder.is_dir():
        return ()
    return tuple(sorted(child.name for child in folder.iterdir() if any(child.glob(f"*{SUFFIX}"))))


def load_domain(name: str = "sales", root: Path | None = None) -> Domain:
    """Read every contract of a domain: ``<root>/<name>/*.odcs.yaml`` and ``<root>/<name>/gold/*.odcs.yaml``.

    Args:
        name: The domain.
        root: Folder of domains; the wheel's own by default.

    Raises:
        UsageError: there is no such domain.
        ContractError: a contract is wrong, or two of them do not fit together.
    """
    names = domain_names(root)
    if name not in names:
        raise UsageError(f"there is no domain {name!r}", where=str(root or domains_folder()), fix=nearest(name, names))
    folder = (root or domains_folder()) / name
    contracts = [load_contract(path) for path in (*_contract_files(folder), *_contract_files(folder / "gold"))]
    domain = Domain(
        name=name,
        folder=folder,
        sources=tuple(contract for contract in contracts if contract.layer == "source"),
        gold=tuple(contract for contract in contracts if contract.layer == "gold"),
    )
    _check(domain)
    return domain


def _contract_files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []


def _check(domain: Domain) -> None:
    seen: dict[str, Contract] = {}
    for contract in domain.contracts:
        if contract.domain != domain.name:
            raise ContractError(
                f"the contract says domain {contract.domain!r} and lies in the folder of {domain.name!r}",
                where=str(contract.path),
                fix=f"write `domain: {domain.name}` or move the file",
            )
        if contract.dataset in seen:
            raise ContractError(
                f"two contracts describe the dataset {contract.dataset!r}",
                where=str(contract.path),
                fix=f"the other one is {seen[contract.dataset].path}",
            )
        seen[contract.dataset] = contract
    columns = {column.name for source in domain.sources for column in source.columns}
    for table in domain.gold:
        if table.gold and not table.gold.optional and not domain.feeds(table, domain.sources):
            missing = [name for name in table.gold.inputs if name not in columns] or list(table.gold.inputs)
            raise ContractError(
                f"no source of {domain.name} has what {table.dataset} needs: {', '.join(missing)}",
                where=str(table.path),
                fix=nearest(missing[0], sorted(columns)),
            )
