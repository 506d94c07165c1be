"""``--fill-config`` on the real engine: one run, every invented value listed, secrets never in clear."""

import json

import pytest

from levee.engine import ProgramError
from levee.errors import UsageError
from levee.plan import document

ASKS = """
    import pulumi
    import pulumi_aws as aws

    config = pulumi.Config()
    network = config.require("network")
    vpc = aws.ec2.Vpc("main", cidr_block=network)
    aws.ec2.KeyPair("deployer", public_key=config.require("deployer"))
    data = config.require_object("data")
    pulumi.export("plain", [config.require_int("nodes"), config.require_bool("flag"), config.require_float("share")])
    pulumi.export("inside", [data["contactEmail"], data["count"] + 1])
    pulumi.export("list", config.require_object("subnetCidrs"))
    pulumi.export("region", aws.config.region)
    pulumi.export("token", config.require_secret("thing"))
    pulumi.export("again", config.require("network") == network == config.get("network"))
    pulumi.export("mine", [config.require("given"), config.get("optional", "its default")])
    pulumi.export("other", pulumi.Config("other").require("projectUrl"))
    pulumi.export("declared", [config.require_int("declared"), config.require("kept"), config.require_secret("hidden")])
"""
DECLARED = """config:
  declared: {type: integer}
  kept: {type: string, default: as it was}
  hidden: {type: string, secret: true}
"""


def test_a_program_that_requires_config_previews_and_comes_up_in_one_run(project, monkeypatch):
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable, raising=False)
    run = project(ASKS, config="config:\n  probe:given: from the file\n", more_yaml=DECLARED)
    seen = []
    for operation in ("preview", "up"):
        plan = run(operation, fill_config=True)
        filled = {f.key: f for f in plan.filled_config}
        seen.append(filled)
        assert plan.outputs["plain"] == [2, True, 2.0]
        assert plan.outputs["inside"] == ["someone@example.com", 3]
        assert len(plan.outputs["list"]) == 2
        assert plan.outputs["region"] == "us-east-1"
        assert plan.outputs["again"] is True
        assert plan.outputs["mine"] == ["from the file", "its default"]
        assert plan.outputs["other"].startswith("https://example.com/")
        assert plan.outputs["declared"] == [2, "as it was", "[secret]"]
    assert seen[0] == seen[1], "a preview and its update agree"
    assert {key: f.kind for key, f in filled.items()} == {
        "probe:declared": "number",
        "probe:hidden": "text",
        "probe:network": "CIDR block",
        "probe:deployer": "SSH public key",
        "probe:data": "object",
        "probe:data.contactEmail": "e-mail address",
        "probe:data.count": "number",
        "probe:nodes": "number",
        "probe:flag": "boolean",
        "probe:share": "number",
        "probe:subnetCidrs": "list of CIDR block",
        "aws:region": "region",
        "probe:thing": "text",
        "other:projectUrl": "URL",
    }
    assert filled["probe:network"].why == "used as cidr_block"
    assert str(filled["probe:network"].source) == "__main__.py:6"
    assert str(filled["probe:declared"].source) == "Pulumi.yaml:4"
    assert str(filled["probe:thing"].source) == "__main__.py:14"
    assert [key for key, f in filled.items() if f.value == "[secret]"] == ["probe:hidden", "probe:thing"]
    assert json.dumps(document.to_document(plan)).count("levee-thing") == 0
    for path in run.workspace().folder.rglob("*"):
        assert not path.is_file() or b"levee-thing" not in path.read_bytes(), path
    assert run("destroy").summary.by_op == {"delete": 2}


def test_nothing_is_filled_unless_it_is_asked_for(project):
    run = project(ASKS)
    with pytest.raises(ProgramError, match="'probe:network'") as refused:
        run("preview")
    assert refused.value.where == f"{run.root / '__main__.py'}:6"
    assert "pulumi config set probe:network VALUE --stack dev" in str(refused.value.fix)
    assert "--fill-config" in str(refused.value.fix)
    run = project(ASKS, more_yaml=DECLARED)
    with pytest.raises(UsageError, match=r"'probe:declared'.*\(and probe:hidden\)") as refused:
        run("preview")
    assert str(refused.value.where).endswith("Pulumi.yaml:4")
    assert "--fill-config" in str(refused.value.fix)
    plan = run("preview", config={"declared": "7", "hidden": "x"}, fill_config=True)
    assert plan.outputs["declared"][0] == 7, "a given value is kept"
    assert not {"probe:declared", "probe:hidden"} & {f.key for f in plan.filled_config}


def test_a_key_that_only_seems_optional_is_asked_for_and_filled(project):
    """The program goes on without it, and a resource does not."""
    run = project(
        """
        import pulumi
        import pulumi_aws as aws
        config = pulumi.Config()
        pulumi.export("size", [config.get_int("size")])
        aws.ec2.KeyPair("key", public_key=config.get("publicKey"))
        """
    )
    with pytest.raises(ProgramError, match="'probe:publicKey', which nobody has set") as lacking:
        run("preview")
    assert lacking.value.where == "__main__.py:6"
    plan = run("preview", fill_config=True)
    (filled,) = (filled for filled in plan.filled_config if filled.key.startswith("probe:"))
    assert filled.key == "probe:publicKey"
    assert str(filled.value).startswith("ssh-")
    assert plan.outputs["size"] == [None], "what nothing needs stays unset"


def test_a_secret_is_asked_for_as_one(project):
    run = project("import pulumi\npulumi.Config().require_secret('token')\n")
    with pytest.raises(ProgramError) as refused:
        run("preview")
    assert str(refused.value.fix).startswith("pulumi config set --secret probe:token VALUE")


def test_a_region_that_a_real_provider_insists_on_is_noted(project, monkeypatch):
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable, raising=False)
    run = project("import pulumi_aws as aws\naws.s3.Bucket('a')\n")
    (note,) = [note for note in run("preview").notes if "aws:region" in note]
    assert "took us-east-1" in note
    (filled,) = run("preview", fill_config=True).filled_config
    assert (filled.key, filled.value, filled.source) == ("aws:region", "us-east-1", None)
    run = project("import pulumi_aws as aws\naws.s3.Bucket('a')\n", config="config:\n  aws:region: eu-west-1\n")
    plan = run("preview", fill_config=True)
    assert plan.filled_config == ()
    assert not [note for note in plan.notes if "aws:region" in note]


def test_a_value_that_the_program_refuses_is_said_with_its_key(project):
    run = project(
        """
        import pulumi
        tier = pulumi.Config().require("tier")
        if hash(tier) != 1:
            raise ValueError(f"tier must be one of gold, silver, but is {tier}")
        """
    )
    with pytest.raises(ProgramError, match="must be one of gold, silver") as refused:
        run("preview", fill_config=True)
    assert "takes certain values only" in str(refused.value.fix)
    assert "--config probe:tier=VALUE" in str(refused.value.fix)
    assert "probe:tier=levee-tier" in str(refused.value.fix)


OPENS = """
    import os
    import pulumi

    config = pulumi.Config()
    public_key_path = config.require("publicKeyPath")
    pulumi.export("key", open(public_key_path).read())
    pulumi.export("private", open(config.require("privateKeyPath")).readline())
    pulumi.export("found", os.listdir(os.path.join(os.getcwd(), config.require("pathToContents"))))
    pulumi.export("again", os.listdir(config.require("source_dir")))
"""


def test_a_path_that_nobody_set_leads_to_a_file_or_a_folder(project):
    run = project(OPENS)
    (run.root / "www").mkdir()
    (run.root / "www" / "page.html").touch()
    plan = run("preview", fill_config=True)
    assert plan.outputs["key"].startswith("ssh-rsa ")
    assert plan.outputs["private"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert plan.outputs["found"] == plan.outputs["again"] == ["page.html"], "never the project's own folder"
    filled = {f.key: f for f in plan.filled_config}
    assert filled["probe:publicKeyPath"].kind == "file: SSH public key"
    assert filled["probe:pathToContents"].value == "www"
    assert sorted(path.name for path in run.workspace().folder.glob("placeholders/*")) == [
        "privateKeyPath",
        "publicKeyPath",
    ]


ASKS_ONE_AFTER_THE_OTHER = """
    def program(request, register):
        for key, secret in (("probe:vpcCidr", ""), ("probe:dbPassword", "--secret "), ("probe:team", "")):
            if key not in request.config:
                said = f"Missing required configuration variable '{key}'; pulumi config set {secret}{key}"
                raise LookupError(said)
        return {"cidr": request.config["probe:vpcCidr"]}
"""


def test_a_program_in_another_language_is_run_until_it_is_satisfied(project, language_host):
    run = project("")
    (run.root / "Pulumi.yaml").write_text("name: probe\nruntime: asking\n")
    environment = language_host("asking", ASKS_ONE_AFTER_THE_OTHER)
    with pytest.raises(ProgramError, match="'probe:vpcCidr'") as refused:
        run("preview", environment=environment)
    assert str(refused.value.where).endswith("Pulumi.yaml")
    plan = run("up", environment=environment, fill_config=True)
    assert plan.outputs == {"cidr": "10.0.0.0/16", "secrets": "probe:dbPassword"}
    assert [(f.key, f.value) for f in plan.filled_config] == [
        ("probe:vpcCidr", "10.0.0.0/16"),
        ("probe:dbPassword", "[secret]"),
        ("probe:team", "levee-team"),
    ]


OBJECTS = """
    import pulumi
    import pulumi_aws as aws

    config = pulumi.Config()
    network = config.require_object("network")
    vpc = aws.ec2.Vpc("main", cidr_block=network["cidr"])
    for number, subnet in enumerate(network["subnets"]):
        tags = {"Name": subnet.get("title")}
        aws.ec2.Subnet(f"of-{number}", vpc_id=vpc.id, cidr_block=subnet["subnet_cidr"], tags=tags)


    def buckets(wanted):
        return [aws.s3.Bucket(each["name"], bucket=each["name"]).bucket for each in wanted]


    wanted = config.require_object("buckets")
    pulumi.export("buckets", buckets(wanted))
    pulumi.export("peers", [peer for peer in network["peers"]])
    pulumi.export("limits", network.get("limits", "none"))
    pulumi.export("owner", network["owner"]["email"])
    pulumi.export("same", config.require_object("network") is network)
    if config.require("isMinikube") == "true":
        raise ValueError("not on minikube")
"""


def test_an_object_that_nobody_set_has_the_shape_that_the_program_reads(project):
    plan = project(OBJECTS)("preview", fill_config=True)
    (subnet,) = [r for r in plan.resources if r.type == "aws:ec2/subnet:Subnet"]
    assert subnet.inputs["cidrBlock"].endswith("/24")
    assert subnet.inputs["tags"]["Name"]
    assert [name.startswith("levee-") for name in plan.outputs["buckets"]] == [True]
    assert len(plan.outputs["peers"]) == 1
    assert plan.outputs["limits"] == "none"
    assert plan.outputs["owner"] == "someone@example.com"
    assert plan.outputs["same"] is True
    filled = {f.key: f for f in plan.filled_config}
    assert filled["probe:network.subnets[0].subnet_cidr"].kind == "CIDR block"
    assert filled["probe:isMinikube"].value == "false"
