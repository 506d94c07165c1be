"""A stand-in served in this process over real gRPC, and a client that speaks as the engine does."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from levee.engine.standin import wire
from levee.engine.standin.server import Settings, StandIn
from levee.engine.standin.values import Values
from levee.sdk import Property, Sdk, TypeRef

SITE_PACKAGES = Path(sysconfig.get_paths()["purelib"])


@pytest.fixture(scope="session")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Sdk:
    return Sdk(SITE_PACKAGES, tmp_path_factory.mktemp("sdk-cache"))


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:dev::test::{token}::{name}"


@dataclass
class Client:
    """One provider connection, as the engine holds it."""

    channel: grpc.Channel
    package: str

    def __post_init__(self) -> None:
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)

    def configure(self, **config: Any) -> Client:
        handshake = self.stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
        assert handshake.accept_secrets
        self.stub.Configure(
            provider_pb2.ConfigureRequest(
                urn=urn(f"pulumi:providers:{self.package}", f"p-{id(self)}"), args=wire.encode(config)
            )
        )
        return self

    def check(self, token: str, name: str, news: Values, olds: Values | None = None) -> tuple[Values, dict[str, str]]:
        answer = self.stub.Check(
            provider_pb2.CheckRequest(
                urn=urn(token, name), type=token, name=name, news=wire.encode(news), olds=wire.encode(olds or {})
            )
        )
        return wire.decode(answer.inputs), {f.property: f.reason for f in answer.failures}

    def diff(self, token: str, name: str, old: Values, new: Values) -> Any:
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                id="x", urn=urn(token, name), type=token, name=name, old_inputs=wire.encode(old), news=wire.encode(new)
            )
        )

    def create(self, token: str, name: str, inputs: Values, *, preview: bool = False) -> tuple[str, Values]:
        answer = self.stub.Create(
            provider_pb2.CreateRequest(
                urn=urn(token, name), type=token, name=name, properties=wire.encode(inputs), preview=preview
            )
        )
        return answer.id, wire.decode(answer.properties)

    def read(
        self, token: str, name: str, id_: str, inputs: Values | None = None, state: Values | None = None
    ) -> tuple[str, Values, Values]:
        answer = self.stub.Read(
            provider_pb2.ReadRequest(
                id=id_,
                urn=urn(token, name),
                type=token,
                name=name,
                properties=wire.encode(state or {}),
                inputs=None if inputs is None else wire.encode(inputs),
            )
        )
        return answer.id, wire.decode(answer.inputs), wire.decode(answer.properties)

    def update(self, token: str, name: str, id_: str, *, old: Values, new: Values, state: Values) -> Values:
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(
                id=id_,
                urn=urn(token, name),
                type=token,
                name=name,
                old_inputs=wire.encode(old),
                news=wire.encode(new),
                olds=wire.encode(state),
            )
        )
        return wire.decode(answer.properties)

    def delete(self, token: str, name: str, id_: str) -> None:
        self.stub.Delete(provider_pb2.DeleteRequest(id=id_, urn=urn(token, name), type=token, name=name))

    def invoke(self, token: str, **args: Any) -> tuple[Values, list[str]]:
        answer = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=wire.encode(args)))
        return wire.decode(getattr(answer, "return")), [f.reason for f in answer.failures]


Connect = Callable[..., Client]


@dataclass
class Served:
    """A running stand-in with what it writes to."""

    standin: StandIn
    connect: Connect
    cloud: Path
    log: Path


@pytest.fixture
def serve(tmp_path: Path, sdk: Sdk) -> Iterator[Callable[..., Served]]:
    """Start a stand-in; keyword arguments go to its settings."""
    running: list[StandIn] = []
    channels: list[grpc.Channel] = []

    def start(**settings: Any) -> Served:
        defaults: dict[str, Any] = {
            "cloud": tmp_path / "cloud.sqlite",
            "log": tmp_path / "log.jsonl",
            "cache": sdk._cache,
        }
        standin = StandIn(Settings(site_packages=SITE_PACKAGES, **{**defaults, **settings}))
        running.append(standin)

        def connect(package: str, **config: Any) -> Client:
            options = [("grpc.use_local_subchannel_pool", 1)]
            channel = grpc.insecure_channel(f"127.0.0.1:{standin.ports[package]}", options=options)
            channels.append(channel)
            return Client(channel, package).configure(**config)

        return Served(standin, connect, defaults["cloud"], defaults["log"])

    yield start
    for channel in channels:
        channel.close()
    for standin in running:
        standin.stop()


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    return serve()


def example(sdk: Sdk, type_: TypeRef, name: str = "x", depth: int = 0) -> Any:
    """A smallest value of a type."""
    if type_.kind == "enum":
        return type_.values[0] if type_.values else name
    if type_.kind == "array":
        return [example(sdk, type_.item, name, depth)] if type_.item and depth < 3 else []
    if type_.kind == "object":
        return smallest(sdk, sdk.object(type_.ref), depth + 1)
    if type_.kind == "union":
        return example(sdk, type_.members[0], name, depth)
    scalars: Mapping[str, Any] = {"string": name, "integer": 1, "number": 1, "boolean": True, "map": {}}
    return scalars.get(type_.kind, {})


def smallest(sdk: Sdk, properties: Mapping[str, Property], depth: int = 0) -> Values:
    """The required inputs, each with the smallest value of its type."""
    return {p.name: example(sdk, p.type, p.python_name, depth) for p in properties.values() if p.required}


@pytest.fixture(scope="session")
def minimal(sdk: Sdk) -> Callable[[Mapping[str, Property]], Values]:
    """The smallest inputs that a type takes."""
    return lambda properties: smallest(sdk, properties)
