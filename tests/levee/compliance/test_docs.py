"""The reference page names every rule and parameter, and is what the rules say."""

from pathlib import Path

from levee.compliance import RULES, docs
from levee.compliance.tagging import DIALECTS

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_is_what_the_rules_say(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert docs.main(["--check"]) == 0, docs.COMMAND


def test_every_rule_parameter_and_provider_is_on_the_page():
    page = docs.page()
    for rule in RULES:
        assert f"### `{rule.id}`\n" in page
        for name, parameter in rule.parameters.items():
            assert parameter.description, f"{rule.id}.{name}"
            assert f"| `{name}` |" in page
    for package in DIALECTS:
        assert f"| {package} |" in page


def test_every_rule_says_where_it_is_explained():
    ours = [rule for rule in RULES if not rule.url.startswith("https://")]
    assert {rule.pack for rule in RULES} - {"compliance"} == {rule.pack for rule in ours}
    for rule in ours:
        path, _, anchor = rule.url.partition("#")
        headings = [line.lstrip("# ").lower() for line in (ROOT / path).read_text().splitlines() if line[:1] == "#"]
        assert anchor in headings, rule.id


def test_a_stale_page_is_told_with_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    docs.PAGE.parent.mkdir(parents=True)
    assert docs.main(["--check"]) == 1
    assert docs.COMMAND in capsys.readouterr().err
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
