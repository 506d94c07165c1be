"""What is approved with a plan, and what departs from it: functions over plans that no engine ran."""

import json
from dataclasses import replace

import pytest

from levee.engine import Project
from levee.errors import GateError, UsageError
from levee.plan import SECRET, UNKNOWN, Op, Resource
from levee.review import approval, departures
from levee.review.approval import Code
from levee.review.program_files import levee_digest, of_checkout, of_folder
from tests.levee.review.conftest import broken, bucket, plan, urn
from tests.levee.review.test_fork import git

CODE = Code({"__main__.py": "a" * 64}, "1.0 " + "b" * 64, {"pulumi_aws": "7.1.0"})
PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:aws::{}::some-id"
PHOTOS = bucket(
    "photos",
    Op.CREATE,
    inputs={"bucket": "photos-1a2b3c", "forceDestroy": True, "tags": {"team": "sales", "token": SECRET}},
    property_dependencies={"forceDestroy": (), "tags": ()},
    provider=PROVIDER.format("default_7_1_0"),
)
POLICY = bucket(
    "readers",
    Op.CREATE,
    type_="aws:s3/bucketPolicy:BucketPolicy",
    inputs={"policy": UNKNOWN},
    property_dependencies={"policy": (urn("photos"),)},
    provider=PROVIDER.format("default_7_1_0"),
)


def approved(*resources, code=CODE, **more):
    return approval.approval(plan(*(resources or (PHOTOS, POLICY)), **more), code)


def departed(now):
    return departures.of_plan(approved(), now)


def test_the_digest_is_of_the_content_and_not_of_the_order():
    findings = [broken("photos", policy="a"), broken("readers", policy="b")]
    one = approved(PHOTOS, POLICY, violations=findings)
    turned = replace(PHOTOS, inputs=dict(reversed(PHOTOS.inputs.items())))
    other = approved(POLICY, turned, violations=findings[::-1])
    assert one.digest == other.digest
    assert len(one.digest) == 64


@pytest.mark.parametrize(
    "other",
    [
        approved(replace(PHOTOS, inputs={**PHOTOS.inputs, "forceDestroy": False}), POLICY),
        approved(PHOTOS),
        approved(PHOTOS, replace(POLICY, property_dependencies={"policy": (urn("other"),)})),
        approved(replace(PHOTOS, provider=PROVIDER.format("default_8_0_0")), POLICY),
        approved(replace(PHOTOS, op=Op.REPLACE), POLICY),
        approved(violations=[broken("photos")]),
        approved(not_evaluated=[broken("photos")]),
        approved(code=replace(CODE, files={"__main__.py": "c" * 64})),
        approved(code=replace(CODE, levee="1.1 " + "b" * 64)),
        approved(code=replace(CODE, packages={"pulumi_aws": "8.0.0"})),
    ],
)
def test_another_input_verdict_or_code_gives_another_digest(other):
    assert other.digest != approved().digest


def test_what_the_provider_adds_and_what_the_cloud_gives_is_none_of_the_programs():
    checked = {"bucket": "photos-9z9z9z", "acl": "private", **{k: PHOTOS.inputs[k] for k in ("forceDestroy", "tags")}}
    checked["tags"] = {**checked["tags"], "__defaults": ["owner"], "owner": "nobody"}
    now = approved(replace(PHOTOS, inputs=checked), replace(POLICY, inputs={"policy": "arn:aws:s3:::photos"}))
    assert departed(now) == ()
    assert now.digest == approved().digest


def test_what_stands_for_the_stack_and_a_default_provider_does_not_count():
    own = [
        Resource("urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", "pulumi:pulumi:Stack", "shop-dev"),
        Resource(PROVIDER.format("default_7_1_0").rpartition("::")[0], "pulumi:providers:aws", "default_7_1_0"),
    ]
    assert approved(*own, PHOTOS, POLICY).digest == approved().digest
    explicit = Resource(PROVIDER.format("west").rpartition("::")[0], "pulumi:providers:aws", "west")
    assert approved(explicit, PHOTOS, POLICY).digest != approved().digest


def test_a_file_is_its_content_wherever_it_lies():
    def of(path, content):
        given = {"source": {"hash": content * 64, "path": path}}
        return approved(bucket("page", Op.CREATE, inputs=given, property_dependencies={"source": ()}))

    assert of("/here/page.html", "a").digest == of("/there/page.html", "a").digest
    assert of("/here/page.html", "a").digest != of("/here/page.html", "b").digest


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (
            approved(replace(PHOTOS, inputs={**PHOTOS.inputs, "tags": {"team": "hr", "token": SECRET}}), POLICY),
            'aws:s3/bucket:Bucket photos tags.team: "sales", now "hr"',
        ),
        (approved(PHOTOS), "aws:s3/bucketPolicy:BucketPolicy readers: is not asked for any more"),
        (approved(PHOTOS, POLICY, bucket("more", Op.CREATE)), "aws:s3/bucket:Bucket more: was not asked for"),
        (
            approved(PHOTOS, replace(POLICY, property_dependencies={"policy": ()}, inputs={"policy": "open"})),
            "aws:s3/bucketPolicy:BucketPolicy readers policy: made of aws:s3/bucket:Bucket photos, now of no resource",
        ),
        (
            approved(replace(PHOTOS, provider=PROVIDER.format("west")), POLICY),
            "aws:s3/bucket:Bucket photos provider: default_7_1_0, now west",
        ),
        (
            approved(PHOTOS, POLICY, bucket("old", Op.DELETE)),
            "aws:s3/bucket:Bucket old: would be deleted or replaced",
        ),
        (
            approved(violations=[broken("photos")]),
            "rule tagging-required: failed on aws:s3/bucket:Bucket photos",
        ),
    ],
)
def test_what_departs_is_named(now, said):
    assert departed(now) == (said,)


def test_a_stricter_outcome_departs_in_nothing():
    lax = approved(violations=[broken("photos")], not_evaluated=[broken("readers")])
    assert departures.of_plan(lax, approved()) == ()


def test_a_rule_departs_where_it_fails_on_what_it_passed_and_not_where_it_was_open():
    failing = approved(violations=[broken("readers")])
    assert departures.of_plan(approved(not_evaluated=[broken("readers")]), failing) == ()
    passed = approved(not_evaluated=[broken("photos"), broken("readers", policy="another")])
    assert departures.of_plan(passed, failing) == ("rule tagging-required: failed on aws:s3/bucket:Bucket readers",)


def test_other_code_is_named_before_it_runs():
    now = Code({"__main__.py": "c" * 64, "new.py": "d" * 64}, "1.1 x", {})
    assert departures.of_code(CODE, now) == (
        "file __main__.py: is another",
        "file new.py: was not there",
        "provider SDK pulumi_aws: is gone",
        "the rules are those of another Levee",
    )


def test_the_file_comes_back_as_it_was_and_holds_no_secret(tmp_path):
    file = tmp_path / "approved.json"
    whole = approved(violations=[broken("photos")])
    approval.write(whole, file)
    assert approval.read(file, "shop", "dev") == whole
    assert json.loads(file.read_text())["digest"] == whole.digest


def test_a_file_that_was_changed_or_is_of_another_stack_is_refused(tmp_path):
    file = tmp_path / "approved.json"
    approval.write(approved(), file)
    with pytest.raises(GateError, match="of shop/dev, not of shop/prod"):
        approval.read(file, "shop", "prod")
    text = file.read_text()
    assert text.count('"sales"') == 1
    file.write_text(text.replace('"sales"', '"hr"'))
    with pytest.raises(GateError, match="changed since it was written"):
        approval.read(file, "shop", "dev")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2, "digest": ""}', '{"version": 1, "digest": "", "approved": {}}']
)
def test_what_is_no_approval_is_said_to_be_none(text, tmp_path):
    file = tmp_path / "approved.json"
    file.write_text(text)
    with pytest.raises(UsageError, match="approval"):
        approval.read(file, "shop", "dev")


def test_a_program_is_its_files_in_a_checkout_as_in_a_folder(tmp_path):
    checkout = tmp_path / "shop"
    for name in ("__main__.py", "lib/area.py", "lib/__pycache__/area.pyc", ".levee/dev/cloud", ".venv/pyvenv.cfg"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(name)
    (checkout / "link").symlink_to("lib")
    found = of_folder(checkout)
    assert set(found) == {"__main__.py", "lib/area.py", "link"}
    (checkout / ".gitignore").write_text(".levee\n.venv\n*.log\n")
    (checkout / "run.log").write_text("ignored")
    (checkout / "plan.json").write_text("the approval itself")
    git(checkout, "init", "-q")
    git(checkout, "add", "__main__.py")
    in_git = of_checkout(checkout, besides=[checkout / "plan.json"])
    assert {name: in_git[name] for name in found} == found, "committed or not"
    assert set(in_git) == {*found, ".gitignore"}
    (checkout / "lib/area.py").write_text("another")
    assert of_checkout(checkout)["lib/area.py"] != found["lib/area.py"]


def test_the_code_names_the_rules_and_the_providers(tmp_path):
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    code = Code.of(Project.load(tmp_path), {})
    assert code.levee.endswith(levee_digest())
    assert code.packages["pulumi_aws"][0].isdigit()
