"""What a scheduler and people do with the small lake, in order; each phase may be done again at any time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from pipelines.bronze.ingest import ingest
from pipelines.budget.terms import Budget, NodeRate
from pipelines.contracts import Contract, Domain, load_domain
from pipelines.engine import Engine, local
from pipelines.errors import SchemaError, UsageError
from pipelines.extract.task import extract
from pipelines.gold.build import build
from pipelines.ledger import Ledger, Status
from pipelines.maintain import maintain
from pipelines.maintain.names import TableName
from pipelines.maintain.restore import repair, restore
from pipelines.privacy.erase import ErasureRequest, erase
from pipelines.privacy.rotation import rotate
from pipelines.quarantine.replay import replayed
from pipelines.quarantine.tasks import corrected, listed, waived
from pipelines.runs import recorded
from pipelines.secret_references import SecretReference
from pipelines.settings import Acceptance, EngineName, Layer, RunSettings
from pipelines.silver.holding import BatchHeldError, accept
from pipelines.silver.refine import refine
from tests.pipelines.faults.small_lake import FIRST, LATER, NAME, SOURCES, SUBJECT, deliver


@dataclass
class Town:
    """The lake of a folder, and who works on it.

    Attributes:
        folder: The lake.
        domains: Folder of the domains.
        run: Name of the run.
        again: The phase was begun before, and did not end.
    """

    folder: Path
    domains: Path
    run: str
    again: bool = False
    engine: Engine = field(init=False)
    domain: Domain = field(init=False)

    def __post_init__(self) -> None:
        self.engine = Engine.open(EngineName.SAIL)
        self.domain = load_domain(NAME, self.domains)

    def settings(self, key: int = 1, **more: Any) -> RunSettings:
        """Settings of a task; with the masking key of that number, which its predecessors were used before."""
        keys = []
        for number in range(key, 0, -1):
            file = self.folder / f"key-{number}"
            file.write_text(str(number) * 40)
            file.chmod(0o600)
            keys.append(SecretReference("file", str(file)))
        return RunSettings(
            domain=NAME,
            roots={layer: str(self.folder / layer.value) for layer in Layer},
            run_id=self.run,
            pseudonym_key=keys[0],
            former_keys=tuple(keys[1:]),
            rates={"local": NodeRate(usd_per_hour=Decimal(1), source="the test's own price")},
            budget=Budget(cost_centre="cc-1", monthly_usd=Decimal(1000), policy="refuse", source="test"),
            **more,
        )

    def source(self, dataset: str) -> Contract:
        """The contract of a source."""
        return self.domain.contract(dataset)


def _deliver_first(town: Town) -> None:
    deliver(town.folder / "landing", FIRST, 0)
    extract(town.engine, town.source("parcels"), town.settings())


def _bronze(town: Town) -> None:
    for dataset in SOURCES:
        ingest(town.engine, town.source(dataset), town.settings())


def _silver(town: Town) -> None:
    for dataset in SOURCES:
        refine(town.engine, town.source(dataset), town.settings())


def _gold(town: Town, key: int = 1) -> None:
    for model in town.domain.gold:
        with recorded(town.engine, town.settings(key), "gold", model, town.domain):
            build(town.engine, town.settings(key), town.domain, model)


def _deliver_later(town: Town) -> None:
    deliver(town.folder / "landing", LATER, 100)
    _bronze(town)


def _hold(town: Town) -> None:
    """The second delivery of visits is held, which fails the task; those of the others go on."""
    try:
        refine(town.engine, town.source("visits"), town.settings())
    except BatchHeldError as held:
        if not held.stops:
            raise
    _silver(town)


def _accept(town: Town) -> None:
    settings, visits = town.settings(), town.source("visits")
    entries = Ledger(town.engine, settings).entries(Layer.SILVER, "visits")
    (batch,) = {entry.batch_id for entry in entries if entry.status is Status.HELD}
    accept(town.engine, settings, visits, Acceptance(batch, "ann", "the till was broken"))
    refine(town.engine, visits, settings)


def _quarantine(town: Town) -> None:
    """One record is corrected, another waived, and all are judged again."""

    def ask(verb: Callable[[RunSettings, Domain], Any], **asked: Any) -> Any:
        request = town.folder / "request.json"
        request.write_text(json.dumps({"dataset": "people", **asked}))
        return verb(town.settings(request=request), town.domain)

    ids = {(one["file"], one["line"]): one["id"] for one in ask(listed, state="all")["records"]}
    # A person's command that was entered says so when it is given again, and changes nothing.
    for verb, asked in (
        (corrected, {"id": ids["a.csv", 4], "fields": {"age": "13"}}),
        (waived, {"ids": [ids["b.csv", 2]], "reason": "she would not say"}),
    ):
        try:
            ask(verb, **asked)
        except UsageError:
            if not town.again:
                raise
    ingest(town.engine, town.source("people"), town.settings())
    replayed(town.engine, town.settings(), town.source("people"))


def _fail(town: Town) -> None:
    """A task fails, twice for the same reason; its channel is told once."""
    deliver(town.folder / "landing", {"readings/3.csv": "this is no Parquet"}, 200)
    for _ in range(2):
        try:
            ingest(town.engine, town.source("readings"), town.settings())
        except SchemaError:
            continue
        raise AssertionError("what is no delivery was taken for one")


def _recover(town: Town) -> None:
    (town.folder / "landing" / NAME / "readings" / "3.csv").unlink(missing_ok=True)
    ingest(town.engine, town.source("readings"), town.settings())


def _maintain(town: Town) -> None:
    maintain(town.engine, town.settings(), town.domain)


def _restore(town: Town) -> None:
    """Silver of visits goes back by one version, and what that undid is done again."""
    settings, visits = town.settings(), town.source("visits")
    newest = town.engine.version(settings.table_path(Layer.SILVER, "visits"))
    restore(town.engine, settings, visits, TableName.parse("silver.visits"), version=newest - 1)
    refine(town.engine, visits, settings)


def _repair(town: Town) -> None:
    """The newest entry of a log is torn, mended, and what it told of done again."""
    settings, readings = town.settings(), town.source("readings")
    torn = town.folder / "torn"
    if not torn.exists():
        log = Path(settings.table_path(Layer.SILVER, "readings"), "_delta_log")
        entry = max(log.glob("*.json"))
        torn.touch()
        entry.write_bytes(entry.read_bytes()[:-40])
        local.forget()
    try:
        repair(town.engine, settings, readings, TableName.parse("silver.readings"))
    except UsageError:
        if not town.again:
            raise
    refine(town.engine, readings, settings)


def _rotate(town: Town) -> None:
    rotate(town.engine, town.settings(2), town.source("people"))
    _gold(town, 2)


def _erase(town: Town) -> None:
    value = town.folder.with_name("subject")
    value.write_text(SUBJECT)
    value.chmod(0o600)
    request = ErasureRequest("person", SecretReference("file", str(value)), "dpo@example.org")
    erase(town.engine, town.settings(2), town.domain, request)


PHASES: Final[Mapping[str, Callable[[Town], None]]] = {
    "extract": _deliver_first,
    "bronze": _bronze,
    "silver": _silver,
    "gold": _gold,
    "later bronze": _deliver_later,
    "later silver": _hold,
    "accept": _accept,
    "quarantine": _quarantine,
    "later gold": _gold,
    "fail": _fail,
    "recover": _recover,
    "maintain": _maintain,
    "restore": _restore,
    "repair": _repair,
    "rotate": _rotate,
    "erase": _erase,
}
"""What is done, in order."""
