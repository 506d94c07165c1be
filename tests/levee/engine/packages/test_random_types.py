"""The share of random resource types whose minimal program previews, comes up, refreshes clean and is destroyed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
MEASURE = ROOT / "bench" / "random_types.py"
SDKS = ROOT / "tools" / "sdks" / ".venv"


def measure(*arguments):
    ran = subprocess.run([sys.executable, MEASURE, "--json", *arguments], capture_output=True, text=True, cwd=ROOT)
    assert ran.stdout, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_aim_of_120_random_types():
    """120 of 120 preview, at least 114 come up, refresh clean and are destroyed."""
    result = measure()
    assert result["types"] == 120
    assert result["passed"]["preview"] == 120, result["failed"]
    assert all(result["passed"][stage] >= 114 for stage in ("up", "refresh", "destroy")), result["failed"]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not SDKS.is_dir(), reason="`make sdks` installs these packages")
def test_types_of_every_package_that_can_be_installed():
    """Packages that issue 4 names and packages that nobody listed, in an interpreter of their own."""
    result = measure("--providers", "all", "--types", "100", "--virtualenv", str(SDKS))
    named = {"aws-native", "google-native", "azure", "azuread", "docker", "digitalocean", "cloudflare", "github"}
    named |= {"command", "datadog", "snowflake", "postgresql", "mysql", "tls", "docker-build"}
    unlisted = {"vault", "auth0", "pagerduty", "hcloud", "newrelic", "mongodbatlas", "rabbitmq", "consul", "time"}
    assert named | unlisted <= result["providers"].keys()
    assert not result["failed"]
