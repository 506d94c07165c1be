"""Watches what a program asks of the engine: in the *program's own* interpreter, at the SDK's connection.

Loaded by path by :mod:`levee.engine.program`, so it may import nothing but the standard library and that interpreter's
``pulumi`` with its ``grpc``. Offline it answers, mends or announces what only a real cloud, another stack or a build
could give, and each time leaves a note with the program's line:

- a stack reference, from the outputs that were given, else by placeholders (:mod:`levee.engine.stack_reference`);
- an asset or archive whose file is not there, or that lies behind a URL: a text stands for it;
- an archive of a folder in which Levee keeps this stack: everything else in the folder;
- an import of a resource that the simulated cloud does not hold: the stand-in is told what the program says of it;
- a registration that is refused, and a resource that is read by its id.
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from levee.engine.program import Notes

# Copies of :mod:`levee.wire`, which the program's interpreter does not have; a test holds them together.
SIGNATURE = "4dabf18193072939515e22adb298388d"
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
EXPECT_IMPORT = "levee:standin:expectImport"
"""The function by which a stand-in is told of an import that is about to be read (``standin/servicer.py``)."""
_REFERENCE = "pulumi:pulumi:StackReference"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def answer_to(request: Mapping[str, Any], stack: str) -> Mapping[str, Any] | None:
    """The outputs given for that stack: by its full name, by ``project/stack``, or by ``stack``."""
    references = request["references"]
    names = (stack, "/".join(stack.split("/")[-2:]), stack.rsplit("/", 1)[-1])
    return next((references[name] for name in names if name in references), None)


class Monitor:
    """Watches the SDK's own connection to the engine.

    The stub stays the stub, with two of its methods replaced: the SDK serves callbacks (transforms, hooks) to nothing
    else.

    Args:
        stub: The SDK's ``ResourceMonitorStub``.
        request: The run request.
        notes: Where what was done is written down.
    """

    def __init__(self, stub: Any, request: Mapping[str, Any], notes: Notes) -> None:
        self._register, self._read = stub.RegisterResource, stub.ReadResource
        self._request = request
        self._offline = request["offline"]
        self._notes = notes
        self._standins: dict[str, Any] = {}
        self._answered: set[str] = set()
        self._positions: dict[str, Any] = {}
        self._kept = pathlib.Path(request["root"], ".levee").resolve()
        stub.RegisterResource, stub.ReadResource = self.register, self.read

    def _place(self, call: Any) -> dict[str, Any]:
        """Where the program made the call; SDKs before 3.65 do not say."""
        position = getattr(call, "sourcePosition", None)
        return self._notes.caller() if position is None else self._notes.place(position.uri, position.line)

    def register(self, call: Any) -> Any:
        """Register; of what is refused, note the line: no state will ever hold it."""
        self._forget_answered(call)
        self._lend_line(call)
        if self._offline:
            # Few resources hold files: a search in the bytes is cheaper than a walk through the values.
            written = call.object.SerializeToString()
            if ASSET.encode() in written or ARCHIVE.encode() in written:
                place = self._place(call)
                for value in call.object.fields.values():
                    self._mend(value, call.name, place)
            if call.importId:
                self._announce(call, self._place(call))
        try:
            answer = self._register(call)
        except grpc.RpcError:
            place = self._place(call)
            self._notes.write({"kind": "refused", "type": call.type, "name": call.name, "source": place})
            raise
        self._positions[answer.urn] = getattr(call, "sourcePosition", None)
        return answer

    def _lend_line(self, call: Any) -> None:
        """Give a child that no line of the program's own writes, such as an object of a YAML file, its parent's."""
        position, parents = getattr(call, "sourcePosition", None), self._positions.get(call.parent)
        if position is not None and parents is not None:
            file = position.uri.removeprefix("file://")
            if not file or self._notes.foreign(file):
                position.CopyFrom(parents)

    def read(self, call: Any) -> Any:
        """Answer a stack reference where outputs are given or offline; pass every other read on."""
        place = self._place(call)
        if call.type != _REFERENCE:
            self._notes.write({"kind": "read", "token": call.type, "id": call.id, "source": place})
            return self._read(call)
        answer = answer_to(self._request, call.id)
        if answer is None:
            return self._answer(call, None) if self._offline else self._read(call)
        self._notes.write(
            {
                "kind": "stack_reference",
                "name": call.id,
                "from": answer["from"],
                "outputs": sorted(answer["outputs"]),
                "source": place,
            }
        )
        return self._answer(call, answer)

    def _answer(self, call: Any, answer: Mapping[str, Any] | None) -> Any:
        from pulumi.runtime.proto import resource_pb2

        urn = "urn:pulumi:{stack}::{project}::pulumi:pulumi:StackReference::{name}".format(
            stack=self._request["stack"], project=self._request["project"], name=call.name
        )
        if answer is not None:
            outputs, secret = answer["outputs"], answer.get("secret_output_names", [])
        else:
            outputs, secret = (UNKNOWN if self._request["unknown"] else {}), []
        self._answered.add(urn)
        response = resource_pb2.ReadResourceResponse(urn=urn)
        response.properties.update({"name": call.id, "outputs": outputs, "secretOutputNames": secret})
        return response

    def _forget_answered(self, call: Any) -> None:
        """Depend on no reference that was answered here: the engine, which has not read it, refuses such a state."""
        if not self._answered:
            return
        for urns in (call.dependencies, *(of.urns for of in call.propertyDependencies.values())):
            urns[:] = [urn for urn in urns if urn not in self._answered]
        for value in call.object.fields.values():
            self._forget_in(value)

    def _forget_in(self, value: Any) -> None:
        """The same in the dependencies that an output value carries with it."""
        kind = value.WhichOneof("kind")
        if kind == "list_value":
            for item in value.list_value.values:
                self._forget_in(item)
        elif kind == "struct_value":
            fields = value.struct_value.fields
            if SIGNATURE in fields and fields[SIGNATURE].string_value == OUTPUT and "dependencies" in fields:
                urns = fields["dependencies"].list_value
                kept = [urn.string_value for urn in urns.values if urn.string_value not in self._answered]
                urns.Clear()
                urns.extend(kept)
            for item in fields.values():
                self._forget_in(item)

    def _mend(self, value: Any, resource: str, place: Mapping[str, Any]) -> None:
        """Put a text in the place of every asset and archive whose content is not to be had."""
        kind = value.WhichOneof("kind")
        if kind == "list_value":
            for item in value.list_value.values:
                self._mend(item, resource, place)
        if kind != "struct_value":
            return
        fields = value.struct_value.fields
        signature = fields[SIGNATURE].string_value if SIGNATURE in fields else ""
        if signature not in {ASSET, ARCHIVE}:
            for item in fields.values():
                self._mend(item, resource, place)
            return
        for item in fields["assets"].struct_value.fields.values() if "assets" in fields else ():
            self._mend(item, resource, place)
        path = fields["path"].string_value if "path" in fields else ""
        uri = fields["uri"].string_value if "uri" in fields else ""
        if not (uri or (path and not pathlib.Path(path).exists())):
            if path and signature == ARCHIVE and _is_inside(self._kept, pathlib.Path(path)):
                value.struct_value.CopyFrom(_struct(self._without_kept(pathlib.Path(path))))
            return
        self._notes.write({"kind": "asset", "path": path, "uri": uri, "resource": resource, "source": dict(place)})
        text = {SIGNATURE: ASSET, "text": f"stands for {path or uri}"}
        value.struct_value.Clear()
        value.struct_value.update(text if signature == ASSET else {SIGNATURE: ARCHIVE, "assets": {"placeholder": text}})

    def _without_kept(self, folder: pathlib.Path) -> dict[str, Any]:
        """The folder as an archive without Levee's own files: they change at each run, and so would the archive."""
        assets: dict[str, Any] = {}
        for entry in sorted(folder.iterdir()):
            if _is_inside(self._kept, entry):
                if entry.resolve() != self._kept:
                    assets[entry.name] = self._without_kept(entry)
            elif entry.is_dir():
                assets[entry.name] = {SIGNATURE: ARCHIVE, "path": str(entry)}
            elif entry.is_file():
                assets[entry.name] = {SIGNATURE: ASSET, "path": str(entry)}
        return {SIGNATURE: ARCHIVE, "assets": assets}

    def _announce(self, call: Any, place: Mapping[str, Any]) -> None:
        """Tell the stand-in what the program says of a resource that it imports."""
        from google.protobuf.struct_pb2 import Struct
        from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

        package = call.type.split(":", 1)[0]
        port = self._request["standins"].get(package)
        if port is None:
            return
        if package not in self._standins:
            channel = grpc.insecure_channel(f"127.0.0.1:{port}")
            self._standins[package] = provider_pb2_grpc.ResourceProviderStub(channel)
        told = Struct()
        told.update({"type": call.type, "id": call.importId, "keep": not self._request["dry_run"]})
        told.fields["inputs"].struct_value.CopyFrom(call.object)
        self._notes.write({"kind": "read", "token": call.type, "id": call.importId, "source": dict(place)})
        self._standins[package].Invoke(provider_pb2.InvokeRequest(tok=EXPECT_IMPORT, args=told))


def _is_inside(path: pathlib.Path, folder: pathlib.Path) -> bool:
    """Whether it is that folder or lies below it."""
    return path.is_relative_to(folder.resolve())


def _struct(value: Mapping[str, Any]) -> Any:
    from google.protobuf.struct_pb2 import Struct

    made = Struct()
    made.update(value)
    return made
