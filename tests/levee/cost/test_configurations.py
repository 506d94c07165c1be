"""Whole configurations agree with totals worked out by hand, and every line with its working."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from levee.cost import Usage, price, shipped
from levee.cost.model import CENT
from levee.cost.usage import parse
from tests.levee.cost.conftest import plan_of, resource

WRITTEN = YAML(typ="safe").load(Path(__file__).with_name("configurations.yaml"))
PARTS = WRITTEN["parts"]


def worked(text):
    """Both sides of ``quantity * price = amount``."""
    left, right = text.split("=")
    exact = re.sub(r"[\d.]+", lambda number: f"Decimal('{number[0]}')", left)
    return eval(exact, {"Decimal": Decimal}), Decimal(right.strip())  # arithmetic out of our own file


def used(part):
    return parse({"types": {part["type"]: part["usage"]}}, shipped(), str).types[part["type"]]


@pytest.mark.parametrize("name", PARTS)
def test_each_line_of_a_part_is_as_worked_out_by_hand(name):
    part = PARTS[name]
    report = price(plan_of(resource(part["type"], part["inputs"])), usage=Usage({part["type"]: used(part)}))
    months = [line.monthly_usd for line in report.resources[0].lines if line.monthly_usd is not None]
    amounts = [worked(text) for text in part["working"]]
    assert [left for left, _ in amounts] == [right for _, right in amounts]
    assert [month.expected for month in months if month.expected] == [right for _, right in amounts]


@pytest.mark.parametrize("configuration", WRITTEN["configurations"], ids=lambda one: one["name"])
def test_a_configuration_costs_what_was_totalled_by_hand(configuration):
    resources, names = [], []
    for name, count in configuration["parts"].items():
        for index in range(count):
            logical = f"{name}-{index}"
            resources.append(resource(PARTS[name]["type"], PARTS[name]["inputs"], logical))
            names.append((logical, used(PARTS[name])))
    assert len(resources) >= 10
    report = price(plan_of(*resources), usage=Usage(names=tuple(names)))
    assert str(report.monthly_usd.expected.quantize(CENT)) == configuration["monthly_usd"]


def test_there_are_thirty():
    assert len(WRITTEN["configurations"]) >= 30
