"""What a review says beside its tables: of dependencies that it does not install, of acceptances that nobody needs."""

from pathlib import PurePosixPath

import pytest

from levee.review import dependencies
from levee.review.accepted import Acceptance, idle
from levee.review.markdown import comment
from tests.levee.review.conftest import TODAY, review

ACCEPTED = Acceptance(fingerprint="f" + "0" * 31, reason="the vendor needs it", owner="a@b.example", expires=TODAY)


@pytest.mark.parametrize(
    ("folder", "changed", "named"),
    [
        ("platform", ["platform/uv.lock", "pyproject.toml", "README.md"], "platform/uv.lock, pyproject.toml: "),
        (".", ["requirements-dev.txt", "tools/requirements.txt"], "requirements-dev.txt: "),
        ("infra", ["infra/package-lock.json"], "infra/package-lock.json: "),
    ],
)
def test_dependencies_of_the_head_are_said_not_to_be_installed(folder, changed, named):
    (said,) = dependencies.remarks(changed, PurePosixPath(folder))
    assert said.startswith(f"{named}the head's dependencies are not installed")
    assert "not installed" in comment(review(remarks=(said,)))


def test_of_other_files_nothing_is_said():
    assert dependencies.remarks(["infra/main.py", "other/uv.lock", "docs/setup.md"], PurePosixPath("infra")) == ()


def test_an_acceptance_that_no_finding_bears_is_named():
    (said,) = idle({ACCEPTED.fingerprint: ACCEPTED}, ["f" + "1" * 31])
    assert ACCEPTED.fingerprint in said
    assert idle({ACCEPTED.fingerprint: ACCEPTED}, [ACCEPTED.fingerprint]) == ()
