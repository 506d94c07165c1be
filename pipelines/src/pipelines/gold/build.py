"""Builds one model's table: compute, check, then publish; a table whose inputs have not changed is left alone.

The result of the SQL is computed once and held, checked against the contract (keys, nulls, its quality checks), and
only then published, in one commit. A check that fails leaves the published table as it was.

An incremental model takes in the batches that its last build has not seen, where nothing but adding rows has happened
to its inputs since, and to its own table nothing at all; else it is built anew, and the record says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pipelines import sql
from pipelines.contracts.domain import Domain
from pipelines.contracts.model import Contract
from pipelines.engine.arrow_types import to_arrow_schema
from pipelines.errors import QualityError, UsageError
from pipelines.failpoints import failpoint
from pipelines.gold.checks import check_model
from pipelines.gold.frames import contract_columns, empty, named
from pipelines.gold.incremental import BATCH, Groups, Rows, shape
from pipelines.gold.members import completed
from pipelines.gold.query import Query, query
from pipelines.gold.record import Build, last_build, record_build
from pipelines.history import data_version, not_added
from pipelines.privacy.anonymity import published
from pipelines.quality.checks import table_checks
from pipelines.quality.evaluate import Result, evaluate
from pipelines.quality.held import held
from pipelines.quality.rules import rules
from pipelines.settings import Layer, RunSettings
from pipelines.shown import current

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.engine import Engine


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did.

    Attributes:
        table: The model's table.
        path: Where it is.
        rows: Rows that it has.
        version: The commit that published its rows.
        inputs: Commit that last changed each table that it was built from, by reference.
        unchanged: It was left alone: it was built from the same inputs before, or an input that it needs has nothing
            yet and `inputs` is empty.
        results: What the checks found; empty where it was left alone.
        how: ``full`` or ``incremental``, of the build that its rows are from.
        why: Why it was built in full.
    """

    table: str
    path: str
    rows: int
    version: int
    inputs: Mapping[str, int]
    unchanged: bool
    results: tuple[Result, ...]
    how: str = "full"
    why: str = ""


def build(engine: Engine, settings: RunSettings, domain: Domain, model: Contract) -> Built:
    """Build one model's table.

    Args:
        engine: The open engine.
        settings: Roots and sources.
        domain: The domain.
        model: Contract of the model.

    Raises:
        ContractError: its SQL and the contracts do not fit together.
        UsageError: the chosen sources do not allow it.
        QualityError: a check failed; the published table is as it was.
    """
    return _Building(engine, settings, domain, model).run()


def model_path(settings: RunSettings, model: Contract) -> str:
    """Where a contract's published table is."""
    return settings.table_path(model.published, model.dataset)


def holding_path(settings: RunSettings) -> str:
    """Where the rows of gold's tables are held while they are checked."""
    return settings.path(Layer.CHECKPOINTS, settings.domain, "gold")


class _Building:
    """One build of one model."""

    def __init__(self, engine: Engine, settings: RunSettings, domain: Domain, model: Contract) -> None:
        self._engine, self._settings, self._domain, self._model = engine, settings, domain, model
        check_model(domain, model)
        self._query = query(model)
        assert model.model is not None, "a derived table has a model"
        self._kind = model.model
        self._shape = shape(domain, model, self._query) if self._kind.materialisation == "incremental" else None
        self._path = model_path(settings, model)
        self._inputs = {table.reference: table for table in domain.reads(model)}

    def run(self) -> Built:
        given = self._given()
        if given is None:
            return Built(self._model.dataset, self._path, 0, 0, {}, unchanged=True, results=())
        inputs = {name: data_version(self._engine, self._place(name)) for name in given}
        last = last_build(self._engine, self._settings, self._model)
        why = self._why_full(last, inputs)
        if last is not None and why is None and dict(last.inputs) == inputs:
            return self._built(last, unchanged=True, results=())
        versions = {name: self._engine.version(self._place(name)) for name in given}
        batches = {name: self._batches(name, version) for name, version in versions.items()} if self._shape else {}
        results = self._publish(versions, None if last is None or why else last.batches)
        made = Build(
            contract=self._model.digest,
            inputs=inputs,
            batches=batches,
            how="full" if why else "incremental",
            why=why or "",
            rows=self._engine.count(self._path),
            version=data_version(self._engine, self._path),
        )
        record_build(self._engine, self._settings, self._model, made)
        return self._built(made, unchanged=False, results=results)

    def _silver(self, dataset: str) -> str:
        """Where the silver is that a check speaks of."""
        return model_path(self._settings, self._domain.contract(dataset))

    # What there is

    def _place(self, reference: str) -> str:
        table = self._inputs[reference]
        return self._settings.table_path(table.contract.published, table.table)

    def _given(self) -> tuple[str, ...] | None:
        """The inputs that have something; ``None`` where one that is needed has not.

        Raises:
            UsageError: the chosen sources do not allow the model at all.
        """
        chosen = self._domain.choose(self._settings.sources)
        if lacking := self._domain.skipped(chosen).get(self._model.dataset):
            names = ", ".join(source.dataset for source in chosen)
            raise UsageError(
                f"{self._model.dataset} needs {', '.join(lacking)}, which {names} do not give",
                where=str(self._model.path),
            )
        given = tuple(name for name, table in self._inputs.items() if self._has(table.contract, chosen))
        needed = [name for name in self._inputs if name not in self._kind.optional]
        return given if given and all(name in given for name in needed) else None

    def _has(self, contract: Contract, chosen: tuple[Contract, ...]) -> bool:
        """Whether anything was ever delivered to a source, or a model was built."""
        if contract.model is not None:
            return self._engine.exists(model_path(self._settings, contract))
        bronze = self._settings.table_path(Layer.BRONZE, contract.dataset)
        return contract in chosen and self._engine.count(bronze) > 0

    def _why_full(self, last: Build | None, inputs: Mapping[str, int]) -> str | None:
        """Why the table must be built anew; ``None`` where the last build can be kept or gone on from."""
        if last is None or not self._engine.exists(self._path):
            return "there is no build of it"
        if last.contract != self._model.digest:
            return "its contract or SQL has changed"
        if self._kind.non_deterministic:
            return "its SQL is not deterministic"
        if last.version != data_version(self._engine, self._path):
            return "the table was changed by somebody else, or by a run that died"
        if dict(last.inputs) == inputs:
            return None
        if self._shape is None:
            return "an input has changed"
        if last.inputs.keys() != inputs.keys():
            return "an input has come or gone"
        for name, version in last.inputs.items():
            if said := not_added(self._engine, self._place(name), version):
                return f"{name}: {said}"
        return None

    def _batches(self, reference: str, version: int) -> tuple[str, ...]:
        found = self._engine.read(self._place(reference), version).select(BATCH).distinct().collect()
        return tuple(sorted(row[0] for row in found))

    # What is made of it

    def _publish(self, versions: Mapping[str, int], seen: Mapping[str, tuple[str, ...]] | None) -> tuple[Result, ...]:
        """Compute, check and commit: everything, or with `seen` what other batches bring."""
        frame = self._everything(versions) if seen is None else self._news(versions, seen)
        folder = holding_path(self._settings)
        with held(self._engine, frame, f"{folder}/{self._model.dataset}") as computed:
            results = self._check(computed if seen is None else self._beside(computed))
            result = published(self._engine, self._settings, self._model, computed)
            self._engine.ensure(self._path, to_arrow_schema(frame.schema))
            failpoint("gold.before_commit")
            if seen is None:
                self._engine.overwrite(self._path, result)
            elif isinstance(self._shape, Groups):
                self._engine.merge(self._path, result, self._model.primary_key, update=True)
            else:
                self._add(result, versions)
            failpoint("gold.committed")
        return results

    def _add(self, news: DataFrame, versions: Mapping[str, int]) -> None:
        """Add rows; where another writer came in between, who may have added the same ones, write all anew."""
        before = self._engine.version(self._path)
        self._engine.insert(self._path, news)
        if self._engine.version(self._path) > before + 1:
            self._engine.overwrite(self._path, self._everything(versions))

    def _everything(self, versions: Mapping[str, int]) -> DataFrame:
        """The SQL's result of the inputs as they are at `versions`, whenever it is computed."""
        views = {name: self._view(name, versions.get(name)) for name in self._inputs}
        text = self._shape.text if isinstance(self._shape, Rows) else self._query
        return self._columns(text, views)

    def _news(self, versions: Mapping[str, int], seen: Mapping[str, tuple[str, ...]]) -> DataFrame:
        """The rows, or groups, that batches bring which are not among `seen`."""
        views = {name: self._view(name, versions.get(name), seen.get(name, ())) for name in self._inputs}
        if isinstance(self._shape, Rows):
            return self._columns(self._shape.text, views)
        assert isinstance(self._shape, Groups), "an incremental model has one of two forms"
        table = self._shape.read.table
        touched = named(self._engine.sql(self._shape.touched(views[table])))
        rows = self._engine.sql(self._shape.rows(self._view(table, versions[table]), touched))
        return self._columns(self._query, {table: named(rows)})

    def _view(self, reference: str, version: int | None, seen: tuple[str, ...] | None = None) -> str:
        """Name an input for SQL: a version of it, less the batches of `seen`; empty where it is absent."""
        table, place = self._inputs[reference], self._place(reference)
        if version is None:
            return named(empty(self._engine, table, *([BATCH] if self._shape else [])))
        read = self._engine.read if table.every_version else partial(current, self._engine)
        frame = read(place, version)
        if seen:
            frame = self._engine.apart(frame, BATCH, seen)
        columns = [sql.name(column.name) for column in table.columns]
        return named(frame.select(*columns, *([BATCH] if self._shape else [])))

    def _columns(self, text: Query, views: Mapping[str, str]) -> DataFrame:
        """The SQL's result with the contract's columns, types and order."""
        tables = {name: sql.name(view) for name, view in views.items()}
        frame = self._engine.sql(completed(self._domain, self._model, text.over(views), tables))
        batch = [BATCH] if isinstance(self._shape, Rows) else []
        return frame.selectExpr(*contract_columns(self._model), *batch)

    def _beside(self, news: DataFrame) -> DataFrame:
        """The whole table as it will be: what stays, and what comes."""
        there = self._engine.read(self._path)
        if isinstance(self._shape, Groups):
            keys = " AND ".join(f"t.{sql.name(k)} <=> n.{sql.name(k)}" for k in self._model.primary_key)
            there = self._engine.sql(
                f"SELECT * FROM {sql.name(named(there))} AS t LEFT ANTI JOIN {sql.name(named(news))} AS n ON {keys}"
            )
        return there.unionByName(news)

    def _check(self, result: DataFrame) -> tuple[Result, ...]:
        checks = table_checks(self._model)
        others = sorted({name for check in checks for name in check.others})
        views = {name: named(current(self._engine, self._silver(name))) for name in others}
        results = evaluate(self._engine.spark, named(result), rules(self._model), checks, silver=views)
        failed = [result for result in results if not result.success and result.on_failure != "warn"]
        if failed:
            said = "; ".join(f"{result.id} ({result.description})" for result in failed)
            raise QualityError(
                f"{self._model.dataset} was not published: {said}",
                where=str(self._model.path),
                fix="look at its SQL and its inputs; the published table is as it was",
            )
        return results

    def _built(self, made: Build, *, unchanged: bool, results: tuple[Result, ...]) -> Built:
        return Built(
            self._model.dataset,
            self._path,
            made.rows,
            made.version,
            made.inputs,
            unchanged=unchanged,
            results=results,
            how=made.how,
            why=made.why,
        )
