"""Programs of other runtimes: the engine starts their language host from PATH, and the stand-ins answer as ever."""

import os

import pytest

from levee.errors import UsageError
from levee.plan import UNKNOWN

BUCKET = f"""
    def program(request, register):
        made = register("aws:s3/bucket:Bucket", "store", bucket=request.config["probe:name"])
        arn = made.object["arn"] if "arn" in made.object.fields else "{UNKNOWN}"
        return {{"arn": arn, "length": len(request.config["probe:token"])}}
"""
CONFIG = """
    secretsprovider: awskms://alias/prod
    config:
      probe:name: acme-store
      probe:token: {secure: v1:AAAA}
"""


def _of_runtime(project, name):
    run = project("", config=CONFIG)
    (run.root / "__main__.py").unlink()
    (run.root / "Pulumi.yaml").write_text(f"name: probe\nruntime: {name}\n")
    return run


def test_the_engine_starts_a_language_host_from_the_path(project, language_host):
    run = _of_runtime(project, "shelving")
    given = {"environment": language_host("shelving", BUCKET), "config": {"token": "hunter2"}}
    assert run("preview", **given).outputs["arn"] == UNKNOWN
    up = run("up", **given)
    assert up.outputs == {"arn": "arn:aws:s3:::acme-store", "length": 7, "secrets": "probe:token"}
    assert not run("up", **given).changes
    assert run("destroy", **given).summary.by_op == {"delete": 1}
    for path in run.root.rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes(), path


@pytest.mark.parametrize("runtime", ["yaml", "nodejs", "go", "cobol"])
def test_a_language_host_that_is_nowhere_is_named(project, runtime):
    run = _of_runtime(project, runtime)
    with pytest.raises(UsageError, match=f"'pulumi-language-{runtime}' is not on PATH") as refused:
        run("preview", environment={**os.environ, "PATH": "/nowhere"})
    assert refused.value.where == str(run.root / "Pulumi.yaml")
