import shutil
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from levee.errors import EngineError, UsageError
from levee.runner import ensure_data_env, run
from levee.runner.dataenv import build_wheel

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path):
    """A checkout with the real wheel project and nothing made of it."""
    ignore = shutil.ignore_patterns(".venv", "__pycache__")
    shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines", ignore=ignore)
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "uv", tmp_path / "tools")
    (tmp_path / ".levee").mkdir()
    (tmp_path / ".levee" / "uv").symlink_to(ROOT / ".levee" / "uv")  # where this machine's only uv may be
    return tmp_path


@pytest.fixture
def console():
    return Console(file=StringIO(), width=200)


def inside(env, program):
    done = subprocess.run([env.python, "-P", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_environment_is_made_once_and_follows_the_sources(checkout, console, monkeypatch):
    first = ensure_data_env(checkout, console=console)
    assert inside(first, "import pipelines; print(pipelines.__file__)").startswith(str(first.folder)), "not the wheel"
    assert inside(first, "import pysail, importlib.metadata as m; print(m.version('pyspark'))") == "4.2.0"
    found = "from pipelines.privacy.free_text import detected; print(detected('write to ann@example.org'))"
    assert inside(first, found) == "write to <EMAIL_ADDRESS>", "free text is searched as on a cluster"
    (checkout / "pipelines" / "src" / "pipelines" / "__init__.py").write_text('"""Changed."""\n')
    second = ensure_data_env(checkout, console=console)
    assert second.wheel_sha256 != first.wheel_sha256
    assert inside(second, "import pipelines; print(pipelines.__doc__)") == "Changed."
    monkeypatch.setenv("PATH", "/nonexistent")  # no uv: nothing may be left to do
    assert ensure_data_env(checkout, console=console) == second


def test_a_wheel_is_the_same_wherever_and_whenever_it_is_built(checkout, console, tmp_path_factory):
    other = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(checkout / "pipelines", other / "pipelines")
    assert build_wheel(checkout, console).read_bytes() == build_wheel(other, console).read_bytes()


def test_a_wheel_that_cannot_be_built_says_why_and_leaves_nothing(checkout, console):
    (checkout / "pipelines" / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(EngineError, match="uv build failed") as caught:
        build_wheel(checkout, console)
    assert "project.name" in str(caught.value) or "name" in str(caught.value)
    assert list((checkout / ".levee" / "wheels").glob(".build-*")) == []


def test_an_unknown_engine_is_refused(checkout, console):
    with pytest.raises(UsageError, match="'flink' is no engine"):
        ensure_data_env(checkout, "flink", console)


def test_a_disk_that_refuses_is_an_error_with_its_place(tmp_path, stack, task, console):
    (tmp_path / ".levee").write_text("a file where a folder must be")
    with pytest.raises(EngineError, match="this machine cannot keep the run") as caught:
        run(stack(task("bronze")), "sales", root=tmp_path, console=console)
    assert str(tmp_path / ".levee") in str(caught.value.where)
