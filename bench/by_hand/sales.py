# ruff: noqa: S608 - the SQL is made of names that are written in this file
"""One contestant of ``bench/sales.py``: ``sales.py NAME LANDING LAKE`` prints seconds by layer and what came out.

The scripts are written as one would by hand for this one dataset: short, direct, and as fast as their engine lets them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pa_csv
from spent import spent

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FIELDS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
GOLD = {
    "month": "SELECT date_trunc('month', ordered_at) AS month, sum(amount) AS revenue FROM silver GROUP BY 1",
    "customer": "SELECT customer_id, sum(amount) AS revenue, count(*) AS n FROM silver GROUP BY customer_id",
    "country": "SELECT country, sum(amount) AS revenue, count(*) AS n FROM silver GROUP BY country",
}
RULES = {
    "not_a_cancellation": "invoice_no NOT LIKE 'C%'",
    "quantity_positive": "quantity > 0",
    "unit_price_positive": "unit_price > 0",
    "customer_present": "customer_id IS NOT NULL",
}
SILVER = (
    "invoice_no", "stock_code", "description", "quantity", "ordered_at", "unit_price", "customer_id", "country",
    "amount", "currency",
)  # fmt: skip
LAYERS = ("bronze", "silver", "quarantine")
SALES = (
    "SELECT 'online_retail' AS dataset, customer_id, stock_code AS product_id, ordered_at, quantity, amount, currency, "
    "concat('silver.online_retail:', _batch_id) AS _batch_id FROM online_retail"
)
GOLD_TABLES = ("revenue_by_month", "revenue_by_customer", "revenue_by_country")
GOLD_SQL = Path(__file__).parents[2] / "pipelines" / "src" / "pipelines" / "domains" / "sales" / "gold"
Timed = tuple[dict[str, float], dict[str, object]]


class Clock:
    """Seconds by layer, by the clock and of the processor."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last, self._spent = time.perf_counter(), spent()

    def lap(self, layer: str) -> None:
        """Book what has gone by since the last lap."""
        now, worked = time.perf_counter(), spent()
        self.seconds[layer] = round(now - self._last, 3)
        self.seconds[f"{layer}_cpu"] = round(worked - self._spent, 3)
        self._last, self._spent = now, worked


def levee(engine_name: str, landing: Path, lake: Path) -> Timed:
    """The product's own tasks, as a job calls them."""
    from pipelines.bronze.ingest import ingest
    from pipelines.contracts import load_domain
    from pipelines.engine import Engine
    from pipelines.gold.build import build
    from pipelines.secret_references import SecretReference
    from pipelines.settings import EngineName, Layer, RunSettings
    from pipelines.silver.refine import refine

    roots = {layer: str(lake / layer.value) for layer in Layer} | {Layer.LANDING: str(landing.parents[1])}
    key = SecretReference("env", "LEVEE_PSEUDONYM_KEY")

    settings = RunSettings(domain="sales", dataset="online_retail", roots=roots, run_id="bench", pseudonym_key=key)

    domain = load_domain("sales")
    contract = domain.contract("online_retail")
    engine = Engine.open(EngineName(engine_name))
    clock = Clock()
    ingest(engine, contract, settings)
    clock.lap("bronze")
    result = refine(engine, contract, settings)
    clock.lap("silver")
    for table in ("sales", *GOLD_TABLES):
        build(engine, replace(settings, dataset=None, table=table), domain, domain.contract(table))
    clock.lap("gold")
    revenue = engine.read(settings.table_path(Layer.SILVER, "online_retail")).selectExpr("sum(amount)").collect()
    return clock.seconds, {
        "silver_rows": result.silver,
        "quarantine_rows": result.quarantine,
        "revenue": str(revenue[0][0]),
    }


def script(engine_name: str, landing: Path, lake: Path) -> Timed:
    """One script on the same engine, which leaves the same tables, column by column, and may be run again.

    It takes in the files that bronze has not, in one commit, and makes the other tables anew from bronze; it stops
    where a line is malformed or a row is lost. It knows one dataset, and of one run at a time.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the customary name
    from pyspark.sql.functions import arrow_udf

    from pipelines.engine.sessions import session
    from pipelines.settings import EngineName

    spark = session(EngineName(engine_name))
    bronze, silver, quarantine = (str(lake / layer / "sales" / "online_retail") for layer in LAYERS)
    stamp = ["current_timestamp() AS _ingested_at", "'bench' AS _run_id"]

    def read(table: str) -> DataFrame:
        return spark.read.format("delta").load(table)

    clock = Clock()
    with ThreadPoolExecutor() as pool:
        paths = sorted(landing.iterdir())
        contents = dict(zip(map(str, paths), pool.map(_sha256, paths), strict=True))
    if (Path(bronze) / "_delta_log").exists():
        there = {row[0] for row in read(bronze).select("_file_sha256").distinct().collect()}
        contents = {path: sha for path, sha in contents.items() if sha not in there}
    if contents:
        schema = ", ".join(f"{name} string" for name in FIELDS) + ", _rescued string, _file string"
        schema += ", _file_sha256 string, _line long, _raw binary, _parse_error string"
        files = spark.createDataFrame(pa.table({"path": list(contents), "sha256": list(contents.values())}))
        parsed = files.repartition(os.cpu_count() or 2).mapInArrow(_read_files, schema).selectExpr("*", *stamp)
        parsed.write.format("delta").mode("append").save(bronze)
    clock.lap("bronze")

    pseudonym = arrow_udf(_pseudonyms, "string")  # ty: ignore[no-matching-overload] - as in pipelines.privacy.masking
    rows = read(bronze)
    position = "concat(_file_sha256, lpad(cast(_line AS string), 9, '0'), _file) AS _position"
    typed = (
        rows.selectExpr(*FIELDS, position)
        .groupBy(*FIELDS)
        .agg(F.min("_position").alias("_position"), F.count("*").alias("_copies"))
        .selectExpr(
            "InvoiceNo AS invoice_no",
            "StockCode AS stock_code",
            "nullif(Description, '') AS description",
            "try_cast(Quantity AS int) AS quantity",
            "try_cast(InvoiceDate AS timestamp) AS ordered_at",
            "try_cast(UnitPrice AS decimal(18,3)) AS unit_price",
            "nullif(regexp_replace(CustomerID, '[.]0$', ''), '') AS customer_id",
            "Country AS country",
            "cast(try_cast(UnitPrice AS decimal(18,3)) * try_cast(Quantity AS int) AS decimal(18,3)) AS amount",
            "'GBP' AS currency",
            "substring(_position, 74) AS _file",
            "substring(_position, 1, 64) AS _file_sha256",
            "cast(substring(_position, 65, 9) AS bigint) AS _line",
            "_copies",
        )
    )
    lineage = ["_file", "_file_sha256", "_line", "_copies"]
    row_hash = f"md5(concat_ws('|', {', '.join(SILVER)})) AS _row_hash"
    stamp = ["'bench' AS _batch_id", *stamp]
    good = " AND ".join(f"coalesce({rule}, false)" for rule in RULES.values())
    masked = typed.where(good).withColumn("customer_id", pseudonym("customer_id"))
    masked.selectExpr(*SILVER, *lineage, row_hash, *stamp).write.format("delta").mode("overwrite").save(silver)
    broken = ", ".join(f"CASE WHEN NOT coalesce({rule}, false) THEN '{name}' END" for name, rule in RULES.items())
    rejected = typed.where(f"NOT ({good})").selectExpr(*lineage, row_hash, f"concat_ws(',', {broken}) AS _rules")
    rejected = rejected.join(
        rows.select("_file_sha256", "_line", "_raw", "_rescued", "_parse_error"), ["_file_sha256", "_line"]
    )
    rejected = rejected.selectExpr("*", "'1.0.0' AS _contract_version", *stamp)
    rejected.write.format("delta").mode("overwrite").save(quarantine)
    counted = [read(table).agg(F.sum("_copies"), F.count("*")).collect()[0] for table in (silver, quarantine)]
    if rows.count() != sum(copies for copies, _ in counted):
        raise SystemExit("rows were lost")
    clock.lap("silver")

    read(silver).createOrReplaceTempView("online_retail")
    sales = str(lake / "silver" / "sales" / "sales")
    spark.sql(SALES).write.format("delta").mode("overwrite").save(sales)
    read(sales).createOrReplaceTempView("sales")
    for table in GOLD_TABLES:
        query = (GOLD_SQL / f"{table}.sql").read_text().replace("silver.", "")
        spark.sql(query).write.format("delta").mode("overwrite").save(str(lake / "gold" / table))
    clock.lap("gold")
    revenue = spark.sql("SELECT sum(amount) FROM online_retail").collect()[0][0]
    return clock.seconds, {"silver_rows": counted[0][1], "quarantine_rows": counted[1][1], "revenue": str(revenue)}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _pseudonyms(values: pa.Array) -> pa.Array:
    texts = values.to_pylist()
    known = {value: _pseudonym(value) for value in set(texts) if value is not None}
    return pa.array([known.get(value) for value in texts], pa.string())


_pseudonyms.__annotations__ = {"values": pa.Array, "return": pa.Array}


def _read_files(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    options = pa_csv.ConvertOptions(column_types=dict.fromkeys(FIELDS, pa.string()), strings_can_be_null=False)
    for batch in batches:
        for row in batch.to_pylist():
            content = Path(row["path"]).read_bytes()
            table = pa_csv.read_csv(pa.BufferReader(content), convert_options=options).combine_chunks()
            lines = content.splitlines(keepends=True)[1:]
            count = len(lines)
            if table.num_rows != count:
                raise ValueError(f"{row['path']} has a malformed line")
            columns = [table[name].combine_chunks() for name in FIELDS]
            columns += [
                pa.nulls(count, pa.string()),
                pa.repeat(Path(row["path"]).name, count),
                pa.repeat(row["sha256"], count),
                pa.array(range(2, count + 2), pa.int64()),
                pa.array(lines, pa.binary()),
                pa.nulls(count, pa.string()),
            ]
            lineage = ["_rescued", "_file", "_file_sha256", "_line", "_raw", "_parse_error"]
            yield pa.RecordBatch.from_arrays(columns, [*FIELDS, *lineage])


def _pseudonym(value: str) -> str:
    return hmac.digest(os.environ["LEVEE_PSEUDONYM_KEY"].encode(), value.encode(), "sha256").hex()[:32]


def by_duckdb(landing: Path, lake: Path) -> Timed:
    """DuckDB, tables written by deltalake."""
    import duckdb
    from deltalake import write_deltalake

    con = duckdb.connect()
    con.create_function("pseudonym", _pseudonym, [duckdb.sqltype("VARCHAR")], duckdb.sqltype("VARCHAR"))
    clock = Clock()

    def write(query: str, table: str) -> None:
        write_deltalake(str(lake / table), con.sql(query).to_arrow_reader(100_000))

    sha256 = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in landing.iterdir()}
    con.execute(
        "CREATE TABLE files AS SELECT unnest($1) AS filename, unnest($2) AS _file_sha256",
        [list(sha256), list(sha256.values())],
    )
    con.execute(
        f"CREATE TABLE bronze AS SELECT * FROM read_csv('{landing}/*.csv', all_varchar=true, header=true, "
        "filename=true) JOIN files USING (filename)"
    )
    write("FROM bronze", "bronze")
    clock.lap("bronze")
    con.execute(
        f"""
        CREATE TABLE typed AS SELECT
            InvoiceNo AS invoice_no, StockCode AS stock_code, nullif(Description, '') AS description,
            try_cast(Quantity AS INT) AS quantity, try_cast(InvoiceDate AS TIMESTAMP) AS ordered_at,
            try_cast(UnitPrice AS DECIMAL(18,3)) AS unit_price,
            nullif(regexp_replace(CustomerID, '[.]0$', ''), '') AS customer_id, Country AS country,
            (try_cast(UnitPrice AS DECIMAL(18,3)) * try_cast(Quantity AS INT))::DECIMAL(18,3) AS amount, _file_sha256
        FROM (SELECT {", ".join(FIELDS)}, min(_file_sha256) AS _file_sha256 FROM bronze GROUP BY ALL)
        """
    )
    con.execute(
        "CREATE TABLE masks AS SELECT customer_id, pseudonym(customer_id) AS mask FROM "
        "(SELECT DISTINCT customer_id FROM typed WHERE customer_id IS NOT NULL)"
    )
    good = " AND ".join(f"coalesce({rule}, false)" for rule in RULES.values())
    con.execute(
        f"CREATE TABLE silver AS SELECT typed.* REPLACE (mask AS customer_id) FROM typed "
        f"JOIN masks USING (customer_id) WHERE {good.replace('customer_id', 'typed.customer_id')}"
    )
    write("FROM silver", "silver")
    broken = ", ".join(f"CASE WHEN NOT coalesce({rule}, false) THEN '{name}' END" for name, rule in RULES.items())
    con.execute(
        f"CREATE TABLE quarantine AS SELECT *, concat_ws(',', {broken}) AS _rules FROM typed WHERE NOT ({good})"
    )
    write("FROM quarantine", "quarantine")
    clock.lap("silver")
    for table, query in GOLD.items():
        write(query, f"gold_{table}")
    clock.lap("gold")
    revenue, rows = con.sql("SELECT sum(amount), count(*) FROM silver").fetchall()[0]
    (rejected,) = con.sql("SELECT count(*) FROM quarantine").fetchall()[0]
    return clock.seconds, {"silver_rows": rows, "quarantine_rows": rejected, "revenue": str(revenue)}


def by_polars(landing: Path, lake: Path) -> Timed:
    """Polars, tables written by deltalake."""
    import polars as pl
    from deltalake import write_deltalake

    clock = Clock()

    def write(frame: pl.DataFrame, table: str) -> None:
        write_deltalake(str(lake / table), frame.to_arrow())

    files = sorted(landing.iterdir())
    sha256 = pl.DataFrame(
        {"_file": [str(p) for p in files], "_file_sha256": [hashlib.sha256(p.read_bytes()).hexdigest() for p in files]}
    )
    bronze = pl.scan_csv(files, infer_schema=False, include_file_paths="_file").collect()
    bronze = bronze.join(sha256, on="_file")
    write(bronze, "bronze")
    clock.lap("bronze")
    typed = (
        bronze.group_by(FIELDS)
        .agg(pl.col("_file_sha256").min())
        .select(
            pl.col("InvoiceNo").alias("invoice_no"),
            pl.col("StockCode").alias("stock_code"),
            pl.col("Description").alias("description"),
            pl.col("Quantity").cast(pl.Int32, strict=False).alias("quantity"),
            pl.col("InvoiceDate").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).alias("ordered_at"),
            pl.col("UnitPrice").cast(pl.Decimal(18, 3), strict=False).alias("unit_price"),
            pl.col("CustomerID").str.replace("[.]0$", "").alias("customer_id"),
            pl.col("Country").alias("country"),
            "_file_sha256",
        )
        .with_columns((pl.col("unit_price") * pl.col("quantity")).cast(pl.Decimal(18, 3)).alias("amount"))
    )
    rules = {
        "quantity_positive": pl.col("quantity") > 0,
        "unit_price_positive": pl.col("unit_price") > 0,
        "customer_present": pl.col("customer_id").is_not_null(),
        "not_a_cancellation": ~pl.col("invoice_no").str.starts_with("C"),
    }
    rules = {name: rule.fill_null(value=False) for name, rule in rules.items()}
    customers = typed.select(pl.col("customer_id").drop_nulls().unique())
    masks = customers.with_columns(pl.col("customer_id").map_elements(_pseudonym, pl.String).alias("mask"))
    good = typed.filter(pl.all_horizontal(rules.values())).join(masks, on="customer_id")
    silver = good.drop("customer_id").rename({"mask": "customer_id"})
    write(silver, "silver")
    broken = [pl.when(~rule).then(pl.lit(name)) for name, rule in rules.items()]
    rejected = typed.filter(~pl.all_horizontal(rules.values()))
    rejected = rejected.with_columns(pl.concat_str(broken, separator=",", ignore_nulls=True).alias("_rules"))
    write(rejected, "quarantine")
    clock.lap("silver")
    month = pl.col("ordered_at").dt.truncate("1mo").alias("month")
    for table, key in {"month": month, "customer": "customer_id", "country": "country"}.items():
        write(silver.group_by(key).agg(pl.col("amount").sum(), pl.len()), f"gold_{table}")
    clock.lap("gold")
    revenue = silver["amount"].sum()
    return clock.seconds, {"silver_rows": silver.height, "quarantine_rows": rejected.height, "revenue": str(revenue)}


CONTESTANTS: dict[str, Callable[[Path, Path], Timed]] = {
    "levee-sail": lambda landing, lake: levee("sail", landing, lake),
    "levee-spark": lambda landing, lake: levee("spark", landing, lake),
    "script-sail": lambda landing, lake: script("sail", landing, lake),
    "script-spark": lambda landing, lake: script("spark", landing, lake),
    "duckdb": by_duckdb,
    "polars": by_polars,
}

if __name__ == "__main__":
    seconds, outcome = CONTESTANTS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
    print(json.dumps({**seconds, **outcome}))
