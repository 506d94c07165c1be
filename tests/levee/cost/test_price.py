"""What a line rests on, and what becomes of it."""

from decimal import Decimal

import pytest

from levee.cost import Basis, Range, price
from levee.plan import SECRET, UNKNOWN, Op
from tests.levee.cost.conftest import plan_of, resource

NAT = "aws:ec2/natGateway:NatGateway"
EC2 = "aws:ec2/instance:Instance"
BUCKET = "aws:s3/bucket:Bucket"
ASG = "aws:autoscaling/group:Group"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
JOB = "databricks:index/job:Job"


def by_name(found):
    return {line.name: line for line in found.lines}


def test_a_usage_line_without_usage_has_no_amount_and_keeps_its_unit_price(cost):
    line = by_name(cost(resource(NAT)))["Data processed"]
    assert line.basis is Basis.USAGE_MISSING
    assert line.monthly_usd is None
    assert line.unit_price_usd == Decimal("0.045")
    assert "data_processed_gb" in line.note


def test_a_size_that_the_catalogue_lacks_is_unpriced_by_name(cost):
    line = cost(resource(EC2, {"instanceType": "u-24tb1.metal"})).lines[0]
    assert line.basis is Basis.UNPRICED
    assert line.monthly_usd is None
    assert "machine/aws/u-24tb1.metal" in line.note


@pytest.mark.parametrize("value", [UNKNOWN, SECRET])
def test_a_size_that_is_not_known_yet_is_unknown(cost, value):
    line = cost(resource(EC2, {"instanceType": value})).lines[0]
    assert line.basis is Basis.UNKNOWN
    assert line.monthly_usd is None


def test_every_line_names_source_and_date(cost):
    line = cost(resource(NAT)).lines[0]
    assert (line.source, line.as_of) == ("list", "2026-08-01")


def test_hours_are_reduced_by_what_usage_says(cost):
    assert cost(resource(NAT), hours=365).lines[0].monthly_usd.expected == Decimal("0.045") * 365


def test_a_region_of_the_table_is_estimated_and_says_so(cost):
    line = cost(resource(NAT, {"region": "eu-west-1"})).lines[0]
    assert line.unit_price_usd == Decimal("0.045") * Decimal("1.116")
    assert "1.116 times us-east-1" in line.note


def test_a_regions_own_price_is_taken_before_the_multiplier(cost):
    line = cost(resource(EC2, {"instanceType": "m6gd.large", "region": "eu-west-1"})).lines[0]
    assert line.unit_price_usd == Decimal("0.1008")
    assert not line.note


def test_a_region_that_is_not_in_the_table_says_so(cost):
    assert "mars-1 is not in the catalogue" in cost(resource(NAT, {"region": "mars-1"})).lines[0].note


def test_a_global_service_costs_the_same_everywhere(cost):
    line = cost(resource("aws:route53/zone:Zone", {"region": "sa-east-1"})).lines[0]
    assert (line.unit_price_usd, line.note) == (Decimal("0.5"), "")


def test_the_region_comes_from_the_provider_or_the_zone(cost):
    provider = resource("pulumi:providers:aws", {"region": "eu-west-1"}, "here")
    line = cost(resource(NAT, provider=f"{provider.urn}::id"), provider).lines[0]
    assert "1.116" in line.note
    assert "1.1 times us-central1" in cost(resource("gcp:compute/disk:Disk", {"zone": "europe-west1-b"})).lines[0].note


def test_tiers_split_a_quantity(cost):
    lines = cost(resource("aws:route53/record:Record"), queries=1_500_000_000).lines
    assert [(line.name, line.quantity.expected) for line in lines] == [
        ("Standard queries (first 1B)", 1000),
        ("Standard queries (over 1B)", 500),
    ]


def test_an_autoscaling_group_is_priced_at_its_bounds_through_its_template(cost):
    template = resource(TEMPLATE, {"instanceType": "m5.large"}, "template")
    group = resource(
        ASG,
        {"minSize": 1, "desiredCapacity": 2, "maxSize": 5},
        property_dependencies={"launchTemplate": (template.urn,)},
    )
    month = cost(group, template).monthly_usd
    one = Decimal("0.096") * 730
    assert month == Range(one, 2 * one, 5 * one)


def test_a_template_of_another_stack_is_unknown_not_free(cost):
    found = cost(resource(ASG, {"minSize": 1, "maxSize": 2}))
    assert found.lines[0].basis is Basis.UNKNOWN
    assert not found.monthly_usd.high


def test_what_is_deleted_or_only_read_costs_nothing():
    report = price(plan_of(resource(NAT, op=Op.DELETE, name="a"), resource(NAT, op=Op.READ, name="b")))
    assert report.resources == ()


def test_an_unknown_type_is_named_and_a_free_one_counted():
    strange = resource("aws:braket/quantumTask:QuantumTask")
    report = price(plan_of(strange, resource("aws:iam/role:Role"), resource("kubernetes:core/v1:ConfigMap")))
    assert report.unpriced == {strange.type: (strange.urn,)}
    assert report.free == {"aws:iam/role:Role": 1, "kubernetes:core/v1:ConfigMap": 1}
    assert report.undecided == ("aws:braket/quantumTask:QuantumTask is not in the catalogue (1)",)


def test_a_service_of_kubernetes_is_not_called_free():
    assert "kubernetes:core/v1:Service" in price(plan_of(resource("kubernetes:core/v1:Service"))).unpriced


def test_an_environments_assumption_is_marked():
    found = price(plan_of(resource(BUCKET), stack="prod")).resources[0]
    line = by_name(found)["Storage (standard)"]
    assert line.basis is Basis.ASSUMED
    assert line.quantity.low < line.quantity.expected < line.quantity.high


def test_databricks_takes_its_cloud_from_the_host_and_its_machines_from_the_pool(cost):
    provider = resource("pulumi:providers:databricks", {"host": "https://4.4.gcp.databricks.com"}, "here")
    pool = resource("databricks:index/instancePool:InstancePool", {"nodeTypeId": "n2-highmem-8"}, "pool")
    cluster = {"newCluster": {"instancePoolId": UNKNOWN, "autoscale": {"minWorkers": 2, "maxWorkers": 6}}}
    job = resource(
        JOB,
        {"jobClusters": [cluster]},
        provider=f"{provider.urn}::id",
        property_dependencies={"jobClusters": (pool.urn,)},
    )
    found = by_name(cost(job, provider, pool, run_hours=10))
    dbu = found["DBU (n2-highmem-8)"]
    rate = Decimal("1.92")
    assert dbu.unit_price_usd == Decimal("0.15")
    assert dbu.quantity == Range(10 * 3 * rate, 10 * 5 * rate, 10 * 7 * rate)
    assert found["Machines (n2-highmem-8)"].quantity == Range(*(Decimal(n) for n in (30, 50, 70)))


@pytest.mark.parametrize(("driver", "basis"), [("n2-highmem-8", Basis.USAGE), ("n2-highmem-4", Basis.UNKNOWN)])
def test_a_job_with_a_pool_for_its_driver_is_priced_where_both_have_the_same_machines(cost, driver, basis):
    provider = resource("pulumi:providers:databricks", {"host": "https://4.4.gcp.databricks.com"}, "here")
    pools = [
        resource("databricks:index/instancePool:InstancePool", {"nodeTypeId": kind, "idle": name}, name)
        for name, kind in (("workers", "n2-highmem-8"), ("drivers", driver))
    ]
    job = resource(
        JOB,
        {"jobClusters": [{"newCluster": {"instancePoolId": UNKNOWN, "numWorkers": 1}}]},
        provider=f"{provider.urn}::id",
        property_dependencies={"jobClusters": tuple(pool.urn for pool in pools)},
    )
    assert {line.basis for line in cost(job, provider, *pools, run_hours=10).lines} == {basis}


def test_a_machine_without_a_dbu_rating_is_unpriced_unless_usage_gives_it(cost):
    cluster = resource(
        "databricks:index/cluster:Cluster",
        {"nodeTypeId": "m6gd.2xlarge", "numWorkers": 1, "awsAttributes": {"availability": "SPOT"}},
    )
    assert cost(cluster, run_hours=1).lines[0].basis is Basis.UNPRICED
    assert cost(cluster, run_hours=1, dbu_per_node_hour=2).lines[0].quantity.expected == 4


def test_costs_are_grouped_by_component_capability_and_cost_centre():
    stack = resource("pulumi:pulumi:Stack", name="shop", custom=False)
    lake = resource("levee:lake:AwsLake", name="lake", custom=False, parent=stack.urn)
    inner = resource("levee:lake:AwsStore", name="store", custom=False, parent=lake.urn)
    inside = resource(NAT, {"tags": {"Cost-Center": "cc-7"}}, "inside", parent=inner.urn)
    outside = resource(NAT, name="outside", parent=stack.urn)
    report = price(plan_of(stack, lake, inner, inside, outside))
    month = Range.exactly(Decimal("0.045") * 730)
    assert report.by_component == {"": month, lake.urn: month}
    assert report.by_capability == {"": month, "lake": month}
    assert report.by_cost_centre == {"": month, "cc-7": month}
    assert report.only("capability", "lake").expected_usd == month.expected


def test_a_default_tag_of_the_provider_counts():
    tags = '{"tags": {"cost-centre": "cc-9"}}'
    provider = resource("pulumi:providers:aws", {"defaultTags": tags}, "here")
    report = price(plan_of(provider, resource(NAT, provider=f"{provider.urn}::id")))
    assert list(report.by_cost_centre) == ["cc-9"]


@pytest.mark.parametrize(("engine", "said"), [("postgres", True), ("mysql", False), ("mariadb", False)])
def test_postgresql_on_rds_says_that_the_price_is_mysqls(cost, engine, said):
    found = cost(resource("aws:rds/instance:Instance", {"instanceClass": "db.m5.large", "engine": engine}))
    assert found.lines[0].unit_price_usd == Decimal("0.171")
    assert ("price of MySQL" in found.lines[0].name) is said
