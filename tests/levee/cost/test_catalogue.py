"""The catalogue hangs together, and its prices are those of the public lists."""

import csv
import os
import shutil
import sysconfig
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from levee.cost import Catalogue, Range, Usage, price, shipped
from levee.cost.catalogue import BASE_REGIONS, CLOUDS, PRICE_COLUMNS, read_prices
from levee.cost.expression import compiled, template
from levee.cost.model import CENT
from levee.errors import UsageError
from levee.sdk import Sdk
from tests.levee.cost.conftest import plan_of, resource

CLOUD_NAMES = tuple(dict.fromkeys(CLOUDS.values()))
RULES = shipped().types
LISTS = Path(os.environ.get("LEVEE_DATA", "")) / "unit-prices.csv"
NEEDS_LISTS = pytest.mark.skipif(
    not os.environ.get("LEVEE_DATA") or not LISTS.exists(), reason="needs the public lists: set LEVEE_DATA"
)


@pytest.fixture(scope="module")
def sdk():
    return Sdk(Path(sysconfig.get_path("purelib")))


def test_it_covers_the_three_clouds_and_databricks():
    counts = {cloud: len(shipped().rules(cloud)) for cloud in CLOUD_NAMES}
    assert sum(counts.values()) >= 150
    assert counts["aws"] >= 80
    assert counts["azure"] >= 80
    assert counts["gcp"] >= 50


@pytest.mark.parametrize("token", RULES)
def test_every_type_is_one_of_the_sdks_and_every_expression_is_in_the_language(token, sdk):
    rule = RULES[token]
    assert token in sdk.packages[token.partition(":")[0]].tokens
    for relation in rule.related.values():
        assert relation.type in sdk.packages[relation.type.partition(":")[0]].tokens
    for text in rule.nodes:
        compiled(text)
    assert rule.lines
    for line in rule.lines:
        template(line.name)
        template(line.price)
        for text in filter(None, (line.quantity, line.when, line.each)):
            compiled(text)


@pytest.mark.parametrize("cloud", CLOUD_NAMES)
def test_a_price_that_no_input_chooses_is_in_the_list(cloud):
    prices = shipped().prices(cloud)
    fixed = {line.price for rule in shipped().rules(cloud).values() for line in rule.lines if "{" not in line.price}
    unpriced = {"fsx-windows/single-az-storage", "fsx-windows/single-az-throughput"}
    assert fixed - set(prices) == fixed & unpriced


@pytest.mark.parametrize("cloud", CLOUD_NAMES)
def test_no_price_is_idle(cloud):
    """A price whose key no rule can ask for would be a mistake in typing."""
    asked = {line.price.partition("{")[0] for rule in RULES.values() for line in rule.lines}
    asked |= {"gce/", "machine/gcp/"}  # chosen inside the braces
    idle = [key for key in shipped().prices(cloud) if not any(key.startswith(start.lower()) for start in asked)]
    assert not idle


@pytest.mark.parametrize("cloud", CLOUD_NAMES)
def test_every_price_names_its_source_and_its_date(cloud):
    for found in shipped().prices(cloud).values():
        assert shipped().source(found.source).as_of


def test_a_refreshed_price_has_its_own_date():
    assert shipped().source("aws-bulk@2026-11-01").as_of == "2026-11-01"


def test_every_base_region_has_a_multiplier_of_one():
    for cloud, region in BASE_REGIONS.items():
        assert shipped().multipliers[cloud, region].factor == 1


def public_lists():
    """``<terraform type>: <component>`` and unit to the prices listed, several where regions or sizes differ."""
    listed = defaultdict(set)
    with LISTS.open(newline="") as file:
        for row in csv.DictReader(file):
            key = f"{row['terraform_type']}: {row['cost_component']}", row["unit"]
            listed[key] |= {Decimal(value) for value in row["unit_prices_usd"].split()}
    return listed


def component(fact, label):
    """The list's name of a tier: the price's own, or the same with the tier's label."""
    return f"{fact.rpartition(' (')[0]} ({label})" if label else fact


PROBE = {
    "aws": "aws:s3/bucket:Bucket",
    "azure": "azure-native:storage:StorageAccount",
    "gcp": "gcp:storage/bucket:Bucket",
    "databricks": "databricks:index/job:Job",
}
"""A type whose rule is replaced by one that has a line for every price of its cloud."""


@pytest.fixture
def lines_of_every_price(tmp_path):
    """``lines_of_every_price(cloud, units)`` gives each price and the lines of so many units of it, as reported."""

    def run(cloud, units):
        prices = [price for price in shipped().prices(cloud).values() if "@" not in price.key]
        lines = [{"name": price.key, "price": price.key, "quantity": "usage.units"} for price in prices]
        shutil.copytree(shipped().folder, tmp_path, dirs_exist_ok=True)
        rows = "".join(
            f"    {{name = '{e['name']}', price = '{e['price']}', quantity = 'usage.units'}},\n" for e in lines
        )
        (tmp_path / f"{cloud}.toml").write_text(f'["{PROBE[cloud]}"]\nlines = [\n{rows}]\n')
        usage = Usage({PROBE[cloud]: {"units": Range.exactly(units)}})
        (found,) = price(plan_of(resource(PROBE[cloud])), Catalogue(tmp_path), usage).resources
        reported = defaultdict(list)
        for line in found.lines:
            reported[line.name.partition(" (")[0]].append(line)
        return [(price, reported[price.key]) for price in prices]

    return run


@NEEDS_LISTS
@pytest.mark.parametrize("units", [730, 1_000, 10**9])
@pytest.mark.parametrize(("cloud", "at_least"), [("aws", 300), ("azure", 500), ("gcp", 130)])
def test_a_line_of_every_price_with_a_fact_agrees_with_that_fact_to_the_cent(
    lines_of_every_price, cloud, at_least, units
):
    """The lines as reports have them: for a month of hours, a thousand, and enough to reach every tier."""
    listed, checked = public_lists(), 0
    for found, lines in lines_of_every_price(cloud, units):
        assert sum(line.quantity.expected for line in lines) == units, found.key
        for line in lines if found.fact else ():
            label = line.name.removeprefix(found.key).removeprefix(" (").removesuffix(")")
            tier = next(tier for tier in found.tiers if tier.label == label)
            if not tier.usd:
                continue  # a free tier, which the lists leave out
            facts = listed[component(found.fact, label), line.unit]
            assert facts, (found.key, line.name, line.unit)
            amounts = {(value * line.quantity.expected).quantize(CENT) for value in facts}
            assert line.monthly_usd.expected.quantize(CENT) in amounts, line.name
            checked += 1
    assert checked >= at_least


@NEEDS_LISTS
def test_dbu_prices_are_those_of_the_list_by_workload_and_cloud():
    with LISTS.with_name("dbu-rates.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            for cloud in BASE_REGIONS:
                price = shipped().prices("databricks")[f"dbu/{cloud}/{row['workload'].lower()}"]
                assert price.tiers[0].usd == Decimal(row[cloud])


@pytest.mark.parametrize(
    ("lines", "line", "says"),
    [
        (["a,0,hours,x,,,list"], 2, "no number"),
        (["a,5,hours,1,,,list"], 2, "begin at 0"),
        (["a,0,hours,1,,,list", "a,0,hours,2,,,list"], 3, "rise"),
        (["a,0,hours,-1,,,list"], 2, "negative"),
        (["a,0,hours"], 2, "not a line"),
    ],
)
def test_a_malformed_price_file_is_refused_with_its_line(tmp_path, lines, line, says):
    path = tmp_path / "aws.csv"
    path.write_text("\n".join([",".join(PRICE_COLUMNS), *lines]) + "\n")
    with pytest.raises(UsageError, match=says) as refused:
        read_prices(path)
    assert refused.value.where == f"{path}:{line}"
    assert refused.value.fix


def test_a_malformed_rule_file_is_refused(tmp_path):
    (tmp_path / "aws.toml").write_text('["aws:x:Y"]\nlines = [{name = "a"}]\n')
    with pytest.raises(UsageError, match="aws:x:Y"):
        Catalogue(tmp_path).rule("aws:x:Y")
    (tmp_path / "gcp.toml").write_text("[")
    with pytest.raises(UsageError, match="not TOML"):
        Catalogue(tmp_path).rule("gcp:x:Y")


def test_a_dated_token_of_azure_native_is_priced_as_the_plain_one():
    assert shipped().rule("azure-native:compute/v20240301:Disk") == shipped().rule("azure-native:compute:Disk")
    assert shipped().is_free("azure-native:network/v20240101:Subnet")


def test_what_is_free_is_not_also_priced():
    assert not [token for token in RULES if shipped().is_free(token)]
