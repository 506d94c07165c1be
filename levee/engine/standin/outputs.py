"""From a resource's inputs to its outputs: echo what was given, compute what the SDK says is always there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from levee.engine.standin.clouds import SKIP, cloud_of
from levee.engine.standin.shapes import Shaper
from levee.engine.standin.subject import NotYetError, Subject
from levee.engine.standin.values import UNKNOWN, Secret, Value, Values, plain, same
from levee.sdk import ResourceType, Sdk


@dataclass(frozen=True)
class Outputs:
    """Builds outputs.

    Attributes:
        sdk: Where nested types are looked up.
    """

    sdk: Sdk

    def preview(self, subject: Subject) -> Values:
        """The outputs that a preview can know of a resource to be created; what is computed is unknown."""
        shaper = Shaper(self.sdk, cloud_of(subject.type.package), subject, preview=True)
        return _mark_secrets(subject.type, _shaped(shaper))

    def create(self, subject: Subject) -> tuple[str, Values]:
        """The id and the outputs of a new resource."""
        cloud = cloud_of(subject.type.package)
        if cloud.draw is not None:
            id_, made = cloud.draw(subject.type.class_name, plain(dict(subject.inputs)))
        else:
            id_, made = cloud.identify(subject) or subject.hex("id", 16), {}
        return id_, _mark_secrets(subject.type, {**self.compute(subject, id_), **made})

    def compute(self, subject: Subject, id_: str) -> Values:
        """The outputs of a resource of that id; an output that depends on an unknown input is unknown."""
        cloud = cloud_of(subject.type.package)
        values = _shaped(Shaper(self.sdk, cloud, subject, id_))
        if cloud.finish is not None:
            try:
                values = cloud.finish(subject, id_, values)
            except NotYetError as missing:
                values[str(missing).split(".", 1)[0]] = UNKNOWN
        return _mark_secrets(subject.type, values)

    def update(self, old: Subject, new: Subject, id_: str, state: Mapping[str, Value]) -> Values:
        """The outputs after an update: a computed value stays unless it follows from inputs that changed.

        Args:
            old: The resource with its old inputs.
            new: The resource with its new inputs.
            id_: Its id.
            state: Its old outputs.
        """
        before, after = self.compute(old, id_), self.compute(new, id_)
        values: Values = {}
        for name in after.keys() | (state.keys() & new.type.outputs.keys()):
            given = new.inputs.get(name) is not None or old.inputs.get(name) is not None
            follows = name in before and name in after and name in state and same(before[name], state[name])
            if name in state and not given and not follows:
                values[name] = state[name]
            elif name in after:
                values[name] = after[name]
        return _mark_secrets(new.type, values)


def _shaped(shaper: Shaper) -> Values:
    subject = shaper.subject
    values: Values = {}
    if shaper.cloud.echoes:
        values |= {k: v for k, v in subject.inputs.items() if k not in subject.type.outputs and v is not None}
    for name, output in subject.type.outputs.items():
        given = subject.inputs.get(name)
        if given is not None and shaper.differs(given, output.type):
            given = None  # what comes back is of another sort than what was given, as some of ARM's properties are
        value = shaper.computed(output) if given is None else shaper.completed(given, output.type, name)
        if value is not SKIP:
            values[name] = value
    return values


def _mark_secrets(type_: ResourceType, values: Values) -> Values:
    for name in type_.secret_outputs:
        value = values.get(name)
        if value is not None and not isinstance(value, Secret):
            values[name] = Secret(value)
    return values
