"""What must hold in every environment whatever it is made of, and what tells one environment from another."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from levee import cost, engine
from levee.compliance.tagging import rules as tagging
from levee.cost import Usage, usage
from levee.environment import Environment, names
from levee.plan import UNKNOWN, Plan, Resource, Urn
from pipelines.contracts import Layer, job_spec, load_domain
from pipelines.settings import RunSettings

ROOT = Path(__file__).resolve().parents[2]
EVERY = pytest.mark.parametrize("name", names(ROOT))
Preview = Callable[[str], Plan]

S3, GCS, CONTAINER = "aws:s3/bucket:Bucket", "gcp:storage/bucket:Bucket", "azure-native:storage:BlobContainer"
ACCOUNT, VAULT = "azure-native:storage:StorageAccount", "azure-native:keyvault:Vault"
JOB = "databricks:index/job:Job"
STATEFUL = {S3, GCS, CONTAINER, ACCOUNT, VAULT, "aws:kms/key:Key", "gcp:kms/cryptoKey:CryptoKey"}


def of(plan: Plan, *types: str) -> Iterator[Resource]:
    return (resource for resource in plan.resources if resource.type in types)


def beside(plan: Plan, bucket: Resource, kind: str) -> dict[str, Any]:
    """The inputs of the one sibling of that kind that configures an S3 bucket."""
    found = [item for item in plan.children(bucket.parent) if item.type == f"aws:s3/{kind}"]
    assert len(found) == 1, f"{bucket.name} has {len(found)} {kind}"
    assert found[0].inputs["bucket"] == bucket.inputs["bucket"]
    return dict(found[0].inputs)


@EVERY
def test_each_cloud_has_a_store_for_each_layer(name: str, preview: Preview) -> None:
    lakes = preview(name).outputs["lakes"]
    assert tuple(lakes) == Environment.load(ROOT, name).clouds.enabled
    schemes = {"aws": "s3://", "azure": "abfss://", "gcp": "gs://"}
    for cloud, urls in lakes.items():
        assert set(urls) == {layer.value for layer in Layer}
        assert all(url.startswith(schemes[cloud]) and not url.endswith("/") for url in urls.values())
        assert len(set(urls.values())) == len(urls)


@EVERY
def test_every_resource_uses_an_explicit_provider_of_its_own_account(name: str, preview: Preview) -> None:
    plan, environment = preview(name), Environment.load(ROOT, name)
    for resource in plan.resources:
        if resource.custom and not resource.is_provider and resource.package != "random":
            assert "default" not in Urn.parse(resource.provider.rsplit("::", 1)[0]).name, resource.urn
    for provider in of(plan, "pulumi:providers:aws"):
        assert environment.clouds.aws
        assert json.loads(provider.inputs["allowedAccountIds"]) == [environment.clouds.aws.account]


@EVERY
def test_every_bucket_on_aws_is_closed_encrypted_versioned_and_logged(name: str, preview: Preview) -> None:
    plan = preview(name)
    for bucket in of(plan, S3):
        block = beside(plan, bucket, "bucketPublicAccessBlock:BucketPublicAccessBlock")
        assert all(block[key] for key in block if key != "bucket")
        owner = beside(plan, bucket, "bucketOwnershipControls:BucketOwnershipControls")
        assert owner["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
        versioned = beside(plan, bucket, "bucketVersioning:BucketVersioning")
        assert versioned["versioningConfiguration"] == {"status": "Enabled"}
        encryption = "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
        (rule,) = beside(plan, bucket, encryption)["rules"]
        logs = bucket.name.endswith("-logs")
        algorithm = rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"]
        assert algorithm == ("AES256" if logs else "aws:kms")
        policy = json.loads(beside(plan, bucket, "bucketPolicy:BucketPolicy")["policy"])
        assert {"DenyInsecureTransport", "DenyOldTls"} <= {item["Sid"] for item in policy["Statement"]}
        if not logs:
            assert beside(plan, bucket, "bucketLogging:BucketLogging")["targetBucket"]


@EVERY
def test_every_account_on_azure_is_closed_and_encrypted_with_our_key(name: str, preview: Preview) -> None:
    for account in of(preview(name), ACCOUNT):
        given = account.inputs
        assert given["encryption"]["keySource"] == "Microsoft.Keyvault"
        assert given["encryption"]["requireInfrastructureEncryption"]
        assert (given["minimumTlsVersion"], given["enableHttpsTrafficOnly"]) == ("TLS1_2", True)
        assert not given["allowBlobPublicAccess"]
        assert not given["allowSharedKeyAccess"]
        assert given["networkRuleSet"]["defaultAction"] == "Deny"
    for vault in of(preview(name), VAULT):
        properties = vault.inputs["properties"]
        assert properties["enablePurgeProtection"]
        assert properties["enableRbacAuthorization"]
        assert properties["networkAcls"]["defaultAction"] == "Deny"


@EVERY
def test_every_bucket_on_google_is_closed_and_encrypted_with_our_key(name: str, preview: Preview) -> None:
    for bucket in of(preview(name), GCS):
        given = bucket.inputs
        assert given["publicAccessPrevention"] == "enforced"
        assert given["uniformBucketLevelAccess"]
        assert given["encryption"]["defaultKmsKeyName"] == UNKNOWN
        assert given["encryption"]["googleManagedEncryptionEnforcementConfig"]["restrictionMode"] == "FullyRestricted"
        assert ("versioning" in given) != ("retentionPolicy" in given), "Google allows one of the two"


@EVERY
def test_the_audit_store_is_locked_as_the_environment_says(name: str, preview: Preview) -> None:
    plan, environment = preview(name), Environment.load(ROOT, name)
    locked, days = environment.protection.retention_lock, environment.retention.audit_days
    for lock in of(plan, "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"):
        retention = lock.inputs["rule"]["defaultRetention"]
        assert retention == {"mode": "COMPLIANCE" if locked else "GOVERNANCE", "days": days}
    for policy in of(plan, "azure-native:storage:BlobContainerImmutabilityPolicy"):
        assert policy.inputs["immutabilityPeriodSinceCreationInDays"] == days
    for bucket in of(plan, GCS):
        if bucket.name.endswith("-audit"):
            assert bucket.inputs["retentionPolicy"] == {"isLocked": locked, "retentionPeriod": str(days * 86_400)}
    assert ("lock-audit-azure" in plan.outputs) == (locked and environment.clouds.azure is not None)


@EVERY
def test_what_holds_data_is_protected_as_the_environment_says(name: str, preview: Preview) -> None:
    protection = Environment.load(ROOT, name).protection
    for resource in of(preview(name), *STATEFUL):
        assert resource.protect is protection.stateful, resource.urn
    for bucket in of(preview(name), S3, GCS):
        assert bool(bucket.inputs.get("forceDestroy")) is protection.force_destroy


@EVERY
def test_stores_bear_the_class_of_what_lies_in_them(name: str, preview: Preview) -> None:
    raw, published = {"landing", "bronze", "quarantine"}, {"silver", "gold"}
    for bucket in of(preview(name), S3):
        layer, tags = bucket.name.removeprefix("lake-aws-"), bucket.inputs["tags"]
        if layer in raw:
            assert tags[tagging.CLASSIFICATION] == "restricted", "customer numbers are in clear there"
        if layer in published:
            assert tags[tagging.CLASSIFICATION] == "confidential", "prices and amounts, customers masked"


@EVERY
def test_a_domain_s_job_is_what_its_contracts_say(name: str, preview: Preview) -> None:
    plan, environment = preview(name), Environment.load(ROOT, name)
    (job,) = of(plan, JOB)
    spec = job_spec(load_domain("sales"), sources=environment.domains["sales"].sources, environment=name)
    lake = plan.outputs["lakes"][environment.domains["sales"].cloud]
    files = {layer: f"/Volumes/acme_{name}/files/{layer}" for layer in ("landing", "audit")}
    assert [task["taskKey"] for task in job.inputs["tasks"]] == [task.key for task in spec.tasks]
    for made, task in zip(job.inputs["tasks"], spec.tasks, strict=True):
        wheel = made["pythonWheelTask"]
        assert (wheel["packageName"], wheel["entryPoint"]) == (spec.package_name, task.entry_point)
        parameters = dict(wheel["namedParameters"])
        assert parameters.pop("rates")
        assert parameters.pop("budget")
        assert parameters == {**task.parameters, **lake, **files, "catalog": f"acme_{name}"}
        assert [item["taskKey"] for item in made.get("dependsOns", [])] == list(task.depends_on)
        assert (made["timeoutSeconds"], made["maxRetries"]) == (task.timeout_seconds, task.max_retries)
        wheel, *others = made["libraries"]
        assert wheel["whl"].startswith(f"/Volumes/acme_{name}/artifacts/wheels/levee_pipelines-")
        assert [library["pypi"]["package"] for library in others] == list(spec.libraries)
    assert re.fullmatch(r"[0-9a-f]{16}", job.inputs["tags"]["wheel-content"])


@EVERY
def test_files_are_reached_through_volumes_over_their_stores(name: str, preview: Preview) -> None:
    plan, environment = preview(name), Environment.load(ROOT, name)
    volumes = {item.name: item.inputs for item in of(plan, "databricks:index/volume:Volume")}
    granted = {item.name: item.inputs["grants"] for item in of(plan, "databricks:index/grants:Grants")}
    for cloud, space in environment.databricks.items():
        for layer, privileges in (("landing", ["READ_VOLUME"]), ("audit", ["READ_VOLUME", "WRITE_VOLUME"])):
            name_of = f"databricks-{cloud}-unity-files-{layer}"
            volume = volumes[name_of]
            assert (volume["volumeType"], volume["schemaName"], volume["name"]) == ("EXTERNAL", "files", layer)
            assert volume["storageLocation"] == plan.outputs["lakes"][cloud][layer]
            assert granted[name_of] == [{"principal": space.run_as, "privileges": privileges}]


@EVERY
def test_jobs_run_as_a_service_principal_and_get_the_key_by_reference(name: str, preview: Preview) -> None:
    (job,) = of(preview(name), JOB)
    (cluster,) = (item["newCluster"] for item in job.inputs["jobClusters"])
    assert job.inputs["runAs"]["servicePrincipalName"]
    assert cluster["dataSecurityMode"] == "SINGLE_USER"
    assert cluster["sparkEnvVars"]["LEVEE_PSEUDONYM_KEY"] == f"{{{{secrets/acme-{name}-pipelines/pseudonym-key}}}}"
    assert cluster["policyId"] == cluster["instancePoolId"] == UNKNOWN


@EVERY
def test_a_plan_knows_the_key_by_no_value(name: str, preview: Preview) -> None:
    """What an `up` leaves once the key exists is searched by ``tests/acceptance/test_secrets.py``."""
    secrets = [item for item in preview(name).resources if item.type == "databricks:index/secret:Secret"]
    assert secrets
    assert {str(item.inputs["stringValue"]) for item in secrets} <= {UNKNOWN, "[secret]"}


@EVERY
def test_raw_rows_are_granted_to_nobody_but_admins_and_the_job(name: str, preview: Preview) -> None:
    environment = Environment.load(ROOT, name)
    inside = {item for space in environment.databricks.values() for item in (space.admins, space.run_as)}
    readers: set[str] = set()
    for grants in of(preview(name), "databricks:index/grants:Grants"):
        outside = {item["principal"] for item in grants.inputs["grants"]} - inside
        if grants.name.endswith(("-bronze", "-quarantine", "-audit", "-landing", "-checkpoints")):
            assert not outside, grants.urn
        readers |= outside
    assert readers == {"sales_reader"}


@EVERY
def test_every_resource_says_where_it_was_written(name: str, preview: Preview) -> None:
    for resource in preview(name).resources:
        if not resource.is_provider and resource.type != "pulumi:pulumi:Stack":
            assert resource.source, resource.urn
            assert "components/" in resource.source.file or "stacks/" in resource.source.file


def test_a_source_of_another_domain_is_refused(checkout: Path, run: Callable[..., Plan]) -> None:
    with pytest.raises(engine.ProgramError, match="names the domain 'finance', which does not run in dev"):
        run(checkout, "dev", config={"levee:sources": json.dumps({"finance": ["ledger"]})})


def test_a_source_that_no_contract_describes_is_refused(checkout: Path, run: Callable[..., Plan]) -> None:
    with pytest.raises(engine.ProgramError, match="the domain sales has no source 'cdnov'") as caught:
        run(checkout, "dev", config={"levee:sources": json.dumps({"sales": ["cdnov"]})})
    assert caught.value.fix == "did you mean `cdnow`?"


@pytest.mark.parametrize(
    ("modules", "spared"),
    [
        ("stacks.lakes, stacks.workspaces, components.lake.aws", "azure_native gcp databricks"),
        ("components.lake.gcp", "aws azure_native databricks"),
    ],
)
def test_a_cloud_s_sdk_is_imported_where_it_is_used(modules: str, spared: str) -> None:
    check = f"import sys, {modules}; print([m for m in {spared.split()} if 'pulumi_' + m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_stack_may_choose_other_sources(checkout: Path, run: Callable[..., Plan]) -> None:
    plan = run(checkout, "dev", config={"levee:sources": json.dumps({"sales": ["cdnow"]})})
    (job,) = of(plan, JOB)
    assert {task["pythonWheelTask"]["namedParameters"].get("dataset") for task in job.inputs["tasks"]} == {
        "cdnow",
        "sales",  # the model over all sources
        None,
    }


@EVERY
def test_a_job_knows_what_it_costs_and_may_cost_whoever_starts_it(name: str, preview: Preview) -> None:
    plan, environment = preview(name), Environment.load(ROOT, name)
    priced = {each.urn: each for each in cost.price(plan, usage=_always_on(environment)).resources}
    for job in of(plan, JOB):
        told = [task["pythonWheelTask"]["namedParameters"] for task in job.inputs["tasks"]]
        assert len({(each["rates"], each["budget"]) for each in told}) == 1
        settings = RunSettings.parse(["--domain=sales", f"--rates={told[0]['rates']}", f"--budget={told[0]['budget']}"])
        assert settings.budget is not None
        assert settings.budget.cost_centre == environment.owners.cost_centre
        [cluster] = job.inputs["jobClusters"]
        rate = settings.rates[cluster["newCluster"]["sparkEnvVars"]["LEVEE_NODE_TYPE"]]
        machines = [line for line in priced[job.urn].lines if line.name.startswith("Machines")]
        assert all(line.monthly_usd for line in priced[job.urn].lines)
        hours = sum(line.quantity.expected for line in machines if line.quantity)
        assert rate.usd_per_hour == (priced[job.urn].monthly_usd.expected / hours).quantize(Decimal("1e-9"))


def _always_on(environment: Environment) -> Usage:
    """The environment's usage, with jobs that run."""
    said = environment.usage.model_dump(mode="json")
    said["types"][JOB] = {**said["types"].get(JOB, {}), "run_hours": 7}
    return usage.parse(said, cost.shipped(), str)
