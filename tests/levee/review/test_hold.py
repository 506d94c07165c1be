"""The second wall, without an engine: what a process behind it can see, reach and use."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from levee.engine import Project
from levee.errors import UsageError
from levee.review import hold
from levee.review.untrusted import Hold, Limits, refusal

WHY = refusal()
pytestmark = pytest.mark.skipif(bool(WHY), reason=f"namespaces are refused here: {WHY}")


@pytest.fixture
def held(tmp_path):
    """A function that runs Python source behind the wall and returns how it ended."""
    root = tmp_path / "side"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (root / ".levee" / "dev").mkdir(parents=True)
    (root / ".levee" / "dev" / "state").write_text("the engine's")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret").write_text("hunter2")

    def run(source, files=(), **limits):
        prefix = Hold(Project.load(root), "dev", root, Limits(**limits))(files)
        command = [*prefix, sys.executable, "-c", textwrap.dedent(source)]
        return subprocess.run(command, capture_output=True, text=True, cwd="/", env={"KEPT": "yes"}, timeout=120)

    return run


def test_it_runs_python_with_its_packages_and_hands_over_the_exit_code(held):
    ran = held("import pulumi, grpc, sys; print(pulumi.__name__); sys.exit(32)")
    assert (ran.returncode, ran.stdout) == (32, "pulumi\n"), ran.stderr


def test_it_sees_its_own_folder_and_neither_the_engines_files_nor_anybody_elses(held, tmp_path):
    ran = held(
        f"""
        import json, os, pathlib
        side = pathlib.Path({str(tmp_path / "side")!r})
        def tried(action):
            try:
                return action()
            except OSError as refused:
                return type(refused).__name__
        (side / "made").write_text("mine")
        print(json.dumps({{
            "own": sorted(os.listdir(side)),
            "engine's": os.listdir(side / ".levee" / "dev"),
            "engine's writing": tried(lambda: (side / ".levee" / "state").write_text("x")),
            "secret": tried(lambda: pathlib.Path({str(tmp_path / "elsewhere" / "secret")!r}).read_text()),
            "shadow": tried(lambda: pathlib.Path("/etc/shadow").read_text()),
            "usr": tried(lambda: pathlib.Path("/usr/levee").write_text("x")),
            "top": tried(lambda: pathlib.Path("/levee").write_text("x")),
            "processes": [name for name in os.listdir("/proc") if name.isdigit()],
            "environment": sorted(os.environ),
        }}))
        """
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said == {
        "own": [".levee", "Pulumi.yaml", "made"],
        "engine's": ["placeholders"],
        "engine's writing": "PermissionError",
        "secret": "FileNotFoundError",
        "shadow": "FileNotFoundError",
        "usr": "OSError",
        "top": "OSError",
        "processes": ["1", "2"],
        "environment": ["KEPT", *(["LC_CTYPE"] if "LC_CTYPE" in said["environment"] else [])],
    }
    assert (tmp_path / "side" / "made").read_text() == "mine"
    assert (tmp_path / "side" / ".levee" / "dev" / "state").read_text() == "the engine's"


def test_it_writes_the_files_that_it_was_given(held, tmp_path):
    notes = tmp_path / "notes.jsonl"
    ran = held(f"open({str(notes)!r}, 'a').write('told')", files=(notes,))
    assert ran.returncode == 0, ran.stderr
    assert notes.read_text() == "told"


def test_it_has_no_right_to_undo_the_wall(held):
    ran = held(
        """
        import ctypes, json, os
        libc = ctypes.CDLL(None, use_errno=True)
        status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
        print(json.dumps({
            "effective": int(status["CapEff"], 16),
            "bounding": int(status["CapBnd"], 16),
            "no new privileges": status["NoNewPrivs"],
            "remount": libc.mount(None, b"/usr", None, 32 | 4096, None),
            "unmount": libc.umount2(b"/proc", 2),
        }))
        """
    )
    assert json.loads(ran.stdout) == {
        "effective": 0,
        "bounding": 0,
        "no new privileges": "1",
        "remount": -1,
        "unmount": -1,
    }, ran.stderr


def test_a_loop_is_ended_by_its_time(held):
    ran = held("while True: pass", seconds=2.0)
    assert ran.returncode in (hold.ENDED, 128 + signal.SIGKILL), "by the watch, or by the kernel at its limit"
    ran = held("import time; time.sleep(60)", seconds=1.0)
    assert (ran.returncode, ran.stderr) == (hold.ENDED, "levee: the program was ended: it ran longer than 1 s\n")


def test_forks_are_ended_by_their_number_and_leave_nothing(held):
    ran = held(
        """
        import os, time
        for _ in range(60):
            try:
                if os.fork() == 0:
                    os.setsid()
                    time.sleep(600)
            except OSError:
                break
        print("made", flush=True)
        time.sleep(60)
        """,
        processes=24,
        seconds=30.0,
    )
    assert ran.returncode == hold.ENDED
    assert "the program was ended: " in ran.stderr
    marked = [p for p in Path("/proc").iterdir() if p.name.isdigit() and "KEPT=yes" in environ_of(p)]
    assert marked == []


def environ_of(process):
    try:
        return (process / "environ").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def test_memory_is_limited(held):
    ran = held("x = bytearray(3 << 30); print(len(x))", memory=1 << 30)
    assert ran.returncode == 1
    assert "MemoryError" in ran.stderr


def test_memory_of_many_processes_is_limited_together(held):
    ran = held(
        """
        import os, time
        for _ in range(6):
            if os.fork() == 0:
                x = bytearray(b"x") * (200 << 20)
                time.sleep(60)
        time.sleep(60)
        """,
        memory=600 << 20,
        seconds=60.0,
    )
    assert ran.returncode == hold.ENDED
    assert "more than 600 MiB of memory" in ran.stderr


def test_the_first_wall_has_a_loopback_of_its_own_and_no_other_network():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        source = f"""
            import json, socket
            def tried(host, port):
                try:
                    return bool(socket.create_connection((host, port), 5))
                except OSError as refused:
                    return type(refused).__name__
            own = socket.create_server(("127.0.0.1", 0))
            print(json.dumps([tried("127.0.0.1", {port}), tried("192.0.2.1", 443), tried(*own.getsockname())]))
        """
        command = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--", sys.executable]
        command += ["-m", "levee.review.alone", sys.executable, "-c", textwrap.dedent(source)]
        ran = subprocess.run(command, capture_output=True, text=True)
    assert json.loads(ran.stdout) == ["ConnectionRefusedError", "OSError", True], ran.stderr


def test_credentials_below_home_are_covered(tmp_path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("hunter2")
    command = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--", sys.executable]
    command += ["-m", "levee.review.alone", "/bin/ls", "-A", str(tmp_path / ".aws")]
    ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "HOME": str(tmp_path)})
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr


def test_only_python_can_be_held(tmp_path):
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: nodejs\n")
    with pytest.raises(UsageError, match="nodejs cannot be held"):
        Hold(Project.load(tmp_path), "dev", tmp_path, Limits())(())
