"""The wheel as others get it: builds, installs alone, and without extras is contracts only."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipelines.contracts import installed_content, wheel_content

PROJECT = Path(__file__).parents[2] / "pipelines"
ENGINES = ("pyspark", "pysail", "pyarrow", "deltalake", "great_expectations", "pulumi", "levee")
UV = os.environ.get("UV") or shutil.which("uv") or str(PROJECT.parent / ".levee" / "uv" / "bin" / "uv")

ASK = f"""
import importlib.metadata, json, sys
from pipelines.contracts import job_spec, load_domain
job = job_spec(load_domain("sales"))
points = importlib.metadata.entry_points(group="levee.tasks")
print(json.dumps({{
    "tasks": [task.key for task in job.tasks],
    "calls": sorted({{task.entry_point for task in job.tasks}}),
    "points": sorted(point.name for point in points),
    "imported": [name for name in {ENGINES} if name in sys.modules],
    "installed": sorted(item.name.lower() for item in importlib.metadata.distributions()),
}}))
"""


BY_HAND_OR_OTHERS = {"erase", "extract", "replay", "rotate", "scan", "tables"}
"""Tasks that the job of `sales` has none of: run by a person, or of domains with extractions or many tables."""


def test_contracts_are_imported_without_an_engine() -> None:
    """Also in this environment, where the engines are there."""
    told = json.loads(subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True).stdout)
    assert told["imported"] == []
    assert set(told["calls"]) | BY_HAND_OR_OTHERS == set(told["points"])


def test_every_task_can_be_loaded() -> None:
    from importlib.metadata import entry_points

    from pipelines.jobs import TASKS

    assert {point.name: point.load() for point in entry_points(group="levee.tasks")} == TASKS


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [UV, "build", "--wheel", "--out-dir", str(folder), "--quiet", str(PROJECT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_contracts_and_sql(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    source = PROJECT / "src"
    shipped = {
        str(path.relative_to(source)) for path in (source / "pipelines" / "domains").rglob("*") if path.is_file()
    }
    assert shipped
    assert shipped <= names
    # The models' own cases (`*.test.yaml`) are for `levee models test`; the suite is not shipped.
    assert not any("tests/" in name or Path(name).name.startswith("test_") for name in names)


@pytest.mark.slow
def test_a_wheel_s_content_is_that_of_the_sources_it_was_built_from(wheel: Path) -> None:
    assert wheel_content(wheel) == installed_content()


@pytest.mark.slow
def test_the_wheel_installs_alone_and_is_contracts_only(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, str(tmp_path / "env")], check=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([UV, "pip", "install", "--quiet", "--python", str(python), str(wheel)], check=True)
    asked = subprocess.run([str(python), "-c", ASK], capture_output=True, text=True, check=True, cwd=tmp_path)
    told = json.loads(asked.stdout)
    assert "bronze_online_retail" in told["tasks"]
    assert told["imported"] == []
    assert not {"pyspark", "pysail", "pyarrow", "pulumi", "levee"} & set(told["installed"])
    failed = subprocess.run(
        [str(tmp_path / "env" / "bin" / "levee-pipelines"), "bronze", "--domain", "sales", "--dataset", "cdnow"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert failed.returncode == 3
    assert "pip install" in failed.stderr
    assert "Traceback" not in failed.stderr
