"""A Levee that is killed outright leaves no program behind."""

import signal
import subprocess
import sys
import textwrap
import time

PROGRAM = """
    import os
    import pathlib
    import time

    import pulumi

    pathlib.Path("pid").write_text(str(os.getpid()))
    time.sleep(600)
"""
PATIENCE_SECONDS = 120


def _wait(until):
    end = time.monotonic() + PATIENCE_SECONDS
    while not until():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_the_program_ends_when_levee_is_killed(project, alive):
    run = project(PROGRAM)
    code = f"""
        from pathlib import Path
        from levee import engine
        engine.preview(Path({str(run.root)!r}), "dev", engine.Options(pulumi=Path({str(run.cli)!r})))
    """
    levee = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stderr=subprocess.DEVNULL)
    told = run.root / "pid"
    _wait(lambda: told.exists() and told.read_text())
    levee.send_signal(signal.SIGKILL)
    levee.wait()
    _wait(lambda: not alive(int(told.read_text())))
