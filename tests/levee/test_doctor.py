import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from levee import doctor
from levee.doctor import State, checks, missing, pinned, plain, table
from levee.toolchain import pinned_version

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bare(tmp_path):
    """A checkout in which nothing is installed."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    return tmp_path


@pytest.fixture
def nothing_on_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


def named(found, name):
    return next(check for check in found if check.name == name)


def test_this_machine_can_run_levee():
    assert missing(checks(ROOT)) == []


def test_the_pin_is_read_without_an_environment():
    assert pinned(ROOT) == pinned_version()


def test_it_answers_outside_a_checkout_too(tmp_path):
    assert pinned(tmp_path) == pinned_version()
    assert named(checks(tmp_path), "pulumi").found.startswith(pinned_version())


def test_every_lack_names_its_mend(bare, nothing_on_path):
    found = checks(bare)
    assert {check.name for check in missing(found)} == {"uv", "go"}
    assert all(check.fix for check in found if check.state is not State.OK)


def test_go_is_needed_only_where_the_cli_must_be_built(bare, nothing_on_path):
    assert named(checks(bare), "go").state is State.MISSING
    cli = bare / ".levee" / "bin" / "pulumi"
    cli.parent.mkdir(parents=True)
    cli.write_text(f"#!/bin/sh\necho v{pinned_version()}\n")
    cli.chmod(0o755)
    assert named(checks(bare), "go").state is State.OK


@pytest.mark.parametrize(
    ("name", "tool", "says", "state"),
    [
        ("go", "go", "go version go1.19.8 linux/amd64", State.MISSING),
        ("go", "go", "go version go1.26.8 linux/amd64", State.OK),
        ("java", "java", 'openjdk version "11.0.2" 2019-01-15', State.OPTIONAL),
        ("java", "java", 'openjdk version "17.0.13" 2024-10-15', State.OK),
    ],
)
def test_versions_are_judged(bare, tmp_path, monkeypatch, name, tool, says, state):
    path = tmp_path / "path"
    path.mkdir()
    (path / tool).write_text(f"#!/bin/sh\necho '{says}'\n")
    (path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(path))
    assert named(checks(bare), name).state is state


def test_a_full_disk_is_seen(bare, monkeypatch):
    monkeypatch.setattr(doctor, "DISK_FRESH", 10.0**9)
    disk = named(checks(bare), "disk")
    assert disk.state is State.MISSING
    assert "make clean" in disk.fix


def test_the_data_folder_must_exist(bare, monkeypatch):
    monkeypatch.setenv("LEVEE_DATA", "no/such/folder")
    assert named(checks(bare), "LEVEE_DATA").state is State.MISSING
    monkeypatch.delenv("LEVEE_DATA")
    assert named(checks(bare), "LEVEE_DATA").state is State.OK


def test_both_tables_hold_the_same_rows(bare, nothing_on_path):
    found = checks(bare)
    console = Console(width=400, record=True, file=StringIO())
    console.print(table(found))
    shown = console.export_text()
    for check in found:
        for text in (plain(found), shown):
            assert check.name in text
            assert check.found in text
            assert check.fix in text


def test_make_up_can_ask_before_anything_is_installed():
    """The module runs by a bare interpreter: no site-packages at all."""
    said = subprocess.run([sys.executable, "-S", "-m", "levee.doctor"], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert "This machine has all that Levee needs." in said.stderr
