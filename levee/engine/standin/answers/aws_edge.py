"""AWS: DNS zones, certificates, CloudFront's managed policies, and the address ranges that AWS publishes.

Source: Amazon CloudFront Developer Guide ("Use managed cache policies", "Use managed origin request policies", "Use
managed response headers policies").
"""

from __future__ import annotations

from typing import Final

from levee.engine.standin.answers.ask import Answer, Answers, Ask

_MANAGED: Final = {
    "Managed-CachingOptimized": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "Managed-CachingDisabled": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
    "Managed-CachingOptimizedForUncompressedObjects": "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
    "UseOriginCacheControlHeaders": "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
    "UseOriginCacheControlHeaders-QueryStrings": "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
    "Managed-Amplify": "2e54312d-136d-493c-8eb9-b001f22f67d2",
    "Managed-Elemental-MediaPackage": "08627262-05a9-4f76-9ded-b50ca2e3a84f",
    "Managed-AllViewer": "216adef6-5c7f-47e4-b989-5492eafa07d3",
    "Managed-AllViewerExceptHostHeader": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
    "Managed-AllViewerAndCloudFrontHeaders-2022-06": "33f36d7e-f396-46d9-90e0-52428a34d9dc",
    "Managed-CORS-S3Origin": "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
    "Managed-CORS-CustomOrigin": "59781a5b-3903-41f3-afcb-af62929ccde1",
    "Managed-UserAgentRefererHeaders": "acba4595-bd28-49b8-b9fe-13317c0390fa",
    "Managed-SimpleCORS": "60669652-455b-4ae9-85a4-c4c02393f86c",
    "Managed-CORS-With-Preflight": "5cc3b908-e619-4b99-88e5-2cf7f45965bd",
    "Managed-SecurityHeadersPolicy": "67f7725c-6f97-4210-82d7-5512b31e9d03",
    "Managed-CORS-and-SecurityHeadersPolicy": "e61eb60c-9c35-4d20-a928-2b84e02af89c",
    "Managed-CORS-with-preflight-and-SecurityHeadersPolicy": "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
}


def _zone(ask: Ask) -> Answer:
    name = ask.text("name", default="example.com").rstrip(".")
    id_ = ask.text("zoneId") or f"Z{ask.hex(name, 20).upper()}"
    return {
        "id": id_,
        "zoneId": id_,
        "name": name,
        "arn": ask.arn("route53", f"hostedzone/{id_}", region=False, account=False),
        "callerReference": "levee-offline",
        "comment": "",
        "linkedServiceDescription": "",
        "linkedServicePrincipal": "",
        "nameServers": [f"ns-{n}.awsdns-{n % 64:02d}.{t}" for n, t in _NAME_SERVERS],
        "primaryNameServer": "ns-117.awsdns-53.com",
        "resourceRecordSetCount": 2,
    }


_NAME_SERVERS: Final = ((117, "com"), (730, "net"), (1235, "org"), (1962, "co.uk"))


def _certificate(ask: Ask) -> Answer:
    domain = ask.text("domain", default="example.com")
    arn = ask.arn("acm", f"certificate/{ask.guid(domain)}")
    return {"id": arn, "arn": arn, "domain": domain, "status": "ISSUED", "tags": ask.args.get("tags") or {}}


def _managed(ask: Ask) -> Answer:
    id_, name = ask.text("id"), ask.text("name")
    by_id = {v: k for k, v in _MANAGED.items()}
    name = name or by_id.get(id_, "Managed-CachingOptimized")
    id_ = id_ or _MANAGED.get(name) or ask.guid(name)
    return {"id": id_, "name": name, "comment": "", "etag": "E23ZP02F085DFQ"}


def _ip_ranges(_ask: Ask) -> Answer:
    return {
        "id": "1735689600",
        "cidrBlocks": ["3.5.140.0/22", "52.94.76.0/22"],
        "ipv6CidrBlocks": ["2600:1f14:fff:f800::/56"],
        "createDate": "2025-01-01-00-00-00",
        "syncToken": 1735689600,
    }


ANSWERS: Final = Answers(
    invented={
        "aws:route53/getZone:getZone": _zone,
        "aws:acm/getCertificate:getCertificate": _certificate,
        "aws:cloudfront/getCachePolicy:getCachePolicy": _managed,
        "aws:cloudfront/getOriginRequestPolicy:getOriginRequestPolicy": _managed,
        "aws:cloudfront/getResponseHeadersPolicy:getResponseHeadersPolicy": _managed,
        "aws:cloudfront/getLogDeliveryCanonicalUserId:getLogDeliveryCanonicalUserId": lambda a: {
            "id": "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"
        },
        "aws:index/getIpRanges:getIpRanges": _ip_ranges,
    },
)
