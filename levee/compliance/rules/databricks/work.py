"""What runs: jobs, pipelines, SQL warehouses, dashboards, served models, Lakebase."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    Check,
    absent,
    at_least,
    at_most,
    by_type,
    differs,
    either,
    equals,
    every,
    not_matching,
    one_of,
    present,
    where_setting,
)
from levee.compliance.rules.databricks.compute import IDLE_MINUTES
from levee.compliance.rules.databricks.specs import CLUSTER, DOCS, JOB, PIPELINE, WAREHOUSE
from levee.compliance.rules.secrets import no_plain_secrets
from levee.compliance.rules.settings import BACKUP_DAYS, PROTECTED

_LIBRARY: Final = "databricks:index/library:Library"
_GLOBAL: Final = "databricks:index/sqlGlobalConfig:SqlGlobalConfig"
_SERVING: Final = "databricks:index/modelServing:ModelServing"
_DATABASE: Final = "databricks:index/databaseInstance:DatabaseInstance"
_DBFS: Final = r"(dbfs:)?/(?!Volumes/|Workspace/).*"
_GATEWAY: Final = f"{DOCS}ai-gateway/configure-ai-gateway-endpoints"
_MODEL: Final = "config.servedEntities[*].externalModel"
_PLAINTEXT: Final = (
    "ai21labsConfig.ai21labsApiKeyPlaintext",
    "amazonBedrockConfig.awsSecretAccessKeyPlaintext",
    "anthropicConfig.anthropicApiKeyPlaintext",
    "cohereConfig.cohereApiKeyPlaintext",
    "databricksModelServingConfig.databricksApiTokenPlaintext",
    "googleCloudVertexAiConfig.privateKeyPlaintext",
    "openaiConfig.openaiApiKeyPlaintext",
    "palmConfig.palmApiKeyPlaintext",
)


def _no_dbfs_libraries(prefix: str = "") -> tuple[Check, ...]:
    return tuple(not_matching(f"{prefix}{kind}", _DBFS, "on DBFS: use a volume") for kind in ("jar", "whl", "egg"))


RULES: Final = (
    rule(
        "databricks-run-as-service-principal",
        "Jobs and pipelines run as a service principal, not as whoever made them",
        (JOB, PIPELINE),
        present("runAs.servicePrincipalName"),
        severity=Severity.HIGH,
        mend='Set `run_as={"service_principal_name": principal.application_id}`.',
        url=f"{DOCS}jobs/privileges",
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("IA-7", "GOV-42")),
    ),
    rule(
        "databricks-job-own-clusters",
        "Jobs run on clusters of their own, not on one that people share",
        JOB,
        every(absent("existingClusterId"), absent("tasks[*].existingClusterId")),
        severity=Severity.MEDIUM,
        mend="Name a `job_cluster_key` in place of `existing_cluster_id`.",
        url=f"{DOCS}jobs/compute",
        controls=c.HARDENING,
    ),
    rule(
        "databricks-libraries-governed",
        "No library is installed from DBFS, where anybody may change it",
        (_LIBRARY, CLUSTER, JOB),
        by_type(
            {
                _LIBRARY: every(*_no_dbfs_libraries()),
                CLUSTER: every(*_no_dbfs_libraries("libraries[*].")),
                JOB: every(*_no_dbfs_libraries("libraries[*]."), *_no_dbfs_libraries("tasks[*].libraries[*].")),
            }
        ),
        severity=Severity.HIGH,
        mend="Put the library into a Unity Catalog volume and name its path under `/Volumes`.",
        url=f"{DOCS}libraries/",
        controls=(*c.HARDENING, *c.databricks_sat("INFO-38")),
    ),
    rule(
        "databricks-pipeline-unity-catalog",
        "Every pipeline writes to Unity Catalog, not to DBFS",
        PIPELINE,
        every(present("catalog"), absent("storage")),
        severity=Severity.HIGH,
        mend='Set `catalog="..."` and `schema="..."` in place of `storage` and `target`.',
        url=f"{DOCS}ldp/unity-catalog",
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("GOV-12")),
    ),
    rule(
        "databricks-pipeline-no-plain-secrets",
        "No pipeline has a secret in its configuration",
        PIPELINE,
        no_plain_secrets("configuration"),
        severity=Severity.CRITICAL,
        mend="Put it into a secret scope, and read it with `dbutils.secrets` or `{{secrets/scope/key}}`.",
        url=f"{DOCS}security/secrets/",
        controls=(*c.SECRETS, *c.databricks_sat("DP-1")),
    ),
    rule(
        "databricks-warehouse-auto-stop",
        "Every SQL warehouse stops when it has been idle",
        WAREHOUSE,
        at_most("autoStopMins", IDLE_MINUTES, default=120),
        severity=Severity.MEDIUM,
        mend="Set `auto_stop_mins=10`; 0 means that it never stops.",
        url=f"{DOCS}compute/sql-warehouse/create",
        controls=c.CAPACITY,
    ),
    rule(
        "databricks-warehouse-type",
        "Every SQL warehouse is of the pro type, which serverless ones are too",
        WAREHOUSE,
        either(equals("warehouseType", "PRO"), equals("enableServerlessCompute", True)),
        severity=Severity.LOW,
        mend='Set `warehouse_type="PRO"`; without it a warehouse that is not serverless is classic.',
        url=f"{DOCS}compute/sql-warehouse/warehouse-types",
        controls=c.HARDENING,
    ),
    rule(
        "databricks-warehouse-no-instance-profile",
        "No SQL warehouse has a cloud identity beside Unity Catalog's",
        (WAREHOUSE, _GLOBAL),
        absent("instanceProfileArn"),
        severity=Severity.MEDIUM,
        mend="Remove `instance_profile_arn`; reach data through external locations.",
        url=f"{DOCS}admin/sql/data-access-configuration",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "databricks-sql-access-control",
        "SQL warehouses judge every access to data",
        _GLOBAL,
        one_of("securityPolicy", "DATA_ACCESS_CONTROL", default="DATA_ACCESS_CONTROL"),
        severity=Severity.HIGH,
        mend='Set `security_policy="DATA_ACCESS_CONTROL"`.',
        url=f"{DOCS}admin/sql/",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "databricks-dashboard-own-rights",
        "Whoever opens a dashboard sees what their own rights let them see",
        "databricks:index/dashboard:Dashboard",
        equals("embedCredentials", False),
        severity=Severity.MEDIUM,
        mend="Set `embed_credentials=False`; by default viewers read with the rights of the publisher.",
        url=f"{DOCS}dashboards/share/",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "databricks-serving-rate-limits",
        "Every served model limits how often it is called",
        _SERVING,
        either(present("aiGateway.rateLimits"), present("rateLimits")),
        severity=Severity.MEDIUM,
        mend='Set `ai_gateway={"rate_limits": [{"calls": 100, "renewal_period": "minute", "key": "user"}]}`.',
        url=_GATEWAY,
        controls=c.MONITORING,
    ),
    rule(
        "databricks-serving-guardrails",
        "Served models neither take nor give personal data or harm",
        _SERVING,
        every(
            *(
                check
                for side in ("input", "output")
                for check in (
                    equals(f"aiGateway.guardrails.{side}.safety", True),
                    one_of(f"aiGateway.guardrails.{side}.pii.behavior", "BLOCK", "MASK"),
                )
            )
        ),
        severity=Severity.MEDIUM,
        mend='Set `guardrails` of `ai_gateway`, input and output, to `{"safety": True, "pii": {"behavior": "BLOCK"}}`.',
        url=_GATEWAY,
        controls=c.EGRESS,
    ),
    rule(
        "databricks-serving-recorded",
        "What served models are asked and answer is recorded",
        _SERVING,
        either(
            equals("aiGateway.inferenceTableConfig.enabled", True), equals("config.autoCaptureConfig.enabled", True)
        ),
        severity=Severity.MEDIUM,
        mend='Set `ai_gateway={"inference_table_config": {"enabled": True, "catalog_name": ..., "schema_name": ...}}`.',
        url=f"{DOCS}ai-gateway/inference-tables",
        controls=(*c.AUDIT_LOGS, *c.databricks_sat("GOV-44")),
    ),
    rule(
        "databricks-serving-no-plain-secrets",
        "No served model has a key in plain",
        _SERVING,
        every(
            *(absent(f"{_MODEL}.{path}") for path in _PLAINTEXT),
            no_plain_secrets("config.servedEntities[*].environmentVars"),
        ),
        severity=Severity.CRITICAL,
        mend="Put the key into a secret scope, and write `{{secrets/scope/key}}` in the property without `_plaintext`.",
        url=f"{DOCS}generative-ai/external-models/",
        controls=(*c.SECRETS, *c.databricks_sat("DP-1")),
    ),
    rule(
        "databricks-database-oauth-only",
        "No Lakebase database takes passwords of its own",
        _DATABASE,
        differs("enablePgNativeLogin", True),
        severity=Severity.MEDIUM,
        mend="Remove `enable_pg_native_login=True`; sign in with OAuth tokens.",
        url=f"{DOCS}oltp/instances/authentication",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "databricks-database-history",
        "Every Lakebase database can be restored to any moment of the days that the environment asks",
        _DATABASE,
        at_least("retentionWindowInDays", BACKUP_DAYS, default=7),
        severity=Severity.MEDIUM,
        mend="Set `retention_window_in_days=14` or more.",
        url=f"{DOCS}oltp/instances/create/child-instance",
        controls=c.BACKUP,
    ),
    rule(
        "databricks-database-deletion",
        "Where data must resist deletion, no Lakebase database is purged when it is deleted",
        _DATABASE,
        where_setting(PROTECTED, differs("purgeOnDelete", True)),
        severity=Severity.HIGH,
        mend="Remove `purge_on_delete=True`.",
        url=f"{DOCS}oltp/instances/",
        controls=c.DELETION_PROTECTION,
    ),
)
