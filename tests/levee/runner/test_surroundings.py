import json
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from levee.errors import UsageError
from levee.plan import Resource
from levee.runner import Surroundings, job_of


def environment(around, plan):
    tasks = job_of(plan, "sales").tasks
    return around.environment(tasks, around.root / "progress.jsonl")


def test_every_bucket_has_a_folder(around, stack, task):
    lake = task("bronze")
    lake["pythonWheelTask"]["namedParameters"] |= {"silver": "abfss://silver@acmelake.dfs.core.windows.net/sales"}
    assert json.loads(environment(around, stack(lake))["LEVEE_PATH_MAP"]) == {
        "abfss://silver@acmelake.dfs.core.windows.net": str(around.root / ".levee/local/lake/acmelake/silver"),
        "gs://acme-bronze": str(around.root / ".levee/local/lake/acme-bronze"),
        "s3://acme-landing": str(around.root / ".levee/local/lake/acme-landing"),
    }


def volume(name, **more):
    inputs = {"catalogName": "acme_local", "schemaName": "files", "name": name, **more}
    urn = f"urn:pulumi:local::levee::databricks:index/volume:Volume::{name}"
    return Resource(urn=urn, type="databricks:index/volume:Volume", name=name, inputs=inputs)


def test_a_volume_is_the_folder_of_the_bucket_that_the_stack_put_under_it(tmp_path, stack, task):
    lake = task("bronze")
    parameters = lake["pythonWheelTask"]["namedParameters"]
    parameters["landing"] = "/Volumes/acme_local/files/landing"
    made = stack(lake)
    landing, wheels = volume("landing", storageLocation="s3://acme-landing"), volume("wheels", volumeType="MANAGED")
    elsewhere = replace(volume("landing", storageLocation="gs://acme-landing"), provider="the workspace on Google")
    plan = replace(made, resources=(*made.resources, landing, elsewhere, wheels))
    around = Surroundings(tmp_path, "local", volumes=job_of(plan, "sales").volumes)
    assert json.loads(environment(around, plan)["LEVEE_PATH_MAP"]) == {
        "/Volumes/acme_local/files/landing": str(around.lake / "acme-landing"),
        "gs://acme-bronze": str(around.lake / "acme-bronze"),
    }
    parameters["audit"] = "/Volumes/acme_local/files/audit/sales"
    with pytest.raises(UsageError, match="has no volume /Volumes/acme_local/files/audit") as caught:
        environment(around, plan)
    assert (caught.value.fix or "").startswith("levee up local")


def test_a_secret_becomes_a_file_that_only_its_owner_reads(around, stack, task):
    plan = stack(task("bronze"), variables={"LEVEE_PSEUDONYM_KEY": "{{secrets/levee/pseudonym}}"})
    seen = environment(around, plan)
    file = around.folder / "secrets" / "levee" / "pseudonym"
    assert seen["LEVEE_PSEUDONYM_KEY_FILE"] == str(file)
    assert "LEVEE_PSEUDONYM_KEY" not in seen
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.parent.stat().st_mode) == 0o700
    assert len(bytes.fromhex(file.read_text())) == 32
    assert file.read_text() not in json.dumps(seen)


def test_a_secret_is_made_once(around):
    with ThreadPoolExecutor(8) as pool:
        made = {f.read_text() for f in pool.map(lambda _: around.secret("levee", "pseudonym"), range(32))}
    assert len(made) == 1
    assert [f.name for f in (around.folder / "secrets" / "levee").iterdir()] == ["pseudonym"]


def test_each_secret_differs(around, tmp_path):
    other = Surroundings(tmp_path / "other", "local")
    texts = [around.secret("levee", "a"), around.secret("levee", "b"), other.secret("levee", "a")]
    assert len({file.read_text() for file in texts}) == 3


def test_the_machine_decides_where_a_task_runs(around, stack, task):
    seen = environment(around, stack(task("bronze"), variables={"LEVEE_ENGINE": "databricks", "TZ": "UTC"}))
    assert (seen["LEVEE_ENGINE"], seen["TZ"]) == ("sail", "UTC")


def test_half_a_reference_is_refused(around, stack, task):
    with pytest.raises(UsageError, match="mixes a secret reference with other text"):
        environment(around, stack(task("bronze"), variables={"URL": "https://u:{{secrets/a/b}}@host"}))


def test_clusters_that_differ_are_refused(around, stack, task):
    other = task("silver", newCluster={"sparkEnvVars": {"TZ": "CET"}})
    with pytest.raises(UsageError, match="set TZ differently"):
        environment(around, stack(task("bronze"), other, variables={"TZ": "UTC"}))
