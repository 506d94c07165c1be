"""Each rule of the tagging pack, on each provider: a resource that keeps it and one that breaks it."""

import json

import pytest

from levee.compliance.tagging import Places
from levee.plan import SECRET, UNKNOWN, Resource, Verdict
from levee.sdk import Sdk

PASSED, NOT_EVALUATED = Verdict.PASSED, Verdict.NOT_EVALUATED
GOOD = {
    "owner": "data-platform",
    "cost-centre": "cc-1042",
    "environment": "prod",
    "data-classification": "confidential",
    "managed-by": "pulumi",
}


def resource(token, name="thing", *, custom=True, **inputs):
    urn = f"urn:pulumi:prod::levee::{token}::{name}"
    return Resource(urn=urn, type=token, name=name, custom=custom, inputs=inputs)


def bucket(tags, **inputs):
    return resource("aws:s3/bucket:Bucket", tags=tags, **inputs)


def account(tags):
    return resource("azure-native:storage:StorageAccount", tags=tags)


def gcs(tags):
    return resource("gcp:storage/bucket:Bucket", labels=tags)


def cluster(tags):
    return resource("databricks:index/cluster:Cluster", customTags=tags)


def namespace(tags):
    return resource("kubernetes:core/v1:Namespace", metadata={"labels": tags})


def warehouse(tags):
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    return resource("databricks:index/sqlEndpoint:SqlEndpoint", tags={"customTags": pairs})


def scaling_group(tags):
    pairs = [{"key": key, "value": value, "propagateAtLaunch": True} for key, value in tags.items()]
    return resource("aws:autoscaling/group:Group", tags=pairs)


def database(tags):
    return resource("gcp:sql/databaseInstance:DatabaseInstance", settings={"tier": "db-f1", "userLabels": tags})


EVERY_PLACE = pytest.mark.parametrize(
    "make", [bucket, account, gcs, cluster, namespace, warehouse, scaling_group, database]
)


def without(key):
    return {k: v for k, v in GOOD.items() if k != key}


@EVERY_PLACE
def test_every_rule_passes_what_is_tagged_well(make, judge):
    outcomes = judge(make(GOOD))
    assert {o.verdict for o in outcomes} == {PASSED}
    assert {o.rule.id for o in outcomes} == {"tagging-required", "tagging-values", "tagging-expiry", "tagging-syntax"}


@EVERY_PLACE
@pytest.mark.parametrize("key", GOOD)
def test_a_missing_key_fails(make, key, failed):
    message = failed(make(without(key)))["tagging-required"]
    assert key in message
    assert "add it to" in message


@EVERY_PLACE
def test_no_tags_at_all_fail_with_every_key(make, failed):
    message = failed(make({}))["tagging-required"]
    assert all(key in message for key in GOOD)


@EVERY_PLACE
def test_another_environment_fails(make, failed):
    assert "'prod'" in failed(make(GOOD | {"environment": "dev"}))["tagging-values"]


@EVERY_PLACE
def test_an_unknown_class_of_data_fails(make, failed):
    assert "one of public, internal" in failed(make(GOOD | {"data-classification": "secret"}))["tagging-values"]


@EVERY_PLACE
def test_a_day_in_the_past_fails(make, failed):
    assert "21 days ago" in failed(make(GOOD | {"expires-on": "2026-10-31"}))["tagging-expiry"]


@EVERY_PLACE
def test_one_unknown_value_is_not_evaluated_and_the_key_counts(make, verdict):
    subject = make(GOOD | {"cost-centre": UNKNOWN})
    assert verdict(subject, "tagging-required") is PASSED
    assert verdict(subject, "tagging-values") is NOT_EVALUATED


@pytest.mark.parametrize("make", [bucket, account, gcs, cluster, namespace])
def test_tags_unknown_as_a_whole_are_not_evaluated(make, judge):
    assert {o.verdict for o in judge(make(UNKNOWN))} == {NOT_EVALUATED}


def test_a_secret_value_is_not_evaluated(verdict):
    assert verdict(bucket(GOOD | {"owner": SECRET}), "tagging-values") is NOT_EVALUATED


def test_an_empty_value_is_as_good_as_none(failed):
    assert "there but empty" in failed(bucket(GOOD | {"owner": ""}))["tagging-required"]


def test_other_spellings_of_a_key_count(judge):
    tags = {"Owner": "x-team", "CostCenter": "1", "Environment": "prod", "data_classification": "public"}
    assert {o.verdict for o in judge(bucket(tags | {"ManagedBy": "pulumi"}))} == {PASSED}


def test_the_well_known_kubernetes_label_counts(failed):
    tags = {"app.kubernetes.io/managed-by": "pulumi", "example.com/owner": "data"} | without("managed-by")
    del tags["owner"]
    assert failed(namespace(tags)) == {}


@pytest.mark.parametrize(
    "defaults", [{"tags": GOOD}, json.dumps({"tags": GOOD})], ids=["object", "JSON text, as the engine writes it"]
)
def test_default_tags_of_the_aws_provider_count(defaults, judge):
    outcomes = judge(bucket({}), provider={"region": "eu-west-1", "defaultTags": defaults})
    assert {o.verdict for o in outcomes} == {PASSED}


def test_default_labels_of_the_gcp_provider_count(judge):
    outcomes = judge(gcs({}), provider={"defaultLabels": json.dumps(GOOD)})
    assert {o.verdict for o in outcomes} == {PASSED}


def test_a_resources_own_tag_wins_over_the_providers(failed):
    assert "tagging-values" in failed(bucket({"environment": "dev"}), provider={"defaultTags": {"tags": GOOD}})


@pytest.mark.parametrize("defaults", [UNKNOWN, {"tags": UNKNOWN}, "{broken"])
def test_default_tags_that_nobody_can_read_are_not_evaluated(defaults, verdict):
    assert verdict(bucket({}), "tagging-required", provider={"defaultTags": defaults}) is NOT_EVALUATED


def test_default_tags_do_not_reach_lists_of_tags(failed):
    """AWS provider documentation: default_tags do not apply to autoscaling groups."""
    assert "tagging-required" in failed(scaling_group({}), provider={"defaultTags": {"tags": GOOD}})


def test_tags_that_the_cloud_reports_count(failed):
    deployed = bucket({})
    object.__setattr__(deployed, "outputs", {"tagsAll": GOOD})
    assert failed(deployed) == {}


@pytest.mark.parametrize(
    "token",
    [
        "aws:s3/bucketVersioning:BucketVersioning",
        "azure-native:storage:BlobContainer",
        "gcp:projects/iAMMember:IAMMember",
        "databricks:index/secretScope:SecretScope",
        "kubernetes:core/v1:PodList",
        "random:index/randomPassword:RandomPassword",
        "pulumi:providers:aws",
    ],
)
def test_types_that_cannot_carry_tags_are_left_alone(token, judge):
    assert judge(resource(token)) == []


def test_components_are_left_alone(judge):
    assert judge(resource("aws:s3/bucket:Bucket", custom=False)) == []


def test_a_type_that_the_sdk_does_not_know_is_not_evaluated(judge):
    outcomes = judge(resource("aws:s3/teapot:Teapot"))
    assert {o.verdict for o in outcomes} == {NOT_EVALUATED}
    assert "has no type aws:s3/teapot:Teapot" in outcomes[0].message


def test_a_provider_that_nobody_wrote_down_is_read_from_its_sdk(tmp_path):
    """Of the SDKs that are installed none is unknown, so one is written here."""
    package = tmp_path / "pulumi_pond"
    package.mkdir()
    (package / "pulumi-plugin.json").write_text('{"resource": true, "name": "pond", "version": "1.0.0"}')
    register = (
        '[{"pkg": "pond", "mod": "index/fish", "fqn": "pulumi_pond", "classes": {"pond:index/fish:Fish": "Fish"}}]'
    )
    (package / "__init__.py").write_text(f'_utilities.register(\n    resource_modules="""\n{register}\n"""\n)\n')
    (package / "fish.py").write_text(
        "@pulumi.input_type\nclass FishArgs:\n"
        "    def __init__(__self__, *, labels: Optional[pulumi.Input[Mapping[str, pulumi.Input[str]]]] = None):\n"
        "        pass\n"
        "    @_builtins.property\n    @pulumi.getter\n"
        "    def labels(self) -> Optional[pulumi.Input[Mapping[str, pulumi.Input[str]]]]:\n        pass\n\n\n"
        "class Fish(pulumi.CustomResource):\n    pass\n"
    )
    places = Places(Sdk(tmp_path))
    assert str(places.of("pond:index/fish:Fish")) == "labels"
    assert places.of("mine:index:Component") is None


class TestValues:
    def test_the_class_may_not_exceed_the_environments(self, failed):
        config = {"tagging-values": {"highest_classification": "internal"}}
        assert "above 'internal'" in failed(bucket(GOOD), config)["tagging-values"]
        assert failed(bucket(GOOD | {"data-classification": "internal"}), config) == {}

    @pytest.mark.parametrize("make", [bucket, gcs])
    def test_the_cost_centre_matches_the_companys_pattern(self, make, failed):
        config = {"tagging-values": {"cost_centre_pattern": "CC-[0-9]{4}"}}
        wrong = failed(make(GOOD | {"cost-centre": "marketing"}), config)
        assert "it must match CC-[0-9]{4}" in wrong["tagging-values"]

    def test_a_label_is_compared_without_case(self, failed):
        config = {"tagging-values": {"cost_centre_pattern": "CC-[0-9]{4}", "environment": "Prod EU"}}
        assert failed(gcs(GOOD | {"environment": "prod_eu"}), config) == {}
        assert failed(gcs(GOOD | {"environment": "prod-eu"}), config) == {}
        assert "tagging-values" in failed(bucket(GOOD | {"environment": "prod_eu"}), config)

    def test_who_manages_it_is_a_tool(self, failed):
        assert "one of pulumi" in failed(bucket(GOOD | {"managed-by": "by hand"}))["tagging-values"]


class TestExpiry:
    def test_dev_must_expire(self, failed):
        good = GOOD | {"environment": "dev"}
        assert "expires-on missing: dev is short-lived" in failed(bucket(good), stack="dev")["tagging-expiry"]
        assert failed(bucket(good | {"expires-on": "2026-11-21"}), stack="dev") == {}

    def test_prod_need_not(self, failed):
        assert failed(bucket(GOOD)) == {}

    def test_not_a_date(self, failed):
        assert "ISO date" in failed(bucket(GOOD | {"expires-on": "next summer"}))["tagging-expiry"]

    def test_which_environments_expire_is_a_setting(self, failed):
        assert "tagging-expiry" in failed(bucket(GOOD), {"tagging-expiry": {"environments": ["prod"]}})


class TestSyntax:
    @pytest.mark.parametrize(
        ("make", "key"),
        [
            (bucket, "aws:mine"),
            (bucket, "k" * 129),
            (account, "a/b"),
            (gcs, "Owner-Team"),
            (gcs, "1st"),
            (cluster, "k" * 128),
            (namespace, "-x"),
            (namespace, "UPPER.example/x"),
        ],
    )
    def test_a_key_that_the_provider_refuses(self, make, key, failed):
        assert "is refused by" in failed(make(GOOD | {key: "v"}))["tagging-syntax"]

    @pytest.mark.parametrize(
        ("make", "value"),
        [(bucket, "a<b"), (account, "v" * 257), (gcs, "Upper"), (cluster, "a;b"), (namespace, "-x"), (gcs, "a.b")],
    )
    def test_a_value_that_the_provider_refuses(self, make, value, failed):
        assert "is refused by" in failed(make(GOOD | {"note": value}))["tagging-syntax"]

    def test_too_many(self, failed):
        tags = GOOD | {f"k{i}": "v" for i in range(46)}
        assert "51 tags, aws allows 50" in failed(bucket(tags))["tagging-syntax"]

    def test_the_providers_tags_count_towards_the_limit(self, failed):
        more = {"defaultTags": {"tags": {f"d{i}": "v" for i in range(46)}}}
        assert "51 tags" in failed(bucket(GOOD), provider=more)["tagging-syntax"]

    def test_the_same_key_in_two_spellings(self, failed):
        assert "the same thing twice" in failed(bucket(GOOD | {"CostCenter": "7"}))["tagging-syntax"]
