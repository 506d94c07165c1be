"""A Pulumi language host for Python programs, served from Levee's own process.

The engine is started with ``--client=127.0.0.1:<port>`` and asks this host to run the program; the host starts
:mod:`levee.engine.program` with the program's own interpreter and gives it the request on standard input. It is used
both offline and online, because the Pulumi CLI that is built from its Go module ships no Python host.

Source: ``pulumirpc.LanguageRuntime`` in ``proto/pulumi/language.proto`` of pulumi 3.250.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, language_pb2, language_pb2_grpc, plugin_pb2
from typing_extensions import override

from levee.engine.processes import MARK, end_family
from levee.engine.program import FAILED_AND_SAID_SO, NO_SDK

MAX_OUTPUT_BYTES: Final = 1 << 20
"""Of what a program prints, so much is shown; the rest is counted and said: a flood fills neither log nor disk."""

_TAIL_LINES: Final = 20
"""So many of the last are told of a program that died."""

_LINE_COST: Final = 64
"""Bytes that every line counts for beside its own: each is a message to the engine."""
_MOST_PARALLEL: Final = 64
"""Registrations that a program has in hand at most; each holds a thread."""

_SCRIPT: Final = Path(__file__).with_name("program.py")
_CHANNEL_OPTIONS: Final = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20)]


@dataclass(frozen=True)
class Program:
    """What to run and with what.

    Attributes:
        root: The folder of ``Pulumi.yaml``.
        interpreter: The Python that has the program's SDKs.
        environment: The whole environment of the program's process.
        prefix: The command that the interpreter is started by, where something is to hold the program.
        references: Outputs by stack name, ``{"from": <file>, "outputs": {...}, "secret_output_names": [...]}``.
        secrets: Secrets of the configuration that the engine does not get, by full key.
        notes: File that the program's invokes and references are written to, JSON lines.
        stacks: File that the program writes its threads' stacks to when it is ended for hanging.
        debug: Whether the SDK's debug messages reach the engine.
        fill_config: Whether configuration that nobody has set is answered with placeholders.
        placeholders: The folder for files that stand for paths that nobody has set.
        offline: Whether stand-ins answer for the clouds: what only another stack, a build or a cloud could give is then
            answered with placeholders.
        deployed: Whether the stack is up: a placeholder that an update was given then stands in a preview too.
        standins: Port by package of the stand-ins.
    """

    root: Path
    interpreter: Path
    environment: Mapping[str, str]
    prefix: Sequence[str]
    references: Mapping[str, Any]
    secrets: Mapping[str, str]
    notes: Path
    stacks: Path
    debug: bool
    fill_config: bool
    placeholders: Path
    offline: bool
    deployed: bool
    standins: Mapping[str, int]


class _Output:
    """Passes a program's prints on to the engine as messages, at most ``MAX_OUTPUT_BYTES`` of them."""

    def __init__(self, engine: engine_pb2_grpc.EngineStub) -> None:
        self._engine = engine
        self._left = MAX_OUTPUT_BYTES
        self._lock = threading.Lock()
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self.dropped = 0
        self.printed = 0

    def pump(self, stream: BufferedReader) -> None:
        """Read to the end whatever the volume: a full pipe would stop the program."""
        with stream:
            while chunk := self._next(stream):
                with self._lock:
                    self.printed += len(chunk)
                    if len(chunk) + _LINE_COST > self._left:
                        self.dropped += len(chunk)
                        continue
                    self._left -= len(chunk) + _LINE_COST
                    text = chunk.decode("utf-8", "replace").rstrip("\n")
                    self.tail.append(text)
                self.say(engine_pb2.INFO, text)

    def _next(self, stream: BufferedReader) -> bytes:
        """A line, or of what is only counted as much as there is."""
        return stream.readline(65536) if not self.dropped else stream.read1(1 << 20)

    def say(self, severity: Any, text: str) -> None:
        """One message to the engine; after it has gone there is nobody left to tell."""
        try:
            self._engine.Log(engine_pb2.LogRequest(severity=severity, message=text))
        except grpc.RpcError as gone:
            self.tail.append(f"engine gone: {gone}")


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Serves one program to one engine; a context manager that stops the program when it is left."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._server = grpc.server(ThreadPoolExecutor(max_workers=8), options=_CHANNEL_OPTIONS)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._mark = secrets.token_hex(16)
        self.port = 0

    def __enter__(self) -> Self:
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in list(self._running):
            try:
                # Its calls fail now that the engine has gone; it still writes down where they came from.
                process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                end_family(process.pid, self._mark)
        self._server.stop(grace=0)

    def end_program(self) -> None:
        """Kill a program that hangs, after it was made to write down where."""
        for process in list(self._running):
            process.send_signal(signal.SIGUSR1)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
            end_family(process.pid, self._mark)

    @override
    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Nothing of the engine's first word is needed here."""
        return language_pb2.LanguageHandshakeResponse()

    @override
    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Levee's host has no version of its own."""
        return plugin_pb2.PluginInfo(version="")

    @override
    def GetRequiredPlugins(self, request: Any, context: grpc.ServicerContext) -> Any:
        """None: the stand-ins are attached, and online the engine finds what the resources ask for."""
        return language_pb2.GetRequiredPluginsResponse()

    @override
    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:
        """See ``GetRequiredPlugins``."""
        return language_pb2.GetRequiredPackagesResponse()

    @override
    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        """None are told."""
        return language_pb2.GetProgramDependenciesResponse()

    @override
    def InstallDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The toolchain of the program installs, not the engine."""
        yield language_pb2.InstallDependenciesResponse(
            stdout=b"dependencies are installed by the project's toolchain\n"
        )

    @override
    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The interpreter that runs the program."""
        return language_pb2.AboutResponse(executable=str(self._program.interpreter))

    @override
    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Ask the program to stop."""
        for process in list(self._running):
            process.terminate()
        return Empty()

    @override
    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Run the program to its end and say how it went."""
        engine_address = request.args[0] if request.args else ""
        with grpc.insecure_channel(engine_address, options=_CHANNEL_OPTIONS) as channel:
            try:
                process = self._start()
            except OSError as refused:
                return language_pb2.RunResponse(error=f"{NO_SDK}{self._program.interpreter} cannot be run: {refused}")
            output = _Output(engine_pb2_grpc.EngineStub(channel))
            return _response(self._finish(process, self._document(request, engine_address), output), output)

    def _document(self, request: Any, engine_address: str) -> dict[str, Any]:
        """What :mod:`levee.engine.program` reads on its standard input."""
        program = self._program
        entry = Path(request.info.program_directory or request.pwd or program.root) / (request.info.entry_point or ".")
        return {
            "root": str(program.root),
            "program": os.path.normpath(entry),
            "pwd": request.pwd or str(program.root),
            "monitor": request.monitor_address,
            "engine": engine_address,
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization or "organization",
            "parallel": min(max(request.parallel, 1), _MOST_PARALLEL),
            "dry_run": request.dryRun,
            "config": {**program.secrets, **request.config},
            "secret_keys": [*program.secrets, *request.configSecretKeys],
            "references": dict(program.references),
            "notes": str(program.notes),
            "stacks": str(program.stacks),
            "debug": program.debug,
            "fill_config": program.fill_config,
            "placeholders": str(program.placeholders),
            "offline": program.offline,
            "unknown": request.dryRun and not program.deployed,
            "standins": dict(program.standins),
        }

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*self._program.prefix, str(self._program.interpreter), "-u", str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self._program.environment, MARK: self._mark},
            start_new_session=True,
        )
        self._running.add(process)
        return process

    def _finish(self, process: subprocess.Popen[bytes], document: Mapping[str, Any], output: _Output) -> int:
        """Give the program its request and wait until it, and all that it left behind, has ended; its exit code."""
        pumps = [
            threading.Thread(target=output.pump, args=(stream,), daemon=True)
            for stream in (process.stdout, process.stderr)
        ]
        for pump in pumps:
            pump.start()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(document).encode())
            process.stdin.close()
        except BrokenPipeError:
            output.say(engine_pb2.WARNING, "the program ended before it was given its request")
        code = process.wait()
        left = end_family(process.pid, self._mark)
        for pump in pumps:
            # Where a system does not tell who is left, one of them may hold the pipe open for ever.
            pump.join(timeout=2)
        self._running.discard(process)
        if left:
            names = ", ".join(sorted({process.command for process in left})[:3])
            output.say(engine_pb2.WARNING, f"the program left {len(left)} processes behind, now ended: {names}")
        return code


def _response(code: int, output: _Output) -> Any:
    """How the program went, as the engine is told it, and how much of what it printed is not shown."""
    if output.dropped:
        output.say(
            engine_pb2.WARNING,
            f"the program printed {output.printed:,} bytes; the last {output.dropped:,} are not shown",
        )
    if code == 0:
        return language_pb2.RunResponse()
    if code == FAILED_AND_SAID_SO:
        return language_pb2.RunResponse(bail=True)
    ending = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
    last = "\n".join(output.tail)
    return language_pb2.RunResponse(error=f"the program {ending} before it was done{': ' if last else ''}{last}")
