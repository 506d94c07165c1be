"""AWS: images and instance types.

Source: EC2 User Guide (AMI owners: "Find an AMI").
"""

from __future__ import annotations

import re
from typing import Final

from levee.engine.standin.answers.ask import Answer, Answers, Ask, digits
from levee.engine.standin.answers.aws_places import zones

_OWNERS: Final = {
    "amazon": "137112412989",
    "canonical": "099720109477",
    "aws-marketplace": "679593333241",
    "debian": "136693071363",
    "redhat": "309956199498",
    "windows": "801119661308",
}
_ALIASES: Final = {number: name for name, number in _OWNERS.items()}
_DEFAULT_IMAGE: Final = "al2023-ami-2023.6.20250101.0-kernel-6.1-x86_64"
_TYPES: Final = {
    "t3.micro": (2, 1024),
    "t3.small": (2, 2048),
    "t3.medium": (2, 4096),
    "t4g.micro": (2, 1024),
    "t4g.small": (2, 2048),
    "m5.large": (2, 8192),
    "m6i.large": (2, 8192),
    "m7g.large": (2, 8192),
    "c5.large": (2, 4096),
    "r5.large": (2, 16384),
}
"""Instance type to virtual processors and memory in MiB."""


def _image(ask: Ask) -> Answer:
    wanted = next(iter(ask.filtered("name")), "") or ask.text("nameRegex")
    name = wanted if wanted and not re.search(r"[\^$()|]", wanted) else wanted.strip("^$") or _DEFAULT_IMAGE
    name = name.replace(".*", "*").replace("\\", "").replace("?", "0").replace("*", "20250101")
    arm = "arm64" in name or "arm64" in ask.filtered("architecture")
    owners = [str(o) for o in ask.args.get("owners") or ["amazon"]]
    owner = ask.account if "self" in owners else _OWNERS.get(owners[0], owners[0])
    asked = next(iter(ask.filtered("image-id")), "")
    id_ = asked or f"ami-{digits(f'{ask.region}|{name}|{arm}|{owner}', 17)}"
    windows = "windows" in name.lower()
    return {
        "id": id_,
        "imageId": id_,
        "name": name,
        "architecture": "arm64" if arm else "x86_64",
        "arn": ask.arn("ec2", f"image/{id_}", account=False),
        "ownerId": owner if owner.isdigit() else _OWNERS["amazon"],
        "imageOwnerAlias": "" if owner == ask.account else _ALIASES.get(owner, ""),
        "imageLocation": f"{_ALIASES.get(owner, owner)}/{name}",
        "description": name,
        "imageType": "machine",
        "public": owner != ask.account,
        "enaSupport": True,
        "rootDeviceName": "/dev/sda1" if windows or "ubuntu" in name or "debian" in name else "/dev/xvda",
        "rootDeviceType": "ebs",
        "rootSnapshotId": f"snap-{digits(id_, 17)}",
        "virtualizationType": "hvm",
        "hypervisor": "xen",
        "sriovNetSupport": "simple",
        "platform": "windows" if windows else "",
        "platformDetails": "Windows" if windows else "Linux/UNIX",
        "usageOperation": "RunInstances:0002" if windows else "RunInstances",
        "state": "available",
        "stateReason": {"code": "UNSET", "message": "UNSET"},
        "creationDate": "2025-01-01T00:00:00.000Z",
        "tags": {},
    }


def _image_ids(ask: Ask) -> Answer:
    return {"id": ask.hex(repr(sorted(ask.args.items())), 10), "ids": [_image(ask)["id"]]}


def _instance_type(ask: Ask) -> Answer:
    name = ask.text("instanceType", default="t3.micro")
    cpus, memory = _TYPES.get(name, (2, 8192))
    arm = bool(re.match(r"[a-z]+\d+g", name))
    return {
        "id": name,
        "instanceType": name,
        "defaultVcpus": cpus,
        "defaultCores": max(cpus // 2, 1),
        "defaultThreadsPerCore": 1 if arm else 2,
        "memorySize": memory,
        "supportedArchitectures": ["arm64" if arm else "x86_64"],
        "supportedRootDeviceTypes": ["ebs"],
        "supportedVirtualizationTypes": ["hvm"],
        "supportedUsagesClasses": ["on-demand", "spot"],
        "bareMetal": name.endswith(".metal"),
        "burstablePerformanceSupported": name.startswith("t"),
        "currentGeneration": True,
        "freeTierEligible": name in {"t3.micro", "t4g.micro"},
        "hypervisor": "nitro",
        "enaSupport": "required",
        "ebsEncryptionSupport": "supported",
        "ebsNvmeSupport": "required",
        "ebsOptimizedSupport": "default",
        "gpuses": [],
        "fpgas": [],
        "inferenceAccelerators": [],
        "instanceDisks": [],
    }


def _instance_types(ask: Ask) -> Answer:
    wanted = ask.filtered("instance-type")
    arm = "arm64" in ask.filtered("processor-info.supported-architecture")
    names = [n for n in _TYPES if (not wanted or n in wanted) and (not arm or re.match(r"[a-z]+\d+g", n))]
    return {"id": ask.region, "instanceTypes": names or wanted}


def _offerings(ask: Ask) -> Answer:
    kind = ask.text("locationType", default="region")
    names = ask.filtered("instance-type") or list(_TYPES)
    spots = zones(ask.region) if kind == "availability-zone" else [ask.region]
    asked = ask.filtered("location")
    pairs = [(n, spot) for spot in spots if not asked or spot in asked for n in names]
    return {
        "id": ask.region,
        "instanceTypes": [n for n, _ in pairs],
        "locations": [spot for _, spot in pairs],
        "locationTypes": [kind] * len(pairs),
    }


ANSWERS: Final = Answers(
    invented={
        "aws:ec2/getAmi:getAmi": _image,
        "aws:ec2/getAmiIds:getAmiIds": _image_ids,
        "aws:ec2/getInstanceType:getInstanceType": _instance_type,
        "aws:ec2/getInstanceTypes:getInstanceTypes": _instance_types,
        "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": _offerings,
        "aws:ebs/getDefaultKmsKey:getDefaultKmsKey": lambda a: {
            "id": a.region,
            "keyArn": a.arn("kms", "alias/aws/ebs"),
        },
        "aws:ebs/getEncryptionByDefault:getEncryptionByDefault": lambda a: {"id": a.region, "enabled": True},
    },
)
