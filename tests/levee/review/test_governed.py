"""Edits to what judges."""

from levee.review.governed import edits

FILE = "environments/Pulumi.prod.yaml"


def test_an_edit_to_rules_budgets_or_exemptions_is_told():
    base = {FILE: {"budgets": {"total": 1}, "company": "acme", "policies": {"a": "mandatory"}}}
    head = {FILE: {"budgets": {"total": 2}, "company": "other", "exemptions": ["x"]}}
    assert [(e.file, e.what.split("`")[1]) for e in edits([FILE], base, head)] == [
        (FILE, "policies"),
        (FILE, "exemptions"),
        (FILE, "budgets"),
    ]
    assert edits([FILE], base, base) == ()


def test_what_a_new_environment_brings_is_told():
    assert [e.what.split("`")[1] for e in edits([], {}, {FILE: {"exemptions": ["x"]}})] == ["exemptions"]


def test_an_edit_to_levee_its_packs_or_its_workflows_is_told():
    changed = [
        "levee/compliance/rules/aws.py",
        "levee/review/run.py",
        "policy_packs/__main__.py",
        "accepted-findings.yaml",
        "infra/accepted-findings.yaml",
        ".github/workflows/review.yml",
        "stacks/lakes.py",
        "docs/levee.md",
    ]
    found = {e.file: e.what for e in edits(changed, {}, {})}
    assert set(found) == {
        "levee/compliance/rules/aws.py",
        "policy_packs/__main__.py",
        "accepted-findings.yaml",
        "infra/accepted-findings.yaml",
        ".github/workflows/review.yml",
    }
    assert found["levee/compliance/rules/aws.py"].endswith("(2 files)")
