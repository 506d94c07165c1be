"""The engine's operations on programs without any provider: what Levee adds around them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from levee import engine
from levee.engine import ProgramError
from levee.errors import EngineError, LeveeError, UsageError
from levee.plan import Fidelity, Op
from levee.report import fidelity

COMPONENTS = """
    import pulumi

    class Shelf(pulumi.ComponentResource):
        def __init__(self, name, opts=None):
            super().__init__("probe:index:Shelf", name, {}, opts)
            self.register_outputs({"books": 3})

    upper = Shelf("upper")
    lower = Shelf("lower", pulumi.ResourceOptions(parent=upper))
    pulumi.export("answer", 42)
    pulumi.export("token", pulumi.Output.secret("hunter2"))
"""


def test_a_life_from_preview_to_destroy(project):
    run = project(COMPONENTS, config="config: {}\nencryptionsalt: v1:theirs\n")
    theirs = {p: p.read_bytes() for p in run.root.iterdir() if p.is_file()}
    previewed, up = run("preview"), run("up")
    for plan in (previewed, up):
        assert plan.summary.by_op == {"create": 2}
        assert plan.outputs == {"answer": 42, "token": "[secret]"}
        upper, lower = (next(r for r in plan.resources if r.name == name) for name in ("upper", "lower"))
        assert lower.parent == upper.urn
        assert not lower.custom
        assert (str(upper.source), str(lower.source)) == ("__main__.py:9", "__main__.py:10")
        assert upper.outputs == {"books": 3}
        assert plan.offline
        assert plan.fidelity == Fidelity(), "a program without a provider leaves no doubt"
        assert fidelity.believe_line(plan) is None
        assert list(fidelity.sections(plan)) == []
    for path in run.root.rglob("*"):
        if path.is_file() and path.name != "__main__.py":
            assert b"hunter2" not in path.read_bytes(), path
    assert {p: p.read_bytes() for p in run.root.iterdir() if p.is_file()} == theirs
    assert {p.name for p in run.root.iterdir() if p.is_dir()} <= {".levee", "__pycache__"}

    assert run("up").summary.by_op == {"same": 2}
    assert run("refresh").summary.by_op == {"same": 2}
    assert run("destroy").summary.by_op == {"delete": 2}
    assert run("preview").summary.by_op == {"create": 2}


def test_a_throwaway_stack_is_brought_up_as_any_other_in_one_run_of_the_program(project):
    run = project("""
        import pathlib
        import pulumi

        with pathlib.Path("runs").open("a") as runs:
            runs.write("r")
        for name in ("upper", "lower"):
            pulumi.ComponentResource("probe:index:Shelf", name).register_outputs({"books": 3})
    """)
    up = run("up", throwaway=True)
    assert (run.root / "runs").read_text() == "r", "no preview before it"
    assert up.summary.by_op == {"create": 2}
    assert {s["urn"].rsplit("::", 1)[-1] for s in run.states()} == {"probe-dev", "upper", "lower"}
    assert run("preview").summary.by_op == {"same": 2}


def test_secrets_that_a_cloud_key_holds_have_placeholders_and_what_is_given_is_written_nowhere(project):
    run = project(
        """
        import os, sys
        import pulumi
        config = pulumi.Config()
        assert "hunter2" not in " ".join(sys.argv) + str(dict(os.environ)) + open("/proc/self/cmdline").read()
        pulumi.export("length", len(config.require("token")))
        pulumi.export("plain", config.require("plain"))
        pulumi.export("is_secret", config.require_secret("token").apply(len))
        """,
        config="""
        secretsprovider: awskms://alias/prod
        encryptedkey: AAAA
        config:
          probe:plain: visible
          probe:token: {secure: v1:AAAA}
        """,
    )
    plan = run("preview")
    assert plan.outputs == {"plain": "visible", "length": len("placeholder-token"), "is_secret": "[secret]"}
    assert any("probe:token" in note and "placeholder-token" in note for note in plan.notes)
    for operation in ("preview", "up"):
        plan = run(operation, config={"token": "hunter2hunter2"})
        assert plan.outputs == {"plain": "visible", "length": 14, "is_secret": "[secret]"}
        assert plan.notes == ()
    for path in run.root.rglob("*"):
        assert not path.is_file() or b"hunter2hunter2" not in path.read_bytes(), path
    assert run.workspace().folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("program", "line", "said"),
    [
        ("import os\nimport pulumi\nos.chdir('/')\nx = 1 / 0\n", 4, "ZeroDivisionError"),
        ("import pulumi\ndef f(:\n", 2, "SyntaxError"),
        ("import os\nimport pulumi\nos._exit(9)\n", None, "code 9"),
        ("import os\nimport pulumi\nos.kill(os.getpid(), 9)\n", None, "signal 9"),
    ],
)
def test_a_program_that_fails_says_where_and_without_our_frames(project, program, line, said):
    run = project(program)
    with pytest.raises((ProgramError, EngineError), match=said) as failed:
        run("preview")
    assert "Traceback" not in str(failed.value)
    if line is not None:
        assert failed.value.where == f"{run.root / '__main__.py'}:{line}"
        assert failed.value.fix


def test_a_missing_value_names_the_flag_that_gives_it(project):
    run = project("import pulumi\npulumi.Config().require('size')\n")
    with pytest.raises(ProgramError, match="probe:size") as failed:
        run("preview")
    assert "Traceback" not in str(failed.value)
    assert failed.value.where == f"{run.root / '__main__.py'}:2"
    assert failed.value.fix == (
        "pulumi config set probe:size VALUE --stack dev, for one run --config probe:size=VALUE, "
        "or let Levee invent it: --fill-config"
    )
    assert failed.value.exit_code == 2
    assert run("preview", config={"size": "3"}).summary.resources == 0


def test_no_project_and_no_stack_are_wrong_use(project, tmp_path):
    run = project("import pulumi\n")
    (run.root / "Pulumi.yaml").unlink()
    with pytest.raises(UsageError, match=r"no Pulumi\.yaml here") as refused:
        run("preview")
    assert "--cwd" in str(refused.value)
    run = project("import pulumi\n")
    for operation in ("refresh", "destroy"):
        with pytest.raises(UsageError, match="not up") as refused:
            run(operation)
        assert refused.value.fix == "levee up dev"


def test_a_project_file_that_is_no_yaml_is_refused_with_its_line(project):
    run = project("import pulumi\n", more_yaml="config: [\n")
    with pytest.raises(UsageError, match="not YAML") as refused:
        run("preview")
    assert str(refused.value.where).endswith("Pulumi.yaml:4")


def _start(run):
    """An update in a process of its own, waiting inside the program."""
    code = f"""
        import sys
        from pathlib import Path
        from levee import engine
        engine.up(Path({str(run.root)!r}), "dev", engine.Options(pulumi=Path({str(run.cli)!r})))
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stderr=subprocess.DEVNULL)
    marker = run.root / "running"
    for _ in range(1200):
        if marker.exists():
            return process
        time.sleep(0.1)
    raise AssertionError("the program did not start")


WAITING = (
    COMPONENTS
    + """
    import os, pathlib, time
    if not pulumi.runtime.is_dry_run() and os.environ.get("WAIT") == "1":
        pathlib.Path("running").touch()
        time.sleep(60)
"""
)


def test_kill_9_in_mid_update_leaves_no_lock_and_no_process(project, monkeypatch, alive):
    run = project(WAITING)
    monkeypatch.setenv("WAIT", "1")
    process = _start(run)
    locks = list(run.workspace().state.rglob("locks/**/*.json"))
    assert locks, "the engine holds its lock"
    pid = json.loads(locks[0].read_text())["pid"]
    process.kill()
    process.wait()
    for _ in range(2400):
        if not alive(pid):
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the engine outlived the run")
    monkeypatch.setenv("WAIT", "0")
    plan = run("up")
    assert {r.op for r in plan.resources} <= {Op.CREATE, Op.SAME}
    assert run("up").summary.by_op == {"same": 2}


def test_what_a_dead_engine_left_in_the_backend_is_cleared(project):
    """Its lock, also where the number now belongs to somebody else, and a torn attribute file that hides the state."""
    run = project(COMPONENTS)
    run("up")
    lock = run.workspace().state / ".pulumi/locks/organization/probe/dev/11111111-2222-3333-4444-555555555555.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    gone = subprocess.Popen(["true"])
    gone.wait()
    about = {"username": "u", "hostname": "h", "timestamp": "2026-01-01T00:00:00Z"}
    lock.write_text(json.dumps({"pid": gone.pid, **about}))
    plan = run("up")
    assert any("pulumi cancel" in note and str(gone.pid) in note for note in plan.notes)
    assert plan.summary.by_op == {"same": 2}

    lock.write_text(json.dumps({"pid": 1, **about}))
    checkpoint = run.workspace().checkpoint
    checkpoint.with_name(f"{checkpoint.name}.attrs").touch()
    assert run("up").summary.by_op == {"same": 2}
    assert not list(run.workspace().state.rglob("*.attrs"))


def test_a_state_that_is_packed_by_the_callers_wish_or_torn(project, monkeypatch):
    """The first is read all the same, of the second it is said where it lies."""
    monkeypatch.setenv("PULUMI_DIY_BACKEND_GZIP", "true")
    run = project(COMPONENTS)
    assert run("up").summary.by_op == {"create": 2}
    checkpoint = run.workspace().checkpoint
    checkpoint.write_bytes(checkpoint.read_bytes()[:-200])
    with pytest.raises(EngineError, match="the state cannot be read") as torn:
        engine.deployed(run.root, "dev", engine.Options(pulumi=run.cli))
    assert torn.value.where == str(checkpoint)
    assert "rm -r" in str(torn.value.fix)


def test_a_second_run_is_refused_and_ctrl_c_ends_the_first_with_its_state_whole(project, monkeypatch):
    run = project(WAITING)
    monkeypatch.setenv("WAIT", "1")
    process = _start(run)
    try:
        with pytest.raises(EngineError, match="at work"):
            run("preview")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    assert not list(run.workspace().state.rglob("locks/**/*.json"))
    monkeypatch.setenv("WAIT", "0")
    run("up")
    assert run("up").summary.by_op == {"same": 2}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a small disk")
def test_a_full_disk_is_said_and_loses_nothing(project, tmp_path):
    run = project(COMPONENTS)
    before = run("up").resources
    state = run.workspace().folder
    aside = tmp_path / "aside"
    state.rename(aside)
    state.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", state], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.decode().strip()}")
    try:
        shutil.copytree(aside, state, dirs_exist_ok=True)
        filler = state / "filler"
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(128 << 20))
        with pytest.raises(LeveeError) as failed:
            run("up", config={"anything": "else"})
        assert "space" in str(failed.value)
        filler.unlink()
        assert run("up").summary.by_op == {"same": 2}
        assert [r.urn for r in run("refresh").resources] == [r.urn for r in before]
    finally:
        subprocess.run(["umount", "-l", state], check=True)
