"""How a project gets its packages, said as a command. No engine runs here."""

from pathlib import Path

import pytest

from levee.engine import Project
from levee.engine.dependencies import distribution, install_command, toolchain
from levee.errors import UsageError


def _project(folder: Path, files: dict[str, str], runtime: str = "python") -> Project:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text(f"name: p\nruntime: {runtime}\n")
    for name, text in files.items():
        (folder / name).write_text(text)
    return Project.load(folder)


@pytest.mark.parametrize(
    ("files", "install"),
    [
        ({"requirements.txt": "pulumi>=3\nPyYAML-Ft\n"}, "-m pip install pulumi no-such-sdk"),
        ({"requirements.txt": "pulumi>=3\nno-such-sdk\n"}, "-m pip install -r {root}/requirements.txt"),
        ({"uv.lock": "", "pyproject.toml": "[project]\nname = 'p'\n"}, "cd {root} && uv add no-such-sdk"),
        ({"uv.lock": "", "pyproject.toml": "dependencies = ['no_such_sdk']\n"}, "cd {root} && uv sync"),
        ({"poetry.lock": "", "pyproject.toml": ""}, "cd {root} && poetry add no-such-sdk"),
    ],
)
def test_a_package_is_installed_by_its_projects_toolchain(tmp_path, files, install):
    command = install_command(_project(tmp_path, files), "no-such-sdk")
    assert command.endswith(install.format(root=tmp_path))


def test_the_lock_of_a_workspace_counts_however_far_above_it_lies(tmp_path):
    project = _project(tmp_path / "infra" / "stacks" / "prod", {})
    assert toolchain(project) == "pip"
    (tmp_path / "uv.lock").touch()
    assert toolchain(project) == "uv"


def test_the_toolchain_that_the_project_names_comes_before_its_locks(tmp_path):
    named = "{name: python, options: {toolchain: Poetry}}"
    assert toolchain(_project(tmp_path, {"uv.lock": ""}, named)) == "poetry"
    with pytest.raises(UsageError, match="unknown toolchain 'conda'"):
        toolchain(_project(tmp_path, {}, named.replace("Poetry", "conda")))


@pytest.mark.parametrize(
    ("module", "name"),
    [("pulumi_aws.s3", "pulumi-aws"), ("yaml", "PyYAML"), ("google.cloud.storage.blob", "google-cloud-storage")],
)
def test_a_module_is_traced_to_its_distribution(module, name):
    assert distribution(module) == name
