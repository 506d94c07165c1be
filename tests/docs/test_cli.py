"""The command line's reference page is what the command line says, and the command line says enough."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from levee.cli import app

ROOT = Path(__file__).parents[2]


def commands(group, before=""):
    """Every command by its words, those of groups too."""
    for name, command in getattr(group, "commands", {}).items():
        inner = dict(commands(command, f"{before}{name} "))
        yield from (inner or {f"{before}{name}": command}).items()


COMMANDS = dict(commands(typer.main.get_command(app)))
INTERFACE = {
    "preview": {"--offline", "--online", "--cwd", "--stack", "--config", "--json", "--fill-config", "--timeout"}
    | {"--compare-online", "--approve"},
    "fidelity": {"--cwd", "--stack", "--config", "--json", "--fill-config", "--timeout"},
    "cost": {"--usage", "--cwd", "--stack", "--config", "--json", "--fill-config", "--references", "--timeout"},
    "up": {"--offline", "--online", "--cwd", "--stack", "--config", "--json", "--fill-config", "--timeout", "--plan"},
    "refresh": {"--offline", "--online", "--cwd", "--stack", "--config", "--json", "--timeout"},
    "destroy": {"--offline", "--online", "--cwd", "--stack", "--config", "--json", "--timeout"},
    "run": {"--env", "--from", "--json"},
    "replay": {"--json"},
    "check": {"--env", "--cwd", "--json"},
    "doctor": {"--json"},
    "prices refresh": {"--region", "--into", "--aws-host", "--azure-host", "--json"},
    "evidence": {"--framework", "--key", "--output", "--cwd", "--stack", "--config", "--json", "--fill-config"}
    | {"--references", "--timeout"},
    "report": {"--json"},
    "review": {"--base", "--head", "--env", "--format", "--output", "--cwd", "--config", "--fill-config", "--json"},
}
"""What other tools call; a flag may be added, none may go."""


def test_the_reference_page_is_current(tmp_path):
    page = tmp_path / "cli.md"
    command = [sys.executable, "-m", "typer", "levee.cli.app", "utils", "docs", "--name", "levee", "--title", "levee"]
    subprocess.run([*command, "--output", page], cwd=ROOT, check=True, capture_output=True)
    assert (ROOT / "docs" / "reference" / "cli.md").read_text() == page.read_text(), "run: make docs"


@pytest.mark.parametrize("name", INTERFACE)
def test_the_interface_is_kept(name):
    flags = {flag for option in COMMANDS[name].params for flag in (*option.opts, *option.secondary_opts)}
    assert flags >= INTERFACE[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_speaks_json(name):
    assert "--json" in {flag for option in COMMANDS[name].params for flag in option.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_and_every_parameter_its_help(name):
    command = COMMANDS[name]
    assert (command.help or "").endswith(".")
    assert (command.epilog or "").startswith(f"Example: levee {name}")
    unexplained = [p.name for p in command.params if not getattr(p, "help", None)]
    assert unexplained == []


@pytest.mark.parametrize(
    ("argv", "page"),
    [
        (["nonsense"], "levee --help"),
        (["preview", "local", "--nonsense"], "levee preview --help"),
        (["run"], "levee run --help"),
        (["run", "sales", "--from", "platinum"], "levee run --help"),
    ],
)
def test_a_wrong_call_is_answered_in_one_line_and_exit_code_2(argv, page):
    said = subprocess.run([Path(sys.executable).with_name("levee"), *argv], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 2
    assert said.stderr.startswith("error ")
    assert page in said.stderr
    assert "Traceback" not in said.stderr
