"""One installed provider SDK: its name, version and the classes that it registers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from levee.sdk import installed

_INVOKE: Final = re.compile(rb"""runtime\.invoke(?:_output|_async)?\(\s*['"]([^'"]+)['"]""")
_TYPES_ONLY: Final = frozenset({"_inputs.py", "outputs.py", "_enums.py"})
_REGISTER: Final = re.compile(r'resource_modules="""\n(.*?)\n"""', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource class lies."""

    module: str
    class_name: str


@dataclass(frozen=True)
class Package:
    """One installed provider SDK.

    Attributes:
        name: The package as tokens spell it (``azure-native``).
        version: From ``pulumi-plugin.json``, else from the wheel's metadata, else empty.
        import_name: The Python package (``pulumi_azure_native``).
        path: Its folder.
        parameterization: What a parameterised SDK sends to its base plugin; ``None`` for an ordinary one.
        plugin: The plugin that the engine asks for: the base plugin of a parameterised SDK, else as ``name``.
    """

    name: str
    version: str
    import_name: str
    path: Path
    parameterization: Mapping[str, Any] | None = None
    plugin: str = ""

    @cached_property
    def places(self) -> Mapping[str, Place]:
        """Resource token to its class, as the SDK registers them."""
        found = _REGISTER.search((self.path / "__init__.py").read_text(encoding="utf-8"))
        if found is None:
            return {}
        return {
            token: Place(entry["fqn"], class_name)
            for entry in json.loads(found[1])
            for token, class_name in entry["classes"].items()
        }

    @property
    def tokens(self) -> tuple[str, ...]:
        """Every resource type of the package."""
        return tuple(self.places)

    @cached_property
    def function_tokens(self) -> tuple[str, ...]:
        """Every function of the package; unlike its types they are registered nowhere, so all its files are read."""
        found = (
            token.decode()
            for file in sorted(self.path.rglob("*.py"))
            if file.name not in _TYPES_ONLY
            for token in _INVOKE.findall(file.read_bytes())
        )
        return tuple(dict.fromkeys(found))

    @cached_property
    def tokens_by_place(self) -> Mapping[Place, str]:
        """A resource class to the first token that it is registered under."""
        return {place: token for token, place in reversed(tuple(self.places.items()))}

    @cached_property
    def modules(self) -> Mapping[str, str]:
        """Module part of a token, up to its first slash (``ec2``), to the Python module (``pulumi_aws.ec2``)."""
        modules: dict[str, str] = {}
        for token, place in self.places.items():
            middle = token.split(":")[1]
            modules.setdefault(middle, place.module)
            modules.setdefault(middle.split("/")[0], place.module)
        return modules


def package_of(token: str) -> str:
    """The package of a type or function token; a provider's own token names it last."""
    return token.rsplit(":", 1)[-1] if token.startswith("pulumi:providers:") else token.split(":", 1)[0]


def read_package(import_name: str, folder: Path) -> Package | None:
    """The package in a folder, or ``None`` where it provides no resources or its ``pulumi-plugin.json`` is torn.

    Args:
        import_name: What Python imports it as.
        folder: Where it lies.
    """
    plugin = folder / installed.PLUGIN_FILE
    try:
        data = json.loads(plugin.read_text(encoding="utf-8")) if plugin.is_file() else {}
    except (OSError, ValueError):
        return None
    if data.get("resource") is False:
        return None
    parameterization = data.get("parameterization") or {}
    own = data.get("name") or folder.name.removeprefix("pulumi_").replace("_", "-")
    name = parameterization.get("name") or own
    version = parameterization.get("version") or data.get("version") or _metadata_version(import_name, folder)
    return Package(name, version, import_name, folder, parameterization or None, plugin=own)


def _metadata_version(import_name: str, folder: Path) -> str:
    """The version of the wheel that installed the SDK, as the SDK itself asks for it; empty where there is none."""
    found = sorted(folder.parent.glob(f"{import_name.replace('.', '_')}-*.dist-info"))
    return found[-1].name.removesuffix(".dist-info").rpartition("-")[2] if found else ""
