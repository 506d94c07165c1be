"""Every command block of the pages that a newcomer follows is run, in the page's order, in a copy of this checkout.

A block is fenced as ``sh``. Where it is meant to fail, the line before it says so: ``<!-- exit 1 -->``. A block fenced
as ``text`` that follows it at once is a part of what it prints, but for the width of the columns. A line that calls
``make`` is only checked (``make --dry-run``), as a test that runs the tests would never end; ``.ci/run`` runs it.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"(?:^<!-- exit (\d) -->\n)?^```sh\n(.*?)^```(?:\n\n^```text\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
GIVEN = ("LEVEE_DATA", "LEVEE_ENGINE")
"""Variables of the machine that would change what a page shows."""


@dataclass(frozen=True)
class Block:
    """One command block."""

    line: int
    text: str
    exit_code: int
    shown: str


def blocks(page):
    text = (ROOT / page).read_text()
    return [Block(text[: m.start(2)].count("\n") + 1, m[2], int(m[1] or 0), m[3] or "") for m in FENCE.finditer(text)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """What a clone of the working tree is, with this checkout's environments and its Pulumi CLI."""
    copy = tmp_path_factory.mktemp("clone") / "levee"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0"):
        source = ROOT / name
        if name and source.is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy / name)
    for name in (".venv", "pipelines/.venv", "tools/checkov/.venv", ".levee/bin", ".levee/uv"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).symlink_to(ROOT / name)
    return copy


def perform(block, checkout):
    """Run a block as a person pastes it, with `make` replaced by its dry run."""
    script = re.sub(r"^make\b", "make --dry-run", block.text, flags=re.MULTILINE)
    environment = {name: value for name, value in os.environ.items() if name not in GIVEN}
    environment["PATH"] = f"{checkout}/.venv/bin:{environment['PATH']}"
    # The environment is this checkout's and imports its code; a page may add to the clone's.
    environment["PYTHONPATH"] = f"{checkout}:{checkout}/pipelines/src"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=checkout, env=environment, capture_output=True, text=True
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        pytest.param("docs/how-to.md", marks=pytest.mark.slow),
        pytest.param("docs/tutorial.md", marks=pytest.mark.slow),
    ],
)
def test_the_commands_of_a_page_run(page, checkout):
    found = blocks(page)
    assert found, f"{page} shows no command"
    for block in found:
        done = perform(block, checkout)
        said = f"{page}:{block.line}\n{block.text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        assert done.returncode == block.exit_code, said
        assert "Traceback" not in done.stdout + done.stderr, said
        printed = [line.split() for line in (done.stdout + done.stderr).splitlines()]
        shown = [line for line in block.shown.splitlines() if line.strip(" ─")]  # a table is as wide as its times
        assert [line for line in shown if line.split() not in printed] == [], said


def test_the_commands_of_the_readme_are_those_of_ci():
    ci = (ROOT / ".ci" / "run").read_text()
    for block in blocks("README.md")[:2]:
        for line in block.text.splitlines():
            if line.startswith("make"):
                assert line in ci


def test_what_the_readme_shows_of_a_contract_is_in_one():
    shown = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    contracts = [file.read_text() for file in (ROOT / "pipelines/src/pipelines/domains").rglob("*.odcs.yaml")]
    assert shown
    assert [part for part in shown if not any(part in contract for contract in contracts)] == []
