"""One session an engine for the whole run, and a lake of folders with deliveries made on the spot.

Several processes share the files out, but one has all of Spark's tests: a driver takes three gigabytes and both cores.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract, Domain, load_contract, load_domain
from pipelines.engine import Engine
from pipelines.gold.build import Built, build
from pipelines.secret_references import SecretReference
from pipelines.settings import EngineName, Layer, RunSettings
from pipelines.silver.refine import refine

KEY = "0123456789abcdef" * 4
COLUMNS: tuple[Mapping[str, Any], ...] = (
    {"name": "id", "logicalType": "integer", "physicalType": "int", "required": True},
    {"name": "name", "logicalType": "string"},
    {"name": "price", "logicalType": "number", "physicalType": "decimal(9,2)"},
)
LINEAGE_OF_A_RUN = ("_ingested_at", "_run_id")
"""Columns in which two runs may differ."""


JAVA = 17
"""Release that Spark 4 asks for."""


def java_is_lacking() -> str | None:
    """Say why Spark cannot start; ``None`` where it can."""
    java = Path(os.environ["JAVA_HOME"], "bin", "java") if os.environ.get("JAVA_HOME") else shutil.which("java")
    if java is None or not Path(java).exists():
        return f"there is no Java; Spark needs Java {JAVA} (Debian: openjdk-{JAVA}-jre-headless)"
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    release = re.search(r'version "(\d+)', told)
    if release is None or int(release[1]) < JAVA:
        found = release[0] if release else told.strip() or "no answer"
        return f"{java} is {found}; Spark needs Java {JAVA} (Debian: openjdk-{JAVA}-jre-headless)"
    return None


OF_SPARK = re.compile(r"\[(?:.*-)?spark(?:-.*)?\]$")
"""How the id of a test ends that needs Spark: one of its parameters is the engine."""


SPARK_TIMEOUT = 900
"""Seconds that a test may take on local Spark, minutes beside other work."""


SPARK_EVERY_DAY = ("bronze/test_ingest.py", "engine", "gold/test_build.py", "silver/test_typing.py", "test_ledger.py")
"""Files and folders whose tests `make test` runs on Spark, too: the engine's promises, types, each layer once.

Everywhere else a test on Spark repeats one on Sail, takes ten times as long, and is one of the slow proofs.
"""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs Spark where it cannot start, and say why; CI sets ``LEVEE_REQUIRE_SPARK=1`` and fails there."""
    spark = [item for item in items if item.get_closest_marker("spark")]
    here = Path(__file__).parent
    every_day = {here / name for name in SPARK_EVERY_DAY}
    for item in spark:
        if not every_day & {item.path, *item.path.parents}:
            item.add_marker(pytest.mark.slow)
        if not OF_SPARK.search(item.nodeid):
            raise pytest.UsageError(f"{item.nodeid} is marked `spark`: give it the engine as a parameter, `[spark]`")
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(SPARK_TIMEOUT))
    if not spark or (lacking := java_is_lacking()) is None:
        return
    if os.environ.get("LEVEE_REQUIRE_SPARK") == "1":
        raise pytest.UsageError(f"LEVEE_REQUIRE_SPARK=1, and {lacking}")
    for item in spark:
        item.add_marker(pytest.mark.skip(reason=lacking))


class Scheduling(LoadScopeScheduling):
    """Shares out Spark's tests as one piece of work, and each file's others as one.

    `--dist loadgroup` would do it, and under pytest 9.2 groups nothing (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        return "spark" if OF_SPARK.search(nodeid) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Share the tests out in our way."""
    return Scheduling(config, log)


@pytest.fixture(
    scope="session",
    params=[EngineName.SAIL, pytest.param(EngineName.SPARK, marks=pytest.mark.spark)],
    ids=str,
)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn; its session is shared by all tests of the process."""
    return Engine.open(request.param)


@pytest.fixture(scope="session")
def sail() -> Engine:
    """The embedded engine, for what does not depend on the engine."""
    return Engine.open(EngineName.SAIL)


@dataclass(frozen=True)
class Lake:
    """Folders of one domain with one dataset, ``things``."""

    folder: Path
    settings: RunSettings = field(init=False)

    def __post_init__(self) -> None:
        key = self.folder / "key"
        key.write_text(KEY)
        key.chmod(0o600)
        roots = {layer: str(self.folder / layer.value) for layer in Layer}
        settings = RunSettings(
            domain="test",
            dataset="things",
            roots=roots,
            run_id="run-1",
            pseudonym_key=SecretReference("file", str(key)),
        )
        object.__setattr__(self, "settings", settings)

    def deliver(self, name: str, content: bytes | str) -> str:
        """Lay a file into the landing folder; returns its digest."""
        data = content.encode() if isinstance(content, str) else content
        path = Path(self.settings.deliveries("things")) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return hashlib.sha256(data).hexdigest()

    def run(self, number: int) -> RunSettings:
        """Settings of another run over the same lake."""
        return replace(self.settings, run_id=f"run-{number}")

    def rows(self, engine: Engine, layer: Layer, *columns: str) -> list[tuple[Any, ...]]:
        """Rows of the dataset's table, sorted, without what differs between runs."""
        return table_rows(engine, self.settings.table_path(layer, "things"), *columns)


def table_rows(engine: Engine, path: str, *columns: str) -> list[tuple[Any, ...]]:
    """Rows of a table, sorted; all columns but those of the run where none is named."""
    frame = engine.read(path)
    names = columns or tuple(sorted(name for name in frame.columns if name not in LINEAGE_OF_A_RUN))
    return sorted((tuple(row) for row in frame.select(*names).collect()), key=repr)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake(tmp_path)


@pytest.fixture
def make_lake(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Lake]:
    """Make as many empty lakes as a test wants."""
    return lambda: Lake(tmp_path_factory.mktemp("lake"))


MakeContract = Callable[..., Contract]


@pytest.fixture
def make_contract(tmp_path: Path) -> MakeContract:
    """Make the contract of ``things``: columns as the standard's properties, custom properties by name."""

    def make(
        *columns: Mapping[str, Any],
        quality: list[dict[str, Any]] | None = None,
        servers: list[dict[str, Any]] | None = None,
        support: list[dict[str, Any]] | None = None,
        **custom: Any,
    ) -> Contract:
        properties = {"layer": "source", "ingestion": {"format": "csv"}, **custom}
        document = {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": "things",
            "version": "1.0.0",
            "status": "draft",
            "domain": "test",
            "servers": servers or [],
            "support": support or [],
            "schema": [
                {
                    "name": "things",
                    "properties": [{"classification": "internal", **item} for item in columns or COLUMNS],
                    "quality": quality or [],
                }
            ],
            "customProperties": [{"property": name, "value": value} for name, value in properties.items()],
        }
        path = tmp_path / "contracts" / "things.odcs.yaml"
        path.parent.mkdir(exist_ok=True)
        with path.open("w") as out:
            YAML().dump(json.loads(json.dumps(document)), out)
        return load_contract(path)

    return make


@dataclass(frozen=True)
class Shop:
    """A domain of several contracts, its lake, and an engine to run it on."""

    folder: Path
    engine: Engine

    @property
    def settings(self) -> RunSettings:
        """Of a task in the lake."""
        roots = {layer: str(self.folder / "lake" / layer.value) for layer in Layer}
        return RunSettings(domain="shop", roots=roots, run_id="run-1")

    def contract(
        self, name: str, *columns: Mapping[str, Any], sql: str = "", quality: Sequence[Any] = (), **custom: Any
    ) -> None:
        """Write a contract: of a source, or with `sql` of a model, of gold where `layer` does not say otherwise."""
        own = {"layer": "gold"} if sql else {"layer": "source", "ingestion": {"format": "csv"}}
        if sql:
            custom["model"] = {"sql": f"{name}.sql", **custom["model"]}
        document = {
            "apiVersion": "v3.1.0", "kind": "DataContract", "id": name, "version": "1.0.0", "status": "draft",
            "domain": "shop",
            "schema": [
                {
                    "name": name,
                    "properties": [{"classification": "internal", "logicalType": "string", **item} for item in columns],
                    "quality": list(quality),
                }
            ],
            "customProperties": [{"property": key, "value": value} for key, value in {**own, **custom}.items()],
        }  # fmt: skip
        layer = str({**own, **custom}["layer"])
        folder = self.folder / "domains" / "shop" / ("" if layer == "source" else layer)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{name}.odcs.yaml").open("w") as out:
            YAML().dump(json.loads(json.dumps(document)), out)
        if sql:
            (folder / f"{name}.sql").write_text(sql)

    @property
    def domain(self) -> Domain:
        """The domain as it is written now."""
        return load_domain("shop", self.folder / "domains")

    def deliver(self, dataset: str, name: str, text: str) -> None:
        """Lay a file into the landing folder of a source, and take it into bronze and silver."""
        folder = Path(self.settings.deliveries(dataset))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        self.refine(dataset)

    def refine(self, dataset: str) -> None:
        """Take what is landed of a source into bronze and silver."""
        contract, settings = self.domain.contract(dataset), replace(self.settings, dataset=dataset)
        ingest(self.engine, contract, settings)
        refine(self.engine, contract, settings)

    def build(self, model: str) -> Built:
        """Build a model of what there is."""
        return build(self.engine, self.settings, self.domain, self.domain.contract(model))

    def rows(self, layer: Layer, dataset: str, *columns: str) -> list[tuple[Any, ...]]:
        """Rows of a table, sorted."""
        return table_rows(self.engine, self.settings.table_path(layer, dataset), *columns)


@pytest.fixture
def shop(sail: Engine, tmp_path: Path) -> Shop:
    """A domain without contracts, on Sail."""
    return Shop(tmp_path, sail)
