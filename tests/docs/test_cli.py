"""The command line's reference page is what the command line says, and the command line says enough."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from levee.cli import app, panels

ROOT = Path(__file__).parents[2]


def commands(group, before=""):
    """Every command by its words, those of groups too."""
    for name, command in getattr(group, "commands", {}).items():
        inner = dict(commands(command, f"{before}{name} "))
        yield from (inner or {f"{before}{name}": command}).items()


COMMANDS = dict(commands(typer.main.get_command(app)))
GROUPS = {group.name: group for group in app.registered_groups}
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


@pytest.mark.parametrize("name", GROUPS)
def test_every_group_has_an_example(name):
    assert (GROUPS[name].epilog or "").startswith(f"Example: levee {name} ")


def test_an_option_is_spelled_alike_in_every_command():
    spellings = {}
    for command in COMMANDS.values():
        for option in command.params:
            long = [flag for flag in option.opts if flag.startswith("--")]
            for flag in long:
                spellings.setdefault(flag, set()).add(tuple(sorted(option.opts)))
    assert {flag: found for flag, found in spellings.items() if len(found) > 1} == {}
    written = {"--out", "--to", "--file", "--dir", "--folder", "--dest"}
    assert written.isdisjoint(spellings), "what a command writes is --output"


def test_every_command_stands_in_a_part_of_the_help():
    named = {each.rich_help_panel for each in (*app.registered_commands, *app.registered_groups)}
    assert named == {panels.PROVISION, panels.REVIEW, panels.DATA, panels.CARE, panels.MACHINE}


@pytest.mark.parametrize(
    ("typed", "proposed"),
    [
        (["levee", "re"], ["refresh", "review", "replay", "report", "restore"]),
        (["levee", "up", "l"], ["local"]),
        (["levee", "quarantine", "list", "sales.cd"], ["sales.cdnow"]),
    ],
)
def test_a_shell_is_told_how_a_word_goes_on(typed, proposed):
    levee = Path(sys.executable).with_name("levee")
    words = {"COMP_WORDS": " ".join(typed), "COMP_CWORD": str(len(typed) - 1), "_LEVEE_COMPLETE": "complete_bash"}
    said = subprocess.run([levee], cwd=ROOT, env={**os.environ, **words}, capture_output=True, text=True)
    assert (said.stdout.split(), said.stderr, said.returncode) == (proposed, "", 0)


def test_the_script_of_a_shell_is_that_shells(tmp_path):
    levee = Path(sys.executable).with_name("levee")
    script = subprocess.run([levee, "completion", "bash"], capture_output=True, text=True, check=True).stdout
    (tmp_path / "completion").write_text(script)
    ask = f"source {tmp_path}/completion; COMP_WORDS=(levee up lo); COMP_CWORD=2; _levee_completion levee"
    shell = ["bash", "-c", f'{ask}; echo "${{COMPREPLY[@]}}"; complete -p levee']
    path = f"{levee.parent}:{os.environ['PATH']}"
    said = subprocess.run(shell, cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert said.stdout.splitlines()[0] == "local", said.stderr
    assert "_levee_completion" in said.stdout


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
