"""A project whose own virtual environment has an SDK that Levee's has not."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zlib
from pathlib import Path

import pytest

SDKS = Path(__file__).with_name("sdks")
"""As text, for that is how a stand-in reads them; and in the generator's style, not in ours."""


@pytest.fixture
def shelves(tmp_path):
    """Give ``tmp_path`` a ``.venv`` with Levee's packages and ``pulumi_shelves``."""
    environment = tmp_path / ".venv"
    packages = environment / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    packages.mkdir(parents=True)
    (environment / "bin").mkdir()
    base = Path(os.path.realpath(sys.executable))
    (environment / "pyvenv.cfg").write_text(f"home = {base.parent}\n")
    (environment / "bin" / "python").symlink_to(base)
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if entry.suffix != ".pth" and not entry.name.startswith("__editable__"):
            (packages / entry.name).symlink_to(entry)
    folder = packages / "pulumi_shelves"
    folder.mkdir()
    written = b""
    for file in sorted((SDKS / "pulumi_shelves").glob("*.txt")):
        written += file.read_bytes()
        (folder / file.stem).write_bytes(file.read_bytes())
    plugin = {"resource": True, "name": "shelves", "version": f"0.0.{zlib.crc32(written)}"}
    (folder / "pulumi-plugin.json").write_text(json.dumps(plugin))
    (folder / "provider.py").write_text('"""A package with resources has a provider."""\n')


@pytest.fixture
def tool():
    """A function that runs a tool and returns what it says, or skips the test: no Node.js, no Go, no registry."""

    def run(command, folder, seconds):
        if shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} is not on PATH")
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip(f"{command[0]} {command[1]} took more than {seconds} s")
        if done.returncode != 0:
            pytest.skip(f"{command[0]} {command[1]} failed: {done.stderr.strip()[-300:]}")
        return done.stdout

    return run
