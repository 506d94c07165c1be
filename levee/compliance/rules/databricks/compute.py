"""Clusters and pools: held to a policy, under Unity Catalog, encrypted, short-lived, without keys of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from levee.compliance.rule import Finding, Parameter, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import absent, at_most, differs, equals, every, one_of, present, reads
from levee.compliance.rules.databricks.specs import (
    CLUSTER,
    COMPUTE,
    DOCS,
    JOB,
    POOL,
    every_cluster,
    every_spark_cluster,
    or_by_policy,
)
from levee.compliance.rules.scope import Scope
from levee.compliance.rules.secrets import no_plain_secrets
from levee.compliance.rules.settings import Setting, setting_value

UNITY_MODES: Final = (
    "SINGLE_USER",
    "USER_ISOLATION",
    "DATA_SECURITY_MODE_DEDICATED",
    "DATA_SECURITY_MODE_STANDARD",
    "DATA_SECURITY_MODE_AUTO",
)
"""Access modes in which Unity Catalog judges every access (Databricks REST API, ``DataSecurityMode``)."""

IDLE_MINUTES: Final = Setting(
    "idle_minutes",
    Parameter(120, "Most minutes that idle compute keeps running.", {"type": "integer", "minimum": 10}),
)
OLDEST_RUNTIME: Final = Setting(
    "oldest_runtime",
    Parameter(
        "14.3",
        "Oldest Databricks runtime allowed: the oldest that is supported.",
        {"type": "string", "pattern": r"^\d+\.\d+$"},
    ),
)


@reads("sparkVersion", settings=(OLDEST_RUNTIME,))
def _runtime_supported(scope: Scope) -> Iterator[Finding]:
    found = scope.one("sparkVersion")
    oldest = setting_value(OLDEST_RUNTIME, scope.facts)
    number = str(found.value).partition(".x-")[0]
    if found.undecidable or (found.value is not None and not number.replace(".", "", 1).isdigit()):
        yield Undecidable(found.path, f"`{found.path}` names no version: nobody can say how old it is").finding()
    elif found.value is None or _version(number) < _version(oldest):
        yield Finding(f"`{found.path}` is {found.value!r}: it must be {oldest} or later", property=found.path)


def _version(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.split("."))


RULES: Final = (
    rule(
        "databricks-cluster-policy",
        "Every cluster is held to a cluster policy",
        COMPUTE,
        every_cluster(present("policyId")),
        severity=Severity.HIGH,
        mend="Set `policy_id=policy.id` on every cluster and every new cluster of jobs and pipelines.",
        url=f"{DOCS}admin/clusters/policies",
        controls=(*c.HARDENING, *c.databricks_sat("GOV-1")),
    ),
    rule(
        "databricks-cluster-unity-catalog",
        "Every cluster runs in an access mode in which Unity Catalog decides who reads what",
        (CLUSTER, JOB),
        every_spark_cluster(or_by_policy(one_of("dataSecurityMode", *UNITY_MODES), "data_security_mode", *UNITY_MODES)),
        severity=Severity.HIGH,
        mend='Set `data_security_mode="SINGLE_USER"` for jobs, `"USER_ISOLATION"` for what people share.',
        url=f"{DOCS}compute/configure#access-modes",
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("GOV-12")),
    ),
    rule(
        "databricks-cluster-auto-termination",
        "Every all-purpose cluster ends when it has been idle",
        CLUSTER,
        at_most("autoterminationMinutes", IDLE_MINUTES, default=60),
        severity=Severity.MEDIUM,
        mend="Set `autotermination_minutes=60`; 0 means that it never ends.",
        url=f"{DOCS}compute/clusters-manage#automatic-termination",
        controls=c.CAPACITY,
    ),
    rule(
        "databricks-pool-idle-machines",
        "Every pool gives idle machines back",
        POOL,
        at_most("idleInstanceAutoterminationMinutes", IDLE_MINUTES),
        severity=Severity.LOW,
        mend="Set `idle_instance_autotermination_minutes=15`; 0 means that machines stay.",
        url=f"{DOCS}compute/pools",
        controls=c.CAPACITY,
    ),
    rule(
        "databricks-cluster-local-disks-encrypted",
        "What clusters spill to their local disks is encrypted",
        COMPUTE,
        every_cluster(or_by_policy(equals("enableLocalDiskEncryption", True), "enable_local_disk_encryption", True)),
        severity=Severity.MEDIUM,
        mend="Set `enable_local_disk_encryption=True`.",
        url=f"{DOCS}compute/configure#local-disk-encryption",
        controls=(*c.ENCRYPTION_AT_REST, *c.databricks_sat("DP-2")),
    ),
    rule(
        "databricks-cluster-no-ssh",
        "Nobody logs in to a cluster by SSH",
        COMPUTE,
        every_cluster(absent("sshPublicKeys")),
        severity=Severity.HIGH,
        mend="Remove `ssh_public_keys`; use the web terminal, whose use is audited.",
        url=f"{DOCS}compute/web-terminal",
        controls=(*c.AUTHENTICATION, *c.databricks_sat("NS-1", "NS-2")),
    ),
    rule(
        "databricks-cluster-init-scripts-governed",
        "No cluster runs an init script from DBFS or its own disk, where anybody may change it",
        COMPUTE,
        every_cluster(every(absent("initScripts[*].dbfs"), absent("initScripts[*].file"))),
        severity=Severity.HIGH,
        mend="Move the script to a Unity Catalog volume and name it in `init_scripts` under `volumes`.",
        url=f"{DOCS}init-scripts/",
        controls=(*c.HARDENING, *c.databricks_sat("GOV-25")),
    ),
    rule(
        "databricks-global-init-script-off",
        "No script runs on every cluster of a workspace",
        "databricks:index/globalInitScript:GlobalInitScript",
        differs("enabled", True),
        severity=Severity.MEDIUM,
        mend="Remove the global init script; let cluster policies name the scripts that their clusters need.",
        url=f"{DOCS}init-scripts/global",
        controls=(*c.HARDENING, *c.databricks_sat("INFO-5")),
    ),
    rule(
        "databricks-cluster-no-instance-profile",
        "No cluster has a cloud identity beside Unity Catalog's",
        COMPUTE,
        every_cluster(every(absent("awsAttributes.instanceProfileArn"), absent("gcpAttributes.googleServiceAccount"))),
        severity=Severity.HIGH,
        mend="Remove the instance profile or service account; reach data through external locations and storage "
        "credentials, which Unity Catalog grants and audits.",
        url=f"{DOCS}archive/storage/tutorial-s3-instance-profile",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "databricks-cluster-no-plain-secrets",
        "No cluster has a secret in its Spark configuration or environment variables",
        COMPUTE,
        every_cluster(every(no_plain_secrets("sparkConf"), no_plain_secrets("sparkEnvVars"))),
        severity=Severity.CRITICAL,
        mend="Put it into a secret scope and write `{{secrets/scope/key}}` in its place.",
        url=f"{DOCS}security/secrets/",
        controls=(*c.SECRETS, *c.databricks_sat("DP-1")),
    ),
    rule(
        "databricks-cluster-logs-delivered",
        "Every all-purpose cluster delivers its logs, so that they outlive it",
        CLUSTER,
        present("clusterLogConf"),
        severity=Severity.LOW,
        mend='Set `cluster_log_conf={"volumes": {"destination": "/Volumes/..."}}`.',
        url=f"{DOCS}compute/configure#compute-log-delivery",
        controls=(*c.AUDIT_LOGS, *c.databricks_sat("GOV-8")),
    ),
    rule(
        "databricks-cluster-runtime-supported",
        "Every cluster runs a Databricks runtime that still gets security fixes",
        (CLUSTER, JOB),
        every_spark_cluster(_runtime_supported),
        severity=Severity.MEDIUM,
        mend='Set `spark_version="17.3.x-scala2.13"` or another supported long-term release.',
        url=f"{DOCS}release-notes/runtime/",
        controls=(*c.PATCHING, *c.databricks_sat("GOV-5")),
    ),
)
