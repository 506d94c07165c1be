"""For the tests of both environments: properties are judged by what they say, not by how long a busy machine took.

They are tried on the same examples everywhere, so that a red run is the doing of the change that it tests; with
``LEVEE_EXPLORE=1`` on new ones each time. A test that nothing can interrupt ends its process, and is named.
"""

import faulthandler
import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize=os.environ.get("LEVEE_EXPLORE") != "1",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")

# As levee/__init__.py does, before any test imports grpc.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

# A shell's background job ignores Ctrl-C, and so would every process that a test starts and then interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

GRACE = 60.0
"""Seconds that a test has, after its timeout was raised in it, to clean up."""

STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep standard error as it is before a test's output is captured."""
    config.stash[STDERR] = os.dup(2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """End the process, with every thread's stack, where a test outlives its timeout.

    pytest-timeout raises in the main thread, which one that waits in native code never hears.
    """
    marker = item.get_closest_marker("timeout")
    limit = float(marker.args[0] if marker else item.config.getini("timeout"))
    faulthandler.dump_traceback_later(limit + GRACE, exit=True, file=item.config.stash[STDERR])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
