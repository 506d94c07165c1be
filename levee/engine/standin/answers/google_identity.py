"""Google Cloud: projects, organisations, billing, service accounts and agents, policies.

Sources: Google Cloud documentation ("Service agents"), the provider's own data sources
(``hashicorp/terraform-provider-google``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from levee.engine.standin.answers.ask import CREATED, Answer, Answers, Ask, Rule
from levee.engine.standin.connection import GCP_PROJECT_NUMBER


def _project(ask: Ask) -> Answer:
    project = ask.text("projectId", default=ask.project)
    return {
        "id": f"projects/{project}",
        "projectId": project,
        "name": project,
        "number": GCP_PROJECT_NUMBER if project == ask.project else str(int(ask.hex(project, 10), 16)),
        "orgId": "123456789012",
        "folderId": "",
        "billingAccount": "01A2B3-C4D5E6-F7A8B9",
        "autoCreateNetwork": True,
        "labels": {},
        "effectiveLabels": {},
        "pulumiLabels": {},
        "tags": {},
        "deletionPolicy": "PREVENT",
    }


def _projects(ask: Ask) -> Answer:
    row = {
        "projectId": ask.project,
        "name": ask.project,
        "number": GCP_PROJECT_NUMBER,
        "createTime": CREATED,
        "labels": {},
        "lifecycleState": "ACTIVE",
        "parent": {"type": "organization", "id": "123456789012"},
    }
    return {"id": ask.text("filter", default="projects"), "projects": [row]}


def _client(ask: Ask) -> Answer:
    c = ask.connection
    zone = str(c.config.get("zone") or f"{c.region}-a")
    return {
        "id": f"projects/{c.project}/regions/{c.region}/zones/{zone}",
        "project": c.project,
        "region": c.region,
        "zone": zone,
        "accessToken": f"ya29.{ask.hex('token', 40)}",
        "defaultLabels": dict(c.config.get("defaultLabels") or {}),
    }


def _billing(ask: Ask) -> Answer:
    id_ = ask.text("billingAccount", default="01A2B3-C4D5E6-F7A8B9").removeprefix("billingAccounts/")
    return {
        "id": id_,
        "billingAccount": id_,
        "name": f"billingAccounts/{id_}",
        "displayName": ask.text("displayName", default="levee"),
        "open": True,
        "currencyCode": "USD",
        "projectIds": [ask.project],
    }


def _organization(ask: Ask) -> Answer:
    id_ = ask.text("organization", default="123456789012").removeprefix("organizations/")
    return {
        "id": f"organizations/{id_}",
        "name": f"organizations/{id_}",
        "orgId": id_,
        "domain": ask.text("domain", default="example.com"),
        "directoryCustomerId": "C0123abcd",
        "createTime": CREATED,
        "lifecycleState": "ACTIVE",
    }


def _account(ask: Ask) -> Answer:
    given = ask.text("accountId", default="levee").rsplit("/", 1)[-1]
    email = given if "@" in given else f"{given}@{ask.project}.iam.gserviceaccount.com"
    return {
        "id": f"projects/{ask.project}/serviceAccounts/{email}",
        "name": f"projects/{ask.project}/serviceAccounts/{email}",
        "accountId": given.split("@")[0],
        "email": email,
        "member": f"serviceAccount:{email}",
        "uniqueId": str(int(ask.hex(email, 17), 16)).rjust(21, "1")[:21],
        "displayName": "",
        "disabled": False,
        "project": ask.project,
    }


def _agent(template: str) -> Rule:
    """A service agent's address."""

    def rule(ask: Ask) -> Answer:
        email = template.format(number=GCP_PROJECT_NUMBER, project=ask.project)
        return {
            "id": f"projects/{ask.project}/serviceAccounts/{email}" if "{project}" in template else email,
            "name": f"projects/{ask.project}/serviceAccounts/{email}",
            "email": email,
            "emailAddress": email,
            "member": f"serviceAccount:{email}",
            "uniqueId": GCP_PROJECT_NUMBER,
            "subjectId": GCP_PROJECT_NUMBER,
            "displayName": "",
            "project": ask.project,
        }

    return rule


def _policy(ask: Ask) -> Answer:
    """``data.google_iam_policy``: sorted bindings as JSON, which needs no cloud."""
    members: dict[str, tuple[dict[str, Any], set[str]]] = {}
    for binding in ask.args.get("bindings") or []:
        condition = binding.get("condition")
        where = json.dumps([binding.get("role"), condition], sort_keys=True)
        body, found = members.setdefault(where, ({"role": binding.get("role")}, set()))
        if condition:
            body["condition"] = {k: v for k, v in condition.items() if v}
        found.update(binding.get("members") or [])
    bindings = [{"members": sorted(found), **body} for _, (body, found) in sorted(members.items())]
    body: dict[str, Any] = {"bindings": bindings} if bindings else {}
    audits = ask.args.get("auditConfigs") or []
    if audits:
        body["auditConfigs"] = [_audit(a) for a in audits]
    text = json.dumps(body, separators=(",", ":"))
    return {"id": ask.hex(text, 10), "policyData": text}


def _audit(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "auditLogConfigs": [{k: v for k, v in one.items() if v} for one in config.get("auditLogConfigs") or []],
        "service": config.get("service"),
    }


ANSWERS: Final = Answers(
    exact={
        "gcp:organizations/getIAMPolicy:getIAMPolicy": _policy,
    },
    invented={
        "gcp:organizations/getProject:getProject": _project,
        "gcp:projects/getProject:getProject": _projects,
        "gcp:organizations/getClientConfig:getClientConfig": _client,
        "gcp:organizations/getClientOpenIdUserInfo:getClientOpenIdUserInfo": lambda a: {
            "id": "levee@example.com",
            "email": "levee@example.com",
        },
        "gcp:organizations/getBillingAccount:getBillingAccount": _billing,
        "gcp:organizations/getOrganization:getOrganization": _organization,
        "gcp:compute/getDefaultServiceAccount:getDefaultServiceAccount": _agent(
            "{number}-compute@developer.gserviceaccount.com"
        ),
        "gcp:serviceaccount/getAccount:getAccount": _account,
        "gcp:serviceaccount/getAccountAccessToken:getAccountAccessToken": lambda a: {
            "id": a.text("targetServiceAccount"),
            "accessToken": f"ya29.{a.hex(a.text('targetServiceAccount'), 40)}",
        },
        "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": _agent(
            "service-{number}@gs-project-accounts.iam.gserviceaccount.com"
        ),
        "gcp:storage/getTransferProjectServiceAccount:getTransferProjectServiceAccount": _agent(
            "project-{number}@storage-transfer-service.iam.gserviceaccount.com"
        ),
        "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount": _agent(
            "bq-{number}@bigquery-encryption.iam.gserviceaccount.com"
        ),
        "gcp:appengine/getDefaultServiceAccount:getDefaultServiceAccount": _agent(
            "{project}@appspot.gserviceaccount.com"
        ),
    },
)
