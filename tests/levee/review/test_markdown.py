"""The comment: what it says, that it stays below the limit, and that nobody's text becomes anything but text."""

import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from levee.plan import Op
from levee.review.escape import code, fence, length, own, prose
from levee.review.markdown import LIMIT, MARKER, comment
from levee.review.model import ContractChange, CostChange, CostMove, GovernedEdit, Grant
from tests.levee.review.conftest import broken, bucket, environment, plan, review, urn

HOSTILE = (
    "a|b|c",
    "`x` ```y```",
    "</code></td><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "@octocat and @org/team",
    "#12 GH-12 org/repo#3",
    "[click](https://evil.example) ![i](https://evil.example/x.png)",
    "https://evil.example www.evil.example x@evil.example",
    "line\nbreak\r\n| a | b |\n---\n# heading",
    "<!-- levee review --> --> <!--",
    "**bold** _em_ ~~gone~~ &lt;b&gt; &#64;octocat \\| \\",
    "\u202etxt.exe\u2066 \u200b\x00\x1b[31m",
    "</details></summary>",
)


class Page(HTMLParser):
    """The tags of a page with their attributes, and the text that stands in no code."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.plain, self.cells, self.comments = [], [], "", [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, attrs))
        if tag not in {"br", "hr", "img"}:
            self.open.append(tag)
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_endtag(self, tag):
        if tag in self.open:
            del self.open[len(self.open) - 1 - self.open[::-1].index(tag) :]

    def handle_data(self, data):
        if not {"code", "pre"} & set(self.open):
            self.plain += data
        if {"td", "th"} & set(self.open):
            self.cells[-1] += data

    def handle_comment(self, data):
        self.comments.append(data)


def page(markdown):
    return Page(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))


OURS = {"h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "pre", "details", "summary", "sub"}
OURS |= {"strong", "br", "ul", "li"}


def told(text):
    """A review in which everything that somebody else may write is that text."""
    resource = replace(bucket("x", Op.REPLACE, inputs={text: text}, replace_keys=(text,)), name=text)
    resource = replace(resource, urn=urn(text), source=replace(resource.source, file=text))
    violation = replace(broken("x", message=text, policy=text), urn=urn(text), source=resource.source)
    reviewed = environment(plan(), plan(resource, violations=[violation]), name=text, remarks=(text,))
    failed = replace(environment(plan(), plan(), name="other"), failure=text, failure_code=2)
    grant = Grant(text, (text,), text, (text,))
    return review(
        reviewed,
        failed,
        contracts=(ContractChange(text, text, text, breaking=True, gold=(text,), grants=(grant,)),),
        governed=(GovernedEdit(text, "what runs"),),
        remarks=(text,),
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_itself_and_is_nothing_else(text):
    markdown = comment(told(text))
    shown = page(markdown)
    assert {tag for tag, _ in shown.tags} <= OURS
    assert {name for tag, attrs in shown.tags for name, _ in attrs if (tag, name) != ("code", "class")} == set()
    assert shown.comments == [" levee review "], "the marker is there once"
    assert not re.search(r"[@#]\w|://|www\.|GH-\d", shown.plain), "nothing outside code that GitHub links or notifies"
    harmless = page(comment(told("x" * 20)))
    assert [tag for tag, _ in shown.tags if tag != "code"] == [tag for tag, _ in harmless.tags if tag != "code"]
    assert not shown.open


@pytest.mark.parametrize("text", [t for t in HOSTILE if t.isprintable()])
def test_hostile_text_reads_as_it_was_written(text):
    assert text in page(f"| a |\n|---|\n| {code(text)} |").cells
    assert text in page(f"| a |\n|---|\n| {prose(text)} |").cells


def test_a_fence_is_longer_than_what_it_holds():
    shown = page(fence(["````", "<b>"]) + "\n\nafter")
    assert [tag for tag, _ in shown.tags] == ["pre", "code", "p"]
    assert shown.plain.strip() == "after"


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_any_text_stays_in_its_cell(text):
    shown = page(f"| a | b | c |\n|---|---|---|\n| {code(text)} | {prose(text) or 'x'} | {own(text) or 'x'} |")
    assert len(shown.cells) == 6
    assert {tag for tag, _ in shown.tags} <= {"table", "thead", "tbody", "tr", "th", "td", "code"}


counts = st.integers(0, 300)


@settings(max_examples=8)
@given(
    counts,
    counts,
    counts,
    st.integers(1, 60),
    st.sampled_from(["x", "|", "`", "@", "\U0001f4a3", "名"]),
    st.integers(1, 400),
)
def test_the_comment_is_always_below_the_limit_and_never_cuts_the_summary(
    resources, violations, contracts, environments, sign, size
):
    name = sign * size
    inputs = {f"{sign}{n}": name for n in range(20)}
    head = plan(
        *(bucket(f"{name}{n}", Op.CREATE, inputs=inputs) for n in range(resources)),
        violations=[broken(f"{name}{n}", message=name) for n in range(violations)],
    )
    one = environment(plan(), head)
    grants = tuple(Grant(f"{name}{n}", (name,), f"{name}{n}", (name,) * 9) for n in range(9))
    whole = review(
        *(replace(one, name=f"{name}{n}") for n in range(environments)),
        contracts=tuple(
            ContractChange(f"{name}{n}", name, name, breaking=True, gold=(name,) * 9, grants=grants)
            for n in range(contracts)
        ),
        governed=tuple(GovernedEdit(f"{name}{n}", name) for n in range(contracts)),
        remarks=(name,) * contracts,
    )
    written = comment(whole)
    assert length(written) < LIMIT - 512, "with room for who posts it"
    if violations:
        assert f"{violations * environments:,} mandatory rule" in written.split("\n")[1]
    if resources + violations:
        assert "| Environment | Resources | Policies | A month |" in written
    if violations:
        assert "### Policies" in written
    if resources:
        assert "### Resources" in written


def test_grants_are_told_by_principal_alike_environments_together_and_the_many_counted():
    def told_of(*grants):
        change = ContractChange("sales.orders", "o.yaml", "dataset removed", breaking=True, grants=grants)
        return " ".join(page(comment(review(contracts=(change,)))).cells)

    schema, catalog = ("acme", "sales_gold"), ("acme",)
    shown = told_of(
        *(Grant(name, schema, "analysts", ("SELECT", "USE_SCHEMA")) for name in ("dev", "prod")),
        *(Grant(name, catalog, "analysts", ("USE_CATALOG",)) for name in ("dev", "prod")),
        Grant("prod", schema, "loader", ("MODIFY",), ends=True),
        Grant("prod", (None, None), None, None, certain=False),
    )
    assert "analysts in dev, prod: SELECT, USE_CATALOG, USE_SCHEMA" in shown
    assert "loader in prod until now: MODIFY" in shown
    assert "somebody not known yet in prod: perhaps what is not known yet" in shown
    assert "and 2 more" in told_of(*(Grant("prod", schema, f"group{n}", ("SELECT",)) for n in range(7)))


def test_diffs_are_cut_and_counted_while_every_table_stays():
    before = plan(*(bucket(f"b{n:03}", inputs={"tags": {f"k{m:02}": "a" * 100 for m in range(30)}}) for n in range(60)))
    after = plan(
        *(
            bucket(f"b{n:03}", Op.UPDATE, inputs={"tags": {f"k{m:02}": "b" * 100 for m in range(30)}}, diff=("tags",))
            for n in range(60)
        )
    )
    written = comment(review(environment(before, after)))
    assert LIMIT - 10_000 < length(written) < LIMIT
    assert all(f"<code>b{n:03}</code>" in written for n in range(60)), "the table of resources is whole"
    assert re.search(r"\n\nand \d+ diffs more; the whole is in `review.json`", written)


def test_the_comment_says_what_is_lost_first(one_of_each):
    written = comment(review(environment(*one_of_each), environment(plan(), plan(), name="quiet")))
    assert written.startswith(f"{MARKER}\n## Levee review: ✗ 1 mandatory rule newly fails\n")
    rows = [line for line in written.splitlines() if line.startswith("| ")]
    assert rows[1] == (
        "| <code>dev</code> | ± 1 replace, - 1 delete, ~ 1 update, + 1 create; **2 stateful lost** | "
        "**✗ 1 mandatory**, ? 1 not evaluated, ✓ 1 mended, 1 known | not priced |"
    )
    assert "Nothing changes in <code>quiet</code>." in written
    assert rows[3].startswith("| **± replace, stateful** | **<code>photos</code>** for <code>bucket</code> |")
    assert rows[4].startswith("| **- delete, stateful** | **<code>work</code>** |")
    assert rows[5].startswith("| ~ update | <code>rule</code> |")
    policy = next(row for row in rows if "✗ mandatory**" in row and "<code>more</code>" in row)
    assert "&#95;&#95;main&#95;&#95;.py&#58;11" in policy
    assert "Add the missing keys where the type carries its tags" in policy, "what mends it"
    assert "photos" not in written.split("### Policies")[1].split("<details>")[0], "known findings fold away"
    assert '-   bucket: "old"\n+   bucket: "new"' in written


def test_what_mends_a_finding_shows_its_code_as_code():
    found = environment(plan(), plan(violations=[broken("a")]))
    (finding,) = found.findings
    mended = replace(found, findings=(replace(finding, remediation="Set `acl|x` or none."),))
    assert "tags are missing<br>Set <code>acl&#124;x</code> or none." in comment(review(mended))
    assert own("`a|b` is not c") == "<code>a&#124;b</code> is not c"


def test_what_changes_in_one_dataset_is_one_row():
    changes = [ContractChange("sales.orders", "orders.odcs.yaml", what, breaking=True) for what in ("one", "two")]
    written = comment(review(environment(plan(), plan()), contracts=tuple(changes)))
    assert "| **✗ breaking** | <code>sales.orders</code> | one<br>two |" in written


def test_the_tally_says_what_a_month_costs_more():
    moved = CostChange(
        Decimal(10), Decimal("12.5"), (CostMove("a", "b", Decimal(10), Decimal("12.5")),), ("c: no price",)
    )
    head = replace(environment(plan(), plan(bucket("a", Op.CREATE))), cost=moved)
    assert "| **+&#36;2.50**, 1 not priced |" in comment(review(head))


def test_the_same_in_several_environments_is_one_row():
    head = plan(bucket("a", Op.CREATE), violations=[broken("a")])
    written = comment(review(environment(plan(), head, name="dev"), environment(plan(), head, name="prod")))
    assert written.count("| + create |") == 1
    assert written.count("tagging-required") == 1
    assert "<code>dev, prod</code>" in written


def test_edits_to_what_judges_head_the_comment():
    edit = GovernedEdit("policy_packs/__main__.py", "which rules run")
    written = comment(review(environment(plan(), plan()), governed=(edit,)))
    assert written.index("edits what judges it") < written.index("Nothing changes in")


def test_a_review_of_nothing_is_one_line():
    assert comment(review(environment(plan(bucket("a")), plan(bucket("a"))))).count("\n") == 2


def test_an_environment_without_a_preview_is_no_pass():
    failed = replace(environment(plan(), plan()), failure="the program raised", failure_code=2)
    assert review(failed).exit_code == 2
    assert "✗ 1 environment could not be previewed" in comment(review(failed))


def test_long_values_are_shown_where_they_differ():
    before, after = (
        bucket("a", op, inputs={"text": "x" * 500 + end + "y" * 500}, diff=("text",))
        for op, end in ((Op.SAME, "ONE"), (Op.UPDATE, "TWO"))
    )
    written = comment(review(environment(plan(before), plan(after))))
    assert re.search(r"^-   text: …x{40}ONEy", written, re.MULTILINE)
    assert re.search(r"^\+   text: …x{40}TWOy", written, re.MULTILINE)
