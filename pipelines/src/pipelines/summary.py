"""What a domain's tables hold, in the few numbers that a page shows: ``python -m pipelines.summary ... --json FILE``.

Takes the job's parameters (domain, sources, roots, catalog). The JSON, schema 1; money is text, exact:

``sales_over_time``         dataset, currency, month (ISO date), revenue, lines, quantity
``revenue_variance``        dataset, currency, month, change, volume_effect, price_effect
``revenue_by_customer``     dataset, currency, customer_id (pseudonym), revenue: the highest of each dataset
``revenue_by_country``      dataset, currency, country, revenue
``clean_vs_quarantined``    dataset, rows, silver, duplicates, quarantined
``quarantine_by_rule``      dataset, rule, rows
``quality``                 dataset, batch, check, success (null: not run), rows, failed, observed, not_run
``runs``                    run_id, task, dataset, engine, status, started_at, seconds, rows, files, bytes

A list is empty where nothing was delivered, or a source has no such column.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.contracts import Contract, Domain, load_domain
from pipelines.errors import PipelineError
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine

SCHEMA = 1
CUSTOMERS = 25
"""Customers shown of each dataset."""
RUNS = 200
"""Task runs shown, the newest."""


def summary(engine: Engine, settings: RunSettings, domain: Domain) -> dict[str, Any]:
    """Read the domain's tables into the dictionary described above."""
    sources = domain.choose(settings.sources)
    reader = _Reader(engine, settings, domain)
    return {
        "schema": SCHEMA,
        "domain": domain.name,
        "sales_over_time": reader.gold(
            "revenue_by_month", ["month", "revenue", "lines", "quantity"], "dataset, currency, month"
        ),
        "revenue_variance": reader.gold(
            "revenue_variance", ["month", "change", "volume_effect", "price_effect"], "dataset, currency, month"
        ),
        "revenue_by_customer": reader.top_customers(),
        "revenue_by_country": reader.gold(
            "revenue_by_country", ["country", "revenue"], "dataset, currency, revenue DESC, country"
        ),
        "clean_vs_quarantined": [row for source in sources if (row := reader.split(source))],
        "quarantine_by_rule": [row for source in sources for row in reader.by_rule(source)],
        "quality": [row for source in sources for row in reader.quality(source)],
        "runs": reader.runs(),
    }


class _Reader:
    """Reads one domain's tables; a table that is not there gives nothing."""

    def __init__(self, engine: Engine, settings: RunSettings, domain: Domain) -> None:
        self.engine = engine
        self.settings = settings
        self.domain = domain

    def gold(self, table: str, columns: Sequence[str], order: str) -> list[dict[str, Any]]:
        """Columns of a gold table, after dataset and currency."""
        path = self.settings.table_path(Layer.GOLD, table)
        if not self.engine.exists(path):
            return []
        frame = self.engine.read(path).select("dataset", "currency", *columns)
        frame.createOrReplaceTempView("levee_summary")
        rows = self.engine.spark.sql(f"SELECT * FROM levee_summary ORDER BY {order}").toArrow().to_pylist()
        return [{name: _json(value) for name, value in row.items()} for row in rows]

    def top_customers(self) -> list[dict[str, Any]]:
        """The customers of each dataset with the highest revenue."""
        path = self.settings.table_path(Layer.GOLD, "revenue_by_customer")
        if not self.engine.exists(path):
            return []
        ranked = self.engine.read(path).selectExpr(
            "dataset",
            "currency",
            "customer_id",
            "revenue",
            "row_number() OVER (PARTITION BY dataset, currency ORDER BY revenue DESC, customer_id) AS place",
        )
        rows = ranked.where(f"place <= {CUSTOMERS}").toArrow().to_pylist()
        ordered = sorted(rows, key=lambda row: (row["dataset"], row["currency"], row["place"]))
        return [{name: _json(value) for name, value in row.items() if name != "place"} for row in ordered]

    def split(self, source: Contract) -> dict[str, Any] | None:
        """Where the rows of a source went; ``None`` where nothing was ever delivered.

        Rows that retention took out of bronze count as delivered, and are no duplicates for having left silver.
        """
        rows = self._count(Layer.BRONZE, source) + self._expired(Layer.BRONZE, source)
        if rows == 0:
            return None
        silver, quarantined = self._count(Layer.SILVER, source), self._count(Layer.QUARANTINE, source)
        gone = self._expired(Layer.SILVER, source) + self._expired(Layer.QUARANTINE, source)
        return {
            "dataset": source.dataset,
            "rows": rows,
            "silver": silver,
            "duplicates": rows - silver - quarantined - gone,
            "quarantined": quarantined,
        }

    def by_rule(self, source: Contract) -> list[dict[str, Any]]:
        """Rows in quarantine under each rule, the most frequent first."""
        from pipelines.quality.task import quarantined_by_rule

        counted = quarantined_by_rule(self.engine, self.settings, source)
        ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
        return [{"dataset": source.dataset, "rule": rule, "rows": rows} for rule, rows in ordered]

    def quality(self, source: Contract) -> list[dict[str, Any]]:
        """The newest results of a source's checks."""
        from pipelines.quality.results import RESULTS

        rows = self.engine.rows(self.settings.record_path(RESULTS), matching={"dataset": source.dataset}).to_pylist()
        newest = max((row["evaluated_at"] for row in rows), default=None)
        shown = ("dataset", "batch", "success", "rows", "failed", "observed", "not_run")
        return [
            {"check": row["check_id"], **{name: row[name] for name in shown}}
            for row in rows
            if row["evaluated_at"] == newest
        ]

    def runs(self) -> list[dict[str, Any]]:
        """The newest task runs, newest first."""
        from pipelines.runs import TABLE

        found = self.engine.rows(self.settings.record_path(TABLE)).to_pylist()
        rows = sorted(found, key=lambda row: row["started_at"], reverse=True)
        shown = ("run_id", "task", "dataset", "engine", "status", "seconds", "files", "bytes")
        return [
            {
                **{name: row[name] for name in shown},
                "started_at": row["started_at"].isoformat(),
                "rows": max(row["rows_in"], row["rows_out"]),
            }
            for row in rows[:RUNS]
        ]

    def _expired(self, layer: Layer, source: Contract) -> int:
        from pipelines.maintain import expired_rows

        return expired_rows(self.engine, self.settings, self.settings.table_path(layer, source.dataset))

    def _count(self, layer: Layer, source: Contract) -> int:
        return self.engine.count(self.settings.table_path(layer, source.dataset))


def _json(value: Any) -> Any:
    """Text for what JSON has no exact form for: decimals, dates and times."""
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the summary to the file that ``--json`` names."""
    from pipelines.engine import Engine

    parser = argparse.ArgumentParser(prog="python -m pipelines.summary", description=__doc__, allow_abbrev=False)
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where the summary goes")
    options, rest = parser.parse_known_args(argv)
    try:
        settings = RunSettings.parse(rest, task="summary")
        found = summary(Engine.open(settings.engine), settings, load_domain(settings.domain))
        _write(options.json, json.dumps(found, indent=1))
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PipelineError(f"the summary cannot be written: {error.strerror}", where=str(file)) from error


if __name__ == "__main__":
    sys.exit(main())
