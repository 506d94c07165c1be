"""Texts of expressions reach Sail as trees that mean the same; what is not read stays a text."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the customary name

from pipelines.engine import Engine
from pipelines.engine.sessions import SESSION_CONF

ROWS = pa.table(
    {
        "a": ["12", " 7 ", "x'y", None, "", "a\\b"],
        "n": pa.array([1, 2, None, 2**40, -5, 0], pa.int64()),
        "i": pa.array([1, None, 3, 4, 5, 0], pa.int32()),
        "d": pa.array([1.5, None, 0.0, -2.25, 1e10, 3.0], pa.float64()),
        "_bits": pa.array([0, 1, 2, 3, 1 << 62, 5], pa.int64()),
        "odd name": ["p", "q", None, "r", "s", "t"],
        "dot.ted": ["p", "q", None, "r", "s", "t"],
    }
)
READ = (
    "*",
    "a",
    "`odd name`",
    "`dot.ted`",
    "`odd name` AS `new ``name`",
    "n as m",
    "1 AS one",
    "3000000000 AS large",
    "9223372036854775807L AS greatest",
    "'it\\'s' AS quoted",
    "'a\\\\b' = a AS slash",
    "'' AS nothing",
    "true AS yes",
    "NULL AS none",
    "1 + 2 * 3 - 4 AS sums",
    "(1 + 2) * n / 4 AS ratio",
    "n % 3 AS rest",
    "nullif(a, '') AS filled",
    "concat_ws(',', a, `odd name`, CASE WHEN n > 1 THEN 'big' END) AS joined",
    "NOT n = 1 OR i IS NULL AND a IS NOT NULL AS logic",
    "NOT (n > 1 AND i <= 3) OR n <> 2 AS more",
    "n <=> i AS same",
    "n != i AS other",
    "n BETWEEN 1 AND i + 1 AND a IS NOT NULL AS within",
    "n NOT BETWEEN 1 AND 2 AS outside",
    "a IN ('12', '', 'it\\'s') AS among",
    "n NOT IN (1, 2L) AS apart",
    "trim(a) RLIKE '^[+-]?[0-9]{1,19}$' AS digits",
    "a NOT RLIKE '\\\\.' AS dotless",
    "CASE WHEN trim(CAST(a AS STRING)) RLIKE '^[0-9]+$' THEN TRY_CAST(trim(a) AS BIGINT) END AS typed",
    "TRY_CAST(a AS DECIMAL(9,2)) AS money",
    "CAST(n AS STRING) AS told",
    "CAST(i AS DOUBLE) / 2 AS half",
    "TRY_CAST(a AS DATE) AS day",
    "CASE WHEN n IS NULL THEN 1L WHEN i > 2 THEN 2L ELSE 0L END AS chosen",
    "(_bits & 1L) <> 0 AS bit",
    "_bits & 4611686018427387904L AS top",
    " + ".join(f"CASE WHEN n > {bit} THEN {1 << bit}L ELSE 0L END" for bit in range(62)) + " AS bits",
    " OR ".join(f"n = {number}" for number in range(200)) + " AS found",
    "coalesce(CAST(length(CAST(a AS STRING)) AS STRING), '-') AS length",
    "substring(sha2(concat(a, 'x'), 256), 1, 32) AS hash",
    "split(a, '2')[0] AS first",
    "shiftright(_bits, 40) AS shifted",
    "unix_micros(CAST(d AS TIMESTAMP)) AS micros",
    "coalesce(a NOT IN ('x'), false) AS message",
)
LEFT = (
    "count(*) AS n",
    "count(DISTINCT a) AS n",
    "row_number() OVER (PARTITION BY a ORDER BY n) AS rank",
    "DATE '2026-01-01' AS day",
    "TIMESTAMP '2026-01-01 00:00:00' AS at",
    "INTERVAL 1 DAY AS span",
    "-n AS less",
    "1.5 AS decimal",
    "1e3 AS double",
    "a || 'x' AS both",
    "n DIV 2 AS half",
    "_bits & 1 + 1 AS mixed",
    "a LIKE 'x%' AS alike",
    "'two' 'parts' AS text",
    "'new\\nline' AS text",
    "current_date AS today",
    "transform(array(1), x -> x + 1) AS made",
    "extract(YEAR FROM d) AS year",
    "CASE n WHEN 1 THEN 2 END AS simple",
    "n = 1 = true AS chained",
    "a b",
    "(SELECT 1)",
    "n +",
    "",
)


@pytest.fixture(scope="module")
def untouched(sail: Engine) -> SparkSession:
    """A session with the same server whose texts stay texts."""
    from pyspark.sql.connect.session import SparkSession as ConnectSession  # after the engine: it warns of pandas

    client: Any = sail.spark.client
    endpoint = client._builder.endpoint
    opened: Any = ConnectSession.builder.remote(f"sc://{endpoint}").create()
    for key, value in SESSION_CONF.items():
        opened.conf.set(key, value)
    return opened


@pytest.fixture(scope="module")
def tree(sail: Engine) -> Callable[..., object]:
    from pipelines.engine.expressions import tree as read

    return read


def answer(spark: SparkSession, text: str) -> object:
    frame = spark.createDataFrame(ROWS)
    try:
        found = frame.selectExpr(text)
        return found.schema.simpleString(), found.collect()
    except PySparkException as error:
        return re.sub(r"\W+", " ", str(error))[:30]


@pytest.mark.parametrize("text", READ)
def test_a_tree_says_what_its_text_says(
    sail: Engine, untouched: SparkSession, tree: Callable[..., object], text: str
) -> None:
    assert tree(text) is not None
    assert answer(sail.spark, text) == answer(untouched, text)


@pytest.mark.parametrize("text", LEFT)
def test_what_is_not_read_stays_a_text(tree: Callable[..., object], text: str) -> None:
    assert tree(text) is None


def test_a_name_that_the_engine_makes_of_a_text_stays_its_own(tree: Callable[..., object]) -> None:
    assert tree("length(a) + 1") is None
    assert tree("length(a) + 1", named=False) is not None


def test_texts_are_replaced_all_through_a_plan(sail: Engine) -> None:
    from pipelines.engine.sail_client import rewrite_plan

    frame = sail.frame(ROWS).where("n > 1 OR a = 'x'").selectExpr("a", "n + 1 AS m").withColumn("q", F.expr("m * 2"))
    other = sail.frame(ROWS).selectExpr("a AS b").groupBy(F.expr("b")).agg(F.expr("count(b)").alias("c"))
    both = frame.join(other, F.expr("a = b"), "left").unionByName(frame.join(other, F.expr("a = b"), "left"))
    whole: Any = both.distinct()
    plan = whole._plan.to_proto(sail.spark.client)
    assert "expression_string" in str(plan)

    rewrite_plan(plan)

    assert "expression_string" not in str(plan)


@pytest.mark.parametrize("calls", [40, 46, 60])
def test_a_tree_that_is_too_deep_for_its_place_stays_a_text(sail: Engine, calls: int) -> None:
    deep = "concat(" * calls + "a" + ")" * calls
    frame = sail.frame(ROWS).selectExpr(f"{deep} AS a")
    for _ in range(3):
        frame = frame.selectExpr("a AS a").where("a IS NOT NULL")

    assert frame.count() == 5
    assert frame.selectExpr("upper(a) AS a").count() == 5


def test_a_write_has_no_texts_either(sail: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def kept(text: str, *, named: bool) -> None:
        sent.append(text)

    monkeypatch.setattr("pipelines.engine.sail_client.tree", kept)

    sail.frame(ROWS).selectExpr("a AS b").write.format("delta").save(str(tmp_path / "t"))

    assert sent == ["a AS b"]


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_sail_still_keeps_what_it_needed_to_read_a_text(untouched: SparkSession) -> None:
    """A canary: where it fails, Sail is mended, and `pipelines.engine.expressions` may go."""
    frame: Any = untouched.range(1).selectExpr(*(f"id AS c{number}" for number in range(100)))
    plan = frame._plan.to_proto(untouched.client)
    gc.collect()
    before = resident()

    for _ in range(20):
        untouched.client._analyze("schema", plan=plan)

    assert resident() - before > 20 << 20
