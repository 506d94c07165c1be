"""Suite and split can never disagree: the same rows fail in Great Expectations as the predicates send to quarantine."""

import datetime as dt
import math
import random
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.contracts import Contract
from pipelines.engine import Engine
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.quality import Rule, rules, suite
from pipelines.quality.checks import table_checks
from pipelines.quality.evaluate import evaluate
from pipelines.quality.measures import Metrics
from pipelines.silver.verdicts import Verdicts

LOCAL = re.compile(r"(?:href|src)=[\"'](?!https?:|#)([^\"'#?]+)")
"""A link to another file of the same site."""
SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("code", pa.string()),
        ("amount", pa.decimal128(18, 3)),
        ("pieces", pa.int32()),
        ("ratio", pa.float64()),
        ("day", pa.date32()),
        ("at", TIMESTAMP),
        ("_source_amount", pa.string()),
        ("_source_pieces", pa.string()),
        ("_source_ratio", pa.string()),
        ("_source_day", pa.string()),
        ("_source_at", pa.string()),
    ]
)


def check(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "metric": "invalidValues", "mustBe": 0, **more}


@pytest.fixture
def many(contract) -> Contract:
    """Every form of rule on rows that there is."""
    return contract(
        {
            "name": "name",
            "logicalType": "string",
            "required": True,
            "logicalTypeOptions": {"minLength": 2, "maxLength": 5, "pattern": "^[a-zà-ÿ'\\\\]+$"},
        },
        {
            "name": "code",
            "logicalType": "string",
            "quality": [
                check("code_known", arguments={"validValues": ["a", "it's", "back\\slash"]}),
                check("code_there", metric="missingValues", arguments={"missingValues": [None, "", "n/a"]}),
                check("code_short", arguments={"pattern": "^.{0,3}$", "minLength": 1}),
            ],
        },
        {
            "name": "amount",
            "logicalType": "number",
            "physicalType": "decimal(18,3)",
            "quality": [
                check("amount_positive", arguments={"exclusiveMinimum": 0}),
                check("amount_small", arguments={"maximum": 99.999}),
                check("amount_between", arguments={"minimum": 0, "exclusiveMaximum": 1000}),
                {"id": "amount_there", "metric": "nullValues", "mustBe": 0},
            ],
        },
        {
            "name": "pieces",
            "logicalType": "integer",
            "physicalType": "int",
            "logicalTypeOptions": {"multipleOf": 2, "maximum": 10, "exclusiveMinimum": -10},
            "quality": [check("pieces_of", arguments={"validValues": [0, 2, 4]})],
        },
        {
            "name": "ratio",
            "logicalType": "number",
            "physicalType": "double",
            "quality": [
                check("ratio_part", arguments={"minimum": 0, "maximum": 1}),
                check("ratio_low", arguments={"exclusiveMaximum": 0.5}),
            ],
        },
        {"name": "day", "logicalType": "date", "logicalTypeOptions": {"minimum": "2020-01-01"}},
        {"name": "at", "logicalType": "timestamp", "logicalTypeOptions": {"exclusiveMaximum": "2020-06-01 00:00:00"}},
        quality=[
            {
                "id": "consistent",
                "type": "custom",
                "engine": "levee",
                "implementation": {"row": "pieces > 0 OR amount < 1"},
            },
        ],
    )


def texts(values: list[str]) -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from(values)


def judged(frame: Any, compiled: Sequence[Rule]) -> Metrics:
    """What the pass counts of a frame of candidates."""
    verdicts = Verdicts.of(compiled)
    rows = frame.selectExpr("*", "CAST(NULL AS STRING) AS _parse_error", "1L AS _copies")
    return verdicts.metrics(rows.selectExpr("_copies", *verdicts.columns))


def read_and_resolved(
    frame: Any, compiled: Sequence[Rule]
) -> tuple[tuple[suite.Outcome, ...], tuple[suite.Outcome, ...]]:
    """What Great Expectations finds in a frame itself, and what it makes of the pass's metrics."""
    metrics = judged(frame, compiled)
    broken = {metric.subject: int(metric.total) for metric in metrics.items if metric.kind == "rule"}
    nulls = {metric.subject: int(metric.total) for metric in metrics.items if metric.kind == "nulls"}
    found = suite.validate(
        [
            suite.candidate_batch("read", frame, compiled),
            suite.counted_batch("resolved", compiled, metrics.judged, broken, nulls),
        ],
        None,
        "test",
    )
    return found["read"], found["resolved"]


JUNE = dt.datetime(2020, 6, 1, tzinfo=dt.UTC)
ROW = st.fixed_dictionaries(
    {
        "name": texts(["", "a", "ab", "abcdef", "AB", "é", "éé", "it's", "a\\b", "日本"]),
        "code": texts(["", "a", "b", "it's", "back\\slash", "n/a", "abcd", " "]),
        "amount": st.none() | st.decimals("-1000", "1000", places=3) | st.sampled_from([Decimal(0), Decimal("99.999")]),
        "pieces": st.none() | st.integers(-12, 12),
        "ratio": st.none() | st.sampled_from([-0.1, -0.0, 0.0, 0.5, 1.0, 1.0000001, math.inf, math.nan]),
        "day": st.none() | st.dates(dt.date(2019, 12, 30), dt.date(2020, 1, 3)),
        "at": st.none() | st.sampled_from([JUNE, JUNE - dt.timedelta(microseconds=1)]),
        "_source_amount": texts(["x"]),
        "_source_pieces": texts(["x"]),
        "_source_ratio": texts(["x"]),
        "_source_day": texts(["x"]),
        "_source_at": texts(["x"]),
    }
)


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=st.lists(ROW, max_size=20).flatmap(lambda rows: st.just(rows + rows[:3])))
def test_every_rule_fails_on_the_same_rows_in_both(sail: Engine, many: Contract, rows: list[dict[str, Any]]) -> None:
    compiled = rules(many)
    # Spark makes no frame of an empty table.
    frame = sail.frame(pa.Table.from_pylist(rows or [{}], schema=SCHEMA)).where("true" if rows else "false")
    outcomes, resolved = read_and_resolved(frame, compiled)
    assert resolved == outcomes
    by_suite = {outcome.id: outcome.failed for outcome in outcomes}
    by_split = {rule.id: frame.where(f"NOT ({rule.predicate})").count() for rule in compiled}
    assert by_suite == by_split
    frame.createOrReplaceTempView("agreement")
    by_pass = {result.id: result.failed for result in evaluate(sail.spark, "agreement", compiled, ())}
    assert by_pass == by_split
    assert {outcome.id: outcome.success for outcome in outcomes} == {name: n == 0 for name, n in by_split.items()}
    # good and bad are a partition: no predicate is ever null
    good = " AND ".join(f"({rule.predicate})" for rule in compiled)
    assert frame.where(good).count() + frame.where(f"NOT ({good})").count() == len(rows)


def test_both_sides_of_every_rule_on_every_engine(engine: Engine, many: Contract) -> None:
    """What the test above draws must reach both, or it could pass without having tried a rule."""
    rng = random.Random(7)
    pick = {
        "name": ["", "ab", "abcdef", "AB", None],
        "code": ["a", "n/a", "", "abcd"],
        "amount": [Decimal(-1), Decimal(5), Decimal(500), None, Decimal(1000)],
        "pieces": [1, 2, 12, -11, None],
        "ratio": [-0.1, 0.2, 0.7],
        "day": [dt.date(2019, 12, 31), dt.date(2020, 1, 1)],
        "at": [dt.datetime(2020, 5, 1, tzinfo=dt.UTC), dt.datetime(2020, 7, 1, tzinfo=dt.UTC)],
    }
    rows = [{name: rng.choice(values) for name, values in pick.items()} for _ in range(300)]
    rows += [{**rows[0], name: None, f"_source_{name}": "x"} for name in ("amount", "pieces", "ratio", "day", "at")]
    frame = engine.frame(pa.Table.from_pylist(rows, schema=SCHEMA))
    frame.createOrReplaceTempView("reached")
    by_pass = {result.id: result.failed or 0 for result in evaluate(engine.spark, "reached", rules(many), ())}
    assert [name for name, failed in by_pass.items() if not 0 < failed < len(rows)] == []
    outcomes, resolved = read_and_resolved(frame, rules(many))
    assert resolved == outcomes
    assert {outcome.id: outcome.failed for outcome in outcomes} == by_pass
    assert {outcome.expectation for outcome in outcomes} == {
        "expect_column_value_lengths_to_be_between",
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_not_be_null",
    }  # every one that a rule may be


def test_checks_on_the_table_are_the_suites_too(sail: Engine, contract) -> None:
    made = contract(
        {
            "name": "name",
            "logicalType": "string",
            "unique": True,
            "quality": [
                {"id": "few_nulls", "metric": "nullValues", "mustBeLessOrEqualTo": 25, "unit": "percent"},
                {"id": "no_repeats", "metric": "duplicateValues", "mustBe": 0},
            ],
        },
        {"name": "amount", "logicalType": "number", "physicalType": "decimal(18,3)"},
        quality=[
            {"id": "enough", "metric": "rowCount", "mustBeGreaterThan": 3},
            {"id": "not_five", "metric": "rowCount", "mustNotBe": 5},
            {"id": "in_range", "metric": "rowCount", "mustBeBetween": [4, 9]},
            {"id": "out_of_range", "metric": "rowCount", "mustNotBeBetween": [1, 3]},
            {"id": "sum", "type": "sql", "query": "SELECT sum(amount) FROM ${table}", "mustBeGreaterOrEqualTo": 10},
        ],
    )
    rows = [("a", 1), ("b", 2), ("b", 3), (None, 4)]
    table = pa.Table.from_pylist(
        [{"name": name, "amount": Decimal(amount)} for name, amount in rows],
        schema=pa.schema([("name", pa.string()), ("amount", pa.decimal128(18, 3))]),
    )
    sail.frame(table).createOrReplaceTempView("things")
    checks = table_checks(made)
    results = {result.id: result for result in evaluate(sail.spark, "things", (), checks)}
    assert {name: (result.observed, result.success) for name, result in results.items()} == {
        "name_unique": (2.0, False),  # every member of the group, as Great Expectations counts
        "few_nulls": (25.0, True),
        "no_repeats": (2.0, False),
        "enough": (4.0, True),
        "not_five": (4.0, True),
        "in_range": (4.0, True),
        "out_of_range": (4.0, True),
        "sum": (10.0, True),
    }
    resolved = suite.table_batch("resolved", tuple(results.values()), checks)
    numbers = {name: result.observed for name, result in results.items() if name != "out_of_range"} | {
        "out_of_range": 1
    }
    read = suite.Batch("read", sail.frame(pa.Table.from_pylist([numbers])), resolved.expectations)
    outcomes = suite.validate([read, resolved], None, "test")
    assert outcomes["resolved"] == outcomes["read"]
    assert {outcome.id: outcome.success for outcome in outcomes["read"]} == {
        name: result.success for name, result in results.items()
    }


def test_a_number_that_is_not_there_is_no_pass(sail: Engine, contract) -> None:
    query = {"id": "sum", "type": "sql", "query": "SELECT sum(amount) FROM ${table}", "mustBeLessThan": 10}
    made = contract({"name": "amount", "logicalType": "number", "physicalType": "decimal(18,3)"}, quality=[query])
    sail.spark.sql("SELECT CAST(1 AS DECIMAL(18, 3)) AS amount").where("false").createOrReplaceTempView("nothing")
    results = evaluate(sail.spark, "nothing", (), table_checks(made))
    (outcome,) = suite.validate([suite.table_batch("t", results, table_checks(made))], None, "test")["t"]
    assert (results[0].observed, results[0].success, outcome.success) == (None, False, False)


def test_what_the_pass_did_not_count_is_an_error_and_no_pass(contract) -> None:
    from great_expectations.exceptions import MetricResolutionError

    from pipelines.quality import resolver

    made = contract({"name": "name", "logicalType": "string", "logicalTypeOptions": {"maxLength": 5}})
    counted = resolver.metrics_table(3, [resolver.Fact(suite.implemented("other", rules(made)[0].expectation), 0, 0)])
    engine = resolver.MetricsEngine(batch_data_dict={"batch": counted})
    asked = suite.implemented("it", replace(rules(made)[0].expectation, kwargs={"column": "name", "max_value": 6}))
    wanted = asked.get_validation_dependencies().metric_configurations[
        "column_values.value_length.between.unexpected_count"
    ]
    with pytest.raises(MetricResolutionError, match="the pass did not count"):
        engine.resolve_metrics([wanted])


def test_an_expectation_that_cannot_be_evaluated_is_an_error_and_no_pass(sail: Engine) -> None:
    from pipelines.errors import PipelineError
    from pipelines.quality.rules import Expectation

    frame = sail.frame(pa.table({"a": [1]}))
    wrong = Expectation("expect_column_values_to_not_be_null", {"column": "b"})
    with pytest.raises(PipelineError, match="missing could not be evaluated"):
        suite.validate([suite.Batch("wrong", frame, [("missing", wrong)])], None, "test")


def test_data_docs_hold_counts_and_no_value(sail: Engine, contract, tmp_path) -> None:
    made = contract({"name": "name", "logicalType": "string", "logicalTypeOptions": {"pattern": "^[0-9]+$"}})
    frame = sail.frame(pa.table({"name": ["Erika Mustermann"] * 3 + ["1"]}))
    (outcome,) = suite.validate([suite.candidate_batch("things", frame, rules(made))], tmp_path, "run")["things"]
    assert (outcome.rows, outcome.failed) == (4, 3)
    pages = list(tmp_path.rglob("*.html"))
    assert any("index" in page.name for page in pages)
    assert len(pages) >= 3  # index, suite, validation
    assert not any("Mustermann" in page.read_text() for page in pages)
    named = {page: LOCAL.findall(page.read_text()) for page in pages}
    assert {Path(name).name for names in named.values() for name in names} > {"index.html", "favicon.ico"}
    linked = [page.parent / name for page, names in named.items() for name in names if name.endswith(".html")]
    assert [page for page in linked if not page.is_file()] == []
    assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) < 300_000
