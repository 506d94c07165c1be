"""What every step of one run needs: the workspace, the CLI, the environment that the CLI gets."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from levee import places
from levee.engine import cli_process
from levee.engine.cli_process import Finished
from levee.engine.event_stream import Listener
from levee.engine.project import Project
from levee.engine.workspace import Workspace
from levee.errors import EngineError
from levee.plan import FilledConfig

OFFLINE_PATIENCE: Final = 300.0
"""Seconds of silence after which an offline run is ended, where nothing else is said."""


class Operation(StrEnum):
    """The engine's operations on a stack."""

    PREVIEW = "preview"
    UP = "up"
    REFRESH = "refresh"
    DESTROY = "destroy"

    @property
    def from_program(self) -> bool:
        """Whether the program says what there shall be; a refresh and a destroy go by the state."""
        return self in {Operation.PREVIEW, Operation.UP}


@dataclass(frozen=True)
class Options:
    """How to run an operation; the defaults suit a plain offline run.

    Attributes:
        offline: With stand-in providers and a simulated cloud; else with the real plugins and the user's backend.
        config: Configuration of this run alone, by key; a key that the stack keeps as a secret stays one.
        packs: Folders of CrossGuard policy packs.
        pack_config: What each policy is configured with, ``{policy: {"enforcementLevel": ..., ...}}``.
        references: A YAML file of other stacks' outputs, ``{stack: {output: value}}``.
        lookups: A YAML file of the project's own answers to lookups.
        fill_config: Answer for configuration that nobody has set with typed placeholders, each listed in the plan.
        timeout: Seconds of silence of engine and program after which a run is ended; 0 for never, ``None`` for 300
            offline and never online.
        faults: A YAML file of faults to inject.
        unprotect: Of a destroy: lift the engine's protection of every resource first.
        dry_run: Of a refresh or a destroy: only say what it would do.
        pulumi: The CLI; found or built where it is not given.
        environment: The environment of engine and program; the caller's where it is not given.
        program_environment: Variables that the program's process gets beside that, and neither engine nor packs.
        hold: Makes the command, with its arguments, that the program's interpreter is started by, of the files that
            the program writes for Levee; dynamic providers, which are its code too, are started by it as well.
        on_event: Gets every engine event while it runs.
        state: Of an offline preview: a state to begin with, as ``pulumi stack export --show-secrets`` prints it; the
            preview then runs in a workspace that goes with it.
        throwaway: Of an offline up: of a stack that is thrown away, so that nobody sees a preview of it first, and what
            is left of a run that ends half-way is of no use to anybody.
        update_plan: Of a preview: where Pulumi's update plan is written. Of an up: the update plan that it keeps to.
        debug: Let the SDK's debug messages reach the engine.
    """

    offline: bool = True
    config: Mapping[str, str] = field(default_factory=dict)
    packs: Sequence[Path] = ()
    pack_config: Mapping[str, Any] = field(default_factory=dict)
    references: Path | None = None
    lookups: Path | None = None
    fill_config: bool = False
    timeout: float | None = None
    faults: Path | None = None
    unprotect: bool = False
    dry_run: bool = False
    pulumi: Path | None = None
    environment: Mapping[str, str] | None = None
    program_environment: Mapping[str, str] = field(default_factory=dict)
    hold: Callable[[Sequence[Path]], Sequence[str]] | None = None
    on_event: Listener | None = None
    state: str | None = field(default=None, repr=False)
    throwaway: bool = False
    update_plan: Path | None = None
    debug: bool = False


@dataclass
class Session:
    """One run on one stack.

    Attributes:
        workspace: The stack's folder.
        options: How to run.
        pulumi: The CLI.
        scratch: A folder that goes with the run.
        notes: What was done on the user's behalf, one sentence each.
        filled: Configuration that nobody has set, as it was filled before the program ran.
        answers: What was invented for keys that are no secrets, as configuration has it.
        secrets: The configuration's secrets by key, for the program's standard input only.
    """

    workspace: Workspace
    options: Options
    pulumi: Path
    scratch: Path
    notes: list[str] = field(default_factory=list)
    filled: list[FilledConfig] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        """What is run."""
        return self.workspace.project

    @property
    def stack(self) -> str:
        """Its stack."""
        return self.workspace.stack

    @property
    def folder(self) -> Path:
        """Where the engine is started, the root it takes the project to have."""
        return self.workspace.engine if self.options.offline else self.project.root

    @property
    def events(self) -> Path:
        """The engine's events, JSON lines."""
        return self.scratch / "events.jsonl"

    @property
    def program_notes(self) -> Path:
        """What the program's process wrote down (``program.Notes``), JSON lines."""
        return self.scratch / "program.jsonl"

    @property
    def standin_notes(self) -> Path:
        """What the stand-ins wrote down (``standin/journal.py``), JSON lines."""
        return self.scratch / "standin.jsonl"

    @property
    def program_stacks(self) -> Path:
        """Where a program that hangs says where it stands."""
        return self.scratch / "stacks.txt"

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The whole environment of the CLI, and through it of the program and the packs."""
        env = dict(os.environ if self.options.environment is None else self.options.environment)
        env |= {"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_DEBUG_COMMANDS": "true", "NO_COLOR": "1"}
        if self.options.offline:
            env |= self.workspace.environment()
            env.pop("PULUMI_CONFIG_PASSPHRASE", None)
            env.pop("PULUMI_ACCESS_TOKEN", None)
            if self.options.throwaway:
                env["PULUMI_SKIP_CHECKPOINTS"] = "true"  # else the whole state is written anew for each resource
        env.setdefault("GOGC", "400")  # the engine's work is short and its memory small: a quarter less time on garbage
        if env.pop("PYTHONDONTWRITEBYTECODE", ""):
            # An SDK takes three times as long to import without its byte code: kept where nobody minds it.
            env.setdefault("PYTHONPYCACHEPREFIX", str(places.cache() / "bytecode"))
        scripts = str(self.workspace.folder / "bin")
        return {**env, "PATH": f"{scripts}{os.pathsep}{env.get('PATH', '')}", **(extra or {})}

    def cli(self, *arguments: str, environment: Mapping[str, str] | None = None, **more: Any) -> Finished:
        """Run the CLI with those arguments; ``more`` is for :func:`levee.engine.cli_process.run`."""
        return cli_process.run(
            [str(self.pulumi), *arguments, "--non-interactive"],
            folder=self.folder,
            environment=environment or self.environment(),
            **more,
        )

    def export(self) -> dict[str, Any]:
        """The stack's state as ``pulumi stack export`` writes it; its secrets stay encrypted.

        Raises:
            EngineError: The backend does not give it.
        """
        exported = self.cli("stack", "export", "--stack", self.stack)
        if exported.code != 0:
            raise EngineError(f"the state cannot be read: {exported.stderr.strip()}", fix="pulumi stack export")
        return json_in(exported.stdout)

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the stack's state; offline without starting the CLI, whose export has the same."""
        if self.options.offline:
            return self.workspace.resources()
        return self.export().get("deployment", {}).get("resources") or []


def json_in(text: str) -> dict[str, Any]:
    """The JSON document that a command printed, after whatever it said before; empty where there is none."""
    start = text.find("{")
    return json.loads(text[start:]) if start >= 0 else {}
