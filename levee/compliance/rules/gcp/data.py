"""BigQuery, Pub/Sub, Dataproc, Dataflow, Composer, notebooks, Cloud Run and functions, secrets and images."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    by_type,
    differs,
    either,
    equals,
    every,
    not_matching,
    not_world_open,
    one_of,
    present,
    where_setting,
)
from levee.compliance.rules.gcp.common import DOCS
from levee.compliance.rules.secrets import kept_secret, no_plain_secret_pairs, no_plain_secrets
from levee.compliance.rules.settings import PROTECTED

_DATASET: Final = "gcp:bigquery/dataset:Dataset"
_TABLE: Final = "gcp:bigquery/table:Table"
_ACCESS: Final = "gcp:bigquery/datasetAccess:DatasetAccess"
_TOPIC: Final = "gcp:pubsub/topic:Topic"
_DATAPROC: Final = "gcp:dataproc/cluster:Cluster"
_DATAFLOW: Final = "gcp:dataflow/job:Job"
_COMPOSER: Final = "gcp:composer/environment:Environment"
_NOTEBOOK: Final = "gcp:workbench/instance:Instance"
_RUN: Final = "gcp:cloudrunv2/service:Service"
_RUN_JOB: Final = "gcp:cloudrunv2/job:Job"
_FUNCTION: Final = "gcp:cloudfunctionsv2/function:Function"
_RUN_V1: Final = "gcp:cloudrun/service:Service"
_FUNCTION_V1: Final = "gcp:cloudfunctions/function:Function"
_SECRET: Final = "gcp:secretmanager/secret:Secret"
_VERSION: Final = "gcp:secretmanager/secretVersion:SecretVersion"
_IMAGES: Final = "gcp:artifactregistry/repository:Repository"
_BIGQUERY_GUIDE: Final = f"{DOCS}bigquery/docs/"
_EVERYBODY: Final = "allUsers|allAuthenticatedUsers"
_DEFAULT_ACCOUNT: Final = r"\d+-compute@developer\.gserviceaccount\.com|[\w-]+@appspot\.gserviceaccount\.com"

RULES: Final = (
    rule(
        "gcp-bigquery-customer-managed-key",
        "Every dataset is encrypted with a key of ours",
        _DATASET,
        present("defaultEncryptionConfiguration.kmsKeyName"),
        severity=Severity.HIGH,
        mend='Set `default_encryption_configuration={"kms_key_name": key.id}`.',
        url=f"{_BIGQUERY_GUIDE}customer-managed-encryption",
        controls=(*c.ENCRYPTION_AT_REST, *c.cis_gcp("7.3")),
    ),
    rule(
        "gcp-bigquery-not-public",
        "No dataset is open to everybody",
        (_DATASET, _ACCESS),
        by_type(
            {
                _DATASET: every(
                    not_matching("accesses[*].specialGroup", "allAuthenticatedUsers", "everybody"),
                    not_matching("accesses[*].iamMember", _EVERYBODY, "everybody"),
                ),
                _ACCESS: every(
                    not_matching("specialGroup", "allAuthenticatedUsers", "everybody"),
                    not_matching("iamMember", _EVERYBODY, "everybody"),
                ),
            }
        ),
        severity=Severity.CRITICAL,
        mend="Name the group that needs it in `group_by_email`.",
        url=f"{_BIGQUERY_GUIDE}control-access-to-resources-iam",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_gcp("7.1")),
    ),
    rule(
        "gcp-bigquery-deletion",
        "Where data must resist deletion, no dataset or table is deleted with what it holds",
        (_DATASET, _TABLE),
        where_setting(
            PROTECTED,
            by_type(
                {
                    _DATASET: differs("deleteContentsOnDestroy", True),
                    _TABLE: differs("deletionProtection", False),
                }
            ),
        ),
        severity=Severity.HIGH,
        mend="Remove `delete_contents_on_destroy=True` and `deletion_protection=False`.",
        url="https://www.pulumi.com/registry/packages/gcp/api-docs/bigquery/table/",
        controls=c.DELETION_PROTECTION,
    ),
    rule(
        "gcp-pubsub-customer-managed-key",
        "Every topic is encrypted with a key of ours",
        _TOPIC,
        present("kmsKeyName"),
        severity=Severity.MEDIUM,
        mend="Set `kms_key_name=key.id`.",
        url=f"{DOCS}pubsub/docs/encryption",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "gcp-pubsub-regions-named",
        "Every topic names the regions in which messages are kept",
        _TOPIC,
        present("messageStoragePolicy.allowedPersistenceRegions"),
        severity=Severity.MEDIUM,
        mend='Set `message_storage_policy={"allowed_persistence_regions": ["europe-west1"]}`.',
        url=f"{DOCS}pubsub/docs/resource-location-restriction",
        controls=c.RESIDENCY,
    ),
    rule(
        "gcp-dataproc-private",
        "No machine of a Dataproc cluster has a public address",
        _DATAPROC,
        equals("clusterConfig.gceClusterConfig.internalIpOnly", True),
        severity=Severity.HIGH,
        mend='Set `gce_cluster_config={"internal_ip_only": True}`.',
        url=f"{DOCS}dataproc/docs/concepts/configuring-clusters/network",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "gcp-dataproc-customer-managed-key",
        "The disks of every Dataproc cluster are encrypted with a key of ours",
        _DATAPROC,
        present("clusterConfig.encryptionConfig.kmsKeyName"),
        severity=Severity.MEDIUM,
        mend='Set `encryption_config={"kms_key_name": key.id}`.',
        url=f"{DOCS}dataproc/docs/concepts/configuring-clusters/customer-managed-encryption",
        controls=(*c.ENCRYPTION_AT_REST, *c.cis_gcp("8.1")),
    ),
    rule(
        "gcp-dataflow-private",
        "No worker of a Dataflow job has a public address",
        _DATAFLOW,
        equals("ipConfiguration", "WORKER_IP_PRIVATE"),
        severity=Severity.HIGH,
        mend='Set `ip_configuration="WORKER_IP_PRIVATE"` and a `subnetwork`.',
        url=f"{DOCS}dataflow/docs/guides/routes-firewall",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "gcp-composer-private",
        "No machine of an Airflow environment has a public address",
        _COMPOSER,
        either(
            equals("config.enablePrivateEnvironment", True),
            equals("config.privateEnvironmentConfig.enablePrivateEndpoint", True),
        ),
        severity=Severity.HIGH,
        mend='Set `config={"enable_private_environment": True}`.',
        url=f"{DOCS}composer/docs/composer-3/change-networking-type",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "gcp-composer-web-narrow",
        "The web server of Airflow answers named ranges only",
        _COMPOSER,
        every(
            present("config.webServerNetworkAccessControl.allowedIpRanges"),
            not_world_open("config.webServerNetworkAccessControl.allowedIpRanges[*].value"),
        ),
        severity=Severity.MEDIUM,
        mend='Set `web_server_network_access_control={"allowed_ip_ranges": [{"value": "203.0.113.0/28"}]}`.',
        url=f"{DOCS}composer/docs/composer-3/access-airflow-web-interface",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "gcp-composer-customer-managed-key",
        "Every Airflow environment is encrypted with a key of ours",
        _COMPOSER,
        present("config.encryptionConfig.kmsKeyName"),
        severity=Severity.MEDIUM,
        mend='Set `config={"encryption_config": {"kms_key_name": key.id}}`.',
        url=f"{DOCS}composer/docs/composer-3/configure-cmek-encryption",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "gcp-composer-no-plain-secrets",
        "No Airflow environment has a secret in its variables",
        _COMPOSER,
        every(
            no_plain_secrets("config.softwareConfig.envVariables"),
            no_plain_secrets("config.softwareConfig.airflowConfigOverrides"),
        ),
        severity=Severity.CRITICAL,
        mend="Put it into Secret Manager, and make that Airflow's secrets backend.",
        url=f"{DOCS}composer/docs/composer-3/configure-secret-manager",
        controls=c.SECRETS,
    ),
    rule(
        "gcp-notebook-private",
        "No notebook's machine has a public address",
        _NOTEBOOK,
        equals("gceSetup.disablePublicIp", True),
        severity=Severity.HIGH,
        mend='Set `gce_setup={"disable_public_ip": True, "network_interfaces": [...]}`.',
        url=f"{DOCS}vertex-ai/docs/workbench/instances/create",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "gcp-notebook-customer-managed-key",
        "The disks of every notebook are encrypted with a key of ours",
        _NOTEBOOK,
        every(present("gceSetup.bootDisk.kmsKey"), present("gceSetup.dataDisks.kmsKey")),
        severity=Severity.MEDIUM,
        mend='Set `disk_encryption="CMEK"` and `kms_key=key.id` on `boot_disk` and `data_disks`.',
        url=f"{DOCS}vertex-ai/docs/workbench/instances/cmek",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "gcp-run-not-from-internet",
        "No service or function is called from the internet but through a load balancer",
        (_RUN, _FUNCTION),
        by_type(
            {
                _RUN: one_of("ingress", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"),
                _FUNCTION: one_of("serviceConfig.ingressSettings", "ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB"),
            }
        ),
        severity=Severity.MEDIUM,
        mend='Set `ingress="INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"` (function: `ingress_settings`).',
        url=f"{DOCS}run/docs/securing/ingress",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "gcp-run-callers-known",
        "Every service asks who calls it",
        _RUN,
        differs("invokerIamDisabled", True),
        severity=Severity.HIGH,
        mend="Remove `invoker_iam_disabled=True`.",
        url=f"{DOCS}run/docs/authenticating/overview",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "gcp-run-own-identity",
        "No service, job or function runs as the project's default service account",
        (_RUN, _RUN_JOB, _FUNCTION),
        by_type(
            {
                type_: every(present(path), not_matching(path, _DEFAULT_ACCOUNT, "the default service account"))
                for type_, path in (
                    (_RUN, "template.serviceAccount"),
                    (_RUN_JOB, "template.template.serviceAccount"),
                    (_FUNCTION, "serviceConfig.serviceAccountEmail"),
                )
            }
        ),
        severity=Severity.HIGH,
        mend="Set `service_account=account.email` (function: `service_account_email`).",
        url=f"{DOCS}run/docs/securing/service-identity",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "gcp-run-no-plain-secrets",
        "No service, job or function has a secret in an environment variable",
        (_RUN, _RUN_JOB, _FUNCTION, _RUN_V1, _FUNCTION_V1),
        by_type(
            {
                _RUN_V1: no_plain_secret_pairs("template.spec.containers[*].envs[*]"),
                _FUNCTION_V1: every(
                    no_plain_secrets("environmentVariables"), no_plain_secrets("buildEnvironmentVariables")
                ),
                _RUN: no_plain_secret_pairs("template.containers[*].envs[*]"),
                _RUN_JOB: no_plain_secret_pairs("template.template.containers[*].envs[*]"),
                _FUNCTION: every(
                    no_plain_secrets("serviceConfig.environmentVariables"),
                    no_plain_secrets("buildConfig.environmentVariables"),
                ),
            }
        ),
        severity=Severity.CRITICAL,
        mend="Name a secret of Secret Manager in `value_source` (function: `secret_environment_variables`).",
        url=f"{DOCS}run/docs/configuring/services/secrets",
        controls=(*c.SECRETS, *c.cis_gcp("1.17")),
    ),
    rule(
        "gcp-secret-value-kept",
        "The value of a secret is a secret to Pulumi too",
        _VERSION,
        kept_secret("secretData"),
        severity=Severity.CRITICAL,
        mend="Wrap the value in `pulumi.Output.secret(...)`, or read it with `config.require_secret(...)`.",
        url="https://www.pulumi.com/docs/iac/concepts/secrets/",
        controls=c.SECRETS,
    ),
    rule(
        "gcp-secret-rotated",
        "Somebody is told when a secret is to be rotated",
        _SECRET,
        every(present("rotation.rotationPeriod"), present("topics")),
        severity=Severity.LOW,
        mend='Set `rotation={"rotation_period": "7776000s", ...}` and `topics`.',
        url=f"{DOCS}secret-manager/docs/secret-rotation",
        controls=(*c.SECRETS, *c.pci("8.6.3")),
    ),
    rule(
        "gcp-images-scanned",
        "Images are scanned for vulnerabilities",
        _IMAGES,
        differs("vulnerabilityScanningConfig.enablementConfig", "DISABLED"),
        severity=Severity.MEDIUM,
        mend='Remove `vulnerability_scanning_config={"enablement_config": "DISABLED"}`.',
        url=f"{DOCS}artifact-analysis/docs/container-scanning-overview",
        controls=c.PATCHING,
    ),
    rule(
        "gcp-images-customer-managed-key",
        "Every repository of images and packages is encrypted with a key of ours",
        _IMAGES,
        present("kmsKeyName"),
        severity=Severity.LOW,
        mend="Set `kms_key_name=key.id`, when the repository is made.",
        url=f"{DOCS}artifact-registry/docs/cmek",
        controls=c.ENCRYPTION_AT_REST,
    ),
)
