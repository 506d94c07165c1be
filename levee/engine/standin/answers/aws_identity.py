"""AWS: policies, roles and users, the organisation, and single sign-on."""

from __future__ import annotations

import re
from typing import Any, Final

from levee.engine.standin.answers.ask import CREATED, Answer, Answers, Ask, Rule
from levee.engine.standin.clouds import policy_document


def _named(service: str, kind: str, *names: str, region: bool = True) -> Rule:
    """What is found by its name, in ARN form."""

    def rule(ask: Ask) -> Answer:
        given = ask.text("arn")
        name = given.rsplit("/", 1)[-1] if given else ask.text(*(names or ("name",)), default="levee-offline")
        return {"id": name, "name": name, "arn": given or ask.arn(service, f"{kind}{name}", region=region)}

    return rule


def _policy(ask: Ask) -> Answer:
    arn = ask.text("arn")
    name = arn.rsplit("/", 1)[-1] or ask.text("name", default="ReadOnlyAccess")
    owner = "aws" if not arn and name.endswith(("Access", "Policy", "Administrator")) else ask.account
    arn = arn or f"arn:{ask.connection.partition}:iam::{owner}:policy/{name}"
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    return {
        "id": arn,
        "arn": arn,
        "name": name,
        "path": "/",
        "policy": policy_document.document([statement]),
        "policyId": f"ANPA{ask.hex(arn, 17).upper()}",
        "description": "",
        "attachmentCount": 0,
        "tags": {},
    }


def _role(ask: Ask) -> Answer:
    name = ask.text("name")
    path = "/"
    if name.startswith("AWSServiceRoleFor"):
        path = f"/aws-service-role/{name.removeprefix('AWSServiceRoleFor').lower()}.amazonaws.com/"
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "id": name,
        "name": name,
        "path": path,
        "arn": ask.arn("iam", f"role{path}{name}", region=False),
        "uniqueId": f"AROA{ask.hex(name, 17).upper()}",
        "assumeRolePolicy": policy_document.document([trust]),
        "maxSessionDuration": 3600,
        "createDate": CREATED,
        "description": "",
        "permissionsBoundary": "",
        "roleLastUseds": [],
    }


def _session(ask: Ask) -> Answer:
    arn = ask.text("arn")
    assumed = re.match(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/(.+)", arn)
    issuer = f"arn:{assumed[1]}:iam::{assumed[2]}:role/{assumed[3]}" if assumed else arn
    return {
        "id": arn,
        "arn": arn,
        "issuerArn": issuer,
        "issuerId": f"AROA{ask.hex(issuer, 17).upper()}" if assumed else "",
        "issuerName": assumed[3] if assumed else "",
        "sessionName": assumed[4] if assumed else "",
    }


def _organization(ask: Ask) -> Answer:
    org, root = f"o-{ask.hex('org', 10)}", f"r-{ask.hex('root', 4)}"
    arn = ask.arn("organizations", f"organization/{org}", region=False)
    account: dict[str, Any] = {
        "id": ask.account,
        "arn": ask.arn("organizations", f"account/{org}/{ask.account}", region=False),
        "name": "levee-offline",
        "email": "aws@example.com",
        "status": "ACTIVE",
        "state": "ACTIVE",
        "joinedMethod": "CREATED",
        "joinedTimestamp": CREATED,
    }
    return {
        "id": org,
        "arn": arn,
        "featureSet": "ALL",
        "masterAccountId": ask.account,
        "masterAccountArn": account["arn"],
        "masterAccountEmail": "aws@example.com",
        "masterAccountName": "levee-offline",
        "accounts": [account],
        "nonMasterAccounts": [],
        "awsServiceAccessPrincipals": [],
        "enabledPolicyTypes": ["SERVICE_CONTROL_POLICY"],
        "roots": [
            {
                "id": root,
                "arn": ask.arn("organizations", f"root/{org}/{root}", region=False),
                "name": "Root",
                "policyTypes": [],
            }
        ],
    }


def _sso(ask: Ask) -> Answer:
    return {
        "id": ask.region,
        "arns": [f"arn:{ask.connection.partition}:sso:::instance/ssoins-{ask.hex('sso', 16)}"],
        "identityStoreIds": [f"d-{ask.hex('store', 10)}"],
    }


def _oidc(ask: Ask) -> Answer:
    url = ask.text("url").removeprefix("https://") or ask.text("arn").split("oidc-provider/", 1)[-1]
    arn = ask.text("arn") or ask.arn("iam", f"oidc-provider/{url}", region=False)
    return {"id": arn, "arn": arn, "url": url, "clientIdLists": ["sts.amazonaws.com"], "thumbprintLists": ["0" * 40]}


ANSWERS: Final = Answers(
    exact={
        "aws:iam/getPolicyDocument:getPolicyDocument": lambda a: policy_document.render(a.args),
    },
    invented={
        "aws:iam/getPolicy:getPolicy": _policy,
        "aws:iam/getRole:getRole": _role,
        "aws:iam/getUser:getUser": lambda a: {
            "id": a.text("userName"),
            "userName": a.text("userName"),
            "path": "/",
            "arn": a.arn("iam", f"user/{a.text('userName')}", region=False),
            "userId": f"AIDA{a.hex(a.text('userName'), 17).upper()}",
            "permissionsBoundary": "",
        },
        "aws:iam/getInstanceProfile:getInstanceProfile": _named("iam", "instance-profile/", region=False),
        "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": _oidc,
        "aws:iam/getSessionContext:getSessionContext": _session,
        "aws:iam/getAccountAlias:getAccountAlias": lambda a: {"id": "levee-offline", "accountAlias": "levee-offline"},
        "aws:organizations/getOrganization:getOrganization": _organization,
        "aws:ssoadmin/getInstances:getInstances": _sso,
    },
)
