"""Queues, topics, streams and the analytics that read them: encrypted, private, closed to everybody."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.aws.common import customer_key, security_hub
from levee.compliance.rules.aws.policy import not_public
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import differs, either, equals, every, one_of, present

QUEUE: Final = "aws:sqs/queue:Queue"
TOPIC: Final = "aws:sns/topic:Topic"
STREAM: Final = "aws:kinesis/stream:Stream"
KAFKA: Final = "aws:msk/cluster:Cluster"
WORKGROUP: Final = "aws:athena/workgroup:Workgroup"
_TRANSIT: Final = "encryptionInfo.encryptionInTransit"
_GLUE: Final = "encryptionConfiguration"

RULES: Final = (
    rule(
        "aws-sqs-encrypted",
        "Every queue is encrypted",
        QUEUE,
        either(equals("sqsManagedSseEnabled", True, default=True), present("kmsMasterKeyId")),
        severity=Severity.MEDIUM,
        mend="Remove `sqs_managed_sse_enabled=False`, or set `kms_master_key_id=key.id`.",
        url=security_hub("sqs", 1),
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "aws-sqs-policy-not-public",
        "No queue's policy lets everybody in",
        ("aws:sqs/queuePolicy:QueuePolicy", QUEUE),
        not_public("policy"),
        severity=Severity.CRITICAL,
        mend="Name the principals, or add the condition `aws:SourceArn`.",
        url=security_hub("sqs", 3),
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-sns-encrypted",
        "Every topic is encrypted",
        TOPIC,
        present("kmsMasterKeyId"),
        severity=Severity.MEDIUM,
        mend="Set `kms_master_key_id=key.id`.",
        url=security_hub("sns", 1),
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "aws-sns-policy-not-public",
        "No topic's policy lets everybody in",
        ("aws:sns/topicPolicy:TopicPolicy", TOPIC),
        not_public("policy"),
        severity=Severity.CRITICAL,
        mend="Name the principals, or add the condition `aws:SourceArn`.",
        url=security_hub("sns", 4),
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-kinesis-encrypted",
        "Every stream is encrypted with a customer-managed key",
        STREAM,
        every(equals("encryptionType", "KMS"), customer_key("kmsKeyId")),
        severity=Severity.MEDIUM,
        mend='Set `encryption_type="KMS"` and `kms_key_id=key.arn`.',
        url=security_hub("kinesis", 1),
        controls=(*c.ENCRYPTION_AT_REST, *c.KEY_MANAGEMENT),
    ),
    rule(
        "aws-msk-tls-only",
        "Every Kafka cluster speaks TLS to its clients and between its brokers",
        KAFKA,
        every(
            equals(f"{_TRANSIT}.clientBroker", "TLS", default="TLS"),
            equals(f"{_TRANSIT}.inCluster", True, default=True),
        ),
        severity=Severity.HIGH,
        mend='Remove `client_broker="PLAINTEXT"` and `in_cluster=False`.',
        url=security_hub("msk", 1),
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "aws-msk-not-public",
        "No Kafka cluster is reached from the internet",
        KAFKA,
        differs("brokerNodeGroupInfo.connectivityInfo.publicAccess.type", "SERVICE_PROVIDED_EIPS"),
        severity=Severity.CRITICAL,
        mend="Remove `public_access` from `connectivity_info`.",
        url=security_hub("msk", 4),
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-msk-authenticated",
        "No Kafka cluster takes clients that it does not know",
        KAFKA,
        every(present("clientAuthentication"), differs("clientAuthentication.unauthenticated", True)),
        severity=Severity.HIGH,
        mend='Set `client_authentication={"sasl": {"iam": True}}`.',
        url=security_hub("msk", 6),
        controls=c.AUTHENTICATION,
    ),
    rule(
        "aws-mq-not-public",
        "No message broker has a public address",
        "aws:mq/broker:Broker",
        differs("publiclyAccessible", True),
        severity=Severity.CRITICAL,
        mend="Remove `publicly_accessible=True`.",
        url="https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/using-amazon-mq-securely.html",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-dms-not-public",
        "No replication instance has a public address",
        "aws:dms/replicationInstance:ReplicationInstance",
        equals("publiclyAccessible", False),
        severity=Severity.CRITICAL,
        mend="Set `publicly_accessible=False`.",
        url=security_hub("dms", 1),
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-athena-encrypted",
        "Every workgroup encrypts its results with a KMS key, and no query may choose otherwise",
        WORKGROUP,
        every(
            equals("configuration.enforceWorkgroupConfiguration", True, default=True),
            one_of("configuration.resultConfiguration.encryptionConfiguration.encryptionOption", "SSE_KMS", "CSE_KMS"),
        ),
        severity=Severity.MEDIUM,
        mend='Set `encryption_configuration={"encryption_option": "SSE_KMS", "kms_key_arn": key.arn}` in '
        "`result_configuration`.",
        url="https://docs.aws.amazon.com/athena/latest/ug/encryption.html",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "aws-glue-encrypted",
        "Every security configuration of Glue encrypts data, logs and bookmarks",
        "aws:glue/securityConfiguration:SecurityConfiguration",
        every(
            equals(f"{_GLUE}.s3Encryption.s3EncryptionMode", "SSE-KMS"),
            equals(f"{_GLUE}.cloudwatchEncryption.cloudwatchEncryptionMode", "SSE-KMS"),
            equals(f"{_GLUE}.jobBookmarksEncryption.jobBookmarksEncryptionMode", "CSE-KMS"),
        ),
        severity=Severity.MEDIUM,
        mend="Set the three modes to SSE-KMS, SSE-KMS and CSE-KMS, each with `kms_key_arn=key.arn`.",
        url="https://docs.aws.amazon.com/glue/latest/dg/encryption-security-configuration.html",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "aws-glue-job-configured",
        "Every Glue job runs under a security configuration",
        "aws:glue/job:Job",
        present("securityConfiguration"),
        severity=Severity.MEDIUM,
        mend="Set `security_configuration=configuration.name`.",
        url="https://docs.aws.amazon.com/glue/latest/dg/set-up-encryption.html",
        controls=c.ENCRYPTION_AT_REST,
    ),
)
