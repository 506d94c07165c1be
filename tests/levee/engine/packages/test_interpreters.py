"""Which interpreter runs a program, and which SDKs it has."""

import base64
import hashlib
import sys
import sysconfig
from pathlib import Path

import pytest

from levee.engine import interpreter
from levee.errors import UsageError
from levee.plan import Op
from levee.sdk import Sdk

WIDGETS = """
import sys
import pulumi
import pulumi_acme as acme
import pulumi_umbrella as umbrella

one, two = acme.Widget("one", size=3), umbrella.Widget("two", size=4)
umbrella.Widget("three", size=5, opts=pulumi.ResourceOptions(import_="there-already"))
pulumi.export("serials", pulumi.Output.all(one.serial_number, two.serial_number))
pulumi.export("prefix", sys.prefix)
"""


def _venv(folder):
    """What stands for a virtual environment where only its place matters."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return python


def test_sdks_of_package_add_in_an_environment_of_its_own(in_environment, virtualenv, write_sdk, tmp_path):
    """Two local SDKs, parameterised on one base plugin, installed as `pip install -e` does: by path and by finder."""
    run = in_environment(WIDGETS, virtualenv="venv")
    site_packages = virtualenv(run.root / "venv")
    write_sdk(run.root / "sdks" / "acme", "acme", plugin="terraform-provider")
    home = write_sdk(run.root / "sdks" / "umbrella", "umbrella", plugin="terraform-provider")
    (site_packages / "acme.pth").write_text(f"{run.root / 'sdks' / 'acme'}\n")
    finder = site_packages / "__editable___umbrella_finder.py"
    finder.write_text(
        "import sys\nfrom importlib.util import spec_from_file_location\n"
        f"MAPPING: dict[str, str] = {{'pulumi_umbrella': {str(home)!r}}}\n"
        "class Finder:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name in MAPPING:\n"
        "            place = MAPPING[name]\n"
        "            return spec_from_file_location(name, place + '/__init__.py', submodule_search_locations=[place])\n"
        "sys.meta_path.append(Finder)\n"
    )
    (site_packages / "umbrella.pth").write_text("import __editable___umbrella_finder\n")
    up = run("up")
    assert up.outputs["prefix"] == str(run.root / "venv")
    one, two = up.outputs["serials"]
    assert one != two
    assert {r.package for r in up.resources if r.name in {"one", "two"}} == {"acme", "umbrella"}
    assert {r.id for r in up.resources if r.op is Op.IMPORT} == {"there-already"}
    assert not run("refresh").changes
    assert run("destroy").summary.by_op == {"delete": 3}


def test_where_sdks_are_found(virtualenv, write_sdk, tmp_path):
    site_packages = virtualenv(tmp_path / "venv")
    write_sdk(site_packages, "plain")
    write_sdk(site_packages, "bare", plugin_file=False)
    write_sdk(site_packages / "acme", "inner")
    (site_packages / "pulumi_broken").mkdir()
    (site_packages / "pulumi_broken" / "pulumi-plugin.json").write_text("{")
    sdk = Sdk(site_packages)
    assert {"plain", "bare", "inner", "aws"} <= sdk.packages.keys()
    assert "broken" not in sdk.packages
    assert sdk.packages["inner"].import_name == "acme.pulumi_inner"
    for name in ("plain", "bare"):
        widget = sdk.resource(f"{name}:index/widget:Widget")
        assert widget is not None, name
        assert widget.inputs["size"].required


@pytest.mark.parametrize("make", ["venv", ".venv"])
def test_an_environment_beside_the_program_is_its_own(tmp_path, make):
    python = _venv(tmp_path / make)
    assert interpreter.find(tmp_path, {}, {}) == python


def test_levees_own_where_there_is_no_other(tmp_path):
    assert interpreter.find(tmp_path, {}, {}) == Path(sys.executable)


def test_an_activated_environment_counts_when_a_program_could_run_in_it(tmp_path):
    python = _venv(tmp_path / "active")
    active = {"VIRTUAL_ENV": str(tmp_path / "active")}
    assert interpreter.find(tmp_path, {}, active) == Path(sys.executable)
    (tmp_path / "active" / "lib" / "python3.11" / "site-packages" / "pulumi").mkdir(parents=True)
    assert interpreter.find(tmp_path, {}, active) == python
    assert interpreter.find(tmp_path, {}, {"CONDA_PREFIX": str(tmp_path / "active")}) == python


def test_an_interpreter_in_no_environment_is_asked_for_its_packages(tmp_path):
    """As a distribution's own Python, or a wrapper around one."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    assert interpreter.site_packages(python) == Path(sysconfig.get_paths()["purelib"])
    python.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(UsageError, match="no site-packages"):
        interpreter.site_packages(python)


def test_uv_keeps_its_environment_beside_the_lock(tmp_path):
    program = tmp_path / "infra" / "prod"
    program.mkdir(parents=True)
    (tmp_path / "uv.lock").touch()
    python = _venv(tmp_path / ".venv")
    assert interpreter.find(program, {"toolchain": "UV"}, {}) == python
    elsewhere = _venv(tmp_path / "built")
    assert interpreter.find(program, {"toolchain": "uv"}, {"UV_PROJECT_ENVIRONMENT": "built"}) == elsewhere
    (program / "uv.lock").touch()
    with pytest.raises(UsageError, match="no environment") as missing:
        interpreter.find(program, {"toolchain": "uv"}, {})
    assert "uv sync" in str(missing.value)
    own = _venv(program / "env")
    assert interpreter.find(program, {"toolchain": "uv", "virtualenv": "env"}, {}) == own


def test_uv_without_a_lock_keeps_it_beside_the_project_file(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "infra").mkdir()
    python = _venv(tmp_path / ".venv")
    assert interpreter.find(tmp_path / "infra", {"toolchain": "uv"}, {}) == python


def test_poetry_is_asked(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.poetry]\nname = "Acme Infra"\n')
    python = _venv(tmp_path / "elsewhere")
    poetry = tmp_path / "bin" / "poetry"
    poetry.parent.mkdir()
    poetry.write_text(f'#!/bin/sh\n[ "$1 $2 $3" = "env info --path" ] && echo {tmp_path / "elsewhere"}\n')
    poetry.chmod(0o755)
    found = interpreter.find(tmp_path, {"toolchain": "poetry"}, {"PATH": str(tmp_path / "bin")})
    assert found == python


def test_without_poetry_its_cache_is_looked_into(tmp_path):
    program = tmp_path / "infra"
    program.mkdir()
    (program / "pyproject.toml").write_text('[tool.poetry]\nname = "Acme Infra"\n')
    digest = base64.urlsafe_b64encode(hashlib.sha256(str(program).encode()).digest()).decode()[:8]
    environment = {"PATH": "", "HOME": str(tmp_path)}
    with pytest.raises(UsageError, match="poetry") as missing:
        interpreter.find(program, {"toolchain": "poetry"}, environment)
    assert "poetry install" in str(missing.value)
    python = _venv(tmp_path / ".cache" / "pypoetry" / "virtualenvs" / f"acme_infra-{digest}-py3.11")
    assert interpreter.find(program, {"toolchain": "poetry"}, environment) == python
    beside = _venv(program / ".venv")
    assert interpreter.find(program, {"toolchain": "poetry"}, environment) == beside


def test_a_poetry_that_does_not_answer_and_a_project_that_cannot_be_read_are_wrong_use(tmp_path):
    asked, without = {"toolchain": "poetry"}, {"PATH": "", "HOME": str(tmp_path)}
    (tmp_path / ".cache" / "pypoetry" / "virtualenvs").mkdir(parents=True)
    for text in ("= 3", "project = 3", "tool = 3"):
        (tmp_path / "pyproject.toml").write_text(text)
        with pytest.raises(UsageError) as refused:
            interpreter.find(tmp_path, asked, without)
        assert refused.value.fix
    poetry = tmp_path / "bin" / "poetry"
    poetry.parent.mkdir()
    poetry.write_text("#!/no/such/interpreter\n")
    poetry.chmod(0o755)
    with pytest.raises(UsageError, match="Poetry does not say") as silent:
        interpreter.find(tmp_path, asked, {"PATH": str(poetry.parent)})
    assert "virtualenv" in str(silent.value)


@pytest.mark.parametrize(
    ("variable", "folder"),
    [
        ("POETRY_VIRTUALENVS_PATH", ""),
        ("POETRY_CACHE_DIR", "virtualenvs"),
        ("XDG_CACHE_HOME", "pypoetry/virtualenvs"),
    ],
)
def test_poetrys_cache_lies_where_its_settings_say(tmp_path, variable, folder):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "infra"\n')
    digest = base64.urlsafe_b64encode(hashlib.sha256(str(tmp_path).encode()).digest()).decode()[:8]
    python = _venv(tmp_path / "moved" / folder / f"infra-{digest}-py3.11")
    environment = {"PATH": "", "HOME": str(tmp_path), variable: str(tmp_path / "moved")}
    assert interpreter.find(tmp_path, {"toolchain": "poetry"}, environment) == python


def test_what_is_named_and_not_there_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="'gone'") as missing:
        interpreter.find(tmp_path, {"virtualenv": "gone"}, {})
    assert "python3 -m venv" in str(missing.value)
    with pytest.raises(UsageError, match="unknown toolchain 'conda'"):
        interpreter.find(tmp_path, {"toolchain": "conda"}, {})
