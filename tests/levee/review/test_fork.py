"""A fork's pull request, from a bare repository to its comment: no credential, no network, a rogue program."""

import json
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import jsonschema
import pytest

from levee.review.untrusted import refusal
from tests.levee.review.test_writers import SCHEMA

WHY = refusal()
LEVEE = Path(sys.executable).with_name("levee")
ENVIRONMENT = """
config:
  levee:environment:
    company: acme
    owners: {team: shop, email: shop@acme.example, cost_centre: cc-1}
    classification: internal
    clouds:
      aws: {account: "111111111111", region: eu-west-1}
    budgets:
      total: {monthly_usd: 1000}
    retention: {audit_days: 400, log_days: 30, noncurrent_days: 30}
    protection: {stateful: false, retention_lock: false}
"""
BASE = """
import pulumi_aws as aws
TAGS = {"owner": "shop", "cost-centre": "cc-1", "environment": "dev", "data-classification": "internal",
        "managed-by": "levee", "capability": "shop"}
aws.s3.Bucket("photos", bucket="acme-photos", tags=TAGS)
aws.sns.Topic("untagged", name="untagged")
"""
HEAD = """
import json, os, pathlib, socket
import pulumi_aws as aws
TAGS = {"owner": "shop", "cost-centre": "cc-1", "environment": "dev", "data-classification": "internal",
        "managed-by": "levee", "capability": "shop"}

def tried(action):
    try:
        return repr(action())
    except BaseException as refused:
        return type(refused).__name__

gained = {
    "environment": [value for value in os.environ.values() if "hunter2" in value],
    "listener": tried(lambda: socket.create_connection(("127.0.0.1", PORT), 5).getpeername()),
    "credentials": tried(lambda: pathlib.Path(HOME, ".aws", "credentials").read_text()),
    "outside": tried(lambda: pathlib.Path(HOME, "marker").write_text("rogue")),
    "state": tried(lambda: sorted(p.name for p in pathlib.Path(".levee").rglob("*.json"))),
    "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
}
if os.fork() == 0:
    os.setsid()
    while True:
        pass

aws.s3.Bucket("photos", bucket="acme-pictures", tags=TAGS)
aws.sns.Topic("untagged", name="untagged")
aws.sqs.Queue("a | `b` @octocat <b>", name="work")
aws.sns.Topic("gained", name="gained", display_name=json.dumps(gained), tags=TAGS)
"""

IDLE = f"""
- fingerprint: f{"0" * 31}
  reason: it was mended long ago
  owner: shop@acme.example
  expires: "2999-12-31"
"""


def git(folder, *arguments):
    named = ["-c", "user.name=A Stranger", "-c", "user.email=stranger@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", str(folder), *named, *arguments], check=True, capture_output=True)


def write(folder, program, environment):
    (folder / "environments").mkdir(exist_ok=True)
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\nstackConfigDir: environments\n")
    (folder / "__main__.py").write_text(textwrap.dedent(program))
    (folder / "environments" / "Pulumi.dev.yaml").write_text(environment)


def test_a_forks_pull_request(tmp_path):
    """One run of the engine, of which everything is asked: it would be too slow to make it again for each question."""
    done, out, home = reviewed(tmp_path)
    assert done.returncode == 1, done.stderr
    the_comment(out)
    the_annotations(out)
    nothing_is_approved(out)
    git_is_left_as_it_was(out.parent)
    if WHY:
        pytest.skip(f"namespaces are refused here, so the rogue was not held: {WHY}")
    the_rogue_gained_nothing(out, home)


def reviewed(top):
    """The review of a pull request of a fork: the process, the folder of what it wrote, and the home folder."""
    home, upstream, bare, clone = (top / name for name in ("home", "upstream", "origin.git", "clone"))
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "credentials").write_text("hunter2")
    upstream.mkdir()
    write(upstream, BASE, ENVIRONMENT)
    (upstream / "accepted-findings.yaml").write_text(IDLE)
    git(upstream, "init", "-q")
    git(upstream, "add", "-A")
    git(upstream, "commit", "-qm", "base")
    git(top, "clone", "-q", "--bare", str(upstream), str(bare))
    git(top, "clone", "-q", str(bare), str(clone))
    git(clone, "switch", "-qc", "feature")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        rogue = HEAD.replace("PORT", str(listener.getsockname()[1])).replace("HOME", repr(str(home)))
        policies = "{tagging: {level: disabled}, checkov: {level: mandatory}}"
        write(clone, rogue, f"{ENVIRONMENT}    policies: {policies}\n")
        (clone / "requirements.txt").write_text("pulumi-aws==99.0.0\n")
        git(clone, "add", "-A")
        git(clone, "commit", "-qm", "change")
        command = [LEVEE, "review", "--base", "origin/main", "--output", "out", *([] if WHY else ["--untrusted"])]
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "DEPLOY_TOKEN": "hunter2"}
        if WHY:
            del environment["DEPLOY_TOKEN"]
        done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True)
    assert (clone / "out").is_dir(), done.stderr
    return done, clone / "out", home


def the_comment(out):
    written = (out / "comment.md").read_text()
    assert "mandatory rule" in written.splitlines()[1]
    assert written.index("edits what judges it") < written.index("| Environment |"), "the head's own policies are told"
    assert "<code>policies</code>" in written
    assert "**± replace, stateful** | **<code>photos</code>** for <code>bucket</code>" in written
    assert "a &#124; &#96;b&#96; &#64;octocat &#60;b&#62;" in written
    policies = written.split("### Policies")[1].split("\n\n<details>")[0]
    assert "<code>tagging-required</code>" in policies, "the head's own environment disables it, the base's does not"
    assert "requirements.txt&#58; the head's dependencies are not installed" in written
    assert "accepts what no rule says any more&#58; f0000" in written
    assert "CKV" not in written, "nor does the head's own environment bring rules"
    assert "octocat" in policies
    assert "<code>untagged</code>" not in policies, "what was broken at the base folds away"


def the_annotations(out):
    log = json.loads((out / "review.sarif").read_text())
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    new = [
        r
        for r in log["runs"][0]["results"]
        if r["ruleId"] == "tagging-required" and r["baselineState"] == "new" and r["kind"] == "fail"
    ]
    (place,) = [location["physicalLocation"] for r in new for location in r["locations"]]
    assert place["artifactLocation"]["uri"] == "__main__.py"
    line = next(number for number, text in enumerate(textwrap.dedent(HEAD).splitlines(), 1) if "aws.sqs" in text)
    assert place["region"]["startLine"] == line


def nothing_is_approved(out):
    (environment,) = json.loads((out / "review.json").read_text())["environments"]
    assert len(environment["approval"]) == 64
    assert not list(out.glob("approved.*")), "a mandatory rule holds it up"


def git_is_left_as_it_was(clone):
    listed = subprocess.run(["git", "-C", clone, "status", "--porcelain", "--ignored"], capture_output=True, text=True)
    assert {line[3:].rstrip("/") for line in listed.stdout.splitlines()} <= {"out", ".levee"}
    worktrees = subprocess.run(["git", "-C", clone, "worktree", "list"], capture_output=True, text=True)
    assert len(worktrees.stdout.splitlines()) == 1


def the_rogue_gained_nothing(out, home):
    found = json.loads((out / "review.json").read_text())
    (topic,) = [c for c in found["environments"][0]["changes"] if c["name"] == "gained"]
    said = {p["path"].removeprefix("displayName."): json.loads(p["after"]) for p in topic["properties"]}
    assert said["listener"] == "ConnectionRefusedError"
    assert said["credentials"] == "FileNotFoundError"
    assert said["outside"] == "FileNotFoundError"
    assert said["state"] == []
    assert said["processes"] == 2, "itself and what holds it"
    assert said["environment"] == []
    assert not (home / "marker").exists()
    assert "hunter2" not in "".join(path.read_text() for path in out.iterdir())


def test_where_it_cannot_be_held_it_is_not_run(tmp_path):
    """With an ``unshare`` that the kernel refuses, as Ubuntu 24.04 does unless told otherwise."""
    write(tmp_path, "import pathlib; pathlib.Path(__file__).with_name('ran').touch()", ENVIRONMENT)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "base")
    (tmp_path / "bin").mkdir()
    unshare = tmp_path / "bin" / "unshare"
    unshare.write_text(
        "#!/bin/sh\necho 'unshare: write failed /proc/self/uid_map: Operation not permitted' >&2\nexit 1\n"
    )
    unshare.chmod(0o755)
    environment = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(
        [LEVEE, "review", "--untrusted", "--base", "HEAD"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert "cannot be held here, so it is not run: unshare: write failed /proc/self/uid_map" in done.stderr
    assert "apparmor_restrict_unprivileged_userns=0" in done.stderr
    assert not list(tmp_path.rglob("ran"))
