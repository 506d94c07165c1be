"""A schema read back from an SDK: what the real engine's own binder says of it, and what stands in it."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from levee.sdk import Sdk
from levee.sdk.schema import package_schema
from levee.toolchain import ensure_pulumi

ROOT = Path(__file__).resolve().parents[3]
SITE_PACKAGES = Path(sysconfig.get_paths()["purelib"])


def schema(name: str, cache: Path | None = None) -> dict[str, Any]:
    return json.loads(package_schema(Sdk(SITE_PACKAGES, cache), name))


def complaints(written: dict[str, Any], folder: Path) -> str:
    """What ``pulumi schema check`` says: every type, resource and function bound, as code generation binds them."""
    file = folder / "schema.json"
    file.write_text(json.dumps(written))
    command = [ensure_pulumi(ROOT), "schema", "check", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"HOME": str(folder)})
    assert done.returncode == 0 or "Error" in done.stdout + done.stderr
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("name", ["random", "tls", "command", "docker"])
def test_the_engine_binds_a_whole_schema(name: str, tmp_path: Path) -> None:
    assert complaints(schema(name), tmp_path) == ""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["aws", "kubernetes"])
def test_the_engine_binds_a_big_schema(name: str, tmp_path: Path) -> None:
    assert complaints(schema(name), tmp_path) == ""


def test_the_engine_would_complain_of_a_broken_schema(tmp_path: Path) -> None:
    broken = schema("docker")
    broken["types"].popitem()
    assert "not found in" in complaints(broken, tmp_path)


def test_a_resource_has_what_its_class_has() -> None:
    docker = schema("docker")
    container = docker["resources"]["docker:index/container:Container"]
    assert set(container["requiredInputs"]) == {"image"}
    assert container["inputProperties"]["mustRun"] == {"type": "boolean"}
    assert container["inputProperties"]["envs"] == {"type": "array", "items": {"type": "string"}}
    ports = container["inputProperties"]["ports"]["items"]["$ref"].removeprefix("#/types/")
    assert ports == "docker:index:ContainerPortArgs"
    assert docker["types"][ports]["required"] == ["internal"]
    assert docker["types"][ports]["properties"]["external"] == {"type": "integer"}
    assert "containerLogs" in container["properties"]
    assert docker["provider"]["inputProperties"]["host"] == {"type": "string"}
    assert docker["meta"] == {"moduleFormat": "(.*)(?:/[^/]*)"}


def test_secrets_assets_and_functions_are_kept() -> None:
    random = schema("random")["resources"]["random:index/randomPassword:RandomPassword"]
    assert [name for name, p in random["properties"].items() if p.get("secret")] == ["bcryptHash", "result"]
    tls = schema("tls")["functions"]["tls:index/getCertificate:getCertificate"]
    assert tls["inputs"]["properties"]["verifyChain"] == {"type": "boolean"}
    assert "certificates" in tls["outputs"]["required"]
    command = schema("command")
    assert "meta" not in command
    local = command["resources"]["command:local:Command"]
    assert local["inputProperties"]["assetPaths"]["items"] == {"type": "string"}
    assert local["inputProperties"]["archivePaths"]["items"] == {"type": "string"}
    copy = command["resources"]["command:remote:CopyToRemote"]
    assert copy["inputProperties"]["source"] == {"$ref": "pulumi.json#/Asset"}


@pytest.mark.slow
def test_kubernetes_kinds_are_constants() -> None:
    pod = schema("kubernetes")["resources"]["kubernetes:core/v1:Pod"]
    assert pod["inputProperties"]["kind"] == {"type": "string", "const": "Pod"}
    assert pod["inputProperties"]["metadata"] == {"$ref": "#/types/kubernetes:meta/v1:ObjectMetaArgs"}


def test_an_enum_names_its_values_and_an_open_one_admits_others() -> None:
    command = schema("command")
    logging = command["resources"]["command:local:Command"]["inputProperties"]["logging"]
    enum = command["types"][logging["$ref"].removeprefix("#/types/")]
    assert enum["type"] == "string"
    assert {"value": "stdoutAndStderr"} in enum["enum"]


def test_a_schema_is_read_once(tmp_path: Path) -> None:
    first = schema("tls", tmp_path)
    (kept,) = tmp_path.rglob("schema-*.json")
    assert list(tmp_path.rglob("*.json")) == [kept], "the types that it was read from are not kept one by one"
    kept.write_text(json.dumps({**first, "version": "0.0.0-from-the-cache"}))
    assert schema("tls", tmp_path)["version"] == "0.0.0-from-the-cache"
