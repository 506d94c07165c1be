"""The engine's events while it runs."""

import pytest

TWENTY = """
import pulumi_random as random
for number in range(20):
    random.RandomPet(f"pet-{number}", length=2)
"""


def test_a_listeners_defect_is_raised_after_the_run_and_another_hears_every_event_whole(project):
    def listener(event):
        if "resOutputsEvent" in event:
            raise ValueError("a listener's own defect")

    here = project(TWENTY)
    with pytest.raises(ValueError, match="a listener's own defect"):
        here("up", on_event=listener)
    heard = []
    plan = here("up", on_event=heard.append)
    assert {r.op.value for r in plan.resources} == {"same"}, "the stack is whole"
    pets = [r.urn for r in plan.resources if r.type.endswith(":RandomPet")]
    assert len(pets) == 20
    finished = [e["resOutputsEvent"] for e in heard if "resOutputsEvent" in e]
    for planning in (True, False):
        told = [f["metadata"]["urn"] for f in finished if bool(f.get("planning")) is planning]
        assert sorted(u for u in told if u in pets) == sorted(pets)
    assert [e for e in heard if "cancelEvent" in e], "the stream was read to its end"
