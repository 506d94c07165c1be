"""What a contract's checks compile to, without an engine; and what is refused."""

import re

import pytest

from pipelines.contracts import ContractError, load_domain
from pipelines.quality import rules
from pipelines.quality.checks import not_run, table_checks

AMOUNT = {"name": "amount", "logicalType": "number", "physicalType": "decimal(18,3)"}
NAME = {"name": "name", "logicalType": "string"}


def test_the_rules_of_online_retail_are_those_that_the_numbers_rest_on() -> None:
    found = {rule.id: rule for rule in rules(load_domain("sales").contract("online_retail"))}
    assert {"not_a_cancellation", "quantity_positive", "unit_price_positive", "customer_present"} < set(found)
    assert found["quantity_positive"].predicate == "`quantity` IS NULL OR ((`quantity` > 0))"
    assert found["customer_present"].predicate == "`customer_id` IS NOT NULL"
    assert found["unit_price_type"].predicate == "`unit_price` IS NOT NULL OR ((`_source_UnitPrice` IS NULL))"
    assert all(rule.on_failure == "quarantine" for rule in found.values())


def test_a_check_on_nulls_takes_the_place_of_required(contract) -> None:
    made = contract(
        {
            **NAME,
            "required": True,
            "quality": [{"id": "named", "metric": "nullValues", "mustBe": 0, "severity": "info"}],
        }
    )
    assert [(rule.id, rule.on_failure) for rule in rules(made)] == [("named", "warn")]


def test_options_of_the_schema_are_rules(contract) -> None:
    made = contract({**AMOUNT, "logicalTypeOptions": {"minimum": 0, "exclusiveMaximum": 10, "multipleOf": 2}})
    assert [rule.id for rule in rules(made)] == [
        "amount_type", "amount_minimum", "amount_exclusive_maximum", "amount_multiple_of",
    ]  # fmt: skip


def test_a_predicate_of_ones_own_is_never_null(contract) -> None:
    quality = [{"id": "cheap", "type": "custom", "engine": "levee", "implementation": {"row": "amount < 5"}}]
    assert rules(contract(AMOUNT, quality=quality))[-1].predicate == "coalesce((amount < 5), true)"


def test_what_is_not_run_is_named(contract) -> None:
    quality = [
        {"id": "manual", "type": "text", "description": "Looked at by people."},
        {"id": "soda", "type": "custom", "engine": "soda", "implementation": "checks for things: ..."},
    ]
    assert [(item.id, item.reason) for item in not_run(contract(AMOUNT, quality=quality))] == [
        ("manual", "text for people"),
        ("soda", "for the engine soda"),
    ]


def test_thresholds_make_a_check_on_the_table(contract) -> None:
    some = {"id": "some", "metric": "nullValues", "mustBeLessThan": 5, "unit": "percent", "severity": "warning"}
    made = contract({**NAME, "quality": [some]})
    assert rules(made) == ()
    (check,) = table_checks(made)
    assert (check.id, str(check.comparison), check.on_failure) == ("some", "< 5", "warn")


@pytest.mark.parametrize(
    ("column", "quality", "message"),
    [
        (NAME, {"metric": "invalidValues", "mustBe": 0}, "which values are valid"),
        (NAME, {"metric": "invalidValues", "arguments": {"patern": "x"}, "mustBe": 0}, "'patern' says nothing"),
        (NAME, {"metric": "missingValues", "mustBe": 0}, "which values count as missing"),
        (AMOUNT, {"metric": "invalidValues", "arguments": {"minimum": "zero"}, "mustBe": 0}, "'zero' is no value"),
    ],
)
def test_a_check_that_says_nothing_is_refused_with_its_line(contract, column, quality, message) -> None:
    made = contract({**column, "quality": [{"id": "wrong", **quality}]})
    with pytest.raises(ContractError, match=message) as caught:
        rules(made)
    assert caught.value.where
    assert caught.value.where.startswith(str(made.path))


@pytest.mark.parametrize(
    ("implementation", "message"),
    [
        ("name > 1", "a check looks at one of row, notNegative"),
        ({"row": "true", "currency": "name"}, "a check looks at one of row, notNegative"),
        ({"rwo": "true"}, "unknown key 'rwo' in implementation"),
        ({"distribution": {"column": "name"}}, "either `bounds` or `values`"),
    ],
)
def test_an_implementation_that_says_nothing_is_refused_with_its_line(contract, implementation, message) -> None:
    check = {"id": "wrong", "type": "custom", "engine": "levee", "implementation": implementation}
    with pytest.raises(ContractError, match=message) as caught:
        contract(NAME, quality=[check])
    assert re.search(r"things\.odcs\.yaml:\d+$", caught.value.where or "")


@pytest.mark.parametrize(
    ("quality", "message"),
    [
        ({"metric": "rowCount"}, "exactly one comparison, and has 0"),
        ({"metric": "rowCount", "mustBe": 1, "mustNotBe": 2}, "exactly one comparison, and has 2"),
        ({"metric": "rowCount", "mustBe": "many"}, "no number"),
        ({"metric": "nullValues", "mustBe": 0}, "of no column"),
        ({"metric": "duplicateValues", "mustBe": 0}, "which columns must not repeat"),
        ({"metric": "duplicateValues", "arguments": {"properties": ["nam"]}, "mustBe": 0}, "must not repeat"),
        (
            {
                "metric": "rowCount",
                "mustBe": 1,
                "customProperties": [{"property": "onFailure", "value": "quarantine"}],
            },
            "no rows to quarantine",
        ),
    ],
)
def test_a_check_on_the_table_that_says_nothing_is_refused(contract, quality, message) -> None:
    made = contract(NAME, quality=[{"id": "wrong", **quality}])
    with pytest.raises(ContractError, match=message):
        table_checks(made)
