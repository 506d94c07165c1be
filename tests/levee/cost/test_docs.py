"""The reference page is what the catalogue says."""

from levee.cost import docs, shipped


def test_the_page_is_current(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)
    assert docs.main(["--check"]) == 0


def test_a_stale_page_is_told_with_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    docs.PAGE.parent.mkdir(parents=True)
    assert docs.main(["--check"]) == 1
    assert docs.COMMAND in capsys.readouterr().err
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0


def test_every_type_and_every_usage_key_is_documented():
    page = docs.page(shipped())
    for token, rule in shipped().types.items():
        assert f"`{token.partition(':')[2]}`" in page
        assert all(f"`{key}`" in page for key in rule.usage)
