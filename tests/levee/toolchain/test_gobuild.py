import os
import shutil
import subprocess
from io import StringIO

import pytest
from rich.console import Console

from levee.errors import EngineError
from levee.toolchain.gobuild import build, go_version

pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="needs Go: go.dev/doc/install")

PROGRAM = 'package main\n\nvar said = "unset"\n\nfunc main() { println(said) }\n'


@pytest.fixture
def module(tmp_path):
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.test/hello\n\ngo 1.21\n")
    (folder / "main.go").write_text(PROGRAM)
    return folder


def compile_(module, output):
    console = Console(file=StringIO(), width=200)
    build(module, package="example.test/hello", output=output, defines={"main.said": "hi"}, console=console, title="B")
    return console


def test_a_command_is_built_with_its_defines(module, tmp_path):
    output = tmp_path / "bin" / "hello"
    console = compile_(module, output)
    assert subprocess.run([output], capture_output=True, text=True, check=True).stderr == "hi\n"
    assert [f.name for f in output.parent.iterdir()] == ["hello"]
    assert "packages" in console.file.getvalue()


def test_a_failed_build_keeps_the_old_binary_and_says_what_go_said(module, tmp_path):
    output = tmp_path / "bin" / "hello"
    compile_(module, output)
    (module / "main.go").write_text("package main\n\nfunc main() { nonsense() }\n")
    with pytest.raises(EngineError, match="undefined: nonsense"):
        compile_(module, output)
    assert subprocess.run([output], capture_output=True, text=True, check=True).stderr == "hi\n"
    assert [f.name for f in output.parent.iterdir()] == ["hello"]


def test_the_module_is_never_written_to(module, tmp_path):
    (module / "main.go").write_text('package main\n\nimport _ "example.test/other"\n\nfunc main() {}\n')
    before = {f.name: f.read_bytes() for f in module.iterdir()}
    with pytest.raises(EngineError, match=r"go list failed"):
        compile_(module, tmp_path / "hello")
    assert {f.name: f.read_bytes() for f in module.iterdir()} == before


def test_what_a_killed_build_left_is_swept(module, tmp_path):
    left = tmp_path / "bin" / f".hello-{os.getpid() + 1}"
    left.parent.mkdir()
    left.write_bytes(b"half")
    compile_(module, tmp_path / "bin" / "hello")
    assert not left.exists()


def test_the_version_of_go_is_read(tmp_path):
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go version go1.19.8 linux/amd64\n")
    old.chmod(0o755)
    assert go_version(str(old)) == (1, 19)
    assert go_version(str(tmp_path / "absent")) is None
