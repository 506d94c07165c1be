"""How far to believe a plan, as the terminal and the page say it."""

import io
from dataclasses import replace

from rich.console import Console

from levee import report
from levee.plan import CheckReach, Fidelity, FilledConfig, NotEvaluated, TypeFidelity
from levee.report import fidelity

CHECKS = (
    CheckReach("types", inputs=12, decided=11, given=9, undecided=("policy",), let_pass=1),
    CheckReach("replacement facts", inputs=12, decided=8, given=9, undecided=("acl", "policy"), let_pass=3),
    CheckReach("reference targets", inputs=0, decided=0),
)
BUCKET = TypeFidelity(
    "aws:s3/bucket:Bucket",
    "aws 7.51.1",
    resources=6,
    given=9,
    checks=CHECKS,
    invented=("arn",),
    open_values=("acl=<b>",),
)
FIDELITY = Fidelity(
    types=(BUCKET,),
    not_evaluated=(NotEvaluated("urn:pulumi:local::levee::awsx:ec2:Vpc::net", "awsx:ec2:Vpc", "its program"),),
    placeholders=("secret levee:token stands as 'x'",),
    only_the_provider=("quotas",),
)


def printed(renderable, width=80):
    out = io.StringIO()
    Console(file=out, width=width).print(renderable)
    return out.getvalue()


def test_the_terminal_names_what_is_checked_invented_and_left(plan):
    plan = replace(plan, fidelity=FIDELITY, filled_config=(FilledConfig("levee:size", 3, "number"),))
    shown = " ".join(printed(fidelity.tables(plan), 160).split())
    assert "types 8/9; replacement facts 6/9" in shown
    assert "reference targets" not in shown, "what concerns nothing is left out"
    for said in (
        "1 computed output: arn",
        "whether a later change of acl, policy would replace it",
        "types: policy",
        "values beyond the SDK's list: acl=<b>",
        "net: its program",
        "quotas",
        "secret levee:token stands as 'x'",
        "levee:size",
    ):
        assert said in shown, said
    assert max(map(len, printed(fidelity.tables(plan)).splitlines())) <= 80


def test_one_line_counts_it(plan):
    line = str(fidelity.believe_line(replace(plan, fidelity=FIDELITY)))
    assert "8 of 9 inputs checked against 1 type;" in line
    assert "what a change replaces is known of 6" in line
    assert "1 placeholder" in line
    assert "1 resource not evaluated" in line
    assert fidelity.believe_line(replace(plan, fidelity=FIDELITY, offline=False)) is None


def test_the_page_has_it_and_nothing_of_it_is_markup(plan, tmp_path):
    page = report.write(replace(plan, fidelity=FIDELITY), None, tmp_path / "r.html", environment="local").read_text()
    assert "How far to believe it" in page
    assert "acl=&lt;b&gt;" in page
    assert "acl=<b>" not in page
    empty = report.write(
        replace(plan, fidelity=Fidelity(), invented_lookups=()), None, tmp_path / "e.html", environment="local"
    )
    assert "How far to believe it" not in empty.read_text()
