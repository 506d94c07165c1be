"""tools/uv, the first program that a fresh machine runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BASICS = ("sh", "dirname", "cut", "sort", "head", "printf", "rm", "mkdir")


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "uv", tmp_path / "tools" / "uv")
    return tmp_path


@pytest.fixture
def machine(tmp_path):
    """A PATH with a shell's basics and nothing else."""
    path = tmp_path / "path"
    path.mkdir()
    for name in BASICS:
        if found := shutil.which(name):
            (path / name).symlink_to(found)
    return path


def script(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def uv(checkout, machine, *arguments, **more):
    command = [checkout / "tools" / "uv", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={"PATH": str(machine), **more})


def test_the_one_on_path_is_run(checkout, machine):
    script(machine / "uv", 'case $1 in --version) echo "uv 0.13.9 (x)";; *) echo "theirs $*";; esac')
    assert uv(checkout, machine, "sync", "--frozen").stdout == "theirs sync --frozen\n"


def test_one_that_is_too_old_for_our_locks_is_passed_over(checkout, machine):
    script(machine / "uv", 'echo "uv 0.4.30"')
    script(checkout / ".levee/uv/bin/uv", 'case $1 in --version) echo "uv 0.13.9";; *) echo "ours $*";; esac')
    assert uv(checkout, machine, "sync").stdout == "ours sync\n"


def test_without_python_the_mend_is_named(checkout, machine):
    said = uv(checkout, machine, "sync")
    assert said.returncode == 2
    assert said.stderr == "levee: Python 3.11 is missing; fix: apt-get install python3 python3-venv\n"


def test_without_pip_and_venv_the_mend_is_named(checkout, machine):
    script(machine / "python3", "exit 1")
    said = uv(checkout, machine, "sync")
    assert said.returncode == 2
    assert "fix: apt-get install python3-venv" in said.stderr


@pytest.mark.slow
@pytest.mark.parametrize("venv", [True, False], ids=["with venv", "with pip alone"])
def test_it_is_installed_into_the_checkout(checkout, machine, venv):
    python = os.path.realpath(sys.executable)
    refuse = "" if venv else 'case "$2" in venv) exit 1;; esac; '
    script(machine / "python3", f'{refuse}exec {python} "$@"')
    pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    said = uv(checkout, machine, "--version", HOME=str(checkout), **pip)
    assert said.stdout.startswith("uv 0."), said.stderr
    assert (checkout / ".levee/uv/bin/uv").exists()
