"""Programs written on the spot, run by the real engine."""

import json
import textwrap
from pathlib import Path

import pytest

from levee import engine
from levee.toolchain import ensure_pulumi

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def pulumi_cli():
    return ensure_pulumi(ROOT)


@pytest.fixture
def project(tmp_path, pulumi_cli):
    """A function that writes a project into a folder of its own and returns a handle to run it."""
    return lambda program, **more: Runner(tmp_path, pulumi_cli).write(program, **more)


class Runner:
    """A project on disk and the operations on its stack ``dev``."""

    def __init__(self, root, cli):
        self.root, self.cli = root, cli

    def write(self, program, config="", stack="dev", name="probe", more_yaml=""):
        self.root.mkdir(exist_ok=True)
        (self.root / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n{more_yaml}")
        (self.root / "__main__.py").write_text(textwrap.dedent(program))
        if config:
            (self.root / f"Pulumi.{stack}.yaml").write_text(textwrap.dedent(config))
        return self

    def __call__(self, operation, stack="dev", **options):
        return engine.perform(engine.Operation(operation), self.root, stack, engine.Options(pulumi=self.cli, **options))

    def states(self, stack="dev"):
        """The resources in the stack's state file."""
        return json.loads(self.workspace(stack).checkpoint.read_text())["checkpoint"]["latest"]["resources"]

    def workspace(self, stack="dev"):
        return engine.Workspace(engine.Project.load(self.root), stack)
