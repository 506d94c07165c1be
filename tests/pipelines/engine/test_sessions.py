"""A session's server lives as long as its process: Ctrl-C does not stop it, and no end waits for it."""

from __future__ import annotations

import subprocess
import sys

OPEN = """
import os, signal
from pipelines.engine.sessions import session
from pipelines.settings import EngineName
opened = session(EngineName.SAIL)
"""

INTERRUPT = """
try:
    os.kill(os.getpid(), signal.SIGINT)
    opened.sql("SELECT 1").collect()
except KeyboardInterrupt:
    print("interrupted", opened.sql("SELECT 40 + 2").collect()[0][0], flush=True)
"""

SPY = """
def asked(*_):
    print("asked", flush=True)
opened.client.execute_command = asked
print("end", flush=True)
"""


def told(program: str) -> str:
    ended = subprocess.run([sys.executable, "-c", OPEN + program], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_server_outlives_an_interrupt() -> None:
    assert told(INTERRUPT) == "interrupted 42\n"


def test_nothing_is_asked_of_the_server_when_the_interpreter_ends() -> None:
    assert told(SPY) == "end\n"
