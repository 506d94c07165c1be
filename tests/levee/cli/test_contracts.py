"""``levee contracts diff|lint`` as a person and as a pull request run them."""

import json
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest

from levee.cli.app import run
from pipelines.contracts import domains_folder
from tests.levee.review.test_writers import SCHEMA

ROOT = Path(__file__).resolve().parents[3]
RETAIL = "sales/online_retail.odcs.yaml"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with the shipped contracts, and the folder as the place of the call."""
    shutil.copytree(domains_folder(), tmp_path / "domains")
    monkeypatch.chdir(tmp_path)
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "Contracts")
    return tmp_path


def git(*arguments):
    who = ["-c", "user.name=t", "-c", "user.email=t@levee.example"]
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def edited(repository, *pairs, file=RETAIL):
    path = repository / "domains" / file
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    return path


def without(repository, column):
    path = repository / "domains" / RETAIL
    text = path.read_text()
    start = text.index(f"      - name: {column}\n")
    return text[start : text.index("      - name: ", start + 1)]


def test_nothing_changed_since_a_commit(repository, capsys):
    assert run(["contracts", "diff", "--base", "HEAD"]) == 0
    assert "the contracts are the same" in capsys.readouterr().out


def test_a_breach_without_a_major_version_fails(repository, capsys):
    edited(repository, (without(repository, "country"), ""))
    assert run(["contracts", "diff", "--base", "main", "--json", "-"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["blocked"]
    (removed,) = [one for one in said["differences"] if one["rule"] == "column-removed"]
    assert removed["gold"] == ["revenue_by_country"]
    assert removed["roles"] == ["sales_reader"]
    assert removed["file"] == f"domains/{RETAIL}"
    assert removed["source"].startswith("Confluent")


def test_a_breach_with_a_major_version_is_fine(repository, capsys):
    edited(repository, (without(repository, "country"), ""), ("version: 1.0.0", "version: 2.0.0"))
    assert run(["contracts", "diff", "--base", "main"]) == 0
    assert "breaking" in capsys.readouterr().out


def test_two_commits_two_folders_and_two_files_say_the_same(repository, capsys):
    shutil.copytree("domains", "before")
    path = edited(repository, ("version: 1.0.0", "version: 1.0.1"), ("by its English name", "in English"))
    git("commit", "-qm", "Words", "--", str(path))
    said = []
    for old, new in (("HEAD~1", "HEAD"), ("before", "domains"), (f"before/{RETAIL}", f"domains/{RETAIL}")):
        assert run(["contracts", "diff", old, new, "--json", "-"]) == 0
        said.append([(one["dataset"], one["rule"]) for one in json.loads(capsys.readouterr().out)["differences"]])
    assert said == [[("sales.online_retail", "words-changed")]] * 3


def test_a_file_knows_the_gold_beside_it(repository, capsys):
    shutil.copytree("domains", "before")
    edited(repository, (without(repository, "country"), ""))
    assert run(["contracts", "diff", f"before/{RETAIL}", f"domains/{RETAIL}", "--json", "-"]) == 1
    removed = json.loads(capsys.readouterr().out)["differences"][0]
    assert (removed["rule"], removed["gold"]) == ("column-removed", ["revenue_by_country"])


def test_markdown_is_harmless(repository, capsys):
    edited(repository, ("name: sales-data\n", 'name: "@everyone <img src=x> | a"\n'))
    assert run(["contracts", "diff", "--base", "main", "--format", "markdown"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("### Data contracts: ")
    assert "@everyone" not in said
    assert "<img" not in said
    assert all(line.count(" | ") == 6 for line in said.splitlines() if line.startswith("| "))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "OLD or --base"),
        (["HEAD", "--base", "HEAD"], "OLD or --base"),
        (["nothing"], "no file, no folder and no commit"),
        (["--base", "v9"], "no file, no folder and no commit"),
    ],
)
def test_what_cannot_be_compared_is_wrong_use(repository, arguments, message, capsys):
    assert run(["contracts", "diff", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_wrong_contract_at_a_commit_is_named_by_it(repository, capsys):
    path = edited(repository, ("classification: confidential", "classification: sekret"))
    git("commit", "-qm", "Wrong", "--", str(path))
    edited(repository, ("classification: sekret", "classification: confidential"))
    assert run(["contracts", "diff", "--base", "HEAD"]) == 2
    assert f"HEAD:domains/{RETAIL}:" in capsys.readouterr().err


def test_lint_takes_the_shipped_contracts(capsys):
    assert run(["contracts", "lint"]) == 0
    assert "0 errors" in capsys.readouterr().out


def test_lint_tells_every_error_and_fails(repository, capsys):
    edited(repository, ("classification: confidential", "classification: sekret"), ("{format: csv,", "{formatt: csv,"))
    assert run(["contracts", "lint", "domains", "--json", "-"]) == 1
    said = json.loads(capsys.readouterr().out)
    errors = [one for one in said["findings"] if one["level"] == "error"]
    assert said["blocked"]
    assert [one["rule"] for one in errors] == ["contract-refused"] * len(errors)
    assert {one["file"] for one in errors} == {f"domains/{RETAIL}"}
    assert len({one["line"] for one in errors}) == 2


def test_a_warning_fails_where_it_is_strict(repository, capsys):
    edited(repository, ("  - {property: latency, value: 1, unit: d}\n", ""), ("  - {property: frequency", "  # {"))
    assert run(["contracts", "lint", f"domains/{RETAIL}"]) == 0
    assert "freshness-missing" in capsys.readouterr().out
    assert run(["contracts", "lint", f"domains/{RETAIL}", "--strict"]) == 1


def test_sarif_keeps_to_its_schema(repository, capsys):
    edited(repository, ("classification: confidential", "classification: sekret"))
    assert run(["contracts", "lint", "domains", "--format", "sarif"]) == 1
    log = json.loads(capsys.readouterr().out)
    jsonschema.validate(log, SCHEMA)
    (told,) = [one for one in log["runs"][0]["results"] if one["ruleId"] == "contract-refused"]
    place = told["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == f"domains/{RETAIL}"
    text = (repository / "domains" / RETAIL).read_text().splitlines()[place["region"]["startLine"] - 1]
    assert "sekret" in text
    assert log["runs"][0]["tool"]["driver"]["rules"][told["ruleIndex"]]["id"] == told["ruleId"]


def test_no_contract_is_wrong_use_and_json_says_so(tmp_path, capsys):
    assert run(["contracts", "lint", str(tmp_path), "--json", "-"]) == 2
    assert "no contract" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_export_prints_a_contract_and_writes_a_folder(tmp_path, capsys):
    at = ["--cwd", str(ROOT)]
    contract = str(domains_folder() / RETAIL)
    assert run(["contracts", "export", contract, "--format", "avro", *at]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "online_retail"
    assert (
        run(["contracts", "export", "--format", "sql-ddl", "--dialect", "postgres", "--output", str(tmp_path), *at])
        == 0
    )
    assert capsys.readouterr().out == ""
    assert 'CREATE TABLE IF NOT EXISTS "sales_silver"."cdnow"' in (tmp_path / "sales" / "cdnow.sql").read_text()


def test_export_tells_the_wheels_error_as_its_own(repository, capsys):
    edited(repository, ("status: active", "statuz: active"))
    assert run(["contracts", "export", f"domains/{RETAIL}", "--format", "odcs", "--cwd", str(ROOT)]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "unknown key 'statuz'" in said
    assert "did you mean `status`?" in said
    assert "Traceback" not in said


def test_infer_writes_a_contract_that_lint_takes(tmp_path, capsys):
    (tmp_path / "orders.csv").write_text(
        "OrderNo,Amount,E-Mail\nA1,1.50,ann@private.example\nA2,2.25,bob@private.example\n"
    )
    out = tmp_path / "orders.odcs.yaml"
    asked = ["contracts", "infer", str(tmp_path / "orders.csv"), "--as", "shop.orders", "--cwd", str(ROOT)]
    assert run([*asked, "--output", str(out)]) == 0
    assert "private.example" not in out.read_text()
    assert run(["contracts", "lint", str(out)]) == 0
    capsys.readouterr()
    assert run(asked) == 0
    assert capsys.readouterr().out == out.read_text()
    assert run([*asked, "--output", str(out)]) == 2
    assert "there is a contract already" in capsys.readouterr().err


def test_infer_tells_what_it_cannot_read(tmp_path, capsys):
    asked = ["--as", "shop.orders", "--cwd", str(ROOT)]
    assert run(["contracts", "infer", str(tmp_path / "none.csv"), *asked]) == 2
    assert "no such source" in capsys.readouterr().err
    assert run(["contracts", "infer", "postgresql://u:hunter2@db/shop/public.t", *asked]) == 2
    said = capsys.readouterr().err
    assert "without secrets" in said
    assert "hunter2" not in said


def test_docs_write_a_page_a_table_with_its_history(repository, capsys):
    edited(repository, ("Product name as typed by the shop.", "Product name; <b>as typed</b>."))
    git("commit", "-qam", "Say what <i>typed</i> means")
    assert run(["contracts", "docs", "domains", "--output", "site", "--cwd", str(ROOT)]) == 0
    assert "site/index.html" in capsys.readouterr().out
    page = (repository / "site" / "sales" / "silver.online_retail.html").read_text()
    assert "Product name; &lt;b&gt;as typed&lt;/b&gt;." in page
    assert "Say what &lt;i&gt;typed&lt;/i&gt; means" in page
    assert len(list((repository / "site" / "sales").iterdir())) == len(list(domains_folder().rglob("*.odcs.yaml")))
