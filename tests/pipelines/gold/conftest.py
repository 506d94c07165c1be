"""A lake whose silver holds a few rows, and the settings of a task on it."""

import datetime as dt
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.contracts import Contract, Domain, Layer, domains_folder, load_domain
from pipelines.engine import Engine
from pipelines.gold.build import build
from pipelines.gold.testing import arrow_type
from pipelines.settings import RunSettings


def sale(customer: str, day: str, quantity: int, amount: str, **more: Any) -> dict[str, Any]:
    at = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
    values = {"customer_id": customer, "ordered_at": at, "quantity": quantity, "amount": Decimal(amount)}
    return {"country": "France", "currency": "GBP", **values, **more}


SOLD = [
    sale("a", "2011-01-01", 2, "10.001"),
    sale("a", "2011-01-31T23:59:59.999999", 1, "5.250"),
    sale("b", "2011-02-01", 4, "30.000", country="Spain"),
    sale("b", "2011-02-28", 1, "0.001", country="Spain"),
    sale("c", "2011-04-01", 1, "9.990"),
]


@pytest.fixture
def sold() -> list[dict[str, Any]]:
    """Sales in January, February and April."""
    return [*SOLD]


@pytest.fixture
def line() -> Callable[..., dict[str, Any]]:
    """Make one sale."""
    return sale


def settings_in(folder: Path) -> RunSettings:
    """Settings of a task on a lake in a folder."""
    roots = [f"--{layer}={folder}/lake/{layer}" for layer in Layer]
    return RunSettings.parse(["--domain=sales", "--sources=online_retail", *roots], {"LEVEE_RUN_ID": "run-1"})


@pytest.fixture
def settings(tmp_path: Path) -> RunSettings:
    return settings_in(tmp_path)


SALES = load_domain("sales")


def silver_rows(dataset: str, rows: Sequence[dict[str, Any]], batch: str) -> pa.Table:
    """Rows as silver has them: the contract's columns, null where a row does not say, and the batch."""
    columns = SALES.contract(dataset).columns
    schema = pa.schema([*((c.name, arrow_type(c.type)) for c in columns), ("_batch_id", pa.string())])
    return pa.Table.from_pylist([{**row, "_batch_id": batch} for row in rows], schema=schema)


@dataclass(frozen=True)
class Filler:
    """Writes silver (and as many bronze rows) of a source of one lake; every engine reads what Sail wrote."""

    engine: Engine
    settings: RunSettings

    def __call__(
        self, rows: Sequence[dict[str, Any]], dataset: str = "online_retail", *, batch: str = "b1", add: bool = False
    ) -> None:
        """In place of what was there, or with `add` beside it."""
        table = silver_rows(dataset, rows, batch)
        for layer in (Layer.SILVER, Layer.BRONZE):
            path = self.settings.table_path(layer, dataset)
            self.engine.ensure(path, table.schema)
            if rows:
                (self.engine.insert if add else self.engine.overwrite)(path, self.engine.frame(table))


@pytest.fixture
def fill(sail: Engine, settings: RunSettings) -> Filler:
    """Write rows into the silver of the test's lake."""
    return Filler(sail, settings)


Lake = tuple[RunSettings, Filler]


@pytest.fixture
def make_lake(sail: Engine, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Lake]:
    """Make as many empty lakes as a test wants."""

    def make_lake() -> Lake:
        settings = settings_in(tmp_path_factory.mktemp("lake"))
        return settings, Filler(sail, settings)

    return make_lake


Make = Callable[..., Any]


@pytest.fixture
def make() -> Make:
    """Build a model after everything that it reads; returns what became of it."""

    def make(engine: Engine, settings: RunSettings, name: str, domain: Any = SALES) -> Any:
        model = domain.contract(name)
        there = domain.buildable(domain.choose(settings.sources))
        for above in domain.inputs(model):
            if above in there:
                make(engine, settings, above.dataset, domain)
        return build(engine, settings, domain, model)

    return make


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of the sales domain to change."""
    return Path(shutil.copytree(domains_folder() / "sales", tmp_path / "domains" / "sales"))


Rewrite = Callable[[str], tuple[Domain, Contract]]


@pytest.fixture
def rewrite(own: Path) -> Rewrite:
    """Give the model ``revenue_by_month`` another SQL; returns the domain, and the model, built in full."""

    def rewrite(text: str) -> tuple[Domain, Contract]:
        (own / "gold" / "revenue_by_month.sql").write_text(text)
        contract = own / "gold" / "revenue_by_month.odcs.yaml"
        contract.write_text(contract.read_text().replace("      materialisation: incremental\n", ""))
        domain = load_domain("sales", own.parent)
        return domain, domain.contract("revenue_by_month")

    return rewrite
