"""The review of this repository's own production, as a pull request of a fork would get it."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import jsonschema
import pytest

from levee.review.escape import length
from tests.levee.review.test_fork import git
from tests.levee.review.test_writers import SCHEMA

ROOT = Path(__file__).parents[3]
CONTRACT = "pipelines/src/pipelines/domains/sales/gold/revenue_by_month.odcs.yaml"


def environment_of(folder):
    """A virtual environment in a clone: this one's packages, and the clone's code where this one has its own."""
    ours = Path(sysconfig.get_paths()["purelib"])
    theirs = folder / ".venv" / "lib" / ours.parent.name / ours.name
    theirs.mkdir(parents=True)
    for entry in ours.iterdir():
        if entry.suffix != ".pth":
            (theirs / entry.name).symlink_to(entry.resolve())
    (theirs / "clone.pth").write_text(f"{folder}\n{folder / 'pipelines/src'}\n")
    (folder / ".venv" / "bin").mkdir()
    (folder / ".venv" / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", folder / ".venv")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_change_of_production_from_a_clone(tmp_path):
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    clone = tmp_path / "clone"
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    git(clone, "init", "-q")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "base")
    environment_of(clone)
    for file, old, new in (
        ("environments/Pulumi.prod.yaml", "max_workers: 12", "max_workers: 14"),
        ("environments/Pulumi.prod.yaml", "max_increase_usd: 1500", "max_increase_usd: 150000"),
        (CONTRACT, "decimal(28,3)", "decimal(20,3)"),
    ):
        text = (clone / file).read_text()
        assert old in text
        (clone / file).write_text(text.replace(old, new))
    git(clone, "commit", "-qam", "change")
    command = [sys.executable, "-P", "-c", "from levee.cli import main; main()"]
    command += ["review", "--base", "HEAD~1", "--env", "prod", "--output", "out"]
    done = subprocess.run(
        command,
        cwd=clone,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (clone / "out" / "review.json").is_file(), done.stderr
    found = json.loads((clone / "out" / "review.json").read_text())
    (prod,) = found["environments"]
    assert prod["failure"] == ""
    assert set(prod["counts"]) == {"update"}, "nothing is replaced, deleted or made"
    assert {c["name"] for c in prod["changes"]} >= {"databricks-aws-compute-pool", "databricks-aws-sales"}
    assert prod["cost"] is not None
    assert {g["file"] for g in found["governed"]} == {"environments/Pulumi.prod.yaml"}
    assert ("column revenue: type narrowed from decimal(28,3) to decimal(20,3)", True) in {
        (c["what"], c["breaking"]) for c in found["contracts"]
    }
    reach = {(g["principal"], ".".join(g["on"])) for c in found["contracts"] for g in c["grants"]}
    assert {("sales_reader", "acme_prod"), ("sales_reader", "acme_prod.sales_gold")} <= reach
    assert not any(on.endswith(("_bronze", "_silver", "_quarantine")) for _, on in reach), (
        "only gold is published of it"
    )
    assert done.returncode == found["exit_code"]
    assert length((clone / "out" / "comment.md").read_text()) < 65_536
    jsonschema.Draft4Validator(SCHEMA).validate(json.loads((clone / "out" / "review.sarif").read_text()))
