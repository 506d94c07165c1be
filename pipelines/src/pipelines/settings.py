"""What one task run is told: its parameters (the job's words) and its surroundings (the machine's environment).

Parameters arrive as ``--name value`` on Databricks and on a laptop alike; they are what the deployed job holds. What
only the machine knows (engine, folder of a bucket, where the key is) comes from environment variables:

==============================  ======================================================================================
``LEVEE_ENGINE``                ``sail`` or ``spark``; on a cluster ``databricks`` is detected, elsewhere ``sail``
``LEVEE_PATH_MAP``              JSON ``{url prefix: local folder}``: where a bucket URL lives on this machine
``LEVEE_PSEUDONYM_KEY_FILE``    file of mode 0600 with the masking key; the laptop's way
``LEVEE_PSEUDONYM_KEY``         the key itself; on a cluster, a reference to a secret scope puts it there
``LEVEE_FORMER_KEYS``           keys before a rotation, ``env:NAME`` or ``file:/path``, comma-separated, newest first
``LEVEE_PROGRESS``              JSONL file that progress events are appended to
``LEVEE_NODE_TYPE``             node type that compute-seconds are booked on; ``local`` where it is not set
``LEVEE_RUN_ID``                the run's name, shared by the tasks of one job run; made up where it is not set
``LEVEE_TASK_ATTEMPT``          which try of the task this is, from 1
``LEVEE_ACTOR``                 who runs it, for the records; the workspace's or the machine's user where it is not set
``LEVEE_CONFIRM_COST``          who has said that the run may exceed the budget (``levee run --confirm-cost``)
==============================  ======================================================================================
"""

from __future__ import annotations

import argparse
import enum
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from pipelines.budget.terms import Budget, Rates, parse_budget, parse_rates
from pipelines.errors import UsageError
from pipelines.secret_references import SecretReference


class Layer(enum.StrEnum):
    """A store of the lake; each has a root URL of its own."""

    LANDING = "landing"
    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"
    QUARANTINE = "quarantine"
    AUDIT = "audit"
    CHECKPOINTS = "checkpoints"

    @property
    def holds_tables(self) -> bool:
        """Whether Delta tables lie there; in the other stores files are written once and never changed.

        A table's log and files are rewritten at any age, so a store of tables can neither lock objects nor let them
        expire; landing expires what contracts say, and audit locks what it holds.
        """
        return self not in (Layer.LANDING, Layer.AUDIT)


class EngineName(enum.StrEnum):
    """Which Spark Connect server runs the task."""

    SAIL = "sail"
    """Embedded, in Rust, no Java: the laptop's default."""
    SPARK = "spark"
    """Open-source Spark with Delta: the reference for semantics."""
    DATABRICKS = "databricks"
    """The cluster's own session."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Somebody's word that a held batch may go on.

    Attributes:
        batch_id: The batch.
        by: Who.
        reason: Why.
    """

    batch_id: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Everything one task run is told, parsed once at the rim.

    Attributes:
        domain: Domain whose contracts are run.
        dataset: Source dataset of a bronze, silver or quality task.
        table: Gold table of a gold task.
        acceptance: The held batch that a replay task lets go on; ``None`` for a replay of all.
        sources: Datasets that the job reads; ``None`` for all of the domain's.
        roots: Root URL of each layer (``s3://…``, ``abfss://…``, ``gs://…``, or a local folder).
        environment: Deployment target, which chooses among a source's servers; ``None`` where there is but one.
        catalog: Unity Catalog catalog; ``None`` where tables are addressed by path alone.
        engine: Which Spark Connect server to open.
        path_map: Local folder by URL prefix; empty on a cluster.
        run_id: Name of the job run, the same in all its tasks.
        node_type: What compute-seconds are booked on.
        pseudonym_key: Where the key of masked columns is; it is read only where a column must be masked.
        former_keys: Where the keys are that were used before, by which those who were erased are known.
        request: JSON file with what a person asks of a task beside its parameters; ``None`` where nobody does.
        progress: JSONL file for progress events; ``None`` for none.
        started: When the settings were made, UTC.
        attempt: Which try of the task this is, from 1.
        rates: What an hour of each node type costs; empty where nobody said.
        budget: What the cost centre may spend in a month; ``None`` for no limit.
        confirmed_by: Who has said that the run may exceed the budget.
    """

    domain: str
    dataset: str | None = None
    table: str | None = None
    acceptance: Acceptance | None = None
    sources: tuple[str, ...] | None = None
    roots: Mapping[Layer, str] = field(default_factory=dict)
    environment: str | None = None
    catalog: str | None = None
    engine: EngineName = EngineName.SAIL
    path_map: Mapping[str, str] = field(default_factory=dict)
    run_id: str = ""
    node_type: str = "local"
    pseudonym_key: SecretReference | None = None
    former_keys: tuple[SecretReference, ...] = ()
    request: Path | None = None
    progress: Path | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    attempt: int = 1
    rates: Rates = field(default_factory=dict)
    budget: Budget | None = None
    confirmed_by: str | None = None

    @classmethod
    def parse(
        cls,
        argv: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        task: str = "levee-pipelines",
        now: datetime | None = None,
    ) -> RunSettings:
        """Read a task's parameters and its surroundings.

        Args:
            argv: ``--name value`` pairs, as a job hands them over.
            environment: Environment variables; the process's own by default.
            task: Name shown in usage messages.
            now: The time, for a made-up run id.

        Raises:
            UsageError: a parameter is unknown or missing, a variable has a value that cannot be.
        """
        variables = os.environ if environment is None else environment
        options = _options(task, argv)
        started = now or datetime.now(UTC)
        progress = variables.get("LEVEE_PROGRESS")
        run_id = options.run_id or variables.get("LEVEE_RUN_ID") or _new_run_id(started)
        return cls(
            domain=options.domain,
            dataset=options.dataset,
            table=options.table,
            acceptance=Acceptance(options.accept, options.by, options.reason) if options.accept else None,
            sources=tuple(name for name in options.sources.split(",") if name) if options.sources else None,
            roots=MappingProxyType({layer: url for layer in Layer if (url := getattr(options, layer.value))}),
            environment=options.environment,
            catalog=options.catalog,
            engine=_engine(variables),
            path_map=_path_map(variables.get("LEVEE_PATH_MAP")),
            run_id=run_id,
            node_type=options.node_type or variables.get("LEVEE_NODE_TYPE") or "local",
            pseudonym_key=_key(variables),
            former_keys=_former_keys(variables),
            request=Path(options.request) if options.request else None,
            progress=Path(progress) if progress else None,
            started=started,
            attempt=_attempt(options.attempt or variables.get("LEVEE_TASK_ATTEMPT")),
            rates=parse_rates(options.rates),
            budget=parse_budget(options.budget),
            confirmed_by=options.confirm_cost or variables.get("LEVEE_CONFIRM_COST") or None,
        )

    def root(self, layer: Layer) -> str:
        """Return the root of a layer as this machine reaches it: a URL, or the folder the URL is mapped to.

        Raises:
            UsageError: the task was not given this layer's root.
        """
        url = self.roots.get(layer)
        if url is None:
            raise UsageError(
                f"the task was not told where {layer.value} is", fix=f"pass --{layer.value} URL to the task"
            )
        return self.local(url)

    def path(self, layer: Layer, *parts: str) -> str:
        """Return the place of a table or folder under a layer's root, as this machine reaches it."""
        root = self.root(layer).rstrip("/")
        return "/".join([root, *parts]) if parts else root

    def table_path(self, layer: Layer, name: str) -> str:
        """Return the place of a table: ``<root of the layer>/<domain>/<name>``.

        Raises:
            ValueError: the layer's store expires or locks what lies there, and can hold no table.
        """
        if not layer.holds_tables:
            raise ValueError(f"{layer.value} is no store of tables: {name} would be expired or locked there")
        return self.path(layer, self.domain, name)

    def record_path(self, name: str) -> str:
        """Return the place of a table of records about the work itself (ledger, runs, ...): under checkpoints."""
        return self.table_path(Layer.CHECKPOINTS, name)

    def deliveries(self, dataset: str) -> str:
        """Return the folder that the deliveries of `dataset` land in: ``<landing>/<domain>/<dataset>``."""
        return self.path(Layer.LANDING, self.domain, dataset)

    def local(self, url: str) -> str:
        """Map a bucket URL to this machine's folder by the longest matching prefix; others come back as they are."""
        matches = [prefix for prefix in self.path_map if url == prefix or url.startswith(prefix.rstrip("/") + "/")]
        if not matches:
            return url
        prefix = max(matches, key=len)
        rest = url[len(prefix) :].strip("/")
        folder = PurePosixPath(self.path_map[prefix])
        return str(folder / rest) if rest else str(folder)


def _options(task: str, argv: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(prog=task, description=f"Levee task {task}", allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--domain", required=True, help="domain whose contracts are run, e.g. sales")
    parser.add_argument("--dataset", help="source dataset, e.g. online_retail")
    parser.add_argument("--table", help="gold table, e.g. revenue_by_month")
    parser.add_argument("--accept", metavar="BATCH", help="held batch that a replay lets go on")
    parser.add_argument("--by", default="", help="who lets it go on")
    parser.add_argument("--reason", default="", help="why it may go on")
    parser.add_argument("--sources", help="datasets that the job reads, comma-separated; all by default")
    for layer in Layer:
        parser.add_argument(f"--{layer.value}", metavar="URL", help=f"root of {layer.value}")
    parser.add_argument("--environment", help="deployment target, e.g. prod: which of a source's servers is read")
    parser.add_argument("--catalog", help="Unity Catalog catalog")
    parser.add_argument("--run-id", help="name of the job run, e.g. {{job.run_id}}")
    parser.add_argument("--node-type", help="node type that compute-seconds are booked on")
    parser.add_argument("--request", metavar="FILE", help="JSON file with what a person asks of the task")
    parser.add_argument("--attempt", help="which try of the task this is, e.g. {{task.execution_count}}")
    parser.add_argument("--rates", metavar="JSON", help="what an hour of each node type costs")
    parser.add_argument("--budget", metavar="JSON", help="what the cost centre may spend in a month")
    parser.add_argument("--confirm-cost", metavar="WHO", help="who has said that the run may exceed the budget")
    return parser.parse_args(list(argv))


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of leaving the process."""

    def error(self, message: str) -> Any:
        raise UsageError(message, where=self.prog, fix=self.format_usage().strip())


def _engine(variables: Mapping[str, str]) -> EngineName:
    value = variables.get("LEVEE_ENGINE")
    if not value:
        return EngineName.DATABRICKS if variables.get("DATABRICKS_RUNTIME_VERSION") else EngineName.SAIL
    try:
        return EngineName(value)
    except ValueError:
        names = ", ".join(EngineName)
        raise UsageError(f"LEVEE_ENGINE={value!r} is no engine", fix=f"set it to one of {names}") from None


def _attempt(value: str | None) -> int:
    if not value:
        return 1
    if not value.isdecimal() or int(value) < 1:
        raise UsageError(f"the attempt {value!r} is no number from 1", fix="leave it to the job host, or pass 1")
    return int(value)


def _path_map(value: str | None) -> Mapping[str, str]:
    if not value:
        return MappingProxyType({})
    try:
        mapping = json.loads(value)
    except json.JSONDecodeError as error:
        raise UsageError(f"LEVEE_PATH_MAP is not JSON: {error}", fix='set it to {"s3://bucket": "/folder"}') from error
    if not isinstance(mapping, dict) or not all(isinstance(folder, str) for folder in mapping.values()):
        raise UsageError("LEVEE_PATH_MAP must map URL prefixes to folders", fix='set it to {"s3://bucket": "/folder"}')
    return MappingProxyType(mapping)


def _key(variables: Mapping[str, str]) -> SecretReference | None:
    if path := variables.get("LEVEE_PSEUDONYM_KEY_FILE"):
        return SecretReference("file", path)
    return SecretReference("env", "LEVEE_PSEUDONYM_KEY") if variables.get("LEVEE_PSEUDONYM_KEY") else None


def _former_keys(variables: Mapping[str, str]) -> tuple[SecretReference, ...]:
    texts = variables.get("LEVEE_FORMER_KEYS", "").split(",")
    return tuple(SecretReference.parse(text.strip()) for text in texts if text.strip())


def _new_run_id(now: datetime) -> str:
    """Sortable by time, unique by 48 random bits."""
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(6)}"
