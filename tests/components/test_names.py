"""Names fit each cloud whatever they are made from, are the same every time, and never meet another's."""

from __future__ import annotations

import re
import uuid

from hypothesis import given
from hypothesis import strategies as st

from components import names

TEXT = st.text(max_size=80)
PART = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=40)


@given(TEXT, TEXT, TEXT, TEXT)
def test_a_bucket_s_name_fits_s3_and_gcs(company: str, environment: str, purpose: str, account: str) -> None:
    name = names.bucket(company, environment, purpose, account=account)
    assert re.fullmatch(r"[a-z][a-z0-9-]{1,61}[a-z0-9]", name)
    assert "--" not in name
    assert "goog" not in name  # https://cloud.google.com/storage/docs/buckets#naming
    assert not name.startswith(("xn-", "sthree-", "amzn-s3-demo-"))
    assert not name.endswith(("-s3alias", "--ol-s3", "--x-s3"))


@given(TEXT, TEXT, TEXT, TEXT)
def test_a_storage_account_s_name_fits_azure(company: str, environment: str, purpose: str, account: str) -> None:
    name = names.storage_account(company, environment, purpose, account=account)
    assert re.fullmatch(r"[a-z0-9]{3,24}", name)


@given(TEXT, TEXT, TEXT, TEXT)
def test_a_vault_s_name_fits_azure(company: str, environment: str, purpose: str, once: str) -> None:
    name = names.key_vault(company, environment, purpose, once=once)
    assert re.fullmatch(r"[a-z][a-z0-9-]{1,22}[a-z0-9]", name)
    assert "--" not in name


@given(PART, PART, st.integers(min_value=10, max_value=90))
def test_a_plain_name_keeps_its_limit(left: str, right: str, limit: int) -> None:
    assert len(names.plain(left, right, limit=limit)) <= limit


@given(TEXT, TEXT)
def test_an_identifier_needs_no_quotes(left: str, right: str) -> None:
    assert re.fullmatch(r"[a-z_][a-z0-9_]{0,254}", names.identifier(left, right))


@given(st.lists(st.tuples(PART, PART, PART, PART), min_size=2, max_size=8, unique=True))
def test_different_stores_have_different_names(stores: list[tuple[str, str, str, str]]) -> None:
    spelled = {(*(part.strip("-") for part in store[:3]), store[3]) for store in stores}
    spelled = {store for store in spelled if all(store[:3])}
    made = {names.storage_account(*store[:3], account=store[3]) for store in spelled}
    folded = {(*(re.sub("-+", "-", part).replace("goog", "g") for part in store[:3]), store[3]) for store in spelled}
    assert len(made) == len(folded)


def test_a_name_is_the_same_every_time_and_tells_accounts_apart() -> None:
    first = names.bucket("acme", "prod", "gold", account="111111111111")
    assert first == names.bucket("acme", "prod", "gold", account="111111111111") == "acme-prod-gold-" + first[-6:]
    assert first != names.bucket("acme", "prod", "gold", account="222222222222")


def test_a_guid_is_one_and_the_same() -> None:
    assert names.guid("a", "b") == str(uuid.UUID(names.guid("a", "b")))
    assert names.guid("a", "b") != names.guid("ab", "")
