"""Label normalisation, over all text."""

from hypothesis import given, settings
from hypothesis import strategies as st

from levee.compliance.tagging.dialect import DIALECTS, GCP, canonical_key, label_value, same_value

unhurried = settings(deadline=None)


@unhurried
@given(st.text())
def test_a_label_value_is_always_one_that_google_accepts(text):
    assert GCP.value.fullmatch(label_value(text))


@unhurried
@given(st.text())
def test_label_values_are_stable(text):
    assert label_value(label_value(text)) == label_value(text)


@unhurried
@given(st.from_regex(GCP.value, fullmatch=True))
def test_what_is_a_label_value_already_stays(text):
    assert label_value(text) == text


@unhurried
@given(st.text())
def test_keys_are_stable(text):
    assert canonical_key(canonical_key(text)) == canonical_key(text)


@unhurried
@given(st.lists(st.from_regex(r"[a-z]{2,8}", fullmatch=True), min_size=1, max_size=4))
def test_every_common_spelling_of_a_key_is_the_same_key(words):
    kebab = canonical_key("-".join(words))
    assert canonical_key("_".join(words)) == kebab
    assert canonical_key("".join(word.capitalize() for word in words)) == kebab
    assert canonical_key(" ".join(word.upper() for word in words)) == kebab
    assert canonical_key(f"example.com/{'-'.join(words)}") == kebab


@unhurried
@given(st.text(), st.sampled_from(sorted(DIALECTS)))
def test_a_value_is_always_itself_and_its_label_form(text, package):
    dialect = DIALECTS[package]
    assert same_value(text, text, dialect)
    if dialect.folds_case:
        assert same_value(text, label_value(text), dialect)
