"""A deployed job as the engine hands it over, and a wheel of small tasks that show what a host does with them."""

import json
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from levee.plan import Plan, Resource
from levee.runner import DataEnv, Surroundings

TASKS = """
import json, os, pathlib, sys, time

def note(argv, more=None):
    with open(os.environ["PROBE"], "a") as file:
        seen = {n: v for n, v in os.environ.items() if n.startswith("LEVEE_")}
        file.write(json.dumps({"task": os.environ["LEVEE_TASK_KEY"], "argv": argv, "environ": seen}) + "\\n")

def good(argv):
    note(argv)
    with open(os.environ["LEVEE_PROGRESS"], "a") as file:
        file.write(json.dumps({"task": "good", "done": 7, "total": 9, "unit": "rows"}) + "\\n")
    return 0

def gate(argv):
    note(argv)
    from pipelines.errors import QualityError
    raise QualityError("3 rows break rule quantity_positive", where="retail", fix="mend the contract")

def cut(argv):
    with open(os.environ["LEVEE_PROGRESS"], "a") as file:
        file.write('{"task": "cut", "do' + chr(10) + "3" + chr(10))
    return 0

def flaky(argv):
    note(argv)
    tried = pathlib.Path(os.environ["PROBE"] + ".tried")
    if not tried.exists():
        tried.touch()
        raise OSError("the disk said no")
    return 0

def raises(argv):
    raise ValueError("a bug")

def leaves(argv):
    sys.exit(4)

def slow(argv):
    note(argv)
    time.sleep(120)
    return 0

def dies(argv):
    os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="session")
def task():
    """Makes one task of a job, in the spelling of a stack's state."""

    def make(key, entry_point=None, after=(), **more):
        parameters = {"domain": "sales", "landing": "s3://acme-landing/sales", "bronze": "gs://acme-bronze"}
        wheel = {"packageName": "levee_probe", "entryPoint": entry_point or key, "namedParameters": parameters}
        depends = [{"taskKey": name} for name in after]
        return {"taskKey": key, "jobClusterKey": "main", "pythonWheelTask": wheel, "dependsOns": depends, **more}

    return make


@pytest.fixture(scope="session")
def stack():
    """Makes a deployed stack that holds one job."""

    def make(*tasks, variables=None):
        cluster = {"jobClusterKey": "main", "newCluster": {"sparkEnvVars": variables or {}}}
        urn = "urn:pulumi:local::levee::levee:databricks:Workspace$databricks:index/job:Job::sales"
        inputs = {"name": "levee-sales", "tasks": list(tasks), "jobClusters": [cluster]}
        job = Resource(urn=urn, type="databricks:index/job:Job", name="sales", inputs=inputs)
        return Plan(project="levee", stack="local", operation="deployed", offline=True, resources=(job,))

    return make


@pytest.fixture
def console():
    return Console(file=StringIO(), width=200)


@pytest.fixture
def around(tmp_path):
    return Surroundings(tmp_path, "local")


@pytest.fixture
def probe(tmp_path, monkeypatch):
    """The file to which each task notes its call."""
    monkeypatch.setenv("PROBE", str(tmp_path / "probe.jsonl"))

    def calls():
        file = tmp_path / "probe.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    return calls


@pytest.fixture
def prepared(tmp_path) -> DataEnv:
    """An environment in which the distribution `levee_probe` offers the tasks above."""
    site = tmp_path / "site"
    info = site / "levee_probe-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "levee_probe.py").write_text(TASKS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: levee-probe\nVersion: 1.0\n")
    names = ("good", "gate", "cut", "flaky", "raises", "leaves", "slow", "dies")
    points = "".join(f"{name} = levee_probe:{name}\n" for name in names)
    (info / "entry_points.txt").write_text(f"[levee.tasks]\n{points}")
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec env PYTHONPATH={site} {sys.executable} "$@"\n')
    python.chmod(0o755)
    return DataEnv(tmp_path / "env", Path("levee_pipelines.whl"), "0" * 64)
