"""The pseudonymisation key, once it exists: in the stack's encrypted state, and in no other form in no other file."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from levee import engine
from levee.plan import document
from levee.toolchain import ensure_pulumi

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The program and its environments in a folder of their own."""
    for name in ("stacks", "environments"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


@pytest.mark.timeout(900)
def test_the_key_stands_in_the_encrypted_state_alone(checkout: Path) -> None:
    pulumi = ensure_pulumi(ROOT)
    document.write(engine.up(checkout, "local", engine.Options(pulumi=pulumi)), checkout / "plan.json")
    key = base64.b64decode(secret_of(exported(checkout, pulumi), "random:index/randomBytes:RandomBytes", "base64"))
    assert len(key) == 32

    assert found(key, checkout) == []
    (checkout / "leak.log").write_text(f"key={key.hex()}\n")
    assert found(key, checkout) == ["leak.log"], "the search would not see it"


def exported(checkout: Path, pulumi: Path) -> dict[str, Any]:
    """The stack as whoever has its passphrase reads it."""
    workspace = engine.Workspace(engine.Project.load(checkout), "local")
    shown = subprocess.run(
        [pulumi, "stack", "export", "--show-secrets", "--stack", "local", "--non-interactive"],
        cwd=workspace.engine,
        env={**os.environ, **workspace.environment()},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(shown.stdout)


def secret_of(state: dict[str, Any], kind: str, output: str) -> str:
    """A secret output of the one resource of a type."""
    (resource,) = [item for item in state["deployment"]["resources"] if item["type"] == kind]
    return json.loads(resource["outputs"][output]["plaintext"])


def found(key: bytes, folder: Path) -> list[str]:
    """Files below a folder that hold the key; links are not followed."""
    return sorted(str(path.relative_to(folder)) for path in files(folder) if holds(path.read_bytes(), key))


def files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (path for name in names if (path := Path(parent, name)).is_file() and not path.is_symlink())


def holds(content: bytes, key: bytes) -> bool:
    """Whether bytes hold the key raw, in hexadecimal or in base64 of either alphabet."""
    spelled = (base64.b64encode(key).rstrip(b"="), base64.urlsafe_b64encode(key).rstrip(b"="))
    return key in content or key.hex().encode() in content.lower() or any(text in content for text in spelled)
