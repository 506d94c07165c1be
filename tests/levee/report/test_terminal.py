"""What a terminal shows, at 80 and at 120 columns."""

import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from levee.plan import InventedLookup, Level, Op, Plan, Resource, Source, Violation
from levee.report import terminal
from levee.report.naming import plural, seconds, short_type


def resource(token, name, op=Op.CREATE, **more):
    return Resource(urn=f"urn:pulumi:local::levee::{token}::{name}", type=token, name=name, op=op, **more)


def plan(*resources, **more):
    root = resource("pulumi:pulumi:Stack", "levee-local", custom=False)
    provider = resource("pulumi:providers:aws", "default")
    plain = Plan(project="levee", stack="local", operation="preview", offline=True)
    return replace(plain, resources=(root, provider, *resources), **more)


def violation(of, message="tags owner missing: add it to `tags`", level=Level.MANDATORY, policy="tagging-required"):
    return Violation("levee", policy, level, message, of.urn if of else "", of.source if of else None)


@pytest.fixture(params=[80, 120])
def shown(request):
    """What is printed, and that no line is wider than the terminal."""

    def render(what):
        console = Console(width=request.param, force_terminal=False, record=True, file=StringIO())
        console.print(what)
        text = console.export_text()
        assert max(map(len, text.splitlines())) <= request.param
        return text

    return render


BUCKETS = tuple(
    resource("aws:s3/bucket:Bucket", f"bucket-{i}", source=Source("components/lake/aws.py", 20 + i)) for i in range(9)
)


def test_the_tree_counts_by_cloud_and_type(shown):
    text = shown(terminal.resource_tree(plan(*BUCKETS, resource("gcp:storage/bucket:Bucket", "g", Op.SAME))))
    assert re.search(r"AWS +9 +\+9", text)
    assert re.search(r"s3 Bucket +9 +\+9", text)
    assert re.search(r"Google Cloud +1 +=1", text)
    assert "providers" not in text


def test_what_is_changed_is_named_and_what_is_created_is_counted(shown):
    replaced = resource("aws:kms/key:Key", "lake", Op.REPLACE, diff=("multiRegion",), replace_keys=("multiRegion",))
    perhaps = resource("aws:kms/key:Key", "audit", Op.UPDATE, diff=("policy",), replacement_unknown=True)
    text = shown(terminal.resource_tree(plan(*BUCKETS, replaced, perhaps)))
    assert "± replace lake  multiRegion" in text
    assert "~ update audit  policy  replacement unknown" in text
    assert "bucket-0" not in text


def test_an_empty_stack_says_so(shown):
    assert "no resources" in shown(terminal.resource_tree(plan()))


def test_a_destroyed_stack_is_counted_not_listed(shown):
    gone = [resource("aws:s3/bucket:Bucket", f"b{i}", Op.DELETE) for i in range(3)]
    text = shown(terminal.resource_tree(plan(*gone, operation="destroy")))
    assert "-3" in text
    assert "b1" not in text


def test_one_complaint_about_many_resources_is_said_once(shown):
    text = shown(terminal.verdicts(plan(*BUCKETS, violations=tuple(violation(b) for b in BUCKETS))))
    assert text.count("tags owner missing") == 1
    assert "components/lake/aws.py:20" in text
    assert "and 3 more" in text


def test_every_verdict_has_a_word_beside_its_colour(shown):
    text = shown(
        terminal.verdicts(
            plan(
                *BUCKETS,
                violations=(violation(BUCKETS[0]), violation(None, "stale", Level.ADVISORY, "exemption-unused")),
                not_evaluated=(violation(BUCKETS[1], "`tags` is not known before the update"),),
                exempt=(violation(BUCKETS[2], "until 2027-01-01"),),
            )
        )
    )
    for word in ("✗ mandatory", "! advisory", "? not evaluated", "○ exempt"):
        assert word in text


def test_what_blocks_is_shown_whole_and_advice_is_counted(shown):
    blocking = tuple(violation(BUCKETS[0], f"danger {n:02}") for n in range(40))
    advice = tuple(violation(BUCKETS[0], f"advice {n:02}", Level.ADVISORY, "stale") for n in range(30))
    text = shown(terminal.verdicts(plan(*BUCKETS, violations=(*advice, *blocking))))
    assert text.count("danger ") == 40
    assert text.count("advice ") == 25
    assert "and 5 more that block nothing: --json has them all" in text


def test_nothing_broken_is_said(shown):
    assert "every rule is kept" in shown(terminal.verdicts(plan(*BUCKETS)))


def test_brackets_in_a_message_are_no_markup(shown):
    assert "[bold]x[/]" in shown(terminal.verdicts(plan(*BUCKETS, violations=(violation(BUCKETS[0], "[bold]x[/]"),))))


def test_the_summary_counts_what_was_not_decided(shown):
    text = shown(
        terminal.summary_line(
            plan(
                *BUCKETS,
                violations=(violation(BUCKETS[0]),),
                not_evaluated=(violation(BUCKETS[1]),),
                exempt=(violation(BUCKETS[2]),),
                invented_lookups=(InventedLookup("aws:x", {}, {}),),
                seconds=2.34,
            )
        )
    )
    text = " ".join(text.split())
    assert "9 resources +9 create" in text
    for piece in ("1 mandatory violation ", "1 not evaluated", "1 exempt", "1 invented lookup", "2.3 s"):
        assert piece in text


def test_the_summary_of_a_clean_preview(shown):
    assert "✓ every rule kept" in shown(terminal.summary_line(plan(*BUCKETS)))


def test_a_run(shown):
    task = {"attempts": 1, "done": 0, "unit": "", "seconds": 0, "error": None, "because": []}
    tasks = [
        task | {"key": "bronze", "state": "succeeded", "done": 541909, "unit": "rows", "seconds": 12.3},
        task | {"key": "silver", "state": "failed", "attempts": 3, "error": {"message": "no column [country]"}},
        task | {"key": "gold", "state": "skipped", "because": ["silver"]},
    ]
    run = {"domain": "sales", "env": "local", "engine": "sail", "run_id": "r1", "seconds": 75.3, "tasks": tasks}
    text = shown(terminal.run_table(run))
    assert re.search(r"bronze +✓ succeeded +541,909 rows +12 s", text)
    assert "silver  3 attempts; no column [country]" in text
    assert "gold  not run: silver failed" in text
    assert "1 min 15 s" in text


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("aws:s3/bucket:Bucket", "s3 Bucket"),
        ("azure-native:storage:StorageAccount", "storage StorageAccount"),
        ("databricks:index/job:Job", "Job"),
        ("kubernetes:core/v1:Namespace", "core/v1 Namespace"),
        ("nonsense", "nonsense"),
    ],
)
def test_types_in_words(token, words):
    assert short_type(token) == words


def test_numbers_in_words():
    assert plural(1, "row") == "1 row"
    assert plural(1204, "row") == "1,204 rows"
    assert plural(2, "policy", "policies") == "2 policies"
    assert [seconds(0.44), seconds(12.4), seconds(125)] == ["0.4 s", "12 s", "2 min 5 s"]
