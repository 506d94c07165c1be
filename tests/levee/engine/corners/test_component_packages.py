"""The packages of remote components that people use, from their own SDKs (``make sdks``): awsx, eks, aws-apigateway."""

from pathlib import Path

import pytest

from levee.plan import UNKNOWN, Op

SDKS = Path(__file__).parents[4] / "tools" / "sdks" / ".venv"

PROGRAM = """
    import json

    import pulumi
    import pulumi_aws as aws
    import pulumi_aws_apigateway as apigateway
    import pulumi_awsx as awsx
    import pulumi_eks as eks
    import pulumi_kubernetes as k8s

    vpc = awsx.ec2.Vpc("net", cidr_block="10.0.0.0/16", enable_dns_hostnames=True)
    group = aws.ec2.SecurityGroup("group", vpc_id=vpc.vpc_id)
    aws.ec2.Instance("machine", ami="ami-1", instance_type="t3.micro", subnet_id=vpc.public_subnet_ids[0])

    cluster = eks.Cluster(
        "cluster",
        vpc_id=vpc.vpc_id,
        public_subnet_ids=vpc.public_subnet_ids,
        private_subnet_ids=vpc.private_subnet_ids,
        instance_type="t3.medium",
    )
    inside = k8s.Provider("inside", kubeconfig=cluster.kubeconfig_json)
    k8s.core.v1.Namespace("space", opts=pulumi.ResourceOptions(provider=inside, depends_on=[cluster]))

    role = "arn:aws:iam::123456789012:role/r"
    code = pulumi.AssetArchive({"a.py": pulumi.StringAsset("a = 1")})
    function = aws.lambda_.Function("function", role=role, runtime="python3.12", handler="a.b", code=code)
    route = apigateway.RouteArgs(path="/", method=apigateway.Method.GET, event_handler=function)
    api = apigateway.RestAPI("api", routes=[route])

    group_of = awsx.lb.TargetGroupArgs(port=8080)  # goes in a setting and comes out a resource
    balancer = awsx.lb.ApplicationLoadBalancer(
        "balancer", subnet_ids=vpc.public_subnet_ids, default_target_group=group_of
    )
    repository = awsx.ecr.Repository("repository", force_delete=True)
    image = awsx.ecr.Image("image", repository_url=repository.url, context=".", platform="linux/amd64")
    port = awsx.ecs.TaskDefinitionPortMappingArgs(container_port=80, target_group=balancer.default_target_group)
    container = awsx.ecs.TaskDefinitionContainerDefinitionArgs(
        name="web", image=image.image_uri, cpu=128, memory=256, essential=True, port_mappings=[port]
    )
    awsx.ecs.FargateService(
        "service",
        cluster=aws.ecs.Cluster("tasks").arn,
        assign_public_ip=True,
        task_definition_args=awsx.ecs.FargateServiceTaskDefinitionArgs(container=container),
    )

    pulumi.export("vpc", pulumi.Output.all(vpc.vpc_id, vpc.vpc.id).apply(lambda ids: ids[0] == ids[1]))
    pulumi.export("arn", vpc.vpc.arn)
    both = pulumi.Output.all(vpc.private_subnet_ids, vpc.public_subnet_ids)
    pulumi.export("subnets", both.apply(lambda ids: ids[0] + ids[1]))
    pulumi.export("cluster", cluster.eks_cluster.name)
    pulumi.export("issuer", cluster.core.oidc_provider.arn)
    pulumi.export("kubeconfig", cluster.kubeconfig)
    pulumi.export("by_method", cluster.get_kubeconfig(profile_name="x").apply(lambda text: json.loads(text)["kind"]))
    pulumi.export("url", api.url)
    pulumi.export("balancer", balancer.load_balancer.dns_name)
    pulumi.export("image", image.image_uri)
"""
COMPONENTS = {"net", "cluster", "api", "balancer", "repository", "image", "service"}


@pytest.mark.slow
@pytest.mark.skipif(not SDKS.is_dir(), reason="`make sdks` installs these packages")
def test_awsx_eks_and_apigateway_live_and_their_insides_are_not_evaluated(project):
    run = project(PROGRAM)
    (run.root / ".venv").symlink_to(SDKS)
    previewed = run("preview")
    assert set(previewed.outputs.values()) == {UNKNOWN}
    up = run("up")
    assert up.outputs["vpc"] is True
    assert up.outputs["arn"].startswith("arn:aws:ec2:us-east-1:123456789012:vpc/vpc-")
    assert len(set(up.outputs["subnets"])) == 6
    assert up.outputs["cluster"].startswith("cluster-eks-cluster-")
    assert up.outputs["issuer"].startswith("arn:aws:iam::")
    assert up.outputs["kubeconfig"]["clusters"][0]["cluster"]["server"].startswith("https://")
    assert up.outputs["by_method"] == "Config"
    assert up.outputs["url"].startswith("https://")
    assert up.outputs["balancer"].endswith(".elb.amazonaws.com")
    assert ".dkr.ecr.us-east-1.amazonaws.com/" in up.outputs["image"]
    for plan in (previewed, up):
        opaque = [v for v in plan.not_evaluated if v.policy == "children-not-evaluated"]
        assert {v.urn.rsplit("::", 1)[-1] for v in opaque} >= COMPONENTS
        assert all(v.source is not None for v in opaque if v.urn.rsplit("::", 1)[-1] in COMPONENTS)
    assert not [r for r in run("preview").resources if r.op not in {Op.SAME, Op.READ}]
    assert not run("refresh").changes
    assert run("destroy").summary.by_op.keys() == {"delete"}
