"""What a review says before any engine runs: with base and head the same, none does."""

import subprocess

import pytest

from levee.errors import UsageError
from levee.review import Request
from levee.review import review as run_review


def git(folder, *arguments):
    named = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", folder, *named, *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path):
    """A project of one stack in a repository of one commit."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    (tmp_path / "__main__.py").write_text("")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "base")
    return tmp_path


def test_what_is_not_committed_is_said_not_to_be_reviewed(checkout):
    assert run_review(Request(checkout, base="HEAD")).quiet
    (checkout / "__main__.py").write_text("import pulumi\n")
    (said,) = run_review(Request(checkout, base="HEAD")).remarks
    assert "not committed" in said
    assert run_review(Request(checkout, base="HEAD", head="main")).quiet, "a commit was asked for, not the checkout"


def test_an_environment_that_neither_side_has_is_refused_with_those_there_are(checkout):
    with pytest.raises(UsageError, match="'prod'; there are: dev"):
        run_review(Request(checkout, base="HEAD", environments=["prod"]))
