"""Tells whether a run is still doing something: the engine's events, the program's words, operations in hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from levee.engine.event_stream import Listener

_BEGINS = "resourcePreEvent"
_ENDS = ("resOutputsEvent", "resOpFailedEvent")


class Activity:
    """A clock that starts anew with everything that happens; safe to share between threads.

    Args:
        limit: Seconds of silence after which a run counts as hanging; 0 for never.
        listener: Gets every event, too.
    """

    def __init__(self, limit: float, listener: Listener | None = None) -> None:
        self.limit = limit
        self._listener = listener
        self._lock = threading.Lock()
        self._last = time.monotonic()
        self._in_hand: set[str] = set()

    def listen(self, event: Mapping[str, Any]) -> None:
        """Take one engine event."""
        with self._lock:
            self._last = time.monotonic()
            if step := event.get(_BEGINS):
                self._in_hand.add(step["metadata"]["urn"])
            for kind in _ENDS:
                if step := event.get(kind):
                    self._in_hand.discard(step["metadata"]["urn"])
        if self._listener is not None:
            self._listener(event)

    def hangs(self) -> bool:
        """Whether nothing has happened for too long, and no provider has an operation in hand."""
        with self._lock:
            return bool(self.limit) and not self._in_hand and time.monotonic() - self._last > self.limit
