"""Twenty checks on five million rows with three per cent bad ones: split, quarantined with the rules, told by a suite.

Contestants read the same Parquet of texts, as bronze has them, and type them by the same SQL (pandera by polars' own).
All but the bare write leave the same two Delta tables: the good rows, and the bad ones with the rules that they broke.
They are interleaved in one process, modules imported before the clock starts:

* ``one-pass``: what silver does: every row typed, judged (`pipelines.silver.verdicts`) and written once
  (`pipelines.engine.staging`), and the Great Expectations suite validated from the pass's metrics;
* ``gx-and-split``: Great Expectations reads the rows itself on the same engine, with results of the format COMPLETE;
  then the rows are split by the same predicates and written;
* ``gx-counts-and-split``: the same with the cheapest results that Great Expectations has (BOOLEAN_ONLY);
* ``pandera``: pandera on polars, lazily, so that it reports every failure; split by those and written by polars;
* ``bare``: the rows are typed and written, and nothing is asked.

That both tables have as many rows and rules whoever wrote them is checked after each run, out of the clock.
``.venv/bin/python bench/quality.py [--rows 5000000] [--rounds 3] [--engine spark] [--only one-pass,bare]``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DISABLE_PANDERA_IMPORT_WARNING", "True")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ruamel.yaml import YAML
from spent import spent

from pipelines.contracts import load_contract
from pipelines.contracts.model import Column
from pipelines.engine import Engine
from pipelines.engine.arrow_types import to_arrow_schema
from pipelines.engine.staging import staged
from pipelines.quality.rule import Rule
from pipelines.quality.rules import rules
from pipelines.settings import EngineName
from pipelines.silver.plan import ACCEPTED, FATE, REJECTED
from pipelines.silver.typing import typed
from pipelines.silver.verdicts import Verdicts

COUNTRIES = ["DE", "FR", "GB", "IT", "NL", "ES", "PL", "SE"]
STATES = ["open", "paid", "sent", "done"]
BAD = 0.03
SEED = 20261122
COLUMNS: tuple[Mapping[str, Any], ...] = (
    {"name": "id", "logicalType": "integer", "physicalType": "bigint", "required": True,
     "logicalTypeOptions": {"minimum": 1}},
    {"name": "customer", "logicalType": "string", "required": True,
     "logicalTypeOptions": {"pattern": "^C[0-9]{6}$", "minLength": 7, "maxLength": 7}},
    {"name": "pieces", "logicalType": "integer", "physicalType": "int", "required": True,
     "logicalTypeOptions": {"exclusiveMinimum": 0, "maximum": 10000}},
    {"name": "price", "logicalType": "number", "physicalType": "double", "required": True,
     "logicalTypeOptions": {"minimum": 0, "maximum": 100000}},
    {"name": "country", "logicalType": "string", "required": True,
     "quality": [
         {"id": "country_known", "metric": "invalidValues", "arguments": {"validValues": COUNTRIES}, "mustBe": 0}
     ]},
    {"name": "state", "logicalType": "string", "required": True,
     "quality": [{"id": "state_known", "metric": "invalidValues", "arguments": {"validValues": STATES}, "mustBe": 0}]},
    {"name": "note", "logicalType": "string", "logicalTypeOptions": {"maxLength": 40}},
    {"name": "discount", "logicalType": "integer", "physicalType": "int",
     "logicalTypeOptions": {"minimum": 0, "maximum": 90}},
    {"name": "channel", "logicalType": "string", "logicalTypeOptions": {"minLength": 3}},
)  # fmt: skip
"""Columns of the rows, with twenty rules."""

Contestant = Callable[["Field"], None]


@dataclass(frozen=True)
class Field:
    """Where a run finds the rows and leaves its tables.

    Attributes:
        engine: The open engine.
        columns: The contract's columns.
        rules: The twenty rules.
        rows: Parquet file of the rows, texts.
        out: Folder for the tables `good` and `bad`.
    """

    engine: Engine
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    rows: Path
    out: Path

    def texts(self) -> Any:
        """The rows, as bronze has them."""
        return self.engine.spark.read.parquet(str(self.rows))

    def typed(self) -> Any:
        """The rows, typed as silver does it."""
        return self.texts().selectExpr("_position", *(f"{typed(column)} AS {column.name}" for column in self.columns))

    def save(self, frame: Any, table: str) -> None:
        """Write a frame of the engine as Delta."""
        frame.write.format("delta").mode("overwrite").save(str(self.out / table))


def one_pass(field: Field) -> None:
    """What silver does with a batch, less its ledger, masking and removal of duplicates.

    The bad rows' texts are read again for quarantine, as silver does it.
    """
    from pipelines.quality import suite

    verdicts = Verdicts.of(field.rules)
    rows = field.typed().selectExpr("*", "CAST(NULL AS STRING) AS _parse_error", "1L AS _copies")
    names = ["_position", *(column.name for column in field.columns)]
    fate = f"CASE WHEN {verdicts.is_broken} THEN {REJECTED} ELSE {ACCEPTED} END AS {FATE}"
    refined = rows.selectExpr("*", *verdicts.columns).selectExpr(*names, "_copies", *verdicts.numbers, fate)
    with staged(field.engine, refined, str(field.out / "staged"), FATE) as kept:
        metrics = verdicts.metrics(kept.rows)
        good = kept.rows.where(f"{FATE} = {ACCEPTED}").select(*names)
        field.engine.ensure(str(field.out / "good"), to_arrow_schema(good.schema))
        assert kept.adopt(field.engine, str(field.out / "good"), good, str(ACCEPTED))
        broken = kept.rows.where(verdicts.is_broken).selectExpr("_position", f"{verdicts.rule_ids} AS _rules")
        field.save(field.texts().join(broken, ["_position"]), "bad")
    failed = {metric.subject: int(metric.total) for metric in metrics.items if metric.kind == "rule"}
    nulls = {metric.subject: int(metric.total) for metric in metrics.items if metric.kind == "nulls"}
    suite.validate([suite.counted_batch("rows", field.rules, metrics.judged, failed, nulls)], None, "bench")


def gx_and_split(field: Field, result_format: Literal["COMPLETE", "BOOLEAN_ONLY"] = "COMPLETE") -> None:
    """Great Expectations over the rows, then a split of one's own."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    from pipelines.quality import suite

    rows = field.typed()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    wanted = context.suites.add(gx.ExpectationSuite(name="rows"))
    for rule in field.rules:
        wanted.add_expectation(suite.implemented(rule.id, rule.expectation))
    asset = context.data_sources.add_spark("rows", persist=False).add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": rows})
    batch.validate(wanted, result_format=result_format)
    broken = [f"CASE WHEN NOT ({rule.predicate}) THEN '{rule.id}' END" for rule in field.rules]
    field.save(rows.where(" AND ".join(f"({rule.predicate})" for rule in field.rules)), "good")
    bad = rows.selectExpr("*", f"concat_ws(',', {', '.join(broken)}) AS _rules")
    field.save(bad.where("_rules <> ''"), "bad")


def gx_counts_and_split(field: Field) -> None:
    """The same with the cheapest results."""
    gx_and_split(field, "BOOLEAN_ONLY")


def pandera_on_polars(field: Field) -> None:
    """Every failure, lazily; rows are split by their numbers."""
    import pandera.polars as pandera
    import polars as pl

    types = {"bigint": pl.Int64, "int": pl.Int32, "double": pl.Float64, "string": pl.String}
    rows = pl.read_parquet(field.rows).with_columns(
        pl.col(column.name).cast(types[column.type], strict=False) for column in field.columns
    )
    named: dict[str, list[Any]] = {column["name"]: [] for column in COLUMNS}
    required = {rule.column for rule in field.rules if rule.kind == "required"}
    for rule in field.rules:
        if rule.native and rule.kind != "required":
            named[str(rule.column)].append(_polars_check(rule))
    schema = pandera.DataFrameSchema(
        {name: pandera.Column(checks=checks, nullable=name not in required) for name, checks in named.items()}
    )
    try:
        schema.validate(rows, lazy=True)
        failures = pl.DataFrame(schema={"index": pl.Int32, "rule": pl.String})
    except pandera.errors.SchemaErrors as error:
        rule = (
            pl.when(pl.col("check") == "not_nullable").then(pl.col("column") + "_required").otherwise(pl.col("check"))
        )
        failures = error.failure_cases.select("index", rule.alias("rule"))
    broken = failures.group_by("index").agg(pl.col("rule").sort().str.join(",").alias("_rules"))
    numbered = rows.with_row_index("index").with_columns(pl.col("index").cast(pl.Int32))
    numbered.join(broken, on="index", how="anti").drop("index").write_delta(field.out / "good", mode="overwrite")
    numbered.join(broken, on="index").drop("index").write_delta(field.out / "bad", mode="overwrite")


def _polars_check(rule: Rule) -> Any:
    import pandera.polars as pandera

    assert rule.native
    given = rule.native.kwargs
    match rule.native.type:
        case "expect_column_values_to_be_in_set":
            return pandera.Check.isin(given["value_set"], name=rule.id, error=rule.id)
        case "expect_column_values_to_match_regex":
            return pandera.Check.str_matches(given["regex"], name=rule.id, error=rule.id)
        case "expect_column_value_lengths_to_be_between":
            bounds = {"min_value": given.get("min_value"), "max_value": given.get("max_value")}
            return pandera.Check.str_length(**bounds, name=rule.id, error=rule.id)
        case _ if "min_value" in given:
            kind = pandera.Check.gt if given["strict_min"] else pandera.Check.ge
            return kind(given["min_value"], name=rule.id, error=rule.id)
        case _:
            return pandera.Check.le(given["max_value"], name=rule.id, error=rule.id)


def bare(field: Field) -> None:
    """The rows, written."""
    field.save(field.typed(), "good")


CONTESTANTS: dict[str, Contestant] = {
    "one-pass": one_pass,
    "gx-and-split": gx_and_split,
    "gx-counts-and-split": gx_counts_and_split,
    "pandera": pandera_on_polars,
    "bare": bare,
}


def main() -> int:
    """Print a table; 1 where two contestants leave different tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", type=EngineName, default=EngineName.SAIL)
    parser.add_argument("--only", default=",".join(CONTESTANTS), help="contestants")
    parser.add_argument("--json", type=Path, help="write the measurements there too")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    chosen = options.only.split(",")
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in chosen}
    engine = Engine.open(options.engine)
    with tempfile.TemporaryDirectory(prefix="levee-bench-") as folder:
        rows = Path(folder) / "rows.parquet"
        lay(rows, options.rows)
        asked = contract(Path(folder))
        small = Path(folder) / "small.parquet"
        lay(small, 1000)
        for name in chosen:  # imports, plans and the engine's first query are not what is measured
            run(name, Field(engine, *asked, small, Path(folder) / f"warm-{name}"))
        found = {}
        for _ in range(options.rounds):
            for name in chosen:
                field = Field(engine, *asked, rows, Path(folder) / name)
                seconds[name].append(run(name, field))
                found[name] = left(field) if name != "bare" else None
                shutil.rmtree(field.out)
    return told(options, seconds, found)


def run(name: str, field: Field) -> tuple[float, float]:
    """Seconds of one run: by the clock, and of the processor."""
    field.out.mkdir(parents=True, exist_ok=True)
    started, worked = time.perf_counter(), spent()
    CONTESTANTS[name](field)
    return time.perf_counter() - started, spent() - worked


def left(field: Field) -> tuple[int, dict[str, int]]:
    """Good rows, and bad rows by the rules that they broke, in whatever order they are named."""
    good = field.engine.read(str(field.out / "good")).count()
    counted: dict[str, int] = {}
    for row in field.engine.read(str(field.out / "bad")).groupBy("_rules").count().collect():
        name = ",".join(sorted(row["_rules"].split(",")))
        counted[name] = counted.get(name, 0) + row["count"]
    return good, counted


def told(
    options: argparse.Namespace, seconds: Mapping[str, list[tuple[float, float]]], found: Mapping[str, Any]
) -> int:
    """Print what was measured; 1 where tables differ."""
    medians = {name: statistics.median(clock for clock, _ in values) for name, values in seconds.items()}
    worked = {name: statistics.median(cpu for _, cpu in values) for name, values in seconds.items()}
    ours = medians.get("one-pass")
    load, peak = os.getloadavg()[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{options.rows:,} rows on {options.engine}, medians of {options.rounds}, load {load:.1f}, ", end="")
    print(f"peak memory of the process {peak:.1f} GiB\n")
    print("| | seconds | processor s | rows/s | seconds to one-pass | processor to one-pass | to the bare write |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    bare_write = worked.get("bare")
    for name, median in medians.items():
        ratio = f"{median / ours:.2f}" if ours else ""
        work = f"{worked[name] / worked['one-pass']:.2f}" if ours else ""
        more = f"{100 * (worked[name] / bare_write - 1):+.0f} %" if bare_write else ""
        rate = f"{options.rows / median:,.0f}"
        print(f"| {name} | {median:.2f} | {worked[name]:.2f} | {rate} | {ratio} | {work} | {more} |")
    if options.json:
        options.json.write_text(
            json.dumps({"rows": options.rows, "engine": options.engine, "seconds": seconds}, indent=1)
        )
    tables = {name: table for name, table in found.items() if table is not None}
    if any(table != next(iter(tables.values())) for table in tables.values()):
        print("the tables differ:", {name: (good, sum(bad.values()), len(bad)) for name, (good, bad) in tables.items()})
        return 1
    return 0


def lay(path: Path, rows: int) -> None:
    """Write `rows` rows, of which three in a hundred break one rule, and one in a thousand two."""
    rng = np.random.default_rng(SEED)
    with pq.ParquetWriter(path, (first := _rows(rng, 0, min(rows, 250_000))).schema) as out:
        out.write_table(first)
        for start in range(250_000, rows, 250_000):
            out.write_table(_rows(rng, start, min(250_000, rows - start)))


def _rows(rng: np.random.Generator, start: int, n: int) -> pa.Table:
    fate = rng.random(n)
    slip = np.where(fate < BAD, rng.integers(0, 8, n), -1)
    twice = fate < BAD / 30

    def spoilt(values: np.ndarray, which: int, bad: Any) -> np.ndarray:
        return np.where((slip == which) | (twice & (slip != -1) & (which == 2)), bad, values)

    customers = np.char.add("C", np.char.zfill(rng.integers(0, 10**6, n).astype(str), 6)).astype(object)
    columns = {
        "_position": pa.array(np.arange(start, start + n)),
        "id": pa.array(spoilt(np.arange(start + 1, start + n + 1), 0, 0), mask=slip == 7),
        "customer": pa.array(spoilt(customers, 1, "c1"), pa.string()),
        "pieces": pa.array(spoilt(rng.integers(1, 100, n), 2, -1), pa.int32()),
        "price": pa.array(spoilt(rng.random(n) * 1000, 3, -0.5)),
        "country": pa.array(spoilt(rng.choice(COUNTRIES, n).astype(object), 4, "XX"), pa.string()),
        "state": pa.array(spoilt(rng.choice(STATES, n).astype(object), 5, "lost"), pa.string()),
        "note": pa.array(np.char.add("note ", rng.integers(0, 10**9, n).astype(str)).astype(object), pa.string()),
        "discount": pa.array(spoilt(rng.integers(0, 91, n), 6, 120), pa.int32(), mask=rng.random(n) < 0.2),
        "channel": pa.array(rng.choice(["web", "shop", "phone"], n).astype(object), pa.string()),
    }
    table = pa.table(columns)
    return table.cast(pa.schema([(name, pa.int64() if name == "_position" else pa.string()) for name in columns]))


def contract(folder: Path) -> tuple[tuple[Column, ...], tuple[Rule, ...]]:
    """The contract's columns and twenty rules: its own less those that ask whether a text could be read."""
    document = {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "rows", "version": "1.0.0", "status": "draft",
        "domain": "bench",
        "schema": [{"name": "rows", "properties": [{**column, "classification": "internal"} for column in COLUMNS]}],
        "customProperties": [
            {"property": "layer", "value": "source"}, {"property": "ingestion", "value": {"format": "csv"}},
        ],
    }  # fmt: skip
    path = folder / "rows.odcs.yaml"
    with path.open("w") as file:
        YAML().dump(json.loads(json.dumps(document)), file)
    made = load_contract(path)
    found = tuple(rule for rule in rules(made) if rule.kind != "type")
    assert len(found) == 20, [rule.id for rule in found]
    return made.columns, found


if __name__ == "__main__":
    sys.exit(main())
