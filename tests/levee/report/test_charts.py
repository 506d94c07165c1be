"""The findings and figures, without a browser."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import plotly.graph_objects as go
import pytest

from levee.errors import EngineError
from levee.plan import Level, Resource
from levee.report.chart import money, share, short_money
from levee.report.data_charts import data_charts
from levee.report.page import render
from levee.report.plan_charts import policy_verdicts, resource_graph
from levee.report.summary import Split, parse_summary


@pytest.fixture
def charts(plan, summary):
    """Every chart by id."""
    every = (*data_charts(parse_summary(summary), "levee run sales"), resource_graph(plan), policy_verdicts(plan, 6))
    return {chart.id: chart for chart in every}


def test_plotly_knows_every_property_of_every_figure(charts):
    for chart in charts.values():
        figure = json.loads(re.sub(r'"--[a-z0-9-]+"', '"#112233"', json.dumps(chart.figure)))
        go.Figure({"data": figure["data"], "layout": figure["layout"]})


def test_plotly_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match="no_such"):
        go.Figure({"data": [{"type": "bar", "no_such": 1}]})


def test_titles_say_the_finding(charts):
    assert charts["sales-over-time"].finding == "Sales peaked in Nov 2011 at £1.16 M; £2.29 M over 3 months"
    assert charts["clean-vs-quarantined"].finding == "72.5 % of 541,909 rows are clean; 143,949 wait in quarantine"
    assert charts["quarantine-by-rule"].finding.startswith("customer_present rejects most: 135,037 rows, 93.8 %")
    assert charts["revenue-by-country"].finding == "United Kingdom brings 93.0 % of revenue; 3 countries buy"
    assert charts["revenue-by-customer"].finding.startswith("The 12 best customers bring")
    assert charts["policy-verdicts"].finding == (
        "2 mandatory violations block this stack; 1 advisory; 1 not evaluated; 1 exempt"
    )
    assert charts["resource-graph"].finding == (
        "10 resources on 4 providers, most on AWS (7); lake-key is needed by 7 others"
    )


def test_every_chart_has_its_numbers_as_a_table(charts):
    for chart in charts.values():
        assert chart.rows, chart.id
        assert {len(row) for row in chart.rows} == {len(chart.header)}, chart.id
    assert charts["clean-vs-quarantined"].rows == [("online_retail", "541,909", "392,692", "5,268", "143,949")]


def test_a_clean_stack_says_how_much_was_judged(plan):
    clean = replace(plan, violations=(), not_evaluated=(), exempt=())
    assert policy_verdicts(clean, 6).finding == "Every rule is kept: 6 rules over 10 resources"


def test_what_was_not_evaluated_is_not_called_kept(plan):
    undecided = replace(plan, violations=(), exempt=())
    assert policy_verdicts(undecided, 6).finding == "No mandatory rule is broken; 1 not evaluated"


def test_one_mandatory_violation_reads_well(plan):
    one = replace(plan, violations=(replace(plan.violations[0], level=Level.MANDATORY),), not_evaluated=(), exempt=())
    assert policy_verdicts(one, 6).finding == "1 mandatory violation blocks this stack"


def test_currencies_are_never_added(summary):
    dollars = {"dataset": "cdnow", "currency": "USD", "month": "1997-01-01", "revenue": "10"}
    mixed = summary | {"sales_over_time": [*summary["sales_over_time"], dollars]}
    chart = data_charts(parse_summary(mixed), "run")[0]
    assert "online_retail sales peaked in Nov 2011 at £1.16 M; £2.29 M over 3 months" in chart.finding
    assert "cdnow sales peaked in Jan 1997 at $10; $10 over 1 month" in chart.finding
    assert chart.figure is not None
    assert {trace["xaxis"] for trace in chart.figure["data"]} == {"x", "x2"}


def test_each_dataset_has_a_chart_of_its_own(summary):
    of = {"dataset": "cdnow", "currency": "USD"}
    mixed = summary | {
        "revenue_by_country": [*summary["revenue_by_country"], of | {"country": "US", "revenue": "99999999"}],
        "revenue_by_customer": [*summary["revenue_by_customer"], of | {"customer_id": "c", "revenue": "7"}],
    }
    charts = {c.id: c for c in data_charts(parse_summary(mixed), "run")}
    assert charts["revenue-by-country"].finding.startswith("online_retail: United Kingdom brings 93.0 %")
    assert charts["revenue-by-country-2"].finding == "cdnow: US brings 100.0 % of revenue"
    assert charts["revenue-by-customer-2"].finding == "cdnow: best customer brings 100.0 % of revenue"


def test_nothing_quarantined_and_no_countries_are_said(summary):
    clean = summary | {
        "clean_vs_quarantined": [{"dataset": "cdnow", "silver": 10, "duplicates": 0, "quarantined": 0}],
        "quarantine_by_rule": [],
        "revenue_by_country": [],
    }
    charts = {c.id: c for c in data_charts(parse_summary(clean), "run")}
    assert charts["clean-vs-quarantined"].finding == "No row is quarantined: all 10 rows keep every rule"
    assert charts["quarantine-by-rule"].finding == "No rule rejected a row"
    assert charts["revenue-by-country"].empty == "The source names no countries."


@pytest.mark.parametrize(
    ("change", "said"),
    [({"schema": 2}, "schema 2"), ({"runs": [{}]}, "cannot be read"), ({"revenue_by_country": None}, "cannot be read")],
)
def test_another_shape_is_refused_with_what_to_do(summary, change, said):
    with pytest.raises(EngineError, match=said) as refused:
        parse_summary(summary | change)
    assert refused.value.fix


def test_the_contracts_checks_and_the_last_run_are_told(plan, summary):
    page = shown(plan, summary)
    assert "1 of 3 checks of the contracts hold, 1 fail, 1 could not be run" in page
    assert "the engine has no median" in page
    assert "The last run did 1 task in 6.0 s" in page
    good = summary | {"quality": [row for row in summary["quality"] if row["success"]]}
    assert "Every check of the contracts holds (1)" in shown(plan, good)


def test_customers_cut_short_by_the_summary_are_not_counted(charts):
    assert charts["revenue-by-customer"].note == "The 12 largest."


def shown(plan, summary):
    now = datetime(2026, 11, 21, tzinfo=UTC)
    return render(plan, parse_summary(summary), environment="local", domain="sales", now=now)


def test_money_and_shares():
    assert money(Decimal("8887208.894"), "GBP") == "£8,887,208.89"
    assert money(Decimal(1), "CHF") == "1.00 CHF"
    assert [short_money(Decimal(n), "GBP") for n in ("950", "12345", "8887208.894", "-2500000")] == [
        "£950",
        "£12.3 k",
        "£8.89 M",
        "£-2.50 M",
    ]
    assert [share(1, 3), share(1, 100000), share(99999, 100000), share(1, 1), share(0, 0)] == [
        "33.3 %",
        "under 0.1 %",
        "over 99.9 %",
        "100.0 %",
        "0 %",
    ]


def test_a_split_adds_up():
    assert Split("d", 392692, 5268, 143949).read == 541909


def test_names_are_no_markup_in_a_chart(plan, summary):
    of = {"dataset": "d", "currency": "GBP"}
    odd = summary | {"revenue_by_country": [of | {"country": "<i>R&D</i>", "revenue": "1"}]}
    chart = {c.id: c for c in data_charts(parse_summary(odd), "run")}["revenue-by-country"]
    assert chart.figure is not None
    assert chart.figure["layout"]["yaxis"]["ticktext"] == ["&lt;i&gt;R&amp;D&lt;/i&gt;"]
    renamed = replace(plan, resources=tuple(replace(r, name="<b>x</b>") for r in plan.resources))
    assert "<b>x</b>" not in json.dumps(resource_graph(renamed).figure).replace("<b>&lt;", "")


def test_a_name_cannot_end_the_script_it_stands_in(plan, summary):
    evil = Resource(
        urn="urn:pulumi:local::levee::aws:s3/bucket:Bucket::</script><script>alert(1)",
        type="aws:s3/bucket:Bucket",
        name="</script><script>alert(1)",
    )
    page = shown(replace(plan, resources=(*plan.resources, evil)), summary)
    assert "</script><script>alert(1)" not in page
