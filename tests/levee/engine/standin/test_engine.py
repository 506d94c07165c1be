"""Under the real engine: what the stand-in answers must leave nothing for a second up or a refresh to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from levee.engine.standin.cloud import SimulatedCloud
from levee.errors import EngineError
from levee.plan import Op, Plan, Resource

SIX_PACKAGES = """
    import json
    import pulumi
    import pulumi_aws as aws
    import pulumi_azure_native as azure
    import pulumi_databricks as databricks
    import pulumi_gcp as gcp
    import pulumi_kubernetes as kubernetes
    import pulumi_random as random

    suffix = random.RandomId("suffix", byte_length=4)
    password = random.RandomPassword("password", length=20)
    key = aws.kms.Key("key", enable_key_rotation=True)
    bucket = aws.s3.Bucket("lake", tags={"owner": "data"})
    aws.s3.BucketPolicy("tls", bucket=bucket.id, policy=bucket.arn.apply(lambda arn: json.dumps({"Resource": arn})))
    aws.s3.BucketServerSideEncryptionConfiguration("sse", bucket=bucket.id, rules=[
        {"apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn}}])
    aws.secretsmanager.SecretVersion("kept",
        secret_id=aws.secretsmanager.Secret("kept").id, secret_string=password.result)
    group = azure.resources.ResourceGroup("group", location="westeurope")
    account = azure.storage.StorageAccount("lake", resource_group_name=group.name, kind="StorageV2",
        sku={"name": "Standard_LRS"}, identity={"type": "SystemAssigned"}, is_hns_enabled=True)
    azure.storage.BlobContainer("raw", account_name=account.name, resource_group_name=group.name)
    azure.authorization.RoleAssignment("reader", scope=account.id, principal_id=account.identity.principal_id,
        principal_type="ServicePrincipal", role_definition_id="reader")
    store = gcp.storage.Bucket("lake", location="EU", labels={"owner": "data"})
    gcp.storage.BucketIAMMember("reader", bucket=store.name, role="roles/storage.objectViewer",
        member="serviceAccount:loader@acme.iam.gserviceaccount.com")
    cluster = kubernetes.Provider("cluster", kubeconfig=bucket.arn)
    kubernetes.apps.v1.Deployment("web", opts=pulumi.ResourceOptions(provider=cluster), spec={
        "selector": {"match_labels": {"app": "web"}}, "replicas": 2, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}})
    databricks.Job("sales", tasks=[{"task_key": "bronze", "python_wheel_task": {
        "package_name": "levee_pipelines", "entry_point": "bronze", "named_parameters": {"domain": "sales"}}}])
    databricks.Grants("use", catalog="main", grants=[{"principal": "analysts", "privileges": ["USE_CATALOG"]}])
    pulumi.export("blob", account.primary_endpoints.blob)
    pulumi.export("suffix", suffix.hex)
"""


def ops(plan: Plan) -> dict[str, Op]:
    """What changed, by name."""
    return {r.name: r.op for r in plan.resources if r.custom and not r.is_provider and r.op is not Op.SAME}


def named(plan: Plan, name: str) -> Resource:
    return next(r for r in plan.resources if r.name == name)


def test_six_packages_up_twice_refresh_and_destroy(project: Callable[..., Any]) -> None:
    run = project(SIX_PACKAGES)
    created = run("preview").summary.by_op
    assert run("up").summary.by_op == created
    assert not run("refresh").changes
    again = run("up")
    assert not again.changes
    ids = [(r.type, r.id) for r in again.resources if r.custom]
    assert len(ids) == len(set(ids))
    run("destroy")
    with SimulatedCloud(run.workspace().cloud) as cloud:
        assert list(cloud.resources()) == []


def test_drift_in_an_input_in_a_computed_output_and_in_a_secret(project: Callable[..., Any]) -> None:
    run = project(
        """
        import pulumi
        import pulumi_aws as aws
        aws.s3.Bucket("lake", bucket="acme-lake", tags={"owner": "data"})
        aws.ssm.Parameter("kept", name="kept", type="SecureString", value=pulumi.Output.secret("hunter2"))
        """
    )
    run("up")
    with SimulatedCloud(run.workspace().cloud) as cloud:
        cloud.change("acme-lake", {"tags": {"owner": "somebody"}, "hostedZoneId": "Z1"})
        cloud.change("kept", {"value": "hunter3"})
    drift = run("refresh")
    assert ops(drift).keys() == {"lake", "kept"}
    healed = run("up")
    assert ops(healed) == {"lake": Op.UPDATE, "kept": Op.UPDATE}
    assert not run("refresh").changes


def test_a_replacement_with_a_new_name_and_one_that_must_delete_first(project: Callable[..., Any]) -> None:
    program = """
        import pulumi_aws as aws
        aws.sqs.Queue("auto", fifo_queue={fifo})
        aws.sqs.Queue("given", name="jobs.fifo", fifo_queue={fifo})
    """
    first = project(program.format(fifo=False))("up")
    run = project(program.format(fifo=True))
    second = run("up")
    assert ops(second) == {"auto": Op.REPLACE, "given": Op.REPLACE}
    assert named(first, "auto").id != named(second, "auto").id, "created before the old one went"
    assert named(first, "given").id == named(second, "given").id, "deleted before the new one came"
    with SimulatedCloud(run.workspace().cloud) as cloud:
        assert sorted(r.id for r in cloud.resources()) == sorted(named(second, n).id for n in ("auto", "given"))
    assert not run("refresh").changes


def test_import_adopts_what_exists_and_invents_what_does_not(project: Callable[..., Any]) -> None:
    program = """
        import pulumi
        import pulumi_aws as aws
        aws.s3.Bucket("legacy", bucket="acme-legacy", opts=pulumi.ResourceOptions(import_="acme-legacy"))
    """
    run = project(program)
    (invented,) = run("preview").invented_lookups
    assert invented.args == {"id": "acme-legacy"}
    assert "as the program says" in invented.reason
    with SimulatedCloud(run.workspace().cloud) as cloud:
        assert not list(cloud.resources()), "a preview leaves no trace"
        cloud.add("aws:s3/bucket:Bucket", "acme-legacy", {"bucket": "acme-legacy"}, {"arn": "arn:aws:s3:::acme-legacy"})
    up = run("up")
    assert not up.invented_lookups
    assert named(up, "legacy").outputs["arn"] == "arn:aws:s3:::acme-legacy"
    run = project('import pulumi_aws as aws\naws.s3.Bucket("legacy", bucket="acme-legacy", tags={"a": "1"})\n')
    assert ops(run("up")) == {"legacy": Op.UPDATE}
    assert not run("refresh").changes


def test_get_reads_what_the_cloud_has_and_lists_what_it_invented(project: Callable[..., Any]) -> None:
    run = project(
        """
        import pulumi
        import pulumi_aws as aws
        shared = aws.ec2.Vpc.get("shared", "vpc-0a1b2c3d4e5f60718")
        aws.ec2.Subnet("own", vpc_id=shared.id, cidr_block="10.0.0.0/24")
        pulumi.export("arn", shared.arn)
        """
    )
    up = run("up")
    assert up.outputs["arn"].endswith(":vpc/vpc-0a1b2c3d4e5f60718")
    assert {x.token for x in up.invented_lookups} >= {"aws:ec2/vpc:Vpc"}
    assert not run("up").changes
    assert not run("refresh").changes


def test_killed_in_mid_apply_and_run_again(project: Callable[..., Any]) -> None:
    run = project("import pulumi_aws as aws\nfor i in range(5):\n    aws.s3.Bucket(f'store-{i}', bucket=f'acme-{i}')\n")
    faults = run.root / "faults.yaml"
    faults.write_text("faults:\n  - {action: kill, type: 'aws:s3/*', nth: 3}\n")
    with pytest.raises(EngineError):
        run("up", faults=faults)
    assert "create" in run("up").summary.by_op
    assert not run("up").changes
    assert not run("refresh").changes
    with SimulatedCloud(run.workspace().cloud) as cloud:
        assert sorted(r.id for r in cloud.resources()) == [f"acme-{i}" for i in range(5)]
