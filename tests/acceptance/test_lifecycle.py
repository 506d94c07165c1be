"""Each environment's whole life on the simulated cloud, with the real engine, our own stacks and the merged pack."""

import shutil
from pathlib import Path

import pytest

from levee import compliance, engine
from levee.engine.standin.cloud import SimulatedCloud
from levee.environment import Environment
from levee.errors import GateError
from levee.plan import Op
from levee.toolchain import ensure_pulumi

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path):
    """The program and its environments in a folder of their own, so that environments run side by side."""
    for name in ("stacks", "environments"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "name",
    [
        "local",
        pytest.param("dev", marks=pytest.mark.slow),
        pytest.param("staging", marks=pytest.mark.slow),
        "prod",
    ],
)
def test_a_life_of_an_environment(checkout, name):
    environment = Environment.load(checkout, name)
    options = engine.Options(
        pulumi=ensure_pulumi(ROOT),
        packs=(compliance.merged_pack(),),
        pack_config=compliance.pack_config(environment),
    )

    up = engine.up(checkout, name, options)
    assert not up.blocked, up.violations
    assert up.summary.by_op.keys() == {"create"}
    assert {r.package for r in up.resources if r.custom} >= {"databricks"}

    untouched = engine.refresh(checkout, name, options)
    assert not untouched.changes, [(r.urn, r.op, r.diff) for r in untouched.resources if r.op is not Op.SAME]

    victim = next(r for r in up.resources if r.inputs.get("tags") or r.inputs.get("labels"))
    key = "tags" if "tags" in victim.inputs else "labels"
    with SimulatedCloud(engine.Workspace(engine.Project.load(checkout), name).cloud) as cloud:
        cloud.change(victim.urn, {key: {**victim.inputs[key], "owner": "somebody-else"}})

    found = engine.refresh(checkout, name, options)
    assert {r.urn for r in found.resources if r.op is not Op.SAME} == {victim.urn}

    healed = engine.up(checkout, name, options)
    assert {r.urn for r in healed.resources if r.op is not Op.SAME} == {victim.urn}
    assert healed.by_urn[victim.urn].inputs[key]["owner"] == victim.inputs[key]["owner"]
    assert not engine.refresh(checkout, name, options).changes

    if environment.protection.stateful:
        with pytest.raises(GateError, match="protected"):
            engine.destroy(checkout, name, options)
    destroyed = engine.destroy(checkout, name, engine.Options(pulumi=options.pulumi, unprotect=True))
    assert destroyed.summary.by_op.keys() == {"delete"}
    assert not engine.deployed(checkout, name, options).resources
    with SimulatedCloud(engine.Workspace(engine.Project.load(checkout), name).cloud) as cloud:
        assert not [r for r in cloud.resources() if not r.removed]
