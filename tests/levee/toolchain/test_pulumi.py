import re
import shutil
import tomllib
from importlib.metadata import version
from io import StringIO

import pytest
from rich.console import Console

from levee.errors import UsageError
from levee.toolchain import ensure_pulumi, pinned_version
from levee.toolchain.pulumi import installed_version, required_by_go


def cli(path, says, *, counts=None):
    """A command that answers `version` as the Pulumi CLI does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    note = f"echo asked >> {counts}\n" if counts else ""
    path.write_text(f"#!/bin/sh\n{note}echo v{says}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def console():
    return Console(file=StringIO(), width=400)


@pytest.fixture
def checkout_of(tmp_path, checkout):
    """A checkout with the real tools/pulumi and nothing installed."""
    shutil.copytree(checkout / "tools" / "pulumi", tmp_path / "tools" / "pulumi")
    return tmp_path


def test_the_version_is_pinned_in_one_place(checkout):
    project = tomllib.loads((checkout / "pyproject.toml").read_text())
    [pin] = [d for d in project["project"]["dependencies"] if re.match(r"pulumi\b(?!-)", d)]
    lock = tomllib.loads((checkout / "uv.lock").read_text())
    [locked] = [p["version"] for p in lock["package"] if p["name"] == "pulumi"]
    assert pin == f"pulumi=={pinned_version()}"
    assert locked == pinned_version() == version("pulumi") == required_by_go(checkout / "tools" / "pulumi")


def test_the_cli_on_path_is_taken_when_it_is_of_the_pinned_version(checkout_of, tmp_path, monkeypatch, console):
    found = cli(tmp_path / "path" / "pulumi", pinned_version())
    monkeypatch.setenv("PATH", str(found.parent), prepend=":")
    assert ensure_pulumi(checkout_of, console) == found
    assert console.file.getvalue() == ""


def test_another_version_on_path_is_named_and_ours_is_used(checkout_of, tmp_path, monkeypatch, console):
    theirs = cli(tmp_path / "path" / "pulumi", "3.1.0")
    ours = cli(checkout_of / ".levee" / "bin" / "pulumi", pinned_version())
    monkeypatch.setenv("PATH", str(theirs.parent), prepend=":")
    assert ensure_pulumi(checkout_of, console) == ours
    assert f"({theirs}) is 3.1.0, this project is made for {pinned_version()}" in console.file.getvalue()


def test_without_network_and_go_the_mend_is_named(checkout_of, tmp_path, monkeypatch, console, no_network):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(UsageError) as caught:
        ensure_pulumi(checkout_of, console)
    assert caught.value.message == "Go is missing"
    assert "install Go 1.21 or newer" in str(caught.value)
    assert "building the CLI from its Go module" in console.file.getvalue()
    assert list((checkout_of / ".levee" / "bin").iterdir() if (checkout_of / ".levee" / "bin").exists() else []) == []


def test_a_go_module_of_another_version_is_refused(checkout_of, tmp_path, monkeypatch, console, no_network):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    mod = checkout_of / "tools" / "pulumi" / "go.mod"
    mod.write_text(mod.read_text().replace(f"pkg/v3 v{pinned_version()}", "pkg/v3 v3.200.0"))
    with pytest.raises(UsageError) as caught:
        ensure_pulumi(checkout_of, console)
    assert f"go get github.com/pulumi/pulumi/pkg/v3@v{pinned_version()} && go mod tidy" in str(caught.value)


def test_a_version_is_asked_once_for_an_unchanged_file(tmp_path):
    counts = tmp_path / "counts"
    binary = cli(tmp_path / "pulumi", "3.1.0", counts=counts)
    assert [installed_version(binary, tmp_path / ".levee") for _ in range(3)] == ["3.1.0"] * 3
    assert counts.read_text().count("asked") == 1
    cli(binary, "3.20.0", counts=counts)
    assert installed_version(binary, tmp_path / ".levee") == "3.20.0"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"x": 1}'])
def test_a_damaged_memory_is_asked_anew(tmp_path, content):
    (tmp_path / ".levee" / "bin").mkdir(parents=True)
    (tmp_path / ".levee" / "bin" / "versions.json").write_text(content)
    assert installed_version(cli(tmp_path / "pulumi", "3.1.0"), tmp_path / ".levee") == "3.1.0"


def test_a_file_that_does_not_run_has_no_version(tmp_path):
    broken = tmp_path / "pulumi"
    broken.write_bytes(b"\x7fELF no")
    broken.chmod(0o755)
    assert installed_version(broken, tmp_path / ".levee") is None
    assert installed_version(tmp_path / "absent", tmp_path / ".levee") is None
