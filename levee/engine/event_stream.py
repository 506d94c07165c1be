"""Receives the engine's events while it runs, over the stream that the CLI offers its drivers.

The other way, a file named by ``--event-log``, cannot be followed: the CLI truncates it when the update begins after
its preview, and a reader finds itself in the middle of a line.

Source: ``pulumirpc.Events`` in ``proto/pulumi/events.proto`` of pulumi 3.250; ``--event-log tcp://host:port``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import events_pb2_grpc
from typing_extensions import override

Listener = Callable[[Mapping[str, Any]], None]
"""Gets every engine event as it happens (``sdk/go/common/apitype/events.go``)."""

_OPTIONS: Final = [("grpc.max_receive_message_length", 400 << 20)]


class EventStream(events_pb2_grpc.EventsServicer):
    """Keeps the events of one operation in a file and hands each to a listener.

    An update comes as two streams, of its preview and of itself: the file holds the last one.

    Args:
        log: JSON lines, written anew by each stream.
        listener: Called from a thread of its own; what it raises is raised again when the block is left, and the
            engine goes on undisturbed.
    """

    def __init__(self, log: Path, listener: Listener | None = None) -> None:
        self._log = log
        self._listener = listener
        self._failure: Exception | None = None
        self._server = grpc.server(ThreadPoolExecutor(max_workers=2), options=_OPTIONS)
        self._port = 0

    @property
    def address(self) -> str:
        """What ``--event-log`` is given."""
        return f"tcp://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        events_pb2_grpc.add_EventsServicer_to_server(self, self._server)
        self._port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The CLI waits for our answer to each stream, so only a killed one leaves a stream that is still open.
        self._server.stop(grace=None).wait()
        if self._failure is not None and kind is None:
            raise self._failure

    @override
    def StreamEvents(self, request_iterator: Iterator[Any], context: grpc.ServicerContext) -> Any:
        """Take in one stream to its end."""
        with self._log.open("w", encoding="utf-8") as log:
            try:
                for request in request_iterator:
                    log.write(request.event if request.event.endswith("\n") else request.event + "\n")
                    self._tell(request.event)
            except grpc.RpcError:
                log.write('{"cut": true}\n')  # the CLI was killed: what came before stands
        return Empty()

    def _tell(self, event: str) -> None:
        if self._listener is None or self._failure is not None:
            return
        try:
            self._listener(json.loads(event))
        except Exception as failure:  # noqa: BLE001 raised again in the caller's thread
            self._failure = failure
