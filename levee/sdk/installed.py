"""Where an interpreter's packages lie: its ``site-packages`` and all that leads on from there.

Read as text, as all of an SDK is: nothing of the other interpreter is started. Sources: Python's ``site`` module
(``.pth`` files, ``pyvenv.cfg``), setuptools' ``editable_wheel.py`` (``__editable___*_finder.py``, ``MAPPING``).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

PLUGIN_FILE: Final = "pulumi-plugin.json"
_MAPPING: Final = re.compile(r"^MAPPING(?:: [^=]+)? = (\{.*\})$", re.MULTILINE)
_SHIPPED: Final = ("pulumi_policy",)
"""Pulumi's own libraries that look like SDKs and provide nothing."""


def roots(site_packages: Path) -> tuple[Path, ...]:
    """The folders that packages are imported from, the first to be asked first."""
    found = [site_packages, *_other_library(site_packages), *_paths(site_packages), *_system(site_packages)]
    return tuple(dict.fromkeys(folder for folder in found if folder.is_dir()))


def sdks(site_packages: Path) -> Mapping[str, Path]:
    """Import name (``pulumi_aws``; dotted inside a namespace package) of each provider SDK to its folder."""
    found: dict[str, Path] = {}
    for root in roots(site_packages):
        for folder in sorted(root.iterdir()):
            _take(folder, "", found)
    for finder in sorted(site_packages.glob("__editable___*_finder.py")):
        for name, path in _mapping(finder).items():
            _take(path, name, found)
    return found


def _take(folder: Path, name: str, found: dict[str, Path]) -> None:
    name = name or folder.name
    if name in found or folder.suffix in {".dist-info", ".egg-info", ".py", ".pth"}:
        return
    if (folder / PLUGIN_FILE).is_file() or _is_bare(folder):
        found[name] = folder
    elif "." not in name and name.isidentifier() and folder.is_dir() and not (folder / "__init__.py").exists():
        for inner in sorted(folder.glob(f"*/{PLUGIN_FILE}")):
            found.setdefault(f"{name}.{inner.parent.name}", inner.parent)


def _is_bare(folder: Path) -> bool:
    """A generated SDK that came without its ``pulumi-plugin.json``, as some old or home-made ones do."""
    return (
        folder.name.startswith("pulumi_")
        and folder.name not in _SHIPPED
        and (folder / "_utilities.py").is_file()
        and (folder / "__init__.py").is_file()
    )


def _other_library(site_packages: Path) -> Iterator[Path]:
    """``lib64`` beside ``lib``, where a distribution keeps both apart."""
    parts = list(site_packages.parts)
    for one, other in (("lib", "lib64"), ("lib64", "lib")):
        if one in parts:
            at = len(parts) - 1 - parts[::-1].index(one)
            folder = Path(*parts[:at], other, *parts[at + 1 :])
            if folder.is_dir() and folder.resolve() != site_packages.resolve():
                yield folder


def _paths(site_packages: Path) -> Iterator[Path]:
    """What ``.pth`` files add: editable installs, workspace members, SDKs made by ``pulumi package add``."""
    for file in sorted(site_packages.glob("*.pth")):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            text = line.strip()
            if text and not text.startswith(("#", "import ", "import\t")):
                yield site_packages / text


def _system(site_packages: Path) -> Iterator[Path]:
    """The packages below a virtual environment that was made with ``--system-site-packages``."""
    settings = site_packages.parents[2] / "pyvenv.cfg" if len(site_packages.parents) > 2 else site_packages
    if not settings.is_file():
        return
    said = dict(re.findall(r"^\s*([\w-]+)\s*=\s*(.*?)\s*$", settings.read_text(encoding="utf-8"), re.MULTILINE))
    if said.get("include-system-site-packages", "").lower() != "true" or "home" not in said:
        return
    python = site_packages.parent.name
    for prefix in (Path(said["home"]).parent, Path("/usr/local")):
        yield from (prefix / "lib" / python / "site-packages", prefix / "lib" / python / "dist-packages")
        yield prefix / "lib" / "python3" / "dist-packages"


def _mapping(finder: Path) -> Mapping[str, Path]:
    """Package to folder, from the module that setuptools writes for an editable install."""
    written = _MAPPING.search(finder.read_text(encoding="utf-8", errors="replace"))
    if written is None:
        return {}
    try:
        mapping = ast.literal_eval(written[1])
    except (ValueError, SyntaxError):
        return {}
    return {str(name): Path(path) for name, path in mapping.items()}
