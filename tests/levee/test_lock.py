import math
import os
import signal
import subprocess
import sys
import time

import pytest

from levee.errors import EngineError
from levee.lock import exclusive

HOLD = """
import sys, time
from pathlib import Path
from levee.lock import exclusive
with exclusive(Path(sys.argv[1]), doing="levee run sales"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock."""
    lock = tmp_path / "locks" / "run"
    with subprocess.Popen([sys.executable, "-c", HOLD, lock], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield lock, process
        process.kill()


def test_the_second_is_refused_and_told_who_holds_it(holder):
    lock, process = holder
    with pytest.raises(EngineError) as caught, exclusive(lock, doing="levee replay"):
        pytest.fail("two held it")
    assert f"levee replay cannot start: levee run sales (process {process.pid}) is at work" in str(caught.value)


def test_kill_9_leaves_nothing_stuck(holder):
    lock, process = holder
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with exclusive(lock, doing="levee replay"):
        assert lock.read_text() == f"levee replay (process {os.getpid()})"


@pytest.mark.parametrize("patience", [30.0, math.inf])
def test_one_that_waits_gets_it_after_the_other(holder, patience):
    lock, process = holder
    started = time.monotonic()
    subprocess.Popen(["/bin/sh", "-c", f"sleep 0.4; kill -9 {process.pid}"]).wait()
    with exclusive(lock, doing="levee replay", patience=patience):
        assert time.monotonic() - started > 0.3
