"""The process: one gRPC server a package, alive as long as its parent wants it."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from levee.engine.standin import fault_rules, own_answers
from levee.engine.standin.cloud import SimulatedCloud
from levee.engine.standin.components import Components
from levee.engine.standin.existing import Existing
from levee.engine.standin.faults import Faults
from levee.engine.standin.journal import Journal
from levee.engine.standin.lookups import Lookups
from levee.engine.standin.manifests import Manifests
from levee.engine.standin.outputs import Outputs
from levee.engine.standin.provider import Provider
from levee.engine.standin.servicer import Servicer
from levee.errors import UsageError
from levee.sdk import Sdk

_WORKERS: Final = 128
"""More than a program has registrations in hand (64, ``language_host``): a component waits for its children's calls."""
_GRACE_SECONDS: Final = 1.0
_MAX_MESSAGE: Final = 400 * 1024 * 1024
"""The engine's own limit (``rpcutil.GrpcChannelOptions``)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a stand-in process is started with; see ``python -m levee.engine.standin --help``."""

    site_packages: Path
    cloud: Path
    log: Path | None = None
    packages: tuple[str, ...] = ()
    faults: Path | None = None
    lookups: Path | None = None
    cache: Path | None = None
    state: Path | None = None
    program: Path = Path()


class StandIn:
    """The running servers.

    Args:
        settings: How to run.

    Raises:
        UsageError: A package is not installed, or a rules file is wrong.
    """

    def __init__(self, settings: Settings) -> None:
        sdk = Sdk(settings.site_packages, settings.cache)
        self.journal = Journal(settings.log)
        self.cloud = SimulatedCloud(settings.cloud)
        outputs = Outputs(sdk)
        answers = own_answers.load(settings.lookups, sdk) if settings.lookups else []
        rules = fault_rules.load(settings.faults) if settings.faults else []
        self.provider = Provider(
            sdk=sdk,
            cloud=self.cloud,
            journal=self.journal,
            faults=Faults(rules, self.journal),
            outputs=outputs,
            manifests=Manifests(settings.program, self.journal),
            lookups=Lookups(outputs, self.journal, answers, Existing(self.cloud), settings.program),
        )
        self._servers: list[grpc.Server] = []
        self.ports = self._serve(sdk, settings.packages or _providers(sdk), settings.state)

    def _serve(self, sdk: Sdk, packages: Iterable[str], state: Path | None) -> Mapping[str, int]:
        executor = ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="standin")
        options = [("grpc.max_receive_message_length", _MAX_MESSAGE), ("grpc.max_send_message_length", _MAX_MESSAGE)]
        ports: dict[str, int] = {}
        components = Components(sdk, self.journal, self.provider.manifests, state)
        for name in packages:
            package = sdk.packages.get(name)
            if package is None:
                raise UsageError(
                    f"the package {name!r} is not installed in {sdk.site_packages}",
                    fix=f"install pulumi-{name}, or serve only: {', '.join(sorted(sdk.packages))}",
                )
            if package.plugin in ports:  # another package of the same base plugin
                ports[name] = ports[package.plugin]
                continue
            server = grpc.server(executor, options=options)
            servicer = Servicer(name, package.version, self.provider, components)
            provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
            ports[name] = ports[package.plugin] = server.add_insecure_port("127.0.0.1:0")
            server.start()
            self._servers.append(server)
        return ports

    def stop(self) -> None:
        """Let running calls end, then close everything."""
        for stopped in [server.stop(_GRACE_SECONDS) for server in self._servers]:
            stopped.wait()
        self.cloud.close()
        self.journal.close()


def _providers(sdk: Sdk) -> list[str]:
    """The packages that have resources; pulumi-policy and its like do not."""
    return [
        name for name, package in sdk.packages.items() if package.tokens or (package.path / "provider.py").is_file()
    ]


def run(settings: Settings, ready: TextIO = sys.stdout) -> None:
    """Serve until stdin closes or SIGTERM or SIGINT comes.

    A parent that dies, even by ``kill -9``, closes our stdin.

    Args:
        settings: How to run.
        ready: Gets one line of JSON, ``{"pid": ..., "ports": {package: port}}``, when all ports listen.
    """
    end = _End()
    standin = StandIn(settings)
    print(json.dumps({"pid": os.getpid(), "ports": standin.ports}), file=ready, flush=True)
    end.wait(sys.stdin.fileno())
    standin.stop()


def run_plugin(package: str, settings: Settings, ready: TextIO = sys.stdout) -> None:
    """Serve one package as an ordinary plugin: the port on stdout, until a signal comes."""
    end = _End()
    standin = StandIn(settings)
    print(standin.ports[package], file=ready, flush=True)
    end.wait()
    standin.stop()


class _End:
    """The moment to stop, as a pipe that signals write to: a handler that took a lock could find it taken."""

    def __init__(self) -> None:
        self._read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)

    def wait(self, *inputs: int) -> None:
        """Return when a signal came or one of those files ended."""
        while True:
            for descriptor in select.select([self._read, *inputs], [], [])[0]:
                if descriptor == self._read or not os.read(descriptor, 4096):
                    return
