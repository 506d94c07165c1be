"""What a workspace allows: the settings of ``databricks.WorkspaceConf``, one rule each, as a table.

Source: Databricks documentation, "Manage workspace settings" and the Security Analysis Tool's list of keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from levee.compliance.rule import Finding, Read, Rule, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import Check
from levee.compliance.rules.databricks.identity import TOKEN_DAYS
from levee.compliance.rules.databricks.specs import DOCS
from levee.compliance.rules.scope import Scope, is_undecidable
from levee.compliance.rules.settings import setting_value
from levee.plan import Resource

CONF: Final = "databricks:index/workspaceConf:WorkspaceConf"
_MAP: Final = "customConfig"


@dataclass(frozen=True, slots=True)
class _Key:
    """One setting.

    Attributes:
        id: End of the rule's id.
        key: Its key.
        wanted: Its value, or ``days``: a number of days within the longest life of a token.
        default: What a workspace has where nobody sets it.
        title: What holds where it is right.
        severity: How bad it is otherwise.
        page: Where it is documented.
        controls: What it serves.
    """

    id: str
    key: str
    wanted: str
    default: str
    title: str
    severity: Severity
    page: str
    controls: c.Controls


_NOTEBOOKS: Final = "admin/workspace-settings/notebooks"

_KEYS: Final = (
    _Key(
        "verbose-audit-log",
        "enableVerboseAuditLogs",
        "true",
        "false",
        "The audit log tells what was run in notebooks and queries",
        Severity.HIGH,
        "admin/account-settings/verbose-logs",
        (*c.AUDIT_LOGS, *c.databricks_sat("GOV-15")),
    ),
    _Key(
        "max-token-lifetime",
        "maxTokenLifetimeDays",
        "days",
        "730",
        "No new token outlives the days that the environment allows",
        Severity.HIGH,
        "admin/access-control/tokens",
        (*c.AUTHENTICATION, *c.databricks_sat("IA-5", "IA-10")),
    ),
    _Key(
        "ip-access-lists-on",
        "enableIpAccessLists",
        "true",
        "false",
        "IP access lists are obeyed",
        Severity.HIGH,
        "security/network/front-end/ip-access-list-workspace",
        (*c.NO_PUBLIC_ACCESS, *c.databricks_sat("NS-5")),
    ),
    _Key(
        "no-result-download",
        "enableResultsDownloading",
        "false",
        "true",
        "Results of notebooks are not downloaded",
        Severity.MEDIUM,
        _NOTEBOOKS,
        (*c.EGRESS, *c.databricks_sat("DP-5")),
    ),
    _Key(
        "no-notebook-export",
        "enableExportNotebook",
        "false",
        "true",
        "Notebooks are not exported",
        Severity.LOW,
        _NOTEBOOKS,
        (*c.EGRESS, *c.databricks_sat("DP-6")),
    ),
    _Key(
        "no-table-clipboard",
        "enableNotebookTableClipboard",
        "false",
        "true",
        "Tables in notebooks are not copied to the clipboard",
        Severity.LOW,
        _NOTEBOOKS,
        (*c.EGRESS, *c.databricks_sat("DP-7")),
    ),
    _Key(
        "results-in-own-account",
        "storeInteractiveNotebookResultsInCustomerAccount",
        "true",
        "false",
        "Results of notebooks are kept in our own account",
        Severity.MEDIUM,
        "admin/workspace-settings/notebook-results",
        (*c.ENCRYPTION_AT_REST, *c.databricks_sat("DP-8")),
    ),
    _Key(
        "no-filestore",
        "enableFileStoreEndpoint",
        "false",
        "true",
        "Nothing in FileStore is served over HTTPS",
        Severity.MEDIUM,
        "archive/legacy/filestore",
        (*c.NO_PUBLIC_ACCESS, *c.databricks_sat("DP-9")),
    ),
    _Key(
        "no-dbfs-browser",
        "enableDbfsFileBrowser",
        "false",
        "false",
        "Nobody uploads data to DBFS in the browser",
        Severity.LOW,
        "admin/workspace-settings/dbfs-browser",
        (*c.LEAST_PRIVILEGE, *c.databricks_sat("DP-13")),
    ),
    _Key(
        "user-isolation",
        "enforceUserIsolation",
        "true",
        "false",
        "No cluster lets its users see each other's data",
        Severity.HIGH,
        "admin/workspace-settings/enforce-user-isolation",
        (*c.LEAST_PRIVILEGE, *c.databricks_sat("GOV-13")),
    ),
    _Key(
        "no-legacy-global-scripts",
        "enableDeprecatedGlobalInitScripts",
        "false",
        "false",
        "Global init scripts of the old kind do not run",
        Severity.HIGH,
        "archive/init-scripts/legacy-global",
        (*c.HARDENING, *c.databricks_sat("GOV-24")),
    ),
    _Key(
        "no-cluster-named-scripts",
        "enableDeprecatedClusterNamedInitScripts",
        "false",
        "false",
        "Init scripts by a cluster's name do not run",
        Severity.HIGH,
        "archive/init-scripts/legacy-cluster-named",
        (*c.HARDENING, *c.databricks_sat("GOV-26")),
    ),
)


def _setting(entry: _Key) -> Check:
    """The key is right in this resource, or in another ``WorkspaceConf`` of the same provider."""

    def run(scope: Scope) -> Iterator[Finding]:
        path = f"{_MAP}[{entry.key}]"
        given = _given(scope, entry.key)
        if any(is_undecidable(value) for value in given):
            yield Undecidable(path).finding()
            return
        wrong = [str(value) for value in given or [entry.default] if not _right(entry, value, scope)]
        if wrong:
            what = "is not set" if not given else f"is {wrong[0]!r}"
            yield Finding(f"`{path}` {what}: it must be {_wanted(entry, scope)}", property=path)

    settings = (TOKEN_DAYS,) if entry.wanted == "days" else ()
    return Check(run, (Read(_MAP),), settings, graph=True)


def _given(scope: Scope, key: str) -> list[Any]:
    """What is given for the key: here, else in the other resources that set up the same workspace."""
    own = _values(scope.resource, key)
    others = [r for r in scope.graph.by_type.get(CONF, ()) if r.provider == scope.resource.provider]
    return own or [value for other in others for value in _values(other, key)]


def _values(resource: Resource, key: str) -> list[Any]:
    custom = resource.inputs.get(_MAP)
    if is_undecidable(custom):
        return [custom]
    return [custom[key]] if isinstance(custom, dict) and custom.get(key) is not None else []


def _right(entry: _Key, value: Any, scope: Scope) -> bool:
    text = str(value).lower()
    if entry.wanted != "days":
        return text == entry.wanted
    return bool(re.fullmatch(r"\d+", text)) and 0 < int(text) <= setting_value(TOKEN_DAYS, scope.facts)


def _wanted(entry: _Key, scope: Scope) -> str:
    return f"1 to {setting_value(TOKEN_DAYS, scope.facts)}" if entry.wanted == "days" else f'"{entry.wanted}"'


RULES: Final[tuple[Rule, ...]] = tuple(
    rule(
        f"databricks-workspace-{entry.id}",
        entry.title,
        CONF,
        _setting(entry),
        severity=entry.severity,
        mend=f'Set `custom_config={{"{entry.key}": "{"90" if entry.wanted == "days" else entry.wanted}"}}`.',
        url=f"{DOCS}{entry.page}",
        controls=entry.controls,
    )
    for entry in _KEYS
)
