"""Dynamic providers: the program's own code checks, diffs, creates, updates, reads and deletes."""

import pytest

from levee.engine import ProgramError
from levee.plan import UNKNOWN, Op

PROGRAM = """
    import pathlib
    import pulumi
    from pulumi.dynamic import (
        CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult,
    )

    class Counted(ResourceProvider):
        def check(self, old, new):
            return CheckResult(new, [CheckFailure("value", "is bad")] if new["value"] == "bad" else [])

        def diff(self, id_, old, new):
            replaces = ["value"] if new["value"].startswith("new") else []
            return DiffResult(old["value"] != new["value"], replaces, [], delete_before_replace=True)

        def create(self, props):
            return CreateResult(f"id-{props['value']}", {**props, "times": 1})

        def update(self, id_, old, new):
            return UpdateResult({**new, "times": old["times"] + 1})

        def read(self, id_, props):
            return ReadResult(id_, {**props, "times": props["times"] + 100})

        def delete(self, id_, props):
            with pathlib.Path("deleted.txt").open("a") as out:
                out.write(f"{id_} ")

    class Count(Resource):
        value: pulumi.Output[str]
        times: pulumi.Output[int]

        def __init__(self, name, value):
            super().__init__(Counted(), name, {"value": value, "times": None})

    count = Count("count", pulumi.Config().get("value") or "one")
    pulumi.export("times", count.times)
    pulumi.export("id", count.id)
"""


def test_a_dynamic_resource_lives_its_whole_life(project):
    run = project(PROGRAM)
    assert run("preview").outputs == {"times": UNKNOWN, "id": UNKNOWN}
    assert run("up").outputs == {"times": 1, "id": "id-one"}
    updated = run("up", config={"value": "two"})
    assert updated.outputs == {"times": 2, "id": "id-one"}
    replaced = run("up", config={"value": "new-three"})
    assert replaced.outputs == {"times": 1, "id": "id-new-three"}
    assert next(r for r in replaced.resources if r.name == "count").op is Op.REPLACE
    refreshed = next(r for r in run("refresh", config={"value": "new-three"}).resources if r.name == "count")
    assert refreshed.outputs["times"] == 101
    with pytest.raises(ProgramError, match="is bad") as refused:
        run("preview", config={"value": "bad"})
    assert refused.value.where == "__main__.py:34"
    run("destroy")
    (told,) = run.root.rglob("deleted.txt")
    assert told.read_text().split() == ["id-one", "id-new-three"]
