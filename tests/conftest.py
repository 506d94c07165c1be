"""For the tests of both environments: properties are judged by what they say, not by how long a busy machine took.

They are tried on the same examples everywhere, so that a red run is the doing of the change that it tests; with
``LEVEE_EXPLORE=1`` on new ones each time.
"""

import os
import signal

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
