"""Which edit of a data contract breaks its readers."""

import dataclasses
import shutil

import pytest

from levee.errors import UsageError
from levee.plan import UNKNOWN, Op, Resource
from levee.review import grants
from levee.review.contracts import compare, read
from levee.review.model import Grant
from pipelines.contracts import domains_folder, widens
from tests.levee.review.conftest import plan, urn

RETAIL = "sales/online_retail.odcs.yaml"
STAYS = ("something new, and the version stays 1.0.0", False)


@pytest.fixture
def domains(tmp_path):
    """A function that edits a copy of the shipped contracts and compares it with them."""
    shutil.copytree(domains_folder(), tmp_path / "domains")

    def edited(file, *pairs):
        path = tmp_path / "domains" / file
        text = path.read_text()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text)
        return [(c.what, c.breaking) for c in compare(read(domains_folder()), read(tmp_path / "domains"))]

    return edited


def column(name, file=RETAIL):
    """The text of one column in the shipped contract."""
    text = (domains_folder() / file).read_text()
    start = text.index(f"      - name: {name}\n")
    ends = [text.find(mark, start + 1) for mark in ("\n      - name: ", "\n    quality:", "\n\n")]
    return text[start : min(end for end in ends if end > 0) + 1]


def test_nothing_edited_is_nothing_said(domains):
    assert domains(RETAIL) == []


def test_a_lowered_classification_breaks(domains):
    old = column("unit_price")
    said = domains(RETAIL, (old, old.replace("classification: confidential", "classification: internal")))
    assert said[0] == ("column unit_price: classification lowered from confidential to internal", True)


def test_a_raised_classification_does_not(domains):
    old = column("quantity")
    said = domains(RETAIL, (old, old.replace("classification: internal", "classification: confidential")))
    assert said == [("column quantity: classification raised from internal to confidential", False), STAYS]


def test_a_removed_column_breaks_and_names_the_gold_it_feeds(tmp_path):
    shutil.copytree(domains_folder(), tmp_path / "domains")
    path = tmp_path / "domains" / RETAIL
    path.write_text(path.read_text().replace(column("country"), "", 1))
    found = compare(read(domains_folder()), read(tmp_path / "domains"))
    (removed,) = [c for c in found if c.what == "column country removed"]
    assert removed.breaking
    assert removed.dataset == "sales.online_retail"
    assert removed.file == RETAIL
    assert "revenue_by_country" in removed.gold


def test_a_type_that_holds_less_breaks_and_one_that_holds_more_does_not(domains):
    old = column("revenue", "sales/gold/revenue_by_month.odcs.yaml")
    file = "sales/gold/revenue_by_month.odcs.yaml"
    said = domains(file, ("decimal(28,3)", "decimal(30,3)"))
    assert said == [("column revenue: type widened from decimal(28,3) to decimal(30,3)", False), STAYS]
    said = domains(file, ("decimal(30,3)", "decimal(20,3)"))
    assert said[0] == ("column revenue: type narrowed from decimal(28,3) to decimal(20,3)", True)
    assert "decimal(28,3)" in old


def test_a_breaking_change_needs_a_new_major_version(domains):
    old = column("country")
    assert ("breaking, and the version goes only from 1.0.0 to 1.1.0", True) in domains(
        RETAIL, (old, ""), ("version: 1.0.0", "version: 1.1.0")
    )
    assert not any("version" in what for what, _ in domains(RETAIL, ("version: 1.1.0", "version: 2.0.0")))


def test_a_breaking_change_without_a_new_version_is_told_so(domains):
    assert ("breaking, and the version stays 1.0.0", True) in domains(RETAIL, (column("country"), ""))


def test_a_removed_mask_breaks(domains):
    old = column("customer_id")
    bare = "".join(
        line
        for line in old.splitlines(keepends=True)
        if not any(w in line for w in ("customProperties", "masking", "value:"))
    ).replace("classification: personal", "classification: restricted")
    said = domains(RETAIL, (old, bare))
    assert ("column customer_id: no longer masked", True) in said


def test_a_contract_that_goes_and_one_that_comes(tmp_path):
    shutil.copytree(domains_folder(), tmp_path / "domains")
    (tmp_path / "domains" / RETAIL).unlink()
    ours, theirs = read(domains_folder()), read(tmp_path / "domains")
    assert ("dataset removed", True) in [(c.what, c.breaking) for c in compare(ours, theirs)]
    assert ("new dataset", False) in [(c.what, c.breaking) for c in compare(theirs, ours)]


def test_a_wrong_contract_is_refused_with_its_line(tmp_path):
    shutil.copytree(domains_folder(), tmp_path / "domains")
    path = tmp_path / "domains" / RETAIL
    path.write_text(path.read_text().replace("classification: confidential", "classification: sekret", 1))
    with pytest.raises(UsageError) as refused:
        read(tmp_path / "domains")
    assert str(refused.value.where).startswith(f"{path}:")


@pytest.mark.parametrize(
    ("old", "new", "is_wider"),
    [
        ("int", "bigint", True),
        ("bigint", "int", False),
        ("int", "decimal(10,0)", True),
        ("int", "decimal(9,0)", False),
        ("bigint", "decimal(19,0)", True),
        ("decimal(10,2)", "decimal(12,3)", True),
        ("decimal(10,2)", "decimal(11,3)", True),
        ("decimal(10,2)", "decimal(10,3)", False),
        ("bigint", "double", False),
        ("float", "double", True),
        ("date", "timestamp", True),
        ("timestamp", "date", False),
        ("string", "int", False),
    ],
)
def test_what_is_wider(old, new, is_wider):
    assert widens(old, new) is is_wider


UNITY = "databricks:index"
TABLES = {"sales_silver": ("online_retail",), "sales_gold": ("revenue_by_month",)}


def of_unity(kind, name, op=Op.SAME, /, refers=None, **inputs):
    """A resource of Unity Catalog; ``refers`` has property to the resource that it takes its value from."""
    token = f"{UNITY}/{kind[0].lower()}{kind[1:]}:{kind}"
    origins = {by: (referred.urn,) for by, referred in (refers or {}).items()}
    return Resource(urn(name, token), token, name, op, inputs=inputs, property_dependencies=origins)


def holding(principal, *privileges):
    return {"principal": principal, "privileges": list(privileges)}


CATALOG = of_unity("Catalog", "lake", name="acme")
GOLD = of_unity("Schema", "gold", refers={"catalogName": CATALOG}, catalogName=UNKNOWN, name="sales_gold")
RAW = of_unity("Schema", "raw", catalogName="acme", name="sales_bronze")


def held(*head, base=None):
    found = grants.read("prod", base and plan(*base), plan(CATALOG, GOLD, RAW, *head))
    return grants.touched([found], TABLES)


def test_a_grant_is_followed_to_its_schema_and_one_on_the_catalogue_holds_below_it():
    on_schema = of_unity(
        "Grants", "g", refers={"schema": GOLD}, schema=UNKNOWN, grants=[holding("analysts", "SELECT", "BROWSE")]
    )
    on_catalog = of_unity("Grants", "c", catalog="acme", grants=[holding("everybody", "USE_CATALOG")])
    one = of_unity("Grant", "o", schema="acme.sales_silver", principal="auditors", privileges=["SELECT"])
    table = of_unity("Grants", "t", table="acme.sales_gold.revenue_by_month", grants=[holding("board", "SELECT")])
    assert set(held(on_schema, on_catalog, one, table)) == {
        Grant("prod", ("acme", "sales_gold"), "analysts", ("BROWSE", "SELECT")),
        Grant("prod", ("acme",), "everybody", ("USE_CATALOG",)),
        Grant("prod", ("acme", "sales_silver"), "auditors", ("SELECT",)),
        Grant("prod", ("acme", "sales_gold", "revenue_by_month"), "board", ("SELECT",)),
    }


@pytest.mark.parametrize(
    "place",
    [
        {"schema": "acme.sales_bronze"},
        {"schema": "acme.claims_gold"},
        {"catalog": "other"},
        {"table": "acme.sales_gold.top_customers"},
        {"volume": "acme.files.landing"},
        {"externalLocation": "gold"},
    ],
)
def test_a_grant_on_something_else_is_not_told(place):
    assert held(of_unity("Grants", "g", grants=[holding("analysts", "SELECT")], **place)) == ()


def test_the_invented_id_of_a_schema_is_no_name():
    invented = of_unity("Grants", "g", refers={"schema": RAW}, schema="x.sales_gold", grants=[holding("a", "SELECT")])
    assert held(invented) == ()


def test_what_nobody_can_know_is_said_to_be_unknown():
    place = of_unity("Grants", "g", schema=UNKNOWN, grants=[holding("analysts", "SELECT")])
    assert held(place) == (Grant("prod", (None, None), "analysts", ("SELECT",), certain=False),)
    whole = of_unity("Grants", "g", schema="acme.sales_gold", grants=UNKNOWN)
    assert held(whole) == (Grant("prod", ("acme", "sales_gold"), None, None),)
    part = of_unity("Grants", "g", catalog="acme", grants=[{"principal": UNKNOWN, "privileges": [UNKNOWN]}])
    assert held(part) == (Grant("prod", ("acme",), None, None),)


def test_an_unknown_principal_is_named_by_what_it_refers_to_where_there_is_only_one():
    group = of_unity("Group", "group", displayName="analysts")
    other = of_unity("ServicePrincipal", "other", displayName="loader")
    to = {"schema": "acme.sales_gold"}
    one = of_unity("Grants", "g", refers={"grants": group}, grants=[holding(UNKNOWN, "SELECT")], **to)
    assert [g.principal for g in held(group, one)] == ["analysts"]
    both = of_unity("Grants", "g", grants=[holding(UNKNOWN, "SELECT"), holding(UNKNOWN, "MODIFY")], **to)
    both = dataclasses.replace(both, property_dependencies={"grants": (group.urn, other.urn)})
    assert [g.principal for g in held(group, other, both)] == [None, None]


def test_a_grant_that_goes_is_told_as_held_until_now():
    def on_gold(op=Op.SAME, *privileges):
        return of_unity("Grants", "g", op, schema="acme.sales_gold", grants=[holding("analysts", *privileges)])

    before = on_gold(Op.SAME, "SELECT", "MODIFY")
    ended = Grant("prod", ("acme", "sales_gold"), "analysts", ("MODIFY", "SELECT"), ends=True)
    now = Grant("prod", ("acme", "sales_gold"), "analysts", ("SELECT",))
    assert held(on_gold(Op.UPDATE, "SELECT"), base=[before]) == (now, ended)
    assert held(on_gold(Op.DELETE, "SELECT", "MODIFY"), base=[before]) == (ended,)
    assert held(before, base=[before]) == (dataclasses.replace(ended, ends=False),)


def test_a_changed_contract_names_the_grants_on_what_it_publishes(tmp_path):
    shutil.copytree(domains_folder(), tmp_path / "domains")
    path = tmp_path / "domains" / RETAIL
    path.write_text(path.read_text().replace(column("country"), "", 1))
    each = {
        layer: of_unity("Grants", layer, schema=f"acme.{layer}", grants=[holding(f"of-{layer}", "SELECT")])
        for layer in ("sales_bronze", "sales_silver", "sales_gold", "claims_gold")
    }
    securables = grants.read("prod", None, plan(*each.values()))
    changes = compare(read(domains_folder()), read(tmp_path / "domains"), [securables])
    assert {g.principal for c in changes for g in c.grants} == {"of-sales_silver", "of-sales_gold"}
