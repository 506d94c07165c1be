"""AWS: container registries and clusters.

Source: Amazon EKS User Guide (versions and add-ons).
"""

from __future__ import annotations

import base64
from typing import Final

from levee.engine.standin.answers.ask import CREATED, Answer, Answers, Ask
from levee.engine.standin.answers.aws_places import suffix

_EKS: Final = ("1.34", "1.33", "1.32", "1.31")
_ADDONS: Final = {
    "vpc-cni": "v1.19.2-eksbuild.1",
    "coredns": "v1.11.4-eksbuild.2",
    "kube-proxy": "v{version}.0-eksbuild.2",
    "aws-ebs-csi-driver": "v1.38.1-eksbuild.1",
    "aws-efs-csi-driver": "v2.1.4-eksbuild.1",
    "eks-pod-identity-agent": "v1.3.4-eksbuild.1",
}


def _ecr_token(ask: Ask) -> Answer:
    registry = ask.text("registryId", default=ask.account)
    password = base64.b64encode(ask.hex("ecr", 48).encode()).decode()
    return {
        "id": ask.region,
        "userName": "AWS",
        "password": password,
        "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
        "proxyEndpoint": f"https://{registry}.dkr.ecr.{ask.region}.{suffix(ask)}",
        "expiresAt": "2035-01-01T00:00:00Z",
    }


def _repository(ask: Ask) -> Answer:
    name = ask.text("name", "repositoryName")
    registry = ask.text("registryId", default=ask.account)
    return {
        "id": name,
        "name": name,
        "registryId": registry,
        "arn": ask.arn("ecr", f"repository/{name}"),
        "repositoryUrl": f"{registry}.dkr.ecr.{ask.region}.{suffix(ask)}/{name}",
        "imageTagMutability": "MUTABLE",
        "encryptionConfigurations": [{"encryptionType": "AES256", "kmsKey": ""}],
        "imageScanningConfigurations": [{"scanOnPush": False}],
        "mostRecentImageTags": ["latest"],
    }


def _ecr_image(ask: Ask) -> Answer:
    url = str(_repository(ask)["repositoryUrl"])
    digest = ask.text("imageDigest", default=f"sha256:{ask.hex(url + ask.text('imageTag'), 64)}")
    return {
        "id": digest,
        "imageDigest": digest,
        "imageTags": [ask.text("imageTag", default="latest")],
        "imageUri": f"{url}@{digest}",
        "imageSizeInBytes": 50_000_000,
        "imagePushedAt": 1735689600,
        "registryId": ask.text("registryId", default=ask.account),
    }


def _eks(ask: Ask) -> Answer:
    name = ask.text("name")
    host = ask.hex(f"{ask.region}|{name}", 32).upper()
    return {
        "id": name,
        "name": name,
        "arn": ask.arn("eks", f"cluster/{name}"),
        "endpoint": f"https://{host}.gr7.{ask.region}.eks.{suffix(ask)}",
        "certificateAuthorities": [{"data": base64.b64encode(_CERTIFICATE.encode()).decode()}],
        "identities": [{"oidcs": [{"issuer": f"https://oidc.eks.{ask.region}.{suffix(ask)}/id/{host}"}]}],
        "version": _EKS[0],
        "platformVersion": "eks.1",
        "status": "ACTIVE",
        "createdAt": CREATED,
        "roleArn": ask.arn("iam", f"role/{name}-cluster", region=False),
        "enabledClusterLogTypes": [],
        "tags": {},
    }


_CERTIFICATE: Final = (
    "-----BEGIN CERTIFICATE-----\nbm90IGEgcmVhbCBjZXJ0aWZpY2F0ZTogbGV2ZWUgb2ZmbGluZQ==\n-----END CERTIFICATE-----\n"
)


def _addon(ask: Ask) -> Answer:
    name = ask.text("addonName", default="vpc-cni")
    version = ask.text("kubernetesVersion", default=_EKS[0])
    return {
        "id": name,
        "addonName": name,
        "kubernetesVersion": version,
        "version": _ADDONS.get(name, "v1.0.0-eksbuild.1").format(version=version),
    }


def _eks_versions(ask: Ask) -> Answer:
    rows = [
        {
            "clusterType": "eks",
            "clusterVersion": v,
            "defaultPlatformVersion": "eks.1",
            "defaultVersion": n == 0,
            "kubernetesPatchVersion": f"{v}.1",
            "versionStatus": "STANDARD_SUPPORT",
            "releaseDate": CREATED,
            "endOfStandardSupportDate": "2027-01-01T00:00:00Z",
            "endOfExtendedSupportDate": "2028-01-01T00:00:00Z",
            "controlPlaneComponentConfigs": [],
            "controlPlaneScalingTiers": [],
        }
        for n, v in enumerate(_EKS)
        if not ask.args.get("defaultOnly") or n == 0
    ]
    return {"id": ask.region, "clusterVersions": rows}


ANSWERS: Final = Answers(
    invented={
        "aws:ecr/getAuthorizationToken:getAuthorizationToken": _ecr_token,
        "aws:ecr/getCredentials:getCredentials": _ecr_token,
        "aws:ecrpublic/getAuthorizationToken:getAuthorizationToken": _ecr_token,
        "aws:ecr/getRepository:getRepository": _repository,
        "aws:ecr/getImage:getImage": _ecr_image,
        "aws:eks/getCluster:getCluster": _eks,
        "aws:eks/getClusterAuth:getClusterAuth": lambda a: {
            "id": a.text("name"),
            "name": a.text("name"),
            "token": f"k8s-aws-v1.{base64.urlsafe_b64encode(a.hex('eks', 48).encode()).decode().rstrip('=')}",
        },
        "aws:eks/getAddonVersion:getAddonVersion": _addon,
        "aws:eks/getClusterVersions:getClusterVersions": _eks_versions,
        "aws:ecs/getCluster:getCluster": lambda a: {
            "id": a.arn("ecs", f"cluster/{a.text('clusterName')}"),
            "arn": a.arn("ecs", f"cluster/{a.text('clusterName')}"),
            "status": "ACTIVE",
        },
    },
)
