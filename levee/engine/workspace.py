"""The folder that holds everything of one stack's offline life: ``<project>/.levee/<stack>/``.

===================  ==================================================================================
``engine/``          a copy of ``Pulumi.yaml`` and of the stack's configuration, rewritten for offline use
``state/``           Pulumi's own file backend
``cloud.sqlite``     the simulated cloud
``passphrase``       encrypts the secrets in ``state/``; mode 0600, made here, never leaves the machine
``placeholders/``    files that stand for paths which nobody has set (``--fill-config``)
``bin/``             the two small scripts by which the engine starts policy packs and dynamic providers
``run.lock``         held (flock) by the one run that works on the stack; the kernel frees it when that dies
===================  ==================================================================================

Nothing outside that folder is written: the user's own files stay as they are.
"""

from __future__ import annotations

import io
import json
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from levee.engine.project import Project, read_yaml, refuse_other_keys
from levee.engine.required import is_demand
from levee.errors import EngineError, UsageError
from levee.files import write_whole
from levee.lock import exclusive

_SECRETS_OF_THE_STACK: Final = ("secretsprovider", "encryptedkey", "encryptionsalt")


@dataclass(frozen=True)
class Secret:
    """A secret of the configuration: it reaches the program on its standard input and is written nowhere.

    Attributes:
        key: ``namespace:name``; a path into a structured value is dotted.
        value: What this run was given, else a placeholder.
        placeholder: Whether nothing was given, since only a cloud's key opens the real one.
    """

    key: str
    value: str
    placeholder: bool


@dataclass(frozen=True)
class Workspace:
    """One stack's folder. All paths are absolute."""

    project: Project
    stack: str
    aside: bool = False
    """Whether it lies beside the stack's own, for a run that is to leave nothing behind."""

    @property
    def folder(self) -> Path:
        """``<project>/.levee/<stack>``."""
        return self.project.root / ".levee" / f"{self.stack.replace('/', '-')}{'.aside' if self.aside else ''}"

    @property
    def engine(self) -> Path:
        """The rewritten project, from which the engine is started."""
        return self.folder / "engine"

    @property
    def state(self) -> Path:
        """The file backend."""
        return self.folder / "state"

    @property
    def checkpoint(self) -> Path:
        """The stack's state file; absent until the stack exists."""
        return self.state / ".pulumi" / "stacks" / self.project.name / f"{self.stack.rsplit('/', 1)[-1]}.json"

    @property
    def deployed(self) -> bool:
        """Whether the stack's state holds anything."""
        return self.checkpoint.exists() and b'"resources"' in self.checkpoint.read_bytes()

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the stack's state, its secrets encrypted; none of a stack that was never up.

        Raises:
            EngineError: The state file is torn.
        """
        if not self.checkpoint.exists():
            return []
        try:
            return json.loads(self.checkpoint.read_bytes())["checkpoint"]["latest"].get("resources") or []
        except (ValueError, KeyError) as torn:
            raise EngineError(
                f"the state cannot be read: {torn}",
                where=str(self.checkpoint),
                fix=f"put a whole one there, or begin anew: rm -r {self.folder}",
            ) from torn

    @property
    def cloud(self) -> Path:
        """The simulated cloud's database."""
        return self.folder / "cloud.sqlite"

    @property
    def placeholders(self) -> Path:
        """Files that stand for paths which nobody has set; absent until a program asks for one."""
        return self.folder / "placeholders"

    @property
    def config(self) -> Path:
        """The rewritten stack configuration."""
        return self.engine / self.project.stack_config(self.stack).name

    def prepare(self, overrides: Mapping[str, str], prefix: Sequence[str] = ()) -> tuple[Secret, ...]:
        """Write the folder anew from the project's files; what is already right stays untouched.

        Args:
            overrides: Configuration of this run by key, ``namespace:name`` or a name of the project's own.
            prefix: The command that dynamic providers are started by, where something is to hold them.

        Returns:
            The secrets of the stack's configuration, as this run has them.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        for folder in (self.engine, self.state, self.folder / "bin"):
            folder.mkdir(parents=True, exist_ok=True)
        _write(self.project.root / ".levee" / ".gitignore", "*\n")
        passphrase = self.folder / "passphrase"
        if not passphrase.exists():
            _write(passphrase, secrets.token_urlsafe(32), mode=0o600)
        _write(self.engine / "Pulumi.yaml", dump_yaml(self._project_document()))
        document, found = self.configuration(overrides)
        kept = read_yaml(self.config) if self.config.exists() else {}
        document = {k: v for k, v in document.items() if k not in _SECRETS_OF_THE_STACK}
        if "encryptionsalt" in kept:
            document["encryptionsalt"] = kept["encryptionsalt"]
        _write(self.config, dump_yaml(document), mode=0o600)
        self._scripts(prefix)
        return found

    def _project_document(self) -> dict[str, Any]:
        document = {k: v for k, v in self.project.document.items() if k not in {"backend", "stackConfigDir", "plugins"}}
        document["main"] = str(self.project.main)
        if isinstance(config := document.get("config"), dict):
            # What must be set was checked or filled before; the engine would refuse what reaches the program alone.
            document["config"] = {key: entry for key, entry in config.items() if not is_demand(entry)}
        return document

    def configuration(self, overrides: Mapping[str, str]) -> tuple[dict[str, Any], tuple[Secret, ...]]:
        """The stack's configuration with this run's values, and its secrets apart.

        Args:
            overrides: Configuration of this run by key.

        Raises:
            UsageError: The stack's file is not a configuration.
        """
        source = self.project.stack_config(self.stack)
        document = read_yaml(source) if source.exists() else {}
        config = document.get("config") or {}
        if not isinstance(config, dict):
            raise UsageError("`config:` must be a mapping", where=str(source), fix="write `config:` and keys below it")
        refuse_other_keys(config, source)
        given = {self.full_key(key): value for key, value in overrides.items()}
        given_keys = frozenset(given)
        plain: dict[str, Any] = {}
        secrets_: list[Secret] = []
        for key, value in ((self.full_key(key), value) for key, value in config.items()):
            if _is_secure(value):
                secrets_.append(Secret(key, given.pop(key, _placeholder(key)), placeholder=key not in given_keys))
            elif key not in given:
                secrets_.extend(Secret(p, _placeholder(p), placeholder=True) for p in _secure_paths(value, key))
                plain[key] = _without_secure(value)
        return {**document, "config": {**plain, **given}}, tuple(secrets_)

    def full_key(self, key: str) -> str:
        """``namespace:name``, with the project's name where the namespace was left out."""
        return key if ":" in key else f"{self.project.name}:{key}"

    def _scripts(self, prefix: Sequence[str]) -> None:
        python = shlex.quote(sys.executable)
        theirs = shlex.join([*prefix, str(self.project.interpreter)])
        scripts = {
            "pulumi-analyzer-policy-python": f'exec {python} -u -m levee.compliance "$1" "$2"',
            "pulumi-resource-pulumi-python": f'exec {theirs} -u -m pulumi.dynamic "$@"',
        }
        for name, line in scripts.items():
            _write(self.folder / "bin" / name, f"#!/bin/sh\n{line}\n", mode=0o755)

    def environment(self) -> dict[str, str]:
        """What the engine of an offline run gets beside the caller's environment."""
        return {
            "PULUMI_HOME": str(self.project.root / ".levee" / "home"),
            # No attribute files: they are not written atomically, and a torn one hides the whole state.
            "PULUMI_BACKEND_URL": f"{self.state.as_uri()}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.folder / "passphrase"),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
            "PULUMI_DIY_BACKEND_GZIP": "false",  # the state is read here, too
        }

    def pulumi_lock(self) -> int | None:
        """The process id in Pulumi's own lock on the stack, or ``None`` where there is no lock; 0 for a torn one."""
        folder = self.state / ".pulumi" / "locks" / "organization" / self.project.name
        for lock in folder.glob("*/*.json"):
            try:
                return int(json.loads(lock.read_text())["pid"])
            except (ValueError, KeyError):
                return 0
        return None

    def locked(self) -> AbstractContextManager[object]:
        """Hold the stack for this process.

        Raises:
            EngineError: Another run holds it; its process is named.
        """
        return exclusive(self.folder / "run.lock", doing=f"a run on stack {self.stack!r}")


def runs_pulumi(pid: int) -> bool:
    """Whether that process is a Pulumi CLI: after a restart of the machine the number may be anybody's."""
    if pid <= 0:
        return False
    if sys.platform == "linux":
        comm = Path(f"/proc/{pid}/comm")
        return comm.exists() and comm.read_text().strip() == "pulumi"
    said = subprocess.run(["ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True, check=False)
    return Path(said.stdout.strip()).name == "pulumi"


def _is_secure(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}


def _placeholder(key: str) -> str:
    return f"placeholder-{key.replace('.', ':').rsplit(':', 1)[-1]}"


def _secure_paths(value: Any, path: str) -> Iterator[str]:
    """Where a structured value holds secrets, dotted."""
    if _is_secure(value):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _secure_paths(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _secure_paths(item, f"{path}.{index}")


def _without_secure(value: Any) -> Any:
    if _is_secure(value):
        return "placeholder"
    if isinstance(value, dict):
        return {k: _without_secure(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_without_secure(v) for v in value]
    return value


def dump_yaml(document: Mapping[str, Any]) -> str:
    """The document as YAML."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    out = io.StringIO()
    yaml.dump(dict(document), out)
    return out.getvalue()


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write what has changed, whole or not at all."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_whole(path, text, mode=mode)
