"""The offline preview beside a real one, whose provider is an ordinary plugin that thinks otherwise on purpose."""

import json
import os
import shlex
import subprocess
import sys
import sysconfig
import textwrap

import pytest

from levee.cli.app import run as levee
from levee.engine import Options, comparison
from levee.engine.comparison import between
from levee.errors import EngineError, UsageError
from levee.plan import UNKNOWN, Op, Plan, Resource

OTHER_FACTS = """
    import sys
    from levee.engine.standin import replacement
    facts = replacement.ReplacementFacts.of
    def of(self, type_, path):
        if path.startswith("tags"):
            return replacement.Fact(True, "the real provider")
        return facts(self, type_, path)
    replacement.ReplacementFacts.of = of
    from levee.engine.standin.__main__ import main
    sys.exit(main())
"""
PROGRAM = """
    import pulumi
    import pulumi_aws as aws
    me = aws.get_caller_identity()
    lake = aws.s3.Bucket("lake", bucket="acme-lake", tags={"size": SIZE})
    aws.ssm.Parameter("kept", name="kept", type="SecureString", value=pulumi.Output.secret("hunter2"))
    aws.sns.Topic("told", display_name=me.account_id)
    pulumi.export("arn", lake.arn)
"""


@pytest.fixture
def real(tmp_path, pulumi_cli, monkeypatch):
    """A backend of the user's own, and a plugin on PATH; returns how to start it with other arguments."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'plugins'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PULUMI_BACKEND_URL", (tmp_path / "backend").as_uri())
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "only for this test")
    monkeypatch.setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
    for name in ("plugins", "backend"):
        (tmp_path / name).mkdir()

    def plugin(*more, other_facts=False):
        main = ["-c", textwrap.dedent(OTHER_FACTS)] if other_facts else ["-m", "levee.engine.standin"]
        where = [f"--site-packages={sysconfig.get_paths()['purelib']}", f"--cloud={tmp_path / 'real.sqlite'}"]
        script = tmp_path / "plugins" / "pulumi-resource-aws"
        script.write_text(f"#!/bin/sh\nexec {shlex.join([sys.executable, *main, 'plugin', 'aws', *where, *more])}\n")
        script.chmod(0o755)

    return plugin


def init(run):
    made = subprocess.run([run.cli, "stack", "init", "dev", "--non-interactive"], cwd=run.root, capture_output=True)
    assert made.returncode == 0, made.stderr


def compare(run):
    return comparison.compare(run.root, "dev", Options(pulumi=run.cli))


def test_previews_that_agree_and_a_real_provider_that_replaces_what_the_stand_in_updates(
    project, real, tmp_path, capsys
):
    real()
    run = project(PROGRAM.replace("SIZE", "'1'"), config="config:\n  aws:region: eu-west-1\n")
    init(run)
    up = run("up", offline=False)
    assert not up.offline
    assert up.outputs == {"arn": "arn:aws:s3:::acme-lake"}
    run = project(program := PROGRAM.replace("SIZE", "'2'"), config="config:\n  aws:region: eu-west-1\n")
    same = compare(run)
    assert not same.differs, (same.steps, same.failed_online, same.failed_offline)
    assert same.resources == 3
    assert not [v for v in same.values if v.kind == "different"]
    assert "hunter2" not in json.dumps(same.to_document())

    lookups = tmp_path / "theirs.yaml"
    lookups.write_text(
        "lookups:\n"
        "  - {function: 'aws:index/getCallerIdentity:getCallerIdentity', result: {accountId: '999900001111'}}\n"
    )
    real(f"--lookups={lookups}", other_facts=True)
    project(program + '    aws.sqs.Queue("new")\n', config="config:\n  aws:region: eu-west-1\n")
    written = tmp_path / "difference.json"
    assert levee(["preview", "dev", "--compare-online", "--cwd", str(run.root), "--json", str(written)]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "lake s3 Bucket offline update, real replace (tags" in shown
    assert "999900001111" in shown
    found = json.loads(written.read_text())
    assert found["differs"] is True
    steps = {s["urn"].rsplit("::", 1)[-1]: (s["offline"], s["online"], s["source"]) for s in found["steps"]}
    assert steps == {"lake": ("update", "replace", "__main__.py:5"), "told": ("same", "update", "__main__.py:7")}
    (value,) = [v for v in found["values"] if v["kind"] == "different" and v["side"] == "inputs"]
    assert (value["path"], value["online"]) == ("displayName", "999900001111")
    assert not list(run.root.glob(".levee/*.aside")), "the workspace of a comparison goes with it"
    real()
    assert not run("refresh", offline=False).changes
    assert run("destroy", offline=False).summary.by_op == {"delete": 3}
    for path in run.root.rglob("*"):
        assert not path.is_file() or path.name == "__main__.py" or b"hunter2" not in path.read_bytes(), path


def test_a_failure_that_only_the_real_preview_has(project, real, tmp_path):
    faults = tmp_path / "theirs.yaml"
    faults.write_text(
        "faults:\n  - {action: fail, type: 'aws:sqs/*', preview: true, message: 'the queue is refused'}\n"
    )
    real(f"--faults={faults}")
    run = project("import pulumi_aws as aws\naws.sqs.Queue('new')\n", config="config:\n  aws:region: eu-west-1\n")
    init(run)
    found = compare(run)
    assert found.differs
    assert "the queue is refused" in found.failed_online
    assert found.failed_offline == ""


def test_without_a_stack_or_a_plugin_it_says_what_is_missing(project, real, capsys):
    run = project("import pulumi_aws as aws\naws.sqs.Queue('new')\n", config="config:\n  aws:region: eu-west-1\n")
    with pytest.raises(UsageError, match="cannot be read") as refused:
        compare(run)
    assert "pulumi stack init dev" in (refused.value.fix or "")
    init(run)
    assert levee(["preview", "dev", "--compare-online", "--cwd", str(run.root)]) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert "nothing to compare with" in shown
    assert "pulumi plugin install" in shown


def plan(*resources):
    return Plan("probe", "dev", "preview", offline=True, resources=resources)


def resource(name, op=Op.CREATE, **more):
    return Resource(f"urn:pulumi:dev::probe::aws:s3/bucket:Bucket::{name}", "aws:s3/bucket:Bucket", name, op, **more)


def test_differences_are_told_apart():
    offline = plan(
        resource("a", Op.UPDATE, replacement_unknown=True),
        resource("b", inputs={"x": {"y": 1}}, outputs={"arn": UNKNOWN}),
        resource("c"),
    )
    online = plan(
        resource("a", Op.REPLACE, replace_keys=("name",)),
        resource("b", inputs={"x": {"y": 2}}, outputs={"arn": "arn:1"}),
        resource("d"),
    )
    found = between(offline, online, project="probe", stack="dev")
    assert [(s.offline, s.online, s.said_unknown) for s in found.steps] == [
        ("update", "replace", True),
        ("create", "", False),
        ("", "create", False),
    ]
    assert [(v.path, v.kind) for v in found.values] == [("x.y", "different"), ("arn", "known only online")]
    same = between(offline, offline, project="probe", stack="dev")
    assert not same.differs
    assert not same.values


def test_two_failures_are_no_difference():
    failed = EngineError("no")
    assert not between(failed, failed, project="probe", stack="dev").differs
    assert between(failed, plan(), project="probe", stack="dev").differs
