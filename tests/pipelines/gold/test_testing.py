"""The tests beside the models, and what runs them: a wrong row, a wrong name and a wrong value are told."""

from __future__ import annotations

import json

import pytest

from pipelines.contracts import ContractError, load_domain
from pipelines.gold.__main__ import main
from pipelines.gold.testing import cases, run_case

SALES = load_domain("sales")
ALL = [(model, case) for model in SALES.models for case in cases(SALES, model)]


@pytest.mark.parametrize(("model", "case"), ALL, ids=[f"{model.dataset}-{case.name}" for model, case in ALL])
def test_beside_the_model(sail, model, case) -> None:
    outcome = run_case(sail, SALES, model, case)
    assert (outcome.missing, outcome.unexpected) == ((), ())


def test_every_shipped_model_has_a_test() -> None:
    assert {model.dataset for model, _ in ALL} == {model.dataset for model in SALES.models}


def test_every_engine_agrees_on_them(engine) -> None:
    for name in ("revenue_trends", "customer_value"):
        model = SALES.contract(name)
        assert all(run_case(engine, SALES, model, case).passed for case in cases(SALES, model))


def write(own, text: str):
    (own / "gold" / "revenue_by_month.test.yaml").write_text(text)
    domain = load_domain("sales", own.parent)
    return domain, domain.contract("revenue_by_month")


GIVEN = """\
tests:
  - name: one
    given:
      silver.sales:
        - {dataset: s, currency: GBP, ordered_at: "2011-01-01T00:00:00Z", quantity: 2, amount: "1.5"}
    expect:
      - {month: 2011-01-01, revenue: "1.5"}
"""


def test_rows_that_differ_are_named(sail, own) -> None:
    domain, model = write(own, GIVEN.replace('revenue: "1.5"', 'revenue: "1.501"'))
    outcome = run_case(sail, domain, model, cases(domain, model)[0])
    assert not outcome.passed
    assert [str(row["revenue"]) for row in outcome.missing] == ["1.501"]
    assert [str(row["revenue"]) for row in outcome.unexpected] == ["1.500"]


def test_a_row_too_many_is_named(sail, own) -> None:
    domain, model = write(own, GIVEN.replace('      - {month: 2011-01-01, revenue: "1.5"}', "      []"))
    (found,) = run_case(sail, domain, model, cases(domain, model)[0]).unexpected
    assert found["lines"] == 1


@pytest.mark.parametrize(
    ("old", "new", "message", "line"),
    [
        ("silver.sales", "silver.sale", "revenue_by_month does not read silver.sale", 4),
        ("quantity: 2", "quantitty: 2", "silver.sales has no column 'quantitty'", 5),
        ("revenue:", "turnover:", "gold.revenue_by_month has no column 'turnover'", 7),
        ("expect:", "expected:", "unknown key 'expected'", 6),
        ("name: one", "names: one", "unknown key 'names'", 2),
    ],
)
def test_names_that_there_are_not_are_refused_with_their_line(own, old, new, message, line) -> None:
    domain, model = write(own, GIVEN.replace(old, new))
    with pytest.raises(ContractError, match=message) as caught:
        cases(domain, model)
    assert str(caught.value.where).endswith(f":{line}")


def test_a_value_of_another_type_is_refused(sail, own) -> None:
    domain, model = write(own, GIVEN.replace("quantity: 2", "quantity: two"))
    with pytest.raises(ContractError, match=r"silver\.sales\.quantity is int"):
        run_case(sail, domain, model, cases(domain, model)[0])


def test_the_command_lists_shows_and_tests(capsys) -> None:
    assert main(["list"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [model["name"] for model in listed["models"]] == [model.reference for model in SALES.models]
    assert main(["show", "revenue_by_month"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["models"]
    month = next(column for column in shown["columns"] if column["name"] == "month")
    (edge,) = month["from"]
    assert (edge["table"], edge["column"], edge["subtype"]) == ("silver.sales", "ordered_at", "TRANSFORMATION")
    assert main(["test", "revenue_by_week"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(test["model"], test["passed"]) for test in told["tests"]] == [("gold.revenue_by_week", True)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "revenue_by_mont"], "did you mean `revenue_by_month`?"),
        (["test", "cdnow"], "cdnow is a source and no model"),
        (["export"], "pass --dbt FOLDER"),
    ],
)
def test_the_command_says_what_is_wrong(capsys, arguments, said) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
