"""What the watch over a running program counts."""

import threading
from concurrent.futures import wait

from levee.engine.watch import Workers


def test_a_call_in_hand_counts_also_after_calls_had_to_queue():
    """The executor's own count of idle threads is then too high, and work at hand was taken for a circle."""
    workers, gate = Workers(2), threading.Event()
    wait([workers.submit(int) for _ in range(50)])
    held = workers.submit(gate.wait)
    assert workers.in_hand == 1
    gate.set()
    wait([held])
    workers.shutdown()
    assert workers.in_hand == 0
