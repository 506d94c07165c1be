import pytest
from hypothesis import given
from hypothesis import strategies as st

from levee.sdk import TypeRef, annotation
from levee.sdk.model import Property

ENUM = TypeRef("enum", ref="m/enums/Kind", values=("a", "b"))
OBJECT = TypeRef("object", ref="m/inputs/SkuArgs")


def resolve(name: str) -> TypeRef:
    return ENUM if name == "Kind" else OBJECT


@pytest.mark.parametrize(
    ("text", "type_", "optional"),
    [
        ("pulumi.Input[_builtins.str]", TypeRef("string"), False),
        ("pulumi.Input[Optional[_builtins.bool]]", TypeRef("boolean"), True),
        ("Optional[pulumi.Input[_builtins.int]]", TypeRef("integer"), True),
        ("pulumi.Output[Optional[_builtins.float]]", TypeRef("number"), True),
        ("pulumi.Input[Sequence[pulumi.Input[_builtins.str]]]", TypeRef("array", item=TypeRef("string")), False),
        ("pulumi.Input[Mapping[str, pulumi.Input[_builtins.str]]]", TypeRef("map", item=TypeRef("string")), False),
        (
            "pulumi.Input[Union[_builtins.str, 'Kind']]",
            TypeRef("enum", ref=ENUM.ref, values=("a", "b"), open=True),
            False,
        ),
        ("pulumi.Input[Optional['Kind']]", ENUM, True),
        ("pulumi.Input[Union['SkuArgs', 'SkuArgsDict', 'outputs.Sku']]", OBJECT, False),
        ("pulumi.Input[Optional[Literal['v1']]]", TypeRef("enum", values=("v1",)), True),
        ("pulumi.Output[pulumi.Archive]", TypeRef("asset"), False),
        ("Any", TypeRef("any"), False),
        (
            "Union[_builtins.str, Sequence[_builtins.str]]",
            TypeRef("union", members=(TypeRef("string"), TypeRef("array", item=TypeRef("string")))),
            False,
        ),
        ("str | None", TypeRef("string"), True),
    ],
)
def test_reads_what_the_generator_writes(text: str, type_: TypeRef, optional: bool) -> None:
    assert annotation.read(text, resolve) == annotation.Annotated(type_, optional)


def test_what_it_does_not_know_is_any() -> None:
    assert annotation.read("][", resolve).type.kind == "any"
    assert annotation.read("pulumi.Strange[int]", resolve).type.kind == "any"


kinds = st.sampled_from(["string", "integer", "number", "boolean", "object", "asset", "any", "resource"])
leaves = st.builds(TypeRef, kind=kinds, ref=st.text(max_size=8))
types = st.recursive(
    leaves
    | st.builds(
        TypeRef, kind=st.just("enum"), values=st.lists(st.text() | st.integers()).map(tuple), open=st.booleans()
    ),
    lambda inner: (
        st.builds(TypeRef, kind=st.sampled_from(["array", "map"]), item=inner)
        | st.builds(TypeRef, kind=st.just("union"), members=st.lists(inner, max_size=3).map(tuple))
    ),
    max_leaves=6,
)


@given(types)
def test_types_survive_json(type_: TypeRef) -> None:
    assert TypeRef.from_json(type_.to_json()) == type_


@given(st.builds(Property, st.text(), st.text(), types, st.booleans(), st.text(), st.none() | st.booleans()))
def test_properties_survive_json(property_: Property) -> None:
    assert Property.from_json(property_.to_json()) == property_
