"""A job is run with the wheel that it was deployed with, or not at all."""

import zipfile

import pytest

from levee.errors import UsageError
from levee.runner import DataEnv, job_of
from levee.runner.run import _same_wheel
from pipelines.contracts import wheel_content


@pytest.fixture
def make_wheel(tmp_path):
    """Makes a wheel of the files given, and a data environment that has it."""

    def make(**files):
        wheel = tmp_path / "levee_pipelines-0.1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, text in files.items():
                archive.writestr(f"pipelines/{name}.py", text)
            archive.writestr("levee_pipelines-0.1.0.dist-info/RECORD", f"made anew: {files}")
        return DataEnv(tmp_path / "env", wheel, "0" * 64)

    return make


@pytest.fixture
def deployed(stack, task):
    """Makes the job of a stack that was brought up with such a content."""

    def make(content):
        plan = stack(task("bronze"))
        plan.resources[0].inputs["tags"] = {"domain": "sales", **({"wheel-content": content} if content else {})}
        return job_of(plan, "sales")

    return make


def test_the_same_content_runs_whenever_it_was_built(make_wheel, deployed):
    made = make_wheel(silver="x = 1", gold="y = 2")
    job = deployed(wheel_content(made.wheel))
    _same_wheel(job, make_wheel(gold="y = 2", silver="x = 1"), "local")


def test_other_content_under_the_same_version_is_refused_with_the_command_that_mends_it(make_wheel, deployed):
    job = deployed(wheel_content(make_wheel(silver="x = 1").wheel))
    with pytest.raises(UsageError, match="have changed since the stack dev was brought up") as caught:
        _same_wheel(job, make_wheel(silver="x = 2"), "dev")
    assert caught.value.fix == "levee up dev, then run again"


def test_a_job_of_an_older_stack_that_says_nothing_runs(make_wheel, deployed):
    _same_wheel(deployed(""), make_wheel(silver="x = 1"), "local")
