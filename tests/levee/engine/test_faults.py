"""Bad days on the real engine: each fault is told by its rule, and the next ups come to what a clean run makes."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from levee.engine.standin.cloud import SimulatedCloud
from levee.engine.standin.fault_rules import load
from levee.errors import EngineError
from levee.plan import Op

CHAIN = """
    import pulumi
    import pulumi_aws as aws

    role = aws.iam.Role("role", assume_role_policy="{}")
    last = aws.iam.RolePolicy("trust", role=role.id, policy="{}")
    for name in ("throttled", "failed", "half", "late", "over", "hung", "lost", "killed", "orphan"):
        last = aws.s3.Bucket(name, opts=pulumi.ResourceOptions(depends_on=[last]))
"""
BAD_DAYS = (
    ("trust", "{action: eventual, type: 'aws:iam/role:Role'}", "NoSuchEntity: The role with name role-"),
    ("throttled", "{action: throttle, type: 'aws:s3/*', absorb: 2}", "ThrottlingException: Rate exceeded"),
    ("failed", "{action: fail, type: 'aws:s3/bucket:Bucket', nth: 2}", "InternalError: We encountered an internal"),
    ("half", "{action: partial, urn: '*::half'}", "timeout while waiting for state to become 'available'"),
    ("late", "{action: eventual, operation: read, urn: '*::late', times: 3, absorb: 1}", "NoSuchBucket"),
    ("over", "{action: quota, type: 'aws:s3/bucket:Bucket', limit: 4}", "TooManyBuckets"),
    ("hung", "{action: timeout, urn: '*::hung'}", "context deadline exceeded"),
    ("lost", "{action: timeout, urn: '*::lost', after: true}", "in the cloud, and a run that was cut off never wrote"),
    ("killed", "{action: kill, urn: '*::killed'}", "fault rule 1 (kill): create of killed"),
    ("orphan", "{action: kill, urn: '*::orphan', after: true}", "fault rule 1 (kill): create of orphan"),
)


def faults(run, *rules):
    path = run.root / "faults.yaml"
    path.write_text("faults:\n" + "".join(f"  - {rule}\n" for rule in rules))
    return path


def made(plan):
    """What a stack is, whatever way it came about."""
    return {r.urn: (r.id, r.inputs, r.outputs) for r in plan.resources if not r.is_provider}


def shape(plan):
    """The same without the digits of automatic names: a replacement gets new ones, a first creation keeps its own."""
    return {
        urn: re.sub(r"-[0-9a-f]{7}\b", "-*", json.dumps([id_, inputs])) for urn, (id_, inputs, _) in made(plan).items()
    }


def in_the_cloud(run):
    with SimulatedCloud(run.workspace().cloud) as cloud:
        return list(cloud.resources())


def init_errors(run, name):
    """What the engine keeps of a resource that is there and not as it should be."""
    state = json.loads(run.workspace().checkpoint.read_text())["checkpoint"]["latest"]["resources"]
    return next(r.get("initErrors") for r in state if r["urn"].endswith(f"::{name}"))


def clean(run, program):
    return type(run)(run.root / "clean", run.cli).write(program)("up")


def assert_converged(run, program, of=made):
    assert not run("refresh").changes
    plan = run("up")
    assert not plan.changes
    assert of(plan) == of(clean(run, program))
    cloud = in_the_cloud(run)
    assert Counter(r.urn for r in cloud).most_common(1)[0][1] == 1, "nothing is there twice"
    assert {r.id for r in cloud} == {r.id for r in plan.resources if r.custom and not r.is_provider}


@pytest.mark.timeout(900)
def test_each_kind_of_fault_is_told_and_the_next_up_goes_on(project):
    run = project(CHAIN)
    for name, rule, says in BAD_DAYS:
        with pytest.raises(EngineError) as failed:
            run("up", faults=faults(run, rule))
        assert says in failed.value.message, rule
        assert "fault rule 1" in failed.value.message, rule
        assert "levee up dev" in (failed.value.fix or ""), rule
        if name in {"half", "late"}:
            assert f"fault rule 1: {'partial' if name == 'half' else 'eventual'}" in str(init_errors(run, name)), rule
        behind = [n for n, _, _ in BAD_DAYS[[n for n, _, _ in BAD_DAYS].index(name) + 1 :]]
        assert not [r.urn for r in in_the_cloud(run) if r.urn.rsplit("::", 1)[-1] in behind], f"{rule} stopped nothing"
    assert {r.name for r in run("up").resources if r.op is Op.CREATE} == {"orphan"}
    assert_converged(run, CHAIN)


TWO = """
    import pulumi
    import pulumi_aws as aws
    lake = aws.s3.Bucket("lake", tags={"size": SIZE})
    aws.s3.BucketPolicy("rules", bucket=lake.id, policy="{}")
"""


def test_what_a_provider_retries_is_absorbed_and_an_update_left_half_done_is_done_again(project):
    run = project(TWO.replace("SIZE", "'1'"))
    first = run("up", faults=faults(run, "{action: throttle, times: 2, absorb: 3, urn: '*::lake'}"))
    assert [note for note in first.notes if note.startswith("fault rule 1 (throttle): create of lake")]
    run = project(program := TWO.replace("SIZE", "'2'"))
    with pytest.raises(EngineError, match="rule 1: partial"):
        run("up", faults=faults(run, "{action: partial, operation: update, type: 'aws:s3/*'}"))
    assert {r.name for r in run("up").resources if r.op is Op.UPDATE} == {"lake"}
    assert_converged(run, program)


def test_a_delete_that_was_cut_off_is_finished_by_the_next(project):
    run = project(TWO.replace("SIZE", "'1'"))
    run("up")
    with pytest.raises(EngineError, match=r"fault rule 1 \(kill\)"):
        run("destroy", faults=faults(run, "{action: kill, operation: delete, urn: '*::lake', after: true}"))
    run("destroy")
    assert in_the_cloud(run) == []
    assert not [r for r in run("preview").resources if r.op is not Op.CREATE and r.custom]


def test_a_destroy_removes_what_no_state_ever_held(project):
    run = project('import pulumi_aws as aws\naws.s3.Bucket("lake")\n')
    with pytest.raises(EngineError):
        run("up", faults=faults(run, "{action: timeout, after: true}"))
    (orphan,) = in_the_cloud(run)
    plan = run("destroy")
    assert any(orphan.id in note and "removed" in note for note in plan.notes)
    assert in_the_cloud(run) == []


def _wait(condition, what):
    for _ in range(1200):
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"never came: {what}")


def test_kill_9_of_levee_and_engine_in_mid_create(project):
    run = project(program := TWO.replace("SIZE", "'1'"))
    rules = faults(run, "{action: slow, urn: '*::lake', seconds: 600, after: true}")
    code = f"""
        from pathlib import Path
        from levee import engine
        options = engine.Options(pulumi=Path({str(run.cli)!r}), faults=Path({str(rules)!r}))
        engine.up(Path({str(run.root)!r}), "dev", options)
    """
    levee = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stderr=subprocess.DEVNULL)
    cloud, state = run.workspace().cloud, run.workspace().state
    _wait(lambda: cloud.exists() and in_the_cloud(run), "the bucket in the cloud")
    engine = json.loads(next(state.rglob("locks/**/*.json")).read_text())["pid"]
    for pid in (levee.pid, engine):
        os.kill(pid, signal.SIGKILL)
    levee.wait()
    checkpoint = json.loads(run.workspace().checkpoint.read_text())["checkpoint"]["latest"]
    assert [p["type"] for p in checkpoint["pending_operations"]] == ["creating"]
    told = " ".join(run("up").notes)
    assert "pulumi cancel" in told
    assert "1 operations pending" in told
    assert "creating lake" in told
    assert "taken up again by this run" in told
    assert_converged(run, program)


OPERATIONS = st.sampled_from(("create", "update", "delete"))
RULES = st.one_of(
    st.builds(
        "{{action: {}, operation: {}, nth: {}, after: {}}}".format,
        st.sampled_from(("fail", "kill", "timeout", "throttle")),
        OPERATIONS,
        st.integers(1, 3),
        st.sampled_from(("true", "false")),
    ),
    st.builds(
        "{{action: partial, nth: {}, operation: {}}}".format, st.integers(1, 3), st.sampled_from(("create", "update"))
    ),
    st.builds(
        "{{action: eventual, nth: {}, operation: {}}}".format, st.integers(1, 3), st.sampled_from(("create", "read"))
    ),
    st.builds("{{action: quota, type: 'aws:s3/*', limit: {}}}".format, st.integers(0, 1)),
)
LAYERS = """
    import pulumi
    import pulumi_aws as aws
    role = aws.iam.Role("role", assume_role_policy="{}", description=SIZE)
    lake = aws.s3.Bucket("lake", bucket="acme-" + SIZE, tags={"size": SIZE})
    aws.s3.BucketPolicy("rules", bucket=lake.id, policy="{}")
    aws.iam.RolePolicy("reads", role=role.id, policy=lake.arn.apply(lambda arn: '{"Resource": "' + arn + '"}'))
"""


def _error_of(run, path):
    try:
        run("up", faults=path)
    except EngineError as failed:
        return failed.message
    return ""


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(schedule=st.lists(st.lists(RULES, min_size=1, max_size=2), min_size=1, max_size=3), grows=st.booleans())
def test_whatever_goes_wrong_the_next_up_comes_to_the_clean_state(project, tmp_path_factory, schedule, grows):
    """Faulty ups of random schedules, creating and replacing; then one up without faults is enough."""
    first = project("import pulumi\n")
    run = type(first)(tmp_path_factory.mktemp("schedule"), first.cli)
    program = LAYERS.replace("SIZE", "'1'")
    for number, rules in enumerate(schedule):
        program = LAYERS.replace("SIZE", "'2'" if grows and number else "'1'")
        run.write(program)
        path = faults(run, *rules)
        assert load(path)
        said = _error_of(run, path)
        assert not said or "fault rule" in said, rules
    run("up")
    assert_converged(run, program, of=shape)
