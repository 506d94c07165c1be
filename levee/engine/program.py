"""Runs one Pulumi program under the engine: what ``pulumi-language-python-exec`` does in the official CLI.

Started as a script by :mod:`levee.engine.language_host` with the *program's own* interpreter, so it may import nothing
but the standard library and that interpreter's ``pulumi`` with its ``grpc``. The request comes as one JSON document on
standard input: configuration, and with it secrets, never stand in arguments or in the environment.

Differences from the official script, each for a reason:

- offline, what only another stack, a build or a real cloud could give is answered, mended or announced, and noted:
  see :mod:`levee.engine.monitor`;
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
import contextlib
import faulthandler
import gc
import importlib
import importlib.util
import inspect
import json
import logging
import os
import pathlib
import runpy
import signal
import sys
import threading
import time
import traceback
import urllib.parse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import types
    from collections.abc import Callable, Mapping

FAILED_AND_SAID_SO = 32
_MACHINERY = ("<frozen ", os.path.dirname(os.__file__), __file__)  # noqa: PTH120 a prefix, not a path
"""What starts a program, where the names of its own code's files do not begin."""
LEFT = "the program left"
NO_SDK = "levee: no Pulumi SDK: "
"""Begins the line on standard error of an interpreter without a ``pulumi`` that can be imported."""


class Notes:
    """What the run leaves for Levee to read: one JSON document a line."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._path = pathlib.Path(request["notes"])
        self._root = os.path.realpath(request["root"])
        sdks = str(pathlib.Path(str(sys.modules["pulumi"].__file__)).absolute().parent.parent)
        self._not_the_programs = (sdks, str(pathlib.Path(__file__).parent), runpy.__file__, "<frozen ")
        self._lock = threading.Lock()

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one record; several threads may."""
        with self._lock, self._path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(record) + "\n")

    def place(self, uri: str, line: int) -> dict[str, Any]:
        """The place as ``{"file", "line"}``, the file relative to the project where it lies inside."""
        path = os.path.realpath(uri.removeprefix("file://"))
        return {
            "file": os.path.relpath(path, self._root) if path.startswith(self._root + os.sep) else path,
            "line": line,
        }

    def frame(self) -> types.FrameType:
        """The innermost frame that is neither an installed package's nor ours; else the outermost."""
        frame = sys._getframe(1)  # noqa: SLF001
        while frame.f_back is not None and self.foreign(frame.f_code.co_filename):
            frame = frame.f_back
        return frame

    def foreign(self, file: str) -> bool:
        """Whether the file is an installed package's, the SDK's or ours."""
        return file.startswith(self._not_the_programs) or "/site-packages/" in file

    def caller(self) -> dict[str, Any]:
        """The place of :meth:`frame`."""
        frame = self.frame()
        return self.place(frame.f_code.co_filename, frame.f_lineno)

    def watch_invokes(self, runtime: Any) -> None:
        """Write down the program's line of every invoke; generated SDKs look these names up at each call."""
        invokes = ("invoke", "invoke_async", "invoke_single", "invoke_output", "invoke_output_single")
        for name in (*invokes, "call", "call_single"):
            if hasattr(runtime, name):
                setattr(runtime, name, self._watched(getattr(runtime, name)))

    def _watched(self, invoke: Callable[..., Any]) -> Callable[..., Any]:
        def watched(tok: str, *args: Any, **more: Any) -> Any:
            self.write({"kind": "invoke", "token": tok, "source": self.caller()})
            return invoke(tok, *args, **more)

        return watched

    def watch_config(self, config: Any) -> None:
        """Write down each key that nobody has set and that the program asked for as if it could do without."""
        for name in [name for name in dir(config) if name == "get" or name.startswith("get_")]:
            setattr(config, name, self._noting_unset(getattr(config, name)))

    def _noting_unset(self, get: Callable[..., Any]) -> Callable[..., Any]:
        def noting(config: Any, key: str, *args: Any, **more: Any) -> Any:
            value = get(config, key, *args, **more)
            if value is None:
                self.write({"kind": "unset", "key": config.full_key(key), "source": self.caller()})
            return value

        return noting


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

    The third ``__init__`` upwards is the concrete resource's or component's own; its caller wrote the resource. Where
    that is an installed package (a component library, the SDK's ``get``), the line that called it counts.
    """
    from pulumi.runtime.proto import source_pb2

    frame, constructors = sys._getframe(1), 0  # noqa: SLF001
    while frame is not None and constructors < 3:
        constructors += frame.f_code.co_name == "__init__"
        frame = frame.f_back
    written = frame
    ours = str(pathlib.Path(__file__).parent)
    while frame is not None and ("/site-packages/" in (name := frame.f_code.co_filename) or name.startswith(ours)):
        frame = frame.f_back
    if frame is None or frame.f_code.co_filename.startswith(_MACHINERY):
        frame = written
    if frame is None:
        return source_pb2.StackTrace()
    uri = "file://" + urllib.parse.quote(frame.f_code.co_filename)
    place = source_pb2.SourcePosition(uri=uri, line=frame.f_lineno)
    return source_pb2.StackTrace(frames=[source_pb2.StackFrame(pc=place)])


def _keeps_outputs(settings: Any) -> bool:
    """Whether this SDK keeps its outstanding outputs as ours expects; before 3.110 it did not."""
    return hasattr(settings, "_get_rpc_manager") and all(hasattr(settings.SETTINGS, n) for n in ("lock", "outputs"))


def _sdk() -> Any:
    """The program's SDK, or the end of the process."""
    # Through importlib: which names this SDK has is asked at run time, for the program's SDK may be an older one.
    try:
        return importlib.import_module("pulumi")
    except Exception as lacking:  # noqa: BLE001 an SDK may be absent, torn, or too old for what it stands on
        sys.exit(f"{NO_SDK}{type(lacking).__name__}: {str(lacking).splitlines()[0]}")


def _settings(pulumi: Any, request: Mapping[str, Any]) -> Any:
    """The SDK's settings, of which an older one knows fewer."""
    same = ("monitor", "engine", "project", "stack", "parallel", "dry_run", "organization")
    given = {**{name: request[name] for name in same}, "root_directory": request["root"]}
    known = inspect.signature(pulumi.runtime.Settings.__init__).parameters
    return pulumi.runtime.Settings(**{name: value for name, value in given.items() if name in known})


def _configure(request: Mapping[str, Any]) -> tuple[Any, Notes, Any]:
    """The program's SDK, connected to the engine, with the notes and the watch on it."""
    pulumi = _sdk()
    settings = _settings(pulumi, request)
    notes = Notes(request)
    monitor = _beside("monitor")
    monitor.Monitor(settings.monitor, request, notes)
    if request["offline"]:
        _beside("stack_reference").install(pulumi, request, notes, _beside("placeholders").choose, monitor.answer_to)
        _beside("unseen_objects").install(pulumi)
    notes.watch_invokes(pulumi.runtime)
    notes.watch_config(pulumi.Config)
    watch = _beside("watch").Watch(importlib.import_module("pulumi.resource"), settings.monitor, notes.caller)
    pulumi.runtime.configure(settings)
    both = len(inspect.signature(pulumi.runtime.set_all_config).parameters) > 1
    pulumi.runtime.set_all_config(request["config"], *([request["secret_keys"]] if both else []))
    if request["fill_config"]:
        filling = _beside("fill_config")
        modules = filling.Modules(*(_beside(name) for name in filling.Modules._fields))
        filling.install(pulumi, notes, modules, request["placeholders"])
    _lighten(pulumi, debug=request["debug"])
    return pulumi, notes, watch


def _lighten(pulumi: Any, *, debug: bool) -> None:
    """Take from the SDK what costs time and helps nobody here; see the head of this file."""
    runtime_settings: Any = importlib.import_module("pulumi.runtime.settings")
    runtime_stack: Any = importlib.import_module("pulumi.runtime.stack")
    runtime_resource: Any = importlib.import_module("pulumi.runtime.resource")
    # One program a process: what the SDK keeps for each context, and looks up 370 times a resource, is one value here.
    for name in ("lock", "outputs", "rpc_manager", "monitor", "engine"):
        if hasattr(runtime_settings.SETTINGS, name):
            setattr(type(runtime_settings.SETTINGS), name, getattr(runtime_settings.SETTINGS, name))
    if _keeps_outputs(runtime_settings) and hasattr(runtime_stack, "wait_for_rpcs"):
        runtime_stack.wait_for_rpcs = _wait_for_rpcs
    if hasattr(runtime_resource, "_get_stack_trace"):
        runtime_resource._get_stack_trace = _stack_trace  # noqa: SLF001 the SDK offers no other way
    if not debug:
        pulumi.log.debug = lambda *_args, **_more: None


def _beside(name: str) -> Any:
    """A module that lies beside this script, under a name that no program's own module has."""
    path = pathlib.Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"_levee_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _entry_point(program: pathlib.Path) -> pathlib.Path:
    """The file to run: a folder means its ``__main__.py``."""
    if program.is_dir():
        return program / "__main__.py"
    return program if program.suffix == ".py" else program.with_name(program.name + ".py")


def _run(entry: pathlib.Path) -> None:
    """Run the program; ``sys.exit(0)`` ends it early and well: what it has registered by then still gets done."""
    try:
        runpy.run_path(str(entry), run_name="__main__")
    except SystemExit as leaving:
        if leaving.code not in (None, 0):
            raise


def _say(pulumi: Any, text: str) -> None:
    """One error for the engine from a thread of our own, past the event loop that may stand still."""
    proto = importlib.import_module("pulumi.runtime.proto.engine_pb2")
    pulumi.runtime.settings.SETTINGS.engine.Log(proto.LogRequest(severity=proto.ERROR, message=text))


def _own_frames(failure: BaseException) -> list[traceback.FrameSummary]:
    """The frames of the program and of what it calls, without those that started it and without the SDK's runtime."""
    sdk = str(pathlib.Path(str(sys.modules["pulumi"].__file__)).parent)
    machinery = (__file__, runpy.__file__, "<frozen runpy>", sdk)
    return [f for f in traceback.extract_tb(failure.__traceback__) if not f.filename.startswith(machinery)]


def _trace(failure: BaseException) -> str:
    """The traceback of a failure, with only the program's own frames; of a syntax error Python tells the place."""
    frames = [] if isinstance(failure, SyntaxError) else _own_frames(failure)
    return "".join(traceback.format_list(frames) + traceback.format_exception_only(type(failure), failure))


def _end_with(parent: int) -> None:
    """Leave when Levee has gone, whatever it died of: a program that waits would wait for ever."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _outcome(pulumi: Any, entry: pathlib.Path, loop: asyncio.AbstractEventLoop) -> int:
    """Run the program to its end and tell the engine what went wrong, if so; the exit code."""
    tell = pulumi.log.error
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run(entry)))
    except pulumi.RunError as failure:
        tell(f"{failure}\n{''.join(traceback.format_list(_own_frames(failure)[-1:]))}")
    except SystemExit as leaving:
        frames = "".join(traceback.format_list(_own_frames(leaving)[-1:]))
        tell(f"{LEFT} with sys.exit({leaving.code!r})\n{frames}")
    except Exception as failure:  # noqa: BLE001 the last frame of a stranger's program
        # The engine has already told the reason of a failed registration.
        if "ResourceMonitor" not in str(failure) and "UNAVAILABLE" not in str(failure):
            tell(f"Program failed with an unhandled exception:\n{_trace(failure)}")
    else:
        return 0
    return FAILED_AND_SAID_SO


def _write_stacks_when_asked(path: str) -> None:
    """Have SIGUSR1 write every thread's stack to that file."""
    stacks = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    faulthandler.register(signal.SIGUSR1, file=stacks, all_threads=True)


def main() -> None:
    """Run the program that the request on standard input names."""
    threading.Thread(target=_end_with, args=(os.getppid(),), name="levee-parent", daemon=True).start()
    request = json.load(sys.stdin)
    entry = _entry_point(pathlib.Path(request["program"]))
    sys.path[0] = str(entry.parent)
    os.chdir(request["pwd"])
    pulumi, notes, watch = _configure(request)
    _write_stacks_when_asked(request["stacks"])
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    watch.start(loop, request["parallel"], lambda text: _say(pulumi, text), FAILED_AND_SAID_SO)
    sys.argv = [str(entry)]
    # A program is mostly a growing graph of live objects: looking for garbage in it as often as usual finds none.
    gc.set_threshold(100_000, 50, 100)
    try:
        code = _outcome(pulumi, entry, loop)
    finally:
        watch.stop()
        watch.leave(notes)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(ValueError, OSError):  # the program closed it
                stream.flush()
    # Threads that wait for a monitor that has gone would hold the exit for minutes.
    os._exit(code)


if __name__ == "__main__":
    main()
