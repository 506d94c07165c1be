"""The examples under docs/ do what their pages say; the action and the workflow that uses it please their linters."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from levee.cli.app import run
from levee.toolchain import uv_path

ROOT = Path(__file__).parents[2]
STRANGER = ROOT / "docs/examples/stranger"
OURS = ROOT / ".github/workflows"
WORKFLOWS = [ROOT / "action.yml", *STRANGER.glob(".github/workflows/*.yml"), *OURS.glob("*.yml")]


def copy(folder):
    shutil.copytree(STRANGER, folder, ignore=shutil.ignore_patterns(".venv", ".levee", "__pycache__"))
    return folder


def test_the_strangers_example_from_preview_to_destroy(tmp_path, capsys, monkeypatch):
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable, raising=False)
    project = copy(tmp_path / "stranger")
    (project / ".venv").symlink_to(sys.prefix)
    monkeypatch.chdir(project)
    assert run(["preview"]) == 2
    assert "--fill-config" in capsys.readouterr().err
    assert run(["preview", "--fill-config", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["summary"]["by_op"] == {"create": 8}
    assert plan["outputs"]["network"] == "10.8.0.0/16", "lookups.yaml answers"
    assert [lookup["token"] for lookup in plan["invented_lookups"]] == ["aws:ec2/getAmi:getAmi"]
    filled = {f["key"].split(":")[1]: f for f in plan["filled_config"]}
    assert set(filled) == {"visitorCidr", "editorPassword", "ownerEmail", "deployer", "region"}
    assert filled["editorPassword"]["value"] == "[secret]"
    assert filled["visitorCidr"]["source"]["file"] == "__main__.py"
    assert run(["up", "--fill-config"]) == 0
    assert run(["refresh", "--expect-no-changes"]) == 0
    assert run(["destroy"]) == 0


def test_the_action_offers_what_its_script_takes():
    action = YAML(typ="safe").load(ROOT / "action.yml")
    (step,) = action["runs"]["steps"]
    given = {name.removeprefix("LEVEE_").lower().replace("_", "-") for name in step["env"]}
    assert given == set(action["inputs"])
    script = (ROOT / "tools/action").read_text()
    assert all(name in script for name in step["env"])
    assert os.access(ROOT / "tools/action", os.X_OK)


def test_the_workflow_asks_for_no_secret_and_no_right_to_write():
    (workflow,) = STRANGER.glob(".github/workflows/*.yml")
    text = workflow.read_text()
    document = YAML(typ="safe").load(text)
    assert "secrets." not in text
    assert document["permissions"] == {}
    (job,) = document["jobs"].values()
    assert job["permissions"] == {"contents": "read"}
    offered = YAML(typ="safe").load(ROOT / "action.yml")["inputs"]
    assert set(job["steps"][-1]["with"]) <= set(offered)


def workflow(name):
    text = (OURS / name).read_text()
    (job,) = YAML(typ="safe").load(text)["jobs"].values()
    return text, job


def test_the_review_of_a_pull_request_has_no_secret_and_may_write_nothing():
    text, job = workflow("review.yml")
    assert YAML(typ="safe").load(text)["on"] == {"pull_request": None}
    assert "secrets." not in text
    assert job["permissions"] == {"contents": "read"}
    assert job["steps"][0]["with"]["ref"] == "${{ github.event.pull_request.base.sha }}", "the base's Levee reviews"
    review = next(step["run"] for step in job["steps"] if step.get("name") == "Review")
    assert "--untrusted" in review
    assert "--base HEAD" in review
    assert not any("proposed" in str(step.get("run")) for step in job["steps"] if step.get("name") != "Review")


def test_who_comments_runs_nothing_of_the_pull_request_and_finds_it_by_the_event():
    text, job = workflow("review-comment.yml")
    assert "secrets." not in text
    assert not any("checkout" in str(step.get("uses")) for step in job["steps"])
    assert set(job["permissions"]) == {"actions", "pull-requests", "security-events"}
    find = next(step for step in job["steps"] if step.get("id") == "pull")
    assert all("github.event." in value for name, value in find["env"].items() if name in {"OWNER", "BRANCH", "SHA"})
    assert "review/" not in find["run"], "the number never comes from the artefact"
    assert not any("${{" in str(step.get("run")) for step in job["steps"]), "no text of theirs in a script"


def test_a_deployment_asks_the_clouds_by_oidc_and_holds_no_secret():
    text = (OURS / "deploy.yml").read_text()
    assert "secrets." not in text
    jobs = YAML(typ="safe").load(text)["jobs"]
    assert jobs["plan"]["permissions"] == {"contents": "read"}, "nothing has a credential before it is approved"
    assert "environment" not in jobs["plan"]
    assert jobs["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert jobs["deploy"]["environment"] == "${{ inputs.environment }}", "whose reviewers say yes"


def test_a_deployment_applies_what_the_environments_reviewers_were_shown():
    jobs = YAML(typ="safe").load(OURS / "deploy.yml")["jobs"]
    runs = {name: " ".join(str(step.get("run", "")) for step in job["steps"]) for name, job in jobs.items()}
    assert "levee preview" in runs["plan"]
    assert "--approve" in runs["plan"]
    assert jobs["deploy"]["needs"] == "plan"
    assert runs["deploy"].count("levee up") == runs["deploy"].count("--plan") == 1


@pytest.mark.slow
def test_zizmor_finds_nothing_in_the_action_and_the_workflow():
    found = subprocess.run(
        [uv_path(ROOT), "tool", "run", "--quiet", "zizmor@1.32.0", "--offline", "--pedantic", "--quiet", *WORKFLOWS],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout


@pytest.mark.slow
def test_actionlint_finds_nothing_in_the_workflow():
    found = subprocess.run(
        ["go", "run", "github.com/rhysd/actionlint/cmd/actionlint@v1.7.7", *WORKFLOWS[1:]],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout + found.stderr


UV = """#!/bin/sh
[ "$1" = --version ] && echo "uv 9.9.9" && exit
while [ "$1" != levee ]; do shift; done
printf '%s\\n' "$@"
echo "::warning title=tagging::never in a summary" >&2
echo "8 resources" >&2
exit "$LEVEE_CODE"
"""
"""What stands in for uv and the Levee that it would run: it tells its arguments and leaves with a code."""


@pytest.mark.parametrize(
    ("inputs", "given", "code"),
    [
        ({}, ["--cwd", ".", "--timeout", "300", "--json", "-", "--fill-config"], 0),
        ({"FILL_CONFIG": "false", "TIMEOUT": "7"}, ["--cwd", ".", "--timeout", "7", "--json", "-"], 1),
        (
            {"STACK": "prod", "WORKING_DIRECTORY": "a b", "FILL_CONFIG": "true", "CONFIG": "a=1 2\n\nb=$(touch c)\n"},
            [
                *("prod", "--cwd", "a b", "--timeout", "300", "--json", "-", "--fill-config"),
                *("--config", "a=1 2", "--config", "b=$(touch c)"),
            ],
            3,
        ),
    ],
)
def test_the_actions_script_hands_on_its_inputs_and_what_came_of_them(tmp_path, inputs, given, code):
    uv = tmp_path / "bin/uv"
    uv.parent.mkdir()
    uv.write_text(UV)
    uv.chmod(0o755)
    outputs, summary = tmp_path / "outputs", tmp_path / "summary"
    environment = {
        "PATH": f"{uv.parent}{os.pathsep}{os.environ['PATH']}",
        "LEVEE_CODE": str(code),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_STEP_SUMMARY": str(summary),
        **{f"LEVEE_{name}": value for name, value in inputs.items()},
    }
    ran = subprocess.run([ROOT / "tools/action"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert ran.returncode == code
    said = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    assert said["exit-code"] == str(code)
    assert Path(said["plan"]).read_text().splitlines() == ["levee", "preview", *given]
    assert "::warning" in ran.stderr, "the runner reads annotations from the log"
    assert "8 resources" in summary.read_text()
    assert "::warning" not in summary.read_text()
    assert not (tmp_path / "c").exists()


@pytest.mark.slow
def test_the_actions_script_previews_the_example(tmp_path):
    project = copy(tmp_path / "work/stranger")
    (project / ".venv").symlink_to(sys.prefix)
    outputs, summary = tmp_path / "outputs", tmp_path / "summary"
    environment = {
        **os.environ,
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_WORKSPACE": str(tmp_path / "work"),
        "RUNNER_TEMP": str(tmp_path),
        "LEVEE_WORKING_DIRECTORY": "stranger",
        "LEVEE_CONFIG": "ownerEmail=me@example.com\ncostCentre=$(touch broken-out)\n",
        "UV": str(uv_path(ROOT)),
    }
    ran = subprocess.run(
        [ROOT / "tools/action"], cwd=tmp_path / "work", env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    said = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    assert said["exit-code"] == "0"
    plan = json.loads(Path(said["plan"]).read_text())
    assert plan["summary"]["by_op"] == {"create": 8}
    assert "ownerEmail" not in {f["key"].split(":")[1] for f in plan["filled_config"]}
    assert "::warning title=tagging-" in ran.stderr
    assert "file=stranger/__main__.py" in ran.stderr
    assert "8 resources" in summary.read_text()
    assert "::warning" not in summary.read_text()
    assert not list(tmp_path.rglob("broken-out"))
