"""Runs one Pulumi program under the engine: what ``pulumi-language-python-exec`` does in the official CLI.

Started as a script by :mod:`levee.engine.language_host` with the *program's own* interpreter, so it may import nothing
but the standard library and that interpreter's ``pulumi`` with its ``grpc``. The request comes as one JSON document on
standard input: configuration, and with it secrets, never stand in arguments or in the environment.

Differences from the official script, each for a reason:

- stack references are answered from a file of outputs where one is given, because the file backend refuses another
  organisation's stack and a missing one (``references`` in the request);
- every invoke is noted with the program's line that made it (``notes`` in the request), so that an invented answer
  can be shown where it is used;
- source positions are taken from the frames alone, without reading every source line of the whole stack from disk;
- debug messages stay in the process unless asked for: the SDK sends the engine one blocking call a registration;
- finished outputs are awaited together and not one by one with the rest of the set scanned each time, which is
  quadratic in the number of resources.

Exit code 0: the program ran; 32: it failed and the engine was told why; anything else: it died.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import logging
import os
import pathlib
import runpy
import sys
import threading
import traceback
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FAILED_AND_SAID_SO = 32


class Monitor:
    """The engine's resource monitor, with stack references answered here and invokes noted.

    Args:
        stub: The SDK's own ``ResourceMonitorStub``.
        request: The run request.
        notes: Where a stack reference answered here is written down.
    """

    def __init__(self, stub: Any, request: Mapping[str, Any], notes: Notes) -> None:
        self._stub = stub
        self._references = request.get("references") or {}
        self._request = request
        self._notes = notes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stub, name)

    def RegisterResource(self, call: Any) -> Any:  # noqa: N802 the stub's own name
        """Register; of what is refused, note the line: no state will ever hold it."""
        try:
            return self._stub.RegisterResource(call)
        except grpc.RpcError:
            place = self._notes.place(call.sourcePosition.uri, call.sourcePosition.line)
            self._notes.write({"kind": "refused", "type": call.type, "name": call.name, "source": place})
            raise

    def ReadResource(self, call: Any) -> Any:  # noqa: N802 the stub's own name
        """Answer a stack reference from the given outputs; pass every other read on."""
        if call.type != "pulumi:pulumi:StackReference":
            return self._stub.ReadResource(call)
        answer = self._references.get(call.id) or self._references.get(call.id.rsplit("/", 1)[-1])
        if answer is None:
            return self._stub.ReadResource(call)
        from pulumi.runtime.proto import resource_pb2

        self._notes.write(
            {
                "kind": "stack_reference",
                "name": call.id,
                "from": answer["from"],
                "outputs": sorted(answer["outputs"]),
                "source": self._notes.place(call.sourcePosition.uri, call.sourcePosition.line),
            }
        )
        urn = "urn:pulumi:{stack}::{project}::pulumi:pulumi:StackReference::{name}".format(
            stack=self._request["stack"], project=self._request["project"], name=call.name
        )
        response = resource_pb2.ReadResourceResponse(urn=urn)
        response.properties.update(
            {
                "name": call.id,
                "outputs": answer["outputs"],
                "secretOutputNames": answer.get("secret_output_names", []),
            }
        )
        return response


class Notes:
    """What the run leaves for Levee to read: one JSON document a line."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._path = request.get("notes")
        self._root = os.path.realpath(request["root"])
        self._sdks = str(pathlib.Path(str(sys.modules["pulumi"].__file__)).absolute().parent.parent)
        self._lock = threading.Lock()

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one record; several threads may."""
        if self._path:
            with self._lock, pathlib.Path(self._path).open("a", encoding="utf-8") as out:
                out.write(json.dumps(record) + "\n")

    def place(self, uri: str, line: int) -> dict[str, Any]:
        """The place as ``{"file", "line"}``, the file relative to the project where it lies inside."""
        path = os.path.realpath(uri.removeprefix("file://"))
        return {
            "file": os.path.relpath(path, self._root) if path.startswith(self._root + os.sep) else path,
            "line": line,
        }

    def watch_invokes(self, runtime: Any) -> None:
        """Write down the program's line of every invoke; generated SDKs look these names up at each call."""
        for name in ("invoke", "invoke_async", "invoke_single", "invoke_output", "invoke_output_single"):
            if hasattr(runtime, name):
                setattr(runtime, name, self._watched(getattr(runtime, name)))

    def _watched(self, invoke: Callable[..., Any]) -> Callable[..., Any]:
        def watched(tok: str, *args: Any, **more: Any) -> Any:
            frame = sys._getframe(1)  # noqa: SLF001
            while frame.f_back is not None and frame.f_code.co_filename.startswith(self._sdks):
                frame = frame.f_back
            self.write({"kind": "invoke", "token": tok, "source": self.place(frame.f_code.co_filename, frame.f_lineno)})
            return invoke(tok, *args, **more)

        return watched


async def _wait_for_rpcs(await_all_outstanding_tasks: bool = True) -> None:
    """What ``pulumi.runtime.stack.wait_for_rpcs`` does, in time proportional to the work."""
    from pulumi.runtime.settings import SETTINGS, _get_rpc_manager

    manager = _get_rpc_manager()
    while True:
        while manager.rpcs:
            await asyncio.sleep(0)
            try:
                await manager.rpcs.pop()
            except Exception as failure:
                if manager.unhandled_exception is not None:
                    raise failure from manager.unhandled_exception.with_traceback(manager.exception_traceback)
                raise
        if manager.unhandled_exception is not None:
            raise manager.unhandled_exception.with_traceback(manager.exception_traceback)
        while await_all_outstanding_tasks:
            with SETTINGS.lock:
                pending = list(SETTINGS.outputs)
                SETTINGS.outputs.clear()
            if not pending:
                break
            # The first failure is raised at once, as in the SDK; the rest of the set is then of no interest.
            for task in asyncio.as_completed(pending):
                await task
        if not manager.rpcs and not SETTINGS.outputs:
            return


def _stack_trace() -> Any:
    """The program's place of a registration: what ``pulumi.runtime.resource._get_stack_trace`` finds, one frame long.

    The third ``__init__`` upwards is the concrete resource's or component's own; its caller wrote the resource.
    """
    from pulumi.runtime.proto import source_pb2

    frame, constructors = sys._getframe(1), 0  # noqa: SLF001
    while frame is not None and constructors < 3:
        constructors += frame.f_code.co_name == "__init__"
        frame = frame.f_back
    if frame is None:
        return source_pb2.StackTrace()
    uri = "file://" + urllib.parse.quote(frame.f_code.co_filename)
    place = source_pb2.SourcePosition(uri=uri, line=frame.f_lineno)
    return source_pb2.StackTrace(frames=[source_pb2.StackFrame(pc=place)])


def _configure(request: Mapping[str, Any]) -> Any:
    # Through importlib: which names this SDK has is asked at run time, for the program's SDK may be an older one.
    pulumi: Any = importlib.import_module("pulumi")
    runtime_settings: Any = importlib.import_module("pulumi.runtime.settings")
    runtime_stack: Any = importlib.import_module("pulumi.runtime.stack")
    runtime_resource: Any = importlib.import_module("pulumi.runtime.resource")
    settings = pulumi.runtime.Settings(
        monitor=request["monitor"],
        engine=request["engine"],
        project=request["project"],
        stack=request["stack"],
        parallel=request["parallel"],
        dry_run=request["dry_run"],
        organization=request["organization"],
        root_directory=request["root"],
    )
    notes = Notes(request)
    settings.monitor = Monitor(settings.monitor, request, notes)
    notes.watch_invokes(pulumi.runtime)
    runtime_settings.configure(settings)
    pulumi.runtime.set_all_config(request["config"], request["secret_keys"])
    # One program a process: what the SDK keeps for each context, and looks up 370 times a resource, is one value here.
    for name in ("lock", "outputs", "rpc_manager", "monitor", "engine"):
        setattr(type(runtime_settings.SETTINGS), name, getattr(runtime_settings.SETTINGS, name))
    if hasattr(runtime_stack, "wait_for_rpcs"):
        runtime_stack.wait_for_rpcs = _wait_for_rpcs
    if hasattr(runtime_resource, "_get_stack_trace"):
        runtime_resource._get_stack_trace = _stack_trace  # noqa: SLF001 the SDK offers no other way
    if not request.get("debug"):
        pulumi.log.debug = lambda *_args, **_more: None
    return pulumi


def _entry_point(program: pathlib.Path) -> pathlib.Path:
    """The file to run: a folder means its ``__main__.py``."""
    if program.is_dir():
        return program / "__main__.py"
    return program if program.suffix == ".py" else program.with_name(program.name + ".py")


def _tell(pulumi: Any, message: str) -> None:
    report = pulumi.log.error
    report(message)


def _own_frames(failure: BaseException) -> list[traceback.FrameSummary]:
    """The frames of the program and of what it calls, without those that started it and without the SDK's runtime."""
    sdk = str(pathlib.Path(str(sys.modules["pulumi"].__file__)).parent)
    machinery = (__file__, runpy.__file__, "<frozen runpy>", sdk)
    return [f for f in traceback.extract_tb(failure.__traceback__) if not f.filename.startswith(machinery)]


def _report(pulumi: Any, failure: BaseException) -> None:
    """Tell the engine what went wrong, with only the program's own frames."""
    frames = _own_frames(failure)
    if isinstance(failure, SyntaxError):
        lines = traceback.format_exception_only(type(failure), failure)
    else:
        lines = traceback.format_list(frames) + traceback.format_exception_only(type(failure), failure)
    _tell(pulumi, "Program failed with an unhandled exception:\n" + "".join(lines))


def main() -> None:
    """Run the program that the request on standard input names."""
    request = json.load(sys.stdin)
    entry = _entry_point(pathlib.Path(request["program"]))
    sys.path[0] = str(entry.parent)
    os.chdir(request["pwd"])
    pulumi = _configure(request)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(request["parallel"], 1) * 4))
    sys.argv = [str(entry)]
    # A program is mostly a growing graph of live objects: looking for garbage in it as often as usual finds none.
    gc.set_threshold(100_000, 50, 100)
    code = 0
    try:
        loop.run_until_complete(
            pulumi.runtime.run_in_stack(lambda: runpy.run_path(str(entry), run_name="__main__") and None)
        )
    except pulumi.RunError as failure:
        _tell(pulumi, str(failure) + "\n" + "".join(traceback.format_list(_own_frames(failure)[-1:])))
        code = FAILED_AND_SAID_SO
    except SystemExit as leaving:
        if leaving.code not in (None, 0):
            _tell(pulumi, f"Program exited with code {leaving.code}")
            code = FAILED_AND_SAID_SO
    except Exception as failure:  # noqa: BLE001 the last frame of a stranger's program
        # The engine has already told the reason of a failed registration.
        if "ResourceMonitor" not in str(failure) and "UNAVAILABLE" not in str(failure):
            _report(pulumi, failure)
        code = FAILED_AND_SAID_SO
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        sys.stdout.flush()
        sys.stderr.flush()
    # Threads that wait for a monitor that has gone would hold the exit for minutes.
    os._exit(code)


if __name__ == "__main__":
    main()
