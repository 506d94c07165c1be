"""Programs with providers: explicit ones, several regions, options, lookups, secrets; offline and online."""

import json
import os
import shlex
import subprocess
import sys
import sysconfig

import pytest

from levee import engine
from levee.engine.standin.cloud import SimulatedCloud
from levee.errors import EngineError, GateError, UsageError
from levee.plan import SECRET, UNKNOWN, Op

REGIONS = """
    import pulumi
    import pulumi_aws as aws

    west = aws.Provider("west", region="us-west-2")
    east = aws.Provider("east", region="eu-central-1")
    first = aws.s3.Bucket("first", opts=pulumi.ResourceOptions(provider=west))
    second = aws.s3.Bucket("second", opts=pulumi.ResourceOptions(provider=east, depends_on=[first], protect=True))
    aws.s3.BucketVersioning(
        "versioning", bucket=first.id, versioning_configuration={"status": "Enabled"},
        opts=pulumi.ResourceOptions(provider=west),
    )
    pulumi.export("regions", pulumi.Output.all(first.region, second.region))
    pulumi.export("arn", first.arn)
"""


def _named(plan, name):
    return next(r for r in plan.resources if r.name == name)


def test_explicit_providers_keep_their_regions(project):
    run = project(REGIONS)
    assert run("preview").outputs["arn"] == UNKNOWN
    up = run("up")
    assert up.outputs["regions"] == ["us-west-2", "eu-central-1"]
    assert up.outputs["arn"].startswith("arn:aws:s3:::first-")
    assert "::west::" in _named(up, "first").provider
    assert not run("up").changes


def test_dependencies_options_and_lines_reach_the_plan(project):
    run = project(REGIONS)
    for plan in (run("preview"), run("up")):
        first, second, versioning = (_named(plan, n) for n in ("first", "second", "versioning"))
        assert second.protect
        assert first.urn in second.dependencies
        assert versioning.property_dependencies["bucket"] == (first.urn,)
        assert str(versioning.source) == "__main__.py:9"


def test_a_protected_resource_is_not_destroyed_unless_asked(project):
    run = project(REGIONS)
    run("up")
    with pytest.raises(GateError, match="protect") as refused:
        run("destroy")
    assert "--unprotect" in str(refused.value)
    assert run("destroy", unprotect=True).summary.by_op == {"delete": 3}


def test_an_alias_keeps_the_resource(project):
    run = project("import pulumi_aws as aws\naws.s3.Bucket('old')\n")
    before = _named(run("up"), "old")
    run = project(
        """
        import pulumi
        import pulumi_aws as aws
        aws.s3.Bucket("new", opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")]))
        """
    )
    after = run("up")
    assert _named(after, "new").id == before.id
    assert not {r.op for r in after.resources} & {Op.CREATE, Op.DELETE, Op.REPLACE}


def test_what_forces_a_replacement_is_known(project):
    program = "import pulumi_aws as aws\naws.s3.Bucket('store', bucket='{}', tags={{'a': '{}'}})\n"
    project(program.format("acme-one", "1"))("up")
    tagged = project(program.format("acme-one", "2"))("preview")
    assert _named(tagged, "store").op is Op.UPDATE
    renamed = _named(project(program.format("acme-two", "1"))("preview"), "store")
    assert renamed.op is Op.REPLACE
    assert renamed.replace_keys == ("bucket",)


def test_a_secret_stays_one_everywhere(project):
    run = project(
        """
        import pulumi
        import pulumi_random as random
        import pulumi_aws as aws
        password = random.RandomPassword("password", length=24)
        aws.ssm.Parameter("kept", type="SecureString", value=password.result)
        aws.ssm.Parameter("given", type="SecureString", value=pulumi.Output.secret("hunter2"))
        pulumi.export("password", password.result)
        """
    )
    up = run("up")
    assert up.outputs["password"] == SECRET
    assert _named(up, "given").inputs["value"] == SECRET
    with SimulatedCloud(run.workspace().cloud) as cloud:
        assert list(cloud.resources())
    for path in run.root.rglob("*"):
        if path.is_file() and path.name != "__main__.py":
            assert b"hunter2" not in path.read_bytes(), path
    assert not run("refresh").changes


def test_an_invented_lookup_is_listed_with_its_line(project):
    run = project(
        """
        import pulumi
        import pulumi_aws as aws

        pulumi.export("account", aws.get_caller_identity().account_id)
        pulumi.export("zones", aws.get_availability_zones_output(state="available").names)
        """
    )
    plan = run("preview")
    assert len(plan.outputs["zones"]) >= 2
    lines = {lookup.token.rsplit(":", 1)[-1]: str(lookup.source) for lookup in plan.invented_lookups}
    assert lines == {"getCallerIdentity": "__main__.py:5", "getAvailabilityZones": "__main__.py:6"}


def test_the_projects_own_answers_come_first_and_are_not_invented(project):
    run = project("import pulumi, pulumi_aws as aws\npulumi.export('a', aws.get_caller_identity().account_id)\n")
    (run.root / "lookups.yaml").write_text(
        "- {function: aws:index/getCallerIdentity:getCallerIdentity, result: {accountId: '999988887777'}}\n"
    )
    assert run("preview").outputs == {"a": "999988887777"}


def test_drift_is_found_and_healed(project):
    run = project("import pulumi_aws as aws\naws.s3.Bucket('store', tags={'owner': 'us'})\n")
    store = _named(run("up"), "store")
    assert not run("refresh").changes
    with SimulatedCloud(run.workspace().cloud) as cloud:
        cloud.change(store.urn, {"tags": {"owner": "them"}})
    assert _named(run("refresh", dry_run=True), "store").op is Op.UPDATE
    found = _named(run("refresh"), "store")
    assert (found.op, found.diff) == (Op.UPDATE, ("tags.owner",))
    assert _named(run("up"), "store").op is Op.UPDATE
    with SimulatedCloud(run.workspace().cloud) as cloud:
        cloud.remove(store.urn)
    assert _named(run("refresh"), "store").op is Op.DELETE
    assert _named(run("up"), "store").op is Op.CREATE


def test_wrong_inputs_are_refused_with_property_and_line(project):
    run = project("import pulumi_aws as aws\n\naws.kms.Key('key', deletion_window_in_days='soon')\n")
    with pytest.raises(engine.ProgramError, match="deletionWindowInDays") as refused:
        run("preview")
    assert refused.value.where == "__main__.py:3"


def test_rules_that_are_none_are_wrong_use(project):
    run = project("import pulumi\n")
    faults = run.root / "faults.yaml"
    faults.write_text("faults:\n  - {action: explode}\n")
    with pytest.raises(UsageError, match="unknown action 'explode'") as refused:
        run("up", faults=faults)
    assert f"{faults}:2" in str(refused.value)


def test_a_fault_stops_the_update_and_the_next_one_converges(project):
    run = project("import pulumi_aws as aws\nfor i in range(4):\n    aws.s3.Bucket(f'store-{i}')\n")
    faults = run.root / "faults.yaml"
    faults.write_text("faults:\n  - {action: fail, type: aws:s3/bucket:Bucket, nth: 2}\n")
    with pytest.raises(EngineError) as failed:
        run("up", faults=faults)
    assert failed.value.where == "__main__.py:3"
    assert "levee up dev" in str(failed.value)
    plan = run("up")
    assert plan.summary.by_op.keys() == {"create", "same"}
    assert not run("up").changes
    assert not run("refresh").changes


def test_online_starts_the_providers_as_ordinary_plugins(project, tmp_path):
    """The same program and code path with nothing attached: the engine finds ``pulumi-resource-aws`` on PATH."""
    run = project(
        "import pulumi, pulumi_aws as aws\npulumi.export('arn', aws.s3.Bucket('store', bucket='acme-store').arn)\n"
    )
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    script = plugins / "pulumi-resource-aws"
    more = [f"--site-packages={sysconfig.get_paths()['purelib']}", f"--cloud={tmp_path / 'cloud.sqlite'}"]
    command = shlex.join([sys.executable, "-m", "levee.engine.standin", "plugin", "aws", *more])
    script.write_text(f"#!/bin/sh\nexec {command}\n")
    script.chmod(0o755)
    (tmp_path / "state").mkdir()
    environment = dict(
        os.environ,
        PATH=f"{plugins}{os.pathsep}{os.environ['PATH']}",
        PULUMI_HOME=str(tmp_path / "home"),
        PULUMI_BACKEND_URL=(tmp_path / "state").as_uri(),
        PULUMI_CONFIG_PASSPHRASE="only for this test",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION="true",
    )
    online = {"offline": False, "environment": environment}
    made = subprocess.run(
        [run.cli, "stack", "init", "dev", "--non-interactive"], cwd=run.root, env=environment, capture_output=True
    )
    assert made.returncode == 0, made.stderr
    up = run("up", **online)
    assert not up.offline
    assert up.outputs == {"arn": "arn:aws:s3:::acme-store"}
    assert not run("refresh", **online).changes
    assert run("destroy", **online).summary.by_op == {"delete": 1}


def test_a_cloud_that_dies_in_mid_update_loses_nothing(project):
    run = project(
        "import pulumi_aws as aws\nfor i in range(6):\n    aws.s3.Bucket(f'store-{i}')\n",
        config="config:\n  aws:region: eu-west-1\n",
    )
    faults = run.root / "faults.yaml"
    faults.write_text("faults:\n  - {action: kill, type: aws:s3/bucket:Bucket, nth: 3}\n")
    with pytest.raises(EngineError):
        run("up", faults=faults)
    again = run("up")
    assert not [note for note in again.notes if "refresh will need to be run" in note]
    last = run("up")
    assert not last.changes
    assert not last.notes
    assert not run("refresh").changes
    assert run("destroy").summary.by_op == {"delete": 6}
    with SimulatedCloud(run.workspace().cloud) as cloud:
        assert not [r for r in cloud.resources() if not r.removed]


def test_a_dynamic_provider_runs_in_the_programs_interpreter(project):
    run = project(
        """
        import pulumi
        from pulumi.dynamic import CreateResult, Resource, ResourceProvider

        class Doubles(ResourceProvider):
            def create(self, props):
                return CreateResult(id_="one", outs={"twice": 2 * props["value"]})

        class Doubled(Resource):
            twice: pulumi.Output[int]

            def __init__(self, name, value):
                super().__init__(Doubles(), name, {"value": value, "twice": None})

        pulumi.export("twice", Doubled("doubled", 21).twice)
        """
    )
    assert run("up").outputs == {"twice": 42}


def test_kubernetes_returns_the_manifest(project):
    run = project(
        """
        import pulumi
        import pulumi_kubernetes as k8s
        space = k8s.core.v1.Namespace("space", metadata={"name": "lake"})
        settings = k8s.core.v1.ConfigMap("settings", metadata={"namespace": space.metadata.name}, data={"a": "1"})
        pulumi.export("data", settings.data)
        pulumi.export("namespace", settings.metadata.namespace)
        """
    )
    up = run("up")
    assert up.outputs == {"data": {"a": "1"}, "namespace": "lake"}
    assert not run("up").changes
    assert not run("refresh").changes


def test_what_a_killed_engine_left_pending_is_settled_and_said(project):
    run = project("import pulumi_aws as aws\nfor i in range(3):\n    aws.s3.Bucket(f'store-{i}')\n")
    run("up")
    checkpoint = run.workspace().checkpoint
    document = json.loads(checkpoint.read_text())
    latest = document["checkpoint"]["latest"]
    half_made = next(r for r in latest["resources"] if r["urn"].endswith("::store-2"))
    latest["resources"].remove(half_made)
    latest["pending_operations"] = [{"resource": {**half_made, "id": ""}, "type": "creating"}]
    checkpoint.write_text(json.dumps(document))
    destroyed = run("destroy")
    assert any("store-2" in note and "pending" in note for note in destroyed.notes)
    assert "pending_operations" not in json.loads(checkpoint.read_text())["checkpoint"]["latest"]
    with SimulatedCloud(run.workspace().cloud) as cloud:
        assert not [r for r in cloud.resources() if not r.removed]
