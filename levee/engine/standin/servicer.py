"""The gRPC face: Pulumi's ``ResourceProvider`` for one package."""

from __future__ import annotations

import functools
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from levee.engine.monitor import EXPECT_IMPORT
from levee.engine.standin import wire
from levee.engine.standin.check import Failure
from levee.engine.standin.components import Components
from levee.engine.standin.connection import Connection, connect
from levee.engine.standin.faults import FaultError, PartialError
from levee.engine.standin.journal import Journal
from levee.engine.standin.provider import Difference, Expected, Provider
from levee.engine.standin.subject import Target
from levee.engine.standin.values import Change, changes
from levee.errors import LeveeError, UsageError
from levee.sdk.schema import package_schema

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")
_Method = Callable[[Any, _Request, grpc.ServicerContext], _Response]

_CONFIRM: Final = "the stand-in met a defect of its own; please report it with the lines above"


def _guarded(method: _Method[_Request, _Response]) -> _Method[_Request, _Response]:
    """Turn errors into gRPC statuses: what we know is said plainly, a defect is named as one."""
    name = getattr(method, "__name__", "call")

    @functools.wraps(method)
    def call(self: Any, request: _Request, context: grpc.ServicerContext) -> _Response:
        try:
            return method(self, request, context)
        except PartialError as half:
            context.set_trailing_metadata((("grpc-status-details-bin", _half_made(half)),))
            context.abort(grpc.StatusCode.UNKNOWN, str(half))
        except FaultError as fault:
            code = grpc.StatusCode.DEADLINE_EXCEEDED if fault.action == "timeout" else grpc.StatusCode.UNKNOWN
            context.abort(code, str(fault))
        except LeveeError as error:
            context.abort(grpc.StatusCode.UNKNOWN, f"{error.message}{f' ({error.fix})' if error.fix else ''}")
        except Exception as error:
            if context.code() is None and type(error) is not Exception:
                traceback.print_exc(file=sys.stderr)
                context.abort(grpc.StatusCode.INTERNAL, f"{name}: {type(error).__name__}: {error}; {_CONFIRM}")
            raise
        raise AssertionError("context.abort raises")

    return call


def _half_made(half: PartialError) -> bytes:
    """What the engine reads as "it is there, and it failed to start": it keeps the resource and mends it next time."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=half.made.id,
        properties=wire.encode(half.made.outputs),
        inputs=wire.encode(half.made.inputs),
        reasons=[str(half)],
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(half))
    status.details.add().Pack(detail)
    return status.SerializeToString()


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one package.

    Args:
        package: Its name.
        version: Its version, for GetPluginInfo.
        provider: Where the work is done; shared by all packages.
        components: Constructs the package's components; shared too.
    """

    def __init__(self, package: str, version: str, provider: Provider, components: Components) -> None:
        self._package = package
        self._version = version
        self._provider = provider
        self._components = components
        self._lock = threading.Lock()
        self._connections: dict[str, Connection] = {}
        self._parameterized: dict[str, str] = {}
        self._last = connect(package, "", {}, Journal(None))

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """What this provider understands."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """The engine tells its address; nothing is asked of it."""
        return Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Nothing runs long enough to be cancelled."""
        return Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """The version of the SDK whose types are served."""
        return plugin_pb2.PluginInfo(version=self._version or "0.0.0")

    @_guarded
    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """The schema that a program in YAML is checked against, read back from the package's Python SDK."""
        name = request.subpackage_name or self._parameterized.get(context.peer(), self._package)
        if name not in self._provider.sdk.packages:
            raise UsageError(f"no SDK of {name!r} is installed, which its schema would be read from")
        return provider_pb2.GetSchemaResponse(schema=package_schema(self._provider.sdk, name))

    def GetMappings(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """No mapping from another ecosystem."""
        return provider_pb2.GetMappingsResponse()

    def GetMapping(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """No mapping from another ecosystem."""
        return provider_pb2.GetMappingResponse()

    def Parameterize(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """A parameterised package is served under the name and version of its own SDK.

        Several of them may share one base plugin; each has a connection of its own.
        """
        value = request.value
        with self._lock:
            self._parameterized[context.peer()] = value.name or self._package
        return provider_pb2.ParameterizeResponse(
            name=value.name or self._package, version=value.version or self._version
        )

    @_guarded
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Provider configuration is taken as it is; what it means is read in Configure."""
        return provider_pb2.CheckResponse(inputs=request.news)

    @_guarded
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Provider configuration changes in place."""
        old, new = wire.decode(request.old_inputs), wire.decode(request.news)
        return _diff_response(Difference(list(changes(old, new))))

    @_guarded
    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Remember which provider this connection belongs to."""
        package = self._parameterized.get(context.peer(), self._package)
        connection = connect(package, request.urn, wire.decode(request.args), self._provider.journal)
        with self._lock:
            self._connections[context.peer()] = connection
            self._last = connection
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    @_guarded
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Validate inputs and give automatic names."""
        inputs, failures = self._provider.check(
            _target(request),
            wire.decode(request.olds),
            wire.decode(request.news),
            proposed_name=request.autonaming.proposed_name if request.HasField("autonaming") else "",
        )
        return provider_pb2.CheckResponse(inputs=wire.encode(inputs), failures=_failures(failures))

    @_guarded
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Compare inputs; say what replaces."""
        old = wire.decode(request.old_inputs)
        return _diff_response(
            self._provider.diff(_target(request), old, wire.decode(request.news), list(request.ignoreChanges))
        )

    @_guarded
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Create in the simulated cloud, or preview it."""
        id_, outputs = self._provider.create(
            _target(request), wire.decode(request.properties), self._connection(context), preview=request.preview
        )
        return provider_pb2.CreateResponse(id=id_, properties=wire.encode(outputs))

    @_guarded
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Read from the simulated cloud, for a refresh, an import or a program's ``get``."""
        inputs = wire.decode(request.inputs) if request.HasField("inputs") else None
        id_, got_inputs, outputs = self._provider.read(
            _target(request), request.id, inputs, wire.decode(request.properties), self._connection(context)
        )
        if not id_:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=id_, inputs=wire.encode(got_inputs), properties=wire.encode(outputs))

    @_guarded
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Update in the simulated cloud, or preview it."""
        outputs = self._provider.update(
            _target(request),
            request.id,
            old=wire.decode(request.old_inputs),
            new=wire.decode(request.news),
            state=wire.decode(request.olds),
            connection=self._connection(context),
            preview=request.preview,
        )
        return provider_pb2.UpdateResponse(properties=wire.encode(outputs))

    @_guarded
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Delete from the simulated cloud."""
        self._provider.delete(_target(request), request.id, self._connection(context))
        return Empty()

    @_guarded
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Answer a lookup; or learn of an import from the language host, which alone knows what the program says."""
        if request.tok == EXPECT_IMPORT:
            told = wire.decode(request.args)
            self._provider.expect(told["type"], told["id"], Expected(told["inputs"], told["keep"]))
            return provider_pb2.InvokeResponse()
        result, failures = self._provider.invoke(request.tok, wire.decode(request.args), self._connection(context))
        response = provider_pb2.InvokeResponse(failures=_failures(failures))
        getattr(response, "return").CopyFrom(wire.encode(result))
        return response

    @_guarded
    def Construct(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Register a component of this package with the engine; what is inside it is not evaluated."""
        return self._components.construct(request)

    @_guarded
    def Call(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Answer a method by its type."""
        return self._components.call(request)

    def _connection(self, context: grpc.ServicerContext) -> Connection:
        """The provider of this connection; after a reconnect the one configured last."""
        with self._lock:
            return self._connections.get(context.peer(), self._last)


def _target(request: Any) -> Target:
    type_, name = request.type, request.name
    if not type_:
        qualified, name = request.urn.split("::", 3)[2:]
        type_ = qualified.rsplit("$", 1)[-1]
    return Target(request.urn, type_, name)


def _failures(failures: list[Failure]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=f.path, reason=f.reason) for f in failures]


_KINDS: Final = {
    (True, False): (provider_pb2.PropertyDiff.ADD, provider_pb2.PropertyDiff.ADD_REPLACE),
    (False, True): (provider_pb2.PropertyDiff.DELETE, provider_pb2.PropertyDiff.DELETE_REPLACE),
    (False, False): (provider_pb2.PropertyDiff.UPDATE, provider_pb2.PropertyDiff.UPDATE_REPLACE),
}


def _diff_response(difference: Difference) -> Any:
    if not difference.changes:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
    replaces = set(difference.replaces)
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME,
        diffs=list(dict.fromkeys(c.top for c in difference.changes)),
        replaces=list(dict.fromkeys(c.top for c in difference.changes if c.path in replaces)),
        detailedDiff={c.path: _property_diff(c, replaces=c.path in replaces) for c in difference.changes},
        hasDetailedDiff=True,
        deleteBeforeReplace=difference.delete_first,
    )


def _property_diff(change: Change, *, replaces: bool) -> Any:
    kind = _KINDS[change.added, change.deleted][replaces]
    return provider_pb2.PropertyDiff(kind=kind, inputDiff=True)
