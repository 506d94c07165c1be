"""A domain: the contracts of sources and of models that belong together, and which models the sources allow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from pathlib import Path

from pipelines.contracts.checks import check_dimensions, check_references
from pipelines.contracts.document import Document, nearest
from pipelines.contracts.loader import SUFFIX, load_contract
from pipelines.contracts.model import Classification, Contract
from pipelines.contracts.shown import Shown
from pipelines.errors import ContractError, UsageError
from pipelines.settings import Layer


@dataclass(frozen=True)
class Domain:
    """The contracts of one domain.

    Attributes:
        name: Name of the domain, its folder's name.
        folder: Where its files are.
        sources: Contracts of sources, by dataset name in order.
        models: Contracts of the tables that SQL makes, of silver and of gold, each after those it reads.
    """

    name: str
    folder: Path
    sources: tuple[Contract, ...]
    models: tuple[Contract, ...]

    @cached_property
    def contracts(self) -> tuple[Contract, ...]:
        """All contracts: the sources', then the models'."""
        return (*self.sources, *self.models)

    @property
    def gold(self) -> tuple[Contract, ...]:
        """The models of gold."""
        return tuple(model for model in self.models if model.layer == "gold")

    @property
    def classification(self) -> Classification:
        """The most sensitive of its contracts' classifications."""
        return max((contract.classification for contract in self.contracts), key=lambda value: value.rank)

    def contract(self, dataset: str) -> Contract:
        """Return the contract of a source or a model.

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

    def inputs(self, model: Contract) -> tuple[Contract, ...]:
        """Return the contracts of the tables that a model reads, in the order of its contract."""
        wanted = model.model.inputs if model.model else ()
        return tuple(self._by_reference[reference] for reference in wanted)

    def reads(self, model: Contract) -> tuple[Shown, ...]:
        """Return what a model sees of the tables that it reads, in the order of its contract."""
        whole = model.model.history if model.model else ()
        return tuple(Shown(contract, contract.reference in whole) for contract in self.inputs(model))

    def buildable(self, sources: Iterable[Contract]) -> tuple[Contract, ...]:
        """Return the models that `sources` allow, each after those it reads.

        A model is built where there are all of its inputs that are not optional, and one at the least.
        """
        there = {source.reference for source in sources}
        built = []
        for model in self.models:
            if not _lacking(model, there):
                there.add(model.reference)
                built.append(model)
        return tuple(built)

    def skipped(self, sources: Iterable[Contract]) -> Mapping[str, tuple[str, ...]]:
        """Return the inputs that each model lacks which `sources` do not allow, by its name."""
        chosen = tuple(sources)
        there = {contract.reference for contract in (*chosen, *self.buildable(chosen))}
        return {model.dataset: lacking for model in self.models if (lacking := _lacking(model, there))}

    @cached_property
    def _by_reference(self) -> Mapping[str, Contract]:
        return {contract.reference: contract for contract in self.contracts}

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
    """Read every contract of a domain: ``*.odcs.yaml`` in ``<root>/<name>``, and in its folders `silver` and `gold`.

    Args:
        name: The domain.
        root: Folder of domains; the wheel's own by default.

    Raises:
        UsageError: there is no such domain.
        ContractError: a contract is wrong, two of them do not fit together, or models read each other in a circle.
    """
    names = domain_names(root)
    if name not in names:
        raise UsageError(f"there is no domain {name!r}", where=str(root or domains_folder()), fix=nearest(name, names))
    folder = (root or domains_folder()) / name
    folders = (folder, folder / Layer.SILVER.value, folder / Layer.GOLD.value)
    contracts = [load_contract(path) for place in folders for path in _contract_files(place)]
    for contract in contracts:
        _check_place(contract, name)
    _check_names(contracts)
    sources = tuple(contract for contract in contracts if contract.layer == "source")
    check_references(sources)
    return Domain(
        name=name,
        folder=folder,
        sources=sources,
        models=_ordered(contracts),
    )


def _contract_files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []


def _lacking(model: Contract, there: Collection[str]) -> tuple[str, ...]:
    """The inputs for want of which a model is not built."""
    if model.model is None:
        return ()
    needed = [name for name in model.model.inputs if name not in model.model.optional] or model.model.inputs
    lacking = tuple(name for name in needed if name not in there)
    all_optional = set(model.model.optional) == set(model.model.inputs)
    return () if all_optional and len(lacking) < len(needed) else lacking


def _check_place(contract: Contract, domain: str) -> None:
    if contract.domain != domain:
        raise ContractError(
            f"the contract says domain {contract.domain!r} and lies in the folder of {domain!r}",
            where=str(contract.path),
            fix=f"write `domain: {domain}` or move the file",
        )


def _check_names(contracts: Iterable[Contract]) -> None:
    seen: dict[str, Contract] = {}
    for contract in contracts:
        if contract.dataset in seen:
            raise ContractError(
                f"two contracts describe the dataset {contract.dataset!r}",
                where=str(contract.path),
                fix=f"the other one is {seen[contract.dataset].path}",
            )
        seen[contract.dataset] = contract


def _ordered(contracts: Iterable[Contract]) -> tuple[Contract, ...]:
    """The models, each after those that it reads; those that may come at once are in the order of their names."""
    known = {contract.reference: contract for contract in contracts}
    reads = {name: contract.model.inputs for name, contract in known.items() if contract.model}
    for name, inputs in reads.items():
        for read in inputs:
            if read not in known:
                raise ContractError(
                    f"{name} reads {read}, which no contract of its domain describes",
                    where=_line_of_inputs(known[name]),
                    fix=nearest(read, list(known)),
                )
    check_dimensions(known, _line_of_inputs)
    sorter = TopologicalSorter(reads)
    try:
        sorter.prepare()
    except CycleError as error:
        chain = list(reversed(error.args[1]))
        raise ContractError(
            f"models read each other in a circle: {' reads '.join(chain)}",
            where=_line_of_inputs(known[chain[0]]),
            fix=f"let one of them read something else; the others: {_places(known, chain[1:-1]) or 'none'}",
        ) from None
    ordered: list[Contract] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered.extend(known[name] for name in ready if name in reads)
        sorter.done(*ready)
    return tuple(ordered)


def _places(known: Mapping[str, Contract], names: Iterable[str]) -> str:
    return ", ".join(_line_of_inputs(known[name]) for name in names)


def _line_of_inputs(model: Contract) -> str:
    """``file:line`` of a model's inputs; read again, as contracts do not keep their lines."""
    at = [item.property for item in model.standard.custom_properties].index("model")
    return Document.read(model.path).where("customProperties", at, "value", "inputs")
