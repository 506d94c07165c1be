"""How a project gets its Python packages: which toolchain, and the command that installs one that is missing."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from levee.engine import interpreter
from levee.engine.project import Project

OLD_SETUPTOOLS: Final = "'setuptools<81'"
"""As a shell takes it: the last that had ``pkg_resources``, which SDKs from before 2024 import."""

_OTHER_NAMES: Final = {
    "yaml": "PyYAML",
    "PIL": "pillow",
    "dotenv": "python-dotenv",
    "jwt": "PyJWT",
    "bs4": "beautifulsoup4",
    "git": "GitPython",
    "OpenSSL": "pyOpenSSL",
    "Crypto": "pycryptodome",
    "dateutil": "python-dateutil",
    "jinja2": "Jinja2",
    "sklearn": "scikit-learn",
    "attr": "attrs",
    "pkg_resources": OLD_SETUPTOOLS,
}
"""Distributions that are not called as their module is."""


def distribution(module: str) -> str:
    """The distribution that most likely has a module: ``pulumi-aws`` of ``pulumi_aws.s3``."""
    top = module.split(".", maxsplit=1)[0]
    if module.startswith("google.cloud."):
        return "-".join(module.split(".")[:3])
    return _OTHER_NAMES.get(top, top.replace("_", "-"))


def installed_version(project: Project, package: str) -> str | None:
    """The version of a distribution that the program's interpreter has, or ``None``."""
    found = metadata.Distribution.discover(name=package, path=[str(project.site_packages)])
    return next((one.version for one in found), None)


def toolchain(project: Project) -> str:
    """``uv``, ``poetry`` or ``pip``: what ``Pulumi.yaml`` says, else what the lock files say."""
    named = interpreter.named_toolchain(project.root, project.options)
    locks = (("uv", "uv.lock"), ("poetry", "poetry.lock"))
    return named or next((tool for tool, lock in locks if interpreter.nearest(project.root, lock)), "pip")


def install_command(project: Project, package: str | None = None) -> str:
    """The command that puts a package, or with ``None`` all that the project asks for, into the program's environment.

    Args:
        project: The project.
        package: A distribution's name.
    """
    used = toolchain(project)
    listed = package is None or _asks_for(project.root, package)
    if used in {"uv", "poetry"}:
        verb = {"uv": "sync", "poetry": "install"}[used] if listed else f"add {package}"
        return f"cd {project.root} && {used} {verb}"
    python = project.interpreter
    requirements = project.root / "requirements.txt"
    what = f"-r {requirements}" if requirements.is_file() and listed else package or "pulumi"
    if python == Path(sys.executable):
        own = project.root / ".venv"
        return f"python3 -m venv {own} && {own}/bin/python -m pip install {_with_sdk(what)}"
    return f"{python} -m pip install {what}"


def _with_sdk(what: str) -> str:
    """A new environment needs the SDK, too."""
    return what if what.startswith("-r") or what == "pulumi" else f"pulumi {what}"


def _asks_for(root: Path, package: str) -> bool:
    """Whether the project's own list has that package."""
    wanted = re.sub(r"[-_.]+", "-", package).lower()
    for name in ("requirements.txt", "pyproject.toml"):
        file = root / name
        if file.is_file():
            text = file.read_text(encoding="utf-8", errors="replace")
            names = {re.sub(r"[-_.]+", "-", word).lower() for word in re.findall(r"[A-Za-z][\w.-]*", text)}
            if wanted in names:
                return True
    return False
