"""A program in YAML on its real language host, whose types come from the stand-ins' own schemas."""

import json
import os

import pytest

from levee import engine
from levee.errors import UsageError
from levee.plan import SECRET

HOST = "github.com/pulumi/pulumi-yaml@v1.32.0"
PROJECT = """\
name: probe
runtime: yaml
config:
  wordCount:
    type: integer
  apiToken:
    type: string
    secret: true
  zones:
    type: array
    items: {type: string}
    default: [a, b]
"""
PROGRAM = """\
variables:
  me:
    fn::invoke:
      function: aws:getCallerIdentity
      return: accountId
  ubuntu:
    fn::invoke:
      function: aws:ec2:getAmi
      arguments:
        mostRecent: true
        owners: ["099720109477"]
      options:
        provider: ${elsewhere}
resources:
  pet:
    type: random:RandomPet
    properties:
      length: ${wordCount}
  word:
    type: random:RandomPassword
    properties:
      length: 20
      keepers:
        pet: ${pet.id}
  elsewhere:
    type: pulumi:providers:aws
    properties:
      region: eu-north-1
  bucket:
    type: aws:s3:Bucket
    properties:
      tags:
        Name: ${pet.id}-${me}
        zone: ${zones[1]}
    options:
      provider: ${elsewhere}
      protect: true
      dependsOn:
        - ${word}
  page:
    type: aws:s3:BucketObjectv2
    properties:
      bucket: ${bucket.bucket}
      source:
        fn::fileAsset: ./page.html
    options:
      provider: ${elsewhere}
  server:
    type: aws:ec2:Instance
    properties:
      ami: ${ubuntu.id}
      instanceType: t3.micro
      rootBlockDevice:
        volumeSize: 20
    options:
      provider: ${elsewhere}
  pod:
    type: kubernetes:core/v1:Pod
    properties:
      spec:
        containers:
          - name: web
            image: nginx:1.27
            env:
              - name: TOKEN
                value: ${apiToken}
outputs:
  pet: ${pet.id}
  arn: ${bucket.arn}
  word: ${word.result}
  url: https://${bucket.bucketRegionalDomainName}/page.html
  stack: ${pulumi.stack}
"""
WRONG = [
    ("    type: aws:s3:Bucket", "    type: aws:s3:Buckett", 'unable to find resource type "aws:s3:Buckett"'),
    ("        volumeSize: 20", "        volumeSizes: 20", "Property volumeSizes does not exist"),
    ("      instanceType: t3.micro", "      instanceType: {t3: micro}", "instanceType: Cannot assign"),
    ("      function: aws:ec2:getAmi", "      function: aws:ec2:getAmmi", 'unable to find function "aws:ec2:getAmmi"'),
    ("        mostRecent: true", "        mostRecently: true", "has no argument 'mostRecently'"),
    ("    type: random:RandomPet", "    type: elm:RandomPet", "the program uses the package 'elm'"),
]
"""A line, what is written instead, and what the refusal of it says."""


@pytest.fixture
def yaml(project, tmp_path, tool):
    """A function that writes the program with the real host on PATH; ``run.host`` is the environment."""
    module = json.loads(tool(["go", "mod", "download", "-json", HOST], tmp_path, 300))
    hosts = tmp_path / "hosts"
    # Built where it lies, by its own go.mod and go.sum: exactly what was released.
    build = ["go", "build", "-mod=readonly", "-buildvcs=false", "-o", str(hosts) + os.sep]
    tool([*build, "./cmd/pulumi-language-yaml"], module["Dir"], 900)
    run = project("")
    (run.root / "__main__.py").unlink()
    (run.root / "page.html").write_text("<p>page</p>\n")
    (run.root / "Main.yaml").write_text(PROGRAM)
    (run.root / "Pulumi.yaml").write_text(PROJECT)
    run.host = {**os.environ, "PATH": f"{hosts}{os.pathsep}{os.environ['PATH']}"}
    return run


def place(text):
    """Where the program has that line; of one within a lookup, where the lookup begins."""
    lines = PROGRAM.splitlines()
    assert lines.count(text) == 1, text
    number = lines.index(text)
    if number < lines.index("resources:"):
        number = max(n for n in range(number) if lines[n] == "    fn::invoke:")
    return f"Main.yaml:{number + 1}"


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_a_program_in_yaml_lives_and_dies_on_the_stand_ins(yaml):
    run = yaml
    preview = run("preview", environment=run.host, fill_config=True)
    by_name = {r.name: r for r in preview.resources}
    assert {name: str(r.source) for name, r in by_name.items() if r.type != "pulumi:pulumi:Stack"} == {
        name: place(f"  {name}:") for name in ("pet", "word", "elsewhere", "bucket", "page", "server", "pod")
    }
    assert by_name["pod"].inputs["kind"] == "Pod", "a constant of the schema"
    assert by_name["pod"].inputs["spec"]["containers"][0]["env"][0]["value"] == SECRET
    assert set(by_name["bucket"].dependencies) >= {by_name["word"].urn}
    assert {f.key for f in preview.filled_config} == {"probe:wordCount", "probe:apiToken", "aws:region"}
    assert {i.token: str(i.source) for i in preview.invented_lookups} == {
        "aws:index/getCallerIdentity:getCallerIdentity": place("      function: aws:getCallerIdentity"),
        "aws:ec2/getAmi:getAmi": place("      function: aws:ec2:getAmi"),
    }

    up = run("up", environment=run.host, fill_config=True)
    assert up.outputs["stack"] == "dev"
    assert up.outputs["word"] == SECRET
    bucket = next(r for r in up.resources if r.name == "bucket")
    assert (bucket.protect, bucket.inputs["tags"]["zone"]) == (True, "b")
    assert bucket.inputs["tags"]["Name"].startswith(up.outputs["pet"])
    assert up.outputs["url"] == f"https://{bucket.outputs['bucket']}.s3.eu-north-1.amazonaws.com/page.html"
    assert not run("refresh", environment=run.host).changes
    assert not run("preview", environment=run.host, fill_config=True).changes

    deployed = engine.deployed(run.root, "dev", engine.Options(pulumi=run.cli, environment=run.host))
    assert str(next(r for r in deployed.resources if r.name == "pod").source) == place("  pod:")

    program = run.root / "Main.yaml"
    for right, wrong, refusal in WRONG:
        program.write_text(PROGRAM.replace(right, wrong))
        with pytest.raises(UsageError) as refused:
            run("preview", environment=run.host, fill_config=True)
        assert refusal in refused.value.message
        assert refused.value.where == place(right), wrong
        assert refused.value.fix, wrong
    program.write_text(PROGRAM)

    destroyed = run("destroy", environment=run.host, unprotect=True)
    assert destroyed.summary.by_op == {"delete": 6}
