"""The environments that ship load; whatever is wrong in one is refused with its file, its line and the mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from levee.environment import Environment, names, path_of
from levee.errors import UsageError

ROOT = Path(__file__).parents[3]
SHIPPED = names(ROOT)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a copy of the shipped dev environment."""
    path_of(tmp_path, "dev").parent.mkdir()
    path_of(tmp_path, "dev").write_text(path_of(ROOT, "dev").read_text())
    return tmp_path


def edit(project: Path, old: str, new: str) -> int:
    """Replace one text in the dev environment; the line (from 1) on which the new one begins."""
    path = path_of(project, "dev")
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} must occur once"
    path.write_text(text.replace(old, new))
    return text[: text.index(old)].count("\n") + 1


def refusal(project: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        Environment.load(project, "dev")
    return caught.value


def test_the_four_environments_ship() -> None:
    assert SHIPPED == ("dev", "local", "prod", "staging")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_environment_loads(name: str) -> None:
    assert Environment.load(ROOT, name).name == name


def test_local_is_offline_and_spans_every_cloud() -> None:
    local = Environment.load(ROOT, "local")
    assert local.offline
    assert local.clouds.enabled == ("aws", "azure", "gcp")


def test_the_environments_differ_where_the_design_says() -> None:
    dev, staging, prod = (Environment.load(ROOT, name) for name in ("dev", "staging", "prod"))
    for left, right in ((dev, staging), (staging, prod)):
        assert len(left.clouds.enabled) < len(right.clouds.enabled)
        assert left.databricks["aws"].max_workers < right.databricks["aws"].max_workers
        assert left.budgets.total.monthly_usd < right.budgets.total.monthly_usd
        assert left.retention.audit_days < right.retention.audit_days
        assert left.protection != right.protection
        assert left.domains["sales"].schedule != right.domains["sales"].schedule
    assert prod.retention.audit_days >= 7 * 365, "21 CFR Part 11 and HIPAA records are kept for years"


def test_an_unknown_environment_lists_the_valid_ones_and_the_nearest(project: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Environment.load(project, "dvv")
    assert "there are: dev" in caught.value.message
    assert caught.value.fix == "use 'dev'"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("old", "new", "message", "fix"),
    [
        ("    retention:", "    retentoin:", "unknown key 'retentoin'", "write 'retention'"),
        ("audit_days: 30", "audit_day: 30", "unknown key 'retention.audit_day'", "write 'audit_days'"),
        ("        admins:", "        admin:", "unknown key 'databricks.aws.admin'", "write 'admins'"),
        ("timezone: Europe", "time_zone: Europe", "unknown key 'domains.sales.schedule.time_zone'", "write 'timezone'"),
        ("config:", "confg:", "unknown key 'confg'", "write 'config'"),
    ],
)
def test_an_unknown_key_is_refused_with_its_line_and_the_nearest(
    project: Path, old: str, new: str, message: str, fix: str
) -> None:
    line = edit(project, old, new)
    error = refusal(project)
    assert message in error.message
    assert error.where == f"environments/Pulumi.dev.yaml:{line}"
    assert fix in (error.fix or "")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('account: "222222222222"', "account: 222222222222", "clouds.aws.account: input should be a valid string"),
        ("region: eu-west-1", "region: Ireland", "clouds.aws.region: string should match pattern"),
        ("monthly_usd: 400", "monthly_usd: -1", "budgets.total.monthly_usd: input should be greater than 0"),
        ('expires_on: "2027-06-30"', "expires_on: 2027-06-30", "expires_on: a date must be quoted"),
        ("stateful: false", "stateful: true", "force_destroy contradicts"),
        ("idle_minutes: 10", "min_workers: 9", "min_workers 9 is above max_workers 2"),
        ("        cloud: aws", "        cloud: gcp", "domain sales runs on gcp, which has no workspace"),
        ("noncurrent_days: 7", "noncurrent_days: 7, cold_after_days: 31", "cold_after_days must be at least 30 days"),
        ("noncurrent_days: 7", "noncurrent_days: 7, cool_after_days: 29", "should be greater than or equal to 30"),
        ("https://dbc-0000dev0.cloud", "https://dbc-0000dev0.azure", "has a host that ends in .cloud.databricks.com"),
        ("    protection:", "    network: {allowed_cidrs: [10.1.0.0/16]}\n    protection:", "private addresses never"),
        ("    protection:", "    network: {allowed_cidrs: [0.0.0.0/0]}\n    protection:", "that is everybody"),
        ("    protection:", "    network: {allowed_cidrs: [198.51.100.1/24]}\n    protection:", "not an IPv4 range"),
        ("cron: ", "cron: daily #", "expected ',' or '}'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_line(project: Path, old: str, new: str, message: str) -> None:
    line = edit(project, old, new)
    error = refusal(project)
    assert message in error.message
    assert (error.where or "").startswith("environments/Pulumi.dev.yaml:")
    assert abs(int((error.where or "").rsplit(":", 1)[1]) - line) <= 1
    assert error.fix


@pytest.mark.parametrize(
    ("subnets", "message"),
    [
        ("[]", "domain sales runs on azure, whose firewall keeps its clusters out"),
        ("[databricks-host]", "clouds.azure.subnets.0: string should match pattern"),
    ],
)
def test_a_domain_on_azure_needs_the_subnets_of_its_clusters(tmp_path: Path, subnets: str, message: str) -> None:
    path_of(tmp_path, "staging").parent.mkdir()
    text = path_of(ROOT, "staging").read_text().replace("cloud: aws", "cloud: azure")
    assert "subnets:\n          - /subscriptions/" in text
    path_of(tmp_path, "staging").write_text(text)
    assert Environment.load(tmp_path, "staging").domains["sales"].cloud == "azure"
    other = text.replace("subnets:\n", f"subnets: {subnets}\n").replace("- /subscriptions/", "# ")
    path_of(tmp_path, "staging").write_text(other)
    with pytest.raises(UsageError) as caught:
        Environment.load(tmp_path, "staging")
    assert message in caught.value.message
    assert (caught.value.where or "").startswith("environments/Pulumi.staging.yaml:1")


def test_a_missing_setting_is_named_with_what_it_is(project: Path) -> None:
    edit(project, "    company: acme\n", "")
    error = refusal(project)
    assert "company is missing" in error.message
    assert "begins every global name" in (error.fix or "")


def test_several_mistakes_are_counted(project: Path) -> None:
    edit(project, "audit_days: 30", "audit_days: 0")
    edit(project, "log_days: 30", "log_days: x")
    assert "and 1 more: retention.log_days" in refusal(project).message


@pytest.mark.parametrize("text", ["", "- a\n", "config: 1\n", "config:\n  levee:environment: 3\n", "a: [\n", "\x00"])
def test_what_is_no_stack_file_is_refused(project: Path, text: str) -> None:
    path_of(project, "dev").write_text(text)
    assert refusal(project).fix


@given(st.text(max_size=60))
def test_no_text_raises_anything_but_a_usage_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    root = tmp_path_factory.getbasetemp() / "any"
    path_of(root, "dev").parent.mkdir(parents=True, exist_ok=True)
    path_of(root, "dev").write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(UsageError):
        Environment.load(root, "dev")


def test_pulumi_s_own_top_level_keys_are_allowed(project: Path) -> None:
    edit(project, "config:", "encryptionsalt: v1:abc\nsecretsprovider: awskms://alias/levee\nconfig:")
    assert Environment.load(project, "dev").company == "acme"


def test_config_gives_the_same_environment_as_the_file(project: Path) -> None:
    loaded = Environment.load(project, "dev")
    value = loaded.model_dump(mode="json", exclude={"name"})
    assert Environment.from_config("dev", value) == loaded


def test_config_is_refused_with_the_file_and_the_path(project: Path) -> None:
    value = Environment.load(project, "dev").model_dump(mode="json", exclude={"name"})
    value["owners"]["teem"] = "x"
    with pytest.raises(UsageError) as caught:
        Environment.from_config("dev", value)
    assert caught.value.where == "environments/Pulumi.dev.yaml (owners.teem)"
    assert "write 'team'" in (caught.value.fix or "")


def test_local_cannot_be_put_online() -> None:
    value = Environment.load(ROOT, "local").model_dump(mode="json", exclude={"name"})
    with pytest.raises(UsageError, match="always offline"):
        Environment.from_config("local", {**value, "offline": False})


def test_an_environment_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Environment.load(ROOT, "dev").company = "other"  # ty: ignore[invalid-assignment]
