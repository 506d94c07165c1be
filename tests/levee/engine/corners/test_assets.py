"""Assets and archives: files, strings, nested archives; what is missing or remote is named, and is no end."""

PROGRAM = """
    import pulumi
    import pulumi_aws as aws

    role = "arn:aws:iam::123456789012:role/r"
    bucket = aws.s3.Bucket("bucket", bucket="assets")
    for name, asset in {
        "file": pulumi.FileAsset("here.txt"),
        "string": pulumi.StringAsset("hello"),
        "remote": pulumi.RemoteAsset("https://example.invalid/page.html"),
        "missing": pulumi.FileAsset("not-built.bin"),
    }.items():
        aws.s3.BucketObject(name, bucket=bucket.id, source=asset)
    code = pulumi.AssetArchive({"a.py": pulumi.StringAsset("a = 1"), "lib": pulumi.FileArchive("./lib")})
    aws.lambda_.Function("whole", role=role, runtime="python3.12", handler="a.b", code=code)
    aws.lambda_.Function("unbuilt", role=role, runtime="python3.12", handler="a.b", code=pulumi.FileArchive("./dist"))
"""


def test_what_is_not_to_be_had_is_named_and_what_is_there_is_used(project):
    run = project(PROGRAM)
    (run.root / "here.txt").write_text("here")
    (run.root / "lib").mkdir()
    (run.root / "lib" / "b.py").write_text("b = 2")
    for plan in (run("preview"), run("up")):
        assert {
            note.split(":", 1)[0] if "https" not in note else "remote" for note in plan.notes if "stands" in note
        } == {
            "remote",
            "./dist does not exist",
            "not-built.bin does not exist",
        }
        assert any("'unbuilt' at __main__.py:16" in note for note in plan.notes)
    assert not run("up").changes

    (run.root / "here.txt").write_text("changed")
    (run.root / "lib" / "b.py").write_text("b = 3")
    (run.root / "dist").mkdir()
    (run.root / "dist" / "main.py").write_text("built = True")
    changed = {r.name for r in run("preview").resources if r.diff}
    assert changed == {"file", "whole", "unbuilt"}


WHOLE = """
    import pulumi
    import pulumi_aws as aws

    code = pulumi.AssetArchive({".": pulumi.FileArchive(".")})
    role = "arn:aws:iam::123456789012:role/r"
    aws.lambda_.Function("whole", role=role, runtime="python3.12", handler="a.b", code=code)
"""


def test_an_archive_of_the_projects_folder_holds_nothing_of_levees_own(project):
    run = project(WHOLE)
    run("up")
    assert not run("preview").changes
    (run.root / "a.py").write_text("b = 1")
    assert {r.name for r in run("preview").resources if r.diff} == {"whole"}
