"""Watches a running program for resources that wait for each other, which would otherwise wait for ever.

The SDK finds circles of ``depends_on`` by itself. What it cannot find is a circle through outputs: then the program's
event loop has nothing to do, nothing to wake it, and resources that never reached the engine. That is certain, so it is
said at once, with the lines, and not after a timeout.

Loaded by path into the *program's own* interpreter, so it may import nothing but the standard library and that
interpreter's ``pulumi``.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Mapping

CIRCLE = "These resources wait for each other, and none can begin:"
_LOOKS = 4
_SECONDS_BETWEEN = 0.5
_MOST = 20
_THREADS_A_RESOURCE = 4
"""As many as the SDK gives a program (``pulumi.automation._server``)."""
_STACK = "pulumi:pulumi:Stack"
"""Made by the SDK itself, on no line of the program."""


class Workers(ThreadPoolExecutor):
    """The event loop's threads, with a count of the calls that they have in hand or in their queue.

    The executor's own count of idle threads is too high once calls had to queue.
    """

    def __init__(self, most: int) -> None:
        super().__init__(max_workers=most)
        self.in_hand = 0
        self._count = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **more: Any) -> Any:
        """Hand a call to a thread; it counts until it is done."""
        self._add(1)
        future = super().submit(fn, *args, **more)
        future.add_done_callback(lambda _: self._add(-1))
        return future

    def _add(self, calls: int) -> None:
        with self._count:
            self.in_hand += calls


class Watch:
    """Knows which resources the program has begun and the engine has not got yet.

    Args:
        runtime: The SDK's ``pulumi.resource`` module, through which every resource registers itself.
        stub: The connection to the engine.
        caller: Says the program's line that is running.
    """

    def __init__(self, runtime: Any, stub: Any, caller: Callable[[], Mapping[str, Any]]) -> None:
        self.begun: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._places: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        self._stop = False
        self._caller = caller
        for name in ("register_resource", "read_resource"):
            setattr(runtime, name, self._beginning(getattr(runtime, name)))
        for name in ("RegisterResource", "ReadResource"):
            setattr(stub, name, self._sent(getattr(stub, name)))

    def _beginning(self, register: Callable[..., Any]) -> Callable[..., Any]:
        def begin(res: Any, ty: str, name: str, *args: Any, **more: Any) -> Any:
            if ty != _STACK:
                place = self.begun[ty, name] = self._caller()
                self._places.setdefault((ty, name), []).append(place)
            return register(res, ty, name, *args, **more)

        return begin

    def _sent(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def sent(call: Any, *args: Any, **more: Any) -> Any:
            self.begun.pop((call.type, call.name), None)
            return send(call, *args, **more)

        return sent

    def start(self, loop: AbstractEventLoop, parallel: int, say: Callable[[str], None], code: int) -> None:
        """Give the loop its threads, and look every now and then whether any can still wake it.

        Args:
            loop: The program's event loop.
            parallel: How many resources the engine takes at once.
            say: Tells a certain circle.
            code: Ends the process then.
        """
        executor = Workers(max(parallel, 1) * _THREADS_A_RESOURCE)
        loop.set_default_executor(executor)

        def look() -> None:
            main, still = threading.main_thread(), 0
            while still < _LOOKS:
                time.sleep(_SECONDS_BETWEEN)
                if self._stop:
                    return
                still = still + 1 if self.begun and _nothing_can_happen(loop, executor, main) else 0
            say("\n".join([CIRCLE, *self.lines()]))
            os._exit(code)

        threading.Thread(target=look, name="levee-watch", daemon=True).start()

    def stop(self) -> None:
        """The program has ended."""
        self._stop = True

    def leave(self, notes: Any) -> None:
        """Write down what a failed run may have to be explained with."""
        for (kind, name), source in list(self.begun.items())[:_MOST]:
            notes.write({"kind": "begun", "type": kind, "name": name, "source": source})
        more_than_once = [(key, places) for key, places in self._places.items() if len(places) > 1]
        for (kind, name), places in more_than_once[:_MOST]:
            notes.write({"kind": "twice", "type": kind, "name": name, "source": places[0], "again": places[-1]})

    def lines(self) -> list[str]:
        """``type 'name' at file:line`` of what has not begun."""
        waiting = list(self.begun.items())
        told = [f"  {ty} '{name}' at {at['file']}:{at['line']}" for (ty, name), at in waiting[:_MOST]]
        return told + ([f"  and {len(waiting) - _MOST} more"] if len(waiting) > _MOST else [])


def _nothing_can_happen(loop: Any, executor: Workers, main: threading.Thread) -> bool:
    """Whether the loop waits, and neither a timer, a thread nor a descriptor will ever wake it.

    Where an interpreter keeps these things under other names nothing is concluded.
    """
    frame = sys._current_frames().get(main.ident or 0)  # noqa: SLF001 the documented way to see another thread
    workers = getattr(executor, "_threads", None)
    selector = getattr(loop, "_selector", None)
    if frame is None or workers is None or selector is None:
        return False
    others = [
        t for t in threading.enumerate() if t is not main and t not in workers and not t.name.startswith("levee-")
    ]
    return (
        frame.f_code.co_filename.endswith("selectors.py")
        and not loop._ready  # noqa: SLF001
        and not loop._scheduled  # noqa: SLF001
        and len(selector.get_map()) <= 1  # the loop's own descriptor, by which threads wake it
        and executor.in_hand == 0
        and not others
    )
