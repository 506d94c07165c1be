"""Levee as a stranger installs it: two wheels in a fresh environment, far from any checkout."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from levee.toolchain import ensure_pulumi, uv_path

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def perform(*command, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Both wheels, built from a copy of what git knows and what is new."""
    out = tmp_path_factory.mktemp("dist")
    for project in (ROOT, ROOT / "pipelines"):
        perform(uv_path(ROOT), "build", "--wheel", "--quiet", "--out-dir", out, project, cwd=out)
    return out


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """The example with its own virtual environment, made as its page says."""
    folder = tmp_path_factory.mktemp("stranger") / "photos"
    shutil.copytree(ROOT / "docs/examples/stranger", folder, ignore=shutil.ignore_patterns(".venv", ".levee"))
    python = folder / ".venv/bin/python"
    perform(uv_path(ROOT), "venv", "--quiet", "--python", "3.11", folder / ".venv", cwd=folder)
    install = ("pip", "install", "--quiet", "--python", python, "-r", folder / "requirements.txt")
    perform(uv_path(ROOT), *install, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory):
    """A home of its own, a PATH with nothing of the checkout but its Pulumi CLI, and no variable of ours."""
    home = tmp_path_factory.mktemp("home")
    (home / "bin").mkdir()
    (home / "bin/pulumi").symlink_to(ensure_pulumi(ROOT).resolve())
    kept = {name: value for name, value in os.environ.items() if name.startswith(("UV_", "SSL_", "PIP_"))}
    kept |= {name: os.environ[name] for name in ("LANG", "TMPDIR", "HOME") if name in os.environ}
    return {**kept, "XDG_CACHE_HOME": str(home / "cache"), "PATH": f"{home / 'bin'}:/usr/bin:/bin"}


def check(said, surroundings):
    plan = json.loads(said)
    assert plan["summary"]["by_op"] == {"create": 8}
    assert plan["violations"], "the pack came with the wheel"
    assert plan["outputs"]["network"] == "10.8.0.0/16"
    cache = Path(surroundings["XDG_CACHE_HOME"]) / "levee"
    assert list((cache / "cache/sdk").iterdir()), "what was read of the SDKs is in the user's cache"


def test_two_wheels_alone_preview_a_strangers_project(tmp_path, wheels, stranger, surroundings):
    python = tmp_path / "env/bin/python"
    perform(uv_path(ROOT), "venv", "--quiet", "--python", "3.11", tmp_path / "env", cwd=tmp_path)
    perform(uv_path(ROOT), "pip", "install", "--quiet", "--python", python, *wheels.glob("*.whl"), cwd=tmp_path)
    places = "from levee import places; assert places.checkout() is None; print(places.shipped('tools/pulumi/go.mod'))"
    shipped = perform(python, "-c", places, cwd=tmp_path, env=surroundings)
    assert (ROOT / "tools/pulumi/go.mod").read_bytes() == Path(shipped.strip()).read_bytes()
    levee = python.with_name("levee")
    check(perform(levee, "preview", "--fill-config", "--json", cwd=stranger, env=surroundings), surroundings)
    perform(levee, "up", "--fill-config", cwd=stranger, env=surroundings)
    perform(levee, "refresh", "--expect-no-changes", cwd=stranger, env=surroundings)
    perform(levee, "destroy", cwd=stranger, env=surroundings)
    library = "from levee.engine import preview; print(preview('.', fill_config=True).summary.by_op)"
    assert perform(python, "-c", library, cwd=stranger, env=surroundings).strip() == "{'create': 8}"


def test_one_line_of_uvx_is_enough(wheels, stranger, surroundings):
    (levee,) = wheels.glob("levee-*.whl")
    command = (uv_path(ROOT), "tool", "run", "--quiet", "--python", "3.11", "--find-links", wheels, "--from", levee)
    said = perform(*command, "levee", "preview", "--fill-config", "--json", cwd=stranger, env=surroundings)
    check(said, surroundings)
