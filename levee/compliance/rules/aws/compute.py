"""Machines, containers, functions and notebooks: no public doors, no plain secrets, no needless privilege."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from levee.compliance.rule import Finding, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.aws.common import customer_key, security_hub
from levee.compliance.rules.aws.policy import not_public
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    Check,
    contains,
    differs,
    document,
    either,
    equals,
    every,
    not_world_open,
    one_of,
    only_where,
    present,
    reads,
)
from levee.compliance.rules.scope import Scope, is_undecidable
from levee.compliance.rules.secrets import is_plain_secret, no_plain_secret_pairs, no_plain_secrets

INSTANCE: Final = "aws:ec2/instance:Instance"
TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
EKS: Final = "aws:eks/cluster:Cluster"
TASK: Final = "aws:ecs/taskDefinition:TaskDefinition"
FUNCTION: Final = "aws:lambda/function:Function"
NOTEBOOK: Final = "aws:sagemaker/notebookInstance:NotebookInstance"
REPOSITORY: Final = "aws:ecr/repository:Repository"


def _containers(wrong: Callable[[Mapping[str, Any], str], Iterator[Finding]]) -> Check:
    """No container of a task definition, which holds them as JSON text, is wrong."""

    @reads("containerDefinitions")
    def run(scope: Scope) -> Iterator[Finding]:
        found = scope.one("containerDefinitions")
        containers = document(found.value, found.path)
        for index, container in enumerate(containers if isinstance(containers, list) else ()):
            path = f"{found.path}[{index}]"
            if is_undecidable(container):
                yield Undecidable(path).finding()
            elif isinstance(container, Mapping):
                yield from wrong(container, path)

    return run


def _privileged(container: Mapping[str, Any], path: str) -> Iterator[Finding]:
    if container.get("privileged") is True:
        yield Finding(f"the container {container.get('name')!r} is privileged", property=path)
    elif is_undecidable(container.get("privileged")):
        yield Undecidable(path).finding()


def _root_writable(container: Mapping[str, Any], path: str) -> Iterator[Finding]:
    if is_undecidable(container.get("readonlyRootFilesystem")):
        yield Undecidable(path).finding()
    elif container.get("readonlyRootFilesystem") is not True:
        yield Finding(f"the container {container.get('name')!r} may write to its root file system", property=path)


def _plain_secrets(container: Mapping[str, Any], path: str) -> Iterator[Finding]:
    for pair in container.get("environment") or ():
        name, value = str(pair.get("name")), pair.get("value")
        if is_undecidable(value):
            yield Undecidable(f"{path}.environment.{name}").finding()
        elif is_plain_secret(name, value):
            said = f"the variable {name} of the container {container.get('name')!r} holds a secret in plain"
            yield Finding(said, property=f"{path}.environment")


RULES: Final = (
    rule(
        "aws-ec2-imdsv2",
        "Every machine's metadata service asks for a token",
        (INSTANCE, TEMPLATE),
        either(equals("metadataOptions.httpTokens", "required"), equals("metadataOptions.httpEndpoint", "disabled")),
        severity=Severity.HIGH,
        mend='Set `metadata_options={"http_tokens": "required"}`.',
        url=security_hub("ec2", 8),
        controls=(*c.HARDENING, *c.AUTHENTICATION, *c.cis_aws("5.6")),
    ),
    rule(
        "aws-ec2-no-public-address",
        "No machine has a public address",
        INSTANCE,
        differs("associatePublicIpAddress", True),
        severity=Severity.HIGH,
        mend="Remove `associate_public_ip_address=True`.",
        url=security_hub("ec2", 9),
        controls=(*c.NO_PUBLIC_ACCESS, *c.PRIVATE_NETWORK),
    ),
    rule(
        "aws-ec2-disks-encrypted",
        "Every machine's disks are encrypted",
        INSTANCE,
        every(equals("rootBlockDevice.encrypted", True), equals("ebsBlockDevices[*].encrypted", True)),
        severity=Severity.HIGH,
        mend='Set `root_block_device={"encrypted": True}`, and `encrypted=True` in each of `ebs_block_devices`.',
        url="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "aws-eks-endpoint-not-public",
        "No cluster's API is open to the world",
        EKS,
        either(
            equals("vpcConfig.endpointPublicAccess", False),
            every(present("vpcConfig.publicAccessCidrs"), not_world_open("vpcConfig.publicAccessCidrs[*]")),
        ),
        severity=Severity.HIGH,
        mend="Set `endpoint_public_access=False` in `vpc_config`, or name the ranges in `public_access_cidrs`.",
        url=security_hub("eks", 1),
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-eks-secrets-encrypted",
        "Every cluster encrypts its secrets with a customer-managed key",
        EKS,
        every(contains("encryptionConfig.resources", "secrets"), customer_key("encryptionConfig.provider.keyArn")),
        severity=Severity.MEDIUM,
        mend='Set `encryption_config={"provider": {"key_arn": key.arn}, "resources": ["secrets"]}`.',
        url=security_hub("eks", 3),
        controls=(*c.ENCRYPTION_AT_REST, *c.SECRETS),
    ),
    rule(
        "aws-eks-audit-logged",
        "Every cluster writes its API, audit and authenticator logs",
        EKS,
        contains("enabledClusterLogTypes", "api", "audit", "authenticator"),
        severity=Severity.MEDIUM,
        mend='Set `enabled_cluster_log_types=["api", "audit", "authenticator"]`.',
        url=security_hub("eks", 8),
        controls=c.AUDIT_LOGS,
    ),
    rule(
        "aws-ecr-tags-immutable",
        "No image can be replaced under its tag",
        REPOSITORY,
        one_of("imageTagMutability", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"),
        severity=Severity.MEDIUM,
        mend='Set `image_tag_mutability="IMMUTABLE"`.',
        url=security_hub("ecr", 2),
        controls=c.HARDENING,
    ),
    rule(
        "aws-ecr-scanned",
        "Every image is scanned when it is pushed",
        REPOSITORY,
        equals("imageScanningConfiguration.scanOnPush", True),
        severity=Severity.MEDIUM,
        mend='Set `image_scanning_configuration={"scan_on_push": True}`.',
        url=security_hub("ecr", 1),
        controls=c.PATCHING,
    ),
    rule(
        "aws-ecr-policy-not-public",
        "No repository's policy lets everybody in",
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
        not_public("policy"),
        severity=Severity.CRITICAL,
        mend="Name the principals in the statement.",
        url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-ecs-not-privileged",
        "No container is privileged",
        TASK,
        _containers(_privileged),
        severity=Severity.HIGH,
        mend="Remove `privileged` from the container's definition.",
        url=security_hub("ecs", 4),
        controls=(*c.HARDENING, *c.LEAST_PRIVILEGE),
    ),
    rule(
        "aws-ecs-root-read-only",
        "No container may write to its root file system",
        TASK,
        _containers(_root_writable),
        severity=Severity.LOW,
        mend="Set `readonlyRootFilesystem` to true in the container's definition.",
        url=security_hub("ecs", 5),
        controls=c.HARDENING,
    ),
    rule(
        "aws-ecs-no-plain-secrets",
        "No container has a secret in a plain variable",
        TASK,
        _containers(_plain_secrets),
        severity=Severity.CRITICAL,
        mend="Move the variable from `environment` to `secrets`, with `valueFrom` a secret's ARN.",
        url=security_hub("ecs", 8),
        controls=c.SECRETS,
    ),
    rule(
        "aws-ecs-own-process-space",
        "No task shares the processes of its host",
        TASK,
        every(differs("pidMode", "host"), differs("ipcMode", "host")),
        severity=Severity.MEDIUM,
        mend='Remove `pid_mode="host"` and `ipc_mode="host"`.',
        url=security_hub("ecs", 3),
        controls=c.HARDENING,
    ),
    rule(
        "aws-ecs-no-public-address",
        "No service's tasks have public addresses",
        "aws:ecs/service:Service",
        differs("networkConfiguration.assignPublicIp", True),
        severity=Severity.HIGH,
        mend="Remove `assign_public_ip=True` from `network_configuration`.",
        url=security_hub("ecs", 2),
        controls=(*c.NO_PUBLIC_ACCESS, *c.PRIVATE_NETWORK),
    ),
    rule(
        "aws-lambda-no-plain-secrets",
        "No function has a secret in a plain variable",
        FUNCTION,
        no_plain_secrets("environment.variables"),
        severity=Severity.CRITICAL,
        mend="Give the function the secret's ARN, and let it read AWS Secrets Manager.",
        url="https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
        controls=c.SECRETS,
    ),
    rule(
        "aws-lambda-variables-customer-managed-key",
        "Every function's variables are encrypted with a customer-managed key",
        FUNCTION,
        only_where(present("environment.variables"), customer_key("kmsKeyArn")),
        severity=Severity.LOW,
        mend="Set `kms_key_arn=key.arn`.",
        url="https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html",
        controls=(*c.ENCRYPTION_AT_REST, *c.KEY_MANAGEMENT),
    ),
    rule(
        "aws-lambda-url-authenticated",
        "No function answers everybody at a URL",
        "aws:lambda/functionUrl:FunctionUrl",
        equals("authorizationType", "AWS_IAM"),
        severity=Severity.CRITICAL,
        mend='Set `authorization_type="AWS_IAM"`.',
        url="https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-lambda-not-public",
        "No function may be invoked by everybody",
        "aws:lambda/permission:Permission",
        either(differs("principal", "*"), present("sourceArn"), present("sourceAccount"), present("principalOrgId")),
        severity=Severity.CRITICAL,
        mend="Name the principal, or add `source_account` or `principal_org_id`.",
        url=security_hub("lambda", 1),
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-sagemaker-notebook-not-public",
        "No notebook is connected to the internet but through a network of its own",
        NOTEBOOK,
        every(equals("directInternetAccess", "Disabled"), present("subnetId")),
        severity=Severity.HIGH,
        mend='Set `direct_internet_access="Disabled"`, `subnet_id` and `security_groups`.',
        url=security_hub("sagemaker", 1),
        controls=(*c.NO_PUBLIC_ACCESS, *c.EGRESS),
    ),
    rule(
        "aws-sagemaker-notebook-no-root",
        "Nobody is root on a notebook",
        NOTEBOOK,
        equals("rootAccess", "Disabled"),
        severity=Severity.MEDIUM,
        mend='Set `root_access="Disabled"`.',
        url=security_hub("sagemaker", 3),
        controls=(*c.HARDENING, *c.LEAST_PRIVILEGE),
    ),
    rule(
        "aws-sagemaker-notebook-customer-managed-key",
        "Every notebook is encrypted with a customer-managed key",
        NOTEBOOK,
        customer_key("kmsKeyId"),
        severity=Severity.MEDIUM,
        mend="Set `kms_key_id=key.arn`; an existing notebook is replaced by it.",
        url="https://docs.aws.amazon.com/sagemaker/latest/dg/encryption-at-rest-nbi.html",
        controls=(*c.ENCRYPTION_AT_REST, *c.KEY_MANAGEMENT),
    ),
    rule(
        "aws-emr-public-access-blocked",
        "No EMR cluster may be open to the world",
        "aws:emr/blockPublicAccessConfiguration:BlockPublicAccessConfiguration",
        equals("blockPublicSecurityGroupRules", True),
        severity=Severity.HIGH,
        mend="Set `block_public_security_group_rules=True`.",
        url=security_hub("emr", 2),
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-codebuild-no-plain-secrets",
        "No build has a secret in a plain variable",
        "aws:codebuild/project:Project",
        no_plain_secret_pairs(
            "environment.environmentVariables[*]", where=equals("type", "PLAINTEXT", default="PLAINTEXT")
        ),
        severity=Severity.CRITICAL,
        mend='Set `type="SECRETS_MANAGER"` on the variable, with the secret\'s name as its value.',
        url=security_hub("codebuild", 2),
        controls=c.SECRETS,
    ),
    rule(
        "aws-mwaa-private",
        "Every managed Airflow's web server is reached from its own network only",
        "aws:mwaa/environment:Environment",
        equals("webserverAccessMode", "PRIVATE_ONLY", default="PRIVATE_ONLY"),
        severity=Severity.HIGH,
        mend='Set `webserver_access_mode="PRIVATE_ONLY"`.',
        url="https://docs.aws.amazon.com/mwaa/latest/userguide/configuring-networking.html",
        controls=c.NO_PUBLIC_ACCESS,
    ),
)
