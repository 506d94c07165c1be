"""A Pulumi project on disk: its ``Pulumi.yaml``, its stack configurations, its interpreter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from levee.engine import interpreter
from levee.errors import UsageError

FILES: Final = ("Pulumi.yaml", "Pulumi.yml")
"""What a project's file may be called, the usual name first."""


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        UsageError: The file cannot be read, is not YAML, or holds no mapping; with file and line.
    """
    try:
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as wrong:
        line = f":{wrong.problem_mark.line + 1}" if wrong.problem_mark else ""
        raise UsageError(f"not YAML: {wrong.problem}", where=f"{path}{line}", fix="mend the line") from wrong
    except (OSError, UnicodeDecodeError, YAMLError) as wrong:
        raise UsageError(f"cannot be read: {wrong}", where=str(path), fix="make it readable, as UTF-8 text") from wrong
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise UsageError("expected a mapping of keys", where=f"{path}:1", fix="start with `name: …`")
    return document


def refuse_other_keys(config: Mapping[Any, Any], path: Path) -> None:
    """Make sure that a ``config:`` block has texts for keys, as Pulumi does.

    Raises:
        UsageError: A key is a number, a date or the like.
    """
    for key in config:
        if not isinstance(key, str):
            raise UsageError(f"the key {key!r} of `config:` is no text", where=str(path), fix=f'write it as "{key}"')


@dataclass(frozen=True)
class Project:
    """What ``Pulumi.yaml`` says.

    Attributes:
        root: The folder of ``Pulumi.yaml``, absolute.
        name: The project's name.
        runtime: ``python``, ``yaml``, ``nodejs``, ...
        main: The program: a folder or a file, absolute.
        config_dir: Where ``Pulumi.<stack>.yaml`` files are.
        document: The whole of ``Pulumi.yaml``.
    """

    root: Path
    name: str
    runtime: str
    main: Path
    config_dir: Path
    document: Mapping[str, Any]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read ``Pulumi.yaml`` of a folder.

        Raises:
            UsageError: There is none, or it is not a project.
        """
        root = folder.resolve()
        path = next((root / name for name in FILES if (root / name).is_file()), None)
        if path is None:
            raise UsageError("no Pulumi.yaml here", where=str(root), fix="pass the project's folder: --cwd DIR")
        document = read_yaml(path)
        runtime = document.get("runtime")
        name = runtime.get("name") if isinstance(runtime, dict) else runtime
        if not isinstance(document.get("name"), str) or not isinstance(name, str):
            raise UsageError("a project needs `name:` and `runtime:`", where=str(path), fix="add the missing key")
        folders = {key: document.get(key) or "." for key in ("main", "stackConfigDir")}
        for key, given in folders.items():
            if not isinstance(given, str):
                raise UsageError(f"`{key}:` is no path: {given!r}", where=str(path), fix=f"{key}: FOLDER")
        return cls(
            root=root,
            name=document["name"],
            runtime=name,
            main=(root / folders["main"]).resolve(),
            config_dir=(root / folders["stackConfigDir"]).resolve(),
            document=document,
        )

    @property
    def file(self) -> Path:
        """``Pulumi.yaml`` itself."""
        return next((self.root / name for name in FILES if (self.root / name).is_file()), self.root / FILES[0])

    @property
    def options(self) -> Mapping[str, Any]:
        """``runtime.options``: the toolchain, the virtual environment."""
        runtime = self.document.get("runtime")
        options = runtime.get("options") if isinstance(runtime, dict) else None
        return options if isinstance(options, dict) else {}

    def stack_config(self, stack: str) -> Path:
        """The stack's configuration file, whether it exists or not."""
        return self.config_dir / f"Pulumi.{stack.rsplit('/', 1)[-1]}.yaml"

    @cached_property
    def interpreter(self) -> Path:
        """The Python that runs the program; see :func:`levee.engine.interpreter.find`.

        Raises:
            UsageError: The environment that ``Pulumi.yaml`` names is not there.
        """
        return interpreter.find(self.root, self.options)

    @property
    def site_packages(self) -> Path:
        """Where the interpreter's SDKs are."""
        return interpreter.site_packages(self.interpreter)
