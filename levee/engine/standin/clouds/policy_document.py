"""``aws.iam.get_policy_document``, really rendered: it needs no cloud.

Source: ``hashicorp/terraform-provider-aws``, ``internal/service/iam/policy_document_data_source.go`` and
``policy_model.go``; IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

_VERSION: Final = "2012-10-17"


def document(statements: Sequence[Mapping[str, Any]], *, id_: str = "", version: str = _VERSION) -> str:
    """A policy document as JSON text, indented as the provider does."""
    body = {"Version": version, **({"Id": id_} if id_ else {}), "Statement": list(statements)}
    return json.dumps(body, indent=2)


def render(args: Mapping[str, Any]) -> dict[str, Any]:
    """The lookup's result.

    Args:
        args: ``statements``, ``version``, ``policyId``, ``sourcePolicyDocuments`` and ``overridePolicyDocuments``.

    Returns:
        ``id``, ``json`` and ``minifiedJson``.
    """
    statements = _merged(args)
    text = document(statements, id_=str(args.get("policyId") or ""), version=str(args.get("version") or _VERSION))
    minified = json.dumps(json.loads(text), separators=(",", ":"))
    return {"id": str(zlib.crc32(text.encode())), "json": text, "minifiedJson": minified}


def _merged(args: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Sources, then own statements, then overrides; a statement with the Sid of an earlier one replaces it."""
    own = [_statement(s) for s in args.get("statements") or []]
    merged = _documents(args.get("sourcePolicyDocuments")) + own
    for override in _documents(args.get("overridePolicyDocuments")):
        sid = override.get("Sid")
        places = [i for i, s in enumerate(merged) if sid and s.get("Sid") == sid]
        if places:
            merged[places[0]] = override
        else:
            merged.append(override)
    return merged


def _documents(texts: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for text in texts or []:
        statements = json.loads(text).get("Statement") or [] if text else []
        found += statements if isinstance(statements, list) else [statements]
    return found


def _statement(given: Mapping[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {}
    if given.get("sid"):
        statement["Sid"] = given["sid"]
    statement["Effect"] = given.get("effect") or "Allow"
    for name, key in (
        ("actions", "Action"),
        ("notActions", "NotAction"),
        ("resources", "Resource"),
        ("notResources", "NotResource"),
    ):
        if given.get(name):
            statement[key] = _one_or_sorted(given[name])
    for name, key in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if given.get(name):
            statement[key] = _principals(given[name])
    if given.get("conditions"):
        statement["Condition"] = _conditions(given["conditions"])
    return statement


def _one_or_sorted(values: Sequence[str]) -> str | list[str]:
    unique = sorted(set(values), reverse=True)
    return unique[0] if len(unique) == 1 else unique


def _principals(given: Sequence[Mapping[str, Any]]) -> Any:
    if len(given) == 1 and given[0].get("type") == "*" and list(given[0].get("identifiers") or []) == ["*"]:
        return "*"
    merged: dict[str, list[str]] = {}
    for principal in given:
        merged.setdefault(str(principal.get("type")), []).extend(principal.get("identifiers") or [])
    return {kind: _one_or_sorted(identifiers) for kind, identifiers in merged.items()}


def _conditions(given: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {}
    for condition in given:
        values = list(condition.get("values") or [])
        merged.setdefault(str(condition["test"]), {})[str(condition["variable"])] = (
            values[0] if len(values) == 1 else values
        )
    return merged
