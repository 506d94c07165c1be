"""Usage files: what they may say, and how a wrong one is refused."""

from decimal import Decimal

import pytest

from levee.cost import Range, price, shipped, usage_file
from levee.cost.usage import Usage, hours_of, parse
from levee.environment import Environment
from levee.errors import UsageError
from tests.levee.cost.conftest import plan_of, resource

BUCKET = "aws:s3/bucket:Bucket"


@pytest.fixture
def read(tmp_path):
    def run(text):
        path = tmp_path / "usage.yaml"
        path.write_text(text)
        return usage_file.read(path, shipped())

    return run


def test_a_name_wins_over_its_type_and_the_last_name_over_the_first(read):
    usage = read(
        'types:\n  "aws:s3/bucket:Bucket": {storage_gb: 1, read_requests: 5}\n'
        'names:\n  "*": {storage_gb: 2}\n  "*-gold": {storage_gb: {low: 3, expected: 4, high: 5}}\n'
    )
    gold = usage.of(BUCKET, "lake-gold", {"storage_gb": Range.exactly(9), "write_requests": Range.exactly(8)})
    assert gold.amounts["storage_gb"] == Range(Decimal(3), Decimal(4), Decimal(5))
    assert gold.amounts["read_requests"].expected == 5
    assert gold.assumed == {"write_requests"}
    assert usage.of(BUCKET, "raw", {}).amounts["storage_gb"].expected == 2


@pytest.mark.parametrize(
    ("text", "line", "message", "fix"),
    [
        ("types:\n  aws:s3/bucket:Bucket:\n    storage_gbb: 5\n", 3, "no usage is called", "storage_gb"),
        ("types:\n  aws:s3/bucket:Bukket: {storage_gb: 5}\n", 2, "no priced type", "aws:s3/bucket:Bucket"),
        ("typs: {}\n", 1, "no section", "types"),
        ("names:\n  '*':\n    storage_gb: many\n", 3, "is no amount", "number"),
        ("names:\n  '*':\n    storage_gb: true\n", 3, "is no amount", "number"),
        ("names:\n  '*':\n    storage_gb: -1\n", 3, "rise from low to high", "order"),
        ("names:\n  '*':\n    storage_gb: {low: 5, expected: 1, high: 9}\n", 3, "rise from low to high", "order"),
        ("names:\n  '*':\n    storage_gb: .inf\n", 3, "rise from low to high", "order"),
        ("names:\n  '*': 5\n", 2, "keys and amounts", "storage_gb"),
        ("names:\n  '*':\n    schedule: sometimes\n", 3, "no schedule", "Mon-Fri"),
        ("names:\n  '*':\n    hours: 800\n", 3, "730 hours", "fewer"),
        ("- a\n", 1, "no settings", "keys"),
        ("a: [\n", 2, "not YAML", "line"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line_and_the_mend(read, text, line, message, fix):
    with pytest.raises(UsageError, match=message) as refused:
        read(text)
    assert str(refused.value.where).endswith(f"usage.yaml:{line}")
    assert fix in str(refused.value.fix)


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        usage_file.read(tmp_path / "none.yaml", shipped())


@pytest.mark.parametrize(
    ("schedule", "hours_a_week"),
    [("Mon-Fri 08:00-18:00", 50), ("Sat-Sun 00:00-24:00", 48), ("fri-mon 22:00-06:00", 32), ("Wed 09:00-09:30", "0.5")],
)
def test_a_schedule_becomes_hours_of_a_month(schedule, hours_a_week):
    assert hours_of(schedule) == Decimal(hours_a_week) * 730 / 168


@pytest.mark.parametrize("schedule", ["", "Mon", "Mon-Fri", "Mon-Fri 8-18", "Xyz 08:00-18:00", "Mon 08:00-25:00"])
def test_what_is_no_schedule_is_told(schedule):
    assert hours_of(schedule) is None


def test_a_schedule_reduces_what_runs(read):
    usage = read('names:\n  "build-*": {schedule: "Mon-Fri 08:00-18:00"}\n')
    report = price(plan_of(resource("aws:ec2/natGateway:NatGateway", name="build-nat")), usage=usage)
    assert report.resources[0].lines[0].quantity == Range.exactly(Decimal(50) * 730 / 168)


def test_what_no_resource_takes_up_is_reported(read):
    usage = read('types:\n  "aws:s3/bucket:Bucket": {storage_gb: 1}\nnames:\n  "gold*": {storage_gb: 2}\n')
    notes = price(plan_of(resource("aws:iam/role:Role")), usage=usage).notes
    assert len(notes) == 2
    assert "gold*" in notes[1]


def test_a_file_wins_over_the_environment():
    environment = Usage({BUCKET: {"storage_gb": Range.exactly(1), "read_requests": Range.exactly(2)}})
    file = Usage({BUCKET: {"storage_gb": Range.exactly(3)}})
    merged = environment.overlaid(file).types[BUCKET]
    assert (merged["storage_gb"].expected, merged["read_requests"].expected) == (3, 2)


@pytest.mark.parametrize("name", ["local", "dev", "staging", "prod"])
def test_the_projects_environments_say_something_that_is_read(pytestconfig, name):
    environment = Environment.load(pytestconfig.rootpath, name)
    assert usage_file.of_environment(environment, shipped()).types


def test_every_assumption_of_the_catalogue_is_read():
    for environment, types in shipped().defaults.items():
        assert parse({"types": types}, shipped(), str).types, environment
