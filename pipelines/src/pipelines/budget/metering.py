"""Node-seconds of the tasks of this process.

Tasks that are at work at the same time in one session share its machines: each moment is divided equally among them,
so that the tasks' seconds add up to what the machines were paid for, and never to more. The clock is monotonic: setting
the machine's clock back changes nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Share:
    """One task's part.

    Attributes:
        nodes: Machines that it runs on.
        seconds: Node-seconds until now.
    """

    nodes: int = 1
    seconds: float = 0.0


@dataclass(slots=True)
class Meter:
    """Divides time among the tasks at work.

    Attributes:
        clock: Seconds that never go back.
    """

    clock: Callable[[], float] = time.monotonic
    _at_work: list[Share] = field(default_factory=list)
    _ended: float = 0.0
    _last: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self, nodes: int = 1) -> Generator[Share]:
        """Meter a task while the block runs."""
        share = Share(nodes)
        with self._lock:
            self._divide()
            self._at_work.append(share)
        try:
            yield share
        finally:
            with self._lock:
                self._divide()
                self._at_work.remove(share)
                self._ended += share.seconds

    def seconds(self, share: Share) -> float:
        """Node-seconds of a task until now."""
        with self._lock:
            self._divide()
            return share.seconds

    def ended(self) -> float:
        """Node-seconds of the tasks that have ended."""
        with self._lock:
            return self._ended

    def all(self) -> float:
        """Node-seconds of all tasks until now, those that have ended included."""
        with self._lock:
            self._divide()
            return self._ended + sum(share.seconds for share in self._at_work)

    def _divide(self) -> None:
        now = self.clock()
        passed = max(now - self._last, 0.0) if self._at_work else 0.0
        for share in self._at_work:
            share.seconds += passed * share.nodes / len(self._at_work)
        self._last = now


PROCESS = Meter()
"""The meter of this process."""
