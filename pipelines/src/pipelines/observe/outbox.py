"""Sends what is told of runs: in the background, in order, within bounds, counting what is lost.

A destination that fails three times in a row is left alone for a minute: a receiver that hangs costs a run seconds,
never more, however many tasks it has.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

log = logging.getLogger("levee.telemetry")

WAITING: Final = 1000
"""Messages that may wait; more are lost, and counted."""
IN_A_ROW: Final = 3
"""Failures of a destination after which it is left alone."""
LEFT_ALONE: Final = 60.0
"""Seconds for which it is."""
PATIENCE: Final = 5.0
"""Seconds that the end of a task waits for what it has to tell."""


@dataclass(slots=True)
class _Destination:
    failures: int = 0
    in_a_row: int = 0
    until: float = 0.0


@dataclass(slots=True)
class Outbox:
    """A queue with one thread that empties it.

    Attributes:
        clock: Seconds that never go back.
    """

    clock: Callable[[], float] = time.monotonic
    _queue: queue.Queue[tuple[str, Callable[[], None]]] = field(default_factory=lambda: queue.Queue(WAITING))
    _destinations: dict[str, _Destination] = field(default_factory=dict)
    _lost: Counter[str] = field(default_factory=Counter)
    _thread: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, destination: str, message: Callable[[], None]) -> None:
        """Have `message` called in the background; it raises where it could not be delivered."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="levee-telemetry", daemon=True)
                self._thread.start()
        try:
            self._queue.put_nowait((destination, message))
        except queue.Full:
            self.lost(destination, "too much is waiting")

    def lost(self, destination: str, why: object) -> None:
        """Count a message that could not be delivered; the first is told."""
        with self._lock:
            self._lost[destination] += 1
            first = self._lost[destination] == 1
        if first:
            log.warning("telemetry to %s is lost, and counted: %s", destination, why)

    def failures(self) -> dict[str, int]:
        """Messages lost, by destination, since the process began."""
        with self._lock:
            return dict(self._lost)

    def drain(self, patience: float = PATIENCE) -> bool:
        """Wait until all that was sent is delivered or lost; ``False`` where that takes longer."""
        done = threading.Event()
        if self._thread is None:
            return True
        try:
            self._queue.put(("", done.set), timeout=patience)
        except queue.Full:
            return False
        return done.wait(patience)

    def _work(self) -> None:
        while True:
            name, message = self._queue.get()
            destination = self._destinations.setdefault(name, _Destination())
            if self.clock() < destination.until:
                self.lost(name, "it failed before, and is left alone for a minute")
                continue
            try:
                message()
            except Exception as error:  # noqa: BLE001 - telemetry never fails a run; it is counted
                self.lost(name, f"{type(error).__name__}: {error}")
                destination.in_a_row += 1
                if destination.in_a_row >= IN_A_ROW:
                    destination.until, destination.in_a_row = self.clock() + LEFT_ALONE, 0
            else:
                destination.in_a_row = 0


OUTBOX = Outbox()
"""The outbox of this process."""
