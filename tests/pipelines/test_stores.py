"""Tables lie only where nothing expires or locks them; the audit store gets objects that are written once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipelines import sources
from pipelines.contracts import Layer, job_spec, load_domain
from pipelines.contracts.catalogue import entries
from pipelines.contracts.jobs import RUN
from pipelines.engine import Engine
from pipelines.evidence import keep
from pipelines.jobs import TASKS
from pipelines.settings import RunSettings

KEY = "0123456789abcdef" * 4


class Job:
    """The job of `sales` on the data set that a package ships, with every task's real parameters."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, patch
        roots = {layer.value: str(folder / layer.value) for layer in Layer}
        self.tasks = job_spec(load_domain("sales"), sources={"cdnow"}, roots=roots).tasks
        settings = RunSettings.parse(self.argv(self.tasks[0].parameters), {})
        deliveries = sources.find("cdnow").deliveries(os.environ, folder)
        sources.land(deliveries, Path(settings.deliveries("cdnow")))

    @staticmethod
    def argv(parameters: Mapping[str, str]) -> list[str]:
        return [f"--{name}={value}" for name, value in parameters.items() if name not in RUN]

    def run(self, run_id: str) -> None:
        variables = {"LEVEE_ENGINE": "sail", "LEVEE_PSEUDONYM_KEY": KEY, "LEVEE_RUN_ID": run_id}
        for name, value in variables.items():
            self.patch.setenv(name, value)
        for task in self.tasks:
            assert TASKS[task.entry_point](self.argv(task.parameters)) == 0, task.key


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        made = Job(tmp_path_factory.mktemp("stores"), patch)
        made.run("first")
        yield made


def test_every_table_of_a_whole_job_is_in_a_store_of_tables(job: Job) -> None:
    found = {log.parent.relative_to(job.folder).parts for log in job.folder.rglob("_delta_log")}
    assert {Layer(parts[0]) for parts in found} == {layer for layer in Layer if layer.holds_tables}
    assert {parts[-1] for parts in found if parts[0] == "checkpoints"} >= {
        "ledger", "batches", "runs", "quality_results", "model_builds", "maintenance",
    }  # fmt: skip


def test_every_table_of_a_whole_job_has_a_name_in_the_catalogue(job: Job) -> None:
    roots = {layer: str(job.folder / layer.value) for layer in Layer}
    named = entries(RunSettings("sales", roots=roots, catalog="acme"), load_domain("sales"))
    found = {str(log.parent) for log in job.folder.rglob("_delta_log")}
    assert found - named.keys() == set()


def test_audit_holds_an_object_a_task_run_and_none_is_ever_touched_again(job: Job) -> None:
    def objects() -> dict[Path, tuple[int, bytes]]:
        files = (file for file in (job.folder / "audit").rglob("*") if file.is_file())
        return {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in files}

    before = objects()
    runs = [json.loads(data) for file, (_, data) in before.items() if "runs" in file.parts]
    first = [run for run in runs if run["run_id"] == "first"]
    assert {(run["task"], run["status"]) for run in first} == {
        (task, "succeeded") for task in ("bronze", "silver", "quality", "gold", "maintain")
    }
    (verdict,) = [json.loads(data) for file, (_, data) in before.items() if "quality" in file.parts]
    assert verdict["dataset"] == "cdnow"
    assert {line["batch"] for line in verdict["lines"]} >= {"candidates", "published", "quarantine"}
    job.run("second")
    after = objects()
    assert {file: after.get(file) for file in before} == before
    assert len(after) > len(before)


@pytest.mark.parametrize("layer", [Layer.LANDING, Layer.AUDIT])
def test_a_table_where_files_expire_or_are_locked_is_refused(layer: Layer, sail: Engine) -> None:
    settings = RunSettings(domain="sales", roots={layer: "s3://bucket"})
    with pytest.raises(ValueError, match="is no store of tables"):
        settings.table_path(layer, "ledger")


def test_two_pieces_of_evidence_of_one_run_never_share_a_name(tmp_path: Path) -> None:
    settings = RunSettings(domain="sales", roots={Layer.AUDIT: str(tmp_path)}, run_id="run-1")
    places = {keep(settings, "runs", "bronze-cdnow", {"attempt": number}) for number in range(20)}
    assert len(places) == 20
    assert sorted(json.loads(Path(place).read_text())["attempt"] for place in places) == list(range(20))
