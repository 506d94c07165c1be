"""What each cloud says when it refuses: the words that its own provider would show.

Sources: AWS Common Errors, the EC2, IAM and S3 error code lists; Azure "Troubleshoot common deployment errors" and
"Request limits and throttling"; Google Cloud "Compute Engine quotas" and "API errors"; Kubernetes "Resource Quotas";
Databricks "Resource limits"; the providers' own messages for waits that run out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_AWS: Final = {
    "throttle": "ThrottlingException: Rate exceeded",
    "fail": "InternalError: We encountered an internal error. Please try again.",
    "partial": "waiting for {noun} ({id}) create: timeout while waiting for state to become 'available' "
    "(last state: 'pending')",
    "eventual": "ResourceNotFoundException: {noun} {id} was not found",
    "quota": "ServiceQuotaExceededException: You have exceeded the service quota of {limit} for {noun} in {region}",
    "timeout": "request send failed: context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
}
_AZURE: Final = {
    "throttle": 'Status=429 Code="ResourceRequestsThrottled" Message="Number of requests for action '
    "'{noun}/write' exceeded the limit. Please try again after '5' seconds.\"",
    "fail": 'Status=500 Code="InternalServerError" Message="Encountered internal server error."',
    "partial": 'Code="ProvisioningFailed" Message="The resource {id} reached terminal provisioning state \'Failed\'."',
    "eventual": 'Status=404 Code="ResourceNotFound" Message="The Resource \'{id}\' was not found. For more details '
    'please go to https://aka.ms/ARMResourceNotFoundFix"',
    "quota": 'Code="QuotaExceeded" Message="Operation could not be completed as it results in exceeding approved '
    '{noun} quota. Location: {region}, Current Limit: {limit}, Current Usage: {used}, Additional Required: 1."',
    "timeout": "polling for the operation's result: context deadline exceeded",
}
_GCP: Final = {
    "throttle": "googleapi: Error 429: Quota exceeded for quota metric 'Write requests' and limit 'Write requests per "
    "minute', rateLimitExceeded",
    "fail": "googleapi: Error 503: Backend Error, backendError",
    "partial": "Error waiting for creating {noun}: {id} was created and did not become ready",
    "eventual": "googleapi: Error 404: The resource '{id}' was not found, notFound",
    "quota": "googleapi: Error 403: Quota '{noun_upper}S' exceeded. Limit: {limit}.0 in region {region}., "
    "quotaExceeded",
    "timeout": "Error waiting for creating {noun}: context deadline exceeded",
}
_KUBERNETES: Final = {
    "throttle": "the server has received too many requests and has asked us to try again later",
    "fail": "Internal error occurred: etcdserver: request timed out",
    "partial": 'the Kubernetes API server reported that "{id}" failed to fully initialize or become live',
    "eventual": '{noun} "{id}" not found',
    "quota": "{noun} is forbidden: exceeded quota: count/{noun}, requested: 1, used: {used}, limited: {limit}",
    "timeout": "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
}
_DATABRICKS: Final = {
    "throttle": "REQUEST_LIMIT_EXCEEDED: RPC token bucket limit has been exceeded.",
    "fail": "INTERNAL_ERROR: The service encountered an internal error.",
    "partial": "{noun} {id} was created and did not reach its running state: last state PENDING",
    "eventual": "RESOURCE_DOES_NOT_EXIST: {noun} '{id}' does not exist.",
    "quota": "QUOTA_EXCEEDED: Cannot create 1 {noun}(s) (estimated count: {used}, limit: {limit}).",
    "timeout": "request timed out: context deadline exceeded",
}
_ANY: Final = {
    "throttle": "429 Too Many Requests",
    "fail": "500 Internal Server Error",
    "partial": "{noun} {id} was created and did not become ready",
    "eventual": "404 Not Found: {noun} {id}",
    "quota": "403 Forbidden: the quota of {limit} {noun} is exceeded",
    "timeout": "context deadline exceeded",
}
_PACKAGES: Final[Mapping[str, Mapping[str, str]]] = {
    "aws": _AWS,
    "aws-native": _AWS,
    "azure-native": _AZURE,
    "azure": _AZURE,
    "gcp": _GCP,
    "google-native": _GCP,
    "kubernetes": _KUBERNETES,
    "databricks": _DATABRICKS,
}
_TYPES: Final[Mapping[tuple[str, str], str]] = {
    ("eventual", "aws:iam/role:Role"): "NoSuchEntity: The role with name {id} cannot be found.",
    ("eventual", "aws:iam/user:User"): "NoSuchEntity: The user with name {id} cannot be found.",
    ("eventual", "aws:iam/policy:Policy"): "NoSuchEntity: Policy {id} does not exist or is not attachable.",
    ("eventual", "aws:s3/bucket:Bucket"): "NoSuchBucket: The specified bucket does not exist: {id}",
    ("eventual", "aws:ec2/vpc:Vpc"): "InvalidVpcID.NotFound: The vpc ID '{id}' does not exist",
    ("eventual", "aws:ec2/subnet:Subnet"): "InvalidSubnetID.NotFound: The subnet ID '{id}' does not exist",
    ("eventual", "aws:ec2/securityGroup:SecurityGroup"): "InvalidGroup.NotFound: The security group '{id}' does not "
    "exist",
    ("eventual", "aws:kms/key:Key"): "NotFoundException: Key '{id}' does not exist",
    ("quota", "aws:s3/bucket:Bucket"): "TooManyBuckets: You have attempted to create more buckets than allowed",
    ("quota", "aws:ec2/vpc:Vpc"): "VpcLimitExceeded: The maximum number of VPCs has been reached.",
    ("quota", "aws:ec2/eip:Eip"): "AddressLimitExceeded: The maximum number of addresses has been reached.",
    ("quota", "aws:ec2/instance:Instance"): "VcpuLimitExceeded: You have requested more vCPU capacity than your "
    "current vCPU limit of {limit} allows",
    ("quota", "aws:iam/role:Role"): "LimitExceeded: Cannot exceed quota for RolesPerAccount: {limit}",
    ("quota", "aws:iam/policy:Policy"): "LimitExceeded: Cannot exceed quota for PoliciesPerAccount: {limit}",
}


@dataclass(frozen=True, slots=True)
class Blanks:
    """What the words are filled in with.

    Attributes:
        type: The type token; the function's of a lookup.
        id: The resource's id; its URN's name before it has one.
        region: Where it lies.
        limit: Of a quota: how many there may be.
        used: Of a quota: how many there are.
    """

    type: str
    id: str = ""
    region: str = ""
    limit: int = 0
    used: int = 0


def words(kind: str, blanks: Blanks) -> str:
    """What the cloud says.

    Args:
        kind: ``throttle``, ``fail``, ``partial``, ``eventual``, ``quota`` or ``timeout``.
        blanks: What it is about.
    """
    by_package = _PACKAGES.get(blanks.type.split(":", 1)[0], _ANY)
    noun = blanks.type.rsplit(":", 1)[-1]
    return _TYPES.get((kind, blanks.type), by_package[kind]).format(
        noun=noun,
        noun_upper=noun.upper(),
        id=blanks.id,
        region=blanks.region,
        limit=blanks.limit,
        used=blanks.used,
    )
