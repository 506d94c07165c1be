"""The page of what is checked and what is not is what the checks and the SDKs say."""

import sysconfig
from pathlib import Path

import pytest

from levee.engine import fidelity_docs
from levee.engine.fidelity_docs import PACKAGES
from levee.engine.standin import coverage
from levee.sdk import Sdk

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "fidelity.md").read_text()
SDK = Sdk(Path(sysconfig.get_paths()["purelib"]))


def test_every_check_and_what_no_check_says_is_on_the_page():
    assert {"required inputs", "types", "names and limits", "reference targets"} <= {c.name for c in coverage.checks()}
    assert fidelity_docs.prose() in PAGE, "run: make docs"
    assert fidelity_docs.principle() in PAGE, "run: make docs"


def test_the_counts_of_a_small_package_are_current():
    assert fidelity_docs.row(fidelity_docs.count(SDK, SDK.packages["databricks"])) in PAGE, "run: make docs"


def test_every_main_package_is_counted_in_its_locked_version():
    for name in PACKAGES:
        assert f"| `{name}` {SDK.packages[name].version} |" in PAGE, "run: make docs"


@pytest.mark.slow
def test_all_counts_are_current():
    assert fidelity_docs.page(SDK) == PAGE, "run: make docs"
