"""Tables of a deployed stack: what their storage costs, which one is meant, and what may be asked."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from levee.errors import UsageError
from levee.plan import Resource
from levee.runner import care

BUCKET = Resource(
    urn="urn:pulumi:local::levee::aws:s3/bucket:Bucket::bronze",
    type="aws:s3/bucket:Bucket",
    name="bronze",
    inputs={"bucket": "acme-bronze", "region": "us-east-1"},
)
TABLE = {
    "table": "bronze.things",
    "version": 3,
    "rows": 10,
    "files": 2,
    "bytes": 1000,
    "small_files": 2,
    "without_statistics": 0,
    "stored_files": 5,
    "stored_bytes": 5 * 10**9,
    "vacuum_hours": 168,
    "cared": {"at": "2026-11-22T01:02:03+00:00", "files_before": 9, "files_after": 2,
              "stored_bytes_before": 10**10, "stored_bytes_after": 5 * 10**9},
}  # fmt: skip


@pytest.fixture
def plan(stack, task):
    """A deployed job of one domain beside a bucket."""
    deployed = stack(task("bronze"))
    return replace(deployed, resources=(*deployed.resources, BUCKET))


def test_a_gigabyte_costs_what_the_bucket_under_the_url_costs(plan):
    rate = care.a_gigabyte(plan, "s3://acme-bronze/sales")
    assert rate is not None
    assert Decimal("0.02") < rate < Decimal("0.03")  # S3 Standard's first tier


@pytest.mark.parametrize("url", ["s3://another", "gs://acme-bronze-2", "abfss://data@acme.dfs.core.windows.net/x"])
def test_a_store_that_the_stack_has_not_has_no_price(plan, url):
    assert care.a_gigabyte(plan, url) is None


@pytest.fixture
def wheel(monkeypatch, prepared):
    """A wheel that answers as it is told, and says what it was asked."""
    asked = []

    def answers(answer):
        prepared.python.write_text(
            "#!/bin/sh\nfor last; do :; done\n"
            f"printf '%s\\n' \"$@\" > {prepared.folder}/asked\n"
            f"cat > \"$last\" <<'END'\n{json.dumps(answer)}\nEND\n"
        )
        return lambda: (prepared.folder / "asked").read_text().split()

    monkeypatch.setattr("levee.runner.care.ensure_data_env", lambda *_: prepared)
    asked.clear()
    return answers


def test_a_table_costs_what_is_stored_and_did_before_its_last_care(plan, wheel, tmp_path, console):
    (tmp_path / ".levee" / "local").mkdir(parents=True)
    wheel({"domain": "sales", "tables": [TABLE]})
    bronze = Resource(
        urn=BUCKET.urn, type="gcp:storage/bucket:Bucket", name="b", inputs={"name": "acme-bronze", "location": "US"}
    )
    found = care.tables(replace(plan, resources=(*plan.resources, bronze)), root=tmp_path, console=console)
    assert found[0]["domain"] == "sales"
    assert Decimal(found[0]["usd_a_month_before"]) == 2 * Decimal(found[0]["usd_a_month"]) > 0
    assert Decimal(found[0]["usd_a_month_after"]) == Decimal(found[0]["usd_a_month"])


def test_the_wheel_is_asked_for_the_table_and_the_time(plan, wheel, tmp_path, console):
    (tmp_path / ".levee" / "local").mkdir(parents=True)
    asked = wheel({"versions": []})
    care.audit(plan, "bronze.things", "2026-11-20", root=tmp_path, console=console)
    assert {"--verb=audit", "--name=bronze.things", "--as-of=2026-11-20"} <= set(asked())


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"version": 3, "as_of": None, "repair": False}, {"--verb=restore", "--version-number=3"}),
        ({"version": None, "as_of": "2026-11-20", "repair": False}, {"--verb=restore", "--as-of=2026-11-20"}),
        ({"version": None, "as_of": None, "repair": True}, {"--verb=repair"}),
    ],
)
def test_a_restore_goes_back_to_one_thing(plan, wheel, tmp_path, console, choice, expected):
    (tmp_path / ".levee" / "local").mkdir(parents=True)
    asked = wheel({"tables": {}})
    care.restore(plan, "sales.bronze.things", **choice, root=tmp_path, console=console)
    assert expected <= set(asked())


@pytest.mark.parametrize(
    "choice", [{"version": None, "as_of": None, "repair": False}, {"version": 0, "as_of": None, "repair": True}]
)
def test_nothing_or_two_things_to_go_back_to_are_refused(plan, tmp_path, choice):
    with pytest.raises(UsageError, match="what to go back to"):
        care.restore(plan, "bronze.things", **choice, root=tmp_path)


def test_a_name_without_a_layer_is_refused(plan, tmp_path):
    with pytest.raises(UsageError, match="names no table of one domain"):
        care.audit(plan, "things", None, root=tmp_path)
