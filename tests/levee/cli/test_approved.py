"""``levee preview --approve`` and ``levee up --plan`` on the real engine: what is applied is what was approved."""

import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from levee import engine
from levee.cli.app import run
from levee.engine import Options, Workspace
from levee.errors import GateError
from levee.toolchain import ensure_pulumi
from tests.levee.review.test_fork import git

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """\
    import os
    import pulumi
    import pulumi_aws as aws
    team = os.environ.get("SHOP_TEAM", "sales")
    photos = aws.s3.Bucket("photos", tags={"team": team, "token": pulumi.Output.secret(f"hunter2-of-{team}")})
    aws.s3.BucketPolicy("readers", bucket=photos.id, policy=photos.arn.apply(lambda arn: '{"Resource": "%s"}' % arn))
    aws.ssm.Parameter("key", type="SecureString", value=pulumi.Output.secret("hunter2-of-the-shop"))
    """


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A project with two approvals of the same program, made one after the other."""
    root = tmp_path_factory.mktemp("shop")
    (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (root / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n")
    (root / "__main__.py").write_text(textwrap.dedent(PROGRAM))
    (root / ".venv").symlink_to(sys.prefix)
    for name in ("one", "two"):
        assert run(["preview", "dev", "--cwd", str(root), "--approve", str(root.parent / f"{name}.json")]) == 0
    return root


def up(shop, file):
    return run(["up", "dev", "--cwd", str(shop), "--plan", str(file)])


def nothing_is_up(shop):
    return not Workspace(engine.find_project(shop), "dev").deployed


def test_two_previews_of_one_program_approve_the_same(shop):
    one, two = ((shop.parent / f"{name}.json").read_text() for name in ("one", "two"))
    assert one == two
    assert "hunter2" not in one
    resources = json.loads(one)["approved"]["resources"]
    by_name = {urn.rsplit("::", 1)[-1]: said for urn, said in resources.items()}
    assert by_name["photos"]["inputs"] == {"tags": {"team": "sales", "token": "[secret]"}}, (
        "the name that the provider chose is not in it"
    )
    assert [*by_name["readers"]["made_of"]] == ["bucket", "policy"]
    assert by_name["key"]["inputs"]["value"] == "[secret]"


def test_a_comparison_approves_nothing(shop, tmp_path, capsys):
    file = tmp_path / "approved.json"
    assert run(["preview", "dev", "--cwd", str(shop), "--compare-online", "--approve", str(file)]) == 2
    assert "do not go together" in capsys.readouterr().err
    assert not file.exists()


def test_a_changed_approval_is_refused(shop, tmp_path, capsys):
    file = tmp_path / "approved.json"
    file.write_text((shop.parent / "one.json").read_text().replace('"sales"', '"hr"'))
    assert up(shop, file) == 1
    assert "changed since it was written" in capsys.readouterr().err


def test_another_program_is_refused_before_it_runs(shop, capsys):
    program = shop / "__main__.py"
    text = program.read_text()
    program.write_text("import nothing_of_that_name\n" + text)
    try:
        assert up(shop, shop.parent / "one.json") == 1
    finally:
        program.write_text(text)
    assert "file __main__.py: is another" in capsys.readouterr().err


def test_the_same_program_that_asks_for_something_else_is_refused(shop, monkeypatch, capsys):
    monkeypatch.setenv("SHOP_TEAM", "hr")
    assert up(shop, shop.parent / "one.json") == 1
    assert 'aws:s3/bucket:Bucket photos tags.team: "sales", now "hr"' in capsys.readouterr().err
    assert nothing_is_up(shop)


def test_the_engine_keeps_to_the_plan_that_was_saved(shop, monkeypatch, tmp_path):
    saved = tmp_path / "update-plan.json"
    options = Options(update_plan=saved)
    engine.preview(shop, "dev", options)
    assert "hunter2" not in saved.read_text(), "the engine encrypts it"
    monkeypatch.setenv("SHOP_TEAM", "hr")
    with pytest.raises(GateError, match=r"photos departs from the plan .*: properties changed, tags first") as refused:
        engine.up(shop, "dev", options)
    kept = (Workspace(engine.find_project(shop), "dev").folder / "logs" / "up").iterdir()
    told = str(refused.value) + "".join(log.read_text() for log in kept)
    assert "hunter2" not in told, "the engine tells the values, of secrets too"


def test_what_was_approved_is_applied(shop, capsys):
    assert up(shop, shop.parent / "two.json") == 0, capsys.readouterr().err
    assert not nothing_is_up(shop)
    made = engine.deployed(shop, "dev")
    assert {r.name: r.inputs.get("tags") for r in made.resources if r.type == "aws:s3/bucket:Bucket"} == {
        "photos": {"team": "sales", "token": "[secret]"}
    }
    assert up(shop, shop.parent / "two.json") == 0, "what the cloud has given meanwhile departs in nothing"


@pytest.mark.slow
def test_what_a_review_approves_is_applied_from_the_checkout(shop, tmp_path, capsys):
    clone = tmp_path / "clone"
    shutil.copytree(shop, clone, symlinks=True, ignore=shutil.ignore_patterns(".levee", "__pycache__"))
    (clone / ".gitignore").write_text("/.venv\n.levee\n")
    git(clone, "init", "-q")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "base")
    program = clone / "__main__.py"
    program.write_text(program.read_text().replace('"sales"', '"marketing"'))
    git(clone, "commit", "-qam", "change")
    assert run(["review", "--base", "HEAD~1", "--cwd", str(clone), "--output", str(clone / "out")]) == 0
    assert up(clone, clone / "out" / "approved.dev.json") == 0, capsys.readouterr().err
    git(clone, "checkout", "-q", "HEAD~1")
    assert up(clone, clone / "out" / "approved.dev.json") == 1
    assert "file __main__.py: is another" in capsys.readouterr().err


@pytest.mark.slow
def test_a_real_backend_gets_what_was_approved_or_nothing(tmp_path, monkeypatch, capsys):
    """Components alone: they need no provider's plugin, so this runs where no cloud can be reached."""
    root = tmp_path / "shelves"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: shelves\nruntime: python\n")
    (root / ".venv").symlink_to(sys.prefix)
    (root / "__main__.py").write_text(
        "import os, pulumi\n"
        'pulumi.ComponentResource("shop:index:Shelf", "top", {"colour": os.environ.get("SHELF_COLOUR", "red")})\n'
    )
    backend = tmp_path / "backend"
    backend.mkdir()
    monkeypatch.setenv("PULUMI_BACKEND_URL", backend.as_uri())
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "of the test")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    subprocess.run([ensure_pulumi(ROOT), "stack", "init", "dev", "--cwd", root], check=True, capture_output=True)
    file = tmp_path / "approved.json"
    assert run(["preview", "dev", "--offline", "--cwd", str(root), "--approve", str(file)]) == 0
    online = ["up", "dev", "--online", "--cwd", str(root), "--plan", str(file)]
    stack = backend / ".pulumi" / "stacks" / "shelves" / "dev.json"
    with monkeypatch.context() as changed:
        changed.setenv("SHELF_COLOUR", "blue")
        assert run(online) == 1
    assert 'shop:index:Shelf top colour: "red", now "blue"' in capsys.readouterr().err
    assert "Shelf" not in stack.read_text()
    assert run(online) == 0, capsys.readouterr().err
    assert "Shelf" in stack.read_text()
