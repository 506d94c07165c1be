"""Under the real engine: what the stand-in answers must leave nothing for a second up or a refresh to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from levee.engine.standin.cloud import SimulatedCloud
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
    for twin in ("one", "other"):  # whose ids no input tells apart
        aws.kms.Key(twin)
        databricks.Job(twin, name="twin")
        azure.authorization.RoleAssignment(twin, scope=group.id, principal_id="p", principal_type="User",
            role_definition_id=twin)
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


FIRST_AND_SECOND = """
    import pulumi
    import pulumi_aws as aws
    shared = aws.ec2.Vpc.get("shared", "vpc-0a1b2c3d4e5f60718")
    aws.ec2.Subnet("own", vpc_id=shared.id, cidr_block="10.0.0.0/24")
    pulumi.export("arn", shared.arn)
    aws.s3.Bucket("legacy", bucket="acme-legacy", LEGACY)
    aws.sqs.Queue("auto", fifo_queue=FIFO)
    aws.sqs.Queue("given", name="jobs.fifo", fifo_queue=FIFO)
"""


def test_import_and_get_show_what_the_cloud_has_and_replacements_keep_their_names(
    project: Callable[..., Any],
) -> None:
    imported = 'opts=pulumi.ResourceOptions(import_="acme-legacy")'
    run = project(FIRST_AND_SECOND.replace("LEGACY", imported).replace("FIFO", "False"))
    invented = {lookup.token: lookup for lookup in run("preview").invented_lookups}
    assert invented.keys() == {"aws:s3/bucket:Bucket", "aws:ec2/vpc:Vpc"}
    assert invented["aws:s3/bucket:Bucket"].args == {"id": "acme-legacy"}
    assert "as the program says" in invented["aws:s3/bucket:Bucket"].reason
    with SimulatedCloud(run.workspace().cloud) as cloud:
        assert not [r for r in cloud.resources() if r.origin != "invented"], "a preview leaves no trace"
        cloud.add("aws:s3/bucket:Bucket", "acme-legacy", {"bucket": "acme-legacy"}, {"arn": "arn:aws:s3:::acme-legacy"})
    first = run("up")
    assert {lookup.token for lookup in first.invented_lookups} == {"aws:ec2/vpc:Vpc"}
    assert first.outputs["arn"].endswith(":vpc/vpc-0a1b2c3d4e5f60718")
    assert named(first, "legacy").outputs["arn"] == "arn:aws:s3:::acme-legacy"

    run = project(FIRST_AND_SECOND.replace("LEGACY", 'tags={"a": "1"}').replace("FIFO", "True"))
    second = run("up")
    changed = {name: op for name, op in ops(second).items() if op is not Op.READ}
    assert changed == {"legacy": Op.UPDATE, "auto": Op.REPLACE, "given": Op.REPLACE}
    assert named(first, "auto").id != named(second, "auto").id, "created before the old one went"
    assert named(first, "given").id == named(second, "given").id, "deleted before the new one came"
    with SimulatedCloud(run.workspace().cloud) as cloud:
        queues = sorted(r.id for r in cloud.of_type("aws:sqs/queue:Queue"))
    assert queues == sorted(named(second, n).id for n in ("auto", "given"))
    assert not run("refresh").changes
