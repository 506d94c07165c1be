"""The command line as other tools call it: exit codes, files, errors with their mend, never a traceback."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from importlib.metadata import version
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from levee.cli.app import app, run
from levee.cli.console import say
from levee.errors import UsageError
from levee.plan import document

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def stranger(tmp_path):
    """A project that has never heard of Levee."""
    (tmp_path / "Pulumi.yaml").write_text("name: theirs\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  theirs:size: '3'\n")
    (tmp_path / "__main__.py").write_text(
        textwrap.dedent(
            """
            import pulumi
            import pulumi_aws as aws
            size = pulumi.Config().require_int("size")
            for index in range(size):
                aws.s3.Bucket(f"store-{index}")
            pulumi.export("account", aws.get_caller_identity().account_id)
            """
        )
    )
    return tmp_path


@pytest.fixture
def ours(tmp_path):
    """Our own stacks, in a folder of their own."""
    for name in ("stacks", "environments"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def test_a_strangers_project_from_preview_to_destroy(stranger, capsys):
    at = ["--cwd", str(stranger)]
    assert run(["preview", "dev", *at, "--json", str(stranger / "plan.json")]) == 0
    plan = document.read(stranger / "plan.json")
    assert plan.summary.by_op == {"create": 3}
    assert [str(lookup.source) for lookup in plan.invented_lookups] == ["__main__.py:7"]
    faults = stranger / "faults.yaml"
    faults.write_text("faults:\n  - {action: fail, type: 'aws:s3/*'}\n")
    assert run(["up", "dev", *at, "--config", "size=2", "--faults", str(faults)]) == 3
    assert "levee up dev" in capsys.readouterr().err
    assert run(["up", "dev", *at, "--config", "size=2"]) == 0
    assert run(["refresh", "dev", *at, "--expect-no-changes"]) == 0
    assert run(["destroy", "dev", *at]) == 0
    shown = capsys.readouterr()
    assert "simulated cloud" in shown.out
    assert "Traceback" not in shown.out + shown.err


def test_json_is_what_the_schema_says(stranger):
    run(["preview", "dev", "--cwd", str(stranger), "--json", str(stranger / "plan.json")])
    written = json.loads((stranger / "plan.json").read_text())
    bucket = next(r for r in written["resources"] if r["name"] == "store-0")
    assert bucket["source"] == {"file": "__main__.py", "line": 6}
    assert {v["policy"] for v in written["violations"]} >= {"tagging-required"}
    assert all(v["source"] == {"file": "__main__.py", "line": 6} for v in written["violations"])
    assert {v["level"] for v in written["violations"]} == {"advisory"}


def test_a_broken_mandatory_rule_stops_an_update_with_1(ours, capsys):
    environment = ours / "environments/Pulumi.local.yaml"
    text = environment.read_text()
    assert "cost_centre: cc-" in text
    rule = '      tagging-values: {level: mandatory, parameters: {cost_centre_pattern: "cc-[0-9]{4}"}}\n'
    text = text.replace("    policies:\n", f"    policies:\n{rule}")
    assert rule in text
    environment.write_text(re.sub(r"cost_centre: cc-\d+", "cost_centre: nobody", text))
    code = run(["up", "local", "--cwd", str(ours), "--json", str(ours / "plan.json")])
    shown = capsys.readouterr()
    assert code == 1, shown.err
    plan = document.read(ours / "plan.json")
    assert plan.blocked
    assert "mandatory" in shown.out
    assert run(["refresh", "local", "--cwd", str(ours), "--json", str(ours / "plan.json")]) == 0
    left = document.read(ours / "plan.json")
    assert not [r for r in left.resources if r.custom and not r.is_provider], "nothing was made"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["preview", "prd"], ["prd", "prod"]),
        (["preview", "local", "--online"], ["always offline"]),
        (["preview", "local", "--config", "size"], ["K=V", "--config size=VALUE"]),
        (["refresh", "local"], ["not up", "levee up local"]),
        (["destroy", "local"], ["not up", "levee up local"]),
        (["run", "sales", "--env", "local"], ["not up", "levee up local"]),
        (["report", "local"], ["not up", "levee up local"]),
        (["run", "sales", "--env", "local", "--from", "lead"], ["bronze", "silver", "gold"]),
        (["fly"], ["fly"]),
    ],
)
def test_wrong_use_is_2_and_names_the_mend(ours, capsys, arguments, said):
    at = [] if arguments == ["fly"] else ["--cwd", str(ours)]
    assert run([*arguments, *at]) == 2
    shown = " ".join(capsys.readouterr().err.split())
    for word in said:
        assert word in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["preview", "--fill-config"], {"fill_config": True, "offline": True}),
        (["preview", "--references", "outputs.yaml"], {"references": Path("outputs.yaml")}),
        (["preview", "--online"], {"offline": False}),
        (["preview", "-c", "a=1", "--config", "b:c=x=y"], {"config": {"a": "1", "b:c": "x=y"}}),
        (["up", "--faults", "faults.yaml", "--timeout", "7"], {"faults": Path("faults.yaml"), "timeout": 7.0}),
        (["up"], {"faults": None, "timeout": None, "fill_config": False, "references": None, "config": {}}),
        (["refresh", "--dry-run"], {"dry_run": True}),
        (["refresh"], {"dry_run": False}),
        (["destroy", "--unprotect"], {"unprotect": True}),
        (["destroy"], {"unprotect": False}),
    ],
)
def test_what_the_engine_is_asked_for_is_what_the_flags_say(stranger, monkeypatch, arguments, asked):
    """What each of them does there is proved in ``tests/levee/engine``."""
    told = []

    def perform(operation, scoped, chosen):
        told.append((operation, scoped.stack, chosen))
        raise UsageError("that is enough")

    monkeypatch.setattr("levee.cli.engine.perform", perform)
    assert run([*arguments, "dev", "--stack", "acme/dev", "--cwd", str(stranger)]) == 2
    ((operation, stack, chosen),) = told
    assert (operation.value, stack) == (arguments[0], "acme/dev")
    assert {name: getattr(chosen, name) for name in asked} == asked
    assert chosen.packs, "the merged pack"


def test_an_environment_with_an_unknown_key_names_file_line_and_nearest(ours, capsys):
    environment = ours / "environments/Pulumi.dev.yaml"
    lines = environment.read_text().splitlines()
    line = next(i for i, text in enumerate(lines) if text.strip().startswith("retention:"))
    lines[line] = lines[line].replace("retention:", "retencion:")
    environment.write_text("\n".join(lines) + "\n")
    assert run(["preview", "dev", "--cwd", str(ours)]) == 2
    shown = "".join(capsys.readouterr().err.split())
    assert f"Pulumi.dev.yaml:{line + 1}" in shown
    assert "retention" in shown


def test_a_program_that_raises_is_2_with_its_line(stranger, capsys):
    (stranger / "__main__.py").write_text("import pulumi\n\nraise ValueError('no luck today')\n")
    assert run(["preview", "dev", "--cwd", str(stranger)]) == 2
    shown = capsys.readouterr().err
    assert "no luck today" in shown
    assert "__main__.py:3" in "".join(shown.split())
    assert "Traceback" not in shown


def test_every_command_has_help_with_an_example(capsys):
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or getattr(command.callback, "__name__", "")
        assert run([name, "--help"]) == 0
        assert f"Example: levee {name}" in " ".join(capsys.readouterr().out.split())


def test_the_installed_command_ends_with_the_exit_code(tmp_path):
    levee = Path(sys.prefix) / "bin/levee"
    ended = subprocess.run([levee, "preview", "dev", "--cwd", tmp_path], capture_output=True, text=True)
    assert ended.returncode == 2
    assert "no Pulumi.yaml here" in ended.stderr
    assert ended.stdout == ""


def test_a_first_preview_without_a_word_of_instruction(stranger, capsys, monkeypatch):
    """No environment, no flag, from a folder inside the project."""
    (stranger / "lib").mkdir()
    monkeypatch.chdir(stranger / "lib")
    assert run(["preview"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "theirs dev preview, simulated cloud" in shown
    assert "3 resources" in shown
    (stranger / "Pulumi.dev.yaml").rename(stranger / "Pulumi.prod.yaml")
    assert run(["preview"]) == 0
    assert "theirs prod preview" in " ".join(capsys.readouterr().out.split()), "the only stack there is"
    (stranger / "Pulumi.test.yaml").write_text("config: {}\n")
    assert run(["preview"]) == 2
    refused = capsys.readouterr().err
    assert "prod, test" in refused
    assert "levee preview prod" in refused


def test_a_missing_value_is_filled_and_listed_with_its_line(stranger, capsys):
    (stranger / "Pulumi.dev.yaml").unlink()
    at = ["--cwd", str(stranger)]
    assert run(["preview", *at]) == 2
    refused = " ".join(capsys.readouterr().err.split())
    assert "requires the configuration 'theirs:size'" in refused
    assert f"{stranger}/__main__.py:4" in refused
    assert "pulumi config set theirs:size VALUE --stack dev" in refused
    assert "--fill-config" in refused
    assert run(["preview", "--fill-config", *at]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"filled theirs:size = \d+  number, asked for as int  __main__\.py:4", shown)


@pytest.mark.parametrize("spelled", [["--json"], ["--json", "-"]])
def test_json_alone_is_on_standard_output(stranger, capsys, spelled):
    at = ["--cwd", str(stranger)]
    assert run(["preview", *spelled, *at]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["summary"]["by_op"] == {"create": 3}
    assert "simulated cloud" in shown.err, "a person still sees what was done"
    assert run(["preview", "--config", "size=many", *at, *spelled]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["exit_code"] == 2
    assert error["where"].endswith("__main__.py:4")
    assert run(["preview", "--nonsense", *spelled]) == 2
    assert "nonsense" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert run(["doctor", *spelled]) in {0, 2}
    assert {check["name"] for check in json.loads(capsys.readouterr().out)["checks"]} >= {"python"}


def test_a_workflow_gets_annotations_on_its_lines(stranger, capsys, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(stranger.parent))
    at = ["--cwd", str(stranger), "--json", "-"]
    assert run(["preview", *at]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out), "annotations do not spoil the JSON"
    warnings = [line for line in shown.err.splitlines() if line.startswith("::warning ")]
    assert 0 < len(warnings) <= 10
    assert f"title=tagging-required,file={stranger.name}/__main__.py,line=6::" in "".join(warnings)
    (stranger / "__main__.py").write_text("import pulumi\n\nraise ValueError('100% lost,\\nhere')\n")
    assert run(["preview", *at]) == 2
    (error,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("::error ")]
    assert error.startswith(f"::error title=levee,file={stranger.name}/__main__.py,line=3::")
    assert "100%25 lost,%0Ahere" in error
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert run(["preview", *at]) == 2
    assert "::error" not in capsys.readouterr().err


def test_it_says_which_levee_it_is(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"levee {version('levee')}\n"


@pytest.mark.parametrize("words", [[], ["prices"]])
def test_a_command_that_needs_another_word_prints_its_help_and_nothing_else(words, capsys):
    assert run(words) == 2
    printed = capsys.readouterr()
    assert "Usage: levee" in printed.out
    assert printed.err == ""


def test_a_wrong_flag_is_answered_with_the_help_of_its_own_command(capsys):
    assert run(["prices", "refresh", "--nonsense"]) == 2
    assert "levee prices refresh --help" in capsys.readouterr().err


@pytest.mark.parametrize("to", ["/proc/found.json", "/dev/null/found.json"])
def test_a_file_that_cannot_be_written_is_named_without_a_traceback(to, capsys):
    assert run(["doctor", "--json", to]) == 2
    said = capsys.readouterr().err
    assert to in said
    assert "fix" in said


def test_a_folder_that_is_not_there_is_named_without_a_traceback(capsys):
    assert run(["doctor", "--cwd", "/nowhere"]) == 2
    assert "/nowhere" in capsys.readouterr().err


def test_a_reader_who_has_seen_enough_is_told_nothing(tmp_path):
    code = "from levee.cli import main; main(['doctor', '--json'])"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    os.close(writing)
    assert done.returncode == 141
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.parametrize(("terminal", "lines"), [(True, 3), (False, 1)])
def test_a_sentence_is_broken_between_words_on_a_terminal_and_nowhere_else(terminal, lines):
    shown = io.StringIO()
    say(Text("quotas, permissions and taken names"), Console(file=shown, width=15, force_terminal=terminal))
    printed = shown.getvalue().splitlines()
    assert len(printed) == lines
    assert " ".join(line.strip() for line in printed) == "quotas, permissions and taken names"
