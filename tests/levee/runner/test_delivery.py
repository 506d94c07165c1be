import os
from dataclasses import replace

import pytest

from levee.errors import EngineError, UsageError
from levee.runner import job_of
from levee.runner.delivery import deliver


@pytest.fixture
def job(stack, task):
    """A job that reads both sources of sales."""

    def bronze(dataset):
        made = task(f"bronze_{dataset}", "bronze")
        made["pythonWheelTask"]["namedParameters"]["dataset"] = dataset
        return made

    return job_of(stack(bronze("cdnow"), bronze("online_retail")), "sales")


def test_what_a_package_ships_is_delivered_once(job, around, prepared, console, monkeypatch):
    monkeypatch.delenv("LEVEE_DATA", raising=False)
    first = {d.dataset: d for d in deliver(job, around, prepared, console)}
    assert first["cdnow"].new > 0
    assert first["cdnow"].folder == around.lake / "acme-landing" / "sales" / "sales" / "cdnow"
    files = {f.name: f.stat().st_mtime_ns for f in first["cdnow"].folder.iterdir()}
    assert len(files) == first["cdnow"].new
    second = {d.dataset: d for d in deliver(job, around, prepared, console)}
    assert (second["cdnow"].new, second["cdnow"].kept) == (0, len(files))
    assert {f.name: f.stat().st_mtime_ns for f in first["cdnow"].folder.iterdir()} == files


def test_tables_that_are_one_task_are_delivered_too(stack, task, around, prepared, console, monkeypatch):
    monkeypatch.delenv("LEVEE_DATA", raising=False)
    named, every = task("tables"), task("tables")
    named["pythonWheelTask"]["namedParameters"]["sources"] = "cdnow,product_costs"
    assert [d.dataset for d in deliver(job_of(stack(named), "sales"), around, prepared, console)] == ["cdnow"]
    found = {d.dataset: d.available for d in deliver(job_of(stack(every), "sales"), around, prepared, console)}
    assert found == {"cdnow": True, "online_retail": False}


def test_a_source_that_is_not_here_is_named_and_left(job, around, prepared, console, monkeypatch):
    monkeypatch.delenv("LEVEE_DATA", raising=False)
    [retail] = [d for d in deliver(job, around, prepared, console) if d.dataset == "online_retail"]
    assert not retail.available
    assert not retail.folder.exists()
    assert "online-retail is not on this machine (set LEVEE_DATA)" in console.file.getvalue()


@pytest.mark.skipif("LEVEE_DATA" not in os.environ, reason="needs LEVEE_DATA, the folder that holds online-retail")
def test_what_the_company_has_is_delivered(job, around, prepared, console):
    [retail] = [d for d in deliver(job, around, prepared, console) if d.dataset == "online_retail"]
    assert (retail.available, retail.new) == (True, 305)


def test_a_delivery_that_cannot_be_written_says_so(job, around, prepared, console, monkeypatch):
    monkeypatch.delenv("LEVEE_DATA", raising=False)
    around.lake.mkdir(parents=True)
    (around.lake / "acme-landing").write_text("a file where a folder must be")
    with pytest.raises(EngineError, match="the source cdnow cannot be delivered"):
        deliver(job, around, prepared, console)


def test_a_root_that_is_no_bucket_is_refused(around):
    with pytest.raises(UsageError, match="no bucket URL and no path in a volume"):
        around.local("/Volumes/main/landing")


def test_what_lands_in_a_volume_lands_in_the_bucket_under_it(job, around, prepared, console, monkeypatch):
    monkeypatch.delenv("LEVEE_DATA", raising=False)
    path = "/Volumes/acme_local/files/landing"
    tasks = tuple(replace(task, parameters={**task.parameters, "landing": path}) for task in job.tasks)
    mounted = replace(around, volumes={path: "s3://acme-landing"})
    deliveries = {d.dataset: d for d in deliver(replace(job, tasks=tasks), mounted, prepared, console)}
    assert deliveries["cdnow"].new > 0
    assert deliveries["cdnow"].folder == around.lake / "acme-landing" / "sales" / "cdnow"
    assert mounted.path_map(tasks)[path] == str(around.lake / "acme-landing")
