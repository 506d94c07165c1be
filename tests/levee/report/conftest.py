"""A small stack on three clouds with something to say, and what the runs left of the online-retail data."""

from dataclasses import replace

import pytest

from levee.plan import InventedLookup, Level, Op, Plan, Resource, Source, Violation


def _resource(token, name, **more):
    return Resource(
        urn=f"urn:pulumi:local::levee::{token}::{name}",
        type=token,
        name=name,
        op=more.pop("op", Op.CREATE),
        source=Source("components/lake/aws.py", 20),
        **more,
    )


@pytest.fixture(scope="session")
def plan():
    """A key, buckets that need it, a job that needs the buckets."""
    key = _resource("aws:kms/key:Key", "lake-key")
    buckets = [_resource("aws:s3/bucket:Bucket", f"bucket-{i}", dependencies=(key.urn,)) for i in range(6)]
    others = [_resource("gcp:storage/bucket:Bucket", "gcs"), _resource("azure-native:storage:StorageAccount", "blob")]
    job = _resource("databricks:index/job:Job", "sales", dependencies=(key.urn, *(b.urn for b in buckets)))
    stack = _resource("pulumi:pulumi:Stack", "levee-local", custom=False)
    resources = (stack, key, *buckets, *others, job)

    def violation(of, message, level=Level.MANDATORY, policy="tagging-required"):
        return Violation("levee", policy, level, message, of.urn, of.source)

    return Plan(
        project="levee",
        stack="local",
        operation="up",
        offline=True,
        resources=resources,
        violations=(
            *(violation(b, "tags owner missing: add it to `tags`") for b in buckets[:2]),
            violation(job, "`environment` is '<b>dev</b>'", Level.ADVISORY, "tagging-values"),
        ),
        not_evaluated=(violation(buckets[2], "`tags` is not known before the update"),),
        exempt=(violation(buckets[3], "no owner (until 2027-01-01, a@example.com: moves)"),),
        invented_lookups=(InventedLookup("aws:ec2/getAmi:getAmi", {}, {}, reason="no answer is known"),),
        notes=("stack reference 'org/net' answered from refs.yaml",),
        seconds=2.3,
    )


@pytest.fixture(scope="session")
def empty_plan(plan):
    """The same stack before anything was brought up."""
    return replace(
        plan, resources=(), violations=(), not_evaluated=(), exempt=(), invented_lookups=(), notes=(), seconds=0.0
    )


@pytest.fixture(scope="session")
def summary():
    """The shape of ``python -m pipelines.summary``; the totals are those of the whole online-retail set."""
    of = {"dataset": "online_retail", "currency": "GBP"}
    months = {"2010-12-01": "570422.730", "2011-01-01": "568101.310", "2011-11-01": "1156205.610"}
    countries = {"United Kingdom": "7285024.644", "Netherlands": "285446.340", "EIRE": "265262.460"}
    return {
        "schema": 1,
        "sales_over_time": [of | {"month": month, "revenue": revenue} for month, revenue in months.items()],
        "revenue_by_country": [of | {"country": name, "revenue": revenue} for name, revenue in countries.items()],
        "revenue_by_customer": [of | {"customer_id": f"{i:032x}", "revenue": f"{1000 - i}.125"} for i in range(40)],
        "clean_vs_quarantined": [of | {"silver": 392692, "duplicates": 5268, "quarantined": 143949}],
        "quarantine_by_rule": [
            of | {"rule": "customer_present", "rows": 135037},
            of | {"rule": "quantity_positive", "rows": 10587},
        ],
        "quality": [
            _check("customer_present", success=False, failed=135037),
            _check("unit_price_positive", success=True),
            _check("median_price", success=None, not_run="the engine has no median"),
        ],
        "runs": [
            {"run_id": "r2", "task": "silver", "dataset": "online_retail", "engine": "sail", "status": "succeeded"}
            | {"started_at": "2026-11-21T16:41:00", "rows": 541909, "seconds": 6.0, "files": 305, "bytes": 1},
            {"run_id": "r1", "task": "gold", "dataset": None, "engine": "sail", "status": "failed"}
            | {"started_at": "2026-11-20T16:41:00", "rows": 0, "seconds": 1.0, "files": 0, "bytes": 0},
        ],
    }


def _check(name, *, success, failed=0, not_run=None):
    of = {"dataset": "online_retail", "batch": "b", "check": name, "rows": 541909, "observed": None}
    return of | {"success": success, "failed": failed, "not_run": not_run}
