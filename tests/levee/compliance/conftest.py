"""The tagging rules, run over one resource as the packs run them."""

import sysconfig
from datetime import date
from pathlib import Path

import pytest

from levee.compliance import Evaluator, Settings, pack_rules
from levee.compliance.tagging import Places
from levee.plan import Verdict
from levee.sdk import Sdk

TODAY = date(2026, 11, 21)
TAGGING = pack_rules("tagging")


@pytest.fixture(scope="session")
def places(tmp_path_factory):
    """Where the installed SDKs say that types carry tags."""
    return Places(Sdk(Path(sysconfig.get_path("purelib")), tmp_path_factory.mktemp("sdk")))


@pytest.fixture
def judge(places):
    """``judge(resource, config)`` gives the outcomes; ``only`` keeps one rule's."""

    def run(subject, config=None, *, only=None, stack="prod", provider=None, rules=TAGGING):
        evaluator = Evaluator(rules, Settings.from_config(rules, config or {}), places, stack, TODAY)
        outcomes = evaluator.resource(subject, provider or {})
        return [o for o in outcomes if only is None or o.rule.id == only]

    return run


@pytest.fixture
def verdict(judge):
    """The one verdict of one rule."""

    def run(subject, only, config=None, **more):
        verdicts = {o.verdict for o in judge(subject, config, only=only, **more)}
        assert len(verdicts) == 1, verdicts
        return verdicts.pop()

    return run


@pytest.fixture
def failed(judge):
    """Messages of the broken rules, by rule id."""

    def run(subject, config=None, **more):
        return {o.rule.id: o.message for o in judge(subject, config, **more) if o.verdict is Verdict.FAILED}

    return run
